//! What the engine may ask about the values of a column; the value index answers, tests answer by hand.

/// What is known about the values of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnState {
    /// All values are known.
    Indexed {
        /// Number of distinct values.
        distinct: u64,
    },
    /// Too many values to keep; any literal passes.
    Wide {
        /// Number of distinct values when last counted.
        distinct: u64,
    },
    /// Personal data, never indexed; any literal passes.
    Pii,
    /// Not indexed yet; any literal passes.
    Missing,
}

/// Distinct values of columns, as known before any SQL runs.
pub trait ValueLookup: Send + Sync {
    /// What is known of `column` of `table`.
    fn state(&self, table: &str, column: &str) -> ColumnState;
    /// Whether `value` occurs (exact text).
    fn contains(&self, table: &str, column: &str, value: &str) -> bool;
    /// Up to `limit` values, the nearest to `value` first, then the most frequent.
    fn nearest(&self, table: &str, column: &str, value: &str, limit: usize) -> Vec<String>;
    /// Whether the declared key of `table` was unique when it was last looked at; `None` where it was not.
    fn key_is_unique(&self, _table: &str) -> Option<bool> {
        None
    }
}

/// Knows nothing: every literal passes.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoValues;

impl ValueLookup for NoValues {
    fn state(&self, _: &str, _: &str) -> ColumnState {
        ColumnState::Missing
    }
    fn contains(&self, _: &str, _: &str, _: &str) -> bool {
        false
    }
    fn nearest(&self, _: &str, _: &str, _: &str, _: usize) -> Vec<String> {
        Vec::new()
    }
}
