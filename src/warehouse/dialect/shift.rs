//! Dates moved by months or days.

use super::Dialect;
use crate::model::ColumnType;

/// A distance in time that exists on every engine: months for month, quarter and year, days for day and week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Whole months.
    Months(i32),
    /// Whole days.
    Days(i32),
    /// Seconds, for distances below a day.
    Seconds(i64),
}

impl Dialect {
    /// A date expression moved by whole months or days.
    pub fn shift(self, date: &str, by: Shift) -> String {
        match (self, by) {
            // A date has no seconds: what is moved by them is moved as a time, before it is truncated.
            (_, Shift::Seconds(_)) => date.to_owned(),
            // A month's end stays within its month, as on every other engine.
            (Self::Sqlite, Shift::Months(n)) => format!("date({date}, '{n:+} months', 'floor')"),
            (Self::Sqlite, Shift::Days(n)) => format!("date({date}, '{n:+} days')"),
            (_, Shift::Months(n)) => {
                self.cast(&self.add(date, &n.to_string(), "month"), ColumnType::Date)
            }
            (_, Shift::Days(n)) => {
                self.cast(&self.add(date, &n.to_string(), "day"), ColumnType::Date)
            }
        }
    }

    /// The same for a point in time, whose time of day stays.
    pub fn shift_timestamp(self, at: &str, by: Shift) -> String {
        let (n, unit) = match by {
            Shift::Months(n) => (i64::from(n), "month"),
            Shift::Days(n) => (i64::from(n), "day"),
            Shift::Seconds(n) => (n, "second"),
        };
        match self {
            Self::Sqlite if unit == "month" => format!("datetime({at}, '{n:+} months', 'floor')"),
            Self::Sqlite => format!("datetime({at}, '{n:+} {unit}s')"),
            _ => self.add(&self.cast(at, ColumnType::Timestamp), &n.to_string(), unit),
        }
    }

    /// `n` units after a day or point in time, on engines that have types for both. `n` is a number, or a formula over
    /// `{at}` where the engine takes one.
    pub(super) fn add(self, at: &str, n: &str, unit: &str) -> String {
        let n = n.replace("{at}", at);
        match self {
            Self::Trino => format!("date_add('{unit}', {n}, {at})"),
            Self::Snowflake | Self::Redshift => format!("DATEADD({unit}, {n}, {at})"),
            Self::Bigquery | Self::Clickhouse => format!("{at} + INTERVAL {n} {unit}"),
            Self::Spark => format!("{at} + INTERVAL '{n}' {unit}"),
            _ => format!("{at} + INTERVAL '{n} {unit}s'"),
        }
    }

    /// The condition that a day exists that many months away (31 January has no counterpart in February).
    pub fn has_counterpart(self, date: &str, months: i32) -> String {
        let shifted = self.shift(date, Shift::Months(months));
        match self {
            Self::Sqlite => format!("strftime('%d', {shifted}) = strftime('%d', {date})"),
            _ => {
                format!("EXTRACT(day FROM {shifted}) = EXTRACT(day FROM {date})")
            }
        }
    }
}
