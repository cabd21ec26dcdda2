//! Filling the index from the live warehouse: one grouped query per column, one after the other.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::plan::quoted;
use super::replace::{Finding, Values};
use super::report::{title, unversioned};
use super::{Failure, IndexColumn, IndexError, Progress, Report, Task, ValueIndex};
use crate::model::{ColumnType, DimensionType};
use crate::store::StoreError;
use crate::warehouse::{Request, Warehouse, WarehouseError, WarehouseErrorKind};

/// Most values kept of one column.
const CAP: u64 = 10_000;

/// Asks the warehouse for every column of the plan and replaces what the index knows of it, each column as a whole.
///
/// With `resume`, columns that a run which broke off has done are skipped. A column whose query fails is reported and
/// keeps its old values; a warehouse that cannot be reached ends the run.
///
/// # Errors
/// The warehouse cannot be reached, the index cannot be written, or the run was cancelled; what was done stays done.
pub async fn reindex(
    warehouse: &Warehouse,
    index: &Arc<ValueIndex>,
    columns: Vec<IndexColumn>,
    resume: bool,
    mut progress: impl FnMut(Progress) + Send,
    cancel: &CancellationToken,
) -> Result<Report, IndexError> {
    let resumed = off_the_workers(index, move |index| index.begin_run(resume)).await?;
    let mut report = Report::default();
    let total = columns.len();
    for (done, column) in columns.into_iter().enumerate() {
        if cancel.is_cancelled() {
            return Err(IndexError::Cancelled);
        }
        if resumed && index.is_done(&column)? {
            report.skipped += 1;
            continue;
        }
        progress(Progress {
            table: column.table.clone(),
            column: column.column.clone(),
            done,
            total,
        });
        match ask(warehouse, &column, cancel).await {
            Ok(finding) => {
                report.add(&column, &finding);
                off_the_workers(index, move |index| index.replace(&column, &finding)).await?;
            }
            Err(error) if concerns_only_this_column(&error) => report.failed.push(Failure {
                column: title(&column.table, &column.column),
                message: error.message,
            }),
            Err(error) => return Err(error.into()),
        }
    }
    off_the_workers(index, ValueIndex::end_run).await?;
    Ok(report)
}

/// Writes on a thread that may wait for the disk and for other processes.
async fn off_the_workers<T: Send + 'static>(
    index: &Arc<ValueIndex>,
    write: impl FnOnce(&ValueIndex) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, IndexError> {
    let index = index.clone();
    let written = spawn_blocking(move || write(&index)).await;
    // Only a runtime that shuts down leaves it undone.
    Ok(written.map_err(|_| IndexError::Cancelled)??)
}

fn concerns_only_this_column(error: &WarehouseError) -> bool {
    matches!(
        error.kind,
        WarehouseErrorKind::Query | WarehouseErrorKind::Data | WarehouseErrorKind::Timeout
    )
}

impl Report {
    fn add(&mut self, column: &IndexColumn, finding: &Finding) {
        let name = || title(&column.table, &column.column);
        match finding {
            Finding::Column(Values::All(values)) => {
                self.indexed += 1;
                self.values += values.len() as u64;
            }
            Finding::Column(Values::Wide(distinct)) => self.wide.push((name(), *distinct)),
            Finding::Column(Values::Pii) => self.pii += 1,
            Finding::Duplicates(0) => {}
            Finding::Duplicates(duplicates) => {
                self.duplicate_keys.push((
                    format!("{} ({})", unversioned(&column.table), column.column),
                    *duplicates,
                ));
            }
        }
    }
}

