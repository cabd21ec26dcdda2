//! `metrex watch`: checks the alerts of the project, for people, for programs, and for cron.

use std::io::{self, Write, stderr, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::format::junit;
use super::notes::{counted, note};
use super::progress::Line;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, notes, prepare, print};
use crate::model::AlertSeverity;
use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::session::{AlertOutcome, AlertResult, Failure as Cause, Session, SessionError};

/// Exit code for an alert that fired.
const FIRED: u8 = 1;

/// Exit code for an alert that could not be computed, also because its definition has an error.
const UNKNOWN: u8 = 2;

#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Alerts to check [default: all of them]
    #[arg(value_name = "ALERT")]
    alerts: Vec<String>,
    /// How to print the results
    #[arg(long, value_enum, default_value_t)]
    format: WatchFormat,
    /// Write the results as JUnit XML, too, for build servers
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Check again and again, this long after each check (15m, 1h), until Ctrl-C
    #[arg(long, value_name = "PAUSE", value_parser = pause)]
    every: Option<Duration>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum WatchFormat {
    /// One line each, with the numbers under those that fired
    #[default]
    Text,
    /// A JSON array; with --every one on each line
    Json,
}

fn pause(text: &str) -> Result<Duration, String> {
    let read = text.parse::<SignedDuration>().ok();
    let pause = read.and_then(|pause| Duration::try_from(pause).ok());
    let long_enough = pause.filter(|pause| *pause >= Duration::from_secs(1));
    long_enough.ok_or_else(|| "write a pause of a second or more, such as 15m or 1h".to_owned())
}

