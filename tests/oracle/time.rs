//! Periods: where a point in time lies, and which period is so far away.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use metrex::model::{DatePart, Grain, Weekday};

use super::Value;

/// A distance in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    Months(i32),
    Days(i32),
}

impl Shift {
    pub fn of(n: u32, grain: Grain) -> Self {
        let n = i32::try_from(n).unwrap();
        match grain {
            Grain::Week => Self::Days(7 * n),
            Grain::Month => Self::Months(n),
            Grain::Quarter => Self::Months(3 * n),
            Grain::Year => Self::Months(12 * n),
            _ => Self::Days(n),
        }
    }

    pub fn back(self) -> Self {
        match self {
            Self::Months(n) => Self::Months(-n),
            Self::Days(n) => Self::Days(-n),
        }
    }

    /// The day so far away; the last of the month where that month has no such day.
    pub fn apply(self, day: Date) -> Date {
        match self {
            Self::Months(n) => day.saturating_add(n.months()),
            Self::Days(n) => day.saturating_add(n.days()),
        }
    }

    /// Whether the month so far away has such a day.
    pub fn has_counterpart(self, day: Date) -> bool {
        matches!(self, Self::Days(_)) || self.apply(day).day() == day.day()
    }
}

/// The start of the period that a point in time lies in.
pub fn floor(at: DateTime, grain: Grain, week_start: Weekday) -> Value {
    let time = |hour, minute, second| Value::Time(at.date().at(hour, minute, second, 0));
    match grain {
        Grain::Second => time(at.hour(), at.minute(), at.second()),
        Grain::Minute => time(at.hour(), at.minute(), 0),
        Grain::Hour => time(at.hour(), 0, 0),
        _ => Value::Date(first_day(at.date(), grain, week_start)),
    }
}

/// The first day of the period that a day lies in, found by walking back.
pub fn first_day(day: Date, grain: Grain, week_start: Weekday) -> Date {
    let starts = |day: Date| match grain {
        Grain::Week => match week_start {
            Weekday::Monday => day.weekday() == jiff::civil::Weekday::Monday,
            Weekday::Sunday => day.weekday() == jiff::civil::Weekday::Sunday,
        },
        Grain::Month => day.day() == 1,
        Grain::Quarter => day.day() == 1 && matches!(day.month(), 1 | 4 | 7 | 10),
        Grain::Year => day.day() == 1 && day.month() == 1,
        _ => true,
    };
    let mut day = day;
    while !starts(day) {
        day = day.yesterday().unwrap();
    }
    day
}

/// The first day of the next period.
pub fn next_period(first: Date, grain: Grain, week_start: Weekday) -> Date {
    let mut day = first.tomorrow().unwrap();
    while first_day(day, grain, week_start) != day {
        day = day.tomorrow().unwrap();
    }
    day
}

/// The part of a point in time.
pub fn part(at: DateTime, part: DatePart) -> Value {
    let number = match part {
        DatePart::HourOfDay => i32::from(at.hour()),
        DatePart::Weekday => i32::from(at.weekday().to_monday_one_offset()),
        DatePart::DayOfMonth => i32::from(at.day()),
        DatePart::DayOfYear => i32::from(at.date().day_of_year()),
        DatePart::WeekOfYear => i32::from(at.date().iso_week_date().week()),
        DatePart::MonthOfYear => i32::from(at.month()),
        DatePart::QuarterOfYear => (i32::from(at.month()) + 2) / 3,
        DatePart::YearNumber => i32::from(at.year()),
    };
    Value::Number(f64::from(number))
}
