//! `metrex check`: everything that is wrong in the project's definitions.

use std::io::{stderr, stdout};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, print};
use crate::registry::Severity;
use crate::session::cell::sanitize;
use crate::tui::Keymap;

/// Exit code for definitions with errors.
const BROKEN: u8 = 2;

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// How to print the problems
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
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
    let style = Style::of(&stderr());
    let warnings = found.len() - errors;
    let verdict = format!(
        "{}, {}",
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    if errors > 0 {
        eprintln!("{summary}: {}", style.error(verdict));
        return Err(Failure::Exit(BROKEN));
    }
    let verdict = if warnings > 0 {
        style.warning(verdict)
    } else {
        style.good("no problems")
    };
    eprintln!("{summary}: {verdict}");
    Ok(())
}
