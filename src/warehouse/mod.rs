//! Warehouses: drivers, dialects and Arrow results. The only room that names a database driver for the warehouse.
//!
//! [`Warehouse`] reads, and can do nothing else; [`Loader`] writes whole new tables, for the demo and for `init`;
//! [`write()`] keeps rollups, [`keep`] in an embedded file.

mod adbc;
mod dialect;
mod error;
mod estimate;
mod fence;
mod loader;
mod postgres;
mod rows;
mod schema;
mod sqlite;
mod times;
mod writer;

pub use dialect::{Dialect, Shift};
pub use error::{WarehouseError, WarehouseErrorKind};
pub use fence::Fence;
pub use loader::{ColumnSpec, Loader, TableSpec};
pub use rows::Cell;
pub use schema::{ColumnInfo, ForeignKey, TableInfo};
pub use sqlite::{Keeping, keep, kept_as};
pub use writer::write;

use std::sync::Arc;

use arrow_array::RecordBatch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::{ColumnType, Connection, ConnectionKind};
use estimate::expected_rows;

/// Where DuckDB's library is.
///
/// # Errors
/// It is not where a variable says, or not in any of the usual places; and where to get it.
pub fn duckdb_library() -> Result<std::path::PathBuf, WarehouseError> {
    adbc::find_duckdb()?.ok_or_else(adbc::no_duckdb)
}

/// One statement to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// One `SELECT`; anything that could write is refused.
    pub sql: String,
    /// Names and types of the columns it returns; `None` takes them from the engine.
    pub columns: Option<Vec<(String, ColumnType)>>,
    /// Most rows to return; `None` has no limit.
    pub row_cap: Option<u64>,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Rows sent.
    pub rows: u64,
    /// Whether there were more rows than the cap.
    pub truncated: bool,
}

/// A warehouse that can be asked; several statements may run at the same time. A clone is the same warehouse.
#[derive(Debug, Clone)]
pub struct Warehouse {
    driver: Arc<Driver>,
    fence: Option<Fence>,
}

#[derive(Debug)]
enum Driver {
    Sqlite(sqlite::Sqlite),
    Postgres(Box<postgres::Postgres>),
    Adbc(adbc::Adbc),
}

impl Warehouse {
    /// Prepares a connection without connecting; `timezone` is the IANA name of the zone in which days begin.
    ///
    /// # Errors
    /// Settings that cannot be understood.
    pub fn open(connection: &Connection, timezone: &str) -> Result<Self, WarehouseError> {
        let driver = match &connection.kind {
            ConnectionKind::Sqlite { path } => Driver::Sqlite(sqlite::Sqlite::new(path)),
            ConnectionKind::Postgres(settings) => {
                Driver::Postgres(Box::new(postgres::Postgres::new(settings, timezone)?))
            }
            ConnectionKind::Duckdb { path, library } => {
                Driver::Adbc(adbc::Adbc::duckdb(path, library.as_deref(), timezone)?)
            }
            ConnectionKind::Adbc(settings) => Driver::Adbc(adbc::Adbc::driver(settings, timezone)?),
        };
        Ok(Self {
            driver: Arc::new(driver),
            fence: None,
        })
    }

    /// The same warehouse behind a fence, which every statement has to pass.
    pub fn behind(&self, fence: Fence) -> Self {
        Self {
            driver: Arc::clone(&self.driver),
            fence: Some(fence),
        }
    }

    /// Has statements pass the fence before the first of them runs.
    ///
    /// # Errors
    /// As for [`Self::explain`], or one of them is too large.
    pub async fn passed(
        &self,
        statements: &[&str],
        cancel: &CancellationToken,
    ) -> Result<Self, WarehouseError> {
        let mut passed = self.clone();
        for sql in statements {
            passed.pass(sql, cancel).await?;
            if let Some(fence) = &mut passed.fence {
                fence.let_pass(sql);
            }
        }
        Ok(passed)
    }

    async fn pass(&self, sql: &str, cancel: &CancellationToken) -> Result<(), WarehouseError> {
        let fence = self.fence.as_ref().filter(|fence| !fence.has_passed(sql));
        let Some(fence) = fence else {
            return Ok(());
        };
        let plan = match self.explain(sql, cancel).await {
            // Not every driver knows plans; and a statement that is wrong is refused when it runs.
            Err(error) if error.kind == WarehouseErrorKind::Query && self.may_lack_plans() => {
                Vec::new()
            }
            plan => plan?,
        };
        fence.judge(&plan)
    }

