//! Functions, aggregates and orders that engines write differently.

use super::Dialect;
use crate::model::{Aggregate, ColumnType};

impl Dialect {
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
            // Without the clause, DuckDB has no escape character.
            Self::Duckdb => format!("CAST({expr} AS text) {not}ILIKE {pattern} ESCAPE '\\'"),
            Self::Trino => format!("lower({expr}) {not}LIKE lower({pattern}) ESCAPE '\\'"),
            Self::Snowflake => format!("{expr} {not}ILIKE {pattern} ESCAPE '\\\\'"),
            Self::Bigquery => format!("LOWER({expr}) {not}LIKE LOWER({pattern})"),
            Self::Redshift | Self::Clickhouse | Self::Spark => {
                format!("{expr} {not}ILIKE {pattern}")
            }
        }
    }

    /// Whether the engine has the aggregate, exactly.
    ///
    /// # Errors
    /// It has none, or only one that estimates; a sentence that names the engine.
    pub fn supports(self, agg: Aggregate) -> Result<(), String> {
        let what = match (agg, self) {
            (Aggregate::Percentile(_), Self::Trino | Self::Bigquery) => "percentile or median",
            (
                Aggregate::PercentileDiscrete(_),
                Self::Trino | Self::Bigquery | Self::Redshift | Self::Clickhouse,
            ) => "discrete percentile",
            _ => return Ok(()),
        };
        Err(format!(
            "{} has no exact {what} per group, and an estimate is not taken in its place",
            self.title()
        ))
    }

    /// An aggregate call, where the engine [`Dialect::supports`] it; without an expression, the number of rows.
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
                Self::Duckdb => format!("quantile_disc({expr}, {})", trimmed(p)),
                _ => {
                    format!(
                        "percentile_disc({}) WITHIN GROUP (ORDER BY {expr})",
                        trimmed(p)
                    )
                }
            },
            Aggregate::Percentile(p) => match self {
                Self::Sqlite => format!("percentile({expr}, {})", trimmed(p * 100.0)),
                // Of a decimal column DuckDB gives a decimal, which would be rounded between two values.
                Self::Duckdb => format!(
                    "quantile_cont({}, {})",
                    self.cast(expr, ColumnType::Number),
                    trimmed(p)
                ),
                Self::Clickhouse => format!("quantileExactInclusive({})({expr})", trimmed(p)),
                _ => {
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
