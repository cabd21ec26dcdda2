//! Why no project was made; nothing is left behind in any of these cases.

use std::path::PathBuf;

use crate::warehouse::WarehouseError;

/// Why `metrex init` made no project.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The target already holds a project, or files of one.
    #[error("{} already holds {}: nothing was changed", target.display(), found.join(", "))]
    Exists {
        /// The folder.
        target: PathBuf,
        /// What is there, relative to it.
        found: Vec<String>,
    },
    /// A CSV file cannot be read as it is.
    #[error("{file}:{line}: {message}")]
    Csv {
        /// The file's name.
        file: String,
        /// Line in it, from 1.
        line: u64,
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// There is nothing to make a project from.
    #[error("{message}")]
    NothingFound {
        /// What was looked for, and where.
        message: String,
    },
    /// The connection cannot be understood.
    #[error("{message}")]
    Url {
        /// What is wrong and what would be right, without any secret.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It was cancelled.
    #[error("interrupted: no project was made")]
    Interrupted,
    /// The warehouse refuses.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

impl InitError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
