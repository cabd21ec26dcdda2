//! Text measured in terminal cells: cut, padded, wrapped and drawn, with wide and combined characters counted as they are shown.

use std::borrow::Cow;

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

pub use crate::session::cell::sanitize;

/// To which side a text leans in a field wider than itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Cells that `text` takes. Control characters take none, as they are never drawn.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// Cells that one grapheme takes.
pub fn grapheme_width(grapheme: &str) -> usize {
    if grapheme.contains(char::is_control) {
        0
    } else {
        usize::from(grapheme.cell_width())
    }
}

/// The text, cut with `…` where it is wider than `cells`.
pub fn truncate(text: &str, cells: usize) -> Cow<'_, str> {
    match cut_at(text, cells) {
        None => Cow::Borrowed(text),
        Some(_) if cells == 0 => Cow::Borrowed(""),
        Some(end) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

/// The text with `…` in place of its middle where it is wider than `cells`: what tells names of one family apart is at the end.
pub fn without_middle(text: &str, cells: usize) -> String {
    if width(text) <= cells || cells < 3 {
        return truncate(text, cells).into_owned();
    }
    let start = clip(text, (cells - 1) / 2);
    let room = cells - 1 - width(start);
    let mut used = 0;
    let mut end = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme_width(grapheme);
        if used > room {
            break;
        }
        end = at;
    }
    format!("{start}…{}", text.get(end..).unwrap_or_default())
}

/// As much of the start of the text as fits, without a sign that it was cut.
pub fn clip(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let beyond = text.grapheme_indices(true).find(|(_, grapheme)| {
        used += grapheme_width(grapheme);
        used > cells
    });
    beyond.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The byte after which `…` follows if `text` has to fit into `cells`; `None` if it fits as it is.
fn cut_at(text: &str, cells: usize) -> Option<usize> {
    let mut used = 0;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme_width(grapheme);
        if used > cells {
            return Some(end);
        }
        if used < cells {
            end = at + grapheme.len();
        }
    }
    None
}

/// The text cut or filled with spaces to exactly `cells`.
pub fn pad(text: &str, cells: usize, align: Align) -> String {
    let text = truncate(text, cells);
    let spaces = " ".repeat(cells.saturating_sub(width(&text)));
    match align {
        Align::Left => format!("{text}{spaces}"),
        Align::Right => format!("{spaces}{text}"),
    }
}

/// The text in lines of at most `cells`, broken between words, or within a word that is wider than a line.
/// Line breaks of the text are kept.
pub fn wrap(text: &str, cells: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    if cells > 0 {
        for line in text.lines() {
            wrap_line(line, cells, &mut lines);
        }
    }
    lines
}

fn wrap_line<'a>(line: &'a str, cells: usize, lines: &mut Vec<&'a str>) {
    let slice = |from: usize, to: usize| line.get(from..to).unwrap_or_default();
    let (mut start, mut used) = (0, 0);
    let mut space: Option<(usize, usize)> = None;
    for (at, grapheme) in line.grapheme_indices(true) {
        let next = at + grapheme.len();
        let cell_width = grapheme_width(grapheme);
        let is_space = grapheme.chars().all(|c| c.is_whitespace() && c != '\u{a0}');
        if is_space && used + cell_width > cells && at > start {
            lines.push(slice(start, at).trim_end());
            (start, used, space) = (next, 0, None);
            continue;
        }
        while used + cell_width > cells && at > start {
            let (end, begin) = space.take().unwrap_or((at, at));
            lines.push(slice(start, end).trim_end());
            start = begin;
            used = width(slice(begin, at));
        }
        if is_space && !slice(start, at).trim().is_empty() {
            space = Some((at, next));
        }
        used += cell_width;
    }
    lines.push(slice(start, line.len()));
}

/// Draws one line into the field `width` cells wide at `(x, y)`, cut with `…`, the rest blank. Nothing is drawn outside of the field,
/// whatever the text holds; a wide character that would stick out is left away.
pub fn put(buf: &mut Buffer, field: Rect, text: &str, style: Style, align: Align) {
    let field = Rect {
        height: field.height.min(1),
        ..field
    }
    .intersection(buf.area);
    if field.is_empty() {
        return;
    }
    let cells = usize::from(field.width);
    let cut = cut_at(text, cells);
    let shown = cut.and_then(|end| text.get(..end)).unwrap_or(text);
    let taken = width(shown) + usize::from(cut.is_some());
    let indent = match align {
        Align::Left => 0,
        Align::Right => cells.saturating_sub(taken),
    };
    let mut pen = Pen {
        buf,
        x: field.x,
        end: field.right(),
        y: field.y,
        style,
    };
    for _ in 0..indent {
        pen.write(" ");
    }
    let first = pen.x;
    for grapheme in shown.graphemes(true) {
        pen.write(grapheme);
    }
    if is_right_to_left(shown) {
        pen.isolate(first);
    }
    if cut.is_some() {
        pen.write("…");
    }
    while pen.x < pen.end {
        pen.write(" ");
    }
}

/// Whether a text has letters of a script that is written from right to left.
fn is_right_to_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c,
            '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    end: u16,
    y: u16,
    style: Style,
}

impl Pen<'_> {
    /// Keeps a text that runs from right to left from turning what stands beside it, on terminals that turn texts. The
    /// marks belong to the first and the last cell, so that they are written again whenever those are.
    fn isolate(&mut self, first: u16) {
        for (x, is_first) in [(first, true), (self.x.saturating_sub(1), false)] {
            if let Some(cell) = self.buf.cell_mut((x, self.y)).filter(|_| first < self.x) {
                let symbol = cell.symbol();
                let marked = if is_first {
                    format!("\u{2068}{symbol}")
                } else {
                    format!("{symbol}\u{2069}")
                };
                cell.set_symbol(&marked);
            }
        }
    }

    fn write(&mut self, grapheme: &str) {
        let cells = u16::try_from(grapheme_width(grapheme)).unwrap_or(u16::MAX);
        if cells == 0 || self.end.saturating_sub(self.x) < cells {
            return;
        }
        if let Some(cell) = self.buf.cell_mut((self.x, self.y)) {
            cell.set_symbol(grapheme).set_style(self.style);
        }
        for x in self.x + 1..self.x + cells {
            // The terminal shows the wide character here.
            if let Some(cell) = self.buf.cell_mut((x, self.y)) {
                cell.set_symbol(" ").set_style(self.style);
            }
        }
        self.x += cells;
    }
}
