//! `metrex search`: metrics by what they mean.

use std::io::{IsTerminal, stdout};

use clap::Args;

use super::style::Style;
use super::{Global, Outcome, notes, print};
use crate::model::Status;
use crate::session::Session;
use crate::session::cell::sanitize;

#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Words, each of which must match somewhere; `%owner fin` looks in one field
    words: Vec<String>,
}

pub fn run(global: &Global, args: &SearchArgs) -> Outcome {
    let session = global.open()?;
    notes::about_session(&session);
    print_hits(&session, &args.words.join(" "))
}

/// Prints the metrics that match every word, best first; all of them for no words.
pub fn print_hits(session: &Session, words: &str) -> Outcome {
    let (hits, meant) = session.search_forgiving(words);
    if let Some(meant) = meant {
        notes::note(&format!("nothing matches '{words}'; these match '{meant}'"));
    }
    let catalog = session.catalog();
    let metrics: Vec<_> = hits
        .iter()
        .filter_map(|hit| catalog.registry.metrics.get(&hit.metric))
        .collect();
    if metrics.is_empty() && stdout().is_terminal() {
        notes::note("nothing matches");
    }
    let style = Style::of(&stdout());
    let width = metrics
        .iter()
        .map(|metric| metric.name.chars().count())
        .max()
        .unwrap_or(0);
    print(|out| {
        for metric in metrics {
            let status = match metric.status {
                Status::Published => String::new(),
                _ => format!(" · {}", catalog.standing(metric)),
            };
            let used = match session.trend(&metric.name) {
                trend if trend.last.is_none() => String::new(),
                trend => format!(" · {}", session.trend_said(&trend)),
            };
            let about = format!("{}{status}{used}", metric.category);
            let name = style.bold(format!("{:width$}", sanitize(&metric.name)));
            writeln!(
                out,
                "{name}  {}  {}",
                sanitize(&metric.label),
                style.dim(sanitize(&about))
            )?;
        }
        Ok(())
    })
}
