//! Weeks, time of day and types of time.

use jiff::civil::date;

use crate::shop::{on, shop, table};

const YAML: &str = "
datasets:
  orders: {table: orders, time: at, dimensions: {at: {type: time}, paid: {type: date}}}
metrics:
  orders: {base_table: orders, agg: count}
";

/// 2020 has a week 53, which ends on 3 January 2021; by the year of the day it would be week 53 of 2021.
#[test]
fn week_53() {
    let shop = on(
        date(2021, 1, 20),
        YAML,
        vec![table(
            "orders: at time, paid date",
            "2020-12-27 23:59:59 | 2020-12-27
             2020-12-28 00:00:00 | 2020-12-28
             2021-01-03 23:59:59 | 2021-01-03
             2021-01-04 00:00:00 | 2021-01-04",
        )],
    );
    shop.answers(
        "orders by week",
        &["2020-12-21 | 1", "2020-12-28 | 2", "2021-01-04 | 1"],
    );
    shop.answers("orders by week_of_year", &["1 | 1", "52 | 1", "53 | 2"]);
    shop.answers("orders 2020-W53", &["2"]);
    shop.answers(
        "orders by paid.week",
        &["2020-12-21 | 1", "2020-12-28 | 2", "2021-01-04 | 1"],
    );
}

/// The week starts where the registry says, on every engine, and does not start anew on 1 January.
#[test]
fn week_start() {
    let rows = || {
        vec![table(
            "orders: at time, paid date",
            "2024-12-28 12:00:00 | 2024-12-28
             2024-12-29 12:00:00 | 2024-12-29
             2024-12-30 12:00:00 | 2024-12-30
             2025-01-04 12:00:00 | 2025-01-04
             2025-01-05 12:00:00 | 2025-01-05",
        )]
    };
    let monday = shop(YAML, rows());
    monday.answers("orders by week", &["2024-12-23 | 2", "2024-12-30 | 3"]);
    let sunday = shop(&format!("calendar: {{week_start: sunday}}{YAML}"), rows());
    sunday.answers(
        "orders by week",
        &["2024-12-22 | 1", "2024-12-29 | 3", "2025-01-05 | 1"],
    );
    sunday.answers("orders by weekday", &["1 | 1", "6 | 2", "7 | 2"]);
}

/// The last second of a day is that day, the next midnight is not; `<= 23:59:59` loses what comes after it.
#[test]
fn days_are_half_open() {
    let shop = shop(
        YAML,
        vec![table(
            "orders: at time, paid date",
            "2025-01-31 23:59:59 | 2025-01-31
             2025-02-01 00:00:00 | 2025-02-01",
        )],
    );
    shop.answers("orders 2025-01", &["1"]);
    shop.answers("orders where at <= 2025-01-31", &["1"]);
    shop.answers("orders where at > 2025-01-31", &["1"]);
    shop.answers(
        "orders by hour 2025",
        &["2025-01-31 23:00:00 | 1", "2025-02-01 00:00:00 | 1"],
    );
    shop.answers("orders by second 2025-01", &["2025-01-31 23:59:59 | 1"]);
}

/// A date has no hours: all of a day in the hour of midnight is an answer to another question.
#[test]
fn a_type_narrower_than_the_grain_is_refused() {
    let shop = shop(YAML, vec![table("orders: at time, paid date", "")]);
    shop.refuses("orders by paid.hour", "has no hours");
    shop.refuses("orders by paid.hour_of_day", "has no hours");
}
