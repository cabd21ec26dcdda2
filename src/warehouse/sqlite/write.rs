//! Changing an SQLite file: statements in one transaction, on a connection of their own that may write.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio_util::sync::CancellationToken;

use super::error::translate;
use super::{BUSY, STEPS, functions, strict_names, zones};
use crate::warehouse::WarehouseError;

/// Runs the statements, all or nothing.
pub(in crate::warehouse) async fn write(
    path: &Path,
    statements: Vec<String>,
    cancel: &CancellationToken,
) -> Result<(), WarehouseError> {
    let stop = cancel.child_token();
    let _stop_when_dropped = stop.clone().drop_guard();
    let path = path.to_owned();
    let task = tokio::task::spawn_blocking(move || {
        run(&path, &statements, stop).map_err(|error| translate(&error, &path))
    });
    task.await
        .map_err(|error| WarehouseError::connection(format!("the writing thread died: {error}")))?
}

fn run(path: &Path, statements: &[String], stop: CancellationToken) -> rusqlite::Result<()> {
    // Never makes a new file.
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    strict_names(&connection)?;
    functions::register(&connection)?;
    zones::register(&connection)?;
    connection.progress_handler(STEPS, Some(move || stop.is_cancelled()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for statement in statements {
        transaction.execute_batch(statement)?;
    }
    transaction.commit()
}
