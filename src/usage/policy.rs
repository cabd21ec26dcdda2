//! What was learned of how queries are best answered, and what each query was worth. What the bytes say, the rooms above know.

use super::{Usage, UsageError};
use crate::store::{Connection, OptionalExtension as _, SqlError};

/// What was learned from the log.
#[derive(Debug)]
pub(super) struct Lesson {
    checkpoint: Vec<u8>,
    /// By the number of the query.
    rewards: Vec<(i64, f64)>,
}

impl Usage {
    /// Keeps what was learned, in the place of what was before, with what each query was worth; never waits.
    pub fn learned(&self, checkpoint: Vec<u8>, rewards: Vec<(i64, f64)>) {
        self.writer.lesson(Lesson {
            checkpoint,
            rewards,
        });
    }

    /// What was learned last.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn lesson(&self) -> Result<Option<Vec<u8>>, UsageError> {
        self.read(|file| {
            let mut statement = file.prepare_cached("SELECT checkpoint FROM policy")?;
            statement.query_row([], |row| row.get(0)).optional()
        })
    }
}

pub(super) fn write(file: &Connection, lesson: &Lesson) -> Result<(), SqlError> {
    let mut reward =
        file.prepare_cached("UPDATE queries SET reward = ?2 WHERE id = ?1 AND reward IS NOT ?2")?;
    for one in &lesson.rewards {
        reward.execute(*one)?;
    }
    let changed = file.execute(
        "INSERT INTO policy (id, checkpoint) VALUES (1, ?) ON CONFLICT (id) DO UPDATE \
         SET checkpoint = excluded.checkpoint WHERE checkpoint IS NOT excluded.checkpoint",
        [&lesson.checkpoint],
    );
    changed.map(drop)
}
