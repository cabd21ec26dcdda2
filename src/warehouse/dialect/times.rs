//! Dates and times: literals, the period a time lies in, and its parts.

use jiff::civil::Date;

use super::Dialect;
use crate::model::{ColumnType, DatePart, Grain, Weekday};

impl Dialect {
    /// A date literal.
    pub fn date(self, date: Date) -> String {
        match self {
            Self::Sqlite => format!("'{date}'"),
            // A plain `Date` ends in 2149.
            Self::Clickhouse => format!("toDate32('{date}')"),
            _ => format!("DATE '{date}'"),
        }
    }

    /// A time expression as something that compares with [`Dialect::timestamp`]: SQLite's texts differ in form
    /// (`T` or a space, with or without fractions of a second).
    pub fn instant(self, expr: &str) -> String {
        match self {
            Self::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', {expr})"),
            // Columns are points in time or local times there, which do not compare.
            Self::Bigquery => self.cast(expr, ColumnType::Timestamp),
            _ => expr.to_owned(),
        }
    }

    /// A literal for a date with a time of day.
    pub fn timestamp(self, at: jiff::civil::DateTime) -> String {
        match self {
            Self::Sqlite => format!("'{}'", at.strftime("%Y-%m-%d %H:%M:%S%.3f")),
            Self::Bigquery => format!("DATETIME '{}'", at.strftime("%Y-%m-%d %H:%M:%S%.f")),
            Self::Clickhouse => {
                let text = at.strftime("%Y-%m-%d %H:%M:%S%.f");
                format!("toDateTime64('{text}', 6)")
            }
            Self::Spark => format!("TIMESTAMP_NTZ '{}'", at.strftime("%Y-%m-%d %H:%M:%S%.f")),
            _ => {
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
            _ => {
                let local = self.cast(expr, ColumnType::Timestamp);
                let start = match grain {
                    Grain::Week => self.week(&local, week_start),
                    grain => self.trunc_local(&local, grain),
                };
                match grain.is_sub_day() {
                    true => start,
                    false => self.cast(&start, ColumnType::Date),
                }
            }
        }
    }

    /// The first day of the week of a timestamp.
    fn week(self, local: &str, week_start: Weekday) -> String {
        let is_monday = week_start == Weekday::Monday;
        match self {
            Self::Bigquery => {
                let day = if is_monday { "MONDAY" } else { "SUNDAY" };
                format!("DATE_TRUNC(CAST({local} AS DATE), WEEK({day}))")
            }
            Self::Clickhouse => format!("toStartOfWeek({local}, {})", u8::from(is_monday)),
            // A parameter of the account decides which day `week` begins on.
            Self::Snowflake if is_monday => self.add(local, "1 - DAYOFWEEKISO({at})", "day"),
            Self::Snowflake => self.add(local, "-(DAYOFWEEKISO({at}) % 7)", "day"),
            _ if is_monday => self.trunc_local(local, Grain::Week),
            _ => {
                let monday = self.trunc_local(&self.add(local, "1", "day"), Grain::Week);
                self.add(&monday, "-1", "day")
            }
        }
    }

    /// The start of the period of a timestamp; weeks begin on Monday.
    fn trunc_local(self, local: &str, grain: Grain) -> String {
        match self {
            Self::Bigquery => format!(
                "DATETIME_TRUNC({local}, {})",
                grain.to_string().to_uppercase()
            ),
            _ => format!("date_trunc('{grain}', {local})"),
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
            _ => {
                let field = match part {
                    DatePart::HourOfDay => "hour",
                    DatePart::Weekday => return self.weekday(expr),
                    DatePart::DayOfMonth => "day",
                    DatePart::DayOfYear => match self {
                        Self::Bigquery | Self::Snowflake => "dayofyear",
                        Self::Trino => "day_of_year",
                        _ => "doy",
                    },
                    DatePart::WeekOfYear => match self {
                        Self::Bigquery => "isoweek",
                        Self::Snowflake => "weekiso",
                        _ => "week",
                    },
                    DatePart::MonthOfYear => "month",
                    DatePart::QuarterOfYear => "quarter",
                    DatePart::YearNumber => "year",
                };
                let local = self.cast(expr, ColumnType::Timestamp);
                match (self, part) {
                    (Self::Clickhouse, DatePart::DayOfYear) => format!("toDayOfYear({local})"),
                    (Self::Clickhouse, DatePart::WeekOfYear) => format!("toISOWeek({local})"),
                    _ => format!("EXTRACT({field} FROM {local})"),
                }
            }
        };
        self.cast(&sql, ColumnType::Integer)
    }

    /// The day of the week, from 1 for Monday to 7.
    fn weekday(self, expr: &str) -> String {
        let local = self.cast(expr, ColumnType::Timestamp);
        let sql = match self {
            Self::Trino => format!("day_of_week({local})"),
            Self::Snowflake => format!("DAYOFWEEKISO({local})"),
            Self::Clickhouse => format!("toDayOfWeek({local})"),
            // These count from Sunday: from 1, and Redshift from 0.
            Self::Bigquery => format!("MOD(EXTRACT(DAYOFWEEK FROM {local}) + 5, 7) + 1"),
            Self::Spark => format!("(dayofweek({local}) + 5) % 7 + 1"),
            Self::Redshift => format!("(EXTRACT(dow FROM {local}) + 6) % 7 + 1"),
            _ => format!("EXTRACT(isodow FROM {local})"),
        };
        self.cast(&sql, ColumnType::Integer)
    }
}
