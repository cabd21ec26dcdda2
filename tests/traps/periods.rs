//! Comparisons and trends: periods meet by their key, and a missing one is a row.

use jiff::civil::date;

use crate::oracle::Table;
use crate::shop::{on, shop, table};

const YAML: &str = "
datasets:
  orders:
    table: orders
    time: ds
    dimensions: {ds: {type: date}, channel: {}}
    joins: {calendar: {to: days, on: ds}}
  days: {table: days, key: ds, dimensions: {season: {}, holiday: {}}}
metrics:
  orders: {base_table: orders, agg: count}
  revenue: {base_table: orders, agg: sum, expr: amount}
";

fn days() -> Table {
    table(
        "days: ds date, season text, holiday text",
        "2024-01-10 | winter | new year 2024
         2025-01-10 | winter | new year 2025",
    )
}

fn orders(rows: &str) -> Vec<Table> {
    vec![
        table("orders: ds date, channel text, amount number", rows),
        days(),
    ]
}

/// An inner join on the month before drops February (nothing in January), a left join drops what only January had.
#[test]
fn missing_prior_period() {
    let shop = shop(
        YAML,
        orders(
            "2025-01-10 | ads | 10
             2025-03-10 | ads | 30
             2025-03-11 | seo | 5",
        ),
    );
    shop.answers(
        "revenue by month 2025-02..2025-04 vs 1 month ago",
        &[
            "2025-02-01 | - | 10 | - | -",
            "2025-03-01 | 35 | - | - | -",
            "2025-04-01 | - | 35 | - | -",
        ],
    );
    shop.answers(
        "revenue by channel 2025-03 vs 2 months ago",
        &["ads | 30 | 10 | 20 | 2", "seo | 5 | - | - | -"],
    );
    shop.answers(
        "revenue by channel 2025-02 vs previous period",
        &["ads | - | 10 | - | -"],
    );
}

/// The time filter is moved for the compared side, every other filter holds on both: unfiltered, the prior is 17.
#[test]
fn filters_hold_on_both_sides() {
    let shop = shop(
        YAML,
        orders(
            "2025-01-10 | ads | 10
             2025-01-11 | seo | 7
             2025-02-10 | ads | 30",
        ),
    );
    shop.answers(
        "revenue where channel = ads 2025-02 vs previous period",
        &["30 | 10 | 20 | 2"],
    );
    shop.answers(
        "revenue by month where channel = ads 2025-02 vs previous period",
        &["2025-02-01 | 30 | 10 | 20 | 2"],
    );
}

/// Joined on every column of the date table, a holiday named after its year finds nothing a year before.
#[test]
fn dimensions_of_a_date_table() {
    let shop = shop(
        YAML,
        orders(
            "2024-01-10 | ads | 10
             2025-01-10 | ads | 30",
        ),
    );
    shop.answers(
        "revenue by month, season 2025-01 vs previous year",
        &["2025-01-01 | winter | 30 | 10 | 20 | 2"],
    );
    shop.answers(
        "revenue by holiday 2025-01 vs previous year",
        &[
            "new year 2024 | - | 10 | - | -",
            "new year 2025 | 30 | - | - | -",
        ],
    );
}

/// 365 days before 1 March 2024 is 2 March 2023. 29 February has no day a year before.
#[test]
fn twenty_ninth_of_february() {
    let shop = on(
        date(2024, 3, 31),
        YAML,
        orders(
            "2023-02-28 | ads | 1
             2023-03-01 | ads | 2
             2023-03-02 | ads | 4
             2024-02-28 | ads | 10
             2024-02-29 | ads | 20
             2024-03-01 | ads | 40",
        ),
    );
    shop.answers(
        "revenue by day 2024-02-28..2024-03-01 vs previous year",
        &[
            "2024-02-28 | 10 | 1 | 9 | 9",
            "2024-02-29 | 20 | - | - | -",
            "2024-03-01 | 40 | 2 | 38 | 19",
        ],
    );
    shop.answers(
        "revenue by month 2024-02..2024-03 vs previous year",
        &[
            "2024-02-01 | 30 | 1 | 29 | 29",
            "2024-03-01 | 40 | 6 | 34 | 5.666667",
        ],
    );
    shop.answers("revenue 2024-02 vs previous year", &["30 | 1 | 29 | 29"]);
}

