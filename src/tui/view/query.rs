//! The query: its line, its parts, and what may be typed next.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::{pane, result};
use crate::tui::hit::{HitMap, Target};
use crate::tui::input::LineInput;
use crate::tui::layout::{self, Layout, inside};
use crate::tui::parts;
use crate::tui::state::{Focus, Phase, State};
use crate::tui::theme::Theme;
use crate::tui::widgets::text::{Align, pad, put, truncate, width, wrap};

/// Most completions shown at once.
const COMPLETIONS: usize = 8;

/// What is to be known about the query as a whole: that it runs, or that the result is not its.
fn remark(state: &State) -> Line<'static> {
    let theme = &state.theme;
    match &state.result.phase {
        Phase::Running(_) | Phase::Cancelling(_) => result::progress(state),
        Phase::Done(_) | Phase::Failed(_) if state.result.query != state.query => {
            Line::styled("changed since the run · F5", theme.warning)
        }
        _ if state.query.metrics.is_empty() => Line::default(),
        _ => Line::styled("F5 runs", theme.dim),
    }
}

/// Draws the line and the parts.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let theme = &state.theme;
    let focused = state.focus == Focus::Query;
    pane::frame(
        frame,
        layout.query,
        Focus::Query.title(),
        remark(state),
        theme,
        focused,
    );
    let inner = inside(layout.query);
    let line = Rect {
        height: 1.min(inner.height),
        ..inner
    };
    hits.add(line, Target::QueryLine);
    let prompt = &state.prompt;
    let sign = if prompt.typing {
        theme.accent
    } else {
        theme.dim
    };
    Span::styled("› ", sign).render(line, frame.buffer_mut());
    let text = Rect {
        x: line.x + 2,
        width: line.width.saturating_sub(2),
        ..line
    };
    let wrong = prompt.error.as_ref().map(|error| error.range.clone());
    let typing = focused && prompt.typing && state.popups.is_empty();
    if prompt.input.is_empty() && !prompt.typing {
        let hint = "F2 types a query: gmv by market, month last 6 months";
        Span::styled(hint, theme.dim).render(text, frame.buffer_mut());
    } else {
        draw_input(frame, text, &prompt.input, theme, wrong, typing);
    }
    let below = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    match &prompt.error {
        Some(error) => {
            for (text, y) in wrap(&error.to_string(), usize::from(below.width))
                .into_iter()
                .zip(below.y..below.bottom())
            {
                Span::styled(text, theme.error).render(
                    Rect {
                        y,
                        height: 1,
                        ..below
                    },
                    frame.buffer_mut(),
                );
            }
        }
        None => draw_parts(state, frame, below, focused && !prompt.typing, hits),
    }
}

fn draw_parts(state: &State, frame: &mut Frame<'_>, area: Rect, focused: bool, hits: &mut HitMap) {
    let theme = &state.theme;
    let parts = parts::parts(state);
    let places = layout::flow(&parts, area.width);
    // The line of the selected part is in sight.
    let first = places
        .get(state.part)
        .map_or(0, |place| (place.row + 1).saturating_sub(area.height));
    let first = if focused { first } else { 0 };
    for (index, (part, place)) in parts.iter().zip(&places).enumerate() {
        let Some(row) = place
            .row
            .checked_sub(first)
            .filter(|row| *row < area.height)
        else {
            continue;
        };
        let (x, y) = (area.x + place.column, area.y + row);
        let buf = frame.buffer_mut();
        if place.word > 0 {
            put(
                buf,
                Rect {
                    x,
                    y,
                    width: place.word,
                    height: 1,
                },
                part.kind.word(),
                theme.dim,
                Align::Left,
            );
        }
        let chip = Rect {
            x: x + place.word,
            y,
            width: place.chip,
            height: 1,
        }
        .intersection(area);
        let selected = focused && index == state.part;
        let (open, close) = match (selected, part.is_set) {
            (true, _) => ("›", "‹"),
            (false, true) => ("[", "]"),
            (false, false) => (" ", " "),
        };
        let style = match (part.is_set, part.kind) {
            (false, _) => theme.dim,
            (true, parts::PartKind::Metric(_)) => theme.accent,
            (true, _) => theme.text,
        };
        let text = format!(
            "{open}{}{close}",
            truncate(&part.text, usize::from(chip.width).saturating_sub(2))
        );
        put(buf, chip, &text, style, Align::Left);
        if selected {
            buf.set_style(chip, theme.selection.add_modifier(Modifier::BOLD));
        } else if part.is_set && chip.width > 1 {
            buf.set_style(Rect { width: 1, ..chip }, theme.border);
            buf.set_style(
                Rect {
                    x: chip.right() - 1,
                    width: 1,
                    ..chip
                },
                theme.border,
            );
        }
        hits.add(chip, Target::Part(index));
    }
}

