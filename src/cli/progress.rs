//! Progress of long work on stderr: a bar on a terminal, a line per step elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use crate::session::cell::sanitize;

/// Length of the bar; a share of the work is rounded to this many steps.
const STEPS: f64 = 1000.0;

/// One line that says what is being done; gone when dropped.
pub struct Line {
    bar: ProgressBar,
    last: String,
    /// Whether steps are lines of their own where there is no terminal.
    lines: bool,
}

impl Line {
    /// For work somebody asked for: every step is said.
    pub fn new() -> Self {
        let bar = if stderr().is_terminal() {
            ProgressBar::new(STEPS as u64)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {wide_msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            last: String::new(),
            lines: !stderr().is_terminal(),
        }
    }

    /// For work on the way to something else: silent where there is no terminal.
    pub fn quiet() -> Self {
        let mut line = Self::new();
        line.lines = false;
        line
    }

    /// What is being done, and the share of it that is done, 0 to 1.
    pub fn show(&mut self, step: &str, share: f64) {
        self.bar
            .set_position((share.clamp(0.0, 1.0) * STEPS) as u64);
        if self.last != step {
            step.clone_into(&mut self.last);
            let step = sanitize(step);
            self.bar.set_message(step.clone().into_owned());
            if self.lines {
                say!("{step}");
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