pub fn run(global: &Global, args: &WatchArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    let Some(pause) = args.every else {
        let results = block_on(async |cancel| check(&session, args, &cancel).await)?;
        return told(&session, args, &results);
    };
    block_on(async |cancel| {
        loop {
            match check(&session, args, &cancel).await {
                Ok(results) => match told(&session, args, &results) {
                    // The next check may have another end.
                    Ok(()) | Err(Failure::Exit(_)) => {}
                    Err(error) => return Err(error),
                },
                // A warehouse that is away comes back.
                Err(Failure::Error(error, _)) if error.failure == Cause::Connection => {
                    Failure::from(*error).report();
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled() => return Err(SessionError::interrupted().into()),
            }
            session.reload();
        }
    })
}

async fn check(
    session: &Session,
    args: &WatchArgs,
    cancel: &CancellationToken,
) -> Result<Vec<AlertResult>, Failure> {
    prepare(session, cancel.clone()).await?;
    let mut line = Line::quiet();
    let progress = |done: usize, all: usize| {
        line.show(&format!("{done} of {all} alerts"), done as f64 / all as f64);
    };
    Ok(session.check_alerts(&args.alerts, cancel, progress).await?)
}

/// Prints the results; what is returned says how the alerts are.
fn told(session: &Session, args: &WatchArgs, results: &[AlertResult]) -> Outcome {
    match args.format {
        WatchFormat::Json => print(|out| {
            match args.every {
                None => serde_json::to_writer_pretty(&mut *out, &results)?,
                Some(_) => serde_json::to_writer(&mut *out, &results)?,
            }
            writeln!(out)
        })?,
        WatchFormat::Text => {
            let style = Style::of(&stdout());
            print(|out| {
                if args.every.is_some() {
                    writeln!(out, "{}", style.bold(Timestamp::now().strftime("%FT%TZ")))?;
                }
                results.iter().try_for_each(|one| text(out, one, style))
            })?;
        }
    }
    if let Some(path) = &args.junit {
        let cannot = |error: io::Error| {
            SessionError::usage("file", format!("cannot write {}: {error}", path.display()))
        };
        let cases: Vec<_> = results.iter().map(case).collect();
        std::fs::write(path, junit::report(&cases)).map_err(cannot)?;
    }
    summary(results)?;
    let problems = session.problems();
    match problems.iter().any(|one| one.severity == Severity::Error) {
        true => Err(Failure::Exit(UNKNOWN)),
        false => Ok(()),
    }
}

fn text(out: &mut dyn Write, result: &AlertResult, style: Style) -> io::Result<()> {
    let word = match (result.outcome, result.severity) {
        (AlertOutcome::Quiet, _) => style.good("ok      "),
        (AlertOutcome::Fired, AlertSeverity::Critical) => style.error("CRITICAL"),
        (AlertOutcome::Fired, AlertSeverity::Warning) => style.error("WARNING "),
        (AlertOutcome::Fired, AlertSeverity::Info) => style.bold("INFO    "),
        (AlertOutcome::NotEnoughHistory, _) => style.dim("too new "),
        (AlertOutcome::NotComputed, _) => style.error("ERROR   "),
    };
    let period = match result.period.as_str() {
        "" => String::new(),
        period => format!(", {period}"),
    };
    let what = format!("{} {}{period}", result.metric, result.when);
    write!(
        out,
        "{word} {}: {}",
        sanitize(&result.name),
        sanitize(&what)
    )?;
    if result.outcome == AlertOutcome::Quiet {
        writeln!(out)?;
    } else {
        writeln!(out, " {}", style.dim(format!("({})", sanitize(&result.at))))?;
    }
    let told = result.findings.iter().map(|finding| &finding.text);
    for line in told.chain(&result.reason) {
        writeln!(out, "         {}", sanitize(line))?;
    }
    for line in &result.notes {
        writeln!(out, "         {}", style.dim(sanitize(line)))?;
    }
    if result.outcome == AlertOutcome::Fired {
        let owner = result.owner.as_deref().map(|owner| format!("for {owner}"));
        let message = Some(result.message.clone()).filter(|message| !message.is_empty());
        let told: Vec<String> = message.into_iter().chain(owner).collect();
        if !told.is_empty() {
            writeln!(out, "         {}", sanitize(&told.join(" — ")))?;
        }
    }
    Ok(())
}

fn case(result: &AlertResult) -> junit::Case {
    let reason = || result.reason.clone().unwrap_or_default();
    junit::Case {
        suite: result.metric.clone(),
        name: result.name.clone(),
        at: result.at.clone(),
        query: result.query.clone(),
        elapsed: result.elapsed,
        end: match result.outcome {
            AlertOutcome::Quiet => junit::End::Passed,
            AlertOutcome::Fired => {
                let told: Vec<&str> = result
                    .findings
                    .iter()
                    .map(|one| one.text.as_str())
                    .collect();
                junit::End::Failed(told.join("; "))
            }
            AlertOutcome::NotEnoughHistory => junit::End::Skipped(reason()),
            AlertOutcome::NotComputed => junit::End::Error(reason()),
        },
    }
}

/// The sum of it on stderr, and the exit code.
fn summary(results: &[AlertResult]) -> Outcome {
    if results.is_empty() {
        note("there are no alerts: declare them under alerts: in a file of metrics/");
        return Ok(());
    }
    let count = |outcome| results.iter().filter(|one| one.outcome == outcome).count();
    let fired = count(AlertOutcome::Fired);
    let unknown = count(AlertOutcome::NotComputed);
    let young = count(AlertOutcome::NotEnoughHistory);
    let style = Style::of(&stderr());
    let mut told = Vec::new();
    if fired > 0 {
        told.push(style.error(format!("{fired} fired")));
    }
    if unknown > 0 {
        told.push(style.error(format!("{unknown} could not be computed")));
    }
    if young > 0 {
        told.push(format!("{young} without enough history"));
    }
    if told.is_empty() {
        told.push(style.good("none fired"));
    }
    say!("{}: {}", counted(results.len(), "alert"), told.join(", "));
    match (fired, unknown) {
        (0, 0) => Ok(()),
        (0, _) => Err(Failure::Exit(UNKNOWN)),
        _ => Err(Failure::Exit(FIRED)),
    }
}
