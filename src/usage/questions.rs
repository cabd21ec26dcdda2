//! Questions in plain words, as they were asked.

use jiff::Timestamp;

use super::insert::Log;
use super::read::timestamp;
use super::{Usage, UsageError, purge};
use crate::store::{Connection, SqlError, params};

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As typed.
    pub text: String,
    /// When it was last asked.
    pub at: Timestamp,
}

impl Usage {
    /// Keeps a question, in the place of the same one asked earlier; never waits.
    pub fn record_question(&self, question: Question) {
        self.writer.ask(question);
    }

    /// Forgets a query line or a question, with all that was recorded of it; never waits.
    pub fn forget_line(&self, text: &str) {
        self.writer.forget(text.to_owned());
    }

    /// The latest questions, newest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn questions(&self, limit: usize) -> Result<Vec<Question>, UsageError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT question, at FROM questions ORDER BY at DESC, question LIMIT ?",
            )?;
            let questions = statement.query_map([limit], |row| {
                Ok(Question {
                    text: row.get(0)?,
                    at: timestamp(&row.get::<_, String>(1)?),
                })
            })?;
            questions.collect()
        })
    }
}

/// Forgets a line or a question, with all its runs; how many.
pub(super) fn forget(file: &Connection, log: &mut Log, text: &str) -> Result<usize, SqlError> {
    file.execute("DELETE FROM questions WHERE question = ?", [text])?;
    let words = file.execute(
        "UPDATE queries SET question = NULL WHERE question = (SELECT id FROM texts WHERE text = ?)",
        [text],
    )?;
    let lines = file.execute(
        "DELETE FROM queries WHERE statement IN (SELECT statements.id FROM statements JOIN texts ON texts.id = line WHERE text = ?)",
        [text],
    )?;
    if words + lines > 0 {
        purge::tidy(file, log)?;
    }
    Ok(words + lines)
}

pub(super) fn write(connection: &Connection, question: &Question) -> Result<(), SqlError> {
    let changed = connection.execute(
        "REPLACE INTO questions (question, at) VALUES (?, ?)",
        params![question.text, question.at.to_string()],
    );
    changed.map(drop)
}
