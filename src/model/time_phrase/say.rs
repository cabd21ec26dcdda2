//! Says a time range in plain words that are read back as the same range.

use super::names::{counted, month_name};
use crate::model::{Grain, Period, TimeRange};

/// A time range in plain words: "last 7 days", "November 2025", "3 Nov 2025 to 9 Nov 2025", "since March 2025".
///
/// [`super::range`] reads them as the same range, where both ends exist and the range is not empty.
pub fn phrase(range: TimeRange) -> String {
    match range {
        TimeRange::AllTime | TimeRange::Span(None, None) => "all time".to_owned(),
        TimeRange::This(Grain::Day) => "today".to_owned(),
        TimeRange::This(grain) => format!("this {grain}"),
        TimeRange::Last(1, Grain::Day) => "yesterday".to_owned(),
        TimeRange::Last(1, grain) => format!("last {grain}"),
        TimeRange::Last(n, grain) => format!("last {}", counted(n, grain)),
        TimeRange::Rolling(n, grain) => format!("rolling {}", counted(n, grain)),
        TimeRange::ToDate(grain) => format!("{grain} to date"),
        TimeRange::Span(Some(from), None) => format!("since {}", period(from)),
        TimeRange::Span(None, Some(to)) => format!("until {}", period(to)),
        TimeRange::Span(Some(from), Some(to)) if from == to => period(from),
        TimeRange::Span(Some(from), Some(to)) => format!("{} to {}", period(from), period(to)),
    }
}

fn period(period: Period) -> String {
    match period {
        Period::Day(day) => {
            let month: String = month_name(day.month()).chars().take(3).collect();
            format!("{} {month} {:04}", day.day(), day.year())
        }
        Period::Week(year, week) => format!("week {week} of {year:04}"),
        Period::Month(year, month) => format!("{} {year:04}", month_name(month)),
        Period::Quarter(year, quarter) => format!("Q{quarter} {year:04}"),
        Period::Year(year @ 1900..=2199) => year.to_string(),
        Period::Year(year) => format!("year {year:04}"),
    }
}
