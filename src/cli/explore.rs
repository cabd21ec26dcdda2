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
            .with_hint(
                "`metrex --linear` reads and writes plain lines, `metrex query 'LINE'` prints rows, `metrex --help` lists the commands",
            )
            .into());
    }
    Ok(())
}

/// Whether the terminal cannot move its cursor.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

pub fn run(global: &Global, linear: bool) -> Outcome {
    if !linear {
        needs_terminal()?;
    }
    let session = global.open()?;
    let ended = match linear || is_dumb() {
        true => tui::linear(session, None),
        false => tui::run(session),
    };
    ended.map_err(|error| SessionError::usage("terminal", error.to_string()))?;
    Ok(())
}
