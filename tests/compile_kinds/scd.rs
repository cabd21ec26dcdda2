//! Rows that hold for a time: a fact is joined with the row that held when it happened.

use crate::world::World;

/// Person 1 changes teams with the first of February, person 2 comes on 15 January and leaves with the first of March.
const TABLES: &str = "
CREATE TABLE people (person_id integer, team text, from_date date, to_date date);
INSERT INTO people VALUES
  (1, 'blue', '2025-01-01', '2025-02-01'), (1, 'red', '2025-02-01', NULL), (2, 'blue', '2025-01-15', '2025-03-01');
CREATE TABLE orders (order_id integer, seller_id integer, sold_at timestamp, amount integer);
INSERT INTO orders VALUES
  (1, 1, '2025-01-31 23:59:59', 10), (2, 1, '2025-02-01 00:00:00', 20), (3, 2, '2025-01-10 00:00:00', 5),
  (4, 2, '2025-01-15 00:00:00', 7), (5, 2, '2025-03-01 00:00:00', 9), (6, 1, NULL, 3), (7, 3, '2025-02-05 12:00:00', 4);
CREATE TABLE items (order_id integer, shipped_on date, qty integer);
INSERT INTO items VALUES (1, '2025-02-10', 2), (4, '2025-01-20', 1);
CREATE TABLE notes (order_id integer);
INSERT INTO notes VALUES (1);
";

const REGISTRY: &str = "
datasets:
  people: {table: people, key: person_id, valid: [from_date, to_date], dimensions: {team: {}}}
  orders:
    table: orders
    key: order_id
    time: sold_at
    dimensions: {sold_at: {type: time}}
    joins: {seller: {to: people, on: seller_id}}
  items:
    table: items
    time: shipped_on
    dimensions: {shipped_on: {type: date}}
    joins: {order: {to: orders, on: order_id}}
  notes: {table: notes, joins: {order: {to: orders, on: order_id}}}
metrics:
  sales: {base_table: orders, agg: sum, expr: amount}
  blue_sales: {base_table: orders, agg: sum, expr: amount, filters: [\"seller.team = 'blue'\"]}
  quantity: {base_table: items, agg: sum, expr: qty}
  notes: {base_table: notes, agg: count}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_is_joined_with_the_row_that_held_when_it_happened() {
    let world = World::new(TABLES, REGISTRY);
    world
        .answers(&[
            // The first instant of a row is its own, the one of its end is not; no row, no time and no person are NULL.
            ("sales by seller.team", &["blue | 17", "red | 20", "- | 21"]),
            ("sales", &["58"]),
            ("sales where team = blue", &["17"]),
            ("blue_sales", &["17"]),
            ("sales by team 2025-02", &["red | 20", "- | 4"]),
            (
                "sales by team 2025-02 vs previous period",
                &[
                    "blue | - | 17 | - | -",
                    "red | 20 | - | - | -",
                    "- | 4 | 5 | -1 | -0.2",
                ],
            ),
            // Through another table it is still the time of the base.
            ("quantity by team", &["blue | 1", "red | 2"]),
            ("quantity where team = red", &["2"]),
            ("notes by order.sold_at.month", &["2025-01-01 | 1"]),
        ])
        .await;
    // Without a metric too, also where every value of the other table is wanted.
    let held = [
        "2025-01-01 | blue",
        "2025-01-01 | -",
        "2025-02-01 | red",
        "2025-02-01 | -",
        "2025-03-01 | -",
        "- | -",
    ];
    world
        .answers(&[("by sold_at.month, seller.team", &held)])
        .await;
    world.refuses(
        "notes by team",
        "people changes over time, and notes has no time that says which of its rows is meant",
    );
    assert!(world.reasons("sales by team").contains(
        &"people as it was at sold_at: from from_date up to, not including, to_date".to_owned()
    ));
}
