//! `metrex test`: runs the tests that stand with metrics, for people, for programs, and for build servers.

use std::io::{self, Write, stderr, stdout};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::failure::Failure;
use super::format::junit;
use super::notes::{counted, note};
use super::progress::Line;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::session::{SessionError, TestResult, Verdict};

/// Exit code for numbers that are not as expected.
const FAILED: u8 = 1;

/// Exit code for definitions with errors: what their tests would say is not known.
const BROKEN: u8 = 2;

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Metrics whose tests to run [default: all of them]
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,
    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,
    /// Write the results as JUnit XML, too, for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum TestFormat {
    /// One line each, with the reasons under those that fail
    #[default]
    Text,
    /// A JSON array
    Json,
}

pub fn run(global: &Global, args: &TestArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let results = block_on(async |cancel| {
        prepare(&session, cancel.clone()).await?;
        let mut line = Line::quiet();
        let progress = |done: usize, all: usize| {
            line.show(&format!("{done} of {all} tests"), done as f64 / all as f64);
        };
        Ok(session.test(&args.metrics, &cancel, progress).await?)
    })?;
    match args.format {
        TestFormat::Json => print(|out| {
            let all: Vec<_> = results.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            writeln!(out)
        })?,
        TestFormat::Text => {
            let style = Style::of(&stdout());
            print(|out| results.iter().try_for_each(|one| text(out, one, style)))?;
        }
    }
    if let Some(path) = &args.junit {
        let cannot = |error: io::Error| {
            SessionError::usage("file", format!("cannot write {}: {error}", path.display()))
        };
        let cases: Vec<_> = results.iter().map(case).collect();
        std::fs::write(path, junit::report(&cases)).map_err(cannot)?;
    }
    summary(&results)?;
    let problems = session.problems();
    match problems.iter().any(|one| one.severity == Severity::Error) {
        true => Err(Failure::Exit(BROKEN)),
        false => Ok(()),
    }
}

fn text(out: &mut dyn Write, result: &TestResult, style: Style) -> io::Result<()> {
    let (metric, title) = (sanitize(&result.metric), sanitize(&result.title));
    if result.passed() {
        let word = style.good("ok    ");
        return writeln!(out, "{word} {metric}: {title}");
    }
    let word = match result.verdict {
        Verdict::Error(_) => style.error("ERROR "),
        _ => style.error("FAILED"),
    };
    let at = style.dim(format!("({})", sanitize(&result.at)));
    writeln!(out, "{word} {metric}: {title} {at}")?;
    for reason in result.reasons() {
        writeln!(out, "       {}", sanitize(reason))?;
    }
    Ok(())
}

fn object(result: &TestResult) -> serde_json::Value {
    json!({
        "metric": result.metric,
        "test": result.title,
        "query": result.query,
        "at": result.at,
        "outcome": match result.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed(_) => "failed",
            Verdict::Error(_) => "error",
        },
        "reasons": result.reasons(),
        "ms": u64::try_from(result.elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}

fn case(result: &TestResult) -> junit::Case {
    let reasons = || result.reasons().join("; ");
    junit::Case {
        suite: result.metric.clone(),
        name: result.title.clone(),
        at: result.at.clone(),
        query: result.query.clone(),
        elapsed: result.elapsed,
        end: match result.verdict {
            Verdict::Passed => junit::End::Passed,
            Verdict::Failed(_) => junit::End::Failed(reasons()),
            Verdict::Error(_) => junit::End::Error(reasons()),
        },
    }
}

/// The sum of it on stderr, and the exit code.
fn summary(results: &[TestResult]) -> Outcome {
    if results.is_empty() {
        note("there are no tests; a metric says what its numbers must be under `tests:`");
        return Ok(());
    }
    let mut metrics: Vec<&str> = results.iter().map(|one| one.metric.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let what = format!(
        "{} of {}",
        counted(results.len(), "test"),
        counted(metrics.len(), "metric")
    );
    let style = Style::of(&stderr());
    match results.iter().filter(|one| !one.passed()).count() {
        0 => {
            say!("{what}: {}", style.good("all as expected"));
            Ok(())
        }
        failed => {
            say!("{what}: {}", style.error(format!("{failed} failed")));
            Err(Failure::Exit(FAILED))
        }
    }
}
