//! What users chose for words that may mean several things. What a meaning is, the rooms above know; here it is text.

use jiff::Timestamp;

use super::read::timestamp;
use super::{Usage, UsageError};
use crate::store::{Connection, SqlError, params};

/// A remembered choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The words, folded.
    pub words: String,
    /// What they were chosen to mean.
    pub meaning: String,
    /// When it was chosen.
    pub at: Timestamp,
    /// Questions answered with it since.
    pub used: u64,
}

/// What happens to a choice.
#[derive(Debug)]
pub(super) enum Change {
    Choose(Choice),
    Use(String),
    Forget(String),
}

impl Usage {
    /// Remembers a choice from now on, in the place of an earlier one for the same words; never waits.
    pub fn choose(&self, choice: Choice) {
        self.writer.change(Change::Choose(choice));
    }

    /// Counts a question that was answered with the choice for these words; never waits.
    pub fn use_choice(&self, words: &str) {
        self.writer.change(Change::Use(words.to_owned()));
    }

    /// Forgets the choice for these words; never waits.
    pub fn forget_choice(&self, words: &str) {
        self.writer.change(Change::Forget(words.to_owned()));
    }

    /// Every choice, the latest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn choices(&self) -> Result<Vec<Choice>, UsageError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT words, meaning, at, used FROM choices ORDER BY at DESC, words",
            )?;
            let choices = statement.query_map([], |row| {
                Ok(Choice {
                    words: row.get(0)?,
                    meaning: row.get(1)?,
                    at: timestamp(&row.get::<_, String>(2)?),
                    used: row.get(3)?,
                })
            })?;
            choices.collect()
        })
    }
}

pub(super) fn write(connection: &Connection, change: &Change) -> Result<(), SqlError> {
    let changed = match change {
        Change::Choose(Choice {
            words,
            meaning,
            at,
            used,
        }) => connection.execute(
            "REPLACE INTO choices (words, meaning, at, used) VALUES (?, ?, ?, ?)",
            params![words, meaning, at.to_string(), used],
        ),
        Change::Use(words) => connection.execute(
            "UPDATE choices SET used = used + 1 WHERE words = ?",
            [words],
        ),
        Change::Forget(words) => connection.execute("DELETE FROM choices WHERE words = ?", [words]),
    };
    changed.map(drop)
}
