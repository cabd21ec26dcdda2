//! Searching the displayed text of a grid, in slices or on another thread.

use std::ops::Range;

use super::table::Table;

/// Where a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    /// To the right and down.
    Forward,
    /// To the left and up.
    Backward,
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// At this row and column.
    At(usize, usize),
    /// Not yet; more rows are left.
    NotYet,
    /// Nowhere.
    Nowhere,
}

/// A search that goes once around the table.
#[derive(Debug, Clone)]
pub struct Find {
    table: Table,
    needle: Needle,
    heading: Heading,
    next: usize,
    left: usize,
}

impl Find {
    /// Starts right after (before) the cell `from`, so that repeating finds the next one; that cell itself comes last.
    pub(super) fn new(table: Table, text: &str, from: (usize, usize), heading: Heading) -> Self {
        let cells = table.rows() * table.columns().len();
        let at = (from.0 * table.columns().len() + from.1).min(cells.saturating_sub(1));
        let mut find = Self {
            table,
            needle: Needle::new(text),
            heading,
            next: at,
            left: cells,
        };
        find.advance();
        find
    }

    fn cells(&self) -> usize {
        self.table.rows() * self.table.columns().len()
    }

    fn advance(&mut self) {
        let last = self.cells().saturating_sub(1);
        self.next = match self.heading {
            Heading::Forward if self.next >= last => 0,
            Heading::Forward => self.next + 1,
            Heading::Backward => self.next.checked_sub(1).unwrap_or(last),
        };
    }

    /// Looks through at most `rows` rows.
    pub fn step(&mut self, rows: usize) -> Found {
        let columns = self.table.columns().len();
        if self.needle.is_empty() || columns == 0 {
            return Found::Nowhere;
        }
        let mut text = String::new();
        for _ in 0..rows.saturating_mul(columns).min(self.left) {
            let (row, column) = (self.next / columns, self.next % columns);
            self.advance();
            self.left -= 1;
            self.table.read(row, column, &mut text);
            if self.needle.range(&text).is_some() {
                return Found::At(row, column);
            }
        }
        if self.left == 0 {
            Found::Nowhere
        } else {
            Found::NotYet
        }
    }
}

/// A text to look for; case matters only if it has capitals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needle {
    text: String,
    exact: bool,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            exact: text.chars().any(char::is_uppercase),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The bytes of the first occurrence in `text`.
    pub(super) fn range(&self, text: &str) -> Option<Range<usize>> {
        if self.exact {
            let start = text.find(&self.text)?;
            return Some(start..start + self.text.len());
        }
        let starts = text.char_indices().map(|(start, _)| start);
        starts.filter_map(|start| self.range_at(text, start)).next()
    }

    /// Character by character, as lower case may be longer or shorter than the text.
    fn range_at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let mut wanted = self.text.chars();
        let mut end = start;
        for c in text.get(start..)?.chars() {
            if wanted.as_str().is_empty() {
                break;
            }
            if !c.to_lowercase().all(|lower| wanted.next() == Some(lower)) {
                return None;
            }
            end += c.len_utf8();
        }
        wanted.as_str().is_empty().then_some(start..end)
    }
}
