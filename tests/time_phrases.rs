//! Time in plain words: which range or comparison a phrase means, when it is asked back, and how it is said again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use jiff::civil::{Date, date};
use metrex::model::time_phrase::{Phrase, TimeSetting, comparison_for, phrase, range};
use metrex::model::{Calendar, Comparison, Grain, Period, TimeRange, Weekday};
use proptest::prelude::*;

const FRIDAY: Date = date(2026, 11, 20);

fn calendar(fiscal_year_start: i8) -> Calendar {
    Calendar {
        fiscal_year_start,
        ..Calendar::default()
    }
}

/// The whole text in the words of the query line, `? a | b` where it is ambiguous, `! reason` where it is impossible.
fn read_in(text: &str, today: Date, calendar: &Calendar) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let found = range(&words, &TimeSetting { today, calendar });
    let Some(found) = found.filter(|found| found.used() == words.len()) else {
        return "-".to_owned();
    };
    match found {
        Phrase::Found(found) => found.meaning.to_string(),
        Phrase::Ambiguous { readings, .. } => {
            let readings: Vec<_> = readings
                .iter()
                .map(|(range, _)| range.to_string())
                .collect();
            format!("? {}", readings.join(" | "))
        }
        Phrase::Impossible { reason, .. } => format!("! {reason}"),
    }
}

fn read(text: &str) -> String {
    read_in(text, FRIDAY, &Calendar::default())
}

fn check(expected: &[(&str, &str)]) {
    for (text, meaning) in expected {
        assert_eq!(&read(text), meaning, "{text}");
    }
}

/// The days of the whole text, `?` where it is ambiguous.
fn days(text: &str, today: Date, calendar: &Calendar) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match range(&words, &TimeSetting { today, calendar }) {
        Some(Phrase::Found(found)) if found.used == words.len() => found
            .meaning
            .resolve(today, calendar.week_start)
            .to_string(),
        Some(Phrase::Ambiguous { used, .. }) if used == words.len() => "?".to_owned(),
        other => panic!("{text}: {other:?}"),
    }
}

fn note(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let calendar = Calendar::default();
    let setting = TimeSetting {
        today: FRIDAY,
        calendar: &calendar,
    };
    match range(&words, &setting) {
        Some(Phrase::Found(found)) => found.note,
        other => panic!("{text}: {other:?}"),
    }
}

/// The comparison beside `main` (empty where it is not known).
fn compared(main: &str, text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let calendar = Calendar::default();
    let setting = TimeSetting {
        today: FRIDAY,
        calendar: &calendar,
    };
    let main = (!main.is_empty()).then(|| main.parse().unwrap());
    match comparison_for(&words, &setting, main) {
        Some(found) if found.used() != words.len() => format!("({})", found.used()),
        Some(Phrase::Found(found)) => found.meaning.to_string(),
        Some(Phrase::Ambiguous { readings, .. }) => {
            let readings: Vec<_> = readings.iter().map(|(this, _)| this.to_string()).collect();
            format!("? {}", readings.join(" | "))
        }
        Some(Phrase::Impossible { reason, .. }) => format!("! {reason}"),
        None => "-".to_owned(),
    }
}

#[test]
fn days_and_running_periods() {
    check(&[
        ("today", "today"),
        ("yesterday", "yesterday"),
        ("yesterday's", "yesterday"),
        ("the day before yesterday", "2026-11-18"),
        ("tomorrow", "2026-11-21"),
        ("this week", "this week"),
        ("the current month", "this month"),
        ("this month so far", "mtd"),
        ("so far this year", "ytd"),
        ("quarter to date", "qtd"),
        ("year-to-date", "ytd"),
        ("wtd", "wtd"),
        ("ytd 2025", "2025-01-01..2025-11-20"),
    ]);
}

