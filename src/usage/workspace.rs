//! What the explorer had open when it ended. What the text says, the rooms above know.

use super::{Usage, UsageError};
use crate::store::{Connection, SqlError};

impl Usage {
    /// Keeps what is open, in the place of what was before; returns when it is written, or after a moment.
    pub fn keep_workspace(&self, text: String) {
        self.writer.keep_workspace(text);
        self.writer.catch_up();
    }

    /// What was kept last.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn workspace(&self) -> Result<Option<String>, UsageError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT text FROM workspace")?;
            let mut texts = statement.query_map([], |row| row.get(0))?;
            texts.next().transpose()
        })
    }
}

pub(super) fn write(connection: &Connection, text: &str) -> Result<(), SqlError> {
    let changed = connection.execute("REPLACE INTO workspace (id, text) VALUES (1, ?)", [text]);
    changed.map(drop)
}
