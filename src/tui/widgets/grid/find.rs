//! Searching the displayed text of a grid, in slices or on another thread.

use tokio_util::sync::CancellationToken;

use super::pattern::Pattern;
use super::table::Table;

/// Rows looked through before a look at whether the search is still wanted.
const SLICE: usize = 4_096;

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
    columns: Vec<usize>,
    pattern: Pattern,
    heading: Heading,
    next: usize,
    left: usize,
    stop: CancellationToken,
}

impl Find {
    /// Starts right after (before) the cell at the row and the place among `columns` that `from` says, so that repeating
    /// finds the next one; that cell itself comes last.
    pub(super) fn new(
        table: Table,
        columns: Vec<usize>,
        text: &str,
        from: (usize, usize),
        heading: Heading,
    ) -> Self {
        let cells = table.rows() * columns.len();
        let at = (from.0 * columns.len() + from.1).min(cells.saturating_sub(1));
        let mut find = Self {
            table,
            columns,
            pattern: Pattern::new(text),
            heading,
            next: at,
            left: cells,
            stop: CancellationToken::new(),
        };
        find.advance();
        find
    }

    fn advance(&mut self) {
        let last = (self.table.rows() * self.columns.len()).saturating_sub(1);
        self.next = match self.heading {
            Heading::Forward if self.next >= last => 0,
            Heading::Forward => self.next + 1,
            Heading::Backward => self.next.checked_sub(1).unwrap_or(last),
        };
    }

    /// Ends a search that runs on another thread.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Searches to the end, or until it is stopped.
    pub fn run(mut self) -> Found {
        loop {
            match self.step(SLICE) {
                Found::NotYet if !self.stop.is_cancelled() => {}
                found => return found,
            }
        }
    }

    /// Looks through at most `rows` rows.
    pub fn step(&mut self, rows: usize) -> Found {
        let count = self.columns.len();
        if self.pattern.is_empty() || count == 0 {
            return Found::Nowhere;
        }
        let mut text = String::new();
        for _ in 0..rows.saturating_mul(count).min(self.left) {
            let row = self.next / count;
            let column = self.columns.get(self.next % count).copied().unwrap_or(0);
            self.advance();
            self.left -= 1;
            self.table.read(row, column, &mut text);
            if self.pattern.is_in(&text) {
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
