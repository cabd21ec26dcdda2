//! Query logs of elsewhere: files that databases export, recognised by their header, and what their statements compute.

mod csvlog;
mod matching;
mod table;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use jiff::Timestamp;

pub use matching::{Matcher, Stated};

/// Which log a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// The statistics of PostgreSQL's extension: one row for each statement, with the number of its calls and no times.
    PgStatStatements,
    /// PostgreSQL's log as CSV (`log_destination = csvlog`).
    PgCsvlog,
    /// The query history of a cloud warehouse: one row for each run.
    QueryHistory,
}

impl fmt::Display for LogForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PgStatStatements => "pg_stat_statements",
            Self::PgCsvlog => "PostgreSQL csvlog",
            Self::QueryHistory => "query history",
        })
    }
}

/// A run of a statement, or all of them where the file does not tell them apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// The statement.
    pub sql: String,
    /// When it was started; nothing where the file does not say.
    pub at: Option<Timestamp>,
    /// Who ran it; empty where the file does not say.
    pub user: String,
    /// The session that it was part of; empty where the file does not say.
    pub session: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Rows it returned.
    pub rows: u64,
    /// The kind of the error that it ended with.
    pub error: Option<String>,
    /// How often it was run.
    pub calls: u64,
}

/// What stands in a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogFile {
    /// Which log it is.
    pub form: LogForm,
    /// Its statements, in order.
    pub entries: Vec<Entry>,
    /// Lines that are about something else than a statement.
    pub others: usize,
    /// Lines that cannot be read, and why the first one cannot.
    pub broken: Option<(usize, String)>,
}

impl LogFile {
    fn new(form: LogForm) -> Self {
        Self {
            form,
            entries: Vec::new(),
            others: 0,
            broken: None,
        }
    }

    fn is_broken(&mut self, line: u64, why: &str) {
        let broken = self
            .broken
            .get_or_insert_with(|| (0, format!("line {line}: {why}")));
        broken.0 += 1;
    }
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was said.
        error: csv::Error,
    },
    /// No known log begins like this.
    #[error("{} is no query log that is known here: it begins with {header}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Its first fields.
        header: String,
    },
}

impl LogError {
    /// What would be right.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "name a file that you may read",
            Self::Unknown { .. } => {
                "known are: COPY (SELECT * FROM pg_stat_statements) TO ... CSV HEADER; a csvlog of PostgreSQL; a \
                 query history as CSV with a column query_text, statement_text or query, and one with the start time"
            }
        }
    }
}

/// Reads a log.
///
/// # Errors
/// The file cannot be read, or begins like no known log.
pub fn read_log(path: &Path) -> Result<LogFile, LogError> {
    let io = |error| LogError::Io {
        path: path.to_owned(),
        error,
    };
    let file = File::open(path).map_err(|error| io(error.into()))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file);
    let mut rows = reader.records();
    let first = match rows.next() {
        Some(first) => first.map_err(io)?,
        None => StringRecord::new(),
    };
    if csvlog::is_row(&first) {
        let mut log = LogFile::new(LogForm::PgCsvlog);
        for row in std::iter::once(Ok(first)).chain(rows) {
            csvlog::read(&row.map_err(io)?, &mut log);
        }
        return Ok(log);
    }
    let Some(columns) = table::Columns::of(&first) else {
        let header: Vec<&str> = first.iter().take(4).collect();
        let mut header = header.join(", ");
        header = header.chars().take(80).collect();
        return Err(LogError::Unknown {
            path: path.to_owned(),
            header: format!("'{header}'"),
        });
    };
    let mut log = LogFile::new(columns.form);
    for row in rows {
        columns.read(&row.map_err(io)?, &mut log);
    }
    Ok(log)
}

/// A time as databases write it; without a zone it is in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let (text, is_utc) = match text
        .strip_suffix("UTC")
        .or_else(|| text.strip_suffix("GMT"))
    {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let told = text.parse::<Timestamp>().ok().filter(|_| !is_utc);
    told.or_else(|| {
        // `2026-11-20 09:00:00.123 -0800` has a space before its offset.
        let joined = match text.rsplit_once(' ') {
            Some((time, offset)) if offset.starts_with(['+', '-']) => format!("{time}{offset}"),
            _ => text.to_owned(),
        };
        joined.parse::<Timestamp>().ok()
    })
    .or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}
