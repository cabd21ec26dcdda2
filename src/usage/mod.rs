//! The query log and the graph that is folded from it: what was asked, how it went, what models cost, and what words were
//! chosen to mean; ranks the catalog.

mod choices;
mod feedback;
mod fold;
pub mod graph;
mod insert;
mod literals;
mod log;
mod policy;
mod purge;
mod questions;
mod read;
mod record;
mod schema;
mod standing;
mod verdicts;
mod workspace;
mod write;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::store::{self, Connection, OnDamage, StoreError};
pub use choices::Choice;
pub use feedback::Which;
pub use log::Figures;
pub use purge::Purge;
pub use questions::Question;
pub use record::{
    Face, Facts, Feedback, FilterFact, Logged, ModelUse, Outcome, QueryRecord, Route, Thumb,
};
use schema::MIGRATIONS;
pub use standing::Lost;
pub use verdicts::Verdict;
use write::Writer;

/// Memory that reading may take for pages of the file, in KiB; SQLite takes a negative number as KiB.
const CACHE_KIB: i64 = -32_768;

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
        // The graph of a million queries is walked over in the middle of everything.
        reader
            .pragma_update(None, "cache_size", CACHE_KIB)
            .map_err(|error| StoreError::of(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            reader: Mutex::new(reader),
            writer,
        })
    }

    /// Hands a query over to be written; waits only where thousands are waiting already.
    pub fn record(&self, query: QueryRecord) {
        self.record_made(move || query);
    }

    /// The same for a query whose record takes some time to make, which the thread that writes does.
    pub fn record_made(&self, make: impl FnOnce() -> QueryRecord + Send + 'static) {
        self.writer.record(make);
    }

    /// Adds queries of elsewhere, each with a hash by which it is known: one that was added before is left out. How many were
    /// new; returns when they are written.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn import(&self, queries: Vec<(i64, QueryRecord)>) -> Result<usize, UsageError> {
        Ok(self.writer.import(queries)?)
    }

    /// Waits until everything that was handed over before is written; `false` where the file cannot be written, for which
    /// nobody waits.
    pub fn flush(&self) -> bool {
        self.writer.flush()
    }

    /// The same, but not behind another process that is writing: for reading what is there.
    pub fn write_out(&self) {
        self.writer.write_out();
    }

    /// Waits, not for long, until everything that was handed over before is written, and says what could not be. For the end
    /// of a program: from now on nothing is tried for long.
    pub fn settle(&self) -> Option<Lost> {
        self.writer.settle()
    }

    /// Why nothing can be written at the moment, where that is so. What is handed over meanwhile waits, as far as there is
    /// room.
    pub fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }

    /// Why nothing can be written, where that is more than another process that is writing.
    pub fn failure(&self) -> Option<String> {
        self.writer.failure()
    }

    /// What was in the way of writing last; empty where nothing ever was.
    pub fn last_trouble(&self) -> String {
        self.writer.last_trouble()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
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
