//! Results as files: CSV, TSV, JSON, NDJSON, Parquet, Arrow, Markdown and XLSX, each with where its rows come from.

mod columnar;
mod json;
mod markdown;
mod provenance;
mod separated;
mod target;
mod write;
mod xlsx;

use std::io::{self, Write};
use std::path::Path;

use arrow_array::RecordBatch;

use super::RunSummary;
use super::cell::cell_text;
use crate::compile::{Compiled, OutputColumn};

pub use json::{columns_json, row_values};
pub use provenance::Provenance;
pub(super) use provenance::block;
pub(super) use target::Target;
pub use write::{FILE_EXISTS, FileRows, FileTarget, FileWritten, Writing};

/// A form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One object with query, columns, rows, totals and SQL.
    Json,
    /// One object per row.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// The Arrow IPC file format, also known as Feather 2.
    Arrow,
    /// A Markdown table.
    Markdown,
    /// An Excel workbook.
    Xlsx,
}

impl FileFormat {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Csv,
        Self::Tsv,
        Self::Json,
        Self::Ndjson,
        Self::Parquet,
        Self::Arrow,
        Self::Markdown,
        Self::Xlsx,
    ];

    /// The word for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Json => "JSON",
            Self::Ndjson => "NDJSON",
            Self::Parquet => "Parquet",
            Self::Arrow => "Arrow",
            Self::Markdown => "Markdown",
            Self::Xlsx => "XLSX",
        }
    }

    /// The endings of its files, the usual one first.
    pub fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &["csv"],
            Self::Tsv => &["tsv", "tab"],
            Self::Json => &["json"],
            Self::Ndjson => &["ndjson", "jsonl"],
            Self::Parquet => &["parquet", "pq"],
            Self::Arrow => &["arrow", "feather", "ipc"],
            Self::Markdown => &["md", "markdown"],
            Self::Xlsx => &["xlsx"],
        }
    }

    /// The form that the ending of a file name stands for.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.endings().contains(&ending.as_str()))
    }

    /// The endings that are known, for messages.
    pub fn known() -> String {
        let endings = Self::ALL
            .iter()
            .filter_map(|format| format.endings().first());
        endings
            .map(|ending| format!(".{ending}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Whether a total row has a place in it; among the rows of the others it would pass for one of them.
    pub fn has_total(self) -> bool {
        matches!(self, Self::Json | Self::Markdown)
    }

    /// Whether provenance goes into the file itself; else it goes into a file beside it, since a reader of bare rows
    /// would trip over it.
    pub fn has_provenance(self) -> bool {
        !matches!(self, Self::Csv | Self::Tsv | Self::Ndjson)
    }

    /// What writes it.
    pub fn printer(self) -> Box<dyn Printer> {
        match self {
            Self::Csv => Box::new(separated::Separated::by(',')),
            Self::Tsv => Box::new(separated::Separated::by('\t')),
            Self::Json => Box::<json::Json>::default(),
            Self::Ndjson => Box::new(json::NdJson),
            Self::Parquet => Box::<columnar::Parquet>::default(),
            Self::Arrow => Box::<columnar::Arrow>::default(),
            Self::Markdown => Box::new(markdown::Markdown),
            Self::Xlsx => Box::<xlsx::Xlsx>::default(),
        }
    }
}

/// How a result ended, for the last words.
pub struct Ending {
    /// Rows, time, truncation.
    pub run: RunSummary,
    /// The total row, where asked for.
    pub totals: Option<RecordBatch>,
    /// Where the rows come from, for what is kept; none for what is printed.
    pub provenance: Option<Provenance>,
}

/// Writes a result while it arrives.
pub trait Printer: Send {
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
    /// The output cannot be written, or the form cannot hold these rows.
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
        _ending: &Ending,
    ) -> io::Result<()> {
        Ok(())
    }
}

/// The cells of one row, for people.
pub fn cells(columns: &[OutputColumn], batch: &RecordBatch, row: usize) -> Vec<String> {
    let arrays = batch.columns().iter().zip(columns);
    arrays
        .map(|(array, column)| cell_text(array.as_ref(), row, column).text)
        .collect()
}

/// The total row, each number under its column, with the word "total" in the first free one.
pub fn total_cells(compiled: &Compiled, ending: &Ending) -> Option<Vec<String>> {
    let (row, statement) = (ending.totals.as_ref()?, compiled.total()?);
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
