//! `metrex validate-sql`: what the guard finds in a file of SQL.

use std::io::{Read, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, prepare, print, runtime};
use crate::session::SessionError;
use crate::session::cell::sanitize;
use crate::validate::{Report, Severity};

/// Exit code for SQL that must not run.
const BLOCKED: u8 = 1;
/// Most bytes that are read; the guard refuses far less.
const LENGTH: u64 = 1 << 20;

#[derive(Debug, Args)]
pub struct ValidateSqlArgs {
    /// The file; - reads from stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The complex metric it was made from: its snippet's tables and conditions are then checked, too
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Leave out the warehouse's own dry run
    #[arg(long)]
    offline: bool,
    /// How to print the findings
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ReportFormat {
    /// One line each: file:line:column: severity: message
    #[default]
    Text,
    /// One JSON object: `findings`, and `sql` as it would run
    Json,
}

pub fn run(global: &Global, args: &ValidateSqlArgs) -> Outcome {
    let sql = read(&args.file)?;
    let session = global.open()?;
    let metric = args.metric.as_deref();
    let report = if args.offline {
        session.check_sql(&sql, metric)?
    } else {
        runtime::block_on(async |cancel| {
            prepare(&session, cancel.clone()).await?;
            Ok(session.validate_sql(&sql, metric, &cancel).await?)
        })?
    };
    match args.format {
        ReportFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &report)?;
            writeln!(out)
        })?,
        ReportFormat::Text => text(&report, &args.file)?,
    }
    match report.blocks() {
        true => Err(Failure::Exit(BLOCKED)),
        false => Ok(()),
    }
}

/// The text of the file. What is no UTF-8 becomes a character that no SQL has.
fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error: std::io::Error| {
        SessionError::usage("file", format!("cannot read {}: {error}", path.display()))
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        stdin().lock().take(LENGTH).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LENGTH).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(report: &Report, path: &Path) -> Outcome {
    let name = match path.to_str() {
        Some("-") | None => "stdin".to_owned(),
        Some(name) => name.to_owned(),
    };
    let style = Style::of(&stdout());
    print(|out| {
        for finding in &report.findings {
            let at = if finding.line > 0 { ":" } else { ": " };
            let line = format!("{name}{at}{finding}");
            let line = sanitize(&line);
            match finding.severity {
                Severity::Block => writeln!(out, "{}", style.error(line))?,
                Severity::Note => writeln!(out, "{line}")?,
            }
        }
        Ok(())
    })?;
    let style = Style::of(&stderr());
    let notes = counted(report.notes().count(), "note");
    match report.blocking().count() {
        0 => say!("{}, {notes}", style.good("nothing stands against it")),
        blocking => say!("{}, {notes}", style.error(counted(blocking, "error"))),
    }
    Ok(())
}
