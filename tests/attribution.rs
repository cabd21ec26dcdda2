//! Attribution on every engine: against published examples, against the definitions, and by the axioms of Shapley.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/analysed.rs"]
mod analysed;
#[path = "support/engines.rs"]
mod engines;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use analysed::{Case, Dice, MARKETS, TABLES, YAML};
use proptest::prelude::*;

/// Google's worked example of position and decay (Analytics Help, "About attribution models"): four contacts, the first and
/// the last get 40%, the two between share 20%; a contact 7 days before another has half its weight.
#[tokio::test]
async fn one_path_is_shared_as_published() {
    let case = Case::new(
        "INSERT INTO contacts VALUES
           (1, 1, 'social', 'ID', 2, '2025-03-01 10:00:00'), (2, 1, 'search', 'ID', 3, '2025-03-08 10:00:00'),
           (3, 1, 'mail', 'ID', 1, '2025-03-08 11:00:00'), (4, 1, 'direct', 'ID', 0, '2025-03-08 12:00:00');
         INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 100, '2025-03-08 12:00:00');",
    );
    let of = |method: &str| format!("credit by channel where method = {method}");
    let day = |hours: f64| 0.5f64.powf(hours / 24.0 / 7.0);
    let all = day(170.0) + day(2.0) + day(1.0) + 1.0;
    let decayed = |hours: f64| ((100.0 * day(hours) / all) * 1e6).round() / 1e6;
    case.is(
        &of("first_touch"),
        &["direct | 0", "mail | 0", "search | 0", "social | 100"],
    )
    .await;
    case.is(
        &of("last_touch"),
        &["direct | 100", "mail | 0", "search | 0", "social | 0"],
    )
    .await;
    case.is(
        &of("linear"),
        &["direct | 25", "mail | 25", "search | 25", "social | 25"],
    )
    .await;
    case.is(
        &of("position_based"),
        &["direct | 40", "mail | 10", "search | 10", "social | 40"],
    )
    .await;
    let decay = [
        ("direct", 0.0),
        ("mail", 1.0),
        ("search", 2.0),
        ("social", 170.0),
    ];
    let decay = decay.map(|(channel, hours)| format!("{channel} | {}", decayed(hours)));
    case.is(&of("time_decay"), &decay.each_ref().map(String::as_str))
        .await;
    case.is(
        &of("shapley"),
        &["direct | 25", "mail | 25", "search | 25", "social | 25"],
    )
    .await;
    case.is(
        "credit_cost, credit_roas, credit_roi by channel where method = last_touch",
        &[
            "direct | 0 | - | -",
            "mail | 1 | 0 | -1",
            "search | 3 | 0 | -1",
            "social | 2 | 0 | -1",
        ],
    )
    .await;
}

#[derive(Clone)]
struct Contact {
    who: u64,
    channel: usize,
    minute: u64,
}

struct Order {
    who: u64,
    minute: u64,
    amount: f64,
}

const CHANNELS: [&str; 5] = ["ads", "mail", "push", "radio", "search"];

fn time(minute: u64) -> String {
    format!(
        "2025-02-{:02} {:02}:{:02}:00",
        1 + minute / 1440,
        minute / 60 % 24,
        minute % 60
    )
}

