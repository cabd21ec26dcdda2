//! Engines with an ADBC driver, DuckDB first: the driver is a library found at run time, results arrive as Arrow.

mod cancel;
mod connect;
mod decode;
mod error;
mod files;
mod guard;
mod library;
mod loader;
mod query;
mod schema;
mod write;

pub(super) use library::{find_duckdb, no_duckdb};
pub(super) use loader::DuckdbLoader;
pub(super) use write::write;

use std::path::Path;
use std::sync::Arc;

use adbc_core::{Connection as _, Statement as _};
use adbc_driver_manager::ManagedConnection;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Dialect, Finished, Request, TableInfo, WarehouseError};
use crate::model::AdbcSettings;
use cancel::Brake;
use connect::{Connection, Engine};

/// An engine behind an ADBC driver.
#[derive(Debug)]
pub(super) struct Adbc {
    engine: Arc<Engine>,
    zone: TimeZone,
}

/// A statement's surroundings on its thread.
struct Session<'s> {
    connection: Connection,
    dialect: Dialect,
    target: &'s str,
    stop: &'s CancellationToken,
    brake: &'s Brake,
}

impl Adbc {
    /// Prepares DuckDB for a database file, a data file or a folder of data files; nothing is loaded yet.
    pub(super) fn duckdb(
        path: &Path,
        library: Option<&Path>,
        timezone: &str,
    ) -> Result<Self, WarehouseError> {
        Self::new(Engine::duckdb(path, library, timezone), timezone)
    }

    /// Prepares an engine with a driver of its own.
    pub(super) fn driver(settings: &AdbcSettings, timezone: &str) -> Result<Self, WarehouseError> {
        Self::new(Engine::driver(settings, timezone), timezone)
    }

    fn new(engine: Engine, timezone: &str) -> Result<Self, WarehouseError> {
        let zone = TimeZone::get(timezone)
            .map_err(|_| WarehouseError::settings(format!("unknown time zone {timezone:?}")))?;
        Ok(Self {
            engine: Arc::new(engine),
            zone,
        })
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    pub(super) fn target(&self) -> String {
        self.engine.target().to_owned()
    }

    pub(super) async fn query(
        &self,
        request: Request,
        cancel: &CancellationToken,
        sink: &mpsc::Sender<RecordBatch>,
    ) -> Result<Finished, WarehouseError> {
        let (sink, zone) = (sink.clone(), self.zone.clone());
        self.blocking(cancel, move |session| {
            session.check(&request.sql)?;
            query::run(session, &request, &zone, &sink)
        })
        .await
    }

    pub(super) async fn explain(
        &self,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, WarehouseError> {
        let sql = sql.to_owned();
        self.blocking(cancel, move |session| {
            session.check(&sql)?;
            let rows = session.texts(&format!("EXPLAIN {sql}"))?;
            // One row per kind of plan, the text of the plan last; or one row per line.
            let plans = rows.into_iter().filter_map(|mut row| row.pop().flatten());
            Ok(plans
                .flat_map(|plan| plan.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect())
        })
        .await
    }

    pub(super) async fn tables(&self) -> Result<Vec<TableInfo>, WarehouseError> {
        self.blocking(&CancellationToken::new(), schema::tables)
            .await
    }

    pub(super) async fn ping(&self) -> Result<String, WarehouseError> {
        self.blocking(&CancellationToken::new(), |session| match session.dialect {
            Dialect::Duckdb => {
                let rows = session.texts("SELECT version()")?;
                let version = rows.into_iter().flatten().next().flatten();
                let version = version.unwrap_or_default();
                Ok(format!("DuckDB {}", version.trim_start_matches('v')))
            }
            dialect => {
                session.texts("SELECT 1")?;
                Ok(format!("{} through its ADBC driver", dialect.title()))
            }
        })
        .await
    }

    /// Works with a connection of its own on a blocking thread; a cancel, or dropping the future, stops the engine.
    async fn blocking<T: Send + 'static>(
        &self,
        cancel: &CancellationToken,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, WarehouseError> + Send + 'static,
    ) -> Result<T, WarehouseError> {
        let stop = cancel.child_token();
        let _stop_when_dropped = stop.clone().drop_guard();
        let brake = Brake::default();
        tokio::spawn(brake.clone().pulled_by(stop.clone()));
        let engine = Arc::clone(&self.engine);
        let task = tokio::task::spawn_blocking(move || {
            let released = brake.released_when_dropped();
            let mut session = Session {
                connection: engine.connect()?,
                dialect: engine.dialect(),
                target: engine.target(),
                stop: &stop,
                brake: &brake,
            };
            let result = work(&mut session);
            drop(released);
            match result {
                // What a driver calls the end that it was asked for differs.
                Err(_) if stop.is_cancelled() => Err(WarehouseError::cancelled()),
                result => result,
            }
        });
        task.await.map_err(|error| {
            WarehouseError::connection(format!("the query thread died: {error}"))
        })?
    }
}

impl Session<'_> {
    /// Refuses what is not exactly one query.
    fn check(&mut self, sql: &str) -> Result<(), WarehouseError> {
        guard::check(&mut self.connection.raw, self.dialect, self.target, sql)
    }

    /// The rows of a statement of metrex's own, whose columns are all texts.
    fn texts(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, WarehouseError> {
        texts(&mut self.connection.raw, sql)
            .map_err(|error| error::running(&error, self.target, sql))
    }
}

fn texts(
    connection: &mut ManagedConnection,
    sql: &str,
) -> adbc_core::error::Result<Vec<Vec<Option<String>>>> {
    let mut statement = connection.new_statement()?;
    statement.set_sql_query(sql)?;
    let mut rows = Vec::new();
    for batch in statement.execute()? {
        let batch = batch?;
        let text = |row: usize| {
            let columns = batch.columns().iter();
            columns.map(move |column| {
                let texts = column.as_string_opt::<i32>()?;
                let is_there = !arrow_array::Array::is_null(texts, row);
                is_there.then(|| texts.value(row).to_owned())
            })
        };
        rows.extend((0..batch.num_rows()).map(|row| text(row).collect()));
    }
    Ok(rows)
}

/// Runs a statement of metrex's own that returns nothing of interest.
fn execute(connection: &mut ManagedConnection, sql: &str) -> adbc_core::error::Result<()> {
    let mut statement = connection.new_statement()?;
    statement.set_sql_query(sql)?;
    statement.execute_update().map(|_| ())
}
