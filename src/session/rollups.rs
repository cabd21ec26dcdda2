//! Rollups: what the warehouse has of them, the plan to make or refresh them, and doing it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::catalog::Version;
use super::cell::raw_text;
use super::{Session, SessionError};
use crate::compile::{CompileOptions, RollupState, RollupTable, Rollups};
use crate::model::{ColumnType, NoValues};
use crate::registry::nearest;
use crate::warehouse::{self, Dialect, Request, Warehouse, WarehouseError};

/// What the warehouses in use have.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By connection.
    states: Mutex<HashMap<String, Vec<RollupState>>>,
    /// The rollups as they were laid out last, with what they were laid out for.
    laid_out: Mutex<Option<(LaidOutFor, Arc<Rollups>)>>,
}

/// Generation of the catalog, connection, and dialect.
type LaidOutFor = (u64, String, Dialect);

/// What will be done about a rollup.
#[derive(Debug, Clone, PartialEq)]
pub struct RollupPlan {
    /// The rollup.
    pub table: RollupTable,
    /// What the warehouse has of it.
    pub state: Option<RollupState>,
    /// The first day that is computed again; `None` makes all of it.
    pub from: Option<Date>,
    /// Rows it would have, and rows that are added up to them; unknown where they were not counted.
    pub size: Option<(u64, u64)>,
    /// The statements, run in one transaction.
    pub statements: Vec<String>,
    /// The rollup as a dbt model.
    pub dbt_model: String,
}

impl RollupPlan {
    /// Why all of it is made, or from which day on it is refreshed.
    pub fn what(&self) -> String {
        match (&self.state, self.from) {
            (_, Some(from)) => format!("refresh the days since {from}"),
            (None, None) => "make all of it".to_owned(),
            (Some(state), None) if state.definition != self.table.definition => {
                "make all of it anew: its definition has changed".to_owned()
            }
            (Some(_), None) => "make all of it anew".to_owned(),
        }
    }
}

impl Session {
    /// Plans to make or refresh rollups: those named, else all; `full` makes all of their rows anew.
    ///
    /// # Errors
    /// There is no rollup of a name, one cannot be kept, or the warehouse does not answer.
    pub async fn plan_rollups(
        &self,
        names: &[String],
        full: bool,
        count: bool,
    ) -> Result<Vec<RollupPlan>, SessionError> {
        let connection = self.connection();
        self.learn_rollups().await;
        let version = self.version();
        let registry = &version.catalog.registry;
        if registry.rollups.is_empty() {
            let error = SessionError::usage("no_rollups", "this project has no rollups");
            return Err(error.with_hint("declare them under `rollups:`, see docs/rollups.md"));
        }
        let mut wanted: Vec<&str> = Vec::new();
        for name in names {
            let found = registry.rollups.get_key_value(name.as_str());
            wanted.push(found.map(|(name, _)| name.as_str()).ok_or_else(|| {
                let error =
                    SessionError::usage("unknown_rollup", format!("there is no rollup '{name}'"));
                match nearest(name, registry.rollups.keys().map(String::as_str)) {
                    Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                    None => error,
                }
            })?);
        }
        if wanted.is_empty() {
            wanted = registry.rollups.keys().map(String::as_str).collect();
        }
        let dialect = self.dialect_of(&connection);
        let states = self.rollup_states(&connection);
        let mut plans = Vec::new();
        for rollup in wanted
            .into_iter()
            .filter_map(|name| registry.rollups.get(name))
        {
            let options = self.laying_out(dialect);
            let (reach, templates) = (&version.catalog.reach, &version.templates);
            let table = RollupTable::new(registry, reach, templates, rollup, &options)?;
            let state = states
                .iter()
                .find(|state| state.name == rollup.name)
                .cloned();
            let current = state.as_ref().filter(|state| {
                !full && state.definition == table.definition && state.table == table.table
            });
            let week_start = registry.calendar.week_start;
            let from = current.map(|state| state.again_from(table.grain, week_start));
            let mut statements = match from {
                Some(from) => {
                    let rows = table.since(from, registry, reach, templates, rollup, &options)?;
                    table.renew(from, &rows, dialect)
                }
                None => {
                    let replace = state
                        .as_ref()
                        .is_some_and(|state| state.table == table.table);
                    table.make(replace, dialect)
                }
            };
            statements.extend(table.record(self.today(), Timestamp::now(), dialect));
            let size = match count {
                true => Some(self.size_of(&table, &connection).await?),
                false => None,
            };
            plans.push(RollupPlan {
                dbt_model: table.dbt_model(dialect),
                table,
                state,
                from,
                size,
                statements,
            });
        }
        Ok(plans)
    }