fn random(seed: u64) -> (Vec<Contact>, Vec<Order>, String) {
    let mut dice = Dice(seed);
    let mut sql = String::new();
    let mut contacts = Vec::new();
    let mut taken = BTreeSet::new();
    for id in 0..120 {
        let contact = Contact {
            who: dice.below(25),
            channel: dice.below(CHANNELS.len() as u64) as usize,
            minute: dice.below(28 * 1440),
        };
        // Two contacts of one person at once have no order that could be compared.
        if !taken.insert((contact.who, contact.minute)) {
            continue;
        }
        writeln!(
            sql,
            "INSERT INTO contacts VALUES ({id}, {}, '{}', '{}', {}, '{}');",
            contact.who,
            CHANNELS[contact.channel],
            MARKETS[(contact.who % 2) as usize],
            contact.channel + 1,
            time(contact.minute)
        )
        .unwrap();
        contacts.push(contact);
    }
    let mut orders = Vec::new();
    for id in 0..60 {
        let order = Order {
            who: dice.below(25),
            minute: dice.below(28 * 1440),
            amount: (1 + dice.below(200)) as f64 / 4.0,
        };
        writeln!(
            sql,
            "INSERT INTO orders VALUES ({id}, {}, '{}', 'PAID', {}, '{}');",
            order.who,
            MARKETS[(order.who % 2) as usize],
            order.amount,
            time(order.minute)
        )
        .unwrap();
        orders.push(order);
    }
    // What does not count, and somebody who is not known.
    sql += "INSERT INTO orders VALUES (900, 1, 'ID', 'CANCELLED', 999, '2025-02-20 00:00:00');
            INSERT INTO orders VALUES (901, NULL, 'TH', 'PAID', 7, '2025-02-20 00:00:00');
            INSERT INTO contacts VALUES (902, NULL, 'ads', 'TH', 1, '2025-02-19 00:00:00');
            INSERT INTO contacts VALUES (903, 1, NULL, 'TH', 1, '2025-02-19 00:00:00');";
    (contacts, orders, sql)
}

/// The contacts before an order, in order of time.
fn path(order: &Order, contacts: &[Contact]) -> Vec<Contact> {
    let mut path: Vec<Contact> = contacts
        .iter()
        .filter(|contact| contact.who == order.who && contact.minute <= order.minute)
        .filter(|contact| order.minute - contact.minute <= 14 * 1440)
        .cloned()
        .collect();
    path.sort_by_key(|contact| contact.minute);
    path
}

/// The worth of a coalition: orders all of whose contacts came from its channels.
fn worth(coalition: usize, paths: &[(usize, f64)]) -> f64 {
    let inside = paths.iter().filter(|(set, _)| set & !coalition == 0);
    inside.map(|(_, amount)| amount).sum()
}

/// Shapley values by their definition: over every order in which the channels may come.
fn by_permutations(paths: &[(usize, f64)], players: usize) -> Vec<f64> {
    fn visit(
        left: &mut Vec<usize>,
        coalition: usize,
        paths: &[(usize, f64)],
        shares: &mut [f64],
        orders: &mut f64,
    ) {
        if left.is_empty() {
            *orders += 1.0;
            return;
        }
        for at in 0..left.len() {
            let player = left.remove(at);
            let mut inner = vec![0.0; shares.len()];
            let mut count = 0.0;
            visit(left, coalition | 1 << player, paths, &mut inner, &mut count);
            let gain = worth(coalition | 1 << player, paths) - worth(coalition, paths);
            inner[player] += gain * count;
            for (share, inner) in shares.iter_mut().zip(inner) {
                *share += inner;
            }
            *orders += count;
            left.insert(at, player);
        }
    }
    let (mut shares, mut orders) = (vec![0.0; players], 0.0);
    visit(
        &mut (0..players).collect(),
        0,
        paths,
        &mut shares,
        &mut orders,
    );
    shares.iter().map(|share| share / orders).collect()
}

fn expected(contacts: &[Contact], orders: &[Order]) -> BTreeMap<(String, String), f64> {
    let mut all = BTreeMap::new();
    let mut sets = Vec::new();
    for order in orders {
        let path = path(order, contacts);
        let mut add = |channel: &str, method: &str, share: f64| {
            *all.entry((channel.to_owned(), method.to_owned()))
                .or_insert(0.0) += share * order.amount;
        };
        if path.is_empty() {
            for method in [
                "first_touch",
                "last_touch",
                "linear",
                "position_based",
                "time_decay",
                "shapley",
            ] {
                add("-", method, 1.0);
            }
            continue;
        }
        let n = path.len();
        let newest = path[n - 1].minute;
        let weight =
            |contact: &Contact| 0.5f64.powf((newest - contact.minute) as f64 / 1440.0 / 7.0);
        let weights: f64 = path.iter().map(weight).sum();
        sets.push((
            path.iter()
                .fold(0, |set, contact| set | 1 << contact.channel),
            order.amount,
        ));
        for (place, contact) in path.iter().enumerate() {
            let channel = CHANNELS[contact.channel];
            add(channel, "first_touch", f64::from(u8::from(place == 0)));
            add(channel, "last_touch", f64::from(u8::from(place == n - 1)));
            add(channel, "linear", 1.0 / n as f64);
            let position = match n {
                1 => 1.0,
                2 => 0.5,
                _ if place == 0 || place == n - 1 => 0.4,
                _ => 0.2 / (n - 2) as f64,
            };
            add(channel, "position_based", position);
            add(channel, "time_decay", weight(contact) / weights);
        }
    }
    for (channel, share) in CHANNELS.iter().zip(by_permutations(&sets, CHANNELS.len())) {
        *all.entry(((*channel).to_owned(), "shapley".to_owned()))
            .or_insert(0.0) += share;
    }
    all
}

