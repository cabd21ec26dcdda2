//! Writing a file: rows that are here already, or rows that arrive from the warehouse.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::target::Target;
use super::{Ending, FileFormat, Printer};
use crate::compile::Compiled;
use crate::session::{Failure, RunEvent, RunOptions, RunSummary, Session, SessionError};

/// Which file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// Where.
    pub path: PathBuf,
    /// In which form.
    pub format: FileFormat,
    /// Whether it may take the place of a file that is there.
    pub replace: bool,
}

/// A result that is here.
#[derive(Debug, Clone)]
pub struct FileRows {
    /// What was run.
    pub compiled: Arc<Compiled>,
    /// The connection it was run on.
    pub connection: String,
    /// The generation of the catalog at the run.
    pub generation: u64,
    /// How the run ended.
    pub run: RunSummary,
    /// The total row.
    pub totals: Option<RecordBatch>,
}

/// News of a file that is being written.
#[derive(Debug, Clone)]
pub enum Writing {
    /// The query was started; rows follow.
    Started(Arc<Compiled>),
    /// So many rows are written.
    Rows(u64),
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWritten {
    /// Where.
    pub path: PathBuf,
    /// The file beside it that says where its rows come from, where it cannot say so itself.
    pub beside: Option<PathBuf>,
    /// How the run ended.
    pub run: RunSummary,
    /// Its size.
    pub bytes: u64,
}

impl Session {
    /// Writes rows that are here.
    ///
    /// # Errors
    /// The file cannot be written, the form cannot hold the rows, or it was cancelled; then there is no file.
    pub fn write_rows(
        &self,
        to: &FileTarget,
        rows: &FileRows,
        batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
        cancel: &CancellationToken,
        mut tell: impl FnMut(Writing),
    ) -> Result<FileWritten, SessionError> {
        let mut file = Open::create(to)?;
        for batch in batches {
            if cancel.is_cancelled() {
                return Err(SessionError::interrupted());
            }
            let batch = batch.map_err(|error| not_written(&to.path, &error.to_string()))?;
            file.batch(&rows.compiled, &batch)?;
            tell(Writing::Rows(file.rows));
        }
        file.finish(self, rows)
    }

    /// Runs what was compiled for a connection and writes its rows while they arrive.
    ///
    /// # Errors
    /// As for [`Session::run`] and [`Session::write_rows`]; then there is no file.
    pub async fn write_run(
        &self,
        to: &FileTarget,
        compiled: Arc<Compiled>,
        connection: &str,
        options: RunOptions,
        cancel: CancellationToken,
        mut tell: impl FnMut(Writing),
    ) -> Result<FileWritten, SessionError> {
        let generation = self.catalog().generation;
        let mut file = Open::create(to)?;
        let (sender, events) = mpsc::channel(8);
        let run = self.run_compiled(compiled.clone(), connection, options, cancel, sender);
        let write = async {
            // Owned here, so that an error below drops it, which cancels the run.
            let mut events = events;
            let (mut compiled, mut totals) = (compiled, None);
            while let Some(event) = events.recv().await {
                match event {
                    RunEvent::Started(started) => {
                        tell(Writing::Started(started.clone()));
                        compiled = started;
                    }
                    RunEvent::Batch(batch) => {
                        file.batch(&compiled, &batch)?;
                        tell(Writing::Rows(file.rows));
                    }
                    RunEvent::Totals(row) => totals = Some(row),
                }
            }
            Ok::<_, SessionError>((compiled, totals))
        };
        let (run, written) = tokio::join!(run, write);
        let (compiled, totals) = written?;
        let rows = FileRows {
            compiled,
            connection: connection.to_owned(),
            generation,
            run: run?,
            totals,
        };
        file.finish(self, &rows)
    }
}

/// A file with what writes it.
struct Open {
    to: FileTarget,
    target: Target,
    printer: Box<dyn Printer>,
    begun: bool,
    rows: u64,
}

impl Open {
    fn create(to: &FileTarget) -> Result<Self, SessionError> {
        if !to.replace && to.path.exists() {
            let there = format!("{} is there already", to.path.display());
            return Err(SessionError::new(Failure::Query, FILE_EXISTS, there));
        }
        let target = Target::create(&to.path);
        Ok(Self {
            target: target.map_err(|error| not_written(&to.path, &error.to_string()))?,
            printer: to.format.printer(),
            to: to.clone(),
            begun: false,
            rows: 0,
        })
    }

    fn batch(&mut self, compiled: &Compiled, batch: &RecordBatch) -> Result<(), SessionError> {
        self.begin(compiled)?;
        self.rows += batch.num_rows() as u64;
        let written = self.printer.batch(&mut self.target, compiled, batch);
        self.told(written)
    }

    fn begin(&mut self, compiled: &Compiled) -> Result<(), SessionError> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let written = self.printer.start(&mut self.target, compiled);
        self.told(written)
    }

    fn finish(mut self, session: &Session, rows: &FileRows) -> Result<FileWritten, SessionError> {
        let FileRows {
            compiled,
            connection,
            run,
            ..
        } = rows;
        self.begin(compiled)?;
        let provenance = session.provenance(compiled, connection, run, rows.generation);
        let beside = (!self.to.format.has_provenance()).then(|| beside(&self.to.path));
        let mut ending = Ending {
            run: *run,
            totals: rows.totals.clone(),
            provenance: None,
        };
        let about = match &beside {
            None => {
                ending.provenance = Some(provenance);
                None
            }
            Some(path) => Some((path, provenance)),
        };
        let written = self.printer.finish(&mut self.target, compiled, &ending);
        self.told(written)?;
        let kept = || -> io::Result<u64> {
            let about = match about {
                None => None,
                Some((path, provenance)) => {
                    let mut file = Target::create(path)?;
                    serde_json::to_writer_pretty(&mut file, &provenance)?;
                    writeln!(file)?;
                    Some(file)
                }
            };
            let bytes = self.target.finish()?;
            about.map(Target::finish).transpose()?;
            Ok(bytes)
        };
        let path = self.to.path;
        let bytes = kept().map_err(|error| not_written(&path, &error.to_string()))?;
        Ok(FileWritten {
            path,
            beside,
            run: *run,
            bytes,
        })
    }

    fn told<T>(&self, written: io::Result<T>) -> Result<T, SessionError> {
        written.map_err(|error| not_written(&self.to.path, &error.to_string()))
    }
}

/// The code of the refusal to replace a file.
pub const FILE_EXISTS: &str = "file_exists";

/// The file that says where the rows of another come from.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".provenance.json");
    name.into()
}

fn not_written(path: &Path, why: &str) -> SessionError {
    let message = format!("cannot write {}: {why}", path.display());
    SessionError::new(Failure::Query, "file", message)
}
