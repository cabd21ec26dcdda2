//! One statement from text to batches, on a blocking thread.

use std::path::Path;

use arrow_array::RecordBatch;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, Statement};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::translate;
use super::schema::column_type;
use crate::model::ColumnType;
use crate::warehouse::rows::{Cell, Rows};
use crate::warehouse::{Finished, Request, WarehouseError};

/// Rows looked at where the types of the columns have to be guessed.
const SAMPLE: usize = 256;

pub(super) fn run(
    connection: &Connection,
    path: &Path,
    request: &Request,
    stop: &CancellationToken,
    sink: &mpsc::Sender<RecordBatch>,
) -> Result<Finished, WarehouseError> {
    let failed = |error: rusqlite::Error| translate(&error, path);
    let send = |batch: Option<RecordBatch>| match batch {
        None => Ok(()),
        Some(batch) => send(batch, sink, stop),
    };
    let mut statement = connection.prepare(&request.sql).map_err(failed)?;
    let names = check(&statement)?;
    let declared = declared(&statement);
    let mut source = statement.query([]).map_err(failed)?;

    let mut early = Vec::new();
    let columns = match &request.columns {
        Some(columns) if columns.len() != names.len() => {
            return Err(WarehouseError::data(format!(
                "the statement returns {} columns where {} were expected",
                names.len(),
                columns.len()
            )));
        }
        Some(columns) => columns.clone(),
        None => {
            while early.len() < SAMPLE
                && let Some(row) = source.next().map_err(failed)?
            {
                early.push(owned(row, names.len()).map_err(failed)?);
            }
            infer(names, &declared, &early)
        }
    };

    let mut rows = Rows::new(&columns);
    let capped = |rows: &Rows| request.row_cap.is_some_and(|cap| rows.total() >= cap);
    for row in &early {
        if capped(&rows) {
            return finish(rows, true, send);
        }
        let value = |index: usize| row.get(index).map_or(ValueRef::Null, ValueRef::from);
        send(rows.push(|index| cell(value(index), &columns, index))?)?;
    }
    while let Some(row) = source.next().map_err(failed)? {
        if capped(&rows) {
            return finish(rows, true, send);
        }
        let full = rows.push(|index| cell(row.get_ref(index).map_err(failed)?, &columns, index))?;
        send(full)?;
    }
    finish(rows, false, send)
}

/// Prepares the statement as a run would, then asks for its plan.
pub(super) fn explain(
    connection: &Connection,
    path: &Path,
    sql: &str,
) -> Result<Vec<String>, WarehouseError> {
    let failed = |error: rusqlite::Error| translate(&error, path);
    check(&connection.prepare(sql).map_err(failed)?)?;
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .map_err(failed)?;
    let lines = statement.query_map([], |row| row.get("detail"));
    lines
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)
}

fn finish(
    rows: Rows,
    truncated: bool,
    send: impl Fn(Option<RecordBatch>) -> Result<(), WarehouseError>,
) -> Result<Finished, WarehouseError> {
    let total = rows.total();
    send(rows.finish()?)?;
    Ok(Finished {
        rows: total,
        truncated,
    })
}

/// Waits until the reader takes the batch; a reader that is gone stops the statement.
fn send(
    batch: RecordBatch,
    sink: &mpsc::Sender<RecordBatch>,
    stop: &CancellationToken,
) -> Result<(), WarehouseError> {
    let taken = Handle::current().block_on(stop.run_until_cancelled(sink.send(batch)));
    match taken {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) | None => Err(WarehouseError::cancelled()),
    }
}

/// The names of the columns of a statement that reads; anything else is refused.
fn check(statement: &Statement<'_>) -> Result<Vec<String>, WarehouseError> {
    if !statement.readonly() {
        return Err(WarehouseError::query(
            "only statements that read are run; this one would write",
        ));
    }
    // ATTACH, BEGIN and the like count as read-only but return nothing.
    if statement.column_count() == 0 {
        return Err(WarehouseError::query("the statement returns no rows"));
    }
    Ok(statement.column_names().map(str::to_owned).collect())
}

fn declared(statement: &Statement<'_>) -> Vec<Option<ColumnType>> {
    statement
        .columns()
        .map(|column| column.decl_type().and_then(column_type))
        .collect()
}

fn owned(row: &Row<'_>, columns: usize) -> rusqlite::Result<Vec<Value>> {
    (0..columns).map(|index| row.get(index)).collect()
}

/// Takes the declared type of a column where the first values agree with it, else the type those values have.
fn infer(
    names: Vec<String>,
    declared: &[Option<ColumnType>],
    sample: &[Vec<Value>],
) -> Vec<(String, ColumnType)> {
    let column = |(index, name): (usize, String)| {
        let values = || sample.iter().filter_map(move |row| row.get(index));
        let declared = declared.get(index).copied().flatten();
        let declared = declared.filter(|ty| values().all(|value| agrees(value, *ty)));
        (name, declared.unwrap_or_else(|| observed(values())))
    };
    names.into_iter().enumerate().map(column).collect()
}

fn agrees(value: &Value, ty: ColumnType) -> bool {
    let mut probe = Rows::new(&[(String::new(), ty)]);
    match value {
        Value::Null => true,
        Value::Text(text) => probe.push(|_| Ok(Cell::Text(text))).is_ok(),
        // Every number has a text form, but only text itself makes a column text.
        _ if ty == ColumnType::Text => false,
        Value::Integer(integer) => probe.push(|_| Ok(Cell::Integer(*integer))).is_ok(),
        Value::Real(number) => probe.push(|_| Ok(Cell::Number(*number))).is_ok(),
        Value::Blob(_) => false,
    }
}

fn observed<'v>(values: impl Iterator<Item = &'v Value>) -> ColumnType {
    let mut ty = None;
    for value in values {
        ty = match (ty, value) {
            (ty, Value::Null) => ty,
            (None | Some(ColumnType::Integer), Value::Integer(_)) => Some(ColumnType::Integer),
            (_, Value::Integer(_) | Value::Real(_)) => Some(ColumnType::Number),
            (_, Value::Text(_) | Value::Blob(_)) => return ColumnType::Text,
        };
    }
    ty.unwrap_or(ColumnType::Text)
}

fn cell<'v>(
    value: ValueRef<'v>,
    columns: &[(String, ColumnType)],
    index: usize,
) -> Result<Cell<'v>, WarehouseError> {
    let name = || columns.get(index).map_or("", |(name, _)| name.as_str());
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(integer) => Ok(Cell::Integer(integer)),
        ValueRef::Real(number) => Ok(Cell::Number(number)),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cell::Text(text)),
            Err(_) => Err(WarehouseError::data(format!(
                "column {:?} holds text that is not UTF-8: {:?}",
                name(),
                String::from_utf8_lossy(bytes)
            ))),
        },
        ValueRef::Blob(bytes) => Err(WarehouseError::data(format!(
            "column {:?} holds a blob of {} bytes, which cannot be shown",
            name(),
            bytes.len()
        ))),
    }
}
