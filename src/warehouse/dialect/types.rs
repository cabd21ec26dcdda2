//! Column types, and what values of them are written like.

use super::Dialect;
use crate::model::ColumnType;

impl Dialect {
    /// The name of a column type.
    pub fn type_name(self, ty: ColumnType) -> &'static str {
        use ColumnType as T;
        match self {
            Self::Sqlite => match ty {
                T::Integer | T::Boolean => "integer",
                T::Number => "real",
                T::Text | T::Date | T::Timestamp => "text",
            },
            Self::Bigquery => match ty {
                T::Text => "STRING",
                T::Integer => "INT64",
                T::Number => "FLOAT64",
                T::Boolean => "BOOL",
                T::Date => "DATE",
                T::Timestamp => "DATETIME",
            },
            Self::Spark => match ty {
                T::Text => "string",
                T::Integer => "bigint",
                T::Number => "double",
                T::Boolean => "boolean",
                T::Date => "date",
                T::Timestamp => "timestamp_ntz",
            },
            // A conversion of NULL to a type that is not nullable is an error there.
            Self::Clickhouse => match ty {
                T::Text => "Nullable(String)",
                T::Integer => "Nullable(Int64)",
                T::Number => "Nullable(Float64)",
                T::Boolean => "Nullable(Bool)",
                T::Date => "Nullable(Date32)",
                T::Timestamp => "Nullable(DateTime64(6))",
            },
            Self::Postgres | Self::Duckdb | Self::Trino | Self::Snowflake | Self::Redshift => {
                match (ty, self) {
                    (T::Text, Self::Postgres | Self::Duckdb) => "text",
                    // `text` is cut after 256 bytes there.
                    (T::Text, Self::Redshift) => "varchar(65535)",
                    (T::Text, _) => "varchar",
                    (T::Integer, _) => "bigint",
                    (T::Number, Self::Postgres | Self::Redshift) => "double precision",
                    (T::Number, _) => "double",
                    (T::Boolean, _) => "boolean",
                    (T::Date, _) => "date",
                    (T::Timestamp, Self::Trino) => "timestamp(6)",
                    (T::Timestamp, Self::Snowflake) => "timestamp_ntz",
                    (T::Timestamp, _) => "timestamp",
                }
            }
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
            _ => self.cast(expr, ColumnType::Text),
        }
    }

    /// The condition that a boolean expression has this value.
    pub fn is_boolean(self, expr: &str, value: bool) -> String {
        match (self, value) {
            (Self::Sqlite, value) => format!("{expr} = {}", u8::from(value)),
            (_, value) => format!("{expr} = {value}"),
        }
    }
}
