//! Column types, and what values of them are written like.

use super::Dialect;
use crate::model::ColumnType;

impl Dialect {
    /// The name of a column type.
    pub fn type_name(self, ty: ColumnType) -> &'static str {
        match (self, ty) {
            (_, ColumnType::Text) => "text",
            (Self::Sqlite, ColumnType::Integer | ColumnType::Boolean) => "integer",
            (Self::Sqlite, ColumnType::Number) => "real",
            (Self::Sqlite, ColumnType::Date | ColumnType::Timestamp) => "text",
            (Self::Postgres | Self::Duckdb, ColumnType::Integer) => "bigint",
            (Self::Postgres, ColumnType::Number) => "double precision",
            (Self::Duckdb, ColumnType::Number) => "double",
            (Self::Postgres | Self::Duckdb, ColumnType::Boolean) => "boolean",
            (Self::Postgres | Self::Duckdb, ColumnType::Date) => "date",
            (Self::Postgres | Self::Duckdb, ColumnType::Timestamp) => "timestamp",
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
            Self::Postgres | Self::Duckdb => self.cast(expr, ColumnType::Text),
        }
    }

    /// The condition that a boolean expression has this value.
    pub fn is_boolean(self, expr: &str, value: bool) -> String {
        match (self, value) {
            (Self::Sqlite, value) => format!("{expr} = {}", u8::from(value)),
            (Self::Postgres | Self::Duckdb, value) => format!("{expr} = {value}"),
        }
    }
}
