//! Rows of another warehouse in an SQLite file, where every value stays what it is: decimals are not rounded.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio_util::sync::CancellationToken;

use super::error::translate;
use super::exact::Decimal;
use super::{BUSY, STEPS, strict_names};
use crate::model::ColumnType;
use crate::warehouse::{Dialect, WarehouseError, times};

/// What is written into an embedded file.
#[derive(Debug)]
pub struct Keeping {
    /// The file, which is made where it is missing.
    pub path: PathBuf,
    /// Statements before the rows.
    pub before: Vec<String>,
    /// The table.
    pub table: String,
    /// Its columns, with what their values are.
    pub columns: Vec<(String, ColumnType)>,
    /// Those that are only ever added up: they may have more digits than a number has.
    pub sums: Vec<String>,
    /// Its rows, with columns of the types of [`kept_as`].
    pub rows: Vec<RecordBatch>,
    /// Statements after the rows.
    pub after: Vec<String>,
}

/// The type in which values are asked for that are to be kept: numbers as text, which has all digits.
pub fn kept_as(ty: ColumnType) -> ColumnType {
    match ty {
        ColumnType::Number => ColumnType::Text,
        ty => ty,
    }
}

/// Writes rows into an embedded file, all or nothing.
///
/// # Errors
/// The file cannot be written, a number cannot be kept as it is, or the token was cancelled.
pub async fn keep(keeping: Keeping, cancel: &CancellationToken) -> Result<(), WarehouseError> {
    let stop = cancel.child_token();
    let _stop_when_dropped = stop.clone().drop_guard();
    let task = tokio::task::spawn_blocking(move || run(&keeping, stop));
    task.await
        .map_err(|error| WarehouseError::connection(format!("the writing thread died: {error}")))?
}

fn run(keeping: &Keeping, stop: CancellationToken) -> Result<(), WarehouseError> {
    let path: &Path = &keeping.path;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            WarehouseError::connection(format!("cannot make {}: {error}", folder.display()))
        })?;
    }
    let failed = |error: rusqlite::Error| translate(&error, path);
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        strict_names(&connection)?;
        connection.progress_handler(STEPS, Some(move || stop.is_cancelled()))?;
        Ok(connection)
    };
    let mut connection = open().map_err(failed)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    for statement in &keeping.before {
        transaction.execute_batch(statement).map_err(failed)?;
    }
    let dialect = Dialect::Sqlite;
    let names: Vec<String> = keeping
        .columns
        .iter()
        .map(|(name, _)| dialect.name(name))
        .collect();
    let insert = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        dialect.table(&keeping.table),
        names.join(", "),
        vec!["?"; names.len()].join(", ")
    );
    {
        let mut statement = transaction.prepare(&insert).map_err(failed)?;
        for batch in &keeping.rows {
            for row in 0..batch.num_rows() {
                for (index, ((name, ty), array)) in
                    keeping.columns.iter().zip(batch.columns()).enumerate()
                {
                    let is_sum = keeping.sums.contains(name);
                    let value = value(array, row, *ty, is_sum).map_err(|text| lost(name, &text))?;
                    statement
                        .raw_bind_parameter(index + 1, value)
                        .map_err(failed)?;
                }
                statement.raw_execute().map_err(failed)?;
            }
        }
    }
    for statement in &keeping.after {
        transaction.execute_batch(statement).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// A value as the file keeps it, or the text that it cannot keep.
fn value(array: &dyn Array, row: usize, ty: ColumnType, is_sum: bool) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match ty {
        ColumnType::Text => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        ColumnType::Integer => Value::Integer(array.as_primitive::<Int64Type>().value(row)),
        ColumnType::Boolean => Value::Integer(array.as_boolean().value(row).into()),
        ColumnType::Date => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Value::Text(times::on(days).ok_or_else(|| days.to_string())?.to_string())
        }
        ColumnType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            let at = times::at(micros).ok_or_else(|| micros.to_string())?;
            Value::Text(at.strftime("%F %T%.f").to_string())
        }
        ColumnType::Number => {
            let text = array.as_string::<i32>().value(row);
            match Decimal::read(text) {
                Some(decimal) => match (decimal.integer(), decimal.shortest()) {
                    (Some(integer), _) => Value::Integer(integer),
                    (None, Some(number)) => Value::Real(number),
                    (None, None) if is_sum => Value::Text(text.to_owned()),
                    (None, None) => return Err(text.to_owned()),
                },
                // Very large and very small ones.
                None => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() && number.to_string() == text => {
                        Value::Real(number)
                    }
                    _ => return Err(text.to_owned()),
                },
            }
        }
    })
}

fn lost(column: &str, text: &str) -> WarehouseError {
    WarehouseError::data(format!(
        "column {column:?} holds {text}, which the embedded file cannot keep as it is"
    ))
}
