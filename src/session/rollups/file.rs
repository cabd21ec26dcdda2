//! Rollups in the embedded file, for those who may not write to the warehouse: their rows are read through it and kept as
//! they are.

use std::collections::BTreeSet;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::RollupPlan;
use super::known::rows;
use crate::compile::RollupTable;
use crate::model::{ColumnType, Connection, ConnectionKind};
use crate::session::cell::raw_text;
use crate::session::{Failure, Session, SessionError};
use crate::warehouse::{Dialect, Keeping, Warehouse, WarehouseErrorKind, keep, kept_as};

/// Most texts of a column whose order is compared with the warehouse's.
const MOST_TEXTS: usize = 10_000;

impl Session {
    /// The embedded file of a connection, as a warehouse that is read.
    pub(in crate::session) fn rollup_file(&self, name: &str) -> Result<Warehouse, SessionError> {
        let connection = Connection {
            name: name.to_owned(),
            kind: ConnectionKind::Sqlite {
                path: self.rollup_path(name)?,
            },
            row_cap: u64::MAX,
        };
        let timezone = &self.catalog().registry.calendar.timezone;
        Ok(Warehouse::open(&connection, timezone)?)
    }

    fn rollup_path(&self, name: &str) -> Result<PathBuf, SessionError> {
        let target = self.warehouse(name)?.target();
        Ok(self.state().rollups(name, &target))
    }

    /// Reads the rows of a plan through the warehouse and keeps them, all or nothing.
    pub(super) async fn keep_in_file(
        &self,
        connection: &str,
        plan: &RollupPlan,
        cancel: &CancellationToken,
    ) -> Result<(), SessionError> {
        let table = &plan.table;
        let warehouse = self.warehouse(connection)?;
        let wanted = table.selected.iter();
        let wanted = wanted.map(|(name, ty)| (name.clone(), kept_as(*ty)));
        let sql = plan.statements.concat();
        let new = rows(&warehouse, sql, wanted.collect(), cancel).await?;
        let columns = table.selected.iter().enumerate();
        for (index, (column, _)) in columns.filter(|(_, (_, ty))| *ty == ColumnType::Text) {
            let mut texts: BTreeSet<String> = cells(&new, index).collect();
            if plan.from.is_some() {
                let (name, from) = (
                    Dialect::Sqlite.name(column),
                    Dialect::Sqlite.table(&table.table),
                );
                let sql = format!("SELECT DISTINCT {name} FROM {from}");
                let file = self.rollup_file(connection)?;
                let wanted = vec![(column.clone(), ColumnType::Text)];
                texts.extend(cells(&rows(&file, sql, wanted, cancel).await?, 0));
            }
            self.compare_order(&warehouse, table, column, texts, cancel)
                .await?;
        }
        let keeping = Keeping {
            path: self.rollup_path(connection)?,
            before: table.empty(plan.from),
            table: table.table.clone(),
            columns: table.selected.clone(),
            sums: table.sums(),
            rows: new,
            after: table.record(self.today(), Timestamp::now(), Dialect::Sqlite),
        };
        Ok(keep(keeping, cancel).await?)
    }

    /// A file has texts in the order of their bytes. Where the warehouse has them in another one, or does not tell two of
    /// them apart, rows from the file would not come as they do from the warehouse.
    async fn compare_order(
        &self,
        warehouse: &Warehouse,
        table: &RollupTable,
        column: &str,
        texts: BTreeSet<String>,
        cancel: &CancellationToken,
    ) -> Result<(), SessionError> {
        let refused = |why: String| {
            let message = format!("{} cannot be kept in a file: {why}", table.name);
            SessionError::new(Failure::Query, "rollup", message).with_hint(format!(
                "leave {column} out, or keep the rollup in the warehouse"
            ))
        };
        let sql = table.told_apart(column, warehouse.dialect());
        let count = vec![("texts".to_owned(), ColumnType::Text)];
        match rows(warehouse, sql, count, cancel).await {
            Ok(batches) if cells(&batches, 0).next().as_deref() == Some("4") => {}
            Ok(_) => {
                let why = format!("texts of {column} that differ count as the same");
                return Err(refused(why));
            }
            Err(error) if error.kind == WarehouseErrorKind::Query => {
                return Err(refused(format!(
                    "the values of {column} are no plain texts"
                )));
            }
            Err(error) => return Err(error.into()),
        }
        let texts: Vec<String> = texts.into_iter().collect();
        if texts.len() < 2 {
            return Ok(());
        }
        if texts.len() > MOST_TEXTS {
            return Err(refused(format!("{column} has {} values", texts.len())));
        }
        let sql = table.in_order(column, &texts, warehouse.dialect());
        let columns = vec![(column.to_owned(), ColumnType::Text)];
        let batches = rows(warehouse, sql, columns, cancel).await?;
        let sorted: Vec<String> = cells(&batches, 0).collect();
        let mut pairs = texts.iter().zip(&sorted);
        if let Some((own, theirs)) = pairs.find(|(own, theirs)| own != theirs) {
            let engine = warehouse.dialect().title();
            return Err(refused(format!(
                "{engine} has the values of {column} in another order, '{theirs}' before '{own}'"
            )));
        }
        match sorted.len() == texts.len() {
            true => Ok(()),
            false => Err(refused(format!(
                "some values of {column} count as the same"
            ))),
        }
    }
}

/// The values of a column that are none of them NULL.
fn cells(batches: &[RecordBatch], index: usize) -> impl Iterator<Item = String> {
    let rows = batches
        .iter()
        .filter_map(move |batch| Some((batch.columns().get(index)?, batch.num_rows())));
    rows.flat_map(|(column, rows)| (0..rows).filter_map(move |row| raw_text(column, row)))
}
