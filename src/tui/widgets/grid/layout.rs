//! Which rows and columns of a grid are on the screen, and where.

use ratatui::layout::{Position, Rect, Size};

use crate::session::cell::aligns_right;
use crate::tui::widgets::scroll::first_shown;

use super::Grid;

/// Blank cells after each column; the first also takes the sort arrow.
const GAP: u16 = 2;
/// A cut text column is only shown with at least this many cells; a cut number never, it would be another number.
const LEAST_CUT: u16 = 6;

/// A column on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its place in the table, and among the columns that are shown.
    pub(super) column: usize,
    pub(super) place: usize,
    /// Cells from the left edge of the grid.
    pub(super) x: u16,
    pub(super) width: u16,
    /// Cells for what is drawn beside its numbers.
    pub(super) beside: u16,
    pub(super) whole: bool,
}

impl Slot {
    /// Where the next column begins.
    fn end(&self) -> u16 {
        self.x
            .saturating_add(self.width)
            .saturating_add(self.beside)
            .saturating_add(GAP)
    }
}

/// What a grid shows in an area of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) header: bool,
    pub(super) totals: bool,
    /// Rows that fit.
    pub(super) height: usize,
    /// The first row.
    pub(super) top: usize,
    pub(super) slots: Vec<Slot>,
    /// How many of the slots are frozen.
    pub(super) frozen: usize,
}

impl Grid {
    /// The layout at a size, scrolled as little as possible from where the reader was so that the selected cell shows.
    pub(super) fn layout(&self, size: Size) -> Layout {
        let header = size.height >= 2;
        // They are of all rows.
        let totals = self.totals.is_some() && self.table.kept().is_none() && size.height >= 4;
        let height = usize::from(size.height) - usize::from(header) - usize::from(totals);
        let top = first_shown(self.top, self.selected.row, height, self.table.rows());

        let frozen = self.frozen_slots(size.width);
        let wanted = self.columns.place(self.selected.column);
        let last = self.columns.shown().len().saturating_sub(1);
        let mut left = (frozen.len() + self.scrolled).min(last.max(frozen.len()));
        if wanted >= frozen.len() {
            left = left.min(wanted);
        }
        // No column stays out of sight beside room for it.
        while left > frozen.len() {
            let slots = self.slots(size.width, &frozen, left - 1);
            let ends = slots.last();
            if !ends.is_some_and(|slot| slot.place == last && slot.whole) {
                break;
            }
            left -= 1;
        }
        loop {
            let slots = self.slots(size.width, &frozen, left);
            let shows = slots.iter().any(|slot| slot.place == wanted && slot.whole);
            if shows || left >= wanted {
                return Layout {
                    header,
                    totals,
                    height,
                    top,
                    slots,
                    frozen: frozen.len(),
                };
            }
            left += 1;
        }
    }

    /// Frozen columns, as many as leave half of the width to the others.
    fn frozen_slots(&self, width: u16) -> Vec<Slot> {
        let mut x = 0;
        let mut slots = Vec::new();
        let shown = self.columns.shown().iter().enumerate();
        for (place, &column) in shown.take(self.frozen) {
            let slot = Slot {
                column,
                place,
                x,
                width: self.column_width(column),
                beside: self.beside_width(column),
                whole: true,
            };
            x = slot.end();
            if x > width / 2 {
                break;
            }
            slots.push(slot);
        }
        slots
    }

    fn slots(&self, width: u16, frozen: &[Slot], left: usize) -> Vec<Slot> {
        let mut slots = frozen.to_vec();
        // One cell more for the line after the frozen columns.
        let mut x = slots.last().map_or(0, |slot| slot.end().saturating_add(1));
        for (place, &column) in self.columns.shown().iter().enumerate().skip(left) {
            let room = width.saturating_sub(x);
            let wanted = self.column_width(column);
            let whole = wanted <= room;
            let is_first = place == left;
            let is_text = self
                .table
                .columns()
                .get(column)
                .is_some_and(|spec| !aligns_right(spec));
            if room == 0 || !(whole || is_first || (room >= LEAST_CUT && is_text)) {
                break;
            }
            let slot = Slot {
                column,
                place,
                x,
                width: wanted.min(room),
                beside: self.beside_width(column),
                whole,
            };
            x = slot.end();
            slots.push(slot);
        }
        slots
    }

    /// The cell drawn at a position of the screen, for a grid drawn in `area`.
    pub fn cell_at(&self, x: u16, y: u16, area: Rect) -> Option<(usize, usize)> {
        let layout = self.layout(area.as_size());
        let column = layout.column_at(x, y, area)?;
        let line = usize::from(y - area.y).checked_sub(usize::from(layout.header))?;
        let row = layout.top + line;
        (line < layout.height && row < self.table.rows()).then_some((row, column))
    }

    /// The column whose header is drawn at a position of the screen, for a grid drawn in `area`.
    pub fn header_at(&self, x: u16, y: u16, area: Rect) -> Option<usize> {
        let layout = self.layout(area.as_size());
        (layout.header && y == area.y)
            .then(|| layout.column_at(x, y, area))
            .flatten()
    }
}

impl Layout {
    fn column_at(&self, x: u16, y: u16, area: Rect) -> Option<usize> {
        if !area.contains(Position { x, y }) {
            return None;
        }
        let x = x - area.x;
        let slot = self
            .slots
            .iter()
            .find(|slot| (slot.x..slot.end()).contains(&x))?;
        Some(slot.column)
    }
}
