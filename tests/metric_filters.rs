//! Conditions on a metric of each value of a dimension, which the result need not be grouped by.
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
    // Revenue by market of the buyer: BR 125, TH 50, none 12.
    ("all_orders where revenue per buyer.market > 100", &["3"]),
    (
        "all_orders by channel where revenue per buyer.market between 40 and 100",
        &["ads | 1", "organic | 1"],
    ),
    (
        "all_orders by channel where orders per channel > 1",
        &["ads | 3", "organic | 2"],
    ),
    // A count is 0 where there is nothing to count; rows without a channel have no such figure.
    (
        "all_orders by channel where brazilian_orders per channel = 0",
        &["it's | 1", "organic | 2"],
    ),
    // In the time range of the query.
    (
        "all_orders by channel where revenue per channel > 5 2025-02",
        &["organic | 1"],
    ),
    // Whatever else the query is restricted to.
    (
        "all_orders where revenue per channel > 100 and status = CANCELLED",
        &["1"],
    ),
    (
        "all_orders where revenue per channel > 100 or channel = organic",
        &["5"],
    ),
    ("all_orders where not (revenue per channel > 100)", &["3"]),
    // The rows of another dataset are not multiplied.
    ("quantity where revenue per channel > 100", &["4"]),
    (
        "quantity, all_orders where revenue per channel > 100",
        &["4 | 3"],
    ),
    // A ratio of each value: 70, 7, 7.5.
    (
        "all_orders by channel where aov per channel < 10",
        &["it's | 1", "organic | 2"],
    ),
    // The compared range has figures of its own: in February no channel is above 50.
    (
        "all_orders where revenue per channel > 50 2025-01 vs 2025-02",
        &["2 | 0 | 2 | -"],
    ),
];

/// The metric is taken per a path of its own dataset, which ends in what the rows have themselves.
const OF_PEOPLE: &str = "
datasets:
  orders:
    table: orders
    key: order_id
    entity: order
    time: created_at
    dimensions: {user_id: {type: number}}
    joins: {buyer: {to: users, on: user_id}}
  users: {table: users, key: user_id, dimensions: {user_id: {type: number}, market: {}}}
metrics:
  orders: {base_table: orders, agg: count}
  people: {base_table: users, agg: count}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_the_counted_rows_leads_to_the_entity_that_others_have() {
    let engine = Engine::new(registry_of(OF_PEOPLE));
    let answers: &[Answer] = &[
        ("people where orders per buyer.user_id > 1", &["2"]),
        ("people where orders per order.user_id > 1", &["2"]),
        (
            "people by market where orders per buyer.user_id = 0",
            &["TH | 1", "- | 1"],
        ),
    ];
    check(&engine, answers).await;
    refused(
        &engine,
        &[(
            "people where orders per buyer.market > 1",
            "'buyer.market' cannot be used with users",
        )],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_on_every_engine_equal_those_worked_out_by_hand() {
    check(&Engine::new(registry()), ANSWERS).await;
}

#[test]
fn what_cannot_be_reached_is_refused_with_the_reason() {
    let engine = Engine::new(registry());
    refused(
        &engine,
        &[
            (
                "accounts where revenue per channel > 1",
                "'channel' cannot be used with balances",
            ),
            (
                "all_orders where revenue per supply_name > 1",
                "'supply_name' cannot be used with orders",
            ),
            (
                "all_orders where nothing per channel > 1",
                "unknown metric 'nothing'",
            ),
            (
                "all_orders where revenue per channel like 'a%'",
                "has no pattern",
            ),
            ("all_orders where revenue per channel > few", "not a number"),
        ],
    );
    let compiled = engine
        .compile("all_orders where revenue per channel > 1 2025-02")
        .unwrap();
    let texts: Vec<&str> = compiled
        .reasons
        .iter()
        .map(|reason| &*reason.text)
        .collect();
    assert!(
        texts
            .iter()
            .any(|text| text.contains("the other conditions do not restrict it")),
        "{texts:?}"
    );
}
