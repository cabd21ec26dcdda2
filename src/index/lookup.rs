//! Looking values up: called while a query is typed, so every lookup is one prepared statement on an index.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use strsim::normalized_damerau_levenshtein;

use super::IndexError;
use crate::model::alike::fold;
use crate::model::{ColumnState, ValueHit, ValueLookup};
use crate::store::{
    self, Connection, FileIdentity, OnDamage, OptionalExtension, SqlError, StoreError, params,
};

const MIGRATIONS: [&str; 3] = [
    "
CREATE TABLE dimension_values (
    table_name  TEXT,
    column_name TEXT,
    value       TEXT,
    count       INTEGER,
    updated_at  TIMESTAMP,
    PRIMARY KEY (table_name, column_name, value)
);
CREATE TABLE indexed_columns (
    table_name      TEXT NOT NULL,
    column_name     TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('indexed', 'wide', 'pii')),
    distinct_values INTEGER NOT NULL,
    updated_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, column_name)
);
CREATE TABLE checked_keys (
    table_name  TEXT NOT NULL,
    key_columns TEXT NOT NULL,
    duplicates  INTEGER NOT NULL,
    updated_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, key_columns)
);
CREATE TABLE runs (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    started_at TIMESTAMP NOT NULL
);
",
    "
ALTER TABLE dimension_values ADD COLUMN text_id INTEGER;
CREATE INDEX dimension_values_by_text ON dimension_values (text_id);
",
    // Every folded text once, however many columns have it: to be found by its beginning, its end, and its trigrams.
    // Those of values that are there already are filed when the index is opened.
    "
UPDATE dimension_values SET text_id = NULL;
DROP TABLE IF EXISTS value_texts;
DROP TABLE IF EXISTS value_trigrams;
CREATE TABLE value_texts (
    id       INTEGER PRIMARY KEY,
    folded   TEXT NOT NULL UNIQUE,
    mirrored TEXT NOT NULL
);
CREATE INDEX value_texts_by_end ON value_texts (mirrored);
CREATE VIRTUAL TABLE value_trigrams USING fts5 (
    padded, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER value_texts_added AFTER INSERT ON value_texts WHEN length(NEW.folded) <= 100 BEGIN
    INSERT INTO value_trigrams (rowid, padded) VALUES (NEW.id, ' ' || NEW.folded || ' ');
END;
CREATE TRIGGER value_texts_removed AFTER DELETE ON value_texts WHEN length(OLD.folded) <= 100 BEGIN
    INSERT INTO value_trigrams (value_trigrams, rowid, padded) VALUES ('delete', OLD.id, ' ' || OLD.folded || ' ');
END;
",
];

/// Values that are at least this similar count as near.
const NEAR: f64 = 0.6;

/// The distinct values of the dimensions of one warehouse. It is a cache: the file may be deleted at any time, and a
/// damaged one is moved aside. A refill by another process is seen at once.
#[derive(Debug)]
pub struct ValueIndex {
    path: PathBuf,
    file: Option<FileIdentity>,
    reader: Mutex<Connection>,
    /// A connection of its own, so that lookups never wait for a refill.
    writer: Mutex<Connection>,
}

