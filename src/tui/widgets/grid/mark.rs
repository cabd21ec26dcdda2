//! Marked cells: a block from where the mark was set to the cursor, or the whole columns between them.

use super::Grid;

/// Where a mark was set, and what it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    row: usize,
    column: usize,
    whole_columns: bool,
}

/// A block of cells: its first and last row and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// First and last row.
    pub rows: (usize, usize),
    /// First and last column.
    pub columns: (usize, usize),
}

impl Block {
    /// Whether a cell is in it.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        let is_in = |(first, last): (usize, usize), at| (first..=last).contains(&at);
        is_in(self.rows, row) && is_in(self.columns, column)
    }

    /// How many rows and columns it has.
    pub fn size(&self) -> (usize, usize) {
        let count = |(first, last): (usize, usize)| last - first + 1;
        (count(self.rows), count(self.columns))
    }
}

impl Grid {
    /// Marks the cells (whole columns) from the selected one on, as far as the cursor goes; marks nothing any more if
    /// that is what is marked.
    pub fn mark(&mut self, whole_columns: bool) {
        let Some((row, column)) = self.selected() else {
            return;
        };
        self.mark = match self.mark {
            Some(mark) if mark.whole_columns == whole_columns => None,
            Some(mark) => Some(Mark {
                whole_columns,
                ..mark
            }),
            None => Some(Mark {
                row,
                column,
                whole_columns,
            }),
        };
    }

    /// Marks nothing any more; whether something was marked.
    pub fn unmark(&mut self) -> bool {
        self.mark.take().is_some()
    }

    /// What is marked.
    pub fn marked(&self) -> Option<Block> {
        let (mark, (row, column)) = (self.mark?, self.selected()?);
        let ordered = |one: usize, other: usize| (one.min(other), one.max(other));
        Some(Block {
            rows: match mark.whole_columns {
                true => (0, self.table.rows() - 1),
                false => ordered(mark.row, row),
            },
            columns: ordered(mark.column, column),
        })
    }
}
