//! Analyses: attribution, lifecycle, retention, revenue and funnels, on every engine, against numbers computed another way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use engines::Loaded;
use metrex::compile::CompileError;
use metrex::model::NoValues;
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::Dialect;
use support::shop::{Engine, registry_of, rows};

const YAML: &str = "
datasets:
  contacts:
    table: contacts
    key: contact_id
    time: seen_at
    dimensions:
      seen_at: {type: time}
      channel: {column: medium, label: Channel, aliases: [source]}
      market: {}
    joins: {person: {to: people, on: user_id}}
  orders:
    table: orders
    key: order_id
    time: placed_at
    dimensions:
      placed_at: {type: time}
      market: {column: country}
      status: {}
    joins: {person: {to: people, on: user_id}}
  people:
    table: people
    key: user_id
    dimensions: {segment: {}}
  ledger:
    table: ledger
    time: month_start
    dimensions: {month_start: {column: month, type: date}, plan: {}}
metrics:
  touches: {base_table: contacts, agg: count}
  clicks: {base_table: contacts, agg: count, filters: [\"medium = 'ads'\"]}
  spend: {base_table: contacts, agg: sum, expr: cost}
  sales: {base_table: orders, agg: sum, expr: amount, filters: [\"status <> 'CANCELLED'\"]}
  sold: {base_table: orders, agg: count, filters: [\"status <> 'CANCELLED'\"]}
  recurring: {base_table: ledger, agg: sum, expr: mrr, last_by: {time: month_start}}
  margin: {expr: sales - spend}
analyses:
  credit:
    kind: attribution
    touches: touches
    conversions: sales
    cost: spend
    channel: channel
    who: user_id
    by: [market]
    lookback: 14 days
  states: {kind: lifecycle, activity: sold, who: user_id}
  weekly_states: {kind: lifecycle, activity: sold, who: user_id, grain: week}
  comeback: {kind: retention, activity: sales, who: user_id, by: [market]}
  mrr_moves: {kind: revenue, revenue: recurring, who: account}
  path:
    kind: funnel
    who: user_id
    steps: {seen: touches, clicked: clicks, bought: sold, bought_again: sold}
    within: 10 days
    by: [market]
";

const TABLES: &str = "
CREATE TABLE contacts (contact_id integer, user_id integer, medium text, market text, cost double precision, seen_at timestamp);
CREATE TABLE orders (order_id integer, user_id integer, country text, status text, amount double precision, placed_at timestamp);
CREATE TABLE people (user_id integer, segment text);
CREATE TABLE ledger (account integer, month date, plan text, mrr double precision);
";

fn dialect(engine: &Loaded) -> Dialect {
    Dialect::of(engine.name).unwrap()
}

struct Case {
    engine: Engine,
    loaded: Vec<Loaded>,
}

impl Case {
    fn new(sql: &str) -> Self {
        Self {
            engine: Engine::new(registry_of(YAML)),
            loaded: engines::everywhere(&format!("{TABLES}{sql}")),
        }
    }

    async fn rows(&self, line: &str, on: &Loaded) -> Vec<String> {
        let compiled = self.engine.compile_with(line, dialect(on), &NoValues);
        let compiled = compiled.unwrap_or_else(|error| panic!("{line}: {error}"));
        rows(&on.warehouse, &compiled.main).await
    }

    /// The rows are these on every engine; numbers are rounded to 6 digits.
    async fn is(&self, line: &str, expected: &[&str]) {
        for on in &self.loaded {
            let found = self.rows(line, on).await;
            let found: Vec<String> = found.iter().map(|row| rounded(row)).collect();
            assert_eq!(found, expected, "{} on {}", line, on.name);
        }
    }

    fn refused(&self, line: &str) -> CompileError {
        let found = self.engine.compile(line);
        found.map(|found| found.main.sql).expect_err(line)
    }
}

fn rounded(row: &str) -> String {
    let cell = |cell: &str| match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => ((number * 1e6).round() / 1e6).to_string(),
        _ => cell.to_owned(),
    };
    row.split(" | ").map(cell).collect::<Vec<_>>().join(" | ")
}

// Attribution.

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

/// Numbers without a crate: the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
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
const MARKETS: [&str; 2] = ["ID", "TH"];

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

#[tokio::test]
async fn methods_are_never_added_up() {
    let case = Case::new("");
    for line in [
        "credit by channel",
        "credit by month",
        "credit_roi by channel where method in (linear, shapley)",
    ] {
        let error = case.refused(line);
        assert!(
            error
                .message
                .contains("does not add up over several methods"),
            "{error}"
        );
        assert!(error.hint.unwrap().contains("group by method"), "{line}");
    }
    let total = case.engine.compile("credit by channel, method").unwrap();
    assert!(total.totals.is_err(), "{:?}", total.totals);
    let error = case
        .engine
        .compile_with("credit by method", Dialect::Trino, &NoValues)
        .unwrap_err();
    assert_eq!(
        error.message,
        "the analysis credit is not written for Trino"
    );
    assert_eq!(
        case.refused("states by quarter, state").message,
        "states does not add up over several months: it is a value per month"
    );
    assert!(
        case.refused("comeback by month")
            .message
            .contains("several ages")
    );
    assert!(
        case.refused("states_active by month last 10 days")
            .message
            .contains("begins or ends within one")
    );
}

// Lifecycle.

/// Growth accounting as Jonathan Hsu of Social Capital publishes it ("Diligence at Social Capital, Part 1: Accounting for
/// User Growth"): active = new + retained + resurrected, active of the month before = retained + churned.
#[tokio::test]
async fn everybody_is_in_one_state_a_month() {
    // A comes every month, B pauses in February and March, C once in January, D in February and March; today is April.
    let case = Case::new(&orders(&[
        ("A", "2025-01-03"),
        ("A", "2025-01-09"),
        ("A", "2025-02-03"),
        ("A", "2025-03-03"),
        ("A", "2025-04-02"),
        ("B", "2025-01-31"),
        ("B", "2025-04-01"),
        ("C", "2025-01-15"),
        ("D", "2025-02-28"),
        ("D", "2025-03-01"),
        ("B", "2024-11-30"),
    ]));
    case.is(
        "states by month, state",
        &[
            "2024-11-01 | new | 1",
            "2024-12-01 | churned | 1",
            "2025-01-01 | new | 2",
            "2025-01-01 | resurrected | 1",
            "2025-02-01 | churned | 2",
            "2025-02-01 | new | 1",
            "2025-02-01 | retained | 1",
            "2025-03-01 | retained | 2",
        ],
    )
    .await;
    case.is(
        "states by month, came_from, state 2025-01..2025-03",
        &[
            "2025-01-01 | churned | resurrected | 1",
            "2025-01-01 | none | new | 2",
            "2025-02-01 | new | churned | 1",
            "2025-02-01 | new | retained | 1",
            "2025-02-01 | none | new | 1",
            "2025-02-01 | resurrected | churned | 1",
            "2025-03-01 | new | retained | 1",
            "2025-03-01 | retained | retained | 1",
        ],
    )
    .await;
    case.is(
        "states_active, states_new, states_retained, states_resurrected, states_churned, states_churn_rate, states_retention_rate by month 2025-01..2025-03",
        &[
            "2025-01-01 | 3 | 2 | 0 | 1 | 0 | - | -",
            "2025-02-01 | 2 | 1 | 1 | 0 | 2 | 0.666667 | 0.333333",
            "2025-03-01 | 2 | 0 | 2 | 0 | 0 | 0 | 1",
        ],
    )
    .await;
    case.is(
        "states_active by segment, month 2025-02",
        &["big | 2025-02-01 | 1", "- | 2025-02-01 | 1"],
    )
    .await;
    for on in &case.loaded {
        // A week later nobody has come yet, and nobody has left yet.
        let weeks = case
            .rows(
                "weekly_states_new, weekly_states_churned by week 2025-01-27..2025-02-09",
                on,
            )
            .await;
        assert_eq!(
            weeks,
            ["2025-01-27 | 0 | 0", "2025-02-03 | 0 | 1"],
            "{}",
            on.name
        );
    }
}

/// Orders of 10 on days, of people by letter.
fn orders(all: &[(&str, &str)]) -> String {
    let mut sql = "INSERT INTO people VALUES (0, 'big'); ".to_owned();
    for (id, (who, day)) in all.iter().enumerate() {
        let who = who.as_bytes()[0] - b'A';
        let market = MARKETS[usize::from(who % 2)];
        writeln!(
            sql,
            "INSERT INTO orders VALUES ({id}, {who}, '{market}', 'PAID', 10, '{day} 12:00:00');"
        )
        .unwrap();
    }
    sql
}

// Retention.

#[tokio::test]
async fn a_cohort_comes_again() {
    let case = Case::new(&orders(&[
        ("A", "2025-01-03"),
        ("A", "2025-01-09"),
        ("A", "2025-02-03"),
        ("A", "2025-03-03"),
        ("A", "2025-04-02"),
        ("B", "2025-01-31"),
        ("B", "2025-03-01"),
        ("C", "2025-01-15"),
        ("D", "2025-02-28"),
        ("E", "2025-03-01"),
    ]));
    case.is(
        "comeback, comeback_customers, comeback_size, comeback_value by month, age",
        &[
            "2025-01-01 | 0 | 1 | 3 | 3 | 13.333333",
            "2025-01-01 | 1 | 0.333333 | 1 | 3 | 3.333333",
            "2025-01-01 | 2 | 0.666667 | 2 | 3 | 6.666667",
            "2025-02-01 | 0 | 1 | 1 | 1 | 10",
            "2025-02-01 | 1 | 0 | 0 | 1 | 0",
            "2025-03-01 | 0 | 1 | 1 | 1 | 10",
        ],
    )
    .await;
    // The curve: of the five, all could be seen in their first month, four a month later, three two months later.
    case.is("comeback by age", &["0 | 1", "1 | 0.25", "2 | 0.666667"])
        .await;
    case.is(
        "comeback by market, age where age = 2",
        &["ID | 2 | 0.5", "TH | 2 | 1"],
    )
    .await;
    case.is(
        "comeback_customers by period.month, age where age > 0",
        &[
            "2025-02-01 | 1 | 1",
            "2025-03-01 | 1 | 0",
            "2025-03-01 | 2 | 2",
        ],
    )
    .await;
}

// Revenue.

/// The bridge of recurring revenue from one month to the next; net retention is (opening + expansion - contraction - churn)
/// over opening.
#[tokio::test]
async fn revenue_moves_from_opening_to_closing() {
    let ledger = [
        // January: 500; one account goes up, one down, one leaves, one is new; then it comes back.
        (1, "2025-01-01", 100.0),
        (2, "2025-01-01", 200.0),
        (3, "2025-01-01", 150.0),
        (4, "2025-01-01", 50.0),
        (1, "2025-02-01", 130.0),
        (2, "2025-02-01", 180.0),
        (3, "2025-02-01", 0.0),
        (4, "2025-02-01", 50.0),
        (5, "2025-02-01", 70.0),
        (1, "2025-03-01", 130.0),
        (2, "2025-03-01", 180.0),
        (3, "2025-03-01", 60.0),
        (5, "2025-03-01", 70.0),
    ];
    let mut sql = String::new();
    for (account, month, mrr) in ledger {
        writeln!(
            sql,
            "INSERT INTO ledger VALUES ({account}, '{month}', 'Pro', {mrr});"
        )
        .unwrap();
    }
    let case = Case::new(&sql);
    case.is(
        "mrr_moves_opening, mrr_moves_new, mrr_moves_won_back, mrr_moves_expansion, mrr_moves_contraction, mrr_moves_churned, mrr_moves_closing by month",
        &[
            "2025-01-01 | 0 | 500 | 0 | 0 | 0 | 0 | 500",
            "2025-02-01 | 500 | 70 | 0 | 30 | 20 | 150 | 430",
            "2025-03-01 | 430 | 0 | 60 | 0 | 0 | 50 | 440",
        ],
    )
    .await;
    case.is(
        "mrr_moves, mrr_moves_gross, mrr_moves_churn, mrr_moves_revenue_churn by month",
        &[
            "2025-01-01 | - | - | - | -",
            "2025-02-01 | 0.72 | 0.66 | 0.25 | 0.3",
            "2025-03-01 | 0.883721 | 0.883721 | 0.25 | 0.116279",
        ],
    )
    .await;
}

// Funnels.

#[tokio::test]
async fn steps_follow_each_other_within_a_limit() {
    let sql = "
      INSERT INTO contacts VALUES
        (1, 1, 'mail', 'ID', 1, '2025-02-01 08:00:00'), (2, 1, 'ads', 'ID', 1, '2025-02-02 08:00:00'),
        (3, 2, 'ads', 'ID', 1, '2025-02-01 08:00:00'),
        (4, 3, 'mail', 'TH', 1, '2025-02-01 08:00:00'), (5, 3, 'ads', 'TH', 1, '2025-02-20 08:00:00'),
        (6, 4, 'ads', 'TH', 1, '2025-02-10 08:00:00'), (7, 4, 'ads', 'TH', 1, '2025-03-10 08:00:00');
      INSERT INTO orders VALUES
        (1, 1, 'ID', 'PAID', 10, '2025-02-03 08:00:00'), (2, 1, 'ID', 'PAID', 10, '2025-02-11 08:00:00'),
        (3, 2, 'ID', 'CANCELLED', 10, '2025-02-02 08:00:00'),
        (4, 4, 'TH', 'PAID', 10, '2025-02-09 08:00:00'), (5, 4, 'TH', 'PAID', 10, '2025-03-11 08:00:00');";
    let case = Case::new(sql);
    // 1 goes all the way, the last step exactly at the limit; 2 clicks (its first contact is the click) and buys nothing;
    // 3 clicks too late; 4 buys before it clicks in February, and in March runs again.
    case.is(
        "path_reached, path, path_step_rate, path_days by step",
        &[
            "1 seen | 5 | 1 | 1 | 0",
            "2 clicked | 4 | 0.8 | 0.8 | 0.25",
            "3 bought | 2 | 0.4 | 0.5 | 1.5",
            "4 bought_again | 1 | 0.2 | 0.5 | 10",
        ],
    )
    .await;
    case.is(
        "path_reached by market, step where step in ('1 seen', '3 bought')",
        &[
            "ID | 1 seen | 2",
            "ID | 3 bought | 1",
            "TH | 1 seen | 3",
            "TH | 3 bought | 1",
        ],
    )
    .await;
    case.is(
        "path by month where step = '3 bought'",
        &["2025-02-01 | 0.25", "2025-03-01 | 1"],
    )
    .await;
}

// What is wrong in a file.

#[test]
fn mistakes_are_named_in_their_place() {
    let problem = |analysis: &str| {
        let (before, _) = YAML.split_once("analyses:").unwrap();
        let text = format!("{before}analyses:\n  it: {analysis}\n");
        let files = ProjectFiles {
            metrics: vec![ProjectFile {
                path: "metrics/a.yaml".into(),
                text,
            }],
            ..ProjectFiles::default()
        };
        let found = load(&files, &Config::default(), None).diagnostics;
        let found: Vec<String> = found.iter().map(|one| one.message.clone()).collect();
        found.join("; ")
    };
    let cases = [
        ("{}", "'it' does not say what it is"),
        (
            "{kind: lifecycle, activity: sold}",
            "lifecycle 'it' needs who",
        ),
        (
            "{kind: lifecycle, who: user_id}",
            "lifecycle 'it' needs activity",
        ),
        (
            "{kind: lifecycle, who: user_id, activity: sodl}",
            "unknown metric 'sodl'",
        ),
        (
            "{kind: lifecycle, who: user_id, activity: margin}",
            "'margin' has no rows of its own that could be followed",
        ),
        (
            "{kind: lifecycle, who: account, activity: recurring}",
            "'recurring' has snapshots, which are no events",
        ),
        (
            "{kind: lifecycle, who: person.segment, activity: sold}",
            "'person.segment' lies behind a join; an analysis reads the rows of orders alone",
        ),
        (
            "{kind: lifecycle, who: user_id, activity: sold, grain: day}",
            "periods of a day are too short",
        ),
        (
            "{kind: lifecycle, who: user_id, activity: sold, steps: {a: sold}}",
            "'steps' means nothing for lifecycle",
        ),
        (
            "{kind: funnel, who: user_id, steps: {a: sold}}",
            "a funnel has 2 to 9 steps; this one has 1",
        ),
        (
            "{kind: funnel, who: user_id, steps: {a: touches, b: sold}, within: 1 month}",
            "a month is not always as long",
        ),
        (
            "{kind: attribution, who: user_id, touches: touches, conversions: sales, channel: channel, ends: 0.6}",
            "0.6 is no share that both ends can have",
        ),
        (
            "{kind: attribution, who: user_id, touches: touches, conversions: sales, channel: channel, by: [channel]}",
            "'channel' is a dimension of this analysis already",
        ),
        (
            "{kind: attribution, who: user_id, touches: touches, conversions: sales, channel: channel, cost: sales}",
            "'sales' is counted in orders by placed_at, the contacts in contacts by seen_at",
        ),
    ];
    for (analysis, message) in cases {
        assert_eq!(problem(analysis), message, "{analysis}");
    }
}
