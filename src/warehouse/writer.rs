//! Statements that change a warehouse, all or nothing: how rollups are kept. Nothing else metrex does writes to tables that
//! are there already.

use tokio_util::sync::CancellationToken;

use super::{WarehouseError, adbc, postgres, sqlite};
use crate::model::{Connection, ConnectionKind};

/// Runs statements one after the other in one transaction; `timezone` is the zone in which days begin.
///
/// Cancelling the token stops the engine; then, as after any error, everything is as it was before.
///
/// # Errors
/// The warehouse cannot be reached or written, refuses a statement, or the token was cancelled.
pub async fn write(
    connection: &Connection,
    timezone: &str,
    statements: Vec<String>,
    cancel: &CancellationToken,
) -> Result<(), WarehouseError> {
    match &connection.kind {
        ConnectionKind::Sqlite { path } => sqlite::write(path, statements, cancel).await,
        ConnectionKind::Postgres(settings) => {
            let postgres = postgres::Postgres::new(settings, timezone)?;
            postgres.write(&statements, cancel).await
        }
        ConnectionKind::Duckdb { path, library } => {
            adbc::write(path, library.as_deref(), timezone, statements, cancel).await
        }
        ConnectionKind::Adbc(_) => Err(WarehouseError::settings(
            "rollups are not written through a driver of another engine",
        )
        .hint("metrex materialize --dbt prints them as models of dbt")),
    }
}