#[test]
fn last_and_past_are_complete_periods_and_rolling_ends_today() {
    check(&[
        ("last week", "last week"),
        ("in the past month", "last month"),
        ("over the last 7 days", "last 7 days"),
        ("previous three months", "last 3 months"),
        ("last couple of weeks", "last 2 weeks"),
        ("last fortnight", "last 2 weeks"),
        ("last 30d", "last 30 days"),
        ("last 6 full months", "last 6 months"),
        ("trailing 12 months", "rolling 12 months"),
        ("ttm", "rolling 12 months"),
        ("rolling 6-week", "rolling 6 weeks"),
        ("last 7 days including today", "rolling 7 days"),
        ("last half year", "? 2026Q1..2026Q2 | last 6 months"),
        (
            "last 24 hours",
            "! time ranges are whole days, weeks, months, quarters or years",
        ),
        (
            "last few weeks",
            "! 'few' is no number: say how many, as in last 3 months",
        ),
        (
            "last 0 days",
            "! a range has 1 to 9999 days, weeks, months, quarters or years",
        ),
    ]);
    assert_eq!(
        note("last 2 weeks").unwrap(),
        "complete weeks, without this one: 2026-11-02 to 2026-11-15"
    );
    assert_eq!(
        note("last 7 days").unwrap(),
        "complete days, without today: 2026-11-13 to 2026-11-19"
    );
    assert_eq!(note("rolling 7 days").unwrap(), "7 days that end today");
}

#[test]
fn periods_before_and_after_the_current_one() {
    check(&[
        ("3 days ago", "2026-11-17"),
        ("2 weeks ago", "2026-W45"),
        ("two months ago", "2026-09"),
        ("a year ago", "2025"),
        ("month before last", "2026-09"),
        ("next week", "2026-W48"),
        ("next 3 months", "2026-12..2027-02"),
        ("last monday", "2026-11-16"),
        ("last fri", "2026-11-13"),
        ("on friday", "2026-11-20"),
        ("tuesday", "2026-11-17"),
        ("next monday", "2026-11-23"),
        ("last weekend", "2026-11-14..2026-11-15"),
        (
            "next weekend",
            "? 2026-11-21..2026-11-22 | 2026-11-28..2026-11-29",
        ),
    ]);
}

#[test]
fn months_quarters_halves_and_weeks() {
    check(&[
        ("nov 2025", "2025-11"),
        ("november '25", "2025-11"),
        ("nov.", "2026-11"),
        ("in march", "2026-03"),
        ("december", "2025-12"),
        ("last march", "2026-03"),
        ("last november", "2025-11"),
        ("this march", "2026-03"),
        ("march of last year", "2025-03"),
        ("the month of march 2025", "2025-03"),
        ("q3", "2026Q3"),
        ("q3 2025", "2025Q3"),
        ("2025 q3", "2025Q3"),
        ("q3'25", "2025Q3"),
        ("third quarter of 2025", "2025Q3"),
        ("last q3", "2026Q3"),
        ("last q4", "2025Q4"),
        ("q3 last year", "2025Q3"),
        ("h1 2025", "2025Q1..2025Q2"),
        ("second half of last year", "2025Q3..2025Q4"),
        ("2025", "2025"),
        ("2025-11", "2025-11"),
        ("11/2025", "2025-11"),
        ("2025-w45", "2025-W45"),
        ("w45", "2026-W45"),
        ("week 45 of 2025", "2025-W45"),
        ("week 53", "2020-W53"),
        ("week of 3 nov", "2026-W45"),
        ("week of nov 3 2025", "2025-W45"),
        ("2025-13", "! there is no 2025-13"),
        ("week 53 of 2025", "! there is no week 53 in 2025"),
    ]);
    assert_eq!(
        note("in march").unwrap(),
        "March 2026, the latest one that has begun"
    );
}

