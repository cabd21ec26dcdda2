//! Every metric knows over what it adds up, and says why not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::compile::{Additivity, additivity, reading};
use metrex::model::Registry;
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};

const BASE: &str = "
datasets:
  orders: {table: orders, key: order_id, time: created_at, dimensions: {market: {}}}
  balances: {table: balances, time: snapshot_on, dimensions: {account_id: {}}}
  visits: {table: visits, time: visited_at, dimensions: {user_id: {}}}
metrics:
  gmv: {base_table: orders, agg: sum, expr: amount, label: GMV}
  refunds: {base_table: orders, agg: sum, expr: refund}
  refunds0: {base_table: orders, agg: sum, expr: refund, fill: 0}
  orders: {base_table: orders, agg: count}
  big: {base_table: orders, agg: sum_boolean, expr: amount > 100}
  buyers: {base_table: orders, agg: count_distinct, expr: user_id, label: Buyers}
  visits: {base_table: visits, agg: count, label: Visits}
  balance: {base_table: balances, agg: sum, expr: amount, last_by: {per: account_id}}
";

fn registry(metric: &str) -> Registry {
    let files = ProjectFiles {
        metrics: vec![
            ProjectFile {
                path: "metrics/a.yaml".into(),
                text: BASE.into(),
            },
            ProjectFile {
                path: "metrics/b.yaml".into(),
                text: format!("m: {{{metric}}}"),
            },
        ],
        snippets: vec![ProjectFile {
            path: "snippets/net.sql".into(),
            text: "select 1".into(),
        }],
        ..ProjectFiles::default()
    };
    let loaded = load(&files, &Config::default(), None);
    assert_eq!(loaded.diagnostics, [], "{metric}");
    loaded.registry
}

fn of(metric: &str) -> Additivity {
    let registry = registry(metric);
    additivity(&registry, registry.metric("m").unwrap())
}

#[track_caller]
fn does_not(metric: &str, reason: &str) {
    match of(metric) {
        Additivity::NonAdditive { why } => assert!(why.contains(reason), "{metric}: {why}"),
        other => panic!("{metric}: {other:?}"),
    }
}

#[test]
fn sums_and_counts_add_up_and_linear_combinations_of_them() {
    for metric in [
        "base_table: orders, agg: sum, expr: amount",
        "base_table: orders, agg: count",
        "base_table: orders, agg: sum_boolean, expr: amount > 1",
        "base_table: orders, agg: sum, expr: amount, fill: 0",
        "expr: gmv / 1000",
        "expr: -(gmv * 1.1)",
        "expr: gmv - 0.1 * gmv",
        "expr: orders + big - visits",
        "expr: \"coalesce(gmv, 0) - coalesce(refunds, 0)\"",
        "expr: orders - refunds0",
        "entity: user_id, base: visits, conversion: orders, result: count",
        "expr: br * 2, inputs: {br: {metric: gmv, filters: [market = 'BR'], offset: 1 year}}",
    ] {
        assert_eq!(of(metric), Additivity::Additive, "{metric}");
    }
}

#[test]
fn snapshots_and_accumulation_do_not_add_up_over_time() {
    for (metric, over) in [
        (
            "base_table: balances, agg: sum, expr: amount, last_by: {}",
            "snapshot_on",
        ),
        (
            "base_table: balances, agg: count, over_time: {take: first}",
            "snapshot_on",
        ),
        ("expr: balance / 100", "snapshot_on"),
        ("of: gmv, window: quarter_to_date", "created_at"),
        (
            "base_table: visits, agg: count, window: 7 days",
            "visited_at",
        ),
    ] {
        match of(metric) {
            Additivity::SemiAdditive { time, .. } => assert_eq!(time, over, "{metric}"),
            other => panic!("{metric}: {other:?}"),
        }
    }
    let registry = registry("of: orders, window: 7 days");
    assert_eq!(
        additivity(&registry, registry.metric("m").unwrap()).sentence(),
        "adds up over every dimension but created_at: each period takes in those before it"
    );
}

#[test]
fn everything_else_does_not_and_says_why() {
    for (metric, why) in [
        (
            "base_table: orders, agg: count_distinct, expr: user_id",
            "in several groups",
        ),
        ("base_table: orders, agg: avg, expr: a", "weigh more"),
        ("base_table: orders, agg: max, expr: a", "one of the values"),
        (
            "base_table: orders, agg: median, expr: a",
            "order of all values",
        ),
        ("base_table: orders, agg: stddev, expr: a", "far all values"),
        (
            "base_table: orders, agg: sum, expr: a, fill: 5",
            "count as 5",
        ),
        (
            "base_table: orders, numerator: {agg: count}, denominator: {agg: count}",
            "own denominator",
        ),
        ("expr: gmv / orders", "own denominator"),
        ("expr: gmv * orders", "multiplied"),
        ("expr: gmv + 1", "number is added"),
        ("expr: buyers * 2", "buyers does not: the same value"),
        ("expr: \"round(gmv, 2)\"", "more than sums"),
        // A sum of no rows is NULL, and NULL minus anything is NULL: 10 - NULL and 5 - 2 do not make 15 - 2.
        ("expr: gmv - refunds", "fill: 0"),
        (
            "base_table: balances, agg: sum, expr: a, over_time: {take: avg}",
            "own figure over snapshot_on",
        ),
        ("of: buyers, window: 28 days", "in several groups"),
        (
            "of: gmv, window: 28 days, at_coarser_grain: average",
            "averaged",
        ),
        (
            "entity: user_id, base: visits, conversion: orders",
            "own base",
        ),
        (
            "entity: user_id, base: visits, conversion: buyers, result: count",
            "in several groups",
        ),
        ("snippet: net.sql", "SQL by hand"),
    ] {
        does_not(metric, why);
    }
}

#[test]
fn every_kind_is_read_aloud() {
    for (metric, text) in [
        (
            "expr: now / ago - 1, inputs: {now: gmv, ago: {metric: gmv, offset: 1 year, filters: [a = 1, b = 2]}}",
            "now / ago - 1 (now is GMV, ago is GMV 1 year before where a = 1 and b = 2)",
        ),
        (
            "numerator: orders, denominator: {metric: visits, offset: {to: month}}",
            "numerator / denominator (numerator is orders, denominator is Visits at the start of the month)",
        ),
        (
            "of: gmv, window: quarter_to_date",
            "GMV, accumulated: since the start of the quarter, at each point in time",
        ),
        (
            "base_table: orders, agg: count_distinct, expr: user_id, cumulative: {window: 28 days, at_coarser_grain: average}",
            "number of different user_id over orders, accumulated: of the last 28 days, at each point in time, of a longer period the mean of its days",
        ),
        (
            "entity: user_id, base: visits, conversion: buyers, within: 1 week, same: {product: product_id, market: market}",
            "share of Visits that are followed by Buyers of the same user_id within 1 week, with the same product (there product_id) and market",
        ),
        (
            "base_table: balances, agg: sum, expr: amount, filters: [open = 1], last_by: {per: account_id, carry_forward: true}, every_period: true",
            "sum of amount over balances where open = 1, taking the last snapshot by snapshot_on of each account_id, or of the period before where there is none, with a row for every period",
        ),
        (
            "base_table: balances, agg: count, over_time: {take: max}, fill: 0",
            "number of rows over balances, the largest of its snapshots by snapshot_on, 0 where there are no rows",
        ),
    ] {
        let registry = registry(metric);
        assert_eq!(reading(&registry, registry.metric("m").unwrap()), text);
    }
}
