//! Runs what was compiled and prints its rows as they arrive, to stdout or to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::format::{Printer, Summary};
use super::{Outcome, notes};
use crate::compile::Compiled;
use crate::session::{RunEvent, RunOptions, RunSummary, Session};

/// What to run, and where.
pub struct Run<'a> {
    pub session: &'a Session,
    pub compiled: Arc<Compiled>,
    /// The connection it was compiled for.
    pub connection: &'a str,
    pub options: RunOptions,
}

impl Run<'_> {
    /// Runs it and prints what arrives.
    pub async fn print(
        self,
        cancel: CancellationToken,
        printer: &mut dyn Printer,
        out: &mut dyn Write,
    ) -> Outcome {
        let (sender, events) = mpsc::channel(8);
        let compiled = self.compiled.clone();
        let print = async {
            // Owned here, so that an error below drops it, which cancels the run.
            let mut events = events;
            let mut totals = None;
            let mut begun = false;
            while let Some(event) = events.recv().await {
                match event {
                    RunEvent::Started(started) => notes::about_query(&started),
                    RunEvent::Batch(batch) => {
                        // Not before the first batch, so that a query that fails prints nothing.
                        if !begun {
                            printer.start(out, &compiled)?;
                            begun = true;
                        }
                        printer.batch(out, &compiled, &batch)?;
                    }
                    RunEvent::Totals(row) => totals = Some(row),
                }
            }
            Ok::<_, io::Error>(totals)
        };
        let run = self.session.run_compiled(
            self.compiled.clone(),
            self.connection,
            self.options,
            cancel,
            sender,
        );
        let (summary, printed) = tokio::join!(run, print);
        let totals = printed?;
        let run = summary?;
        printer.finish(out, &compiled, &Summary { run, totals })?;
        out.flush()?;
        announce(&run);
        if let Some(problem) = self.session.history_problem() {
            notes::note(&format!("the query is not in the history: {problem}"));
        }
        Ok(())
    }
}

/// A cut result is never silent.
fn announce(run: &RunSummary) {
    if run.truncated {
        notes::note(&format!(
            "cut after {} rows: there are more; --row-cap N raises the limit",
            run.rows
        ));
    }
}

/// Where the rows go: stdout, or a file that appears under its name only when it is complete.
pub enum Target {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Target {
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout(BufWriter::new(stdout().lock())));
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let missing = io::Error::new(io::ErrorKind::NotFound, "there is no such folder");
            return Err(not_written(path, &missing));
        }
        let file = tempfile::Builder::new()
            .prefix(".metrex-")
            .make_in(folder, |path| File::create_new(path))
            .map_err(|error| not_written(path, &error))?;
        Ok(Self::File(BufWriter::new(file), path.to_owned()))
    }

    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut out) => out.flush(),
            Self::File(out, path) => {
                let file = out.into_inner().map_err(io::IntoInnerError::into_error);
                let kept = file.and_then(|file| file.persist(&path).map_err(|error| error.error));
                kept.map(drop).map_err(|error| not_written(&path, &error))
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(out, path) => out.write(bytes).map_err(|error| not_written(path, &error)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(out, path) => out.flush().map_err(|error| not_written(path, &error)),
        }
    }
}

/// An error of the file, which alone would not say which one.
fn not_written(path: &Path, error: &io::Error) -> io::Error {
    let message = format!("cannot write {}: {error}", path.display());
    io::Error::new(error.kind(), message)
}