/// Draws a line of text with its cursor, and a range of bytes marked as wrong.
pub fn draw_input(
    frame: &mut Frame<'_>,
    area: Rect,
    input: &LineInput,
    theme: &Theme,
    wrong: Option<Range<usize>>,
    typing: bool,
) {
    let (shown, column) = if typing || wrong.is_some() {
        input.window(area.width)
    } else {
        (0..input.text().len(), 0)
    };
    let text = input.text();
    let mark = theme.error.add_modifier(Modifier::UNDERLINED);
    let at = |at: usize| at.clamp(shown.start, shown.end);
    let wrong = wrong.unwrap_or(0..0);
    // An error at the very end has nothing to underline but the blank behind the text.
    let behind = wrong.start >= text.len() && !wrong.is_empty()
        || wrong.start == wrong.end && wrong.start > 0;
    let (start, end) = (at(wrong.start), at(wrong.end));
    let piece = |from: usize, to: usize, style: Style| {
        Span::styled(text.get(from..to).unwrap_or_default(), style)
    };
    let mut spans = vec![
        piece(shown.start, start, theme.text),
        piece(start, end, mark),
        piece(end.max(start), shown.end, theme.text),
    ];
    if behind {
        spans.push(Span::styled(" ", mark));
    }
    Line::from(spans).render(area, frame.buffer_mut());
    if typing && area.width > 0 {
        frame.set_cursor_position((area.x + column.min(area.width - 1), area.y));
    }
}

/// Draws what may be typed next, below the line.
pub fn draw_completions(state: &State, frame: &mut Frame<'_>, layout: &Layout) {
    let prompt = &state.prompt;
    let is_open = prompt.typing && prompt.error.is_none() && state.popups.is_empty();
    if !is_open || prompt.completions.is_empty() {
        return;
    }
    let theme = &state.theme;
    let screen = frame.area();
    let inner = inside(layout.query);
    let first = prompt
        .selected
        .map_or(0, |selected| (selected + 1).saturating_sub(COMPLETIONS));
    let shown = || {
        prompt
            .completions
            .iter()
            .enumerate()
            .skip(first)
            .take(COMPLETIONS)
    };
    let label = shown()
        .map(|(_, item)| width(&item.label))
        .max()
        .unwrap_or(0)
        .min(32);
    let detail = shown()
        .map(|(_, item)| width(&item.detail))
        .max()
        .unwrap_or(0)
        .min(44);
    let columns = u16::try_from(label + detail + 6)
        .unwrap_or(u16::MAX)
        .min(screen.width);
    let rows = u16::try_from(shown().count()).unwrap_or(0) + 2;

    // The labels stand below the word that they would replace.
    let word = prompt.completions.first().map_or(0, |item| {
        let typed = prompt
            .input
            .text()
            .get(item.replace.start..prompt.input.cursor());
        typed.map_or(0, width)
    });
    let (_, cursor) = prompt.input.window(inner.width.saturating_sub(2));
    let x = (inner.x + cursor).saturating_sub(u16::try_from(word).unwrap_or(0));
    let x = x.min(screen.right().saturating_sub(columns));
    let area = Rect {
        x,
        y: inner.y + 1,
        width: columns,
        height: rows,
    }
    .intersection(screen);
    Clear.render(area, frame.buffer_mut());
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.border_focused);
    let list = block.inner(area);
    block.style(theme.text).render(area, frame.buffer_mut());
    for ((index, item), y) in shown().zip(list.y..list.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..list
        };
        let selected = prompt.selected == Some(index);
        let sign = if selected { "›" } else { " " };
        let line = Line::from(vec![
            Span::styled(sign, theme.accent),
            Span::styled(pad(&item.label, label, Align::Left), theme.text),
            Span::styled(format!("  {}", truncate(&item.detail, detail)), theme.dim),
        ]);
        line.render(row, frame.buffer_mut());
        if selected {
            frame.buffer_mut().set_style(row, theme.selection);
        }
    }
}