#[tokio::test]
async fn six_methods_are_what_they_are_by_definition() {
    for seed in [7, 2025] {
        let (contacts, orders, sql) = random(seed);
        let mut expected = expected(&contacts, &orders);
        for (_, amount) in expected
            .iter_mut()
            .filter(|((channel, _), _)| channel == "-")
        {
            *amount += 7.0;
        }
        let case = Case::new(&sql);
        for on in &case.loaded {
            let found = case.rows("credit by channel, method", on).await;
            assert_eq!(found.len(), 36, "{}: {found:#?}", on.name);
            for row in &found {
                let cells: Vec<_> = row.split(" | ").collect();
                let wanted = expected[&(cells[0].to_owned(), cells[1].to_owned())];
                let amount: f64 = cells[2].parse().unwrap();
                assert!(
                    (amount - wanted).abs() < 1e-6,
                    "{row} on {}, not {wanted}",
                    on.name
                );
            }
            // Efficiency: whatever the method, the credits are all there is, also by market and by month.
            for by in ["none", "market", "month"] {
                let all = case.rows(&format!("sales by {by}"), on).await;
                for method in [
                    "first_touch",
                    "last_touch",
                    "linear",
                    "position_based",
                    "time_decay",
                    "shapley",
                ] {
                    let credited = case
                        .rows(&format!("credit by {by} where method = {method}"), on)
                        .await;
                    assert_eq!(credited, all, "{method} by {by} on {}", on.name);
                }
            }
            let spent = case.rows("spend by channel", on).await;
            let cost = case
                .rows(
                    "credit_cost by channel where method = linear and channel is not null",
                    on,
                )
                .await;
            let spent: Vec<_> = spent
                .into_iter()
                .filter(|row| !row.starts_with('-'))
                .collect();
            assert_eq!(cost, spent, "{}", on.name);
            let roi = case.rows("credit, credit_cost, credit_roi by channel where method = shapley and channel is not null", on).await;
            for row in roi {
                let cells: Vec<f64> = row
                    .split(" | ")
                    .skip(1)
                    .map(|cell| cell.parse().unwrap())
                    .collect();
                assert!(
                    (cells[2] - (cells[0] - cells[1]) / cells[1]).abs() < 1e-6,
                    "{row}"
                );
            }
            let joined = case
                .rows("credit by segment where method = linear", on)
                .await;
            assert_eq!(
                joined.len(),
                1,
                "over the join of the conversions: {joined:?}"
            );
        }
    }
}

const METHODS: [&str; 6] = [
    "first_touch",
    "last_touch",
    "linear",
    "position_based",
    "shapley",
    "time_decay",
];

/// A person of one world: what came before the order, with the hour of each contact, and what was ordered.
#[derive(Debug, Clone)]
struct Person {
    contacts: Vec<(usize, u64)>,
    amount: i32,
}

fn person() -> impl Strategy<Value = Person> {
    // Hours differ, so that there is an order; amounts may be refunds.
    let contacts = prop::collection::btree_map(0_u64..200, 0_usize..4, 0..6);
    (contacts, -50_i32..200).prop_map(|(contacts, amount)| Person {
        contacts: contacts
            .into_iter()
            .map(|(at, channel)| (channel, at))
            .collect(),
        amount,
    })
}

