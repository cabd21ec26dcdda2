//! A field of dots, several to a cell, each cell in the colour of what was drawn in it last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::glyphs::Glyphs;

/// The bits of a braille pattern, by column and row.
const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A field of dots.
pub(super) struct Canvas {
    area: Rect,
    glyphs: Glyphs,
    cells: Vec<Dots>,
}

#[derive(Clone, Copy, Default)]
struct Dots {
    bits: u8,
    style: Style,
    sign: Option<char>,
}

impl Canvas {
    pub(super) fn new(area: Rect, glyphs: Glyphs) -> Self {
        let cells = usize::from(area.width) * usize::from(area.height);
        Self {
            area,
            glyphs,
            cells: vec![Dots::default(); cells],
        }
    }

    /// The dot at a place: 0 to 1 from the left, and from the bottom.
    pub(super) fn dot_at(&self, x: f64, y: f64) -> (usize, usize) {
        let (columns, rows) = self.glyphs.dots_of_cell();
        let last = |cells: u16, dots: usize| (usize::from(cells) * dots).saturating_sub(1) as f64;
        let column = x.clamp(0.0, 1.0) * last(self.area.width, columns);
        let row = (1.0 - y.clamp(0.0, 1.0)) * last(self.area.height, rows);
        (column.round() as usize, row.round() as usize)
    }

    /// The cell of a dot.
    pub(super) fn cell_of(&self, (column, row): (usize, usize)) -> (u16, u16) {
        let (columns, rows) = self.glyphs.dots_of_cell();
        let cell = |at: usize, dots: usize| u16::try_from(at / dots).unwrap_or(u16::MAX);
        (
            self.area.x.saturating_add(cell(column, columns)),
            self.area.y.saturating_add(cell(row, rows)),
        )
    }

    /// Draws a dot; `sign` is what plain ASCII shows.
    pub(super) fn dot(&mut self, (column, row): (usize, usize), style: Style, sign: char) {
        let (columns, rows) = self.glyphs.dots_of_cell();
        let bit = match self.glyphs {
            Glyphs::Braille => BRAILLE
                .get(column % 2)
                .and_then(|bits| bits.get(row % 4))
                .copied()
                .unwrap_or(0),
            Glyphs::Block => 1 << (row % 2),
            Glyphs::Ascii => 1,
        };
        let index = (row / rows) * usize::from(self.area.width) + column / columns;
        if let Some(cell) = self.cells.get_mut(index) {
            cell.bits |= bit;
            cell.style = style;
            cell.sign = Some(sign);
        }
    }

    /// Draws a line; of a dotted one every third dot.
    pub(super) fn line(
        &mut self,
        from: (usize, usize),
        to: (usize, usize),
        style: Style,
        sign: char,
        dotted: bool,
    ) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
        let between = |from: usize, to: usize, step: usize| {
            let share = step as f64 / steps.max(1) as f64;
            (from as f64 + (to as f64 - from as f64) * share).round() as usize
        };
        for step in 0..=steps {
            if !dotted || step % 3 == 0 {
                let dot = (between(from.0, to.0, step), between(from.1, to.1, step));
                self.dot(dot, style, sign);
            }
        }
    }

    /// Puts the dots on the screen.
    pub(super) fn draw(&self, buf: &mut Buffer) {
        let width = usize::from(self.area.width).max(1);
        for (index, cell) in self.cells.iter().enumerate() {
            if cell.bits == 0 {
                continue;
            }
            let symbol = match self.glyphs {
                Glyphs::Braille => char::from_u32(0x2800 + u32::from(cell.bits)).unwrap_or('·'),
                Glyphs::Block => match cell.bits {
                    1 => '▀',
                    2 => '▄',
                    _ => '█',
                },
                Glyphs::Ascii => cell.sign.unwrap_or('*'),
            };
            let column = u16::try_from(index % width).unwrap_or(u16::MAX);
            let row = u16::try_from(index / width).unwrap_or(u16::MAX);
            let place = (
                self.area.x.saturating_add(column),
                self.area.y.saturating_add(row),
            );
            if let Some(shown) = buf.cell_mut(place) {
                shown.set_char(symbol).set_style(cell.style);
            }
        }
    }
}
