//! Dimensions that are a metric of each row of their dataset: orders of each buyer, the day of the first one.
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

use engines::everywhere;
use metrex::model::NoValues;
use support::shop::{Engine, registry_of, rows};

const TABLES: &str = "
CREATE TABLE buyers (buyer_id integer, name text);
INSERT INTO buyers VALUES (1, 'Ana'), (2, 'Budi'), (3, 'Chai');
CREATE TABLE orders (id integer, buyer_id integer, ordered date, amount integer);
INSERT INTO orders VALUES
  (1, 1, '2025-01-05', 10), (2, 1, '2025-02-10', 20), (3, 1, '2025-02-11', 5),
  (4, 2, '2025-02-01', 7), (5, NULL, '2025-02-03', 9), (6, 9, '2025-03-01', 1);
CREATE TABLE visits (id integer, buyer_id integer, visited date);
INSERT INTO visits VALUES (1, 1, '2025-01-01'), (2, 1, '2025-03-01'), (3, 3, '2025-03-02'), (4, NULL, '2025-03-03');
";

const REGISTRY: &str = "
datasets:
  buyers:
    table: buyers
    key: buyer_id
    dimensions:
      name: {}
      lifetime_orders: {metric: orders per buyer_id}
      first_order: {metric: first_order per buyer_id, type: date}
      average: {metric: aov per buyer_id}
      came: {metric: Came per buyer_id}
      loyal_gmv: {metric: loyal_gmv per buyer_id}
  orders:
    table: orders
    key: id
    time: ordered
    dimensions: {ordered: {type: date}, buyer_id: {type: number}}
    joins: {buyer: {to: buyers, on: buyer_id}}
  visits:
    table: visits
    time: visited
    dimensions: {visited: {type: date}, buyer_id: {type: number}}
    joins: {buyer: {to: buyers, on: buyer_id}}
metrics:
  orders: {base_table: orders, agg: count}
  gmv: {base_table: orders, agg: sum, expr: amount}
  aov: {expr: gmv / orders}
  active: {base_table: orders, agg: count_distinct, expr: buyer_id}
  first_order: {base_table: orders, agg: min, expr: ordered}
  loyal_gmv: {base_table: orders, agg: sum, expr: amount, filters: [buyer.lifetime_orders > 1]}
  buyers: {base_table: buyers, agg: count}
  orders_per_buyer: {base_table: buyers, agg: avg, expr: lifetime_orders}
  visits: {base_table: visits, agg: count}
  Came: {base_table: visits, agg: count}
";

const ANSWERS: &[(&str, &[&str])] = &[
    // A buyer without orders has 0 of them.
    ("buyers by lifetime_orders", &["0 | 1", "1 | 1", "3 | 1"]),
    ("buyers where lifetime_orders > 1", &["1"]),
    ("by lifetime_orders", &["0", "1", "3"]),
    // Orders of nobody, or of a buyer who is not in the table, are of no such buyer.
    ("gmv by lifetime_orders", &["1 | 7", "3 | 35", "- | 10"]),
    // It is what the buyer is, whatever the time that is asked for.
    ("gmv by lifetime_orders 2025-01", &["3 | 10"]),
    ("gmv where first_order < 2025-02-01 2025-02", &["25"]),
    // Cohorts: buyers by the month of their first order, and the month in which they came.
    (
        "active by first_order.month, month",
        &[
            "2025-01-01 | 2025-01-01 | 1",
            "2025-01-01 | 2025-02-01 | 1",
            "2025-02-01 | 2025-02-01 | 1",
            "- | 2025-02-01 | 0",
            "- | 2025-03-01 | 1",
        ],
    ),
    // From another fact; rows are never multiplied.
    ("visits by lifetime_orders", &["0 | 1", "3 | 2", "- | 1"]),
    (
        "gmv, visits by lifetime_orders",
        &["0 | - | 1", "1 | 7 | 0", "3 | 35 | 2", "- | 10 | 1"],
    ),
    ("orders by average", &["7 | 1", "11.666666667 | 3", "- | 2"]),
    // As a number that is added up or averaged itself, and in the definition of another metric.
    ("orders_per_buyer", &["1.333333333"]),
    // A name with a capital letter.
    ("buyers by came", &["0 | 1", "1 | 1", "2 | 1"]),
    ("loyal_gmv", &["35"]),
    ("loyal_gmv by name", &["Ana | 35"]),
    ("buyers by loyal_gmv", &["35 | 1", "- | 2"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn rows_on_every_engine_equal_those_worked_out_by_hand() {
    let engine = Engine::new(registry_of(REGISTRY));
    for loaded in everywhere(TABLES) {
        let dialect = loaded.warehouse.dialect();
        for (line, expected) in ANSWERS {
            let compiled = engine.compile_with(line, dialect, &NoValues).unwrap();
            let found = rows(&loaded.warehouse, &compiled.main).await;
            assert_eq!(
                found, *expected,
                "{}: {line}\n{}",
                loaded.name, compiled.main.sql
            );
        }
    }
}

#[test]
fn the_reasons_say_what_the_dimension_is() {
    let engine = Engine::new(registry_of(REGISTRY));
    let reasons = engine.compile("gmv by lifetime_orders").unwrap().reasons;
    assert!(
        reasons
            .iter()
            .any(|reason| reason.text == "lifetime_orders is orders per buyer_id, over all time")
    );
}

#[test]
fn a_metric_of_itself_and_a_wrong_type_are_refused() {
    let circle = REGISTRY.replace(
        "orders: {base_table: orders, agg: count}",
        "orders: {base_table: orders, agg: count, filters: [buyer.lifetime_orders > 1]}",
    );
    let refused = |yaml: &str, line: &str| {
        let engine = Engine::new(registry_of(yaml));
        engine.compile(line).unwrap_err()
    };
    let error = refused(&circle, "buyers by lifetime_orders");
    assert!(
        error.message.contains("part of its own definition"),
        "{error}"
    );
    let number = REGISTRY.replace(", type: date}\n      average", "}\n      average");
    let error = refused(&number, "buyers by first_order");
    assert_eq!(error.hint.as_deref(), Some("write type: date"), "{error}");
}
