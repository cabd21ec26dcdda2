//! Bytes for the terminal, and what they leave behind there: the pen in force and the place of the cursor.

use super::pen::Pen;
use super::sign::Sign;

/// What is sent so far.
#[derive(Debug, Clone)]
pub(super) struct Strokes {
    pub(super) bytes: Vec<u8>,
    /// Columns of the screen.
    width: u16,
    pen: Pen,
    /// Line and column of the cursor, as far as they are known.
    y: Option<u16>,
    x: Option<u16>,
}

impl Strokes {
    /// Nothing yet: the plain pen, and the cursor anywhere.
    pub(super) fn new(width: u16) -> Self {
        Self {
            bytes: Vec::new(),
            width,
            pen: Pen::default(),
            y: None,
            x: None,
        }
    }

    /// The column after the last sign, if it is in this line.
    pub(super) fn column_in(&self, y: u16) -> Option<u16> {
        self.x.filter(|_| self.y == Some(y))
    }

    /// How many bytes a way would take.
    pub(super) fn cost(&mut self, way: impl FnOnce(&mut Self)) -> usize {
        let (length, pen, y, x) = (self.bytes.len(), self.pen, self.y, self.x);
        way(self);
        let cost = self.bytes.len() - length;
        self.bytes.truncate(length);
        (self.pen, self.y, self.x) = (pen, y, x);
        cost
    }

    /// Takes the pen that a sign needs.
    pub(super) fn take(&mut self, sign: &Sign<'_>) {
        if sign.is_blank {
            let (sequence, pen) = self.pen.switch_for_blank(sign.pen);
            self.raw(&sequence);
            self.pen = pen;
        } else {
            self.take_pen(sign.pen);
        }
    }

    /// Takes a pen.
    pub(super) fn take_pen(&mut self, pen: Pen) {
        self.raw(&self.pen.switch(pen));
        self.pen = pen;
    }

    /// Whether the pen in force is what a sign needs.
    pub(super) fn has_pen_of(&self, sign: &Sign<'_>) -> bool {
        match sign.is_blank {
            true => self.pen.on_blank() == Some(sign.pen),
            false => self.pen == sign.pen,
        }
    }

    /// Draws a sign where the cursor is.
    pub(super) fn draw(&mut self, sign: &Sign<'_>) {
        self.take(sign);
        self.put(sign);
    }

    /// Draws a sign where the cursor is, with the pen in force.
    pub(super) fn put(&mut self, sign: &Sign<'_>) {
        self.raw(sign.text);
        let next = self.x.map(|x| x + sign.width);
        // What comes after the last column differs from terminal to terminal too.
        self.x = next.filter(|next| *next < self.width && sign.is_certain());
    }

    /// Blanks cells from the cursor on, which stays.
    pub(super) fn erase(&mut self, blank: &Sign<'_>, cells: u16, to_the_end: bool) {
        self.take(blank);
        if to_the_end {
            self.raw("\x1b[K");
        } else {
            self.raw(&csi(cells, 'X'));
        }
    }

    /// Moves lines between two others up or down, which takes no more than forgetting some and making room for as many.
    pub(super) fn shift(&mut self, forget: u16, make_room: u16, lines: u16) {
        for (y, letter) in [(forget, 'M'), (make_room, 'L')] {
            self.jump(0, y);
            self.raw(&csi(lines, letter));
        }
    }

    /// Hides the cursor and clears the screen.
    pub(super) fn clear(&mut self) {
        self.raw("\x1b[?25l\x1b[2J");
    }

    /// Moves the cursor. Of two ways that are as long, the one that does not depend on where it is.
    pub(super) fn jump(&mut self, x: u16, y: u16) {
        let absolute = match (x, y) {
            (0, 0) => "\x1b[H".to_owned(),
            (0, _) => format!("\x1b[{}H", y + 1),
            _ => format!("\x1b[{};{}H", y + 1, x + 1),
        };
        let relative = self
            .y
            .map(|from| vertical(from, y) + &horizontal(self.x, x));
        let shorter = relative.filter(|relative| relative.len() < absolute.len());
        self.raw(&shorter.unwrap_or(absolute));
        (self.x, self.y) = (Some(x), Some(y));
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// The terminal is in raw mode: a line feed keeps the column.
fn vertical(from: u16, to: u16) -> String {
    match to.checked_sub(from) {
        Some(lines @ 0..=3) => "\n".repeat(usize::from(lines)),
        Some(lines) => csi(lines, 'B'),
        None => csi(from - to, 'A'),
    }
}

fn horizontal(from: Option<u16>, to: u16) -> String {
    let absolute = match to {
        0 => "\r".to_owned(),
        _ => csi(to + 1, 'G'),
    };
    let relative = from.map(|from| match to.checked_sub(from) {
        Some(0) => String::new(),
        Some(cells) => csi(cells, 'C'),
        None if from - to < 4 => "\x08".repeat(usize::from(from - to)),
        None => csi(from - to, 'D'),
    });
    relative
        .filter(|relative| relative.len() < absolute.len())
        .unwrap_or(absolute)
}

/// A sequence with a count, which is left out where it is 1.
fn csi(count: u16, letter: char) -> String {
    match count {
        1 => format!("\x1b[{letter}"),
        _ => format!("\x1b[{count}{letter}"),
    }
}
