//! Moving through a grid, and saying where one is.

use ratatui::layout::Size;

use super::{Grid, Progress};
use crate::session::cell::thousands;

impl Grid {
    /// Says how large the grid is drawn, so that the view stays where the reader scrolled it.
    pub fn set_size(&mut self, size: Size) {
        self.size = size;
        self.settle();
    }

    /// Selects a cell; beyond the edge is the edge.
    pub fn select(&mut self, row: usize, column: usize) {
        self.selected.row = row.min(self.table.rows().saturating_sub(1));
        let place = self
            .columns
            .place(column.min(self.table.columns().len().saturating_sub(1)));
        self.selected.column = self.columns.at(place);
        self.settle();
    }

    /// Moves the selection by rows (down) and columns (right).
    pub fn move_by(&mut self, rows: isize, columns: isize) {
        let place = self.columns.place(self.selected.column);
        let place = place
            .saturating_add_signed(columns)
            .min(self.columns.last());
        self.select(
            self.selected.row.saturating_add_signed(rows),
            self.columns.at(place),
        );
    }

    /// Moves the selection by screens, one row less so that a known row stays in sight.
    pub fn page(&mut self, pages: isize) {
        let height = isize::try_from(self.layout(self.size).height).unwrap_or(isize::MAX);
        let rows = pages.saturating_mul((height - 1).max(1));
        self.top = self.top.saturating_add_signed(rows);
        self.move_by(rows, 0);
    }

    /// Selects the first row.
    pub fn to_first_row(&mut self) {
        self.select(0, self.selected.column);
    }

    /// Selects the last row that has arrived.
    pub fn to_last_row(&mut self) {
        self.select(usize::MAX, self.selected.column);
    }

    /// Scrolls the view, as a mouse wheel does; the selection is taken along only where it would leave the screen.
    pub fn scroll(&mut self, rows: isize) {
        let height = self.layout(self.size).height;
        let last_top = self.table.rows().saturating_sub(height);
        self.top = self.top.saturating_add_signed(rows).min(last_top);
        let last = (self.top + height).saturating_sub(1).max(self.top);
        self.select(
            self.selected.row.clamp(self.top, last),
            self.selected.column,
        );
    }

    /// Remembers what the layout had to scroll.
    pub(super) fn settle(&mut self) {
        self.selected.row = self.selected.row.min(self.table.rows().saturating_sub(1));
        if self.size.area() == 0 {
            return;
        }
        let layout = self.layout(self.size);
        self.top = layout.top;
        if let Some(slot) = layout.slots.get(layout.frozen) {
            self.scrolled = slot.place.saturating_sub(layout.frozen);
        }
    }

    /// Where the reader is, for a grid drawn at a size: `rows 101–140 of 100,000`, with a `+` while more come and the
    /// notice that a result was cut; then the columns if some are out of sight.
    pub fn position(&self, size: Size) -> String {
        let layout = self.layout(size);
        let rows = self.table.rows();
        let count = thousands(rows);
        let mut text = match (self.progress, rows) {
            (Progress::Streaming, 0) => "waiting for rows".to_owned(),
            (_, 0) if self.table.arrived() > 0 => "no rows match".to_owned(),
            (_, 0) => "no rows".to_owned(),
            (progress, _) => {
                let of = if progress == Progress::Stopped {
                    "of the first"
                } else {
                    "of"
                };
                let first = thousands(layout.top + 1);
                let last = thousands((layout.top + layout.height).min(rows));
                format!("rows {first}–{last} {of} {count}")
            }
        };
        match self.progress {
            Progress::Streaming if rows > 0 => text.push('+'),
            Progress::Cut => {
                let all = thousands(self.table.arrived());
                text.push_str(&format!(", cut at {all}"));
            }
            Progress::Streaming | Progress::Complete | Progress::Stopped => {}
        }
        if let Some(kept) = self.table.kept() {
            text.push_str(&format!(
                " · {} of {} rows",
                thousands(kept.len()),
                thousands(self.table.arrived())
            ));
        }
        if self.table.has_subtotals() {
            let subtotals = rows - self.table.arrived().min(rows);
            text.push_str(&format!(", {} of them subtotals", thousands(subtotals)));
        }
        let columns = self.columns.shown().len();
        let moving = layout.slots.get(layout.frozen..).unwrap_or_default();
        if let (Some(first), Some(last)) = (moving.first(), moving.last())
            && layout.slots.len() < columns
        {
            text.push_str(&format!(
                " · columns {}–{} of {columns}",
                first.place + 1,
                last.place + 1
            ));
        }
        if self.columns.hidden() > 0 {
            text.push_str(&format!(" · {} hidden", self.columns.hidden()));
        }
        if self.filter_is_stale() {
            text.push_str(" · newest rows not filtered");
        }
        if self.sort_is_stale() {
            text.push_str(" · newest rows not sorted");
        }
        text
    }
}
