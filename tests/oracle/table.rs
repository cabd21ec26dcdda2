//! Tables in memory, the same tables in a database, and what comes back from there.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use jiff::ToSpan;
use jiff::civil::{date, datetime};
use metrex::model::{ColumnType, ConnectionKind};
use metrex::warehouse::{Cell, ColumnSpec, Loader, TableSpec};

use super::Value;

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<(String, ColumnType)>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table whose rows are written as text, `-` for NULL.
    pub fn of(name: &str, columns: &[(&str, ColumnType)], rows: &[&[&str]]) -> Self {
        let columns: Vec<(String, ColumnType)> = columns
            .iter()
            .map(|(name, ty)| ((*name).to_owned(), *ty))
            .collect();
        let read = |row: &&[&str]| {
            assert_eq!(row.len(), columns.len(), "{name}: {row:?}");
            let cells = row.iter().zip(&columns);
            cells.map(|(text, (_, ty))| read(text, *ty)).collect()
        };
        let rows = rows.iter().map(read).collect();
        Self {
            name: name.to_owned(),
            columns,
            rows,
        }
    }
}

fn read(text: &str, ty: ColumnType) -> Value {
    if text == "-" {
        return Value::Null;
    }
    match ty {
        ColumnType::Text => Value::Text(text.to_owned()),
        ColumnType::Integer | ColumnType::Number => Value::Number(text.parse().unwrap()),
        ColumnType::Boolean => Value::Bool(text.parse().unwrap()),
        ColumnType::Date => Value::Date(text.parse().unwrap()),
        ColumnType::Timestamp => Value::Time(text.replace(' ', "T").parse().unwrap()),
    }
}

/// Writes the tables to a database, instead of those of the same names.
pub fn load(kind: &ConnectionKind, tables: &[Table]) {
    let mut loader = Loader::replacing(kind).unwrap();
    for table in tables {
        let columns = table.columns.iter().map(|(name, ty)| ColumnSpec {
            name: name.clone(),
            ty: *ty,
            nullable: true,
        });
        let spec = TableSpec {
            name: table.name.clone(),
            columns: columns.collect(),
            primary_key: vec![],
            indexes: vec![],
        };
        loader.create(&spec).unwrap();
        for row in &table.rows {
            let cells = row.iter().zip(&table.columns);
            let cells: Vec<Cell<'_>> = cells.map(|(value, (_, ty))| cell(value, *ty)).collect();
            loader.append(&cells).unwrap();
        }
    }
    loader.finish().unwrap();
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "whole numbers of the test data"
)]
fn cell(value: &Value, ty: ColumnType) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(yes) => Cell::Boolean(*yes),
        Value::Number(number) if ty == ColumnType::Integer => Cell::Integer(*number as i64),
        Value::Number(number) => Cell::Number(*number),
        Value::Text(text) => Cell::Text(text),
        Value::Date(day) => Cell::Date(*day),
        Value::Time(at) => Cell::Timestamp(*at),
    }
}

/// The rows that an engine returned.
pub fn values(batches: &[RecordBatch]) -> Vec<Vec<Value>> {
    let rows = batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(|row| {
            let columns = batch.columns().iter();
            columns.map(|column| value(column, row)).collect()
        })
    });
    rows.collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of the test data are small"
)]
fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row) as f64).into(),
        DataType::Float64 => Some(column.as_primitive::<Float64Type>().value(row)).into(),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            Value::Date(date(1970, 1, 1) + i64::from(days).days())
        }
        DataType::Timestamp(..) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Value::Time(datetime(1970, 1, 1, 0, 0, 0, 0) + micros.microseconds())
        }
        other => panic!("a column of type {other}"),
    }
}
