//! Time ranges: which days a relative range means, on ordinary and on awkward days.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use jiff::ToSpan;
use jiff::civil::{Date, date};
use metrex::model::{Grain, Period, TimeRange, Weekday};
use proptest::prelude::*;

fn days(range: &str, today: Date) -> String {
    range
        .parse::<TimeRange>()
        .unwrap()
        .resolve(today, Weekday::Monday)
        .to_string()
}

#[test]
fn relative_ranges_in_the_middle_of_a_month() {
    let today = date(2025, 11, 19);
    for (range, expected) in [
        ("today", "2025-11-19"),
        ("yesterday", "2025-11-18"),
        ("last 7 days", "2025-11-12 to 2025-11-18"),
        ("rolling 7 days", "2025-11-13 to 2025-11-19"),
        ("last week", "2025-11-10 to 2025-11-16"),
        ("this week", "2025-11-17 to 2025-11-23"),
        ("wtd", "2025-11-17 to 2025-11-19"),
        ("last month", "2025-10-01 to 2025-10-31"),
        ("last 6 months", "2025-05-01 to 2025-10-31"),
        ("rolling 6 months", "2025-05-20 to 2025-11-19"),
        ("this quarter", "2025-10-01 to 2025-12-31"),
        ("qtd", "2025-10-01 to 2025-11-19"),
        ("last quarter", "2025-07-01 to 2025-09-30"),
        ("ytd", "2025-01-01 to 2025-11-19"),
        ("last 2 years", "2023-01-01 to 2024-12-31"),
        ("2025Q3", "2025-07-01 to 2025-09-30"),
        ("2025-W01", "2024-12-30 to 2025-01-05"),
        ("since 2025-03", "since 2025-03-01"),
        ("until 2025-03", "until 2025-03-31"),
        ("all time", "all time"),
    ] {
        assert_eq!(days(range, today), expected, "{range}");
    }
}

#[test]
fn relative_ranges_on_new_year_and_on_a_leap_day() {
    assert_eq!(
        days("last month", date(2026, 1, 1)),
        "2025-12-01 to 2025-12-31"
    );
    assert_eq!(days("ytd", date(2026, 1, 1)), "2026-01-01");
    assert_eq!(
        days("last quarter", date(2026, 1, 1)),
        "2025-10-01 to 2025-12-31"
    );
    assert_eq!(days("mtd", date(2024, 2, 29)), "2024-02-01 to 2024-02-29");
    assert_eq!(
        days("last year", date(2024, 2, 29)),
        "2023-01-01 to 2023-12-31"
    );
    assert_eq!(
        days("rolling 1 year", date(2024, 2, 29)),
        "2023-03-01 to 2024-02-29"
    );
}

#[test]
fn weeks_can_start_on_sunday() {
    let range = "this week".parse::<TimeRange>().unwrap();
    assert_eq!(
        range
            .resolve(date(2025, 11, 19), Weekday::Sunday)
            .to_string(),
        "2025-11-16 to 2025-11-22"
    );
    assert_eq!(
        range
            .resolve(date(2025, 11, 16), Weekday::Sunday)
            .to_string(),
        "2025-11-16 to 2025-11-22"
    );
}

#[test]
fn periods_that_do_not_exist_are_refused() {
    for text in [
        "2025-13",
        "2025-02-30",
        "2025Q5",
        "2025Q0",
        "2025-W54",
        "2025-1",
        "20251",
        "2025-1-1",
        "+025",
    ] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
    assert!(Period::parse("2020-W53").is_some());
    assert_eq!(Period::parse("2021-W53"), None);
}

fn any_day() -> impl Strategy<Value = Date> {
    (0i64..40_000).prop_map(|n| date(1980, 1, 1).checked_add(n.days()).unwrap())
}

proptest! {
    #[test]
    fn complete_periods_end_where_the_current_one_starts(today in any_day(), n in 1u32..50, g in 3usize..8) {
        let grain = Grain::ALL[g];
        let last = TimeRange::Last(n, grain).resolve(today, Weekday::Monday);
        let this = TimeRange::This(grain).resolve(today, Weekday::Monday);
        prop_assert_eq!(last.end, this.start);
        prop_assert!(last.start < last.end);
        prop_assert!(this.start.unwrap() <= today && today < this.end.unwrap());
        prop_assert_eq!(grain.floor(last.start.unwrap(), Weekday::Monday), last.start.unwrap());
    }

    #[test]
    fn seven_days_are_a_week(today in any_day(), n in 1u32..20) {
        let days = TimeRange::Rolling(7 * n, Grain::Day).resolve(today, Weekday::Monday);
        let weeks = TimeRange::Rolling(n, Grain::Week).resolve(today, Weekday::Monday);
        prop_assert_eq!(days, weeks);
    }

    #[test]
    fn a_day_lies_in_its_own_period(today in any_day(), g in 3usize..8) {
        let start = Grain::ALL[g].floor(today, Weekday::Monday);
        prop_assert!(start <= today);
        prop_assert_eq!(Grain::ALL[g].floor(start, Weekday::Monday), start);
    }
}
