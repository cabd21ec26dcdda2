//! Lines that have moved: a terminal moves them itself.

use ratatui::buffer::{Buffer, Cell};

use super::strokes::Strokes;

/// Most lines that something moves at once: more are a new page.
const MOST: usize = 4;

/// Fewest cells for which a move is worth a try.
const WORTH: i32 = 20;

/// Lines between two others that move up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    top: usize,
    /// Behind the last.
    end: usize,
    lines: usize,
    is_up: bool,
}

impl Shift {
    /// The move after which most cells have the right text, if that is worth it.
    pub(super) fn between(from: &Buffer, to: &Buffer) -> Option<Self> {
        let (before, after) = (lines(from), lines(to));
        let stay: Vec<i32> = before.iter().zip(&after).map(equal).collect();
        let mut best = (WORTH, None);
        for lines in 1..=MOST {
            for is_up in [true, false] {
                let source = |y: usize| match is_up {
                    true => before.get(y + lines),
                    false => before.get(y.checked_sub(lines)?),
                };
                let gains = (0..)
                    .zip(after.iter().zip(&stay))
                    .map(|(y, (line, stays))| {
                        source(y).map_or(-stays, |source| equal((source, line)) - stays)
                    });
                let (most, first, last) = most_in_a_row(gains);
                if most > best.0 {
                    let (top, end) = match is_up {
                        true => (first, last + 1 + lines),
                        false => (first.saturating_sub(lines), last + 1),
                    };
                    let shift = Self {
                        top,
                        end,
                        lines,
                        is_up,
                    };
                    best = (most, Some(shift));
                }
            }
        }
        best.1
    }

    /// Has the terminal do it.
    pub(super) fn draw(self, strokes: &mut Strokes) {
        let y = |y: usize| u16::try_from(y).unwrap_or(u16::MAX);
        let (first, last) = (y(self.top), y(self.end - self.lines));
        let (forget, make_room) = match self.is_up {
            true => (first, last),
            false => (last, first),
        };
        strokes.shift(forget, make_room, y(self.lines));
    }

    /// Does it in a picture.
    pub(super) fn apply(self, picture: &mut Buffer) {
        let width = usize::from(picture.area.width);
        let cells = self.lines * width;
        let moved = picture.content.get_mut(self.top * width..self.end * width);
        let Some(moved) = moved else { return };
        let blank = match self.is_up {
            true => {
                moved.rotate_left(cells);
                moved.len() - cells..moved.len()
            }
            false => {
                moved.rotate_right(cells);
                0..cells
            }
        };
        if let Some(blank) = moved.get_mut(blank) {
            blank.fill(Cell::EMPTY);
        }
    }
}

/// The texts of the cells of each line, as numbers.
fn lines(picture: &Buffer) -> Vec<Vec<u64>> {
    let width = usize::from(picture.area.width).max(1);
    let number = |cell: &Cell| {
        let bytes = cell.symbol().bytes();
        bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
    };
    let line = |cells: &[Cell]| cells.iter().map(number).collect();
    picture.content.chunks(width).map(line).collect()
}

/// How many cells of two lines have the same text.
fn equal((one, other): (&Vec<u64>, &Vec<u64>)) -> i32 {
    let pairs = one.iter().zip(other);
    let count = pairs.filter(|(one, other)| one == other).count();
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The largest sum of values in a row, with the first and the last of them.
fn most_in_a_row(values: impl Iterator<Item = i32>) -> (i32, usize, usize) {
    let (mut best, mut sum, mut start) = ((0, 0, 0), 0, 0);
    for (at, value) in values.enumerate() {
        if sum <= 0 {
            (sum, start) = (0, at);
        }
        sum += value;
        if sum > best.0 {
            best = (sum, start, at);
        }
    }
    best
}
