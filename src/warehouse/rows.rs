//! Rows become Arrow batches here: every value in the type its column promised, or an error; never a silent NULL.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::civil::{Date, DateTime, Time};

use super::{WarehouseError, times};
use crate::model::ColumnType;

/// Rows of the first batch, small so that it is on the screen at once, and of every later one.
pub(super) const FIRST_BATCH: usize = 256;
pub(super) const BATCH: usize = 8_192;
/// Integers up to this size are exact as 64-bit floats.
const EXACT: i64 = 1 << 53;

/// One value on its way into or out of a warehouse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// Unicode text.
    Text(&'a str),
    /// 64-bit integer.
    Integer(i64),
    /// 64-bit float.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Calendar date.
    Date(Date),
    /// Date and time without zone.
    Timestamp(DateTime),
}

/// Collects rows and cuts them into batches.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    pending: usize,
    batch: usize,
    total: u64,
}

/// One column made cell by cell.
pub(super) struct Column {
    name: String,
    values: Values,
}

impl Column {
    pub(super) fn new(name: &str, ty: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            values: Values::new(ty),
        }
    }

    /// Adds the cell of the row that so many others precede.
    pub(super) fn push(&mut self, cell: Cell<'_>, row: u64) -> Result<(), WarehouseError> {
        match self.values.push(cell) {
            Some(()) => Ok(()),
            None => Err(misfit(&self.name, self.values.ty(), cell, row)),
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        self.values.finish()
    }
}

enum Values {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Rows {
    pub(super) fn new(columns: &[(String, ColumnType)]) -> Self {
        Self {
            schema: schema(columns),
            columns: columns
                .iter()
                .map(|(name, ty)| Column::new(name, *ty))
                .collect(),
            pending: 0,
            batch: FIRST_BATCH,
            total: 0,
        }
    }

    /// Rows taken so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Adds one row; the cells are asked for in the order of the columns. Returns a batch when one is full.
    pub(super) fn push<'c>(
        &mut self,
        mut cell: impl FnMut(usize) -> Result<Cell<'c>, WarehouseError>,
    ) -> Result<Option<RecordBatch>, WarehouseError> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            column.push(cell(index)?, self.total)?;
        }
        self.pending += 1;
        self.total += 1;
        if self.pending < self.batch {
            Ok(None)
        } else {
            self.cut().map(Some)
        }
    }

    /// The rest; without rows only where there were none at all.
    pub(super) fn finish(mut self) -> Result<Option<RecordBatch>, WarehouseError> {
        if self.pending == 0 && self.total > 0 {
            Ok(None)
        } else {
            self.cut().map(Some)
        }
    }

    fn cut(&mut self) -> Result<RecordBatch, WarehouseError> {
        let arrays = self.columns.iter_mut().map(Column::finish).collect();
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(self.pending));
        self.pending = 0;
        self.batch = BATCH;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| WarehouseError::data(error.to_string()))
    }
}

/// The schema of results with these columns.
pub(super) fn schema(columns: &[(String, ColumnType)]) -> SchemaRef {
    let field = |(name, ty): &(String, ColumnType)| Field::new(name, data_type(*ty), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// The Arrow type of a column type.
pub(super) fn data_type(ty: ColumnType) -> DataType {
    match ty {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Number => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

fn misfit(column: &str, ty: ColumnType, cell: Cell<'_>, row: u64) -> WarehouseError {
    let wanted = match ty {
        ColumnType::Text => "text",
        ColumnType::Integer => "an integer",
        ColumnType::Number => "a number",
        ColumnType::Boolean => "true or false",
        ColumnType::Date => "a date (YYYY-MM-DD)",
        ColumnType::Timestamp => "a date and time (YYYY-MM-DD HH:MM:SS)",
    };
    let value = match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => format!("the text {text:?}"),
        Cell::Integer(integer) => integer.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Boolean(boolean) => boolean.to_string(),
        Cell::Date(date) => date.to_string(),
        Cell::Timestamp(at) => at.to_string(),
    };
    WarehouseError::data(format!(
        "column {column:?} holds {value} in row {}, which cannot be read as {wanted}",
        row + 1
    ))
}

impl Values {
    fn new(ty: ColumnType) -> Self {
        match ty {
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Integer => Self::Integer(Int64Builder::new()),
            ColumnType::Number => Self::Number(Float64Builder::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
        }
    }

    fn ty(&self) -> ColumnType {
        match self {
            Self::Text(_) => ColumnType::Text,
            Self::Integer(_) => ColumnType::Integer,
            Self::Number(_) => ColumnType::Number,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Date(_) => ColumnType::Date,
            Self::Timestamp(_) => ColumnType::Timestamp,
        }
    }

    /// Appends a value; `None` where it does not fit.
    fn push(&mut self, cell: Cell<'_>) -> Option<()> {
        match self {
            Self::Text(values) => match cell {
                Cell::Null => values.append_null(),
                Cell::Text(text) => values.append_value(text),
                Cell::Integer(integer) => values.append_value(integer.to_string()),
                Cell::Number(number) => values.append_value(number.to_string()),
                Cell::Boolean(boolean) => {
                    values.append_value(if boolean { "true" } else { "false" })
                }
                Cell::Date(date) => values.append_value(date.to_string()),
                Cell::Timestamp(at) => values.append_value(at.strftime("%F %T%.f").to_string()),
            },
            Self::Integer(values) => values.append_option(optional(cell, integer)?),
            Self::Number(values) => values.append_option(optional(cell, number)?),
            Self::Boolean(values) => values.append_option(optional(cell, boolean)?),
            Self::Date(values) => values.append_option(optional(cell, |cell| {
                let at = civil(cell)?;
                (at.time() == Time::midnight()).then(|| times::days(at.date()))
            })?),
            Self::Timestamp(values) => {
                values.append_option(optional(cell, |cell| civil(cell).map(times::micros))?);
            }
        }
        Some(())
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(values) => ArrayBuilder::finish(values),
            Self::Integer(values) => ArrayBuilder::finish(values),
            Self::Number(values) => ArrayBuilder::finish(values),
            Self::Boolean(values) => ArrayBuilder::finish(values),
            Self::Date(values) => ArrayBuilder::finish(values),
            Self::Timestamp(values) => ArrayBuilder::finish(values),
        }
    }
}

/// `Some(None)` for NULL, `Some(value)` for a value that fits, `None` for one that does not.
fn optional<T>(cell: Cell<'_>, read: impl FnOnce(Cell<'_>) -> Option<T>) -> Option<Option<T>> {
    match cell {
        Cell::Null => Some(None),
        cell => read(cell).map(Some),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn integer(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(integer) => Some(integer),
        Cell::Boolean(boolean) => Some(i64::from(boolean)),
        Cell::Number(number) => {
            let exact = number.fract() == 0.0 && number.abs() <= EXACT as f64;
            exact.then_some(number as i64)
        }
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "the range is checked before")]
fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(number),
        Cell::Boolean(boolean) => Some(f64::from(u8::from(boolean))),
        Cell::Integer(integer) => (-EXACT..=EXACT)
            .contains(&integer)
            .then_some(integer as f64),
        _ => None,
    }
}

fn boolean(cell: Cell<'_>) -> Option<bool> {
    match cell {
        Cell::Boolean(boolean) => Some(boolean),
        Cell::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Cell::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        cell => match integer(cell)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn civil(cell: Cell<'_>) -> Option<DateTime> {
    match cell {
        Cell::Date(date) => Some(date.to_datetime(Time::midnight())),
        Cell::Timestamp(at) => Some(at),
        Cell::Text(text) => times::parse(text),
        _ => None,
    }
}
