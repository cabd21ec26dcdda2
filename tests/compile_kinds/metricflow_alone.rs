//! Dimensions without a metric by dbt's rules: every table is joined in full, and the time is every day of the calendar.

use metrex::model::Conventions;
use metrex::warehouse::Dialect;

use crate::support::shop::registry_of;
use crate::world::World;

const TABLES: &str = "
CREATE TABLE days (d date);
INSERT INTO days VALUES ('2025-01-01'), ('2025-01-02');
CREATE TABLE people (id int, state text);
INSERT INTO people VALUES (1, 'CA'), (2, 'NY'), (3, 'TX');
CREATE TABLE listings (id int, owner int, lux text, made_on date);
INSERT INTO listings VALUES
  (10, 1, 'yes', '2024-11-01'), (11, 1, 'no', '2025-01-01'), (12, NULL, 'no', '2025-01-01');
CREATE TABLE lux (id int);
INSERT INTO lux VALUES (10);
CREATE TABLE orders (id int, listing_id int);
INSERT INTO orders VALUES (1, 10), (2, 10), (3, 11), (4, 11), (5, 12);
";

const REGISTRY: &str = "
calendar: {table: days, date: d}
datasets:
  orders:
    table: orders
    key: id
    entity: order
    dimensions: {listing: {column: listing_id, type: number}, id: {type: number}}
    joins: {listing: {to: listings, on: listing_id}}
  listings:
    table: listings
    key: id
    entity: listing
    time: made_on
    dimensions: {listing: {column: id, type: number}, lux: {}, made_on: {type: date, time_grain: month}}
    joins: {user: {to: people, on: owner}}
  lux: {table: lux, key: id, dimensions: {listing: {column: id, type: number}}}
  people: {table: people, key: id, entity: user, dimensions: {state: {}}}
metrics:
  orders: {base_table: orders, agg: count}
";

fn world() -> World {
    let mut registry = registry_of(REGISTRY);
    registry.conventions = Conventions::Metricflow;
    World::with(TABLES, registry)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_any_table_is_lost() {
    world()
        .answers(&[
            (
                "by user__state, listing__lux",
                &["CA | no", "CA | yes", "NY | -", "TX | -", "- | no"],
            ),
            // The days stand beside the listings; people without one have no day.
            (
                "by metric_time, user__state, listing__lux 2025-01-01",
                &[
                    "2025-01-01 | CA | no",
                    "2025-01-01 | CA | yes",
                    "2025-01-01 | - | no",
                ],
            ),
            (
                "by metric_time, user__state where metric_time = 2025-01-02",
                &["2025-01-02 | CA", "2025-01-02 | NY", "2025-01-02 | TX"],
            ),
            // An or stays within its brackets, whatever else restricts the days.
            (
                "by metric_time where (metric_time > 2025-01-02 or metric_time < 2025-01-02) 2025-01-02",
                &[],
            ),
            (
                "by metric_time where (metric_time > 2025-01-02 or metric_time < 2025-01-02)",
                &["2025-01-01"],
            ),
            // Of the tables with the listings the one with the least else, and the orders of those that it lacks.
            ("by listing where orders per listing > 1", &["10", "-"]),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_copies_the_one_of_the_counted_rows_is_joined() {
    const COPIES: &str = "
CREATE TABLE sales (shop int, ds date);
INSERT INTO sales VALUES (1, '2025-01-01'), (1, '2025-01-02'), (2, '2025-01-02');
CREATE TABLE shops (id int, owner int);
INSERT INTO shops VALUES (1, 7), (2, 8);
CREATE TABLE owners (id int, ds date, city text);
INSERT INTO owners VALUES (7, '2025-01-01', 'Oslo'), (7, '2025-01-02', 'Rome'), (8, '2025-01-01', 'Lima');
";
    let registry = registry_of(
        "
datasets:
  sales: {table: sales, partition: ds, joins: {shop: {to: shops, on: shop}}}
  shops: {table: shops, key: id, joins: {owner: {to: owners, on: owner}}}
  owners: {table: owners, key: id, partition: ds, dimensions: {city: {}}}
metrics:
  sales: {base_table: sales, agg: count}
",
    );
    World::with(COPIES, registry)
        .answers(&[("sales by city", &["Oslo | 1", "Rome | 1", "- | 1"])])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_means_its_own_grain_and_a_column_says_the_whole_way() {
    let world = world();
    world
        .answers(&[
            ("by listing__made_on", &["2024-11-01", "2025-01-01"]),
            ("range of listing__made_on", &["2024-11-01 | 2025-01-01"]),
            ("range of metric_time", &["2025-01-01 | 2025-01-02"]),
            ("orders by user__state", &["CA | 4", "- | 1"]),
        ])
        .await;
    for (line, name) in [
        ("by listing__made_on", "listing__made_on__month"),
        ("range of listing__made_on", "listing__made_on__month__min"),
        ("range of metric_time", "metric_time__day__min"),
        ("orders by user__state", "listing__user__state"),
    ] {
        let compiled = world.compile(line, Dialect::Sqlite).unwrap();
        assert_eq!(compiled.main.columns[0].name, name, "{line}");
    }
}
