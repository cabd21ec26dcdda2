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
use crate::tui::{Depth, Keymap, clipboard_in_words};

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

/// The user's configuration, what is wrong in it and with keys of the explorer, and which way copies go.
fn configured(session: &Session) -> Vec<Check> {
    let user = UserConfig::open();
    let project = &session.project().config;
    let file = UserConfig::path().map(|path| match path.exists() {
        true => path.display().to_string(),
        false => format!("none of your own ({})", path.display()),
    });
    let file = file.map(|file| Check::new("configuration", CheckStatus::Ok, file));
    let (_, keys) = Keymap::read(&user.keys, &project.keys);
    let problems = user.problems.iter().chain(&keys);
    let problems = problems
        .map(|problem| Check::new("configuration", CheckStatus::Warning, problem.to_string()));
    let setting = user.clipboard.unwrap_or(project.clipboard);
    let ways = clipboard_in_words(setting, |name| env::var(name).ok());
    let clipboard = Check::new("clipboard", CheckStatus::Ok, ways);
    file.into_iter()
        .chain(problems)
        .chain([clipboard])
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
    let colours = match Depth::detect(|name| env::var(name).ok()) {
        Depth::None if text("NO_COLOR").is_some() => "none, as NO_COLOR asks",
        Depth::None => "none",
        Depth::Sixteen => "16",
        Depth::Indexed => "256; COLORTERM=truecolor would say more",
        Depth::True => "true colour",
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
