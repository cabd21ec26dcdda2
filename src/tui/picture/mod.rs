//! A frame as a picture: SVG that is the same for the same frame, without scripts, links or fonts from elsewhere.

mod glyphs;

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::widgets::text::grapheme_width;
use crate::session::plot::escaped;
use glyphs::Glyph;

/// Size of a cell.
const WIDTH: f32 = 8.0;
const HEIGHT: f32 = 17.0;

/// The line that letters stand on, from the top of a cell.
const BASELINE: f32 = 13.0;

/// At this size a letter of DejaVu Sans Mono is as wide as a cell.
const FONT: &str = "font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size='13.29'";

/// What a terminal shows for the colours that are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Text without a colour.
    pub text: u32,
    /// Where nothing is drawn.
    pub background: u32,
    /// The 16 colours, as in the standard: black to white, then the light ones.
    pub sixteen: [u32; 16],
}

impl Palette {
    /// A dark terminal.
    pub const DARK: Self = Self {
        text: 0xd5dae1,
        background: 0x12161c,
        sixteen: [
            0x12161c, 0xe05c5c, 0x6cb86c, 0xd0a43c, 0x5c94e0, 0xb880d8, 0x48b0b8, 0xc4cad2,
            0x78808c, 0xff847c, 0x8cdc8c, 0xf0cc64, 0x84b8ff, 0xd8a8f4, 0x74d8e0, 0xffffff,
        ],
    };

    /// A light terminal.
    pub const LIGHT: Self = Self {
        text: 0x24292f,
        background: 0xffffff,
        sixteen: [
            0x24292f, 0xb42828, 0x1c7c34, 0x8a6200, 0x1c58b8, 0x803cb0, 0x0c707c, 0x6c747e,
            0x57606a, 0xa40e26, 0x116329, 0x633c01, 0x0969da, 0x8250df, 0x3192aa, 0xffffff,
        ],
    };

    fn color(&self, color: Color, own: u32) -> u32 {
        let sixteen = |index: usize| self.sixteen.get(index).copied().unwrap_or(own);
        match color {
            Color::Reset => own,
            Color::Black => sixteen(0),
            Color::Red => sixteen(1),
            Color::Green => sixteen(2),
            Color::Yellow => sixteen(3),
            Color::Blue => sixteen(4),
            Color::Magenta => sixteen(5),
            Color::Cyan => sixteen(6),
            Color::Gray => sixteen(7),
            Color::DarkGray => sixteen(8),
            Color::LightRed => sixteen(9),
            Color::LightGreen => sixteen(10),
            Color::LightYellow => sixteen(11),
            Color::LightBlue => sixteen(12),
            Color::LightMagenta => sixteen(13),
            Color::LightCyan => sixteen(14),
            Color::White => sixteen(15),
            Color::Rgb(red, green, blue) => u32::from_be_bytes([0, red, green, blue]),
            Color::Indexed(index @ 0..16) => sixteen(usize::from(index)),
            Color::Indexed(index) => indexed(index),
        }
    }
}

/// The colours from 16 on, which every terminal has alike: a cube of six steps a side, then greys.
fn indexed(index: u8) -> u32 {
    let [red, green, blue] = match index.checked_sub(232) {
        Some(grey) => [8 + 10 * grey; 3],
        None => {
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let n = index.saturating_sub(16);
            [step(n / 36), step(n / 6 % 6), step(n % 6)]
        }
    };
    u32::from_be_bytes([0, red, green, blue])
}

/// How a cell looks, all colours known.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    text: u32,
    background: u32,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell, palette: &Palette) -> Self {
        let text = palette.color(cell.fg, palette.text);
        let background = palette.color(cell.bg, palette.background);
        let (text, background) = if cell.modifier.contains(Modifier::REVERSED) {
            (background, text)
        } else {
            (text, background)
        };
        Self {
            text,
            background,
            modifier: cell.modifier.difference(Modifier::REVERSED),
        }
    }

    /// The attributes of what is drawn in it, where they are not those of the whole picture.
    fn attributes(self, palette: &Palette) -> String {
        let mut out = String::new();
        if self.text != palette.text {
            push(&mut out, format_args!(" fill='#{:06x}'", self.text));
        }
        if self.modifier.contains(Modifier::DIM) {
            out.push_str(" opacity='.6'");
        }
        out
    }

    /// The attributes that only letters have. Bold is drawn with a stroke: it needs no second font.
    fn letters(self) -> String {
        let mut out = String::new();
        if self.modifier.contains(Modifier::BOLD) {
            push(
                &mut out,
                format_args!(" stroke='#{:06x}' stroke-width='.5'", self.text),
            );
        }
        for (modifier, attribute) in [
            (Modifier::ITALIC, " font-style='italic'"),
            (Modifier::UNDERLINED, " text-decoration='underline'"),
            (Modifier::CROSSED_OUT, " text-decoration='line-through'"),
        ] {
            if self.modifier.contains(modifier) {
                out.push_str(attribute);
            }
        }
        out
    }
}

