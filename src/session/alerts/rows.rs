//! The rows of an alert's query: the number of each, what it is compared with, and the period it is of.

use arrow_array::{Float64Array, Int64Array, RecordBatch};
use jiff::civil::Date;

use crate::compile::{Compiled, OutputColumn, Role};
use crate::model::ColumnType;
use crate::session::cell::{cell_text, raw_json, raw_text};
use crate::session::{Failure, SessionError};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The values that it is grouped by, without the period; as they are, and as one text.
    pub(super) key: Vec<Option<String>>,
    pub(super) of: String,
    /// The first day of its period, and that as text, where it is grouped by one.
    pub(super) period: Option<(Date, String)>,
    /// The number.
    pub(super) value: Option<f64>,
    /// The number that it is compared with.
    pub(super) prior: Option<f64>,
}

/// All rows, with the column that the number is in.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    column: OutputColumn,
}

impl Rows {
    /// # Errors
    /// The metric is no number, or its column is not known.
    pub(super) fn read(compiled: &Compiled, batches: &[RecordBatch]) -> Result<Self, SessionError> {
        let refused = |message: String| SessionError::new(Failure::Query, "alert", message);
        let mut columns = compiled.main.columns.iter();
        let Some(column) = columns.find(|column| column.role == Role::Metric) else {
            return Err(refused(
                "which of its columns is the number is not known".to_owned(),
            ));
        };
        if !matches!(column.ty, ColumnType::Integer | ColumnType::Number) {
            return Err(refused(format!("{} is no number", column.name)));
        }
        let rows = batches.iter().flat_map(|batch| {
            let row = |at| row(&compiled.main.columns, batch, at);
            (0..batch.num_rows()).map(row)
        });
        Ok(Self {
            rows: rows.collect(),
            column: column.clone(),
        })
    }

    /// Whether what has no row is zero: the numbers of groups add up.
    pub(super) fn adds_up(&self) -> bool {
        self.column.additive
    }

    /// Whether things are counted.
    pub(super) fn counts(&self) -> bool {
        self.column.ty == ColumnType::Integer
    }

    /// A number as the metric's format writes it.
    pub(super) fn say(&self, value: f64) -> String {
        let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
        match self.counts() && is_whole {
            true => cell_text(&Int64Array::from(vec![value as i64]), 0, &self.column).text,
            false => cell_text(&Float64Array::from(vec![value]), 0, &self.column).text,
        }
    }
}

fn row(columns: &[OutputColumn], batch: &RecordBatch, at: usize) -> Row {
    let mut row = Row {
        key: Vec::new(),
        of: String::new(),
        period: None,
        value: None,
        prior: None,
    };
    for (column, values) in columns.iter().zip(batch.columns()) {
        let number = || raw_json(values.as_ref(), at).as_f64();
        match column.role {
            Role::Group => {
                let text = cell_text(values.as_ref(), at, column).text;
                let start = column.grain.and_then(|_| day(values.as_ref(), at));
                if let (Some(start), None) = (start, &row.period) {
                    row.period = Some((start, text));
                    continue;
                }
                row.of = match row.key.is_empty() {
                    true => text,
                    false => format!("{} · {text}", row.of),
                };
                row.key.push(raw_text(values.as_ref(), at));
            }
            Role::Metric if row.value.is_none() => row.value = number(),
            Role::Prior if row.prior.is_none() => row.prior = number(),
            _ => {}
        }
    }
    row
}

fn day(values: &dyn arrow_array::Array, at: usize) -> Option<Date> {
    raw_text(values, at)?.get(..10)?.parse().ok()
}
