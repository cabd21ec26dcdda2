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

/// A value that a piece of text may mean.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueHit {
    /// The table, as [`Dataset::index_table`](super::Dataset::index_table) names it.
    pub table: String,
    /// The column, as [`Dimension::index_column`](super::Dimension::index_column) names it.
    pub column: String,
    /// The value as it stands in the data.
    pub value: String,
    /// Rows that have it.
    pub count: u64,
    /// 1 for the same text (ignoring case, accents and the kind of space), less for a similar one: the normalized
    /// Damerau-Levenshtein similarity.
    pub similarity: f64,
}

/// Distinct values of columns, as known before any SQL runs.
pub trait ValueLookup: Send + Sync {
    /// What is known of `column` of `table`.
    fn state(&self, table: &str, column: &str) -> ColumnState;
    /// Whether `value` occurs (exact text).
    fn contains(&self, table: &str, column: &str, value: &str) -> bool;
    /// Up to `limit` values, the nearest to `value` first, then the most frequent.
    fn nearest(&self, table: &str, column: &str, value: &str, limit: usize) -> Vec<String>;
    /// Every indexed value, in any column, that is `text` but for case, accents and spaces.
    fn exact(&self, _text: &str) -> Vec<ValueHit> {
        Vec::new()
    }
    /// Indexed values, in any column, that `text` may be a typo of or that have it as whole words: those of up to `limit`
    /// different texts, most similar first. Which of them is taken without asking, [`alike`](super::alike) says.
    fn similar(&self, _text: &str, _limit: usize) -> Vec<ValueHit> {
        Vec::new()
    }
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
