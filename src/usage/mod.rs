//! The query log: what was asked, how often and how fast, what models cost, and what words were chosen to mean; ranks the
//! catalog.

mod choices;
mod questions;
mod read;
mod workspace;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::store::{self, Connection, OnDamage, StoreError};
pub use choices::Choice;
pub use questions::Question;
use write::Writer;

const MIGRATIONS: [&str; 5] = [
    "
CREATE TABLE queries (
    id         INTEGER PRIMARY KEY,
    at         TIMESTAMP NOT NULL,
    line       TEXT NOT NULL,
    connection TEXT NOT NULL,
    ms         INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    error      TEXT
);
CREATE INDEX queries_by_line ON queries (line, at);
CREATE TABLE query_metrics (
    query_id INTEGER NOT NULL REFERENCES queries (id) ON DELETE CASCADE,
    metric   TEXT NOT NULL,
    PRIMARY KEY (query_id, metric)
) WITHOUT ROWID;
CREATE INDEX query_metrics_by_metric ON query_metrics (metric);
",
    "
CREATE TABLE model_calls (
    day        DATE NOT NULL,
    model      TEXT NOT NULL,
    calls      INTEGER NOT NULL,
    tokens_in  INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    cost       REAL NOT NULL,
    PRIMARY KEY (day, model)
) WITHOUT ROWID;
",
    "
CREATE TABLE choices (
    words   TEXT PRIMARY KEY,
    meaning TEXT NOT NULL,
    at      TIMESTAMP NOT NULL,
    used    INTEGER NOT NULL
) WITHOUT ROWID;
",
    "
CREATE TABLE questions (
    question TEXT PRIMARY KEY,
    at       TIMESTAMP NOT NULL
) WITHOUT ROWID;
",
    "
CREATE TABLE workspace (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    text TEXT NOT NULL
);
",
];

/// How a query ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With rows, or with none.
    Ok,
    /// It was cancelled.
    Cancelled,
    /// With this error.
    Failed(String),
}

/// A query that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRecord {
    /// When it was started.
    pub at: Timestamp,
    /// Its query line.
    pub line: String,
    /// The metrics it asked for, by canonical name.
    pub metrics: Vec<String>,
    /// The connection it ran on.
    pub connection: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Rows it returned.
    pub rows: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// What an exchange with a model cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCost {
    /// The day it counts for.
    pub day: Date,
    /// The model, by its configured name.
    pub model: String,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// US dollars, where prices are configured.
    pub cost: f64,
}

/// One line of the history: a query line with its latest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The query line.
    pub line: String,
    /// When it was last started.
    pub at: Timestamp,
    /// The connection it last ran on.
    pub connection: String,
    /// How long it last took, in milliseconds.
    pub ms: u64,
    /// Rows it last returned.
    pub rows: u64,
    /// How it last ended.
    pub outcome: Outcome,
}

/// Why the query log cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct UsageError(#[from] StoreError);

/// The query log. Writing is done by a thread of its own, which has written everything when this is dropped.
#[derive(Debug)]
pub struct Usage {
    path: PathBuf,
    reader: Mutex<Connection>,
    writer: Writer,
}

impl Usage {
    /// Opens the log, made where it is missing.
    ///
    /// # Errors
    /// The file cannot be opened or is damaged. It is never deleted or replaced.
    pub fn open(path: &Path) -> Result<Self, UsageError> {
        let writer = Writer::start(path, store::open(path, &MIGRATIONS, OnDamage::Refuse)?)?;
        let reader = store::open(path, &MIGRATIONS, OnDamage::Refuse)?;
        Ok(Self {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            writer,
        })
    }

    /// Hands a query over to be written; never waits.
    pub fn record(&self, query: QueryRecord) {
        self.writer.record(query);
    }

    /// Hands over what an exchange with a model cost; never waits.
    pub fn spend(&self, cost: ModelCost) {
        self.writer.spend(cost);
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, store::SqlError>,
    ) -> Result<T, UsageError> {
        self.writer.catch_up();
        let reader: MutexGuard<'_, Connection> =
            self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&reader).map_err(|error| StoreError::of(&self.path, error).into())
    }
}
