//! SQLite: a file opened read-only; every statement runs on its own connection and thread, and can be interrupted.

mod error;
mod functions;
mod loader;
mod query;
mod schema;

pub(super) use loader::SqliteLoader;

use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::RecordBatch;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Finished, Request, TableInfo, WarehouseError};

/// How long a statement waits for a program that is writing.
const BUSY: Duration = Duration::from_secs(5);
/// Virtual machine steps between two looks at the cancellation token.
const STEPS: i32 = 1_000;

/// An SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn target(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) async fn query(
        &self,
        request: Request,
        cancel: &CancellationToken,
        sink: &mpsc::Sender<RecordBatch>,
    ) -> Result<Finished, WarehouseError> {
        let sink = sink.clone();
        self.blocking(cancel, move |connection, path, stop| {
            query::run(connection, path, &request, stop, &sink)
        })
        .await
    }

    pub(super) async fn tables(&self) -> Result<Vec<TableInfo>, WarehouseError> {
        self.blocking(&CancellationToken::new(), |connection, path, _| {
            schema::tables(connection).map_err(|error| error::translate(&error, path))
        })
        .await
    }

    pub(super) async fn ping(&self) -> Result<String, WarehouseError> {
        self.blocking(&CancellationToken::new(), |_, _, _| {
            Ok(format!("SQLite {}", rusqlite::version()))
        })
        .await
    }

    /// Opens the file and works with it on a blocking thread; a cancel, or dropping the future, interrupts the engine.
    async fn blocking<T: Send + 'static>(
        &self,
        cancel: &CancellationToken,
        work: impl FnOnce(&Connection, &Path, &CancellationToken) -> Result<T, WarehouseError>
        + Send
        + 'static,
    ) -> Result<T, WarehouseError> {
        let stop = cancel.child_token();
        let _stop_when_dropped = stop.clone().drop_guard();
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = open(&path, &stop)?;
            work(&connection, &path, &stop)
        });
        task.await.map_err(|error| {
            WarehouseError::connection(format!("the query thread died: {error}"))
        })?
    }
}

fn open(path: &Path, stop: &CancellationToken) -> Result<Connection, WarehouseError> {
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(WarehouseError::connection(format!(
                "there is no database file {}",
                path.display()
            )));
        }
        Err(error) => {
            return Err(WarehouseError::connection(format!(
                "cannot read {}: {error}",
                path.display()
            )));
        }
        Ok(metadata) if metadata.is_dir() => {
            return Err(WarehouseError::connection(format!(
                "{} is a folder, not a database file",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    let prepare = || {
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY)?;
        strict_names(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        // The first read, so that a file that is no database is told from a statement that is wrong.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        functions::register(&connection)?;
        let stop = stop.clone();
        connection.progress_handler(STEPS, Some(move || stop.is_cancelled()))?;
        Ok(connection)
    };
    prepare().map_err(|error| error::translate(&error, path))
}

/// A name in double quotes that no column has is an error, and never a text (<https://sqlite.org/quirks.html#dblquote>).
fn strict_names(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    Ok(())
}
