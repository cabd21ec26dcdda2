//! The signs of a picture: what stands in its cells, as far as it can be seen.

use ratatui::buffer::{Buffer, Cell, CellWidth};

use super::pen::Pen;

/// What begins in a cell. Two signs are equal if they look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign<'a> {
    pub(super) text: &'a str,
    /// Cells that it takes.
    pub(super) width: u16,
    pub(super) pen: Pen,
    /// Whether only the background shows.
    pub(super) is_blank: bool,
}

impl<'a> Sign<'a> {
    fn of(cell: &'a Cell, room: u16) -> Self {
        let pen = Pen {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        };
        let width = cell.cell_width().max(1);
        // A wide sign in the last column is shown by no terminal.
        let (text, width) = match cell.symbol() {
            "" => (" ", 1),
            _ if width > room => (" ", 1),
            text => (text, width),
        };
        let blank = (text == " ").then(|| pen.on_blank()).flatten();
        Self {
            text,
            width,
            pen: blank.unwrap_or(pen),
            is_blank: blank.is_some(),
        }
    }

    /// Whether every terminal agrees on how many cells it takes: not so for emoji, for signs that are made of several
    /// characters, and for scripts whose letters join.
    pub(super) fn is_certain(&self) -> bool {
        let mut chars = self.text.chars();
        let (Some(char), None) = (chars.next(), chars.next()) else {
            return false;
        };
        match char {
            '\0'..'\u{300}' | '\u{370}'..'\u{590}' | '\u{1e00}'..'\u{2e80}' => self.width == 1,
            '\u{2e80}'..'\u{a4d0}' | '\u{ac00}'..'\u{d7a4}' => self.width == 2,
            _ => false,
        }
    }
}

/// The signs of a line, each in the cell where it begins.
pub(super) fn line(picture: &Buffer, y: u16) -> Vec<Option<Sign<'_>>> {
    let width = picture.area.width;
    let mut covered = 0;
    (0..width)
        .map(|x| {
            let cell = picture.cell((picture.area.x + x, picture.area.y + y));
            if x < covered {
                return None;
            }
            let sign = Sign::of(cell?, width - x);
            covered = x + sign.width;
            Some(sign)
        })
        .collect()
}