/// Each world is a market with people of its own, and each person stands beside a twin for whom ads and mail are swapped.
/// Radio reaches everybody, but too early, too late, or those who buy nothing.
fn worlds(worlds: &[Vec<Person>]) -> String {
    let mut sql = String::new();
    let hour = |at: u64| time((20 * 24 + at) * 60 % (28 * 1440));
    let mut who = 0;
    let mut contact = |who: i32, channel: &str, world: usize, at: &str| {
        writeln!(
            sql,
            "INSERT INTO contacts VALUES ({who}, {who}, '{channel}', 'w{world}', 1, '{at}');"
        )
        .unwrap();
    };
    let mut orders = String::new();
    for (world, people) in worlds.iter().enumerate() {
        for person in people {
            for swap in [false, true] {
                who += 1;
                for (channel, at) in &person.contacts {
                    let channel = match (channel, swap) {
                        (0, true) => 1,
                        (1, true) => 0,
                        (3, _) => 4,
                        (channel, _) => *channel,
                    };
                    contact(
                        who,
                        CHANNELS[channel],
                        world,
                        &hour(*at).replace("2025-02", "2025-01"),
                    );
                }
                contact(who, "radio", world, "2024-12-01 00:00:00");
                contact(who, "radio", world, "2025-03-01 00:00:00");
                contact(-who, "radio", world, "2025-01-28 00:00:00");
                let at = "2025-01-29 12:00:00";
                writeln!(
                    orders,
                    "INSERT INTO orders VALUES ({who}, {who}, 'w{world}', 'PAID', {}, '{at}');",
                    person.amount
                )
                .unwrap();
                writeln!(
                    orders,
                    "INSERT INTO orders VALUES ({who}, -{who}, 'w{world}', 'CANCELLED', 5, '{at}');"
                )
                .unwrap();
            }
        }
    }
    sql + &orders
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Efficiency, symmetry and null player: credits are all there is; channels that play the same part have the same; who
    /// is in no path has nothing. Shapley values add up over worlds, too.
    #[test]
    fn axioms(all in prop::collection::vec(prop::collection::vec(person(), 1..6), 6)) {
        let sql = worlds(&all);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let case = Case::new(&sql);
            for on in &case.loaded {
                let mut of_worlds: BTreeMap<(String, String), f64> = BTreeMap::new();
                let mut totals: BTreeMap<(String, String), f64> = BTreeMap::new();
                let mut parts = BTreeMap::new();
                for row in case.rows("credit by market, channel, method", on).await {
                    let cells: Vec<_> = row.split(" | ").map(str::to_owned).collect();
                    let [world, channel, method, amount] = cells.try_into().unwrap();
                    let amount: f64 = amount.parse().unwrap();
                    assert!(channel != "radio" || amount == 0.0, "null player: {row} on {}", on.name);
                    *totals.entry((world.clone(), method.clone())).or_insert(0.0) += amount;
                    *of_worlds.entry((channel.clone(), method.clone())).or_insert(0.0) += amount;
                    parts.insert((world, method, channel), amount);
                }
                for ((world, method, channel), amount) in &parts {
                    let twin = match channel.as_str() {
                        "ads" => "mail",
                        "mail" => "ads",
                        _ => continue,
                    };
                    let twin = parts[&(world.clone(), method.clone(), twin.to_owned())];
                    assert!((twin - amount).abs() < 1e-6, "symmetry: {channel} by {method} in {world} on {}", on.name);
                }
                for (world, people) in all.iter().enumerate() {
                    let sold: i32 = people.iter().map(|person| 2 * person.amount).sum();
                    for method in METHODS {
                        let credited = totals[&(format!("w{world}"), method.to_owned())];
                        assert!((credited - f64::from(sold)).abs() < 1e-6, "efficiency: {credited} of {sold} by {method} on {}", on.name);
                    }
                }
                for row in case.rows("credit by channel, method", on).await {
                    let cells: Vec<_> = row.split(" | ").map(str::to_owned).collect();
                    let parts = of_worlds[&(cells[0].clone(), cells[1].clone())];
                    assert!((cells[2].parse::<f64>().unwrap() - parts).abs() < 1e-6, "additivity: {row}");
                }
            }
        });
    }
}

