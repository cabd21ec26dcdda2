//! Connections as configured in `metrex.yaml`; secrets are never part of them.

use std::path::PathBuf;
use std::time::Duration;

use super::Dialect;

/// How to reach a PostgreSQL or AlloyDB server; what is not given comes from the URL, then `PG*`, then `.pgpass`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgres://user@host:port/database?sslmode=…`, or a `key=value` string.
    pub url: Option<String>,
    /// Command whose first line of output is the password (IAM tokens); run at each connect.
    pub password_command: Option<String>,
    /// PEM file with root certificates, beside the system's.
    pub ssl_root_cert: Option<PathBuf>,
    /// Server-side limit for one statement.
    pub statement_timeout: Option<Duration>,
}

/// How to reach an engine through its ADBC driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdbcSettings {
    /// The driver: the path of its library or of its manifest, or the name of an installed one.
    pub driver: String,
    /// The function that the library begins with, where it is not the usual one.
    pub entrypoint: Option<String>,
    /// The SQL that the engine speaks.
    pub dialect: Dialect,
    /// Options of the driver's database, such as `uri`, with the environment filled in.
    pub options: Vec<(String, String)>,
}

/// The kind of warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionKind {
    /// An SQLite file, opened read-only.
    Sqlite {
        /// The database file.
        path: PathBuf,
    },
    /// PostgreSQL or AlloyDB.
    Postgres(PostgresSettings),
    /// DuckDB: a database file, or Parquet and CSV files as tables; opened read-only.
    Duckdb {
        /// The database file, a data file, or a folder of data files.
        path: PathBuf,
        /// The DuckDB library, where it is not to be searched for.
        library: Option<PathBuf>,
    },
    /// Any engine with an ADBC driver.
    Adbc(AdbcSettings),
}

/// What keeps a connection from writing, beside the SQL being read before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The file is opened read-only.
    File,
    /// Every statement runs in a read-only transaction.
    Transaction,
    /// Nothing that the engine is known to keep.
    Nothing,
}

impl Guard {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "read-only file",
            Self::Transaction => "read-only transaction",
            Self::Nothing => "NOT guarded by the engine",
        }
    }
}

impl ConnectionKind {
    /// What keeps it from writing.
    pub fn guard(&self) -> Guard {
        match self {
            Self::Sqlite { .. } => Guard::File,
            Self::Postgres(_) | Self::Duckdb { .. } => Guard::Transaction,
            // Such a driver is asked for a read-only connection, and may ignore that.
            Self::Adbc(settings) if settings.dialect != Dialect::Postgres => Guard::Nothing,
            Self::Adbc(_) => Guard::Transaction,
        }
    }
}

/// One entry of `connections:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub kind: ConnectionKind,
    /// Most rows a query returns before it is cut with a notice.
    pub row_cap: u64,
}
