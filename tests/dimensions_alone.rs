//! Dimensions without a metric: their distinct combinations, and the smallest and largest value of each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/engines.rs"]
mod engines;
mod support;

use answers::{Answer, check, refused};
use support::shop::{Engine, registry, registry_of};

const ANSWERS: &[Answer] = &[
    // All values of the table that has the dimension, also those that no fact has.
    ("by market", &["BR", "TH", "-"]),
    ("by product_type", &["drink", "jaffle", "-"]),
    (
        "by segment, market",
        &["ENT | TH", "SMB | BR", "SMB | -", "- | BR"],
    ),
    (
        "by supply_name, product_type",
        &["cup | drink", "fork | jaffle", "knife | jaffle", "- | -"],
    ),
    // Of a joined table, also the values that no row leads to: users 8 and 9 have no order, products P3 no supply.
    ("by buyer.segment", &["ENT", "SMB", "-"]),
    (
        "by channel, buyer.segment",
        &[
            "ads | ENT",
            "ads | SMB",
            "it's | -",
            "organic | ENT",
            "organic | -",
            "- | ENT",
            "- | SMB",
            "- | -",
        ],
    ),
    // What an expression makes of the NULLs of a missing order is nobody's size.
    (
        "by size, buyer.segment",
        &[
            "large | SMB",
            "small | ENT",
            "small | -",
            "- | ENT",
            "- | SMB",
        ],
    ),
    (
        "by buyer.segment, seller.segment",
        &[
            "ENT | ENT",
            "ENT | SMB",
            "ENT | -",
            "SMB | SMB",
            "SMB | -",
            "- | ENT",
            "- | SMB",
            "- | -",
        ],
    ),
    // A condition on the orders leaves the users without one out; one on the users alone brings no row of theirs.
    ("by buyer.segment where status = CANCELLED", &["SMB"]),
    ("by channel where buyer.market = TH", &["ads", "organic"]),
    (
        "by buyer.segment, channel 2025-02",
        &["ENT | organic", "- | -"],
    ),
    ("by channel", &["ads", "it's", "organic", "-"]),
    ("by channel where status = CANCELLED", &["ads"]),
    (
        "by channel where orders per channel > 1",
        &["ads", "organic"],
    ),
    (
        "by created_at.month 2025",
        &["2025-01-01", "2025-02-01", "2025-04-01"],
    ),
    // The largest and the smallest.
    ("by paid_on order by paid_on desc limit 1", &["2025-04-02"]),
    ("by paid_on order by paid_on limit 1", &["2024-03-01"]),
    (
        "by market, segment limit 1 per market",
        &["BR | SMB", "TH | ENT", "- | SMB"],
    ),
];

/// The smallest and the largest value.
const RANGES: &[Answer] = &[
    ("range of paid_on", &["2024-03-01 | 2025-04-02"]),
    ("range of created_at.month", &["2024-02-01 | 2025-04-01"]),
    ("range of channel", &["ads | organic"]),
    ("range of weight", &["0.5 | 1.5"]),
    ("range of market, segment", &["BR | TH | ENT | SMB"]),
    (
        "range of paid_on by channel",
        &[
            "ads | 2024-03-01 | 2025-01-06",
            "it's | 2025-04-02 | 2025-04-02",
            "organic | 2025-03-01 | 2025-04-01",
            "- | 2025-02-10 | 2025-02-10",
        ],
    ),
    (
        "range of paid_on by channel order by paid_on_max desc limit 1",
        &["it's | 2025-04-02 | 2025-04-02"],
    ),
    (
        "range of paid_on where channel = organic",
        &["2025-03-01 | 2025-04-01"],
    ),
    // In a time range, of what was created in it.
    ("range of paid_on 2025-02", &["2025-02-10 | 2025-03-01"]),
    ("range of paid_on where channel = nothing", &["- | -"]),
];

/// Rows that have no key are told from missing ones too.
const WITHOUT_A_KEY: &str = "
datasets:
  log:
    table: orders
    time: created_at
    dimensions: {said: {expr: \"coalesce(channel, 'none')\"}}
    joins: {buyer: {to: users, on: user_id}}
  users: {table: users, key: user_id, dimensions: {segment: {}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn ranges_on_every_engine_equal_those_worked_out_by_hand() {
    check(&Engine::new(registry()), RANGES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_of_a_row_that_is_missing_has_no_value() {
    let rows = &[
        "ads | ENT",
        "ads | SMB",
        "it's | -",
        "none | -",
        "organic | ENT",
        "organic | -",
        "- | ENT",
        "- | SMB",
    ];
    let engine = Engine::new(registry_of(WITHOUT_A_KEY));
    check(&engine, &[("by said, buyer.segment", rows)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn combinations_on_every_engine_equal_those_worked_out_by_hand() {
    check(&Engine::new(registry()), ANSWERS).await;
}

#[test]
fn the_reasons_name_the_dataset_that_has_them() {
    let compiled = Engine::new(registry()).compile("by channel").unwrap();
    let texts: Vec<&str> = compiled
        .reasons
        .iter()
        .map(|reason| &*reason.text)
        .collect();
    assert!(texts[0].contains("as orders has them; ads"), "{texts:?}");
}

#[test]
fn what_no_dataset_has_is_refused_with_the_reason() {
    refused(
        &Engine::new(registry()),
        &[
            ("by month", "does not say which time"),
            ("by market 2025", "has no time dimension"),
            ("by supply_name, channel", "no dataset leads to all of"),
            ("by nonsense", "unknown dimension 'nonsense'"),
            ("by market 2025 vs previous year", "nothing to compare"),
            ("by market limit 1 with others", "nothing to add up"),
            ("where market = BR", "names no metric"),
            ("range of express", "has no smallest or largest value"),
            ("range of month", "does not say which time"),
            ("range of paid_on, paid_on", "stands twice"),
            ("range of paid_on vs previous year", "nothing to compare"),
            (
                "range of supply_name by channel",
                "no dataset leads to all of",
            ),
        ],
    );
}
