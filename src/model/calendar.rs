//! Time as queries see it: grains, calendar periods, relative ranges and their resolution against a given day.

use std::fmt;

use indexmap::IndexMap;
use jiff::civil::{Date, Weekday as CivilWeekday, date};
use jiff::{Span, ToSpan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Place;

/// Day a week starts on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// ISO 8601.
    #[default]
    Monday,
    /// Sunday.
    Sunday,
}

/// Project-wide calendar settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Day a week starts on.
    pub week_start: Weekday,
    /// Month in which the fiscal year begins, 1 to 12; it is named after the year in which it ends.
    pub fiscal_year_start: i8,
    /// IANA time zone in which days begin; also the session zone of PostgreSQL.
    pub timezone: String,
    /// A table of days with periods of its own: fiscal years, retail months.
    pub table: Option<CalendarTable>,
    /// Tables of the periods of grains below a day.
    pub spines: Vec<Spine>,
}

impl Calendar {
    /// The table that says from when to when there are periods of a grain below a day: its own, else one of a finer grain.
    pub fn spine(&self, grain: Grain) -> Option<&Spine> {
        let spines = self.spines.iter().filter(|spine| spine.grain <= grain);
        spines.max_by_key(|spine| spine.grain)
    }
}

/// A table with one row per hour, minute or second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spine {
    /// Where it is declared.
    pub place: Place,
    /// What its rows are.
    pub grain: Grain,
    /// The table, as `table` or `schema.table`.
    pub table: String,
    /// The column with the time.
    pub column: String,
}

/// A calendar kept in a table with one row per day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarTable {
    /// Where it is declared.
    pub place: Place,
    /// The table, as `table` or `schema.table`.
    pub table: String,
    /// The column with the day.
    pub date: String,
    /// Periods by name, in the order of the file. One named like a grain (`month`) takes its place.
    pub periods: IndexMap<String, CalendarPeriod>,
}

impl CalendarTable {
    /// The period that a name means, `fiscal_quarter` or `paid_at.fiscal_quarter`, and the time it is of.
    pub fn named<'a>(&'a self, name: &'a str) -> Option<(&'a CalendarPeriod, Option<&'a str>)> {
        let (of, period) = match name.rsplit_once('.') {
            Some((of, period)) => (Some(of), period),
            None => (None, name),
        };
        Some((self.periods.get(period)?, of))
    }
}

/// A period of the calendar table: days that follow each other with one value. They are in order of their first days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarPeriod {
    /// Name in query lines: `fiscal_quarter`.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The column whose value tells the periods apart.
    pub column: String,
    /// Name for people.
    pub label: String,
    /// The column with the value that the period before has; otherwise it is counted out from the order of the periods.
    pub previous: Option<String>,
    /// The column with the value that the same period of the year before has.
    pub year_ago: Option<String>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            week_start: Weekday::Monday,
            fiscal_year_start: 1,
            timezone: "UTC".to_owned(),
            table: None,
            spines: Vec::new(),
        }
    }
}

/// A time grain, from fine to coarse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// Second.
    Second,
    /// Minute.
    Minute,
    /// Hour.
    Hour,
    /// Day.
    Day,
    /// Week, from the calendar's week start.
    Week,
    /// Month.
    Month,
    /// Quarter.
    Quarter,
    /// Year.
    Year,
}