impl ValueIndex {
    /// Opens the index, made where it is missing.
    ///
    /// # Errors
    /// The file cannot be made or opened.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let open = || store::open(path, &MIGRATIONS, OnDamage::MoveAside);
        let (writer, reader) = (open()?, open()?);
        let index = Self {
            path: path.to_owned(),
            file: store::identity(path),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
        };
        index.file_texts()?;
        Ok(index)
    }

    /// Whether this is still the file at its path; it may have been deleted, and made anew by another process.
    pub fn is_current(&self) -> bool {
        self.file.is_some() && self.file == store::identity(&self.path)
    }

    /// Values of a column that start with `prefix` (ASCII letters in any case), most frequent first.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn values(
        &self,
        table: &str,
        column: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, IndexError> {
        let pattern = prefix
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_")
            + "%";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT value, count FROM dimension_values \
                 WHERE table_name = ? AND column_name = ? AND value LIKE ? ESCAPE '\\' \
                 ORDER BY count DESC, value LIMIT ?",
            )?;
            statement
                .query_map(params![table, column, pattern, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?
                .collect()
        });
        Ok(values?)
    }

    /// When a column was last indexed.
    pub fn updated_at(&self, table: &str, column: &str) -> Option<Timestamp> {
        let updated = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT updated_at FROM indexed_columns WHERE table_name = ? AND column_name = ?",
            )?;
            statement
                .query_row([table, column], |row| row.get::<_, String>(0))
                .optional()
        });
        updated.ok()??.parse().ok()
    }

    /// When the column was indexed that was not indexed for the longest time.
    pub fn age(&self) -> Option<Timestamp> {
        let oldest = self.read(|connection| {
            connection.query_row("SELECT min(updated_at) FROM indexed_columns", [], |row| {
                row.get::<_, Option<String>>(0)
            })
        });
        oldest.ok()??.parse().ok()
    }

    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&mut Connection) -> Result<T, SqlError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut writer).map_err(|error| StoreError::of(&self.path, error))
    }

    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, SqlError>,
    ) -> Result<T, StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&reader).map_err(|error| StoreError::of(&self.path, error))
    }
}

/// An index that cannot be read answers like an empty one: every literal passes.
impl ValueLookup for ValueIndex {
    fn state(&self, table: &str, column: &str) -> ColumnState {
        let state = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state, distinct_values FROM indexed_columns WHERE table_name = ? AND column_name = ?",
            )?;
            let row = statement.query_row([table, column], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?))
            });
            row.optional()
        });
        match state.ok().flatten() {
            Some((state, distinct)) if state == "indexed" => ColumnState::Indexed { distinct },
            Some((state, distinct)) if state == "wide" => ColumnState::Wide { distinct },
            Some(_) => ColumnState::Pii,
            None => ColumnState::Missing,
        }
    }

    fn contains(&self, table: &str, column: &str, value: &str) -> bool {
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT 1 FROM dimension_values WHERE table_name = ? AND column_name = ? AND value = ?",
            )?;
            statement.exists([table, column, value])
        });
        found.unwrap_or(true)
    }

    fn nearest(&self, table: &str, column: &str, value: &str, limit: usize) -> Vec<String> {
        let wanted = value.to_lowercase();
        let mut ranked: Vec<_> = self
            .values(table, column, "", usize::MAX)
            .unwrap_or_default()
            .into_iter()
            .map(|(value, count)| (nearness(&wanted, &value.to_lowercase()), count, value))
            .collect();
        ranked.sort_by(|a, b| {
            b.0.total_cmp(&a.0)
                .then(b.1.cmp(&a.1))
                .then_with(|| a.2.cmp(&b.2))
        });
        ranked
            .into_iter()
            .take(limit)
            .map(|(_, _, value)| value)
            .collect()
    }

    fn exact(&self, text: &str) -> Vec<ValueHit> {
        self.same(&fold(text)).unwrap_or_default()
    }

    fn similar(&self, text: &str, limit: usize) -> Vec<ValueHit> {
        self.alike(&fold(text), limit).unwrap_or_default()
    }

    fn key_is_unique(&self, table: &str) -> Option<bool> {
        let duplicates = self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT max(duplicates) FROM checked_keys WHERE table_name = ?")?;
            statement.query_row([table], |row| row.get::<_, Option<u64>>(0))
        });
        Some(duplicates.ok()?? == 0)
    }
}

/// Same but for case, then a prefix of one another, then similar; 0 for everything that is not near.
fn nearness(wanted: &str, value: &str) -> f64 {
    if wanted == value {
        return 3.0;
    }
    if !wanted.is_empty()
        && !value.is_empty()
        && (value.starts_with(wanted) || wanted.starts_with(value))
    {
        return 2.0;
    }
    let similar = normalized_damerau_levenshtein(wanted, value);
    if similar >= NEAR { similar } else { 0.0 }
}