/// Who plays the same part in every set of channels has the same Shapley value, in whatever order and however often the
/// contacts come; the methods that look at these do not share so.
#[tokio::test]
async fn the_same_part_in_another_order() {
    let case = Case::new(
        "INSERT INTO contacts VALUES
           (1, 1, 'ads', 'ID', 1, '2025-03-01 10:00:00'), (2, 1, 'ads', 'ID', 1, '2025-03-02 10:00:00'), (3, 1, 'mail', 'ID', 1, '2025-03-03 10:00:00'),
           (4, 2, 'ads', 'ID', 1, '2025-03-01 10:00:00'), (5, 2, 'push', 'ID', 1, '2025-03-03 10:00:00'),
           (6, 3, 'push', 'ID', 1, '2025-03-01 10:00:00'), (7, 3, 'mail', 'ID', 1, '2025-03-02 10:00:00'), (8, 3, 'mail', 'ID', 1, '2025-03-03 10:00:00');
         INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 60, '2025-03-04 12:00:00'), (2, 2, 'ID', 'PAID', 30, '2025-03-04 12:00:00'), (3, 3, 'ID', 'PAID', 30, '2025-03-04 12:00:00');",
    );
    case.is(
        "credit by channel where method = shapley",
        &["ads | 45", "mail | 45", "push | 30"],
    )
    .await;
    case.is(
        "credit by channel where method = linear",
        &["ads | 55", "mail | 40", "push | 25"],
    )
    .await;
    case.is(
        "credit by channel_set where method = shapley and channel_set is not null",
        &["ads + mail | 60", "ads + push | 30", "mail + push | 30"],
    )
    .await;
}

#[tokio::test]
async fn where_nothing_came_before() {
    let nobody = Case::new("");
    nobody.is("credit by channel, method", &[]).await;
    nobody
        .is(
            "credit, credit_roi by none where method = linear",
            &["- | -"],
        )
        .await;
    // No orders: the contacts have a cost and no credit.
    let unsold = Case::new(
        "INSERT INTO contacts VALUES (1, 1, 'ads', 'ID', 2, '2025-03-01 10:00:00'), (2, 2, NULL, 'ID', 3, '2025-03-01 10:00:00');",
    );
    unsold
        .is(
            "credit, credit_conversions, credit_cost, credit_roi, credit_roas by channel where method = shapley",
            &["ads | 0 | 0 | 2 | -1 | 0", "- | 0 | 0 | 3 | -1 | 0"],
        )
        .await;
    // Nobody knows who 2 is; 3 has only a contact without a channel; 4 was reached by a metric that is not asked for.
    let unreached = Case::new(
        "INSERT INTO contacts VALUES (1, 1, 'ads', 'ID', 2, '2025-03-01 10:00:00'), (2, 3, NULL, 'ID', 3, '2025-03-01 10:00:00'), (3, NULL, 'ads', 'ID', 1, '2025-03-01 10:00:00');
         INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 10, '2025-03-02 10:00:00'), (2, NULL, NULL, 'PAID', 20, '2025-03-02 10:00:00'), (3, 3, 'TH', 'PAID', 40, '2025-03-02 10:00:00'), (4, 4, 'TH', 'PAID', 80, '2025-03-02 10:00:00');",
    );
    for method in METHODS {
        unreached
            .is(
                &format!("credit, credit_conversions by channel where method = {method}"),
                &["ads | 10 | 1", "- | 140 | 3"],
            )
            .await;
        unreached
            .is(
                &format!("credit by market where method = {method}"),
                &["ID | 10", "TH | 120", "- | 20"],
            )
            .await;
    }
}

