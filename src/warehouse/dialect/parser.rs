//! How the text of a dialect is read, where metrex looks at SQL it did not write.

use sqlparser::dialect::{
    BigQueryDialect, ClickHouseDialect, DatabricksDialect, DuckDbDialect, GenericDialect,
    PostgreSqlDialect, RedshiftSqlDialect, SQLiteDialect, SnowflakeDialect,
};

use super::Dialect;

impl Dialect {
    /// The parser's idea of this dialect.
    pub fn parser(self) -> &'static dyn sqlparser::dialect::Dialect {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
            Self::Duckdb => &DuckDbDialect {},
            Self::Trino => &GenericDialect {},
            Self::Snowflake => &SnowflakeDialect,
            Self::Bigquery => &BigQueryDialect,
            Self::Redshift => &RedshiftSqlDialect {},
            Self::Clickhouse => &ClickHouseDialect {},
            Self::Spark => &DatabricksDialect {},
        }
    }
}
