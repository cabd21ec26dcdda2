//! What a search looks for: a regular expression, or the very text.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Largest automaton that a pattern may become; what needs more is looked for as it is written.
const SIZE: usize = 1 << 20;

/// A text to look for, as a regular expression and as it is written, so that `$1,204` finds itself too. Case matters
/// only if it has capitals.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Option<Regex>,
    is_valid: bool,
}

impl Pattern {
    /// Looks for a text; an empty one is nowhere.
    pub fn new(text: &str) -> Self {
        let literal = regex::escape(text);
        let build = |pattern: &str| build(pattern, text);
        let is_plain = literal == text;
        let expression = build(text)
            .filter(|_| !is_plain)
            .and_then(|_| build(&format!("(?:{text})|{literal}")));
        let is_valid = is_plain || expression.is_some();
        let regex = expression.or_else(|| build(&literal));
        Self {
            regex: regex.filter(|_| !text.is_empty()),
            is_valid,
        }
    }

    /// Looks for an expression; `text` is what the reader typed for it.
    pub(super) fn expression(expression: &str, text: &str) -> Self {
        Self {
            regex: build(expression, text),
            is_valid: true,
        }
    }

    /// Whether it can be read as a regular expression.
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.regex.is_none()
    }

    /// The bytes of the first occurrence in `text`.
    pub fn range(&self, text: &str) -> Option<Range<usize>> {
        let found = self.regex.as_ref()?.find(text)?;
        Some(found.range())
    }

    /// Whether it occurs in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}

/// Case matters if the text that was typed has capitals.
fn build(pattern: &str, text: &str) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .case_insensitive(!has_capitals(text))
        .size_limit(SIZE)
        .build()
        .ok()
}

/// Capitals of classes such as `\S` are none of the text.
fn has_capitals(text: &str) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let counts = !escaped && c.is_uppercase();
        escaped = c == '\\' && !escaped;
        counts
    })
}