async fn ask(
    warehouse: &Warehouse,
    column: &IndexColumn,
    cancel: &CancellationToken,
) -> Result<Finding, WarehouseError> {
    let dialect = warehouse.dialect();
    let source = column.source(dialect);
    match &column.task {
        Task::Forget => Ok(Finding::Column(Values::Pii)),
        Task::Key(key) => {
            let key: Vec<_> = key.iter().map(|column| dialect.name(column)).collect();
            let present: Vec<_> = key
                .iter()
                .map(|column| format!("{column} IS NOT NULL"))
                .collect();
            let sql = format!(
                "SELECT COUNT(*) FROM (\nSELECT 1 AS one FROM {source}\nWHERE {}\nGROUP BY {}\nHAVING COUNT(*) > 1\n) AS duplicates",
                present.join(" AND "),
                key.join(", ")
            );
            count(warehouse, sql, cancel).await.map(Finding::Duplicates)
        }
        Task::Values { expr, kind } => {
            let expr = match expr {
                Some(expr) => format!("({})", quoted(expr, dialect)),
                None => dialect.name(&column.column),
            };
            let value = dialect.cast(&expr, ColumnType::Text);
            let sql = format!(
                "SELECT {value}, COUNT(*)\nFROM {source}\nWHERE {expr} IS NOT NULL\nGROUP BY 1\nORDER BY 2 DESC\nLIMIT {}",
                CAP + 1
            );
            let columns = vec![
                ("value".to_owned(), ColumnType::Text),
                ("count".to_owned(), ColumnType::Integer),
            ];
            let batches = rows(warehouse, sql, columns, cancel).await?;
            if batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64 <= CAP {
                return Ok(Finding::Column(Values::All(values(&batches, *kind))));
            }
            let sql = format!("SELECT COUNT(DISTINCT {expr})\nFROM {source}");
            let distinct = count(warehouse, sql, cancel).await?;
            Ok(Finding::Column(Values::Wide(distinct)))
        }
    }
}

/// Values in the form that queries write them, most frequent first.
fn values(batches: &[RecordBatch], kind: DimensionType) -> Vec<(String, u64)> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for batch in batches {
        let values = batch.column(0).as_string::<i32>().iter().flatten();
        let numbers = batch.column(1).as_primitive::<Int64Type>().iter().flatten();
        for (value, count) in values.zip(numbers) {
            // 7 and 7.0 become one value.
            *counts.entry(plain(value, kind)).or_default() += count.unsigned_abs();
        }
    }
    let mut values: Vec<_> = counts.into_iter().collect();
    values.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
    values
}

/// A number without needless digits, a boolean as a word.
fn plain(value: &str, kind: DimensionType) -> String {
    let plain = match (kind, value) {
        (DimensionType::Boolean, "1") => Some("true".to_owned()),
        (DimensionType::Boolean, "0") => Some("false".to_owned()),
        (DimensionType::Number, value) if value.parse::<i64>().is_err() => {
            value.parse::<f64>().ok().map(|number| number.to_string())
        }
        _ => None,
    };
    plain.unwrap_or_else(|| value.to_owned())
}

async fn count(
    warehouse: &Warehouse,
    sql: String,
    cancel: &CancellationToken,
) -> Result<u64, WarehouseError> {
    let columns = vec![("count".to_owned(), ColumnType::Integer)];
    let batches = rows(warehouse, sql, columns, cancel).await?;
    let counts = batches
        .iter()
        .filter_map(|batch| batch.column(0).as_primitive::<Int64Type>().iter().next());
    Ok(counts.flatten().next().map_or(0, i64::unsigned_abs))
}

async fn rows(
    warehouse: &Warehouse,
    sql: String,
    columns: Vec<(String, ColumnType)>,
    cancel: &CancellationToken,
) -> Result<Vec<RecordBatch>, WarehouseError> {
    let (sink, mut batches) = mpsc::channel(2);
    let request = Request {
        sql,
        columns: Some(columns),
        row_cap: None,
    };
    let run = async {
        let sink = sink;
        warehouse.query(request, cancel, &sink).await
    };
    let gather = async {
        let mut all = Vec::new();
        while let Some(batch) = batches.recv().await {
            all.push(batch);
        }
        all
    };
    let (finished, all) = tokio::join!(run, gather);
    finished.map(|_| all)
}