    /// Makes or refreshes a rollup as planned, all or nothing. Returns what the warehouse then has.
    ///
    /// # Errors
    /// The warehouse cannot be written.
    pub async fn materialize(
        &self,
        plan: &RollupPlan,
        cancel: &CancellationToken,
    ) -> Result<Option<RollupState>, SessionError> {
        let name = self.connection();
        let connection = self.connection_named(&name)?;
        let timezone = self.catalog().registry.calendar.timezone.clone();
        let statements = plan.statements.clone();
        warehouse::write(connection, &timezone, statements, cancel).await?;
        self.learn_rollups().await;
        let states = self.rollup_states(&name);
        let made = states.iter().find(|state| state.name == plan.table.name);
        Ok(made.cloned())
    }

    /// Asks the warehouse of the current connection which rollups it has; those it does not name are not used.
    pub async fn learn_rollups(&self) {
        if self.catalog().registry.rollups.is_empty() {
            return;
        }
        let name = self.connection();
        let columns = RollupState::COLUMNS.map(|(name, ty)| (name.to_owned(), ty));
        let states = match self.warehouse(&name) {
            Err(_) => Vec::new(),
            Ok(warehouse) => {
                // Where no rollup was ever made there is no such table.
                let rows = rows(&warehouse, RollupState::read(), columns.to_vec()).await;
                rows.map_or_else(|_| Vec::new(), |batches| states(&batches))
            }
        };
        let known = self.known_rollups();
        locked(&known.states).insert(name, states);
        *locked(&known.laid_out) = None;
    }

    /// What is known of a connection's rollups.
    fn rollup_states(&self, connection: &str) -> Vec<RollupState> {
        let states = locked(&self.known_rollups().states);
        states.get(connection).cloned().unwrap_or_default()
    }

    /// The rollups that queries on a connection may be answered from; laid out once for each version of the definitions.
    pub(super) fn rollups(
        &self,
        version: &Version,
        connection: &str,
        dialect: Dialect,
    ) -> Option<Arc<Rollups>> {
        let registry = &version.catalog.registry;
        if self.wants_no_rollups() || registry.rollups.is_empty() {
            return None;
        }
        let states = self.rollup_states(connection);
        // Another engine has nothing of what this one has.
        if states.is_empty() || dialect != self.dialect_of(connection) {
            return None;
        }
        let wanted = (version.catalog.generation, connection.to_owned(), dialect);
        let mut laid_out = locked(&self.known_rollups().laid_out);
        if let Some((known, rollups)) = laid_out.as_ref()
            && *known == wanted
        {
            return Some(rollups.clone());
        }
        let options = self.laying_out(dialect);
        let (reach, templates) = (&version.catalog.reach, &version.templates);
        let tables = registry.rollups.values();
        let tables = tables.filter_map(|rollup| {
            RollupTable::new(registry, reach, templates, rollup, &options).ok()
        });
        let rollups = Arc::new(Rollups {
            tables: tables.collect(),
            states,
        });
        *laid_out = Some((wanted, rollups.clone()));
        Some(rollups)
    }

    /// How rollups are laid out: independent of today and of what is known of values.
    fn laying_out(&self, dialect: Dialect) -> CompileOptions<'static> {
        CompileOptions {
            dialect,
            today: self.today(),
            values: &NoValues,
            passes: Default::default(),
        }
    }

    async fn size_of(
        &self,
        table: &RollupTable,
        connection: &str,
    ) -> Result<(u64, u64), SessionError> {
        let warehouse = self.warehouse(connection)?;
        let columns = ["kept", "added_up"].map(|name| (name.to_owned(), ColumnType::Integer));
        let batches = rows(&warehouse, table.estimate(), columns.to_vec()).await?;
        let number = |index: usize| {
            let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
            raw_text(batch.columns().get(index)?, 0)?.parse().ok()
        };
        Ok((number(0).unwrap_or_default(), number(1).unwrap_or_default()))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn rows(
    warehouse: &Warehouse,
    sql: String,
    columns: Vec<(String, ColumnType)>,
) -> Result<Vec<RecordBatch>, WarehouseError> {
    let request = Request {
        sql,
        columns: Some(columns),
        row_cap: None,
    };
    let (sender, mut arriving) = mpsc::channel(4);
    let query = async {
        let sender = sender;
        warehouse
            .query(request, &CancellationToken::new(), &sender)
            .await
    };
    let collect = async {
        let mut batches = Vec::new();
        while let Some(batch) = arriving.recv().await {
            batches.push(batch);
        }
        batches
    };
    let (finished, batches) = tokio::join!(query, collect);
    finished.map(|_| batches)
}

/// What cannot be read is as good as not there.
fn states(batches: &[RecordBatch]) -> Vec<RollupState> {
    let read = |batch: &RecordBatch, row: usize| {
        let text = |index: usize| raw_text(batch.columns().get(index)?, row);
        Some(RollupState {
            name: text(0)?,
            table: text(1)?,
            definition: text(2)?,
            until: text(3)?.parse().ok()?,
            refreshed_at: text(4)?.parse().ok()?,
            rows: text(5)?.parse().ok()?,
        })
    };
    batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).filter_map(move |row| read(batch, row)))
        .collect()
}