#[test]
fn dates() {
    check(&[
        ("3 nov", "2026-11-03"),
        ("nov 3rd 2025", "2025-11-03"),
        ("the 3rd of november", "2026-11-03"),
        ("3 nov 25", "2025-11-03"),
        ("monday 3 nov 2025", "2025-11-03"),
        ("2025/11/03", "2025-11-03"),
        ("13/04/2025", "2025-04-13"),
        ("04/13/2025", "2025-04-13"),
        ("25 dec", "2025-12-25"),
        ("29 feb", "2024-02-29"),
        ("30 feb 2025", "! there is no 30 February in 2025"),
        ("2025-02-29", "! there is no 2025-02-29"),
        ("tuesday 3 nov 2025", "! that day is no Tuesday"),
    ]);
}

#[test]
fn what_may_be_two_times_is_asked_back() {
    check(&[
        ("03/04/2025", "? 2025-04-03 | 2025-03-04"),
        ("03/03/2025", "2025-03-03"),
        ("03/04/2025 to 15/04/2025", "2025-04-03..2025-04-15"),
        ("nov 25", "? 2025-11-25 | 2025-11"),
        ("on nov 25", "2025-11-25"),
        ("in nov 25", "2025-11"),
        ("nov 18", "2026-11-18"),
        ("since 2 weeks ago", "? since 2026-W45 | since 2026-11-06"),
        ("from march", "? 2026-03 | since 2026-03"),
        ("until december", "? until 2026-12 | until 2025-12"),
        ("nov to feb", "? 2025-11..2026-02 | 2026-11..2027-02"),
        (
            "last year to date",
            "? 2025-01-01..2025-11-20 | 2025-01-01..2026-11-20",
        ),
    ]);
}

#[test]
fn what_has_no_exact_days_is_refused() {
    for text in [
        "early november",
        "mid-november",
        "end of 2025",
        "late last year",
    ] {
        assert!(read(text).starts_with("! "), "{text}: {}", read(text));
    }
    assert!(read("first half of november").starts_with("! "));
    assert!(read("last 100000 years").starts_with("! a range has 1 to 9999"));
    assert!(read("rolling 0 days").starts_with("! a range has 1 to 9999"));
    assert!(read("march and april").starts_with("! one range at a time"));
    assert_eq!(read("from march to january 2025"), "2024-03..2025-01");
    assert_eq!(
        read("2025-11-03 to 2025-11-01"),
        "! the range ends before it starts"
    );
}

#[test]
fn ranges_with_one_or_two_ends() {
    check(&[
        ("since march", "since 2026-03"),
        ("from march on", "since 2026-03"),
        ("since last month", "since 2026-10"),
        ("since 3 days ago", "since 2026-11-17"),
        ("since the start of the year", "since 2026"),
        ("since launch", "all time"),
        ("after march", "since 2026-04"),
        ("after 31 dec 2025", "since 2026-01-01"),
        ("before march 2025", "until 2025-02-28"),
        ("until march", "until 2026-03"),
        ("between march and may", "2026-03..2026-05"),
        ("between 3 and 9 nov", "2026-11-03..2026-11-09"),
        ("from jan to mar 2025", "2025-01..2025-03"),
        ("nov to feb 2025", "2024-11..2025-02"),
        ("nov 2025 to feb", "2025-11..2026-02"),
        ("oct 2025 to oct", "2025-10..2026-10"),
        ("last 7 days until yesterday", "last 7 days"),
        ("since last month until yesterday", "2026-10..2026-11-19"),
        ("jan-mar", "2026-01..2026-03"),
        ("oct through dec", "2026-10..2026-12"),
        ("1-15 nov", "2026-11-01..2026-11-15"),
        ("nov 1 to 15 2025", "2025-11-01..2025-11-15"),
        ("q1 to q3 2025", "2025Q1..2025Q3"),
        ("2025-01..2025-03", "2025-01..2025-03"),
        ("2025-01-05 – 2025-02-03", "2025-01-05..2025-02-03"),
        ("monday to wednesday", "2026-11-16..2026-11-18"),
        ("between last month and today", "2026-10..2026-11-20"),
        ("from last week", "last week"),
        ("all time", "all time"),
    ]);
}

