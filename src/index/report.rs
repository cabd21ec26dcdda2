//! How a reindex goes and how it went, in words.

use std::fmt;

/// A step of a reindex that is about to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The table looked at.
    pub table: String,
    /// The column looked at.
    pub column: String,
    /// Steps done before this one.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

impl Progress {
    /// The share that is done, from 0 to 1.
    #[allow(clippy::cast_precision_loss, reason = "a few thousand columns at most")]
    pub fn share(&self) -> f64 {
        self.done as f64 / self.total.max(1) as f64
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{} {}",
            self.done + 1,
            self.total,
            title(&self.table, &self.column)
        )
    }
}

/// A column as people know it.
pub(super) fn title(table: &str, column: &str) -> String {
    format!("{}.{}", unversioned(table), unversioned(column))
}

/// A name without the hash that files a query or an expression by its text.
pub(super) fn unversioned(name: &str) -> &str {
    name.split_once('#').map_or(name, |(name, _)| name)
}

/// A column that could not be read; what the index held of it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `table.column`.
    pub column: String,
    /// Why.
    pub message: String,
}

/// How a reindex went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Columns whose values are all known now.
    pub indexed: usize,
    /// Values in these columns.
    pub values: u64,
    /// `table.column` with too many values to keep, and their number.
    pub wide: Vec<(String, u64)>,
    /// Columns with personal data, which were not read.
    pub pii: usize,
    /// Columns that an earlier run, which this one resumed, had done.
    pub skipped: usize,
    /// `table (key)` of joined tables whose key is not unique, and the number of keys that occur more than once.
    pub duplicate_keys: Vec<(String, u64)>,
    /// Columns that could not be read.
    pub failed: Vec<Failure>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} columns indexed with {} values",
            self.indexed, self.values
        )?;
        let mut note = |count: usize, text: &str| match count {
            0 => Ok(()),
            count => write!(f, ", {count} {text}"),
        };
        note(self.wide.len(), "too wide to index")?;
        note(self.pii, "with personal data left out")?;
        note(self.skipped, "done before")?;
        note(self.failed.len(), "failed")?;
        for (column, distinct) in &self.wide {
            write!(f, "\nwide: {column} has {distinct} values")?;
        }
        for (key, duplicates) in &self.duplicate_keys {
            write!(
                f,
                "\nnot unique: {key}, {duplicates} keys occur more than once; joins to it are refused"
            )?;
        }
        for Failure { column, message } in &self.failed {
            write!(f, "\nfailed: {column}: {message}")?;
        }
        Ok(())
    }
}