    fn may_lack_plans(&self) -> bool {
        matches!(&*self.driver, Driver::Adbc(adbc) if adbc.dialect() != Dialect::Duckdb)
    }

    /// The SQL dialect to write.
    pub fn dialect(&self) -> Dialect {
        match &*self.driver {
            Driver::Sqlite(_) => Dialect::Sqlite,
            Driver::Postgres(_) => Dialect::Postgres,
            Driver::Adbc(adbc) => adbc.dialect(),
        }
    }

    /// Where it leads, without secrets: the file, or `user@host:port/database`.
    pub fn target(&self) -> String {
        match &*self.driver {
            Driver::Sqlite(sqlite) => sqlite.target(),
            Driver::Postgres(postgres) => postgres.target(),
            Driver::Adbc(adbc) => adbc.target(),
        }
    }

    /// Runs one statement and sends its rows: a small first batch as soon as it is there, then larger ones. At least
    /// one batch is sent, without rows where there are none, so that the reader learns the columns.
    ///
    /// Cancelling the token (or dropping the future) stops the engine; the call returns when the engine has stopped.
    ///
    /// Behind a fence, a statement that looks expensive is not run.
    ///
    /// # Errors
    /// See [`WarehouseErrorKind`]. A receiver that went away counts as a cancel.
    pub async fn query(
        &self,
        request: Request,
        cancel: &CancellationToken,
        sink: &mpsc::Sender<RecordBatch>,
    ) -> Result<Finished, WarehouseError> {
        self.pass(&request.sql, cancel).await?;
        self.send(request, cancel, sink).await
    }

    /// The names of the columns of a statement, which is asked for none of its rows.
    ///
    /// # Errors
    /// As for [`Self::query`].
    pub async fn columns_of(
        &self,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, WarehouseError> {
        let request = Request {
            sql: format!("SELECT * FROM (\n{sql}\n) AS checked LIMIT 0"),
            ..Request::default()
        };
        let (sender, mut batches) = mpsc::channel(1);
        let query = async {
            let sender = sender;
            self.send(request, cancel, &sender).await
        };
        let (finished, batch) = tokio::join!(query, batches.recv());
        finished?;
        let schema = batch.map(|batch| batch.schema());
        let fields = schema.iter().flat_map(|schema| schema.fields().iter());
        Ok(fields.map(|field| field.name().clone()).collect())
    }

    async fn send(
        &self,
        request: Request,
        cancel: &CancellationToken,
        sink: &mpsc::Sender<RecordBatch>,
    ) -> Result<Finished, WarehouseError> {
        match &*self.driver {
            Driver::Sqlite(sqlite) => sqlite.query(request, cancel, sink).await,
            Driver::Postgres(postgres) => postgres.query(request, cancel, sink).await,
            Driver::Adbc(adbc) => adbc.query(request, cancel, sink).await,
        }
    }

    /// Has the engine plan a statement without running it: a dry run. Returns the plan, line by line.
    ///
    /// # Errors
    /// As for [`Self::query`]: the engine refuses the statement, or it is no query.
    pub async fn explain(
        &self,
        sql: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>, WarehouseError> {
        match &*self.driver {
            Driver::Sqlite(sqlite) => sqlite.explain(sql, cancel).await,
            Driver::Postgres(postgres) => postgres.explain(sql, cancel).await,
            Driver::Adbc(adbc) => adbc.explain(sql, cancel).await,
        }
    }

    /// The tables and views that metrics could be computed from, sorted by name.
    ///
    /// # Errors
    /// As for [`Self::query`].
    pub async fn tables(&self) -> Result<Vec<TableInfo>, WarehouseError> {
        match &*self.driver {
            Driver::Sqlite(sqlite) => sqlite.tables().await,
            Driver::Postgres(postgres) => postgres.tables().await,
            Driver::Adbc(adbc) => adbc.tables().await,
        }
    }

    /// Connects and answers with the engine's name and version.
    ///
    /// # Errors
    /// Why the warehouse cannot be used.
    pub async fn ping(&self) -> Result<String, WarehouseError> {
        match &*self.driver {
            Driver::Sqlite(sqlite) => sqlite.ping().await,
            Driver::Postgres(postgres) => postgres.ping().await,
            Driver::Adbc(adbc) => adbc.ping().await,
        }
    }
}
