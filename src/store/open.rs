//! Opening a state file: write-ahead log, migrations by version, and what happens to a damaged file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(5);

/// What to do with a file that is damaged or no database at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// Refuse, and leave the file alone: it holds what cannot be made again.
    Refuse,
    /// Move it aside and start a new one: it is a cache.
    MoveAside,
}

/// Why a state file cannot be used; every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file cannot be made.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no database, or damaged.
    #[error("{} is damaged and is left alone: {error}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
    /// The file was written by a newer version of metrex.
    #[error("{} was written by a newer metrex (format {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// No space is left.
    #[error("no space left for {}; what it held before is kept", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot use {}: {error}", path.display())]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        error: rusqlite::Error,
    },
}

impl StoreError {
    /// The kind of trouble behind an error of a statement on the file `path`.
    pub fn of(path: &Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, error }
            }
            _ => Self::Sql { path, error },
        }
    }
}

/// Opens a state file, made where it is missing, and brings it up to date: `migrations` are run in order, each once.
///
/// # Errors
/// See [`StoreError`].
pub fn open(
    path: &Path,
    migrations: &[&str],
    on_damage: OnDamage,
) -> Result<Connection, StoreError> {
    let io = |error| StoreError::Io {
        path: path.to_owned(),
        error,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    match try_open(path, migrations) {
        Err(StoreError::Damaged { .. }) if on_damage == OnDamage::MoveAside => {
            std::fs::rename(path, beside(path, ".damaged")).map_err(io)?;
            for suffix in ["-wal", "-shm"] {
                // They belong to the damaged file; mostly they are not there.
                let _ = std::fs::remove_file(beside(path, suffix));
            }
            try_open(path, migrations)
        }
        opened => opened,
    }
}

fn try_open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::of(path, error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let version = |connection: &Connection| {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, usize>(0))
    };
    let found = version(&connection).map_err(failed)?;
    if found > migrations.len() {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: migrations.len(),
        });
    }
    // Every write is one transaction in the log: it survives a killed process, and a power cut can only lose the last.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
        )
        .map_err(failed)?;
    if found < migrations.len() {
        let mut migrate = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another process may have been faster.
            let done = version(&transaction)?;
            for migration in migrations.iter().skip(done) {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "user_version", migrations.len())?;
            transaction.commit()
        };
        migrate().map_err(failed)?;
    }
    Ok(connection)
}

/// Tells a file from another one at the same path.
pub type FileIdentity = (u64, u64);

/// Which file stands at a path now; `None` where there is none.
pub fn identity(path: &Path) -> Option<FileIdentity> {
    let metadata = path.metadata().ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    }
    // Elsewhere a file that is open cannot be replaced.
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Some((0, 0))
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
