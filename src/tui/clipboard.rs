//! The clipboard: which way a copy goes, and handing it to a program of the desktop.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::registry::Clipboard;

/// How long a program may take; on a desktop that is gone some wait for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program that takes the text on its standard input, with its arguments.
pub(super) type Program = &'static [&'static str];

const WAYLAND: Program = &["wl-copy"];
const X11: [Program; 2] = [
    &["xclip", "-selection", "clipboard"],
    &["xsel", "--clipboard", "--input"],
];
const MACOS: Program = &["pbcopy"];

/// The ways a copy is tried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ways {
    /// Programs, the best first.
    pub(super) programs: Vec<Program>,
    /// Whether the terminal is asked (OSC 52) where no program takes it.
    pub(super) terminal: bool,
}

/// The ways of a setting. Over SSH the programs of this machine would fill the clipboard of the wrong desktop.
pub(super) fn ways(setting: Clipboard, variable: impl Fn(&str) -> Option<String>) -> Ways {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is_remote = is_set("SSH_TTY") || is_set("SSH_CONNECTION");
    let uses_programs = match setting {
        Clipboard::Auto => !is_remote,
        Clipboard::Tools => true,
        Clipboard::Osc52 | Clipboard::Off => false,
    };
    let mut programs = Vec::new();
    if uses_programs {
        programs.extend(is_set("WAYLAND_DISPLAY").then_some(WAYLAND));
        programs.extend(X11.into_iter().filter(|_| is_set("DISPLAY")));
        programs.extend(cfg!(target_os = "macos").then_some(MACOS));
    }
    Ways {
        programs,
        terminal: matches!(setting, Clipboard::Auto | Clipboard::Osc52),
    }
}

/// The ways of a setting in words, in the order they are tried.
pub fn ways_in_words(setting: Clipboard, variable: impl Fn(&str) -> Option<String>) -> String {
    let ways = ways(setting, variable);
    let programs = ways.programs.iter().filter_map(|words| words.first());
    let programs = programs.map(|name| (*name).to_owned());
    let terminal = ways.terminal.then(|| "the terminal (OSC 52)".to_owned());
    let all: Vec<String> = programs.chain(terminal).collect();
    match (setting, all.as_slice()) {
        (Clipboard::Off, _) => "off".to_owned(),
        (_, []) => "no way: neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned(),
        (_, all) => format!("by {}", all.join(", else ")),
    }
}

/// Hands a text to the first program that takes it, and names that; else what each of them said.
pub(super) async fn hand_over(programs: &[Program], text: &str) -> Result<&'static str, String> {
    let mut said = Vec::new();
    for words in programs {
        let Some((name, arguments)) = words.split_first() else {
            continue;
        };
        match tokio::time::timeout(PATIENCE, give(name, arguments, text)).await {
            Ok(Ok(())) => return Ok(name),
            Ok(Err(why)) => said.push(format!("{name} {why}")),
            Err(_) => said.push(format!("{name} took longer than {} s", PATIENCE.as_secs())),
        }
    }
    Err(said.join(", "))
}

async fn give(name: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        // They stay in the background, and would keep these open.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "is not installed".to_owned(),
            _ => format!("cannot be started: {error}"),
        })?;
    let given = match child.stdin.take() {
        Some(mut input) => input.write_all(text.as_bytes()).await,
        None => Ok(()),
    };
    let status = child.wait().await.map_err(|error| error.to_string())?;
    // One that failed has often not read to the end, which says less.
    if !status.success() {
        return Err(format!("ended with {status}"));
    }
    given.map_err(|error| format!("does not take the text: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(setting: Clipboard, set: &[&str]) -> (Vec<&'static str>, bool) {
        let ways = ways(setting, |name| set.contains(&name).then(|| "x".to_owned()));
        let names = ways
            .programs
            .iter()
            .filter_map(|words| words.first().copied());
        (names.collect(), ways.terminal)
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn over_ssh_the_terminal_is_asked_else_the_desktop_first() {
        let desktop = ["WAYLAND_DISPLAY", "DISPLAY"];
        let remote = ["SSH_TTY", "DISPLAY"];
        let all = vec!["wl-copy", "xclip", "xsel"];
        assert_eq!(of(Clipboard::Auto, &desktop), (all.clone(), true));
        assert_eq!(
            of(Clipboard::Auto, &["DISPLAY"]),
            (vec!["xclip", "xsel"], true)
        );
        assert_eq!(of(Clipboard::Auto, &[]), (vec![], true));
        assert_eq!(of(Clipboard::Auto, &remote), (vec![], true));
        assert_eq!(
            of(Clipboard::Tools, &remote),
            (vec!["xclip", "xsel"], false)
        );
        assert_eq!(of(Clipboard::Tools, &desktop), (all, false));
        assert_eq!(of(Clipboard::Osc52, &desktop), (vec![], true));
        assert_eq!(of(Clipboard::Off, &desktop), (vec![], false));
    }
}
