//! Periods of a calendar table: they are found by the day, and one named like a grain takes its place.

use crate::world::World;

/// The table has no 2 February.
const TABLES: &str = "
CREATE TABLE days (d date, fq text, retail_month text);
INSERT INTO days VALUES
  ('2025-01-10', 'FY25Q1', 'R01'), ('2025-01-31', 'FY25Q2', 'R01'), ('2025-02-01', 'FY25Q2', 'R02');
CREATE TABLE sales (sold_at timestamp, paid_on date, amount integer);
INSERT INTO sales VALUES
  ('2025-01-10 23:59:59', '2025-01-31', 1), ('2025-01-31 00:00:00', '2025-02-01', 2),
  ('2025-02-01 12:00:00', '2025-02-01', 4), ('2025-02-02 00:00:00', NULL, 8);
";

const REGISTRY: &str = "
calendar: {table: days, date: d, periods: {fiscal_quarter: fq, month: {column: retail_month, label: Retail month}}}
datasets:
  sales: {table: sales, time: sold_at, dimensions: {sold_at: {type: time}, paid_on: {type: date}}}
metrics:
  sales: {base_table: sales, agg: sum, expr: amount}
  latest: {base_table: sales, agg: sum, expr: amount, last_by: {time: sold_at}}
  in_first: {base_table: sales, agg: sum, expr: amount, filters: sold_at.fiscal_quarter = 'FY25Q1'}
  so_far: {of: sales, window: all_time}
  gapless: {base_table: sales, agg: sum, expr: amount, every_period: true}
  quarterly: {base_table: sales, agg: sum, expr: amount, time_grain: quarter}
  year_before: {expr: ago, inputs: {ago: {metric: sales, offset: 1 year}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn periods_of_the_calendar_table_are_those_of_their_days() {
    let world = World::new(TABLES, REGISTRY);
    world
        .answers(&[
            (
                "sales by fiscal_quarter",
                &["FY25Q1 | 1", "FY25Q2 | 6", "- | 8"],
            ),
            ("sales by paid_on.fiscal_quarter", &["FY25Q2 | 7", "- | 8"]),
            ("sales by month", &["R01 | 3", "R02 | 4", "- | 8"]),
            (
                "sales by fiscal_quarter, paid_on.month 2025-01",
                &["FY25Q1 | R01 | 1", "FY25Q2 | R02 | 2"],
            ),
            // A grain that the table does not have is the civil one.
            (
                "sales by quarter, fiscal_quarter",
                &[
                    "2025-01-01 | FY25Q1 | 1",
                    "2025-01-01 | FY25Q2 | 6",
                    "2025-01-01 | - | 8",
                ],
            ),
            // Without a metric, periods are those of the table.
            ("by quarter", &["2025-01-01"]),
            (
                "by fiscal_quarter, month",
                &["FY25Q1 | R01", "FY25Q2 | R01", "FY25Q2 | R02"],
            ),
            ("by day 2025-02", &["2025-02-01"]),
            // Conditions are on the same days; names are in order of time.
            (
                "sales by fiscal_quarter where fiscal_quarter = FY25Q2",
                &["FY25Q2 | 6"],
            ),
            ("sales where fiscal_quarter > FY25Q1", &["6"]),
            ("sales where not fiscal_quarter = FY25Q1", &["6"]),
            ("sales where fiscal_quarter is null", &["8"]),
            ("sales where month in (R01) or paid_on.month = R02", &["7"]),
            ("sales where metric_time.fiscal_quarter <= FY25Q1", &["1"]),
            ("in_first by month", &["R01 | 1"]),
            ("so_far where paid_on.fiscal_quarter = FY25Q2", &["7"]),
            ("latest where fiscal_quarter = FY25Q2", &["4"]),
            (
                "by fiscal_quarter where month between R01 and R01",
                &["FY25Q1", "FY25Q2"],
            ),
            ("by paid_on where fiscal_quarter = FY25Q1", &["2025-01-31"]),
            (
                "by paid_on.fiscal_quarter where paid_on is not null",
                &["FY25Q2"],
            ),
            // Compared, and at the end of a window.
            (
                "sales by month 2025-02 vs previous period",
                &["R02 | 4 | 3 | 1 | 0.333333333", "- | 8 | - | - | -"],
            ),
            (
                "so_far by fiscal_quarter 2025",
                &["FY25Q1 | 1", "FY25Q2 | 7"],
            ),
            // A name of dbt's, at the grain of the metric.
            ("quarterly by metric_time", &["2025-01-01 | 15"]),
            // Each has a last snapshot of its own.
            (
                "latest by fiscal_quarter",
                &["FY25Q1 | 1", "FY25Q2 | 4", "- | 8"],
            ),
            ("latest by sold_at.month", &["R01 | 2", "R02 | 4", "- | 8"]),
        ])
        .await;
    assert!(world.reasons("sales by fiscal_quarter").contains(
        &"fiscal_quarter comes from days, joined on the day of sold_at; days that it does not have are in no fiscal_quarter".to_owned()
    ));
    world.refuses(
        "year_before by month 2025-02",
        "month is a period of days: it cannot be lined up with earlier dates, since periods differ in length",
    );
}