impl Grain {
    /// Every grain, from fine to coarse.
    pub const ALL: [Self; 8] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// The word used in query lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The grain a word names, singular or plural, ignoring case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let singular = word.strip_suffix('s').unwrap_or(&word);
        Self::ALL.into_iter().find(|grain| grain.word() == singular)
    }

    /// Whether it is finer than a day.
    pub fn is_sub_day(self) -> bool {
        self < Self::Day
    }

    /// `n` units of this grain as a calendar span; less than a day counts as none, ranges being whole days.
    pub fn span(self, n: i32) -> Span {
        let n = i64::from(n);
        match self {
            Self::Second | Self::Minute | Self::Hour => Span::new(),
            Self::Day => Span::new().days(n),
            Self::Week => Span::new().weeks(n),
            Self::Month => Span::new().months(n),
            Self::Quarter => Span::new().months(n.saturating_mul(3)),
            Self::Year => Span::new().years(n),
        }
    }

    /// First day of the period that `day` lies in.
    pub fn floor(self, day: Date, week_start: Weekday) -> Date {
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::Day => day,
            Self::Week => {
                let back = match week_start {
                    Weekday::Monday => day.weekday().to_monday_zero_offset(),
                    Weekday::Sunday => day.weekday().to_sunday_zero_offset(),
                };
                day.saturating_sub(Span::new().days(i64::from(back)))
            }
            Self::Month => day.first_of_month(),
            Self::Quarter => date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
            Self::Year => day.first_of_year(),
        }
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A part of a date or time that comes round again: all Mondays, every March.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// Hour of the day, 0 to 23.
    HourOfDay,
    /// Day of the week: 1 is Monday, 7 is Sunday (ISO 8601).
    Weekday,
    /// Day of the month, 1 to 31.
    DayOfMonth,
    /// Day of the year, 1 to 366.
    DayOfYear,
    /// ISO week, 1 to 53.
    WeekOfYear,
    /// Month, 1 to 12.
    MonthOfYear,
    /// Quarter, 1 to 4.
    QuarterOfYear,
    /// The year as a number.
    YearNumber,
}

impl DatePart {
    /// Every part.
    pub const ALL: [Self; 8] = [
        Self::HourOfDay,
        Self::Weekday,
        Self::DayOfMonth,
        Self::DayOfYear,
        Self::WeekOfYear,
        Self::MonthOfYear,
        Self::QuarterOfYear,
        Self::YearNumber,
    ];

    /// The word used in query lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::HourOfDay => "hour_of_day",
            Self::Weekday => "weekday",
            Self::DayOfMonth => "day_of_month",
            Self::DayOfYear => "day_of_year",
            Self::WeekOfYear => "week_of_year",
            Self::MonthOfYear => "month_of_year",
            Self::QuarterOfYear => "quarter_of_year",
            Self::YearNumber => "year_number",
        }
    }

    /// The grain whose periods it numbers; `None` for what comes round by itself within any period.
    pub fn period(self) -> Option<Grain> {
        match self {
            Self::MonthOfYear => Some(Grain::Month),
            Self::QuarterOfYear => Some(Grain::Quarter),
            Self::YearNumber => Some(Grain::Year),
            Self::HourOfDay
            | Self::Weekday
            | Self::DayOfMonth
            | Self::DayOfYear
            | Self::WeekOfYear => None,
        }
    }

    /// The part a word names, ignoring case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|part| part.word().eq_ignore_ascii_case(word))
    }
}

/// A calendar period written out: `2025`, `2025Q3`, `2025-11`, `2025-W45`, `2025-11-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Period {
    /// One day.
    Day(Date),
    /// ISO week (always from Monday): year and week number.
    Week(i16, i8),
    /// Year and month.
    Month(i16, i8),
    /// Year and quarter.
    Quarter(i16, i8),
    /// Year.
    Year(i16),
}

impl Period {
    /// The half-open days of the period; `None` where no such period exists (week 53 of a short year).
    pub fn days(self) -> Option<(Date, Date)> {
        let (start, span) = match self {
            Self::Day(day) => (day, 1.day()),
            Self::Week(year, week) => {
                let start = jiff::civil::ISOWeekDate::new(year, week, CivilWeekday::Monday).ok()?;
                (start.date(), 1.week())
            }
            Self::Month(year, month) => (Date::new(year, month, 1).ok()?, 1.month()),
            Self::Quarter(year, quarter) => (
                Date::new(
                    year,
                    quarter.checked_sub(1)?.checked_mul(3)?.checked_add(1)?,
                    1,
                )
                .ok()?,
                3.months(),
            ),
            Self::Year(year) => (Date::new(year, 1, 1).ok()?, 1.year()),
        };
        Some((start, start.checked_add(span).ok()?))
    }

