//! Small tables on every engine, and questions about them with the rows that are right.

use std::sync::Arc;

use jiff::civil::{Date, date};
use metrex::compile::{CompileError, CompileOptions, Compiled};
use metrex::model::{Connection, ConnectionKind, NoValues, Registry};
use metrex::warehouse::{Dialect, Warehouse};
use tempfile::TempDir;

use crate::postgres::{self, Cluster};
use crate::support::shop::{Engine, connection, registry_of, rows};

pub const TODAY: Date = date(2025, 4, 15);

/// Tables and the registry over them.
pub struct World {
    engine: Engine,
    warehouses: Vec<(&'static str, Warehouse)>,
    _folder: TempDir,
    _cluster: Option<Arc<Cluster>>,
}

impl World {
    /// Tables made by statements that every engine understands.
    pub fn new(sql: &str, yaml: &str) -> Self {
        Self::with(sql, registry_of(yaml))
    }

    pub fn with(sql: &str, registry: Registry) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kinds.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(sql).unwrap();
        let mut connections: Vec<(&'static str, Connection)> =
            vec![("sqlite", connection(ConnectionKind::Sqlite { path }))];
        let cluster = Cluster::shared();
        if let Some(cluster) = &cluster {
            cluster.psql(sql);
            connections.push(("postgres", postgres::at(&cluster.url())));
        }
        let open = |(name, connection): (&'static str, Connection)| {
            (
                name,
                Warehouse::open(&connection, &registry.calendar.timezone).unwrap(),
            )
        };
        Self {
            warehouses: connections.into_iter().map(open).collect(),
            engine: Engine::new(registry),
            _folder: folder,
            _cluster: cluster,
        }
    }

    pub fn compile(&self, line: &str, dialect: Dialect) -> Result<Compiled, CompileError> {
        let options = CompileOptions {
            dialect,
            today: TODAY,
            values: &NoValues,
            passes: Default::default(),
        };
        self.engine.compile_by(line, &options)
    }

    /// Every question has these rows on every engine.
    pub async fn answers(&self, answers: &[(&str, &[&str])]) {
        let mut wrong = Vec::new();
        for (name, warehouse) in &self.warehouses {
            for (line, expected) in answers {
                let compiled = match self.compile(line, warehouse.dialect()) {
                    Ok(compiled) => compiled,
                    Err(error) => {
                        wrong.push(format!("{name}: {line}\n{error}"));
                        continue;
                    }
                };
                let found = rows(warehouse, &compiled.main).await;
                if found != *expected {
                    wrong.push(format!(
                        "{name}: {line}\nfound {found:#?}\nexpected {expected:#?}\n{}",
                        compiled.main.sql
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    /// The question is refused with this message.
    #[track_caller]
    pub fn refuses(&self, line: &str, message: &str) {
        match self.compile(line, Dialect::Sqlite) {
            Ok(compiled) => panic!("{line} is no refusal:\n{}", compiled.main.sql),
            Err(error) => assert_eq!(error.message, message, "{line}"),
        }
    }

    /// The reasons given for a question.
    pub fn reasons(&self, line: &str) -> Vec<String> {
        let compiled = self.compile(line, Dialect::Sqlite).unwrap();
        compiled
            .reasons
            .into_iter()
            .map(|reason| reason.text)
            .collect()
    }
}
