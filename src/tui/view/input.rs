//! A line of text that is typed, with its cursor.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::input::LineInput;
use crate::tui::theme::Theme;

/// Draws a line of text with its cursor.
pub fn draw_input(
    frame: &mut Frame<'_>,
    area: Rect,
    input: &LineInput,
    theme: &Theme,
    typing: bool,
) {
    let (shown, column) = if typing {
        input.window(area.width)
    } else {
        (0..input.text().len(), 0)
    };
    let text = input.text().get(shown).unwrap_or_default();
    Span::styled(text, theme.text).render(area, frame.buffer_mut());
    if typing && area.width > 0 {
        frame.set_cursor_position((area.x + column.min(area.width - 1), area.y));
    }
}

/// Draws as many rows of a text as there is room for, with marked bytes: those around the cursor while it is typed, else
/// the first ones, with a sign that there are more.
pub fn draw_rows(
    frame: &mut Frame<'_>,
    area: Rect,
    input: &LineInput,
    theme: &Theme,
    marks: &[Range<usize>],
    typing: bool,
) {
    let rows = input.rows(area.width);
    let (row, column) = input.place(area.width);
    let first = match typing {
        true => (row + 1).saturating_sub(usize::from(area.height)),
        false => 0,
    };
    let is_cut = !typing && rows.len() > usize::from(area.height);
    let mark = theme.error.add_modifier(Modifier::UNDERLINED);
    for (range, y) in rows.iter().skip(first).zip(area.y..area.bottom()) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        let mut spans = marked(input.text(), range, marks, theme.text, mark);
        // A mistake at the very end has nothing to underline but the blank behind the text.
        let end = input.text().len();
        if range.end == end && marks.iter().any(|mark| mark.start >= end && end > 0) {
            spans.push(Span::styled(" ", mark));
        }
        if is_cut && y + 1 == area.bottom() {
            spans.push(Span::styled("…", theme.dim));
        }
        Line::from(spans).render(line, frame.buffer_mut());
    }
    if typing && !area.is_empty() {
        let y = area.y + u16::try_from(row - first).unwrap_or(0);
        frame.set_cursor_position((area.x + column.min(area.width - 1), y));
    }
}

/// A row of a text, with the marked bytes in a style of their own.
fn marked<'a>(
    text: &'a str,
    row: &Range<usize>,
    marks: &[Range<usize>],
    plain: Style,
    mark: Style,
) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    let mut at = row.start;
    let mut piece = |from: usize, to: usize, style| {
        spans.push(Span::styled(text.get(from..to).unwrap_or_default(), style));
    };
    for range in marks {
        let (start, end) = (range.start.clamp(at, row.end), range.end.clamp(at, row.end));
        piece(at, start, plain);
        piece(start, end, mark);
        at = end;
    }
    piece(at, row.end, plain);
    spans
}
