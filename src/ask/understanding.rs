//! What comes out of reading a question: an intent with its chips, a question back, or a refusal that names the word.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::model::{Intent, MetricQuery, TimeRange};

/// The outcome of reading a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Understanding {
    /// Every content word is accounted for and nothing is ambiguous.
    Clear(Box<Reading>),
    /// One word has several meanings, or none for certain.
    Unsure(Box<Clarification>),
    /// Words were not understood, or what they ask for cannot be answered.
    Refused(Box<Refusal>),
}

/// A question as it was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What is wanted.
    pub intent: Intent,
    /// What was understood, part by part, in the order of the query line.
    pub chips: Vec<Chip>,
    /// What a reader should know, such as "last 7 days: complete days, without today".
    pub notes: Vec<String>,
    /// Whether the question only changed parts of the query before it.
    pub is_follow_up: bool,
}

/// What a chip stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChipKind {
    /// A metric.
    Metric,
    /// A grouping.
    Group,
    /// A condition.
    Filter,
    /// The time range.
    Time,
    /// The comparison.
    Compare,
    /// Order and limit.
    Order,
}

/// How sure a chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The words name it.
    Exact,
    /// The words are similar to its name; the chip's detail shows both.
    Similar,
    /// The user chose it once for these words.
    Remembered,
    /// A language model read the words so.
    Model,
    /// It was in the query before.
    Kept,
    /// The metric's own default.
    Default,
}

/// One part of what was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chip {
    /// What it stands for.
    pub kind: ChipKind,
    /// In the words of the query line: `market = BR`.
    pub text: String,
    /// What a reader should know of it: `Brasil -> BR`, `2026-11-09 to 2026-11-15`.
    pub detail: Option<String>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The bytes of the question it comes from; empty where it comes from elsewhere.
    pub range: Range<usize>,
}

/// What a word may mean; kept for the next time when a user chose it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A metric, by name.
    Metric(String),
    /// A dimension, as a query writes it.
    Dimension(String),
    /// A value of a dimension.
    Value {
        /// The dimension, as a query writes it.
        dimension: String,
        /// The value as it stands in the data.
        value: String,
    },
    /// A time range.
    Time(TimeRange),
}

/// One of several meanings to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// What it would mean.
    pub meaning: Meaning,
    /// For people: `BR (market)`.
    pub label: String,
    /// What tells it from the others: a description, a number of rows.
    pub detail: String,
}

/// A question back: up to five meanings of one word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clarification {
    /// The words in doubt, as typed.
    pub words: String,
    /// Their bytes in the question.
    pub range: Range<usize>,
    /// What is asked: "'active' may be several things".
    pub message: String,
    /// One to five meanings, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// Kinds of refusals; the text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Words that mean nothing here.
    UnknownWords,
    /// No metric is asked for, and there is no query before this one.
    NoMetric,
    /// A value that the dimension does not have.
    UnknownValue,
    /// Something this engine does not do: forecasts, causes, writing, raw rows.
    OutOfScope,
    /// Understood, but cannot be answered; the message is the compiler's.
    NotAnswerable,
    /// The user stopped it.
    Cancelled,
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Which kind.
    pub code: RefusalCode,
    /// What is wrong, naming the words.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// The offending words as typed, with their bytes in the question; in order.
    pub words: Vec<(String, Range<usize>)>,
    /// What the rest was understood as, where that is something.
    pub understood: Vec<Chip>,
}

/// What users chose for words before.
pub trait Choices: Send + Sync {
    /// The meaning chosen for `words` (lower case, single spaces).
    fn chosen(&self, words: &str) -> Option<Meaning>;
}

/// Nothing was chosen yet.
impl Choices for () {
    fn chosen(&self, _: &str) -> Option<Meaning> {
        None
    }
}

impl Reading {
    /// The query that answers it; meaningless for lists and explanations.
    pub fn query(&self) -> MetricQuery {
        self.intent.query()
    }
}