    /// Reads the canonical text of a period.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| -> Option<i16> {
            (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse().ok())?
        };
        let year = text.get(..4).and_then(number)?;
        let rest = text.get(4..)?;
        let period = if rest.is_empty() {
            Self::Year(year)
        } else if let Some(quarter) = rest.strip_prefix(['Q', 'q']).or(rest.strip_prefix("-Q")) {
            Self::Quarter(year, i8::try_from(number(quarter)?).ok()?)
        } else if let Some(week) = rest.strip_prefix("-W").or(rest.strip_prefix(['W', 'w'])) {
            (week.len() == 2).then_some(())?;
            Self::Week(year, i8::try_from(number(week)?).ok()?)
        } else {
            let rest = rest.strip_prefix('-')?;
            match rest.split_once('-') {
                None => {
                    (rest.len() == 2).then_some(())?;
                    Self::Month(year, i8::try_from(number(rest)?).ok()?)
                }
                Some((month, day)) => {
                    (month.len() == 2 && day.len() == 2).then_some(())?;
                    let month = i8::try_from(number(month)?).ok()?;
                    Self::Day(Date::new(year, month, i8::try_from(number(day)?).ok()?).ok()?)
                }
            }
        };
        period.days().map(|_| period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Week(year, week) => write!(f, "{year:04}-W{week:02}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Quarter(year, quarter) => write!(f, "{year:04}Q{quarter}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

/// A time range as asked for, not yet resolved to days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeRange {
    /// No limit.
    AllTime,
    /// The whole current period: `today`, `this month`.
    This(Grain),
    /// `yesterday`, `last month`, `last 6 months`: complete periods before the current one.
    Last(u32, Grain),
    /// `rolling 6 months`: ends with today.
    Rolling(u32, Grain),
    /// `wtd`, `mtd`, `qtd`, `ytd`: from the start of the current period up to and including today.
    ToDate(Grain),
    /// `2025-11`, `2025-01..2025-03`, `since 2025-03`, `until 2025-03`: both ends inclusive as written.
    Span(Option<Period>, Option<Period>),
}

/// Half-open days `[start, end)`; an open end has no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateRange {
    /// First day.
    pub start: Option<Date>,
    /// Day after the last.
    pub end: Option<Date>,
}

impl DateRange {
    /// Number of days, where both ends are known.
    pub fn days(&self) -> Option<i32> {
        let (start, end) = (self.start?, self.end?);
        Some(start.until(end).ok()?.get_days())
    }
}

impl fmt::Display for DateRange {
    /// Inclusive, as people write it: `2025-11-01 to 2025-11-30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.end.map(|end| end.saturating_sub(1.day()));
        match (self.start, last) {
            (None, None) => f.write_str("all time"),
            (Some(start), None) => write!(f, "since {start}"),
            (None, Some(last)) => write!(f, "until {last}"),
            (Some(start), Some(last)) if start == last => write!(f, "{start}"),
            (Some(start), Some(last)) => write!(f, "{start} to {last}"),
        }
    }
}

impl TimeRange {
    /// The days meant when the current day is `today`; dates outside year 1 to 9999 saturate.
    pub fn resolve(self, today: Date, week_start: Weekday) -> DateRange {
        let tomorrow = today.saturating_add(1.day());
        let bounded = |start: Date, end: Date| DateRange {
            start: Some(start),
            end: Some(end),
        };
        match self {
            Self::AllTime => DateRange::default(),
            Self::This(grain) => {
                let start = grain.floor(today, week_start);
                bounded(start, start.saturating_add(grain.day_span(1)))
            }
            Self::Last(n, grain) => {
                let end = grain.floor(today, week_start);
                bounded(end.saturating_sub(grain.day_span(n)), end)
            }
            Self::Rolling(n, grain) => {
                bounded(tomorrow.saturating_sub(grain.day_span(n)), tomorrow)
            }
            Self::ToDate(grain) => bounded(grain.floor(today, week_start), tomorrow),
            Self::Span(from, to) => DateRange {
                start: from.and_then(Period::days).map(|(start, _)| start),
                end: to.and_then(Period::days).map(|(_, end)| end),
            },
        }
    }
}

impl Grain {
    /// Like [`Grain::span`], in an unsigned count clamped to what a calendar holds; less than a day counts as a day.
    pub fn day_span(self, n: u32) -> Span {
        let n = i32::try_from(n.min(9_998)).unwrap_or(9_998);
        match self {
            Self::Second | Self::Minute | Self::Hour => Self::Day.span(n),
            grain => grain.span(n),
        }
    }
}
