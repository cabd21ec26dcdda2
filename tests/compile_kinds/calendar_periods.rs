//! Periods of a calendar table beyond grouping by them: in conditions and as rows.

use crate::world::World;

/// A calendar of short quarters whose names do not sort in time order. It lacks 3 April, and has a row without a day and
/// days without a quarter.
const DAYS: &str = "
CREATE TABLE days (d date, quarter_name text, year_number integer, first_day date);
INSERT INTO days VALUES
  ('2025-03-29', 'Q9', 2024, '2025-03-29'), ('2025-03-30', 'Q9', 2024, '2025-03-29'),
  ('2025-03-31', 'Q9', 2024, '2025-03-29'), ('2025-04-01', 'Q10', 2025, '2025-04-01'),
  ('2025-04-02', 'Q10', 2025, '2025-04-01'), ('2025-04-04', 'Q10', 2025, '2025-04-01'),
  ('2025-04-05', 'Q11', 2025, '2025-04-05'), ('2025-04-06', NULL, 2025, NULL),
  (NULL, 'Q12', 2026, '2025-04-07');
CREATE TABLE sales (sold_at timestamp, shop text, amount integer);
INSERT INTO sales VALUES
  ('2025-03-29 10:00:00', 'a', 1), ('2025-03-31 10:00:00', 'b', 2), ('2025-04-02 10:00:00', 'a', 4),
  ('2025-04-03 10:00:00', 'a', 8), ('2025-04-04 10:00:00', NULL, 16), ('2025-04-06 10:00:00', 'a', 32),
  (NULL, 'a', 64);
CREATE TABLE shops (shop text, opened date);
INSERT INTO shops VALUES ('a', '2025-04-01'), ('b', '2025-03-30');
";

const REGISTRY: &str = "
calendar:
  table: days
  date: d
  periods: {fq: quarter_name, fy: {column: year_number}, starts: first_day}
datasets:
  days: {table: days, key: d, dimensions: {d: {type: date}, fy: {column: year_number, type: number}}}
  sales: {table: sales, time: sold_at, dimensions: {sold_at: {type: time}, shop: {}}, joins: {at: {to: shops, on: shop}}}
  shops: {table: shops, key: shop, dimensions: {opened: {type: date}}}
metrics:
  sales: {base_table: sales, agg: sum, expr: amount}
  orders: {base_table: sales, agg: count}
  shop_count: {base_table: shops, agg: count, time: opened}
  gapless: {base_table: sales, agg: sum, expr: amount, every_period: true}
";

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_periods_of_the_calendar_table() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            // In order of time: Q9 is before Q10.
            ("sales by fq where fq >= Q10", &["Q10 | 20"]),
            ("sales by fq where fq < Q11", &["Q10 | 20", "Q9 | 3"]),
            ("sales where fq between Q9 and Q10", &["23"]),
            ("sales where fq <= Q9 or fq = Q10", &["23"]),
            // What lies in no quarter is neither in it nor out of it.
            ("sales where not fq = Q9", &["20"]),
            ("sales where not fq > Q9", &["3"]),
            ("sales where fq != Q9", &["20"]),
            ("sales where fq is null", &["104"]),
            // No period has the name, so none is later.
            ("sales where fq > Q7", &["-"]),
            // A number is a number, and what is called by days compares with days.
            ("sales by fq where fy >= 2025", &["Q10 | 20", "- | 32"]),
            ("sales by fq where starts >= 2025-03-30", &["Q10 | 20"]),
            ("sales where starts = 2025-04-01", &["20"]),
            ("sales where starts in (2025-04-01, 2025-04-05)", &["20"]),
            // Through a join, and beside other conditions.
            (
                "sales by at.opened.fq where at.opened.fq > Q9",
                &["Q10 | 109"],
            ),
            (
                "sales where at.opened.fq = Q9 or fq = Q10 and shop = a",
                &["6"],
            ),
            ("by shop where at.opened.fq = Q9", &["b"]),
            ("by fq where fy = 2025", &["Q10", "Q11", "-"]),
        ])
        .await;
    assert!(
        world
            .reasons("sales where fq = Q9")
            .contains(&"fq 'Q9' was not checked: no dataset is over days".to_owned())
    );
    world.refuses("sales where fy = many", "'many' is not a number for fy");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_of_the_calendar_table_is_a_row() {
    let world = World::new(DAYS, REGISTRY);
    world
        .answers(&[
            // A trend has its periods up to today; those of the data are in order of their names.
            (
                "sales, orders by fq since 2025-04-01",
                &["Q10 | 20 | 2", "Q11 | - | 0", "- | 40 | 2"],
            ),
            ("sales by fq 2025-04-05", &["Q11 | -"]),
            ("sales by fq 2025-04-05 existing periods", &[]),
            (
                "gapless by fq",
                &["Q10 | 20", "Q11 | -", "Q9 | 3", "- | 104"],
            ),
            (
                "sales by fq, shop 2025-04 every period",
                &[
                    "Q10 | a | 4",
                    "Q10 | - | 16",
                    "Q11 | a | -",
                    "Q11 | - | -",
                    "- | a | 40",
                ],
            ),
        ])
        .await;
    world.refuses(
        "sales by fq, fy 2025-04 every period",
        "a row for every period needs exactly one time grain",
    );
}
