//! Analyses: lifecycle, retention, revenue and funnels, on every engine, against numbers computed another way.
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

use std::collections::BTreeMap;
use std::fmt::Write;

use analysed::{Case, Dice, MARKETS, YAML};
use metrex::model::NoValues;
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::warehouse::Dialect;

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
    // Asked for by itself, a number is shown by what it does not add up over.
    for (line, by) in [
        ("credit", "method"),
        ("states", "month, state"),
        ("comeback", "age"),
        ("path", "step"),
        ("mrr_moves", "month"),
    ] {
        let compiled = case.engine.compile(line).unwrap();
        assert!(
            compiled
                .query
                .to_string()
                .starts_with(&format!("{line} by {by}")),
            "{}",
            compiled.query
        );
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

/// The worked example of MetricKit's guide to net revenue retention (metrickittools.com/guides/nrr-guide, and The Prime
/// Calculator's page of the formula): 100,000 to begin with, 15,000 more, 5,000 less, 8,000 lost are 102%; without the
/// 15,000, 87%.
#[tokio::test]
async fn net_revenue_retention_as_published() {
    let case = Case::new(
        "INSERT INTO ledger VALUES
           (1, '2025-01-01', 'Pro', 40000), (2, '2025-01-01', 'Pro', 30000), (3, '2025-01-01', 'Pro', 8000), (4, '2025-01-01', 'Pro', 22000),
           (1, '2025-02-01', 'Pro', 55000), (2, '2025-02-01', 'Pro', 25000), (4, '2025-02-01', 'Pro', 22000), (5, '2025-02-01', 'Pro', 9000);",
    );
    case.is(
        "mrr_moves, mrr_moves_gross, mrr_moves_churn, mrr_moves_revenue_churn by month 2025-02",
        &["2025-02-01 | 1.02 | 0.87 | 0.25 | 0.08"],
    )
    .await;
}

/// The last month counts though nobody pays in it any more; nothing and less than nothing is no payment.
#[tokio::test]
async fn all_of_them_leave() {
    let case = Case::new(
        "INSERT INTO ledger VALUES
           (1, '2025-01-01', 'Pro', 100), (2, '2025-01-01', 'Pro', 50), (3, '2025-01-01', 'Pro', -20),
           (1, '2025-02-01', 'Pro', 0), (2, '2025-02-01', 'Pro', -50), (3, '2025-02-01', 'Pro', NULL);",
    );
    case.is(
        "mrr_moves, mrr_moves_gross, mrr_moves_churn, mrr_moves_opening, mrr_moves_churned, mrr_moves_closing by month",
        &["2025-01-01 | - | - | - | 0 | 0 | 150", "2025-02-01 | 0 | 0 | 1 | 150 | 150 | 0"],
    )
    .await;
    Case::new("")
        .is("mrr_moves, mrr_moves_closing by month", &[])
        .await;
}

/// The last snapshot of a quarter is the same one for the metric and for what is made of it, with and without its filter.
#[tokio::test]
async fn the_last_snapshot_is_that_of_the_metric() {
    let case = Case::with(
        "  pro: {base_table: ledger, agg: sum, expr: mrr, filters: [\"plan = 'Pro'\"], last_by: {time: month_start}}\n",
        "  pro_moves: {kind: revenue, revenue: pro, who: account, grain: quarter}\n  all_moves: {kind: revenue, revenue: recurring, who: account, grain: quarter}\n",
        "INSERT INTO ledger VALUES
           (1, '2024-10-01', 'Pro', 10), (2, '2024-12-01', 'Pro', 20), (1, '2024-12-01', 'Pro', 11),
           (1, '2025-01-01', 'Pro', 12), (2, '2025-02-01', 'Pro', 20), (1, '2025-03-01', 'Basic', 5);",
    );
    for on in &case.loaded {
        for (metric, closing) in [
            ("pro", "pro_moves_closing"),
            ("recurring", "all_moves_closing"),
        ] {
            let metric = case.rows(&format!("{metric} by quarter"), on).await;
            let closing = case.rows(&format!("{closing} by quarter"), on).await;
            let known = |rows: Vec<String>| -> Vec<String> {
                rows.into_iter()
                    .filter(|row| !row.ends_with("| -") && !row.ends_with("| 0"))
                    .collect()
            };
            assert_eq!(known(closing), known(metric), "{}", on.name);
        }
    }
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

/// The example of Apache Doris for WINDOW_FUNNEL (doris.apache.org, SQL functions): within 5 minutes, two get to the third
/// step, two to the second, and nobody to the payment that comes 9 minutes after the login.
#[tokio::test]
async fn a_funnel_as_published() {
    let stages = ["login", "visit", "order", "payment"];
    let mut metrics = String::new();
    for stage in stages {
        writeln!(
            metrics,
            "  {stage}s: {{base_table: contacts, agg: count, filters: [\"medium = '{stage}'\"]}}"
        )
        .unwrap();
    }
    let events = [
        (
            100_123,
            "14",
            ["10:01", "10:02", "10:04", "10:10"].as_slice(),
        ),
        (100_125, "15", &["11:00", "11:01", "11:02"]),
        (100_126, "15", &["12:00", "12:01"]),
        (100_127, "15", &["11:30", "11:31"]),
    ];
    let mut sql = String::new();
    for (who, day, times) in events {
        for (stage, time) in stages.iter().zip(times) {
            writeln!(sql, "INSERT INTO contacts VALUES (1, {who}, '{stage}', 'ID', 0, '2022-05-{day} {time}:00');").unwrap();
        }
    }
    let funnel = |within: &str| {
        format!(
            "  checkout: {{kind: funnel, who: user_id, steps: {{login: logins, visit: visits, order: orders, payment: payments}}, within: {within}}}\n"
        )
    };
    let five = Case::with(&metrics, &funnel("5 minutes"), &sql);
    five.is(
        "checkout_reached by step",
        &["1 login | 4", "2 visit | 4", "3 order | 2", "4 payment | 0"],
    )
    .await;
    let hour = Case::with(&metrics, &funnel("1 hour"), &sql);
    hour.is(
        "checkout_reached, checkout by step",
        &[
            "1 login | 4 | 1",
            "2 visit | 4 | 1",
            "3 order | 2 | 0.5",
            "4 payment | 1 | 0.25",
        ],
    )
    .await;
}

/// No event counts for two steps of its metric, and two events at the same moment are two.
#[tokio::test]
async fn steps_at_the_same_moment() {
    let again = "  again: {kind: funnel, who: user_id, steps: {seen: touches, bought: sold, seen_again: touches, bought_again: sold}, within: 10 days}\n";
    let case = Case::with(
        "",
        again,
        "INSERT INTO contacts VALUES
           (1, 1, 'ads', 'ID', 1, '2025-02-01 08:00:00'),
           (2, 2, 'ads', 'ID', 1, '2025-02-01 08:00:00'), (3, 2, 'mail', 'TH', 1, '2025-02-01 08:00:00'),
           (4, 3, 'ads', 'ID', 1, '2025-02-01 08:00:00');
         INSERT INTO orders VALUES
           (1, 1, 'ID', 'PAID', 10, '2025-02-01 08:00:00'),
           (2, 2, 'ID', 'PAID', 10, '2025-02-01 08:00:00'), (3, 2, 'ID', 'PAID', 10, '2025-02-01 08:00:00'),
           (4, 3, 'ID', 'PAID', 10, '2025-02-02 08:00:00'), (5, 3, 'ID', 'PAID', 10, '2025-02-02 08:00:00');",
    );
    case.is(
        "again_reached by step",
        &[
            "1 seen | 3",
            "2 bought | 3",
            "3 seen_again | 1",
            "4 bought_again | 1",
        ],
    )
    .await;
    case.is(
        "path_reached by step",
        &[
            "1 seen | 3",
            "2 clicked | 3",
            "3 bought | 3",
            "4 bought_again | 2",
        ],
    )
    .await;
}

// All of them, against numbers that are computed from the definitions here.

const FIRST: i64 = 2024 * 12 + 8;

fn month(number: i64) -> String {
    format!("{}-{:02}-01", number / 12, number % 12 + 1)
}

#[tokio::test]
async fn random_customers() {
    for seed in [3, 11, 2025] {
        let mut dice = Dice(seed);
        let mut sql = String::new();
        // Months of each customer with an order, and what was ordered; from September 2024 to March 2025.
        let mut bought: BTreeMap<u64, BTreeMap<i64, f64>> = BTreeMap::new();
        let mut paid: BTreeMap<u64, BTreeMap<i64, f64>> = BTreeMap::new();
        for id in 0..90 {
            let (who, at) = (dice.below(20), FIRST + dice.below(7) as i64);
            let amount = (1 + dice.below(100)) as f64 / 4.0;
            let (start, day) = (month(at), 1 + dice.below(28));
            let start = start.trim_end_matches("01");
            writeln!(sql, "INSERT INTO orders VALUES ({id}, {who}, 'ID', 'PAID', {amount}, '{start}{day:02} 10:00:00');").unwrap();
            *bought.entry(who).or_default().entry(at).or_insert(0.0) += amount;
        }
        for account in 0..15 {
            for at in FIRST..FIRST + 7 {
                // Gone, nothing, or one of a few prices.
                let price =
                    [None, Some(0.0), Some(10.0), Some(20.0), Some(30.0)][dice.below(5) as usize];
                let Some(price) = price else { continue };
                writeln!(
                    sql,
                    "INSERT INTO ledger VALUES ({account}, '{}', 'Pro', {price});",
                    month(at)
                )
                .unwrap();
                paid.entry(account).or_default().insert(at, price);
            }
        }
        let case = Case::new(&sql);
        let last = bought
            .values()
            .flat_map(|months| months.keys())
            .max()
            .unwrap();
        let state = |months: &BTreeMap<i64, f64>, at: i64| {
            let first = *months.keys().next().unwrap();
            let (here, before) = (months.contains_key(&at), months.contains_key(&(at - 1)));
            match (here, before) {
                (true, _) if at == first => "new",
                (true, true) => "retained",
                (true, false) => "resurrected",
                (false, true) => "churned",
                (false, false) if at < first => "none",
                (false, false) => "dormant",
            }
        };
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        let mut triangle: BTreeMap<(i64, i64), (u64, f64)> = BTreeMap::new();
        let mut sizes: BTreeMap<i64, u64> = BTreeMap::new();
        for months in bought.values() {
            let first = *months.keys().next().unwrap();
            *sizes.entry(first).or_default() += 1;
            for at in FIRST..=*last {
                let now = state(months, at);
                if !["none", "dormant"].contains(&now) {
                    let from = state(months, at - 1);
                    *states
                        .entry(format!("{} | {from} | {now}", month(at)))
                        .or_default() += 1;
                }
                if at >= first {
                    let cell = triangle.entry((first, at - first)).or_default();
                    cell.0 += u64::from(months.contains_key(&at));
                    cell.1 += months.get(&at).copied().unwrap_or(0.0);
                }
            }
        }
        let wanted: Vec<String> = states
            .iter()
            .map(|(key, count)| format!("{key} | {count}"))
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        case.is("states by month, came_from, state", &wanted).await;
        let wanted: Vec<String> = triangle
            .iter()
            .map(|((first, age), (active, amount))| {
                let size = sizes[first];
                let short = |number: f64| ((number * 1e6).round() / 1e6).to_string();
                format!(
                    "{} | {age} | {} | {active} | {size} | {}",
                    month(*first),
                    short(*active as f64 / size as f64),
                    short(amount / size as f64)
                )
            })
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        case.is(
            "comeback, comeback_customers, comeback_size, comeback_value by month, age",
            &wanted,
        )
        .await;

        let pays = |account: &u64, at: i64| paid[account].get(&at).copied().unwrap_or(0.0);
        let mut moves = Vec::new();
        for at in FIRST..FIRST + 7 {
            let [
                mut opening,
                mut new,
                mut back,
                mut more,
                mut less,
                mut gone,
                mut closing,
            ] = [0.0; 7];
            for account in paid.keys() {
                let (before, now) = (pays(account, at - 1), pays(account, at));
                opening += before;
                closing += now;
                match (before > 0.0, now > 0.0) {
                    (true, true) if now > before => more += now - before,
                    (true, true) => less += before - now,
                    (true, false) => gone += before,
                    (false, _) if (FIRST..at).all(|at| pays(account, at) == 0.0) => new += now,
                    (false, _) => back += now,
                }
            }
            assert!((opening + new + back + more - less - gone - closing).abs() < 1e-9);
            moves.push(format!(
                "{} | {opening} | {new} | {back} | {more} | {less} | {gone} | {closing}",
                month(at)
            ));
        }
        let wanted: Vec<&str> = moves.iter().map(String::as_str).collect();
        case.is("mrr_moves_opening, mrr_moves_new, mrr_moves_won_back, mrr_moves_expansion, mrr_moves_contraction, mrr_moves_churned, mrr_moves_closing by month", &wanted).await;
    }
}

/// How many steps can be taken from a first contact: every choice of events is tried.
fn steps_from(
    at: u64,
    step: usize,
    taken: Option<usize>,
    limit: u64,
    clicks: &[u64],
    bought: &[u64],
) -> usize {
    let events = match step {
        2 => clicks,
        3 | 4 => bought,
        _ => return step - 1,
    };
    let can = events
        .iter()
        .enumerate()
        .filter(|(id, time)| **time >= at && **time <= limit && (step != 4 || Some(*id) != taken));
    let furthest =
        can.map(|(id, time)| steps_from(*time, step + 1, Some(id), limit, clicks, bought));
    furthest.max().unwrap_or(step - 1)
}

#[tokio::test]
async fn random_funnels() {
    for seed in [5, 8] {
        let mut dice = Dice(seed);
        let mut sql = String::new();
        let mut wanted = [0; 5];
        for who in 0..40 {
            let (mut seen, mut clicks, mut bought) = (Vec::new(), Vec::new(), Vec::new());
            // Half days of February, so that many things happen at once.
            let at = |half: u64| format!("2025-02-{:02} {:02}:00:00", 1 + half / 2, half % 2 * 12);
            for id in 0..dice.below(6) {
                let half = dice.below(40);
                let is_click = dice.below(2) == 0;
                let channel = if is_click { "ads" } else { "mail" };
                writeln!(
                    sql,
                    "INSERT INTO contacts VALUES ({id}, {who}, '{channel}', 'ID', 0, '{}');",
                    at(half)
                )
                .unwrap();
                seen.push(half);
                if is_click {
                    clicks.push(half);
                }
            }
            for id in 0..dice.below(5) {
                let half = dice.below(40);
                writeln!(
                    sql,
                    "INSERT INTO orders VALUES ({id}, {who}, 'ID', 'PAID', 1, '{}');",
                    at(half)
                )
                .unwrap();
                bought.push(half);
            }
            if let Some(first) = seen.iter().min() {
                let furthest = steps_from(*first, 2, None, first + 20, &clicks, &bought);
                wanted[..furthest].iter_mut().for_each(|count| *count += 1);
            }
        }
        let case = Case::new(&sql);
        let names = ["1 seen", "2 clicked", "3 bought", "4 bought_again"];
        let wanted: Vec<String> = names
            .iter()
            .zip(wanted)
            .map(|(name, count)| format!("{name} | {count}"))
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        case.is("path_reached by step", &wanted).await;
    }
}

// What is wrong in a file.

#[test]
fn mistakes_are_named_in_their_place() {
    let problem = |analysis: &str| {
        let (before, _) = YAML.split_once("analyses:").unwrap();
        let so_far = "  so_far: {base_table: orders, agg: count, window: 28 days}";
        let text = format!("{before}{so_far}\nanalyses:\n  it: {analysis}\n");
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
            "{kind: lifecycle, who: user_id, activity: so_far}",
            "'so_far' has no rows of its own that could be followed",
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
