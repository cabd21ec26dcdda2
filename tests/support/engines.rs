//! The same tables on every engine that is here: SQLite always, PostgreSQL and DuckDB where they are installed.
//!
//! ```ignore
//! #[path = "support/engines.rs"]
//! mod engines;
//! mod support;
//!
//! for engine in engines::everywhere("CREATE TABLE t (x integer); INSERT INTO t VALUES (1), (2)") {
//!     assert_eq!(engine.rows("SELECT sum(x) FROM t").await, ["3"], "{}", engine.name);
//! }
//! ```
#![allow(dead_code, reason = "every test file uses its own part")]

#[path = "duckdb.rs"]
pub mod duckdb;
#[path = "postgres.rs"]
pub mod postgres;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrex::model::{ColumnType, Connection, ConnectionKind};
use metrex::warehouse::{Request, Warehouse, WarehouseError};
use postgres::Cluster;
use tempfile::TempDir;

use crate::support;
use crate::support::shop::texts;

/// An engine with the tables in it.
pub struct Loaded {
    /// `sqlite`, `postgres` or `duckdb`.
    pub name: &'static str,
    pub connection: Connection,
    pub warehouse: Warehouse,
    _folder: TempDir,
    _cluster: Option<Arc<Cluster>>,
}

/// Every engine that is here, with what these statements make. They must be SQL that all engines understand: plain
/// `integer`, `bigint`, `double precision`, `numeric(10, 2)`, `text`, `boolean`, `date` and `timestamp` columns, dates
/// and times written as texts.
pub fn everywhere(sql: &str) -> Vec<Loaded> {
    everywhere_in("UTC", sql)
}

/// The same with days that begin in this time zone.
pub fn everywhere_in(timezone: &str, sql: &str) -> Vec<Loaded> {
    let mut loaded = Vec::new();
    each(timezone, &mut loaded, |kind| execute(kind, sql));
    loaded
}

/// Every engine that is here, filled by a function that loads tables into a new file or an empty database.
pub fn everywhere_filled(fill: impl Fn(&ConnectionKind) + Sync) -> Vec<Loaded> {
    let mut loaded = Vec::new();
    each("UTC", &mut loaded, fill);
    loaded
}

fn each(timezone: &str, loaded: &mut Vec<Loaded>, fill: impl Fn(&ConnectionKind) + Sync) {
    let mut add = |name: &'static str, folder: TempDir, kind: ConnectionKind, cluster| {
        // On a thread of its own: loading blocks, also where the test is async.
        std::thread::scope(|scope| scope.spawn(|| fill(&kind)).join()).unwrap();
        let connection = Connection {
            name: name.to_owned(),
            kind,
            row_cap: 1_000_000,
        };
        loaded.push(Loaded {
            name,
            warehouse: Warehouse::open(&connection, timezone).unwrap(),
            connection,
            _folder: folder,
            _cluster: cluster,
        });
    };
    let folder = tempfile::tempdir().unwrap();
    let kind = ConnectionKind::Sqlite {
        path: folder.path().join("test.db"),
    };
    add("sqlite", folder, kind, None);
    let folder = tempfile::tempdir().unwrap();
    if let Some(kind) = duckdb::kind(&folder.path().join("test.duckdb")) {
        add("duckdb", folder, kind, None);
    }
    if let Some(cluster) = Cluster::shared() {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let database = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        cluster.psql(&format!("CREATE DATABASE {database}"));
        let kind = postgres::at(&cluster.url_of(&database)).kind;
        add(
            "postgres",
            tempfile::tempdir().unwrap(),
            kind,
            Some(cluster),
        );
    }
}

/// Carries out statements on what was filled.
pub fn execute(kind: &ConnectionKind, sql: &str) {
    match kind {
        ConnectionKind::Sqlite { path } => {
            let database = rusqlite::Connection::open(path).unwrap();
            database.execute_batch(sql).unwrap();
        }
        ConnectionKind::Duckdb { path, .. } => duckdb::execute(path, sql).unwrap(),
        _ => {
            let cluster = Cluster::shared().unwrap();
            cluster.psql_in(&database_of(kind), sql);
        }
    }
}

fn database_of(kind: &ConnectionKind) -> String {
    let ConnectionKind::Postgres(settings) = kind else {
        panic!("{kind:?} is not PostgreSQL")
    };
    let url = settings.url.as_deref().unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

impl Loaded {
    /// The rows of a statement, cells as texts between ` | `, NULL as `-`; columns have the engine's own types.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        match self.ask(sql, None).await {
            Ok(rows) => rows,
            Err(error) => panic!("{}: {error}\n{sql}", self.name),
        }
    }

    /// The same with columns of these types, which makes the rows of all engines alike.
    pub async fn rows_as(&self, sql: &str, columns: &[ColumnType]) -> Vec<String> {
        match self.ask(sql, Some(columns)).await {
            Ok(rows) => rows,
            Err(error) => panic!("{}: {error}\n{sql}", self.name),
        }
    }

    /// The rows, or why there are none.
    pub async fn ask(
        &self,
        sql: &str,
        columns: Option<&[ColumnType]>,
    ) -> Result<Vec<String>, WarehouseError> {
        let columns = columns.map(|types| {
            let named = types.iter().enumerate();
            named.map(|(at, ty)| (format!("c{at}"), *ty)).collect()
        });
        let request = Request {
            sql: sql.to_owned(),
            columns,
            row_cap: None,
        };
        let (batches, _) = support::collect(&self.warehouse, request).await?;
        Ok(texts(&batches))
    }
}
