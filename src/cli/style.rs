//! Colour on the command line: only on a terminal and without NO_COLOR.

use std::fmt::Display;
use std::io::IsTerminal;

/// Whether a stream is shown with colours.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    colours: bool,
}

impl Style {
    /// For a stream of this process.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colours: stream.is_terminal() && !no_color && !dumb,
        }
    }

    /// For text that is no terminal's.
    pub fn plain() -> Self {
        Self { colours: false }
    }

    fn paint(self, code: &str, text: impl Display) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    /// A heading.
    pub fn bold(self, text: impl Display) -> String {
        self.paint("1", text)
    }

    /// Something of less weight.
    pub fn dim(self, text: impl Display) -> String {
        self.paint("2", text)
    }

    /// Something that is right.
    pub fn good(self, text: impl Display) -> String {
        self.paint("32", text)
    }

    /// Something to look at.
    pub fn warning(self, text: impl Display) -> String {
        self.paint("1;33", text)
    }

    /// Something that is wrong.
    pub fn error(self, text: impl Display) -> String {
        self.paint("1;31", text)
    }
}
