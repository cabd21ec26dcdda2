//! SQLite's errors in plain words.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::warehouse::error::located;
use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// Says what an SQLite error means for the person who asked.
pub(super) fn translate(error: &Error, path: &Path) -> WarehouseError {
    let file = path.display();
    let text = match error {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => WarehouseError::cancelled(),
        Some(ErrorCode::NotADatabase) => {
            WarehouseError::connection(format!("{file} is not an SQLite database"))
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            WarehouseError::connection(format!("{file} is damaged: {text}"))
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => WarehouseError::new(
            WarehouseErrorKind::Connection,
            format!("{file} is locked by another program"),
        )
        .hint("try again when that program has finished writing"),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure) => {
            WarehouseError::connection(format!("cannot read {file}: {text}")).hint(
                "a database in WAL mode also needs its -wal and -shm files, or a writable folder",
            )
        }
        Some(ErrorCode::ReadOnly) => {
            WarehouseError::query(format!("the warehouse is read-only: {text}"))
        }
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            WarehouseError::query(format!("only statements that read tables are run: {text}"))
        }
        Some(ErrorCode::DiskFull) => {
            WarehouseError::connection(format!("no space left while writing {file}"))
        }
        _ => match error {
            Error::MultipleStatement => WarehouseError::query("only one statement may be run"),
            Error::SqlInputError { sql, offset, .. } => {
                let before = usize::try_from(*offset)
                    .ok()
                    .and_then(|offset| sql.get(..offset));
                WarehouseError::query(before.map_or(text.clone(), |before| located(&text, before)))
            }
            _ => WarehouseError::query(text),
        },
    }
}
