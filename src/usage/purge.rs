//! Dropping queries from the log: by age, by person, or all of them; the graph is made anew from what stays.

use jiff::Timestamp;

use super::insert::Log;
use super::{Usage, UsageError};
use crate::store::{Connection, SqlError, params};

/// What is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// Queries and questions before a time.
    Before(Timestamp),
    /// Queries of a person, by the whole name as it is kept, by its name or its address alone.
    Person(String),
    /// All queries and questions, what models cost, and what was open.
    All,
}

impl Usage {
    /// Drops queries, with all that was learned from them alone; how many. Returns when it is done.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn purge(&self, purge: Purge) -> Result<usize, UsageError> {
        Ok(self.writer.drop_now(purge)?)
    }

    /// Drops what is older, some time; never waits. Where the program ends before it is done, the next one does it.
    pub fn keep_since(&self, first: Timestamp) {
        let has_older = self.read(|file| {
            file.query_row(
                "SELECT EXISTS (SELECT 1 FROM queries WHERE at < ?) OR EXISTS (SELECT 1 FROM questions WHERE at < ?)",
                params![first.as_millisecond(), first.to_string()],
                |row| row.get(0),
            )
        });
        // Where there is nothing to drop, nobody needs to write.
        if has_older.unwrap_or(true) {
            self.writer.drop_later(Purge::Before(first));
        }
    }
}

pub(super) fn write(file: &Connection, log: &mut Log, purge: &Purge) -> Result<usize, SqlError> {
    let dropped = match purge {
        Purge::Before(time) => {
            file.execute("DELETE FROM questions WHERE at < ?", [time.to_string()])?;
            file.execute("DELETE FROM queries WHERE at < ?", [time.as_millisecond()])?
        }
        Purge::Person(person) => file.execute(
            "DELETE FROM queries WHERE sitting IN (SELECT sittings.id FROM sittings JOIN texts ON texts.id = user \
             WHERE text = ?1 OR instr(text, ?1 || ' <') = 1 OR instr(text, '<' || ?1 || '>') > 0)",
            [person],
        )?,
        Purge::All => {
            file.execute_batch("DELETE FROM questions; DELETE FROM model_calls; DELETE FROM workspace; DELETE FROM imported")?;
            file.execute("DELETE FROM queries", [])?
        }
    };
    if dropped > 0 {
        if !matches!(purge, Purge::Before(_)) {
            // It knows who asked how much; what stays in the log teaches it again.
            file.execute("DELETE FROM policy", [])?;
        }
        tidy(file, log)?;
    }
    Ok(dropped)
}

/// Drops what no query points to any more, and folds what stays.
pub(super) fn tidy(file: &Connection, log: &mut Log) -> Result<(), SqlError> {
    file.execute_batch(
        "DELETE FROM statements WHERE id NOT IN (SELECT statement FROM queries);
         DELETE FROM sittings WHERE id NOT IN (SELECT sitting FROM queries);
         DELETE FROM texts WHERE id NOT IN (
             SELECT line FROM statements UNION SELECT intent FROM statements UNION SELECT sql FROM statements
             UNION SELECT fingerprint FROM statements UNION SELECT facts FROM statements UNION SELECT plan FROM statements
             UNION SELECT session FROM sittings UNION SELECT user FROM sittings UNION SELECT connection FROM sittings
             UNION SELECT literals FROM queries WHERE literals IS NOT NULL
             UNION SELECT question FROM queries WHERE question IS NOT NULL
             UNION SELECT error FROM queries WHERE error IS NOT NULL
             UNION SELECT error_kind FROM queries WHERE error_kind IS NOT NULL
             UNION SELECT findings FROM queries WHERE findings IS NOT NULL
             UNION SELECT model FROM queries WHERE model IS NOT NULL
             UNION SELECT thumb_words FROM queries WHERE thumb_words IS NOT NULL)",
    )?;
    log.forget_file();
    log.fold.rebuild(file)
}

/// Leaves nothing of what was dropped in the file's unused places.
pub(super) fn wipe(file: &Connection) -> Result<(), SqlError> {
    file.execute_batch("VACUUM")?;
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    file.query_row(checkpoint, [], |_| Ok(()))
}
