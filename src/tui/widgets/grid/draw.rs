//! Drawing a grid: header, the visible cells and the totals, straight into the buffer.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::layout::{Layout, Slot};
use super::looks::is_zero;
use super::{Grid, PARTIAL, TOTAL, header};
use crate::compile::Role;
use crate::model::Direction;
use crate::session::cell::aligns_right;
use crate::tui::Theme;
use crate::tui::widgets::text::{Align, put, width};

/// What stands where a cell has no value at its grain.
const ABSENT: &str = "·";

impl Grid {
    /// Draws the grid; the selected cell is marked when the grid has the focus.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let layout = self.layout(area.as_size());
        let mut painter = Painter {
            grid: self,
            layout: &layout,
            area,
            buf,
            theme,
            text: String::new(),
        };
        if layout.header {
            painter.header(area.y);
        }
        let first = area.y + u16::from(layout.header);
        let rows = (layout.top..self.table.rows()).take(layout.height);
        for (y, row) in (first..).zip(rows) {
            painter.row(y, row, focused);
        }
        if layout.totals {
            painter.totals(area.bottom() - 1);
        }
    }
}

struct Painter<'a> {
    grid: &'a Grid,
    layout: &'a Layout,
    area: Rect,
    buf: &'a mut Buffer,
    theme: &'a Theme,
    text: String,
}