/// A day of the month that the month before does not have: 29 to 31 March have no counterpart in February 2025, and
/// 28 February is not counted four times.
#[test]
fn month_ends() {
    let shop = shop(
        YAML,
        orders(
            "2025-02-28 | ads | 5
             2025-03-28 | ads | 1
             2025-03-31 | ads | 2",
        ),
    );
    shop.answers(
        "orders by day 2025-03-28..2025-03-31 vs 1 month ago",
        &[
            "2025-03-28 | 1 | 1 | 0 | 0",
            "2025-03-29 | 0 | - | - | -",
            "2025-03-30 | 0 | - | - | -",
            "2025-03-31 | 1 | - | - | -",
        ],
    );
}

/// Two rows back is not two months back: LAG(1) compares March with January.
#[test]
fn rows_are_not_counted_back() {
    let shop = shop(
        YAML,
        orders(
            "2025-01-10 | ads | 10
             2025-03-10 | ads | 30",
        ),
    );
    shop.answers(
        "revenue by month, channel 2025-03 vs 1 month ago",
        &["2025-03-01 | ads | 30 | - | - | -"],
    );
}

/// Weeks have no counterpart a month before: zero rows for others, a reason here.
#[test]
fn weeks_against_months_are_refused() {
    let shop = shop(YAML, orders("2025-03-10 | ads | 30"));
    shop.refuses("revenue by week 2025-03 vs 1 month ago", "do not line up");
    shop.refuses("revenue by week 2025 vs previous year", "do not line up");
    shop.refuses("revenue by month 2025-02 vs 4 weeks ago", "do not line up");
}

/// To date compares with the same days: the whole of March would be 100.
#[test]
fn month_to_date_against_the_same_days() {
    let shop = shop(
        YAML,
        orders(
            "2025-03-10 | ads | 30
             2025-03-15 | ads | 10
             2025-03-16 | ads | 60
             2025-04-02 | ads | 20",
        ),
    );
    shop.answers("revenue mtd vs previous period", &["20 | 40 | -20 | -0.5"]);
    shop.answers(
        "revenue this month vs previous period",
        &["20 | 40 | -20 | -0.5"],
    );
}

/// Quarters are three months, whatever the engine thinks of an interval of a quarter.
#[test]
fn quarters() {
    let shop = shop(
        YAML,
        orders(
            "2024-12-31 | ads | 1
             2025-01-01 | ads | 2
             2025-03-31 | ads | 3
             2025-04-01 | ads | 4",
        ),
    );
    shop.answers(
        "revenue by quarter 2024Q4..2025Q1 vs previous period",
        &["2024-10-01 | 1 | - | - | -", "2025-01-01 | 5 | - | - | -"],
    );
    shop.answers(
        "revenue by quarter 2025Q1 vs 1 quarter ago",
        &["2025-01-01 | 5 | 1 | 4 | 4"],
    );
    shop.answers(
        "revenue by quarter",
        &["2024-10-01 | 1", "2025-01-01 | 5", "2025-04-01 | 4"],
    );
}

/// A period without rows is a row; in a chart it is a gap, not a straight line.
#[test]
fn empty_periods() {
    let shop = shop(
        YAML,
        orders(
            "2025-01-10 | ads | 10
             2025-03-10 | ads | 30",
        ),
    );
    shop.answers(
        "orders, revenue by month 2025Q1",
        &[
            "2025-01-01 | 1 | 10",
            "2025-02-01 | 0 | -",
            "2025-03-01 | 1 | 30",
        ],
    );
    // A condition on the time leaves no period to be empty: 9 January has not 0 orders, it was not asked about.
    shop.answers(
        "orders by day where ds >= 2025-01-10 2025-01-09..2025-01-11",
        &["2025-01-10 | 1", "2025-01-11 | 0"],
    );
    shop.answers(
        "orders by month where ds >= 2025-01-11 2025-01..2025-02",
        &["2025-01-01 | 0", "2025-02-01 | 0"],
    );
}
