//! `metrex status`: whether the canonical datasets are as fresh and as complete as was promised, and how the alerts were last.

use std::io::{stderr, stdout};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::notes::counted;
use super::style::Style;
use super::{Global, Outcome, prepare, print, progress, runtime};
use crate::model::thousands;
use crate::session::CanonicalState;
use crate::session::cell::sanitize;

/// Exit code for promises that are not kept.
const BROKEN: u8 = 1;

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Canonical datasets, or the datasets that they are [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How to print what was measured
    #[arg(long, value_enum, default_value_t)]
    format: StatusFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum StatusFormat {
    /// A line for each dataset, and one for each promise
    #[default]
    Text,
    /// A JSON array with an object per dataset
    Json,
}

pub fn run(global: &Global, args: &StatusArgs) -> Outcome {
    let session = global.open()?;
    let is_none = args.names.is_empty() && session.catalog().registry.canonical.is_empty();
    let states = match is_none {
        true => Vec::new(),
        false => runtime::block_on(async |cancel| {
            prepare(&session, cancel.clone()).await?;
            let mut line = progress::Line::quiet();
            let progress = |name: &str, share| line.show(name, share);
            Ok(session
                .canonical_states(&args.names, &cancel, progress)
                .await?)
        })?,
    };
    match args.format {
        StatusFormat::Json => print(|out| {
            serde_json::to_writer_pretty(&mut *out, &states)?;
            writeln!(out)
        })?,
        StatusFormat::Text => text(&states)?,
    }
    let alerts = session.alert_summary();
    if alerts.alerts > 0 {
        say!("{}", alerts.words());
    }
    let broken = states.iter().filter(|state| !state.is_kept()).count();
    if states.is_empty() {
        say!(
            "there are no canonical datasets: declare them under canonical_datasets: in a file of metrics/"
        );
        return Ok(());
    }
    let style = Style::of(&stderr());
    let all = counted(states.len(), "canonical dataset");
    match broken {
        0 => {
            say!("{all}: {}", style.good("every promise is kept"));
            Ok(())
        }
        broken => {
            let broken = counted(broken, "dataset");
            say!(
                "{all}: {}",
                style.error(format!("{broken} not as promised"))
            );
            Err(Failure::Exit(BROKEN))
        }
    }
}

fn text(states: &[CanonicalState]) -> Outcome {
    let style = Style::of(&stdout());
    let width = states.iter().map(|state| state.name.chars().count()).max();
    let width = width.unwrap_or(0);
    print(|out| {
        for state in states {
            let mark = match state.is_kept() {
                true => style.good("ok     "),
                false => style.error("broken "),
            };
            let rows = match state.rows {
                Some(rows) => format!("{} rows", thousands(rows)),
                None => "unknown".to_owned(),
            };
            let owner = state.owner.as_deref().unwrap_or("nobody answers for it");
            writeln!(
                out,
                "{mark}  {:width$}  {:9}  {:10}  {rows}  {}",
                state.name,
                state.kind.word(),
                state.status.word(),
                style.dim(sanitize(owner))
            )?;
            for promise in &state.promises {
                let line = format!("{}: {}", promise.promised, promise.found);
                let line = sanitize(&line);
                match promise.kept {
                    true => writeln!(out, "         {line}")?,
                    false => writeln!(out, "         {}", style.error(line))?,
                }
            }
            if let Some(error) = &state.error {
                writeln!(out, "         {}", style.error(sanitize(error)))?;
            }
        }
        Ok(())
    })
}
