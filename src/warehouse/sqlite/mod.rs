//! SQLite: a file opened read-only; every statement runs on its own connection and thread, and can be interrupted.

mod error;
mod exact;
mod functions;
mod keep;
mod loader;
mod query;
mod schema;
mod write;
mod zones;

pub use keep::{Keeping, keep, kept_as};
pub(super) use loader::SqliteLoader;
pub(super) use write::write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::RecordBatch;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Finished, Request, TableInfo, WarehouseError};

/// How long a statement waits for a program that is writing.
const BUSY: Duration = Duration::from_secs(5);
/// Virtual machine steps between two looks at the cancellation token.
const STEPS: i32 = 1_000;

/// The `PRAGMA`s that only describe tables.
const DESCRIBING: [&str; 7] = [
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

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

    pub(super) async fn explain(
        &self,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, WarehouseError> {
        let sql = sql.to_owned();
        self.blocking(cancel, move |connection, path, _| {
            query::explain(connection, path, &sql)
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
        exact::register(&connection)?;
        zones::register(&connection)?;
        let stop = stop.clone();
        connection.progress_handler(STEPS, Some(move || stop.is_cancelled()))?;
        read_rows_only(&mut connection)?;
        Ok(connection)
    };
    prepare().map_err(|error| error::translate(&error, path))
}

/// From here on the connection reads rows and does nothing else: no `ATTACH`, no `PRAGMA` but those that describe
/// tables, no transaction of its own, no function that reaches out of the database.
fn read_rows_only(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => {
            Authorization::Allow
        }
        AuthAction::Function { function_name } if !reaches_out(function_name) => {
            Authorization::Allow
        }
        AuthAction::Pragma { pragma_name, .. } if DESCRIBING.contains(&pragma_name) => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }))
}

/// Functions of SQLite, or of its extensions, that open files or load code.
fn reaches_out(function: &str) -> bool {
    let names = [
        "load_extension",
        "readfile",
        "writefile",
        "edit",
        "fts3_tokenizer",
    ];
    names.iter().any(|name| function.eq_ignore_ascii_case(name))
}

/// A name in double quotes that no column has is an error, and never a text (<https://sqlite.org/quirks.html#dblquote>).
fn strict_names(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    Ok(())
}