/// The frame as an SVG document.
pub fn picture(buffer: &Buffer, palette: &Palette) -> String {
    let (width, height) = (
        f32::from(buffer.area.width) * WIDTH,
        f32::from(buffer.area.height) * HEIGHT,
    );
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' \
         {FONT} fill='#{:06x}'>\n<rect width='100%' height='100%' fill='#{:06x}'/>\n",
        palette.text, palette.background
    );
    for row in 0..buffer.area.height {
        let cells: Vec<(&str, Look)> = (buffer.area.left()..buffer.area.right())
            .filter_map(|x| buffer.cell((x, buffer.area.top() + row)))
            .map(|cell| (cell.symbol(), Look::of(cell, palette)))
            .collect();
        let mut line = Row {
            svg: &mut svg,
            palette,
            top: f32::from(row) * HEIGHT,
        };
        line.backgrounds(&cells);
        line.foregrounds(&cells);
    }
    svg.push_str("</svg>\n");
    svg
}

/// A line of cells that is written.
struct Row<'a> {
    svg: &'a mut String,
    palette: &'a Palette,
    top: f32,
}

impl Row<'_> {
    fn backgrounds(&mut self, cells: &[(&str, Look)]) {
        let mut x = 0.0;
        for run in cells.chunk_by(|(_, one), (_, other)| one.background == other.background) {
            let width = run.len() as f32 * WIDTH;
            let color = run
                .first()
                .map_or(self.palette.background, |(_, look)| look.background);
            if color != self.palette.background {
                let y = self.top;
                push(
                    self.svg,
                    format_args!(
                        "<rect x='{x}' y='{y}' width='{width}' height='{HEIGHT}' fill='#{color:06x}'/>\n"
                    ),
                );
            }
            x += width;
        }
    }

    fn foregrounds(&mut self, cells: &[(&str, Look)]) {
        let mut at = 0;
        while let Some(&(symbol, look)) = cells.get(at) {
            let rest = cells.get(at..).unwrap_or_default();
            let x = at as f32 * WIDTH;
            let glyph = only_char(symbol).and_then(Glyph::of);
            at += match glyph {
                _ if symbol.trim().is_empty() => 1,
                Some(_) => self.shapes(rest, x),
                None if symbol.is_ascii() => self.words(rest, x),
                None => {
                    self.text(x, symbol, 1, look);
                    grapheme_width(symbol).max(1)
                }
            };
        }
    }

    /// Shapes of one look as one path; returns how many cells they take.
    fn shapes(&mut self, cells: &[(&str, Look)], x: f32) -> usize {
        let Some(&(_, look)) = cells.first() else {
            return 1;
        };
        let (mut fills, mut strokes) = (String::new(), String::new());
        let mut taken = 0;
        while let Some(&(symbol, _)) = cells.get(taken).filter(|(_, next)| *next == look) {
            let Some(glyph) = only_char(symbol).and_then(Glyph::of) else {
                break;
            };
            let same = |(next, its): &&(&str, Look)| *next == symbol && *its == look;
            let count = cells.iter().skip(taken).take_while(same).count();
            let place = (x + taken as f32 * WIDTH, self.top);
            let times = u16::try_from(count).unwrap_or(u16::MAX);
            match &glyph {
                Glyph::Shade(opaque) => {
                    let mut path = String::new();
                    glyph.write(&mut path, place, times);
                    self.path(&path, look, &format!(" fill-opacity='{opaque}'"));
                }
                Glyph::Corner(..) => glyph.write(&mut strokes, place, times),
                Glyph::Blocks(_) => glyph.write(&mut fills, place, times),
            }
            taken += count;
        }
        self.path(&fills, look, "");
        let stroke = format!(" stroke='#{:06x}' fill-opacity='0'", look.text);
        self.path(&strokes, look, &stroke);
        taken.max(1)
    }

    fn path(&mut self, data: &str, look: Look, more: &str) {
        if !data.is_empty() {
            let attributes = look.attributes(self.palette);
            push(
                self.svg,
                format_args!("<path d='{data}'{attributes}{more}/>\n"),
            );
        }
    }

    /// Letters of one look up to the next gap; returns how many cells they take.
    fn words(&mut self, cells: &[(&str, Look)], x: f32) -> usize {
        let look = cells.first().map(|(_, look)| *look);
        let mut text = String::new();
        for (symbol, its) in cells {
            let is_gap = *symbol == " " && text.ends_with(' ');
            if Some(*its) != look || symbol.len() != 1 || !symbol.is_ascii() || is_gap {
                break;
            }
            text.push_str(symbol);
        }
        let words = text.trim_end();
        if let Some(look) = look {
            self.text(x, words, words.len(), look);
        }
        words.len().max(1)
    }

    /// Text in so many cells; letters of another font are spread over as many.
    fn text(&mut self, x: f32, text: &str, cells: usize, look: Look) {
        let y = self.top + BASELINE;
        let length = match cells {
            1 => String::new(),
            cells => format!(" textLength='{}'", cells as f32 * WIDTH),
        };
        let (attributes, letters) = (look.attributes(self.palette), look.letters());
        let text = escaped(text);
        push(
            self.svg,
            format_args!("<text x='{x}' y='{y}'{length}{attributes}{letters}>{text}</text>\n"),
        );
    }
}

fn only_char(symbol: &str) -> Option<char> {
    let mut chars = symbol.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Writing to a `String` cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
