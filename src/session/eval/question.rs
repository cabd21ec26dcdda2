//! Questions with the answers they should get, as JSON lines; `tests/eval/README.md` describes the format.

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::SessionError;

/// A question with the answer it should get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Unique in its file.
    pub id: String,
    /// `demo`, or a project's folder relative to the file.
    pub project: String,
    /// The day it is asked on.
    pub today: Date,
    /// The words.
    pub question: String,
    /// The query line that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What should come.
    pub expect: Expect,
    /// What the report sums it up under.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What should come of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// An answer that compiles to the same as this query line.
    Query(String),
    /// An answer with these rows, in any order.
    Rows(Vec<Vec<Value>>),
    /// A refusal that names one of these words; any refusal where there are none.
    Refuse(Vec<String>),
    /// A question back about these words; any where they are empty.
    Ask(String),
    /// The values of this dimension; the metrics where it is empty.
    List(String),
    /// What this metric means.
    Explain(String),
    /// The causes of what this query line compares.
    Why(String),
    /// Any of these. What the question is counted as, the first one says.
    Any(Vec<Expect>),
}

impl Expect {
    /// The ways to be right.
    pub fn alternatives(&self) -> &[Self] {
        match self {
            Self::Any(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether the question is out of scope: a refusal is what should come.
    pub fn is_refusal(&self) -> bool {
        matches!(self.alternatives().first(), Some(Self::Refuse(_)))
    }
}

impl std::fmt::Display for Expect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Query(line) => f.write_str(line),
            Self::Rows(rows) => write!(f, "{} rows", rows.len()),
            Self::Refuse(words) if words.is_empty() => f.write_str("refused"),
            Self::Refuse(words) => write!(f, "refused for '{}'", words.join("' or '")),
            Self::Why(line) => write!(f, "why {line}"),
            Self::Ask(words) if words.is_empty() => f.write_str("asked back"),
            Self::Ask(words) => write!(f, "asked about '{words}'"),
            Self::List(dimension) if dimension.is_empty() => f.write_str("the metrics, listed"),
            Self::List(dimension) => write!(f, "the values of {dimension}, listed"),
            Self::Explain(metric) => write!(f, "{metric}, explained"),
            Self::Any(all) => {
                for (index, one) in all.iter().enumerate() {
                    let or = if index == 0 { "" } else { " | " };
                    write!(f, "{or}{one}")?;
                }
                Ok(())
            }
        }
    }
}

/// Reads a file of questions; empty lines are skipped.
///
/// # Errors
/// The file cannot be read, or a line is no question; the message names it.
pub fn read(path: &Path) -> Result<Vec<Question>, SessionError> {
    let broken = |message: String| SessionError::usage("eval", message);
    let text = fs::read_to_string(path)
        .map_err(|error| broken(format!("{} cannot be read: {error}", path.display())))?;
    let mut questions: Vec<Question> = Vec::new();
    // Editors may leave a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = || format!("{}:{}", path.display(), index + 1);
        let question: Question =
            serde_json::from_str(line).map_err(|error| broken(format!("{}: {error}", at())))?;
        if question.expect.alternatives().is_empty() {
            return Err(broken(format!("{}: 'any' of nothing", at())));
        }
        if questions.iter().any(|other| other.id == question.id) {
            return Err(broken(format!("{}: '{}' stands twice", at(), question.id)));
        }
        questions.push(question);
    }
    if questions.is_empty() {
        return Err(broken(format!("{} has no questions", path.display())));
    }
    Ok(questions)
}
