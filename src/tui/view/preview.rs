//! The SQL, with what it is as it is below it; or why there is none.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::pane;
use crate::compile::{CompileError, ReasonKind};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{Layout, inside};
use crate::tui::state::{Focus, State};
use crate::tui::widgets::text::wrap;

/// Draws the SQL pane.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let (Some(area), Some(sql)) = (layout.preview, layout.sql) else {
        return;
    };
    let theme = &state.theme;
    let focused = state.focus == Focus::Preview;
    pane::frame(
        frame,
        area,
        Focus::Preview.title(),
        remark(state, focused),
        theme,
        focused,
    );
    if let Some(error) = state.preview.error.as_ref().filter(|_| !keeps_text(state)) {
        return refusal(state, error, frame, inside(area));
    }
    if state.preview.sql.lines() == 0 {
        let hint = "the SQL of the query stands here as soon as it has a metric";
        return Span::styled(hint, theme.dim).render(sql, frame.buffer_mut());
    }
    // The gutter of the text stands in the margin of the pane.
    let sql = Rect {
        x: sql.x - 1,
        width: sql.width + 1,
        ..sql
    };
    hits.add(sql, Target::Sql(0, 0));
    state
        .preview
        .sql
        .draw(sql, frame.buffer_mut(), theme, focused);
    if let Some(area) = layout.reasons {
        let lines = reasons(state, usize::from(area.width));
        let cut = lines.len() > usize::from(area.height);
        let last = area.bottom().saturating_sub(1);
        for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            if cut && y == last {
                Span::styled("…", theme.dim).render(row, frame.buffer_mut());
            } else {
                line.render(row, frame.buffer_mut());
            }
        }
    }
}

/// Whose SQL it is where it is not the query's, or the definition behind the selected line.
fn remark(state: &State, focused: bool) -> Line<'_> {
    let registry = &state.catalog.registry;
    let text = match (
        state.query.metrics.is_empty(),
        state.preview.asked.metrics.first(),
    ) {
        (true, Some(metric)) if !state.prompt.typing => format!("of {metric}"),
        _ if focused => state
            .places_here()
            .first()
            .map(|place| registry.at(*place))
            .unwrap_or_default(),
        _ => String::new(),
    };
    Line::styled(text, state.theme.dim)
}

/// Whether a text stands there although the query has no SQL: a snippet, or the last SQL while a word is half typed.
fn keeps_text(state: &State) -> bool {
    state.preview.sql.lines() > 0 && (state.preview.is_snippet() || state.prompt.typing)
}

fn refusal(state: &State, error: &CompileError, frame: &mut Frame<'_>, area: Rect) {
    let theme = &state.theme;
    let columns = usize::from(area.width);
    let mut lines: Vec<Line<'_>> = wrap(&error.message, columns)
        .into_iter()
        .map(|line| Line::styled(line, theme.error))
        .collect();
    if let Some(hint) = &error.hint {
        lines.extend(
            wrap(hint, columns)
                .into_iter()
                .map(|line| Line::styled(line, theme.text)),
        );
    }
    if let Some(place) = error.place {
        lines.push(Line::styled(state.catalog.registry.at(place), theme.dim));
    }
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            frame.buffer_mut(),
        );
    }
}

/// Lines that the reasons take at a width.
pub fn reasons_height(state: &State, width: usize) -> usize {
    reasons(state, width).len()
}

fn reasons(state: &State, width: usize) -> Vec<Line<'_>> {
    if let Some(error) = state.preview.error.as_ref().filter(|_| keeps_text(state)) {
        let mut lines = vec![Line::styled("─".repeat(width), state.theme.border)];
        lines.extend(
            wrap(&error.message, width)
                .into_iter()
                .map(|line| Line::styled(line, state.theme.dim)),
        );
        return lines;
    }
    let Some(compiled) = state.preview.current() else {
        return Vec::new();
    };
    let theme = &state.theme;
    let mut lines = Vec::new();
    let origin = state
        .origin()
        .filter(|origin| origin.query == state.preview.query);
    let notes = origin.iter().flat_map(|origin| &origin.notes);
    let notes = notes.map(|note| ("asked", note, theme.warning));
    let reasons = compiled.reasons.iter().map(|reason| {
        let (word, style) = match reason.kind {
            ReasonKind::Source => ("source", theme.dim),
            ReasonKind::Join => ("join", theme.dim),
            ReasonKind::Filter => ("filter", theme.dim),
            ReasonKind::Time => ("time", theme.dim),
            ReasonKind::Compare => ("versus", theme.dim),
            ReasonKind::Default => ("default", theme.dim),
            ReasonKind::Note => ("note", theme.warning),
        };
        (word, &reason.text, style)
    });
    for (word, text, style) in notes.chain(reasons) {
        for (index, text) in wrap(text, width.saturating_sub(9)).into_iter().enumerate() {
            let word = if index == 0 { word } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!("{word:<9}"), theme.comment),
                Span::styled(text, style),
            ]));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Line::styled("─".repeat(width), theme.border));
    }
    lines
}