/// A contact counts from exactly the lookback before the order up to its very moment, also before the range that is asked for.
#[tokio::test]
async fn borders_of_the_lookback() {
    let case = Case::new(
        "INSERT INTO contacts VALUES
           (1, 1, 'oldest', 'ID', 1, '2025-02-20 12:00:00'), (2, 1, 'too_old', 'ID', 1, '2025-02-20 11:59:59'),
           (3, 1, 'newest', 'ID', 1, '2025-03-06 12:00:00'), (4, 1, 'too_new', 'ID', 1, '2025-03-06 12:00:01'),
           (5, 2, 'earlier', 'ID', 1, '2025-03-06 12:00:00.100000'), (6, 2, 'later', 'ID', 1, '2025-03-06 12:00:00.300000');
         INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 10, '2025-03-06 12:00:00'), (2, 2, 'ID', 'PAID', 4, '2025-03-06 12:00:00.200000'),
           (3, 1, 'ID', 'PAID', -10, '2025-03-06 12:00:00');",
    );
    // The refund takes back what the order gave.
    for method in METHODS {
        case.is(
            &format!("credit by channel where method = {method} and credit > 0 2025-03"),
            &["earlier | 4"],
        )
        .await;
    }
    case.is(
        "credit_conversions by channel where method = linear and channel in (oldest, too_old, newest, too_new, earlier, later) 2025-03",
        &["earlier | 1", "later | 0", "newest | 1", "oldest | 1", "too_new | 0"],
    )
    .await;
}

#[tokio::test]
async fn far_away_days() {
    let case = Case::new(
        "INSERT INTO contacts VALUES (1, 1, 'ads', 'ID', 1, '0001-01-01 00:00:00'), (2, 1, 'ads', 'ID', 1, '9999-12-30 00:00:00'), (3, 2, 'mail', 'ID', 1, '1969-12-31 23:00:00');
         INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 10, '9999-12-31 23:59:59'), (2, 1, 'ID', 'PAID', 5, '0001-01-01 00:00:00'), (3, 2, 'ID', 'PAID', 7, '1970-01-01 01:00:00');",
    );
    case.is(
        "credit by channel where method = time_decay",
        &["ads | 15", "mail | 7"],
    )
    .await;
    // What lies in the future is no state yet.
    case.is(
        "states_new by month where segment is null",
        &["0001-01-01 | 1", "1970-01-01 | 1"],
    )
    .await;
}

#[tokio::test]
async fn days_begin_in_the_zone_of_the_project() {
    let yaml = YAML
        .replace("time: seen_at", "time: seen_at\n    stored_in: UTC")
        .replace("time: placed_at", "time: placed_at\n    stored_in: UTC");
    let yaml = format!("calendar: {{timezone: Asia/Jakarta}}\n{yaml}");
    let case = Case {
        engine: support::shop::Engine::new(support::shop::registry_of(&yaml)),
        loaded: engines::everywhere_in(
            "Asia/Jakarta",
            &format!(
                "{TABLES} INSERT INTO contacts VALUES (1, 1, 'ads', 'ID', 2, '2025-02-28 16:59:00'), (2, 1, 'mail', 'ID', 2, '2025-02-28 18:30:00');
                 INSERT INTO orders VALUES (1, 1, 'ID', 'PAID', 10, '2025-02-28 16:59:59'), (2, 1, 'ID', 'PAID', 30, '2025-02-28 18:00:00'), (3, 1, 'ID', 'PAID', 50, '2025-03-31 17:00:00');"
            ),
        ),
    };
    case.is(
        "sales by month",
        &["2025-02-01 | 10", "2025-03-01 | 30", "2025-04-01 | 50"],
    )
    .await;
    case.is(
        "credit by month, channel where method = last_touch",
        &[
            "2025-02-01 | ads | 10",
            "2025-03-01 | ads | 30",
            "2025-03-01 | mail | 0",
            "2025-04-01 | - | 50",
        ],
    )
    .await;
    case.is(
        "credit_cost by day where method = linear",
        &["2025-02-28 | 2", "2025-03-01 | 2", "2025-04-01 | 0"],
    )
    .await;
    case.is(
        "states by month, state",
        &["2025-02-01 | new | 1", "2025-03-01 | retained | 1"],
    )
    .await;
    case.is(
        "path_reached by day, step where step in ('1 seen', '3 bought')",
        &[
            "2025-02-28 | 1 seen | 1",
            "2025-02-28 | 3 bought | 1",
            "2025-03-01 | 1 seen | 1",
            "2025-03-01 | 3 bought | 0",
        ],
    )
    .await;
}
