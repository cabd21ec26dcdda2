//! Forms of a result: a table for people, csv, json and ndjson for programs, markdown for documents.

mod csv;
mod json;
mod markdown;
mod table;

use std::io::{self, Write};

use arrow_array::RecordBatch;
use clap::ValueEnum;

use super::style::Style;
use crate::compile::{Compiled, OutputColumn};
use crate::session::RunSummary;
use crate::session::cell::cell_text;

pub use json::{columns_json, row_values};

/// How to print rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, formatted for people; NULL is written NULL
    #[default]
    Table,
    /// Comma-separated, all digits; NULL is an empty field, an empty text is ""
    Csv,
    /// One object with query, columns, rows, totals and SQL
    Json,
    /// One object per row
    Ndjson,
    /// A Markdown table
    Markdown,
}

/// How a run ended, for the last words.
pub struct Summary {
    /// Rows, time, truncation.
    pub run: RunSummary,
    /// The total row, where asked for.
    pub totals: Option<RecordBatch>,
}

/// Prints a result while it arrives.
pub trait Printer {
    /// Before the first row.
    ///
    /// # Errors
    /// The output cannot be written.
    fn start(&mut self, _out: &mut dyn Write, _compiled: &Compiled) -> io::Result<()> {
        Ok(())
    }

    /// Some rows.
    ///
    /// # Errors
    /// The output cannot be written.
    fn batch(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()>;

    /// After the last row.
    ///
    /// # Errors
    /// The output cannot be written.
    fn finish(
        &mut self,
        _out: &mut dyn Write,
        _compiled: &Compiled,
        _summary: &Summary,
    ) -> io::Result<()> {
        Ok(())
    }
}

impl Format {
    /// Whether a total row has a place in it; among the rows of the others it would pass for one of them.
    pub fn has_total(self) -> bool {
        !matches!(self, Self::Csv | Self::Ndjson)
    }

    /// What prints this form.
    pub fn printer(self, style: Style) -> Box<dyn Printer> {
        match self {
            Self::Table => Box::new(table::Table::new(style)),
            Self::Markdown => Box::new(markdown::Markdown),
            Self::Csv => Box::new(csv::Csv),
            Self::Json => Box::new(json::Json::default()),
            Self::Ndjson => Box::new(json::NdJson),
        }
    }
}

/// The cells of one row, for people.
fn cells(columns: &[OutputColumn], batch: &RecordBatch, row: usize) -> Vec<String> {
    let arrays = batch.columns().iter().zip(columns);
    arrays
        .map(|(array, column)| cell_text(array.as_ref(), row, column).text)
        .collect()
}

/// The total row, each number under its column, with the word "total" in the first free one.
fn total_cells(compiled: &Compiled, summary: &Summary) -> Option<Vec<String>> {
    let (row, statement) = (summary.totals.as_ref()?, compiled.totals.as_ref().ok()?);
    let totals = cells(&statement.columns, row, 0);
    let find = |column: &OutputColumn| {
        let at = statement
            .columns
            .iter()
            .position(|total| total.name == column.name)?;
        totals.get(at).cloned()
    };
    let columns = compiled.main.columns.iter();
    let mut cells: Vec<_> = columns
        .map(|column| find(column).unwrap_or_default())
        .collect();
    if let Some(free) = cells.iter_mut().find(|cell| cell.is_empty()) {
        "total".clone_into(free);
    }
    Some(cells)
}
