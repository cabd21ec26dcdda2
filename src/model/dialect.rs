//! The SQL dialects there are; `warehouse` knows how each is written.

/// An SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 12 or newer, AlloyDB.
    Postgres,
    /// DuckDB 1.2 or newer.
    Duckdb,
    /// Trino, Athena, Starburst.
    Trino,
    /// Snowflake.
    Snowflake,
    /// Google BigQuery (GoogleSQL).
    Bigquery,
    /// Amazon Redshift.
    Redshift,
    /// ClickHouse 24.4 or newer.
    Clickhouse,
    /// Spark SQL: Spark 3.4 or newer, Databricks, Sail.
    Spark,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 9] = [
        Self::Sqlite,
        Self::Postgres,
        Self::Duckdb,
        Self::Trino,
        Self::Snowflake,
        Self::Bigquery,
        Self::Redshift,
        Self::Clickhouse,
        Self::Spark,
    ];

    /// The word used in files, options and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Duckdb => "duckdb",
            Self::Trino => "trino",
            Self::Snowflake => "snowflake",
            Self::Bigquery => "bigquery",
            Self::Redshift => "redshift",
            Self::Clickhouse => "clickhouse",
            Self::Spark => "spark",
        }
    }

    /// The engine's own name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Duckdb => "DuckDB",
            Self::Trino => "Trino",
            Self::Snowflake => "Snowflake",
            Self::Bigquery => "BigQuery",
            Self::Redshift => "Redshift",
            Self::Clickhouse => "ClickHouse",
            Self::Spark => "Spark",
        }
    }

    /// The dialect of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.word() == word)
    }
}
