//! One time, named: "Nov 2025", "Q3", "3rd of November", "2025-W45", "FY25", "week of 3 Nov", "last month".

use super::TimeSetting;
use super::cursor::Cursor;
use super::dates::{calendar_year, day_first, iso, month_first, numeric, year_to_date};
use super::names::{month, short_weekday, weekday, weekday_name};
use super::parts::{fiscal, half, quarter, relative_part, week};
use super::period::{Recurring, periods, span};
use super::relative;
use super::span::longest;
use crate::model::{Grain, Period, TimeRange};

/// A time: known, or known but for the year.
#[derive(Debug, Clone)]
pub(super) enum When {
    Fixed(TimeRange, Option<String>),
    Recurring(Recurring),
}

impl From<TimeRange> for When {
    fn from(range: TimeRange) -> Self {
        Self::Fixed(range, None)
    }
}

/// How an ambiguous number was read; two ends of a range are read alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Any,
    /// 03/04/2025 is in April.
    DayFirst,
    /// 03/04/2025 is in March.
    MonthFirst,
    /// "nov 25" is a day.
    DayNumber,
    /// "nov 25" is in 2025.
    YearNumber,
}

/// What was said, in all its readings, or why it is no time.
pub(super) type Said = Result<Vec<(Style, When)>, String>;

pub(super) fn certain(range: TimeRange) -> Said {
    fixed(range, None)
}

pub(super) fn fixed(range: TimeRange, note: Option<String>) -> Said {
    Ok(vec![(Style::Any, When::Fixed(range, note))])
}

pub(super) fn alternatives<const N: usize>(readings: [When; N]) -> Said {
    Ok(readings.map(|when| (Style::Any, when)).to_vec())
}

pub(super) fn recurring(what: Recurring) -> Said {
    Ok(vec![(Style::Any, When::Recurring(what))])
}

pub(super) fn one(period: Period) -> Option<When> {
    Some(span((period, period))?.into())
}

/// What `what` is in `year`, or that there is none.
pub(super) fn in_year(what: Recurring, year: i16, setting: &TimeSetting<'_>) -> Said {
    match what.at(year, setting).and_then(span) {
        Some(range) => {
            let note = matches!(what, Recurring::FiscalQuarter(_))
                .then(|| super::period::days(range, setting));
            fixed(range, note)
        }
        None => Err(format!("there is no {} in {year}", what.name())),
    }
}

pub(super) type Way<'t> = Option<(Said, Cursor<'t>)>;

/// The longest time at the cursor.
pub(super) fn read<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let cursor = cursor.skip(&["the"]);
    longest([
        relative::read(cursor, setting),
        iso(cursor, setting),
        numeric(cursor, setting),
        month_first(cursor, setting),
        day_first(cursor, setting),
        quarter(cursor, setting),
        half(cursor, setting),
        fiscal(cursor, setting),
        week(cursor, setting),
        week_of(cursor, setting),
        on_weekday(cursor, setting),
        year_to_date(cursor, setting),
        calendar_year(cursor, setting),
        inexact(cursor, setting),
    ])
}

/// "week of 3 Nov", "week ending 9 Nov"
fn week_of<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let week = cursor.any(&["week", "wk"])?;
    let next = week.longest(&[
        "of",
        "starting",
        "beginning",
        "commencing",
        "from",
        "ending",
        "starting on",
        "ending on",
        "that starts on",
    ])?;
    let (said, next) = read(next.skip(&["on"]), setting)?;
    let whole = |when: When| {
        let range = resolve(when, setting)?.range;
        let day = range.resolve(setting.today, setting.calendar.week_start);
        (day.days() == Some(1)).then_some(())?;
        let start = Grain::Week.floor(day.start?, setting.calendar.week_start);
        let range = span(periods(
            start,
            start.checked_add(Grain::Week.span(1)).ok()?,
        )?)?;
        let note = super::period::days(range, setting);
        Some(When::Fixed(range, Some(note)))
    };
    let said = match said {
        Ok(readings) => {
            let readings: Vec<_> = readings
                .into_iter()
                .filter_map(|(style, when)| Some((style, whole(when)?)))
                .collect();
            (!readings.is_empty()).then_some(Ok(readings))?
        }
        Err(reason) => Err(reason),
    };
    Some((said, next))
}

/// "on Tuesday", "Monday 3 Nov", "last March"
fn on_weekday<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let months = |cursor: Cursor<'t>| {
        let (month, next) = cursor.take(month)?;
        Some((Recurring::Month(month), next))
    };
    if let Some(found) = relative_part(cursor, months, setting) {
        return Some(found);
    }
    let dated = cursor.take(short_weekday).and_then(|(day, next)| {
        let found = longest([
            month_first(next, setting),
            day_first(next.skip(&["the"]), setting),
            iso(next, setting),
            numeric(next, setting),
        ]);
        Some((day, found?))
    });
    if let Some((day, (said, next))) = dated {
        let readings = match said {
            Ok(readings) => readings,
            Err(reason) => return Some((Err(reason), next)),
        };
        let fits: Vec<_> = readings
            .into_iter()
            .filter_map(|(_, when)| {
                let range = resolve(when, setting)?.range;
                let days = range.resolve(setting.today, setting.calendar.week_start);
                let is_day = days.days() == Some(1) && days.start?.weekday() == day;
                is_day.then_some((Style::Any, When::from(range)))
            })
            .collect();
        let said = if fits.is_empty() {
            Err(format!("that day is no {}", weekday_name(day)))
        } else {
            Ok(fits)
        };
        return Some((said, next));
    }
    let (day, next) = cursor.take(weekday)?;
    Some((recurring(Recurring::Weekday(day)), next))
}

/// "early November", "end of 2025": no exact days.
fn inexact<'t>(cursor: Cursor<'t>, setting: &TimeSetting<'_>) -> Way<'t> {
    let words = [
        "early",
        "late",
        "mid",
        "middle of",
        "end of",
        "beginning of",
        "start of",
        "around",
        "about",
        "early in",
        "late in",
        "end of the",
        "the end of",
    ];
    let next = cursor.longest(&words)?.hyphen();
    let (_, next) = read(next, setting)?;
    let reason = "has no exact first and last day: name the days, as in 1 to 10 November";
    Some((Err(reason.to_owned()), next))
}

/// A range that may be meant.
#[derive(Debug, Clone)]
pub(super) struct Meant {
    pub(super) range: TimeRange,
    /// What a reader should be told.
    pub(super) note: Option<String>,
    /// Whether no year was said, and the latest one was taken.
    pub(super) is_latest: bool,
}

impl From<TimeRange> for Meant {
    fn from(range: TimeRange) -> Self {
        Self {
            range,
            note: None,
            is_latest: false,
        }
    }
}

/// The range of a time, where the year is not said the latest one that has begun.
pub(super) fn resolve(when: When, setting: &TimeSetting<'_>) -> Option<Meant> {
    match when {
        When::Fixed(range, note) => Some(Meant {
            note,
            ..Meant::from(range)
        }),
        When::Recurring(what) => {
            let range = span(what.latest(setting.today, setting)?)?;
            let text = match what {
                Recurring::FiscalQuarter(_) => super::period::days(range, setting),
                _ => super::phrase(range),
            };
            Some(Meant {
                range,
                note: Some(format!("{text}, the latest one that has begun")),
                is_latest: true,
            })
        }
    }
}
