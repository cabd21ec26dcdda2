//! What became of ideas that were learned from use: one that was judged does not come back.

use jiff::civil::Date;
use serde::Serialize;

use super::{Usage, UsageError};
use crate::store::{Connection, SqlError, params};

/// What became of an idea.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What the idea is known by.
    pub idea: String,
    /// What became of it: `accepted`, `changed`, `rejected`, `offered on BRANCH`.
    pub verdict: String,
    /// Who said so.
    pub by: String,
    /// The day.
    pub on: Date,
    /// Why; may be empty.
    pub why: String,
}

impl Verdict {
    /// In words: `rejected by Ana on 2026-11-20: not as finance has it`.
    pub fn words(&self) -> String {
        let why = match self.why.is_empty() {
            true => String::new(),
            false => format!(": {}", self.why),
        };
        format!("{} by {} on {}{why}", self.verdict, self.by, self.on)
    }
}

/// What happens to a verdict.
#[derive(Debug)]
pub(super) enum Change {
    Judge(Verdict),
    Forget(String),
}

impl Usage {
    /// Remembers what became of an idea, in the place of what was said before; never waits.
    pub fn judge(&self, verdict: Verdict) {
        self.writer.verdict(Change::Judge(verdict));
    }

    /// Forgets what became of an idea; never waits.
    pub fn forget_verdict(&self, idea: &str) {
        self.writer.verdict(Change::Forget(idea.to_owned()));
    }

    /// What became of every idea that was judged.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn verdicts(&self) -> Result<Vec<Verdict>, UsageError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT idea, verdict, by, day, why FROM verdicts ORDER BY idea")?;
            let verdicts = statement.query_map([], |row| {
                Ok(Verdict {
                    idea: row.get(0)?,
                    verdict: row.get(1)?,
                    by: row.get(2)?,
                    on: row.get::<_, String>(3)?.parse().unwrap_or_default(),
                    why: row.get(4)?,
                })
            })?;
            verdicts.collect()
        })
    }
}

pub(super) fn write(connection: &Connection, change: &Change) -> Result<(), SqlError> {
    let changed = match change {
        Change::Judge(Verdict {
            idea,
            verdict,
            by,
            on,
            why,
        }) => connection.execute(
            "REPLACE INTO verdicts (idea, verdict, by, day, why) VALUES (?, ?, ?, ?, ?)",
            params![idea, verdict, by, on.to_string(), why],
        ),
        Change::Forget(idea) => connection.execute("DELETE FROM verdicts WHERE idea = ?", [idea]),
    };
    changed.map(drop)
}
