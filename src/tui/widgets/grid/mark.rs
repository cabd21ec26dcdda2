//! Marked cells: a block from where the mark was set to the cursor, or the whole columns between them.

use super::Grid;

/// Where a mark was set, and what it spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    row: usize,
    column: usize,
    whole_columns: bool,
}

/// A block of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// First and last row.
    pub rows: (usize, usize),
    /// Its columns, as they stand on the screen; hidden ones are not among them.
    pub columns: Vec<usize>,
}

impl Block {
    /// Whether a cell is in it.
    pub fn contains(&self, row: usize, column: usize) -> bool {
        (self.rows.0..=self.rows.1).contains(&row) && self.columns.contains(&column)
    }

    /// How many rows and columns it has.
    pub fn size(&self) -> (usize, usize) {
        (self.rows.1 - self.rows.0 + 1, self.columns.len())
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
        let shown = self.shown_columns();
        let place = |column: usize| shown.iter().position(|&at| at == column);
        let (first, last) = ordered(place(mark.column)?, place(column)?);
        Some(Block {
            rows: match mark.whole_columns {
                true => (0, self.table.rows() - 1),
                false => ordered(mark.row, row),
            },
            columns: shown.get(first..=last)?.to_vec(),
        })
    }
}