#[test]
fn only_the_words_of_the_phrase_are_used() {
    let calendar = Calendar::default();
    let setting = TimeSetting {
        today: FRIDAY,
        calendar: &calendar,
    };
    let used = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        range(&words, &setting).map(|found| found.used())
    };
    assert_eq!(used("in the last 2 weeks by market"), Some(5));
    assert_eq!(used("last month vs previous year"), Some(2));
    assert_eq!(used("since march by channel"), Some(2));
    assert_eq!(used("by market last month"), None);
    assert_eq!(used("last orders"), None);
    assert_eq!(used("in brazil"), None);
    assert_eq!(used("5 channels"), None);
    assert_eq!(used(""), None);
}

#[test]
fn fiscal_years_are_named_after_the_year_they_end_in() {
    let april = calendar(4);
    for (text, expected) in [
        ("fy25", "2024-04-01 to 2025-03-31"),
        ("fiscal year 2025", "2024-04-01 to 2025-03-31"),
        ("fy 2024-25", "2024-04-01 to 2025-03-31"),
        ("this fiscal year", "2026-04-01 to 2027-03-31"),
        ("last fiscal year", "2025-04-01 to 2026-03-31"),
        ("fiscal ytd", "2026-04-01 to 2026-11-20"),
        ("this fiscal quarter", "2026-10-01 to 2026-12-31"),
        ("last fiscal quarter", "2026-07-01 to 2026-09-30"),
        ("q1 fy25", "2024-04-01 to 2024-06-30"),
        ("fy25 q4", "2025-01-01 to 2025-03-31"),
        ("fiscal q1", "2026-04-01 to 2026-06-30"),
        ("q1 2025", "2025-01-01 to 2025-03-31"),
    ] {
        assert_eq!(days(text, FRIDAY, &april), expected, "{text}");
    }
    let february = calendar(2);
    assert_eq!(days("fy25", FRIDAY, &february), "2024-02-01 to 2025-01-31");
    assert_eq!(
        days("this fiscal quarter", FRIDAY, &february),
        "2026-11-01 to 2027-01-31"
    );
    assert_eq!(
        days("this fiscal quarter", date(2026, 1, 1), &february),
        "2025-11-01 to 2026-01-31"
    );
    assert_eq!(read("fy25"), "2025");
    assert_eq!(read("this fiscal year"), "this year");
    assert_eq!(note("fy25").unwrap(), "FY25 is Jan 2025 to Dec 2025");
}

#[test]
fn weeks_begin_where_the_calendar_says() {
    let sunday = Calendar {
        week_start: Weekday::Sunday,
        ..Calendar::default()
    };
    for (text, expected) in [
        ("last week", "2026-11-08 to 2026-11-14"),
        ("2 weeks ago", "2026-11-01 to 2026-11-07"),
        ("next week", "2026-11-22 to 2026-11-28"),
        ("week of 3 nov", "2026-11-01 to 2026-11-07"),
        ("w45", "2026-11-02 to 2026-11-08"),
    ] {
        assert_eq!(days(text, FRIDAY, &sunday), expected, "{text}");
    }
}

#[test]
fn on_the_first_of_january() {
    let calendar = calendar(4);
    for (text, expected) in [
        ("yesterday", "2025-12-31"),
        ("last week", "2025-12-22 to 2025-12-28"),
        ("this week", "2025-12-29 to 2026-01-04"),
        ("last month", "2025-12-01 to 2025-12-31"),
        ("last quarter", "2025-10-01 to 2025-12-31"),
        ("last year", "2025-01-01 to 2025-12-31"),
        ("ytd", "2026-01-01"),
        ("january", "2026-01-01 to 2026-01-31"),
        ("february", "2025-02-01 to 2025-02-28"),
        ("last january", "2025-01-01 to 2025-01-31"),
        ("q1", "2026-01-01 to 2026-03-31"),
        ("h2", "2025-07-01 to 2025-12-31"),
        ("1 jan", "2026-01-01"),
        ("week 1", "2025-12-29 to 2026-01-04"),
        ("week 53", "2020-12-28 to 2021-01-03"),
        ("since december", "since 2025-12-01"),
        ("dec to jan", "2025-12-01 to 2026-01-31"),
        ("this fiscal year", "2025-04-01 to 2026-03-31"),
        ("3 months ago", "2025-10-01 to 2025-10-31"),
    ] {
        assert_eq!(days(text, date(2026, 1, 1), &calendar), expected, "{text}");
    }
}

