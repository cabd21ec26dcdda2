//! Rollups: the plan to make or refresh them, and doing it.

mod file;
mod health;
mod known;

pub(super) use known::{Known, rows};

use jiff::Timestamp;
use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use super::cell::raw_text;
use super::{Session, SessionError};
use crate::compile::{RollupState, RollupTable};
use crate::model::ColumnType;
use crate::registry::nearest;
use crate::warehouse;

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
    /// The statements, run in one transaction; for the embedded file, the one that gives the rows.
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
        let mut plans = Vec::new();
        for rollup in wanted
            .into_iter()
            .filter_map(|name| registry.rollups.get(name))
        {
            let options = self.laying_out(dialect);
            let (reach, templates) = (&version.catalog.reach, &version.templates);
            let table = RollupTable::new(registry, reach, templates, rollup, &options)?;
            let state = self.rollup_state(&connection, &table);
            let current = state.as_ref().filter(|state| {
                !full && state.definition == table.definition && state.table == table.table
            });
            let week_start = registry.calendar.week_start;
            let from = current.map(|state| state.again_from(table.grain, week_start));
            let since = |from| table.since(from, registry, reach, templates, rollup, &options);
            let mut statements = match from {
                Some(from) if table.embedded => vec![since(from)?],
                None if table.embedded => vec![table.sql.clone()],
                Some(from) => table.renew(from, &since(from)?, dialect),
                None => {
                    let replace = state
                        .as_ref()
                        .is_some_and(|state| state.table == table.table);
                    table.make(replace, dialect)
                }
            };
            if !table.embedded {
                statements.extend(table.record(self.today(), Timestamp::now(), dialect));
            }
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
        if plan.table.embedded {
            self.keep_in_file(&name, plan, cancel).await?;
        } else {
            let timezone = self.catalog().registry.calendar.timezone.clone();
            let statements = plan.statements.clone();
            warehouse::write(connection, &timezone, statements, cancel).await?;
        }
        self.learn_rollups().await;
        Ok(self.rollup_state(&name, &plan.table))
    }

    /// How many rows a rollup would have on the connection in use, and how many are added up to them.
    pub(super) async fn size_of_rollup(&self, name: &str) -> Result<(u64, u64), SessionError> {
        let connection = self.connection();
        let version = self.version();
        let registry = &version.catalog.registry;
        let Some(rollup) = registry.rollups.get(name) else {
            let message = format!("there is no rollup '{name}'");
            return Err(SessionError::usage("unknown_rollup", message));
        };
        let options = self.laying_out(self.dialect_of(&connection));
        let (reach, templates) = (&version.catalog.reach, &version.templates);
        let table = RollupTable::new(registry, reach, templates, rollup, &options)?;
        self.size_of(&table, &connection).await
    }

    async fn size_of(
        &self,
        table: &RollupTable,
        connection: &str,
    ) -> Result<(u64, u64), SessionError> {
        let warehouse = self.warehouse(connection)?;
        let columns = ["kept", "added_up"].map(|name| (name.to_owned(), ColumnType::Integer));
        let nobody = CancellationToken::new();
        let batches = rows(&warehouse, table.estimate(), columns.to_vec(), &nobody).await?;
        let number = |index: usize| {
            let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
            raw_text(batch.columns().get(index)?, 0)?.parse().ok()
        };
        Ok((number(0).unwrap_or_default(), number(1).unwrap_or_default()))
    }
}
