//! The project's connections: which one is in use, and the warehouse and value index behind each, opened when needed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{Session, SessionError};
use crate::index::ValueIndex;
use crate::model::{Connection, ConnectionKind, Guard, PostgresSettings};
use crate::registry::{Care, nearest, without_secrets};
use crate::warehouse::{Dialect, Fence, Warehouse};

/// A configured connection, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Its name.
    pub name: String,
    /// The engine.
    pub dialect: Dialect,
    /// Where it leads.
    pub target: String,
    /// What keeps it from writing.
    pub guard: Guard,
    /// How carefully it is used.
    pub care: Care,
}

/// What is open.
#[derive(Default)]
pub(super) struct Connections {
    in_use: RwLock<String>,
    warehouses: Mutex<HashMap<String, Warehouse>>,
    indexes: Mutex<HashMap<String, Arc<ValueIndex>>>,
}

impl Session {
    /// The configured connections.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        let info = |connection: &Connection| ConnectionInfo {
            name: connection.name.clone(),
            dialect: dialect(&connection.kind),
            target: target(&connection.kind),
            guard: connection.kind.guard(),
            care: self.care_of(&connection.name),
        };
        self.project()
            .config
            .connections
            .values()
            .map(info)
            .collect()
    }

    pub(super) fn care_of(&self, name: &str) -> Care {
        let care = &self.project().config.care;
        care.get(name).copied().unwrap_or_default()
    }

    /// Name of the connection in use; empty where the project has none.
    pub fn connection(&self) -> String {
        self.connections_in_use()
            .in_use
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Uses another connection from now on.
    ///
    /// # Errors
    /// There is no connection of that name.
    pub fn use_connection(&self, name: &str) -> Result<(), SessionError> {
        let config = &self.project().config;
        if !config.connections.contains_key(name) && !config.unavailable.contains_key(name) {
            let names: Vec<&str> = config.connections.keys().map(String::as_str).collect();
            let error =
                SessionError::usage("unknown_connection", format!("unknown connection '{name}'"));
            return Err(match nearest(name, names.iter().copied()) {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None if names.is_empty() => error
                    .with_hint("this project has none; add it under `connections:` in metrex.yaml"),
                None => error.with_hint(format!("this project has {}", names.join(", "))),
            });
        }
        let mut in_use = self
            .connections_in_use()
            .in_use
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        name.clone_into(&mut in_use);
        Ok(())
    }

    /// Uses the connection asked for, else the project's default, else its first.
    pub(super) fn choose_connection(&self, wanted: Option<String>) -> Result<(), SessionError> {
        let config = &self.project().config;
        let first = || {
            config
                .connections
                .keys()
                .chain(config.unavailable.keys())
                .next()
                .cloned()
        };
        match wanted
            .or_else(|| config.default_connection.clone())
            .or_else(first)
        {
            Some(name) => self.use_connection(&name),
            None => Ok(()),
        }
    }

    /// The dialect of the connection in use; SQLite's where the project has none.
    pub fn dialect(&self) -> Dialect {
        self.dialect_of(&self.connection())
    }

    pub(super) fn dialect_of(&self, name: &str) -> Dialect {
        let config = &self.project().config;
        match config.connections.get(name) {
            Some(connection) => dialect(&connection.kind),
            // Only a URL can lack what it needs.
            None if config.unavailable.contains_key(name) => Dialect::Postgres,
            None => Dialect::Sqlite,
        }
    }

    /// The connection in use.
    pub(super) fn current(&self) -> Result<&Connection, SessionError> {
        self.connection_named(&self.connection())
    }

    pub(super) fn connection_named(&self, name: &str) -> Result<&Connection, SessionError> {
        let config = &self.project().config;
        config
            .connections
            .get(name)
            .ok_or_else(|| match config.unavailable.get(name) {
                Some(reason) => SessionError::usage(
                    "settings",
                    format!("connection '{name}' cannot be used: {reason}"),
                ),
                None => SessionError::usage(
                    "no_connection",
                    "this project has no connection to a warehouse",
                )
                .with_hint("add one under `connections:` in metrex.yaml"),
            })
    }

    /// The warehouse behind a connection, with a fence before it where this session asks; it connects when it is first
    /// asked. There is no other way from a session to a warehouse.
    pub(super) fn warehouse(&self, name: &str) -> Result<Warehouse, SessionError> {
        let warehouse = self.open_warehouse(name)?;
        let limit = self.care_of(name).ask_above_rows;
        Ok(match limit.filter(|_| self.asks()) {
            Some(limit) => warehouse.behind(Fence::new(name, limit)),
            None => warehouse,
        })
    }

    fn open_warehouse(&self, name: &str) -> Result<Warehouse, SessionError> {
        let connection = self.connection_named(name)?;
        let mut open = self
            .connections_in_use()
            .warehouses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(warehouse) = open.get(name) {
            return Ok(warehouse.clone());
        }
        let timezone = &self.catalog().registry.calendar.timezone;
        let warehouse = Warehouse::open(connection, timezone)?;
        open.insert(name.to_owned(), warehouse.clone());
        Ok(warehouse)
    }

    /// The value index of a connection, where it was ever filled and can be read; without it every value passes.
    pub(super) fn index(&self, name: &str) -> Option<Arc<ValueIndex>> {
        let path = self.index_file(name).ok()?;
        if path.exists() {
            self.open_index(name, &path).ok()
        } else {
            None
        }
    }

    /// The value index of the connection in use, made where it is missing.
    pub(super) fn index_to_fill(&self) -> Result<Arc<ValueIndex>, SessionError> {
        let name = self.connection();
        let path = self.index_file(&name)?;
        self.open_index(&name, &path)
    }

    /// The file of a connection's value index.
    pub(super) fn index_file(&self, name: &str) -> Result<PathBuf, SessionError> {
        let target = self.warehouse(name)?.target();
        Ok(self.state().value_index(name, &target))
    }

    fn open_index(&self, name: &str, path: &Path) -> Result<Arc<ValueIndex>, SessionError> {
        let mut open = self
            .connections_in_use()
            .indexes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Another process may have deleted the file, and made a new one.
        if let Some(index) = open.get(name).filter(|index| index.is_current()) {
            return Ok(index.clone());
        }
        let index = Arc::new(ValueIndex::open(path)?);
        open.insert(name.to_owned(), index.clone());
        Ok(index)
    }
}

fn dialect(kind: &ConnectionKind) -> Dialect {
    match kind {
        ConnectionKind::Sqlite { .. } => Dialect::Sqlite,
        ConnectionKind::Postgres(_) => Dialect::Postgres,
        ConnectionKind::Duckdb { .. } => Dialect::Duckdb,
        ConnectionKind::Adbc(settings) => settings.dialect,
    }
}

/// Where a connection leads, without what could be a secret.
fn target(kind: &ConnectionKind) -> String {
    match kind {
        ConnectionKind::Sqlite { path } | ConnectionKind::Duckdb { path, .. } => {
            path.display().to_string()
        }
        ConnectionKind::Adbc(settings) => settings.driver.clone(),
        ConnectionKind::Postgres(PostgresSettings { url: None, .. }) => {
            "PostgreSQL as PG* variables say".to_owned()
        }
        ConnectionKind::Postgres(PostgresSettings { url: Some(url), .. }) => without_secrets(url),
    }
}
