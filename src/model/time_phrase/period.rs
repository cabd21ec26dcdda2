//! Periods of the calendar: what comes again every year or week until somebody says which one, and days as periods.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::TimeSetting;
use super::names::{month_name, weekday_name};
use crate::model::{Grain, Period, TimeRange};

/// First and last period, both included.
pub(super) type Periods = (Period, Period);

/// A time without a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recurring {
    /// Month and day.
    Day(i8, i8),
    Weekday(Weekday),
    /// ISO week.
    Week(i8),
    Month(i8),
    Quarter(i8),
    Half(i8),
    FiscalQuarter(i8),
}

/// Years to look back or ahead for one that has it: 29 February, week 53.
const YEARS: i16 = 8;

impl Recurring {
    /// The one in a year (the fiscal year, for fiscal quarters), where there is one.
    pub(super) fn at(self, year: i16, setting: &TimeSetting<'_>) -> Option<Periods> {
        let one = |period: Period| period.days().map(|_| (period, period));
        match self {
            Self::Day(month, day) => one(Period::Day(Date::new(year, month, day).ok()?)),
            Self::Weekday(_) => None,
            Self::Week(week) => one(Period::Week(year, week)),
            Self::Month(month) => one(Period::Month(year, month)),
            Self::Quarter(quarter @ 1..=4) => one(Period::Quarter(year, quarter)),
            Self::Half(half @ 1..=2) => Some((
                Period::Quarter(year, half * 2 - 1),
                Period::Quarter(year, half * 2),
            )),
            Self::FiscalQuarter(quarter @ 1..=4) => {
                let months = 3 * (i64::from(quarter) - 1);
                let start = fiscal_start(year, setting)?;
                let start = start.checked_add(Span::new().months(months)).ok()?;
                periods(start, start.checked_add(3.months()).ok()?)
            }
            Self::Quarter(_) | Self::Half(_) | Self::FiscalQuarter(_) => None,
        }
    }

    /// The one that began last, up to and including `day`.
    pub(super) fn latest(self, day: Date, setting: &TimeSetting<'_>) -> Option<Periods> {
        self.around(day, setting)
            .into_iter()
            .rev()
            .find(|(from, _)| from.days().is_some_and(|(start, _)| start <= day))
    }

    /// The one that was over last, before `day`.
    pub(super) fn latest_complete(self, day: Date, setting: &TimeSetting<'_>) -> Option<Periods> {
        self.around(day, setting)
            .into_iter()
            .rev()
            .find(|(_, to)| to.days().is_some_and(|(_, end)| end <= day))
    }

    /// The first one that begins on `day` or after it.
    pub(super) fn first(self, day: Date, setting: &TimeSetting<'_>) -> Option<Periods> {
        self.around(day, setting)
            .into_iter()
            .find(|(from, _)| from.days().is_some_and(|(start, _)| start >= day))
    }

    /// The ones near a day, in order.
    fn around(self, day: Date, setting: &TimeSetting<'_>) -> Vec<Periods> {
        match self {
            Self::Weekday(weekday) => (-7..=7)
                .filter_map(|days| day.checked_add(Span::new().days(days)).ok())
                .filter(|day| day.weekday() == weekday)
                .map(|day| (Period::Day(day), Period::Day(day)))
                .collect(),
            _ => (-YEARS..=YEARS)
                .filter_map(|years| self.at(day.year().checked_add(years)?, setting))
                .collect(),
        }
    }

    /// Its name for people, without a year.
    pub(super) fn name(self) -> String {
        match self {
            Self::Day(month, day) => format!("{day} {}", month_name(month)),
            Self::Weekday(day) => weekday_name(day),
            Self::Week(week) => format!("week {week}"),
            Self::Month(month) => month_name(month),
            Self::Quarter(quarter) => format!("Q{quarter}"),
            Self::Half(half) => format!("H{half}"),
            Self::FiscalQuarter(quarter) => format!("fiscal Q{quarter}"),
        }
    }
}

/// First day of the fiscal year that is named after `year`, the year it ends in.
fn fiscal_start(year: i16, setting: &TimeSetting<'_>) -> Option<Date> {
    let month = setting.calendar.fiscal_year_start;
    let year = if month == 1 {
        year
    } else {
        year.checked_sub(1)?
    };
    Date::new(year, month, 1).ok()
}

/// The days of a fiscal year.
pub(super) fn fiscal_year(year: i16, setting: &TimeSetting<'_>) -> Option<Periods> {
    let start = fiscal_start(year, setting)?;
    periods(start, start.checked_add(1.year()).ok()?)
}

/// The fiscal year that a day lies in.
pub(super) fn fiscal_year_of(day: Date, setting: &TimeSetting<'_>) -> i16 {
    let start = setting.calendar.fiscal_year_start;
    let next = start != 1 && day.month() >= start;
    day.year().saturating_add(i16::from(next))
}

/// Half-open days as periods, the largest that fit.
pub(super) fn periods(start: Date, end: Date) -> Option<Periods> {
    let last = end.yesterday().ok().filter(|last| *last >= start)?;
    let quarter = |day: Date| Period::Quarter(day.year(), (day.month() - 1) / 3 + 1);
    let week = |day: Date| {
        let week = day.iso_week_date();
        Period::Week(week.year(), week.week())
    };
    let monday = |day: Date| day.weekday() == Weekday::Monday;
    let whole = |grain: Grain| {
        let begins = |day: Date| grain.floor(day, crate::model::Weekday::Monday) == day;
        begins(start) && begins(end)
    };
    Some(if whole(Grain::Year) {
        (Period::Year(start.year()), Period::Year(last.year()))
    } else if whole(Grain::Quarter) {
        (quarter(start), quarter(last))
    } else if whole(Grain::Month) {
        (
            Period::Month(start.year(), start.month()),
            Period::Month(last.year(), last.month()),
        )
    } else if monday(start) && monday(end) {
        (week(start), week(last))
    } else {
        (Period::Day(start), Period::Day(last))
    })
}

/// What a range is as periods, where it has a start and an end.
pub(super) fn bounds(range: TimeRange, setting: &TimeSetting<'_>) -> Option<Periods> {
    if let TimeRange::Span(Some(from), Some(to)) = range {
        return Some((from, to));
    }
    let days = range.resolve(setting.today, setting.calendar.week_start);
    periods(days.start?, days.end?)
}

/// A range from the first of two periods through the last; `None` where it ends before it starts.
pub(super) fn span((from, to): Periods) -> Option<TimeRange> {
    let (start, end) = (from.days()?.0, to.days()?.1);
    (start < end).then_some(TimeRange::Span(Some(from), Some(to)))
}

/// The days of a range, as people write them.
pub(super) fn days(range: TimeRange, setting: &TimeSetting<'_>) -> String {
    range
        .resolve(setting.today, setting.calendar.week_start)
        .to_string()
}
