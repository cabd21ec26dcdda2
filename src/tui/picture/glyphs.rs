//! Characters that are drawn as shapes, so that frames, bars and dots of neighbouring cells meet whatever font shows the text.

use std::fmt::Write as _;

use super::{HEIGHT, WIDTH};

/// Middle of a cell.
const MIDDLE: (f32, f32) = (WIDTH / 2.0, HEIGHT / 2.0);

/// What a character looks like, within its cell.
pub(super) enum Glyph {
    /// Rectangles: left, top, width, height.
    Blocks(Vec<[f32; 4]>),
    /// The whole cell, this opaque.
    Shade(f32),
    /// A rounded corner: whether it goes down, and to the right.
    Corner(bool, bool),
}

impl Glyph {
    /// The shape of a character, if it is drawn as one.
    pub(super) fn of(c: char) -> Option<Self> {
        let (w, h) = (WIDTH, HEIGHT);
        let block = |left: f32, top: f32, width: f32, height: f32| {
            Some(Self::Blocks(vec![[
                left * w,
                top * h,
                width * w,
                height * h,
            ]]))
        };
        let code = u32::from(c);
        // Eighths and code points are small.
        let eighths = |first: u32| (code - first + 1) as f32 / 8.0;
        match c {
            '▀' => block(0.0, 0.0, 1.0, 0.5),
            '▁'..='█' => {
                let part = eighths(0x2581);
                block(0.0, 1.0 - part, 1.0, part)
            }
            '▉'..='▏' => block(0.0, 0.0, 1.0 - eighths(0x2589), 1.0),
            '▐' => block(0.5, 0.0, 0.5, 1.0),
            '▔' => block(0.0, 0.0, 1.0, 0.125),
            '▕' => block(0.875, 0.0, 0.125, 1.0),
            '░' => Some(Self::Shade(0.25)),
            '▒' => Some(Self::Shade(0.5)),
            '▓' => Some(Self::Shade(0.75)),
            '▖'..='▟' => Some(Self::Blocks(quadrants(c))),
            '\u{2800}'..='\u{28ff}' => Some(Self::Blocks(dots(code - 0x2800))),
            '╭' => Some(Self::Corner(true, true)),
            '╮' => Some(Self::Corner(true, false)),
            '╰' => Some(Self::Corner(false, true)),
            '╯' => Some(Self::Corner(false, false)),
            _ => arms(c).map(|arms| Self::Blocks(lines(arms))),
        }
    }

    /// Adds it to the data of a path, `count` times from `(x, y)` on to the right; those of the whole width become one.
    pub(super) fn write(&self, path: &mut String, (x, y): (f32, f32), count: u16) {
        let cells = |from: u16| x + f32::from(from) * WIDTH;
        match self {
            Self::Blocks(blocks) => {
                for &[left, top, width, height] in blocks {
                    if width == WIDTH {
                        rectangle(path, x, y + top, width * f32::from(count), height);
                    } else {
                        for cell in 0..count {
                            rectangle(path, cells(cell) + left, y + top, width, height);
                        }
                    }
                }
            }
            Self::Shade(_) => rectangle(path, x, y, WIDTH * f32::from(count), HEIGHT),
            Self::Corner(down, right) => {
                let (middle, line) = (x + MIDDLE.0, y + MIDDLE.1);
                let end = if *down { y + HEIGHT } else { y };
                let side = if *right { x + WIDTH } else { x };
                push(
                    path,
                    format_args!("M{middle} {end}Q{middle} {line} {side} {line}"),
                );
            }
        }
    }
}

fn rectangle(path: &mut String, x: f32, y: f32, width: f32, height: f32) {
    push(path, format_args!("M{x} {y}h{width}v{height}h-{width}z"));
}

/// Writing to a `String` cannot fail.
fn push(path: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = path.write_fmt(text);
}

/// How strong the lines are that go up, right, down and left from the middle.
fn arms(c: char) -> Option<[u8; 4]> {
    Some(match c {
        '─' => [0, 1, 0, 1],
        '│' => [1, 0, 1, 0],
        '┌' => [0, 1, 1, 0],
        '┐' => [0, 0, 1, 1],
        '└' => [1, 1, 0, 0],
        '┘' => [1, 0, 0, 1],
        '├' => [1, 1, 1, 0],
        '┤' => [1, 0, 1, 1],
        '┬' => [0, 1, 1, 1],
        '┴' => [1, 1, 0, 1],
        '┼' => [1, 1, 1, 1],
        '━' => [0, 2, 0, 2],
        '┃' => [2, 0, 2, 0],
        '╴' => [0, 0, 0, 1],
        '╵' => [1, 0, 0, 0],
        '╶' => [0, 1, 0, 0],
        '╷' => [0, 0, 1, 0],
        _ => return None,
    })
}

fn lines([up, right, down, left]: [u8; 4]) -> Vec<[f32; 4]> {
    let (x, y) = MIDDLE;
    let mut blocks = Vec::new();
    let upright = |top: f32, bottom: f32, strength: u8| {
        let strength = f32::from(strength);
        [x - strength / 2.0, top, strength, bottom - top]
    };
    let level = |from: f32, to: f32, strength: u8| {
        let strength = f32::from(strength);
        [from, y - strength / 2.0, to - from, strength]
    };
    match (up, down) {
        (0, 0) => {}
        (up, down) if up == down => blocks.push(upright(0.0, HEIGHT, up)),
        (up, 0) => blocks.push(upright(0.0, y, up)),
        (_, down) => blocks.push(upright(y, HEIGHT, down)),
    }
    match (left, right) {
        (0, 0) => {}
        (left, right) if left == right => blocks.push(level(0.0, WIDTH, left)),
        (left, 0) => blocks.push(level(0.0, x, left)),
        (_, right) => blocks.push(level(x, WIDTH, right)),
    }
    blocks
}

/// Which quarters are filled: upper left, upper right, lower left, lower right.
fn quadrants(c: char) -> Vec<[f32; 4]> {
    let quarters = match c {
        '▖' => [0, 0, 1, 0],
        '▗' => [0, 0, 0, 1],
        '▘' => [1, 0, 0, 0],
        '▙' => [1, 0, 1, 1],
        '▚' => [1, 0, 0, 1],
        '▛' => [1, 1, 1, 0],
        '▜' => [1, 1, 0, 1],
        '▝' => [0, 1, 0, 0],
        '▞' => [0, 1, 1, 0],
        _ => [0, 1, 1, 1],
    };
    let (w, h) = MIDDLE;
    let places = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    let filled = quarters.into_iter().zip(places);
    filled
        .filter(|(filled, _)| *filled == 1)
        .map(|(_, (x, y))| [x, y, w, h])
        .collect()
}

/// The dots of a braille pattern, by the bits of its code point.
fn dots(bits: u32) -> Vec<[f32; 4]> {
    const PLACES: [(f32, f32); 8] = [
        (0.0, 0.0),
        (0.0, 1.0),
        (0.0, 2.0),
        (1.0, 0.0),
        (1.0, 1.0),
        (1.0, 2.0),
        (0.0, 3.0),
        (1.0, 3.0),
    ];
    let (column, row) = (WIDTH / 2.0, HEIGHT / 4.0);
    let set = PLACES.iter().enumerate();
    set.filter(|(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, (x, y))| [x * column + 1.0, y * row + 1.0, 2.0, 2.0])
        .collect()
}
