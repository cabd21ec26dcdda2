//! `metrex` without a command: the explorer.

use std::io::{IsTerminal, stdin, stdout};

use super::{Global, Outcome};
use crate::session::SessionError;
use crate::tui;

/// Fails where nobody could see the explorer.
pub fn needs_terminal() -> Outcome {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        let error = SessionError::usage("no_terminal", "the explorer needs a terminal");
        return Err(error
            .with_hint("`metrex query 'LINE'` prints rows, `metrex --help` lists the commands")
            .into());
    }
    Ok(())
}

pub fn run(global: &Global) -> Outcome {
    needs_terminal()?;
    let ended = tui::run(global.open()?);
    ended.map_err(|error| SessionError::usage("terminal", error.to_string()))?;
    Ok(())
}
