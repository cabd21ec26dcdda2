//! The SQL preview: highlighted lines, the ones that changed marked at the edge, one line selected.

mod changes;
mod highlight;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::scroll::{first_shown, moved};
use super::text::{Align, clip, put, sanitize, width};
use crate::tui::Theme;
pub use changes::diff;
use highlight::{Kind, Span};

/// The sign before a line that changed.
const CHANGED: &str = "▎";
/// What a tab is shown as.
const TAB: &str = "    ";

/// A SQL text on the screen.
#[derive(Debug, Clone, Default)]
pub struct SqlView {
    sql: String,
    lines: Vec<Line>,
    selected: usize,
    top: usize,
    left: usize,
    height: usize,
}

#[derive(Debug, Clone)]
struct Line {
    text: String,
    spans: Vec<Span>,
    changed: bool,
}

impl SqlView {
    /// Shows a text. Lines that differ from the text before are marked until the next one; the first text has no marks.
    pub fn set_sql(&mut self, sql: &str) {
        if self.sql == sql {
            return;
        }
        let changed = changes::changed_lines(&self.sql, sql);
        let is_first = self.sql.is_empty();
        let texts: Vec<String> = sql
            .lines()
            .map(|line| sanitize(&line.replace('\t', TAB)).into_owned())
            .collect();
        let spans = highlight::spans(&texts);
        self.lines = texts
            .into_iter()
            .zip(spans)
            .zip(changed)
            .map(|((text, spans), changed)| Line {
                text,
                spans,
                changed: changed && !is_first,
            })
            .collect();
        self.sql = sql.to_owned();
        self.select_line(self.selected);
    }

    /// The text.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Number of lines.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The selected line, from 0.
    pub fn selected_line(&self) -> usize {
        self.selected
    }

    /// Selects a line; beyond the end is the last one.
    pub fn select_line(&mut self, line: usize) {
        self.selected = moved(line, 0, self.lines.len());
        self.top = self.first_line(self.height);
    }

    /// Moves the selection by lines.
    pub fn move_by(&mut self, lines: isize) {
        self.select_line(moved(self.selected, lines, self.lines.len()));
    }

    /// Moves the selection by screens.
    pub fn page(&mut self, pages: isize) {
        let height = isize::try_from(self.height).unwrap_or(isize::MAX);
        self.move_by(pages.saturating_mul((height - 1).max(1)));
    }

    /// Scrolls sideways by cells, to read long lines.
    pub fn scroll_sideways(&mut self, cells: isize) {
        let longest = self
            .lines
            .iter()
            .map(|line| width(&line.text))
            .max()
            .unwrap_or(0);
        self.left = moved(self.left, cells, longest);
    }

    /// Says how many lines the view is drawn in, so that it stays where the reader scrolled it.
    pub fn set_height(&mut self, height: u16) {
        self.height = usize::from(height);
        self.top = self.first_line(self.height);
    }

    fn first_line(&self, height: usize) -> usize {
        first_shown(self.top, self.selected, height, self.lines.len())
    }

    /// The line drawn at a position of the screen, for a view drawn in `area`.
    pub fn line_at(&self, x: u16, y: u16, area: Rect) -> Option<usize> {
        if !area.contains(Position { x, y }) {
            return None;
        }
        let line = self.first_line(usize::from(area.height)) + usize::from(y - area.y);
        (line < self.lines.len()).then_some(line)
    }

    /// Draws the text; the selected line is marked when the view has the focus.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, focused: bool) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let top = self.first_line(usize::from(area.height));
        for (y, (i, line)) in (area.y..area.bottom()).zip(self.lines.iter().enumerate().skip(top)) {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            let gutter = if line.changed { CHANGED } else { " " };
            let row = put_start(buf, row, gutter, theme.good);
            self.draw_text(line, row, buf, theme);
            if focused && i == self.selected {
                buf.set_style(row, theme.selection);
            }
        }
    }

    fn draw_text(&self, line: &Line, row: Rect, buf: &mut Buffer, theme: &Theme) {
        let is_cut = width(&line.text) > self.left + usize::from(row.width);
        let mut field = Rect {
            width: row.width.saturating_sub(u16::from(is_cut)),
            ..row
        };
        let mut skip = self.left;
        for span in &line.spans {
            let text = line.text.get(span.bytes.clone()).unwrap_or_default();
            let (hidden, text) = skip_cells(text, skip);
            skip -= hidden;
            let text = clip(text, usize::from(field.width));
            field = put_start(buf, field, text, style(span.kind, theme));
        }
        if is_cut {
            let rest = Rect {
                width: row.right() - field.x,
                ..field
            };
            put_start(buf, rest, "…", theme.dim);
        }
    }
}

/// The text without its first `cells`, and how many cells were left away.
fn skip_cells(text: &str, cells: usize) -> (usize, &str) {
    let mut hidden = 0;
    let mut rest = text.char_indices();
    loop {
        let tail = rest.as_str();
        if hidden >= cells || tail.is_empty() {
            return (hidden.min(cells), tail);
        }
        if let Some((_, c)) = rest.next() {
            hidden += width(c.encode_utf8(&mut [0; 4]));
        }
    }
}

/// Puts a text at the start of a field and returns the rest of the field.
fn put_start(buf: &mut Buffer, field: Rect, text: &str, style: Style) -> Rect {
    let cells = u16::try_from(width(text))
        .unwrap_or(u16::MAX)
        .min(field.width);
    put(
        buf,
        Rect {
            width: cells,
            ..field
        },
        text,
        style,
        Align::Left,
    );
    Rect {
        x: field.x + cells,
        width: field.width - cells,
        ..field
    }
}

fn style(kind: Kind, theme: &Theme) -> Style {
    match kind {
        Kind::Plain => theme.text,
        Kind::Keyword => theme.keyword,
        Kind::String => theme.string,
        Kind::Number => theme.number,
        Kind::Comment => theme.comment,
    }
}
