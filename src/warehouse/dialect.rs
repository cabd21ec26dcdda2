//! What differs between SQL engines. Names and literals are quoted here and nowhere else.

use jiff::civil::Date;
use sqlparser::ast::Ident;

use super::reserved::is_reserved;
use crate::model::{Aggregate, ColumnType, DatePart, Grain, Weekday};

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 12 or newer, AlloyDB.
    Postgres,
}

/// A distance in time that exists on every engine: months for month, quarter and year, days for day and week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Whole months.
    Months(i32),
    /// Whole days.
    Days(i32),
}

impl Dialect {
    /// The word used in options and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// An identifier, quoted unless it is a plain lower-case word that is not reserved.
    pub fn name(self, name: &str) -> String {
        self.ident(name).to_string()
    }

    /// An identifier for a parsed expression, quoted by the same rule as [`Dialect::name`].
    pub fn ident(self, name: &str) -> Ident {
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !is_reserved(name);
        // A NUL cannot be part of a name on any engine; it would end the statement early.
        let name = name.replace('\0', "");
        if plain {
            Ident::new(name)
        } else {
            Ident::with_quote('"', name)
        }
    }

    /// A table name; `schema.table` is quoted part by part.
    pub fn table(self, table: &str) -> String {
        let parts: Vec<_> = table.split('.').map(|part| self.name(part)).collect();
        parts.join(".")
    }

    /// A text literal.
    pub fn text(self, text: &str) -> String {
        // A NUL cannot be part of a text on any engine; it would end the statement early.
        format!("'{}'", text.replace('\0', "").replace('\'', "''"))
    }

    /// A date literal.
    pub fn date(self, date: Date) -> String {
        match self {
            Self::Sqlite => format!("'{date}'"),
            Self::Postgres => format!("DATE '{date}'"),
        }
    }

    /// A time expression as something that compares with [`Dialect::timestamp`]: SQLite's texts differ in form
    /// (`T` or a space, with or without fractions of a second).
    pub fn instant(self, expr: &str) -> String {
        match self {
            Self::Sqlite => format!("strftime('%Y-%m-%d %H:%M:%f', {expr})"),
            Self::Postgres => expr.to_owned(),
        }
    }

    /// A literal for a date with a time of day.
    pub fn timestamp(self, at: jiff::civil::DateTime) -> String {
        match self {
            Self::Sqlite => format!("'{}'", at.strftime("%Y-%m-%d %H:%M:%S%.3f")),
            Self::Postgres => format!("TIMESTAMP '{}'", at.strftime("%Y-%m-%d %H:%M:%S%.f")),
        }
    }

    /// The condition that a boolean expression has this value.
    pub fn is_boolean(self, expr: &str, value: bool) -> String {
        match (self, value) {
            (Self::Sqlite, value) => format!("{expr} = {}", u8::from(value)),
            (Self::Postgres, value) => format!("{expr} = {value}"),
        }
    }

