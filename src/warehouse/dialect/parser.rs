//! How the text of a dialect is read, where metrex looks at SQL it did not write.

use sqlparser::dialect::{DuckDbDialect, PostgreSqlDialect, SQLiteDialect};

use super::Dialect;

impl Dialect {
    /// The parser's idea of this dialect.
    pub fn parser(self) -> &'static dyn sqlparser::dialect::Dialect {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
            Self::Duckdb => &DuckDbDialect {},
        }
    }
}
