//! `metrex edit METRIC`: the explorer, opened on the definition of a metric.

use clap::Args;

use super::{Global, Outcome, explore};
use crate::session::SessionError;
use crate::tui;

#[derive(Debug, Args)]
pub struct EditArgs {
    /// The metric, by name or alias
    metric: String,
}

pub fn run(global: &Global, linear: bool, args: EditArgs) -> Outcome {
    let session = global.open()?;
    session.describe(&args.metric)?;
    if !linear {
        explore::needs_terminal()?;
    }
    let ended = match linear || explore::is_dumb() {
        true => tui::linear(session, Some(args.metric)),
        false => tui::edit(session, args.metric),
    };
    ended.map_err(|error| SessionError::usage("terminal", error.to_string()))?;
    Ok(())
}
