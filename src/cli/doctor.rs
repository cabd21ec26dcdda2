//! `metrex doctor`: whether everything metrex depends on is as it should be.

use std::env;
use std::io::{IsTerminal, stdin, stdout};

use super::failure::Failure;
use super::runtime::block_on;
use super::style::Style;
use super::{Global, Outcome, print};
use crate::registry::UserConfig;
use crate::session::cell::sanitize;
use crate::session::{Check, CheckStatus, Session, SessionError};
use crate::tui::Keymap;

pub fn run(global: &Global) -> Outcome {
    let session = global.open()?;
    let mut checks = terminal();
    checks.extend(configured(&session));
    checks.extend(block_on(async |cancel| {
        tokio::select! {
            checks = session.doctor() => Ok(checks),
            () = cancel.cancelled() => Err(SessionError::interrupted().into()),
        }
    })?);
    let style = Style::of(&stdout());
    let width = checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(0);
    print(|out| {
        for check in &checks {
            let mark = match check.status {
                CheckStatus::Ok => style.good("ok     "),
                CheckStatus::Warning => style.warning("warning"),
                CheckStatus::Error => style.error("error  "),
            };
            writeln!(
                out,
                "{mark}  {:width$}  {}",
                sanitize(&check.name),
                sanitize(&check.detail)
            )?;
            if let Some(hint) = &check.hint {
                writeln!(out, "         {:width$}  {}", "", style.dim(sanitize(hint)))?;
            }
        }
        Ok(())
    })?;
    // A connection that fails is the finding people script for.
    let is_bad = |check: &&Check| check.status == CheckStatus::Error;
    match checks
        .iter()
        .filter(is_bad)
        .map(|check| u8::from(check.name.starts_with("connection")) + 2)
        .max()
    {
        Some(code) => Err(Failure::Exit(code)),
        None => Ok(()),
    }
}

/// What is wrong in the user's configuration, and with keys of the explorer.
fn configured(session: &Session) -> Vec<Check> {
    let user = UserConfig::open();
    let (_, keys) = Keymap::read(&user.keys, &session.project().config.keys);
    let problems = user.problems.iter().chain(&keys);
    problems
        .map(|problem| Check::new("configuration", CheckStatus::Warning, problem.to_string()))
        .collect()
}

/// What the terminal says of itself; it is not asked anything.
fn terminal() -> Vec<Check> {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let term = text("TERM").unwrap_or_else(|| "not set".to_owned());
    let mut checks = vec![match (
        stdin().is_terminal() && stdout().is_terminal(),
        term.as_str(),
    ) {
        (false, _) => Check::new("terminal", CheckStatus::Warning, "this is not a terminal")
            .hint("the explorer needs one"),
        (true, "dumb" | "not set") => {
            Check::new("terminal", CheckStatus::Error, format!("TERM is {term}"))
                .hint("set TERM to what the terminal is, such as xterm-256color")
        }
        (true, _) => Check::new("terminal", CheckStatus::Ok, term.clone()),
    }];
    let colours = match (text("NO_COLOR"), text("COLORTERM").as_deref()) {
        (Some(_), _) => "none, as NO_COLOR asks".to_owned(),
        (None, Some("truecolor" | "24bit")) => "true colour".to_owned(),
        (None, _) if term.contains("256color") => {
            "256; COLORTERM=truecolor would say more".to_owned()
        }
        (None, _) => "16".to_owned(),
    };
    checks.push(Check::new("colours", CheckStatus::Ok, colours));
    for (name, variable) in [
        ("tmux", "TMUX"),
        ("screen", "STY"),
        ("ssh", "SSH_CONNECTION"),
    ] {
        if text(variable).is_some() {
            checks.push(Check::new(
                name,
                CheckStatus::Ok,
                format!("inside, {variable} is set"),
            ));
        }
    }
    checks
}
