//! Definitions from and for other tools, with a note for whatever cannot be said.

pub mod cube;
pub mod databricks;
pub mod dbt;
pub mod define;
pub mod lightdash;
pub mod lookml;
mod notes;
pub mod ossie;
mod project;
pub mod snowflake;
mod source;
mod tables;

pub use define::test as test_value;
pub use notes::Note;
pub use project::{Export, Import};

use notes::Notes;

use crate::model::DimensionType;
use crate::registry::emit;

/// What the values of a table's column are, where it is known: (table, column).
pub type ColumnTypes<'a> = dyn Fn(&str, &str) -> Option<DimensionType> + 'a;

/// Why nothing could be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not YAML.
    #[error("{at}: {message}")]
    Unreadable {
        /// `file:line`
        at: String,
        /// What is wrong.
        message: String,
    },
    /// There is nothing to import.
    #[error("{path} holds no {wanted}")]
    Nothing {
        /// The file or folder.
        path: String,
        /// What was looked for.
        wanted: &'static str,
    },
    /// The target has files of these names.
    #[error("{target} has {} already; nothing was written", files.join(", "))]
    Exists {
        /// The folder.
        target: String,
        /// What is there.
        files: Vec<String>,
    },
}
