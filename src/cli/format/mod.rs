//! Forms of a result: a table for people, csv, json and ndjson for programs, markdown for documents.

mod csv;
mod json;
mod table;

use std::io::{self, Write};

use arrow_array::RecordBatch;
use clap::ValueEnum;

use super::style::Style;
use crate::compile::Compiled;
use crate::session::RunSummary;

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
    /// What prints this form.
    pub fn printer(self, style: Style) -> Box<dyn Printer> {
        match self {
            Self::Table => Box::new(table::Table::new(style)),
            Self::Markdown => Box::new(table::Table::markdown()),
            Self::Csv => Box::new(csv::Csv),
            Self::Json => Box::new(json::Json::default()),
            Self::Ndjson => Box::new(json::NdJson),
        }
    }
}