#[test]
fn on_a_leap_day() {
    let calendar = Calendar::default();
    for (text, expected) in [
        ("today", "2028-02-29"),
        ("last year", "2027-01-01 to 2027-12-31"),
        ("mtd", "2028-02-01 to 2028-02-29"),
        ("last month", "2028-01-01 to 2028-01-31"),
        ("rolling 12 months", "2027-03-01 to 2028-02-29"),
        ("rolling 1 year", "2027-03-01 to 2028-02-29"),
        ("29 feb", "2028-02-29"),
        ("february", "2028-02-01 to 2028-02-29"),
        ("28 to 29 feb", "2028-02-28 to 2028-02-29"),
        ("12 months ago", "2027-02-01 to 2027-02-28"),
        ("a year ago", "2027-01-01 to 2027-12-31"),
        ("ytd 2027", "2027-01-01 to 2027-02-28"),
        ("next month", "2028-03-01 to 2028-03-31"),
        ("last tuesday", "2028-02-22"),
        ("tuesday", "2028-02-29"),
    ] {
        assert_eq!(days(text, date(2028, 2, 29), &calendar), expected, "{text}");
    }
}

#[test]
fn comparisons_by_their_own_words() {
    for (text, expected) in [
        ("vs last year", "previous year"),
        ("versus the year before", "previous year"),
        ("compared to the same period last year", "previous year"),
        ("compared with a year ago", "previous year"),
        ("same month last year", "previous year"),
        ("yoy", "previous year"),
        ("y/y", "previous year"),
        ("y-o-y", "previous year"),
        ("year-over-year", "previous year"),
        ("against the previous period", "previous period"),
        ("vs. last month", "1 month ago"),
        ("mom", "1 month ago"),
        ("month over month", "1 month ago"),
        ("week on week", "1 week ago"),
        ("qoq", "1 quarter ago"),
        ("relative to 4 weeks ago", "4 weeks ago"),
        ("vs 2 months earlier", "2 months ago"),
        ("vs yesterday", "1 day ago"),
        ("vs same day last week", "1 week ago"),
        ("versus q3 2024", "2024Q3"),
        ("vs jan to mar 2024", "2024-01..2024-03"),
        ("vs october", "2026-10"),
        ("over the previous year", "previous year"),
        ("over last year", "-"),
        ("last year", "-"),
        ("vs brazil", "-"),
    ] {
        assert_eq!(compared("", text), expected, "{text}");
    }
}

#[test]
fn comparisons_beside_a_range() {
    for (main, text, expected) in [
        ("this month", "vs last month", "1 month ago"),
        ("mtd", "vs last month", "1 month ago"),
        ("last month", "vs last month", "1 month ago"),
        ("this quarter", "vs last year", "previous year"),
        ("last week", "vs last week", "1 week ago"),
        ("last 7 days", "vs last week", "1 week ago"),
        (
            "last 3 months",
            "vs the previous 3 months",
            "previous period",
        ),
        ("yesterday", "vs last week", "1 week ago"),
        ("2026-11", "vs october", "2026-10"),
        ("2026-10", "vs last month", "1 month ago"),
        ("2026-09", "vs 3 months ago", "? 3 months ago | 2026-08"),
        ("last month", "vs 2 months ago", "? 2 months ago | 2026-09"),
        ("this month", "vs 2 months ago", "2 months ago"),
        ("last month", "vs a year ago", "previous year"),
        ("2026-09", "vs the previous month", "1 month ago"),
        ("2026-09", "vs last month", "? 1 month ago | 2026-10"),
        ("2024", "vs last year", "? previous year | 2025"),
        ("2024-11", "vs oct", "? 2024-10 | 2026-10"),
        ("2024-11", "vs oct 2023", "2023-10"),
        (
            "last 30 days",
            "vs last month",
            "? previous period | 1 month ago",
        ),
        ("2026-W45", "vs same week last year", "2025-W45"),
    ] {
        assert_eq!(compared(main, text), expected, "{main} {text}");
    }
    assert!(compared("last week", "vs last month").starts_with("! weeks and months"));
    assert!(compared("last 3 months", "vs last month").contains("longer than one month"));
    assert!(compared("this month", "vs last 3 months").starts_with("! 3 months can be compared"));
    assert!(compared("2026-01", "vs last january").ends_with("compared with itself"));
    assert!(compared("yesterday", "vs thursday").ends_with("compared with itself"));
    assert!(compared("this month", "vs all time").starts_with("! a range to compare with"));
}