impl Painter<'_> {
    fn header(&mut self, y: u16) {
        for slot in &self.layout.slots {
            let Some(column) = self.grid.table.columns().get(slot.column) else {
                continue;
            };
            let style = match column.role {
                Role::Group => self.theme.header.patch(self.theme.accent),
                Role::Metric | Role::Bound => self.theme.header,
                Role::Prior | Role::Change | Role::ChangePercent | Role::Figure(_) => {
                    self.theme.header.patch(self.theme.dim)
                }
            };
            let label = header::fitted(column, usize::from(slot.width));
            self.put(slot, y, &label, style);
            if let Some(arrow) = self.arrow(slot.column) {
                self.put_arrow(slot, y, &label, arrow, style);
            }
        }
        self.frozen_line(y);
        let shown = self.layout.slots.last().map_or(0, |slot| slot.place + 1);
        let cut = self.layout.slots.last().is_some_and(|slot| !slot.whole);
        if cut || shown < self.grid.columns.shown().len() {
            let edge = (self.area.right() - 1, y);
            if self.buf.cell(edge).is_some_and(|cell| cell.symbol() == " ") {
                self.symbol(edge.0, y, "›", self.theme.dim);
            }
        }
    }

    fn arrow(&self, column: usize) -> Option<&'static str> {
        let order = self.grid.table.order()?;
        (order.column == column).then_some(match order.direction {
            Direction::Ascending => "▲",
            Direction::Descending => "▼",
        })
    }

    /// Beside the label if there is room, else in the gap after the column.
    fn put_arrow(&mut self, slot: &Slot, y: u16, label: &str, arrow: &str, style: Style) {
        let column = self.grid.table.columns().get(slot.column);
        let beside = if column.is_some_and(aligns_right) {
            format!("{arrow} {label}")
        } else {
            format!("{label} {arrow}")
        };
        if width(&beside) <= usize::from(slot.width) {
            self.put(slot, y, &beside, style);
        } else {
            let gap = self.area.x + slot.x + slot.width;
            self.symbol(gap.min(self.area.right() - 1), y, arrow, style);
        }
    }

    fn row(&mut self, y: u16, row: usize, focused: bool) {
        let mut text = std::mem::take(&mut self.text);
        let grid = self.grid;
        let is_selected = row == grid.selected.row;
        let is_subtotal = grid.table.is_subtotal(row);
        let marked = grid.marked();
        let mut is_named = false;
        for slot in &self.layout.slots {
            let is_null = grid.read(row, slot.column, &mut text);
            let mut style = if is_subtotal {
                self.theme.header
            } else {
                self.changed(slot.column, &text).unwrap_or(self.theme.text)
            };
            if grid.table.is_absent(row, slot.column) {
                style = self.theme.dim;
                text.clear();
                // The first group that a subtotal is over names it.
                let names = is_subtotal && !std::mem::replace(&mut is_named, true);
                text.push_str(if names { TOTAL } else { ABSENT });
            } else if is_null {
                style = self.theme.null;
            } else if self.is_number(slot) && is_zero(&text) {
                style = self.theme.dim;
            }
            if is_selected {
                style = style.add_modifier(Modifier::BOLD);
            }
            let is_here = is_selected && focused && slot.column == grid.selected.column;
            let is_marked = marked
                .as_ref()
                .is_some_and(|block| block.contains(row, slot.column));
            if is_here || is_marked {
                style = style.patch(self.theme.selection);
            }
            if is_here && is_marked {
                style = style.add_modifier(Modifier::UNDERLINED);
            }
            self.align(slot, &mut text);
            self.put(slot, y, &text, style);
            self.mark(slot, y, &text);
            self.beside(slot, y, row);
        }
        self.frozen_line(y);
        self.text = text;
    }

    /// The style of a change, which has its sign in the text.
    fn changed(&self, column: usize, text: &str) -> Option<Style> {
        let role = self.grid.table.columns().get(column)?.role;
        match text.chars().next()? {
            _ if !matches!(role, Role::Change | Role::ChangePercent) => None,
            '+' => Some(self.theme.good),
            '-' | '−' => Some(self.theme.error.remove_modifier(Modifier::BOLD)),
            _ => None,
        }
    }

    fn is_number(&self, slot: &Slot) -> bool {
        let column = self.grid.table.columns().get(slot.column);
        column.is_some_and(|column| aligns_right(column) && column.role != Role::Group)
    }

    /// Brings the decimal point of a number in line with those above and below, as far as there is room.
    fn align(&self, slot: &Slot, text: &mut String) {
        let blanks = self.grid.after_tail(slot.column, text);
        let room = usize::from(slot.width).saturating_sub(width(text));
        text.extend(std::iter::repeat_n(' ', blanks.min(room)));
    }

    /// What stands right of a cell: the sign of a period that is not over, the shade of a heat map, a bar, a trend.
    fn beside(&mut self, slot: &Slot, y: u16, row: usize) {
        let x = self.area.x + slot.x + slot.width;
        if self.grid.is_partial(row, slot.column) {
            self.symbol(x, y, PARTIAL, self.theme.warning);
        }
        let Some(beside) = self.grid.beside(row, slot.column) else {
            return;
        };
        if let Some((sign, place)) = beside.shade {
            let style = self.theme.shade(place);
            let field = Rect {
                x: self.area.x + slot.x,
                y,
                width: slot.width,
                height: 1,
            };
            let is_cursor =
                row == self.grid.selected.row && slot.column == self.grid.selected.column;
            if let Some(style) = style.filter(|_| !is_cursor) {
                self.buf.set_style(field.intersection(self.buf.area), style);
            }
            self.symbol(x, y, sign.encode_utf8(&mut [0; 4]), self.theme.accent);
        }
        if !beside.text.is_empty() {
            // One blank, so that a shade is no part of a bar.
            let room = self.area.right().saturating_sub(x + 2);
            let field = Rect {
                x: x + 2,
                y,
                width: slot.beside.saturating_sub(1).min(room),
                height: 1,
            };
            let style = if beside.is_negative {
                self.theme.error
            } else {
                self.theme.accent
            };
            put(self.buf, field, &beside.text, style, Align::Left);
        }
    }

    fn totals(&mut self, y: u16) {
        let Some(totals) = &self.grid.totals else {
            return;
        };
        self.buf.set_style(
            Rect {
                y,
                height: 1,
                ..self.area
            },
            self.theme.header,
        );
        for slot in &self.layout.slots {
            if let Some(cell) = totals.get(slot.column) {
                let style = if cell.is_null {
                    self.theme.null
                } else {
                    self.theme.header
                };
                let mut text = self.grid.total_text(slot.column, cell);
                self.align(slot, &mut text);
                self.put(slot, y, &text, style);
            }
        }
        self.frozen_line(y);
    }

    /// Puts a text in its slot. A number that does not fit is no number any more: it is shown as `###`.
    fn put(&mut self, slot: &Slot, y: u16, text: &str, style: Style) {
        let column = self.grid.table.columns().get(slot.column);
        let is_number = column.is_some_and(aligns_right);
        let align = if is_number { Align::Right } else { Align::Left };
        let is_body = y > self.area.y || !self.layout.header;
        let cells = usize::from(slot.width);
        let field = Rect {
            x: self.area.x + slot.x,
            y,
            width: slot.width,
            height: 1,
        };
        if is_number && is_body && width(text) > cells {
            put(self.buf, field, &"#".repeat(cells), style, align);
        } else {
            put(self.buf, field, text, style, align);
        }
    }

    /// Marks the letters that a search looks for.
    fn mark(&mut self, slot: &Slot, y: u16, text: &str) {
        let Some(found) = self
            .grid
            .needle
            .as_ref()
            .and_then(|needle| needle.range(text))
        else {
            return;
        };
        let cells = usize::from(slot.width);
        let column = self.grid.table.columns().get(slot.column);
        let indent = if column.is_some_and(aligns_right) {
            cells.saturating_sub(width(text))
        } else {
            0
        };
        let Range { start, end } = columns_of(text, found);
        for x in (start + indent).min(cells)..(end + indent).min(cells) {
            let x = self.area.x + slot.x + u16::try_from(x).unwrap_or(u16::MAX);
            if let Some(cell) = self.buf.cell_mut((x, y)) {
                cell.set_style(self.theme.match_);
            }
        }
    }

    fn frozen_line(&mut self, y: u16) {
        if let Some(slot) = self
            .layout
            .frozen
            .checked_sub(1)
            .and_then(|i| self.layout.slots.get(i))
        {
            let x = (self.area.x + slot.x + slot.width + slot.beside).saturating_add(1);
            self.symbol(x, y, "│", self.theme.border);
        }
    }

    fn symbol(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if x < self.area.right()
            && let Some(cell) = self.buf.cell_mut((x, y))
        {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// The cells, from the start of the text, that a range of its bytes covers.
fn columns_of(text: &str, bytes: Range<usize>) -> Range<usize> {
    let start = width(text.get(..bytes.start).unwrap_or_default());
    let length = width(text.get(bytes).unwrap_or_default());
    start..start + length
}
