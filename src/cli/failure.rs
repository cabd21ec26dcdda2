//! How a command fails: the message, the query line with the offending word marked, a hint, the exit code.

use std::io::{self, stderr};
use std::ops::Range;
use std::process::ExitCode;

use unicode_width::UnicodeWidthStr;

use super::style::Style;
use crate::session::SessionError;
use crate::session::cell::sanitize;

/// Why a command ends without having done all it should.
#[derive(Debug)]
pub enum Failure {
    /// An error, with the query line it is about.
    Error(Box<SessionError>, Option<String>),
    /// Reading or writing failed. A reader of stdout that went away is no failure.
    Io(io::Error),
    /// Everything is said; only the exit code is left.
    Exit(u8),
}

impl Failure {
    /// An error about a query line.
    pub fn of_line(line: &str) -> impl Fn(SessionError) -> Self {
        move |error| Self::Error(Box::new(error), Some(line.to_owned()))
    }

    /// The same with the query line it is about.
    pub fn with_line(self, line: &str) -> Self {
        match self {
            Self::Error(error, _) => Self::Error(error, Some(line.to_owned())),
            other => other,
        }
    }

    /// Says what happened on stderr and gives the exit code.
    pub fn report(self) -> ExitCode {
        let style = Style::of(&stderr());
        match self {
            Self::Error(error, line) => {
                let lines: Vec<_> = error.message.lines().map(sanitize).collect();
                say!("{} {}", style.error("error:"), lines.join("\n  "));
                if let Some(line) = line
                    && let Some(marked) = marked(&error, &line)
                {
                    say!("  {}\n  {}", sanitize(&line), style.error(marked));
                }
                if let Some(hint) = error.hint() {
                    say!("{} {}", style.bold("hint:"), sanitize(hint));
                }
                ExitCode::from(error.exit_code())
            }
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Io(error) => {
                say!("{} {}", style.error("error:"), sanitize(&error.to_string()));
                ExitCode::FAILURE
            }
            Self::Exit(code) => ExitCode::from(code),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Error(Box::new(error), None)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Carets under the part of the line the error is about.
fn marked(error: &SessionError, line: &str) -> Option<String> {
    let range = error
        .range
        .clone()
        .or_else(|| position(line, error.word.as_deref()?))?;
    let before = sanitize(line.get(..range.start)?).width();
    let under = line
        .get(range)
        .map_or(1, |text| sanitize(text).width().max(1));
    Some(format!("{}{}", " ".repeat(before), "^".repeat(under)))
}

/// Where a word stands in the line as a word of its own, else as a part of one.
fn position(line: &str, word: &str) -> Option<Range<usize>> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let alone = |&(at, found): &(usize, &str)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + found.len()..)
            .and_then(|text| text.chars().next());
        !is_part(before) && !is_part(after)
    };
    let (at, found) = line
        .match_indices(word)
        .find(alone)
        .or_else(|| line.match_indices(word).next())?;
    Some(at..at + found.len())
}