fn any_period() -> impl Strategy<Value = Period> {
    let year = 2_i16..=9_997;
    prop_oneof![
        (year.clone(), 1_i16..=365).prop_map(|(year, day)| Period::Day(
            date(year, 1, 1).saturating_add(jiff::Span::new().days(day))
        )),
        (year.clone(), 1_i8..=53).prop_filter_map("no such week", |(year, week)| {
            let week = Period::Week(year, week);
            week.days().map(|_| week)
        }),
        (year.clone(), 1_i8..=12).prop_map(|(year, month)| Period::Month(year, month)),
        (year.clone(), 1_i8..=4).prop_map(|(year, quarter)| Period::Quarter(year, quarter)),
        year.prop_map(Period::Year),
    ]
}

fn any_grain() -> impl Strategy<Value = Grain> {
    prop::sample::select(&Grain::ALL[3..])
}

fn any_range() -> impl Strategy<Value = TimeRange> {
    let n = 1_u32..=9_999;
    prop_oneof![
        Just(TimeRange::AllTime),
        any_grain().prop_map(TimeRange::This),
        (n.clone(), any_grain()).prop_map(|(n, grain)| TimeRange::Last(n, grain)),
        (n, any_grain()).prop_map(|(n, grain)| TimeRange::Rolling(n, grain)),
        prop::sample::select(&Grain::ALL[4..]).prop_map(TimeRange::ToDate),
        any_period().prop_map(|from| TimeRange::Span(Some(from), None)),
        any_period().prop_map(|to| TimeRange::Span(None, Some(to))),
        any_period().prop_map(|period| TimeRange::Span(Some(period), Some(period))),
        (any_period(), any_period()).prop_filter_map("empty", |(from, to)| {
            (from.days()?.0 < to.days()?.1).then_some(TimeRange::Span(Some(from), Some(to)))
        }),
    ]
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let start = prop::sample::select(vec![1_i8, 2, 4, 7, 10]);
    let week_start = prop::sample::select(vec![Weekday::Monday, Weekday::Sunday]);
    (start, week_start).prop_map(|(start, week_start)| Calendar {
        week_start,
        ..calendar(start)
    })
}

fn any_today() -> impl Strategy<Value = Date> {
    prop_oneof![
        Just(date(2028, 2, 29)),
        Just(date(2026, 1, 1)),
        Just(date(2026, 12, 31)),
        (0_i32..20_000)
            .prop_map(|days| date(2000, 1, 1).saturating_add(jiff::Span::new().days(days))),
    ]
}

