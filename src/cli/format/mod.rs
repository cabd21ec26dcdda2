//! Forms of a printed result: a table for people, and those of files for everybody else.

pub mod junit;
mod table;

use clap::ValueEnum;

use super::style::Style;
use crate::session::SessionError;
use crate::session::files::{FileFormat, Printer};

/// How to print rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, formatted for people; NULL is written NULL
    #[default]
    Table,
    /// Comma-separated, all digits; NULL is an empty field, an empty text is ""
    Csv,
    /// The same with tabs
    Tsv,
    /// One object with query, columns, rows, totals and SQL
    Json,
    /// One object per row
    Ndjson,
    /// A Markdown table
    Markdown,
    /// Apache Parquet; only with --out
    Parquet,
    /// Arrow IPC (Feather 2); only with --out
    Arrow,
    /// An Excel workbook; only with --out
    Xlsx,
}

impl Format {
    /// The form of a file; none for what is only for people.
    pub fn of_file(self) -> Option<FileFormat> {
        match self {
            Self::Table => None,
            Self::Csv => Some(FileFormat::Csv),
            Self::Tsv => Some(FileFormat::Tsv),
            Self::Json => Some(FileFormat::Json),
            Self::Ndjson => Some(FileFormat::Ndjson),
            Self::Markdown => Some(FileFormat::Markdown),
            Self::Parquet => Some(FileFormat::Parquet),
            Self::Arrow => Some(FileFormat::Arrow),
            Self::Xlsx => Some(FileFormat::Xlsx),
        }
    }

    /// Refuses what is no text, which a terminal cannot show.
    pub fn printed(self) -> Result<(), SessionError> {
        match self {
            Self::Parquet | Self::Arrow | Self::Xlsx => {
                let error = SessionError::usage("format", "this format is not text");
                Err(error.with_hint("`metrex query 'LINE' --out FILE` writes it to a file"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a total row has a place in it.
    pub fn has_total(self) -> bool {
        self.of_file().is_none_or(FileFormat::has_total)
    }

    /// What prints this form.
    pub fn printer(self, style: Style) -> Box<dyn Printer> {
        match self.of_file() {
            None => Box::new(table::Table::new(style)),
            Some(format) => format.printer(),
        }
    }
}
