//! Dimensions without a metric: their distinct combinations, from the dataset that has them.
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
use support::shop::{Engine, registry};

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
        &["cup | drink", "fork | jaffle", "knife | jaffle"],
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
        ],
    );
}
