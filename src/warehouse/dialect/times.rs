//! Dates and times: literals, the period a time lies in, and its parts.

use jiff::civil::Date;

use super::Dialect;
use crate::model::{ColumnType, DatePart, Grain, Weekday};

impl Dialect {
    /// A date literal.
    pub fn date(self, date: Date) -> String {
        match self {
            Self::Sqlite => format!("'{date}'"),
            Self::Postgres | Self::Duckdb => format!("DATE '{date}'"),
        }
    }

    /// A time expression as something that compares with [`Dialect::timestamp`]: SQLite's texts differ in form
    /// (`T` or a space, with or without fractions of a second).
    pub fn instant(self, expr: &str) -> String {
        match self {
            Self::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', {expr})"),
            Self::Postgres | Self::Duckdb => expr.to_owned(),
        }
    }

    /// A literal for a date with a time of day.
    pub fn timestamp(self, at: jiff::civil::DateTime) -> String {
        match self {
            Self::Sqlite => format!("'{}'", at.strftime("%Y-%m-%d %H:%M:%S%.3f")),
            Self::Postgres | Self::Duckdb => {
                format!("TIMESTAMP '{}'", at.strftime("%Y-%m-%d %H:%M:%S%.f"))
            }
        }
    }

    /// The first day (for `hour`: the first second) of the period that a time expression lies in.
    pub fn trunc(self, expr: &str, grain: Grain, week_start: Weekday) -> String {
        match self {
            Self::Sqlite => match grain {
                Grain::Second => format!("strftime('%Y-%m-%d %H:%M:%S', {expr})"),
                Grain::Minute => format!("strftime('%Y-%m-%d %H:%M:00', {expr})"),
                Grain::Hour => format!("strftime('%Y-%m-%d %H:00:00', {expr})"),
                Grain::Day => format!("date({expr})"),
                Grain::Week => {
                    let weekday = if week_start == Weekday::Monday { 1 } else { 0 };
                    format!("date({expr}, '-6 days', 'weekday {weekday}')")
                }
                Grain::Month => format!("date({expr}, 'start of month')"),
                Grain::Quarter => format!(
                    "date({expr}, 'start of month', '-' || ((strftime('%m', {expr}) - 1) % 3) || ' months')"
                ),
                Grain::Year => format!("date({expr}, 'start of year')"),
            },
            Self::Postgres | Self::Duckdb => {
                let local = self.cast(expr, ColumnType::Timestamp);
                match grain {
                    grain if grain.is_sub_day() => format!("date_trunc('{grain}', {local})"),
                    Grain::Week if week_start == Weekday::Sunday => self.cast(
                        &format!(
                            "date_trunc('week', {local} + INTERVAL '1 day') - INTERVAL '1 day'"
                        ),
                        ColumnType::Date,
                    ),
                    grain => {
                        self.cast(&format!("date_trunc('{grain}', {local})"), ColumnType::Date)
                    }
                }
            }
        }
    }

    /// A part of a time expression, as an integer.
    pub fn date_part(self, expr: &str, part: DatePart) -> String {
        let sql = match self {
            Self::Sqlite => match part {
                DatePart::HourOfDay => format!("strftime('%H', {expr})"),
                DatePart::Weekday => format!("strftime('%u', {expr})"),
                DatePart::DayOfMonth => format!("strftime('%d', {expr})"),
                DatePart::DayOfYear => format!("strftime('%j', {expr})"),
                DatePart::WeekOfYear => format!("strftime('%V', {expr})"),
                DatePart::MonthOfYear => format!("strftime('%m', {expr})"),
                DatePart::QuarterOfYear => format!("(strftime('%m', {expr}) + 2) / 3"),
                DatePart::YearNumber => format!("strftime('%Y', {expr})"),
            },
            Self::Postgres | Self::Duckdb => {
                let field = match part {
                    DatePart::HourOfDay => "hour",
                    DatePart::Weekday => "isodow",
                    DatePart::DayOfMonth => "day",
                    DatePart::DayOfYear => "doy",
                    DatePart::WeekOfYear => "week",
                    DatePart::MonthOfYear => "month",
                    DatePart::QuarterOfYear => "quarter",
                    DatePart::YearNumber => "year",
                };
                let local = self.cast(expr, ColumnType::Timestamp);
                format!("EXTRACT({field} FROM {local})")
            }
        };
        self.cast(&sql, ColumnType::Integer)
    }
}
