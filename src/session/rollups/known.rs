//! What is known of rollups: which ones the warehouses have, and what each would hold by the definitions of now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::compile::{CompileOptions, RollupState, RollupTable, Rollups};
use crate::model::{ColumnType, NoValues};
use crate::session::Session;
use crate::session::catalog::Version;
use crate::session::cell::raw_text;
use crate::warehouse::{Dialect, Request, Warehouse, WarehouseError};

/// What the warehouses in use and their embedded files have.
#[derive(Debug, Default)]
pub(in crate::session) struct Known {
    /// By connection.
    states: Mutex<HashMap<String, States>>,
    /// The rollups as they were laid out last, with what they were laid out for.
    laid_out: Mutex<Option<(LaidOutFor, Arc<LaidOut>)>>,
}

/// What there is of rollups.
#[derive(Debug, Clone, Default)]
struct States {
    warehouse: Vec<RollupState>,
    embedded: Vec<RollupState>,
}

/// The rollups of a connection, by where they are kept.
#[derive(Debug)]
pub(in crate::session) struct LaidOut {
    pub(in crate::session) warehouse: Rollups,
    pub(in crate::session) embedded: Rollups,
}

/// Generation of the catalog, connection, and dialect.
type LaidOutFor = (u64, String, Dialect);

impl Session {
    /// Asks the warehouse of the current connection which rollups it has; those it does not name are not used.
    pub async fn learn_rollups(&self) {
        if self.catalog().registry.rollups.is_empty() {
            return;
        }
        self.learn_rollups_of(self.connection()).await;
    }

    /// The same for a connection.
    pub(in crate::session) async fn learn_rollups_of(&self, name: String) {
        let catalog = self.catalog();
        let rollups = || catalog.registry.rollups.values();
        let mut known = States::default();
        // The notes that metrex itself keeps there are a few rows.
        if rollups().any(|rollup| !rollup.embedded)
            && let Ok(warehouse) = self.anyway().warehouse(&name)
        {
            known.warehouse = states(&warehouse).await;
        }
        if rollups().any(|rollup| rollup.embedded)
            && let Ok(file) = self.rollup_file(&name)
        {
            known.embedded = states(&file).await;
        }
        let all = self.known_rollups();
        locked(&all.states).insert(name, known);
        *locked(&all.laid_out) = None;
    }

    /// What there is of a rollup.
    pub(super) fn rollup_state(
        &self,
        connection: &str,
        table: &RollupTable,
    ) -> Option<RollupState> {
        let known = locked(&self.known_rollups().states);
        let states = known.get(connection)?;
        let mut kept_there = match table.embedded {
            true => states.embedded.iter(),
            false => states.warehouse.iter(),
        };
        kept_there.find(|state| state.name == table.name).cloned()
    }

    /// The rollups that queries on a connection may be answered from; laid out once for each version of the definitions.
    pub(in crate::session) fn rollups(
        &self,
        version: &Version,
        connection: &str,
        dialect: Dialect,
    ) -> Option<Arc<LaidOut>> {
        let registry = &version.catalog.registry;
        if self.wants_no_rollups() || registry.rollups.is_empty() {
            return None;
        }
        let states = locked(&self.known_rollups().states)
            .get(connection)
            .cloned()?;
        // Another engine has nothing of what this one has.
        if dialect != self.dialect_of(connection) {
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
        let lay_out = |embedded: bool, states: Vec<RollupState>| {
            let rollups = registry.rollups.values();
            let there = rollups.filter(|rollup| {
                rollup.embedded == embedded && states.iter().any(|state| state.name == rollup.name)
            });
            let tables = there.filter_map(|rollup| {
                RollupTable::new(registry, reach, templates, rollup, &options).ok()
            });
            Rollups {
                tables: tables.collect(),
                states,
            }
        };
        let rollups = Arc::new(LaidOut {
            embedded: lay_out(true, states.embedded),
            warehouse: lay_out(false, states.warehouse),
        });
        *laid_out = Some((wanted, rollups.clone()));
        Some(rollups)
    }

    /// How rollups are laid out: independent of today and of what is known of values.
    pub(in crate::session) fn laying_out(&self, dialect: Dialect) -> CompileOptions<'static> {
        CompileOptions {
            dialect,
            today: self.today(),
            values: &NoValues,
            passes: Default::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rows of a statement, all of them.
pub(in crate::session) async fn rows(
    warehouse: &Warehouse,
    sql: String,
    columns: Vec<(String, ColumnType)>,
    cancel: &CancellationToken,
) -> Result<Vec<RecordBatch>, WarehouseError> {
    let request = Request {
        sql,
        columns: Some(columns),
        row_cap: None,
    };
    let (sender, mut arriving) = mpsc::channel(4);
    let query = async {
        let sender = sender;
        warehouse.query(request, cancel, &sender).await
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

/// What a warehouse, or a file, says it has. What cannot be read is as good as not there; where no rollup was ever made there is
/// no such table.
async fn states(warehouse: &Warehouse) -> Vec<RollupState> {
    let columns = RollupState::COLUMNS.map(|(name, ty)| (name.to_owned(), ty));
    let nobody = CancellationToken::new();
    let batches = rows(warehouse, RollupState::read(), columns.to_vec(), &nobody).await;
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
    let batches = batches.unwrap_or_default();
    let each = batches.iter();
    each.flat_map(|batch| (0..batch.num_rows()).filter_map(move |row| read(batch, row)))
        .collect()
}
