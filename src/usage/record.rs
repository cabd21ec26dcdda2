//! What is recorded of a query: where it came from, what it is about, and how it went.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// Enums that are one word each: printed, read, and stored as their place in the list.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $variant:ident = $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The number that the file has for it.
            pub(in crate::usage) fn number(self) -> u8 {
                self as u8
            }

            /// Only this room writes numbers: one that is unknown comes from a foreign hand, and counts as the first.
            #[allow(dead_code, reason = "some of them are only written")]
            pub(in crate::usage) fn numbered(number: u8) -> Self {
                Self::ALL.get(usize::from(number)).copied().unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = ();
            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|one| one.word() == word).ok_or(())
            }
        }
    };
}

words! {
    /// Where a query came from.
    Face:
    /// The explorer.
    Explorer = "explorer",
    /// A command of the terminal.
    Command = "command",
    /// An agent's tool.
    Agent = "agent",
    /// A program that uses the library.
    #[default]
    Program = "program",
    /// A log of elsewhere that was imported.
    Log = "log",
}

words! {
    /// How the SQL of a query came about.
    Route:
    /// A query line that was picked or typed.
    #[default]
    Line = "line",
    /// A question in words, read by the definitions.
    Words = "words",
    /// A question about a hand-written snippet, read by the definitions.
    Snippet = "snippet",
    /// A question, whose words or whose SQL a language model had a part in.
    Model = "model",
    /// SQL as somebody wrote it.
    Sql = "sql",
}

words! {
    /// What somebody thinks of an answer.
    Thumb:
    /// It was right.
    #[default]
    Up = "up",
    /// It was wrong.
    Down = "down",
}

/// How a query ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Outcome {
    /// With rows, or with none.
    #[default]
    Ok,
    /// It was cancelled.
    Cancelled,
    /// With this error.
    Failed(String),
    /// It was not run: the question was not understood, or what was asked for is refused, with this message.
    Refused(String),
}

impl Outcome {
    /// Whether it was answered.
    pub fn is_ok(&self) -> bool {
        *self == Self::Ok
    }

    /// Whether nothing was run: it is no use of anything, and no part of the graph.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// What a statement is about: taken from its tree, and from the definitions what only these know. Lists are sorted and
/// name each thing once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Tables, as the definitions or the statement write them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Columns of tables: `orders.amount_usd`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Pairs of columns that rows are joined on, the sides sorted: `order_items.order_id = orders.order_id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<String>,
    /// Metrics, by canonical name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// Dimensions grouped by, by canonical name; columns of raw SQL that no dimension stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
    /// Conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterFact>,
    /// Aggregations of columns: `sum(orders.amount_usd)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aggregations: Vec<String>,
    /// The grain of the time grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grain: Option<String>,
    /// Metrics, and a metric each is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub derives: Vec<(String, String)>,
    /// Metrics, and a table each is computed from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub computed_from: Vec<(String, String)>,
    /// What answered it beside the definitions: `skill:NAME`, `view:NAME`, `rollup:NAME`, `dataset:NAME` (a canonical one).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answered_by: Vec<String>,
    /// The query line without its values and its dates; nothing where its SQL was written and not compiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

/// One condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilterFact {
    /// The dimension, by canonical name; `orders.status` for a column that no dimension of the query stands for.
    pub on: String,
    /// `=`, `in`, `like`, …
    pub op: String,
    /// What it is compared with; nothing for times and for what is personal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// The models that had a part in an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelUse {
    /// The last one's name.
    pub model: String,
    /// Tokens sent.
    pub tokens_in: u64,
    /// Tokens received.
    pub tokens_out: u64,
    /// US dollars, where prices are configured.
    pub cost: Option<f64>,
}

/// A query that was run. No value of a personal column stands in any part of it: who makes one sees to that.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryRecord {
    /// When it was started; kept to the millisecond.
    pub at: Timestamp,
    /// Who asked.
    pub user: String,
    /// The run of metrex that it belongs to; one per open session.
    pub session: String,
    /// Where it came from.
    pub face: Face,
    /// The connection it ran on.
    pub connection: String,
    /// The words that were asked, where it was a question.
    pub question: Option<String>,
    /// How its SQL came about.
    pub route: Route,
    /// Its query line; empty for raw SQL.
    pub line: String,
    /// The query as JSON; empty for raw SQL.
    pub intent: String,
    /// Its SQL.
    pub sql: String,
    /// The shape of its SQL: equal for statements that differ in literals, aliases and order of conditions only.
    pub fingerprint: String,
    /// What it is about.
    pub facts: Facts,
    /// The sources and rollups that were chosen, in words.
    pub plan: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Rows it returned.
    pub rows: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable name of the error, where it failed.
    pub error_kind: Option<String>,
    /// What the guard found in SQL of a model.
    pub findings: Vec<String>,
    /// How often a model had to be asked again.
    pub retries: u32,
    /// The models that had a part in it.
    pub model: Option<ModelUse>,
    /// The choice that a policy made, as JSON: context, actions, propensities.
    pub choice: Option<String>,
}

impl Default for QueryRecord {
    fn default() -> Self {
        Self {
            at: Timestamp::UNIX_EPOCH,
            user: String::new(),
            session: String::new(),
            face: Face::Program,
            connection: String::new(),
            question: None,
            route: Route::Line,
            line: String::new(),
            intent: String::new(),
            sql: String::new(),
            fingerprint: String::new(),
            facts: Facts::default(),
            plan: String::new(),
            ms: 0,
            rows: 0,
            outcome: Outcome::Ok,
            error_kind: None,
            findings: Vec::new(),
            retries: 0,
            model: None,
            choice: None,
        }
    }
}

impl QueryRecord {
    /// What its node in the graph is known by: a hash of what its line asks for, whatever SQL that was compiled to; of its
    /// fingerprint, where its SQL was written; of its line, where that could not be read.
    pub fn shape(&self) -> String {
        shape(&self.facts, &self.fingerprint, &self.line)
    }
}

/// See [`QueryRecord::shape`].
pub(in crate::usage) fn shape(facts: &Facts, fingerprint: &str, line: &str) -> String {
    let text = match &facts.asks {
        Some(asks) => asks,
        None if fingerprint.is_empty() => line,
        None => fingerprint,
    };
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// What somebody said of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Whether it was right.
    pub thumb: Thumb,
    /// A word about it.
    pub words: Option<String>,
    /// When it was said.
    pub at: Timestamp,
}

/// A query of the log, with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Its number; never given twice.
    pub id: i64,
    /// The query.
    pub record: QueryRecord,
    /// What somebody said of it.
    pub feedback: Option<Feedback>,
    /// The query that was asked in its place.
    pub corrected_by: Option<i64>,
    /// Whether somebody used it again, saved it or copied it.
    pub reused: bool,
    /// What a policy makes of all this.
    pub reward: Option<f64>,
}
