//! A result that becomes a file: the dialog, the work, and how far it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::action::{Action, Reason, no_result};
use super::input::LineInput;
use super::state::{Phase, State};
use super::widgets::grid::Table;
use crate::compile::Compiled;
use crate::model::MetricQuery;
use crate::session::files::{FileFormat, FileRows, FileTarget, FileWritten, Writing};
use crate::session::{RunOptions, Session, SessionError};

/// The dialog that asks for a file.
pub struct FileDialog {
    /// The file as typed; its ending says the form.
    pub input: LineInput,
    /// Whether all rows are asked of the warehouse, past the limit that cut the result.
    pub all: bool,
}

impl FileDialog {
    /// The form, if the ending says one.
    pub fn format(&self) -> Option<FileFormat> {
        FileFormat::of(Path::new(self.input.text().trim()))
    }

    /// Changes the ending to that of the next form, or of the one before.
    pub fn step(&mut self, forward: bool) {
        let all = FileFormat::ALL;
        let by = if forward { 1 } else { all.len() - 1 };
        let next = match self.format() {
            Some(here) => all
                .iter()
                .position(|format| *format == here)
                .map(|at| at + by),
            None => Some(0),
        };
        if let Some(format) = next.and_then(|next| all.get(next % all.len())) {
            self.set_format(*format);
        }
    }

    /// Gives the file the ending of a form, in the place of one that is known.
    pub fn set_format(&mut self, format: FileFormat) {
        let text = self.input.text().trim().to_owned();
        let stem = match (self.format(), text.rfind('.')) {
            (Some(_), Some(dot)) => text.get(..dot).unwrap_or_default(),
            _ => text.as_str(),
        };
        let ending = format.endings().first().copied().unwrap_or_default();
        self.input.set(&format!("{stem}.{ending}"));
    }
}

/// A file name for a query: `gmv-by-market-month-2026-11-20`.
pub fn stem(query: &MetricQuery, today: jiff::civil::Date) -> String {
    let mut words = query.metrics.clone();
    let groups = query.group_by.iter().flatten();
    let groups: Vec<String> = groups.map(ToString::to_string).collect();
    if !groups.is_empty() {
        words.push("by".to_owned());
        words.extend(groups);
    }
    words.push(today.to_string());
    let plain = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let name: String = words.join("-").chars().map(plain).take(80).collect();
    name.trim_matches('-').to_owned()
}

/// A file that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saving {
    /// Of the work that may send news.
    pub generation: u64,
    /// The tab that it was asked for in.
    pub tab: u64,
    /// Whether it takes the place of a file that is there.
    pub replace: bool,
    /// The file.
    pub path: PathBuf,
    /// Rows written so far.
    pub rows: u64,
    /// Rows in all, where that is known.
    pub of: Option<u64>,
}

impl Saving {
    /// How far it is: `450,000 of 1,000,000 rows`.
    pub fn words(&self) -> String {
        let count = |rows: u64| {
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            crate::session::cell::thousands(rows)
        };
        match self.of {
            Some(of) => format!("{} of {} rows", count(self.rows), count(of)),
            None => format!("{} rows", count(self.rows)),
        }
    }

    /// The share that is done, in percent.
    pub fn percent(&self) -> Option<u64> {
        let of = self.of.filter(|of| *of > 0)?;
        Some((self.rows.saturating_mul(100) / of).min(100))
    }
}

/// A file to be written.
#[derive(Debug, Clone)]
pub struct FileJob {
    /// The file, as typed.
    pub to: FileTarget,
    /// Its rows.
    pub rows: JobRows,
}

/// Where the rows of a file are.
#[derive(Debug, Clone)]
pub enum JobRows {
    /// On the screen.
    Here(Table, Box<FileRows>),
    /// In the warehouse, of what was compiled for a connection.
    Warehouse(Arc<Compiled>, String),
}

impl FileJob {
    /// Writes the file; `tell` hears how far it is.
    ///
    /// # Errors
    /// The file cannot be written; then there is none.
    pub async fn carry_out(
        mut self,
        session: Session,
        cancel: CancellationToken,
        tell: impl FnMut(Writing) + Send + 'static,
    ) -> Result<FileWritten, SessionError> {
        self.to.path = at_home(&self.to.path);
        match self.rows {
            JobRows::Here(table, rows) => {
                let write =
                    move || session.write_rows(&self.to, &rows, table.in_order(), &cancel, tell);
                let written = tokio::task::spawn_blocking(write).await;
                // It ends early only with the program.
                written.unwrap_or_else(|_| Err(SessionError::interrupted()))
            }
            JobRows::Warehouse(compiled, connection) => {
                let options = RunOptions {
                    fresh: false,
                    row_cap: Some(u64::MAX),
                };
                session
                    .write_run(&self.to, compiled, &connection, options, cancel, tell)
                    .await
            }
        }
    }
}

/// `~/…` in the home folder.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// The rows of the result as rows of a file, also those that a filter hides: a file says what query it is the answer to.
/// Why not, in words for people.
pub fn rows_here(state: &State) -> Result<(Table, FileRows), Reason> {
    let result = &state.result;
    let (Some(grid), Some(compiled)) = (&result.grid, &result.compiled) else {
        return Err(no_result(state));
    };
    let run = match &result.phase {
        Phase::Idle => return Err(no_result(state)),
        Phase::Running(_) | Phase::Cancelling(_) => return Err("rows are still coming".into()),
        Phase::Failed(_) => {
            let key = state.key(Action::Refresh);
            return Err(format!("the run did not end well; {key} runs it again").into());
        }
        Phase::Done(summary) => *summary,
    };
    let rows = FileRows {
        compiled: compiled.clone(),
        connection: result.connection.clone(),
        generation: result.catalog,
        run,
        totals: result.totals.clone(),
    };
    Ok((grid.whole_table(), rows))
}
