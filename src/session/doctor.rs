//! Checks of everything a session depends on: definitions, connections, value indexes, state folder.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{ConnectionInfo, Session};
use crate::model::{ConnectionKind, Relation};
use crate::registry::Severity;
use crate::warehouse::{TableInfo, duckdb_library};

/// How long a warehouse may take to answer a check.
const PATIENCE: Duration = Duration::from_secs(10);
/// An index older than this is pointed out, in hours.
const STALE_HOURS: i64 = 7 * 24;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Works, with a limitation.
    Warning,
    /// Does not work.
    Error,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it came out.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// What would help.
    pub hint: Option<String>,
}

impl Check {
    /// A check without a hint.
    pub fn new(name: impl Into<String>, status: CheckStatus, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            status,
            detail: detail.into(),
            hint: None,
        }
    }

    /// With what would help.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Session {
    /// Looks at everything the session depends on; connects to every warehouse, and asks a configured model for a word.
    pub async fn doctor(&self) -> Vec<Check> {
        let mut checks = vec![
            self.check_project(),
            self.check_definitions(),
            self.check_state(),
            self.check_duckdb(),
        ];
        if let Some(problem) = self.history_problem() {
            checks.push(
                Check::new("history", CheckStatus::Warning, problem).hint(
                    "queries run, but are not recorded; move the file away to begin a new one",
                ),
            );
        }
        if self.connections().is_empty() {
            checks.push(
                Check::new("connections", CheckStatus::Error, "none configured")
                    .hint("add one under `connections:` in metrex.yaml"),
            );
        }
        for connection in self.connections() {
            let answers = self.check_connection(&connection).await;
            let is_there = answers.status == CheckStatus::Ok;
            checks.push(answers);
            if is_there {
                let tables = self.tables_of(&connection.name).await;
                let rollups = self.check_rollups(&connection.name, tables.as_deref().ok());
                let rollups = rollups.await;
                checks.push(self.check_tables(&connection.name, tables));
                checks.extend(rollups);
            }
            checks.push(self.check_index(&connection.name));
        }
        checks.extend(self.check_model().await);
        checks
    }

    fn check_project(&self) -> Check {
        let project = self.project();
        let place = match &project.root {
            Some(root) => root.display().to_string(),
            None => match project
                .changes
                .as_deref()
                .filter(|folder| folder.join("metrics").exists())
            {
                Some(changes) => format!("the embedded demo, changed in {}", changes.display()),
                None => "the embedded demo".to_owned(),
            },
        };
        Check::new(
            "project",
            CheckStatus::Ok,
            format!("{} ({place})", project.name),
        )
    }

    fn check_definitions(&self) -> Check {
        let catalog = self.catalog();
        let count = |severity| {
            catalog
                .diagnostics
                .iter()
                .filter(|found| found.severity == severity)
                .count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let registry = &catalog.registry;
        let detail = format!(
            "{} metrics, {} datasets, {} snippets, {errors} errors, {warnings} warnings",
            registry.metrics.len(),
            registry.datasets.len(),
            registry.snippets.len(),
        );
        match (errors, warnings) {
            (0, 0) => Check::new("definitions", CheckStatus::Ok, detail),
            (0, _) => Check::new("definitions", CheckStatus::Warning, detail)
                .hint("`metrex check` lists them"),
            _ => Check::new("definitions", CheckStatus::Error, detail)
                .hint("`metrex check` lists them"),
        }
    }

    fn check_state(&self) -> Check {
        let state = self.state();
        match state.notice() {
            None => Check::new(
                "state folder",
                CheckStatus::Ok,
                format!("{} is writable", state.path().display()),
            ),
            Some(notice) => Check::new("state folder", CheckStatus::Warning, notice)
                .hint("set METREX_STATE_DIR to a folder that can be written"),
        }
    }

    /// Whether DuckDB's library is here; only a connection to DuckDB needs it.
    fn check_duckdb(&self) -> Check {
        match duckdb_library() {
            Ok(library) => Check::new("duckdb", CheckStatus::Ok, library.display().to_string()),
            Err(error) => {
                let connections = self.project().config.connections.values();
                let is_needed = connections
                    .map(|connection| &connection.kind)
                    .any(|kind| matches!(kind, ConnectionKind::Duckdb { library: None, .. }));
                let status = match is_needed {
                    true => CheckStatus::Warning,
                    false => CheckStatus::Ok,
                };
                let check = Check::new("duckdb", status, error.message);
                match error.hint {
                    Some(hint) => check.hint(hint),
                    None => check,
                }
            }
        }
    }

    async fn check_connection(&self, connection: &ConnectionInfo) -> Check {
        let (name, target) = (connection.name.as_str(), connection.target.as_str());
        let guard = connection.guard.word();
        let title = format!("connection {name}");
        let warehouse = match self.warehouse(name) {
            Ok(warehouse) => warehouse,
            Err(error) => return failed(title, target, error.message.clone(), error.hint()),
        };
        match tokio::time::timeout(PATIENCE, warehouse.ping()).await {
            Ok(Ok(version)) => Check::new(
                title,
                CheckStatus::Ok,
                format!("{version} at {target}, {guard}"),
            ),
            Ok(Err(error)) => failed(title, target, error.message, error.hint.as_deref()),
            Err(_) => failed(
                title,
                target,
                format!("no answer within {} seconds", PATIENCE.as_secs()),
                None,
            ),
        }
    }

    /// The tables of a warehouse, or why they are not known.
    async fn tables_of(&self, connection: &str) -> Result<Vec<TableInfo>, String> {
        let warehouse = self.warehouse(connection).map_err(|error| error.message)?;
        match tokio::time::timeout(PATIENCE, warehouse.tables()).await {
            Ok(tables) => tables.map_err(|error| error.message),
            Err(_) => Err("no list of the tables in time".to_owned()),
        }
    }

    /// Whether the tables of the definitions are there; a connection to the wrong database has none of them.
    fn check_tables(&self, connection: &str, found: Result<Vec<TableInfo>, String>) -> Check {
        let title = format!("tables {connection}");
        let warning = |detail: String| Check::new(&title, CheckStatus::Warning, detail);
        let found = match found {
            Ok(found) => found,
            Err(why) => return warning(why),
        };
        let catalog = self.catalog();
        let datasets = catalog.registry.datasets.values();
        let wanted: BTreeSet<&str> = datasets
            .filter_map(|dataset| match &dataset.relation {
                Relation::Table(table) => Some(table.as_str()),
                Relation::Sql(_) => None,
            })
            .collect();
        let is_missing = |table: &&str| !found.iter().any(|found| is_named(&found.name, table));
        let missing: Vec<&str> = wanted.iter().copied().filter(is_missing).collect();
        if missing.is_empty() {
            let detail = format!("all {} of the definitions are there", wanted.len());
            return Check::new(title, CheckStatus::Ok, detail);
        }
        warning(format!(
            "{} of {} are not there, or may not be read: {}",
            missing.len(),
            wanted.len(),
            missing.join(", ")
        ))
        .hint("is it the right database? `table:` of a dataset names the table, with its schema")
    }

    fn check_index(&self, connection: &str) -> Check {
        let title = format!("value index {connection}");
        let age = self.index(connection).and_then(|index| index.age());
        match age {
            None => Check::new(
                title,
                CheckStatus::Warning,
                "not filled: values in queries are not checked",
            )
            .hint("`metrex reindex` fills it"),
            Some(updated_at) => {
                let hours = Timestamp::now().duration_since(updated_at).as_hours();
                let detail = format!("oldest column indexed {hours} hours ago");
                if hours > STALE_HOURS {
                    Check::new(title, CheckStatus::Warning, detail)
                        .hint("`metrex reindex`, best every night")
                } else {
                    Check::new(title, CheckStatus::Ok, detail)
                }
            }
        }
    }
}

/// Whether a dataset's `table:` means this table: a name without a schema may stand in any schema of the search path.
fn is_named(found: &str, table: &str) -> bool {
    let default = ["public.", "main."];
    let table = default
        .iter()
        .find_map(|schema| table.strip_prefix(schema))
        .unwrap_or(table);
    let own = found.rsplit('.').next().unwrap_or(found);
    found.eq_ignore_ascii_case(table) || own.eq_ignore_ascii_case(table)
}

fn failed(title: String, target: &str, message: String, hint: Option<&str>) -> Check {
    let detail = match message.contains(target) {
        true => message,
        false => format!("{message} ({target})"),
    };
    let check = Check::new(title, CheckStatus::Error, detail);
    match hint {
        Some(hint) => check.hint(hint),
        None => check,
    }
}
