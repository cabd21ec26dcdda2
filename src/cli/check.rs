//! `metrex check`: everything that is wrong in the project's definitions, and with `--live` also where they do not fit the
//! warehouse.

use std::io::{stderr, stdout};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::notes::{counted, note};
use super::progress::Line;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, prepare, print};
use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::session::{LiveOptions, LiveReport, LiveStep, Session};
use crate::tui::Keymap;

/// Exit code for definitions with errors.
const BROKEN: u8 = 2;

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// How to print the problems
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
    /// Ask the warehouse, too: is every query planned, do joins lead somewhere, do keys identify, do sources agree?
    #[arg(long)]
    live: bool,
    /// How long one statement of --live may take; what takes longer is not checked, and said
    #[arg(long, value_name = "SECONDS", default_value_t = 30, requires = "live")]
    patience: u64,
    /// Run also what the connection asks about before it runs (ask_above_rows)
    #[arg(long, requires = "live")]
    everything: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum CheckFormat {
    /// One line each: file:line:column: severity: message
    #[default]
    Text,
    /// A JSON array
    Json,
}

pub fn run(global: &Global, args: &CheckArgs) -> Outcome {
    let session = global.open()?;
    let catalog = session.catalog();
    let mut found = session.problems();
    // Of the project alone: the result is the same for everybody.
    found.extend(Keymap::read(&[], &session.project().config.keys).1);
    let live = match args.live {
        true => Some(live(&session, args)?),
        false => None,
    };
    found.extend(live.iter().flat_map(|live| live.findings.iter().cloned()));
    let errors = found
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    match args.format {
        CheckFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &found)?;
            writeln!(out)
        })?,
        CheckFormat::Text => {
            let style = Style::of(&stdout());
            print(|out| {
                for diagnostic in &found {
                    for line in diagnostic.to_string().lines() {
                        let line = sanitize(line);
                        match diagnostic.severity {
                            Severity::Error => writeln!(out, "{}", style.error(line))?,
                            Severity::Warning => writeln!(out, "{}", style.warning(line))?,
                        }
                    }
                }
                Ok(())
            })?;
        }
    }
    let registry = &catalog.registry;
    let summary = format!(
        "{} and {} in {}",
        counted(registry.metrics.len(), "metric"),
        counted(registry.datasets.len(), "dataset"),
        counted(registry.files.len(), "file"),
    );
    if let Some(live) = &live {
        for (what, why) in &live.skipped {
            note(&format!("not checked: {what}: {why}"));
        }
        let connection = session.connection();
        say!("{} checked on {connection}", counted(live.checked, "thing"));
    }
    let style = Style::of(&stderr());
    let warnings = found.len() - errors;
    let verdict = format!(
        "{}, {}",
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    if errors > 0 {
        say!("{summary}: {}", style.error(verdict));
        return Err(Failure::Exit(BROKEN));
    }
    let verdict = if warnings > 0 {
        style.warning(verdict)
    } else {
        style.good("no problems")
    };
    say!("{summary}: {verdict}");
    Ok(())
}

/// What the warehouse says to the definitions.
fn live(session: &Session, args: &CheckArgs) -> Result<LiveReport, Failure> {
    let options = LiveOptions {
        patience: Duration::from_secs(args.patience),
        everything: args.everything,
    };
    block_on(async |cancel| {
        prepare(session, cancel.clone()).await?;
        let mut line = Line::quiet();
        let progress = |at: LiveStep| line.show(&at.step, at.share);
        Ok(session.check_live(options, &cancel, progress).await?)
    })
}
