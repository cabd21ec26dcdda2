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
}

impl Dialect {
    /// A date expression moved by whole months or days.
    pub fn shift(self, date: &str, by: Shift) -> String {
        let (n, unit) = match by {
            Shift::Months(n) => (n, "months"),
            Shift::Days(n) => (n, "days"),
        };
        match self {
            // A month's end stays within its month, as on every other engine.
            Self::Sqlite if unit == "months" => format!("date({date}, '{n:+} months', 'floor')"),
            Self::Sqlite => format!("date({date}, '{n:+} {unit}')"),
            Self::Postgres | Self::Duckdb => {
                self.cast(&format!("{date} + INTERVAL '{n} {unit}'"), ColumnType::Date)
            }
        }
    }

    /// The same for a timestamp; only days, since months of different length have no common hours.
    pub fn shift_timestamp(self, at: &str, days: i32) -> String {
        match self {
            Self::Sqlite => format!("datetime({at}, '{days:+} days')"),
            Self::Postgres | Self::Duckdb => format!("{at} + INTERVAL '{days} days'"),
        }
    }

    /// The condition that a day exists that many months away (31 January has no counterpart in February).
    pub fn has_counterpart(self, date: &str, months: i32) -> String {
        let shifted = self.shift(date, Shift::Months(months));
        match self {
            Self::Sqlite => format!("strftime('%d', {shifted}) = strftime('%d', {date})"),
            Self::Postgres | Self::Duckdb => {
                format!("EXTRACT(day FROM {shifted}) = EXTRACT(day FROM {date})")
            }
        }
    }
}