/// Words that phrases are made of, and some that they are not.
const WORDS: &[&str] = &[
    "today",
    "yesterday",
    "last",
    "this",
    "next",
    "past",
    "previous",
    "rolling",
    "the",
    "in",
    "on",
    "of",
    "from",
    "to",
    "since",
    "until",
    "before",
    "after",
    "between",
    "and",
    "-",
    "ago",
    "so",
    "far",
    "date",
    "year",
    "month",
    "week",
    "weeks",
    "days",
    "quarter",
    "fiscal",
    "fy25",
    "fy",
    "q3",
    "h1",
    "first",
    "half",
    "third",
    "2025",
    "25",
    "3",
    "31",
    "7",
    "a",
    "couple",
    "nov",
    "november",
    "feb",
    "29",
    "2025-11",
    "2025-w53",
    "w45",
    "03/04/2025",
    "3/11",
    "jan-mar",
    "1-15",
    "monday",
    "friday",
    "weekend",
    "fri",
    "ytd",
    "mtd",
    "all",
    "time",
    "vs",
    "same",
    "over",
    "yoy",
    "q3'25",
    "9999",
    "0",
    "99999999999999999999",
    "9999-12-31",
    "0000",
    "'",
    "''",
    "..",
    "orders",
    "",
    "é",
    "–",
    "mid",
    "end",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_range_is_said_in_words_that_mean_it(
        asked in any_range(),
        calendar in any_calendar(),
        today in any_today(),
    ) {
        let text = phrase(asked).to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        match range(&words, &TimeSetting { today, calendar: &calendar }) {
            Some(Phrase::Found(found)) => {
                prop_assert_eq!(found.meaning, asked, "{}", text);
                prop_assert_eq!(found.used, words.len());
            }
            other => prop_assert!(false, "{}: {:?}", text, other),
        }
    }

    #[test]
    fn no_words_make_it_panic_or_give_an_empty_range(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..7),
        calendar in any_calendar(),
        today in any_today(),
    ) {
        let setting = TimeSetting { today, calendar: &calendar };
        let resolved = |range: TimeRange| range.resolve(today, calendar.week_start);
        let is_range = |range: TimeRange| {
            let days = resolved(range);
            days.start.zip(days.end).is_none_or(|(start, end)| start < end)
        };
        if let Some(found) = range(&words, &setting) {
            prop_assert!((1..=words.len()).contains(&found.used()), "{:?}", words);
            match found {
                Phrase::Found(found) => prop_assert!(is_range(found.meaning), "{:?} {:?}", words, found),
                Phrase::Ambiguous { readings, .. } => {
                    prop_assert!(readings.len() > 1);
                    prop_assert!(readings.iter().all(|(range, _)| is_range(*range)), "{:?}", words);
                }
                Phrase::Impossible { .. } => {}
            }
        }
        if let Some(Phrase::Found(found)) = comparison_for(&words, &setting, None) {
            prop_assert!((1..=words.len()).contains(&found.used), "{:?}", words);
            if let Comparison::Range(from, to) = found.meaning {
                prop_assert!(is_range(TimeRange::Span(Some(from), Some(to))));
            }
        }
    }

    #[test]
    fn arbitrary_words_do_no_harm(words in prop::collection::vec("\\PC{0,12}", 0..6), today in any_today()) {
        let calendar = Calendar::default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let setting = TimeSetting { today, calendar: &calendar };
        let _ = range(&words, &setting);
        let _ = comparison_for(&words, &setting, Some(TimeRange::ToDate(Grain::Year)));
    }

    #[test]
    fn the_last_period_ends_where_the_current_one_starts(
        unit in prop::sample::select(vec!["day", "week", "month", "quarter", "year", "fiscal year", "fiscal quarter"]),
        calendar in any_calendar(),
        today in any_today(),
    ) {
        let setting = TimeSetting { today, calendar: &calendar };
        let resolved = |text: String| {
            let words: Vec<&str> = text.split_whitespace().collect();
            match range(&words, &setting) {
                Some(Phrase::Found(found)) => found.meaning.resolve(today, calendar.week_start),
                other => panic!("{text}: {other:?}"),
            }
        };
        let (last, this, next) = (
            resolved(format!("last {unit}")),
            resolved(format!("this {unit}")),
            resolved(format!("next {unit}")),
        );
        prop_assert_eq!(last.end, this.start);
        prop_assert_eq!(this.end, next.start);
        prop_assert!(this.start.unwrap() <= today && today < this.end.unwrap());
    }
}
