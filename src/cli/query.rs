//! `metrex query`: runs a query and prints its rows as they arrive.

use std::fs::File;
use std::io::{self, BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::format::{Format, Printer, Summary};
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare};
use crate::compile::Compiled;
use crate::model::MetricQuery;
use crate::session::{RunEvent, RunOptions, RunSummary, Session, SessionError};

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The query line, such as 'gmv by market, month where channel = ads last 6 months'
    #[arg(required = true, value_name = "LINE")]
    line: Vec<String>,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Most rows to return [default: row_cap of the connection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    row_cap: Option<u64>,
    /// Write to a file, which appears when it is complete
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(global: &Global, args: &QueryArgs) -> Outcome {
    let line = args.line.join(" ");
    let session = global.open()?;
    notes::about_session(&session);
    let mut query: MetricQuery = line
        .parse()
        .map_err(|error| Failure::of_line(&line)(SessionError::from(error)))?;
    if query.total && !args.format.has_total() {
        notes::note("this format has no place for the total; table, json and markdown have");
        query.total = false;
    }
    let style = if args.output.is_some() {
        Style::plain()
    } else {
        Style::of(&stdout())
    };
    let mut target = Target::open(args.output.as_deref())?;
    let mut printer = args.format.printer(style);
    let options = RunOptions {
        row_cap: args.row_cap,
        ..RunOptions::default()
    };
    block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        stream(
            &session,
            &query,
            options,
            cancel,
            printer.as_mut(),
            &mut target,
        )
        .await
        .map_err(|failure| failure.with_line(&line))
    })?;
    target.finish()?;
    Ok(())
}

/// Runs the query and prints what arrives.
async fn stream(
    session: &Session,
    query: &MetricQuery,
    options: RunOptions,
    cancel: CancellationToken,
    printer: &mut dyn Printer,
    out: &mut dyn Write,
) -> Outcome {
    let (sender, events) = mpsc::channel(8);
    let print = async {
        // Owned here, so that an error below drops it, which cancels the run.
        let mut events = events;
        let mut compiled: Option<Arc<Compiled>> = None;
        let mut totals = None;
        let mut begun = false;
        while let Some(event) = events.recv().await {
            match event {
                RunEvent::Started(started) => {
                    notes::about_query(&started);
                    compiled = Some(started);
                }
                RunEvent::Batch(batch) => {
                    if let Some(compiled) = &compiled {
                        // Not before the first batch, so that a query that fails prints nothing.
                        if !begun {
                            printer.start(out, compiled)?;
                            begun = true;
                        }
                        printer.batch(out, compiled, &batch)?;
                    }
                }
                RunEvent::Totals(row) => totals = Some(row),
            }
        }
        Ok::<_, io::Error>((compiled, totals))
    };
    let (summary, printed) = tokio::join!(session.run(query, options, cancel, sender), print);
    let (compiled, totals) = printed?;
    let run = summary?;
    let compiled = compiled.ok_or_else(SessionError::interrupted)?;
    printer.finish(out, &compiled, &Summary { run, totals })?;
    out.flush()?;
    announce(&run);
    if let Some(problem) = session.history_problem() {
        notes::note(&format!("the query is not in the history: {problem}"));
    }
    Ok(())
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
enum Target {
    Stdout(BufWriter<io::StdoutLock<'static>>),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Target {
    fn open(path: Option<&Path>) -> io::Result<Self> {
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

    fn finish(self) -> io::Result<()> {
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