    /// The name of a column type.
    pub fn type_name(self, ty: ColumnType) -> &'static str {
        match (self, ty) {
            (_, ColumnType::Text) => "text",
            (Self::Sqlite, ColumnType::Integer | ColumnType::Boolean) => "integer",
            (Self::Sqlite, ColumnType::Number) => "real",
            (Self::Sqlite, ColumnType::Date | ColumnType::Timestamp) => "text",
            (Self::Postgres, ColumnType::Integer) => "bigint",
            (Self::Postgres, ColumnType::Number) => "double precision",
            (Self::Postgres, ColumnType::Boolean) => "boolean",
            (Self::Postgres, ColumnType::Date) => "date",
            (Self::Postgres, ColumnType::Timestamp) => "timestamp",
        }
    }

    /// `expr` as that type.
    pub fn cast(self, expr: &str, ty: ColumnType) -> String {
        format!("CAST({expr} AS {})", self.type_name(ty))
    }

    /// A text expression with the one type that columns stacked by `UNION ALL` need.
    pub fn as_text(self, expr: &str) -> String {
        match self {
            Self::Sqlite => expr.to_owned(),
            Self::Postgres => self.cast(expr, ColumnType::Text),
        }
    }

    /// A function of the registry's expressions as this engine has it; `None` where it is the same everywhere.
    pub fn function(self, name: &str, args: &[String]) -> Option<String> {
        match (self, name.to_ascii_lowercase().as_str(), args) {
            // PostgreSQL rounds only numeric to a number of digits.
            (Self::Postgres, "round", [x, digits]) => Some(self.cast(
                &format!("round(CAST({x} AS numeric), {digits})"),
                ColumnType::Number,
            )),
            _ => None,
        }
    }

    /// Numerator over denominator: never truncated to an integer, NULL for a zero denominator.
    pub fn divide(self, numerator: &str, denominator: &str) -> String {
        format!(
            "{} / NULLIF({denominator}, 0)",
            self.cast(numerator, ColumnType::Number)
        )
    }

    /// A pattern match that ignores case; `\` escapes `%` and `_`.
    pub fn like(self, expr: &str, pattern: &str, negated: bool) -> String {
        let not = if negated { "NOT " } else { "" };
        let pattern = self.text(pattern);
        match self {
            Self::Sqlite => format!("{expr} {not}LIKE {pattern} ESCAPE '\\'"),
            Self::Postgres => format!("CAST({expr} AS text) {not}ILIKE {pattern}"),
        }
    }

    /// An aggregate call; without an expression, the number of rows.
    pub fn aggregate(self, agg: Aggregate, expr: Option<&str>) -> String {
        let Some(expr) = expr else {
            return "COUNT(*)".to_owned();
        };
        let call = match agg {
            Aggregate::Count => return format!("COUNT({expr})"),
            Aggregate::CountDistinct => return format!("COUNT(DISTINCT {expr})"),
            // The type of the smallest and largest is the type of the values.
            Aggregate::Min => return format!("MIN({expr})"),
            Aggregate::Max => return format!("MAX({expr})"),
            Aggregate::Sum => format!("SUM({expr})"),
            Aggregate::Avg => format!("AVG({expr})"),
            Aggregate::SumBoolean => return self.count_if(expr),
            Aggregate::Stddev => format!("stddev_samp({expr})"),
            Aggregate::StddevPopulation => format!("stddev_pop({expr})"),
            Aggregate::Variance => format!("var_samp({expr})"),
            Aggregate::VariancePopulation => format!("var_pop({expr})"),
            Aggregate::PercentileDiscrete(p) => match self {
                Self::Sqlite => format!("percentile_disc({expr}, {})", trimmed(p)),
                Self::Postgres => {
                    format!(
                        "percentile_disc({}) WITHIN GROUP (ORDER BY {expr})",
                        trimmed(p)
                    )
                }
            },
            Aggregate::Percentile(p) => match self {
                Self::Sqlite => format!("percentile({expr}, {})", trimmed(p * 100.0)),
                Self::Postgres => {
                    format!(
                        "percentile_cont({}) WITHIN GROUP (ORDER BY {expr})",
                        trimmed(p)
                    )
                }
            },
        };
        self.cast(&call, ColumnType::Number)
    }

    /// The number of rows for which a boolean expression is true.
    fn count_if(self, expr: &str) -> String {
        format!("COUNT(CASE WHEN {expr} THEN 1 END)")
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
            Self::Postgres => {
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
            Self::Postgres => {
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

    /// A date expression moved by whole months or days.
    pub fn shift(self, date: &str, by: Shift) -> String {
        let (n, unit) = match by {
            Shift::Months(n) => (n, "months"),
            Shift::Days(n) => (n, "days"),
        };
        match self {
            Self::Sqlite => format!("date({date}, '{n:+} {unit}')"),
            Self::Postgres => {
                self.cast(&format!("{date} + INTERVAL '{n} {unit}'"), ColumnType::Date)
            }
        }
    }

    /// The same for a timestamp; only days, since months of different length have no common hours.
    pub fn shift_timestamp(self, at: &str, days: i32) -> String {
        match self {
            Self::Sqlite => format!("datetime({at}, '{days:+} days')"),
            Self::Postgres => format!("{at} + INTERVAL '{days} days'"),
        }
    }

    /// The condition that a day exists that many months away (31 January has no counterpart in February).
    pub fn has_counterpart(self, date: &str, months: i32) -> String {
        let shifted = self.shift(date, Shift::Months(months));
        match self {
            Self::Sqlite => format!("strftime('%d', {shifted}) = strftime('%d', {date})"),
            Self::Postgres => {
                format!("EXTRACT(day FROM {shifted}) = EXTRACT(day FROM {date})")
            }
        }
    }

    /// `ORDER BY` key; NULL comes last in either direction on every engine.
    pub fn order(self, column: &str, descending: bool) -> String {
        format!(
            "{column}{} NULLS LAST",
            if descending { " DESC" } else { "" }
        )
    }
}

/// A number without the noise of binary fractions (0.95 * 100 is 95, not 94.99999999999999).
fn trimmed(x: f64) -> f64 {
    (x * 1e9).round() / 1e9
}
