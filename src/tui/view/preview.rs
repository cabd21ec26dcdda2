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
use crate::tui::widgets::text::{Align, put, wrap};

/// Draws the SQL pane.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let (Some(area), Some(sql)) = (layout.preview, layout.sql) else {
        return;
    };
    let theme = &state.theme;
    let focused = state.focus == Focus::Preview;
    let places = if focused {
        state.places_here()
    } else {
        Vec::new()
    };
    let remark = places
        .first()
        .map(|place| state.catalog.registry.at(*place))
        .unwrap_or_default();
    pane::frame(
        frame,
        area,
        Focus::Preview.title(),
        Line::styled(remark, theme.dim),
        theme,
        focused,
    );
    let typing = state.prompt.typing && state.preview.sql.lines() > 0;
    if let Some(error) = state.preview.error.as_ref().filter(|_| !typing) {
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
    // While a word is half typed, the last SQL stays, with a remark.
    if let Some(error) = &state.preview.error {
        let last = Rect {
            y: inside(area).bottom().saturating_sub(1),
            height: 1,
            ..inside(area)
        };
        put(
            frame.buffer_mut(),
            last,
            &error.message,
            theme.dim,
            Align::Left,
        );
    }
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
    let Some(compiled) = state.preview.current() else {
        return Vec::new();
    };
    let theme = &state.theme;
    let mut lines = Vec::new();
    for reason in &compiled.reasons {
        let word = match reason.kind {
            ReasonKind::Source => "source",
            ReasonKind::Join => "join",
            ReasonKind::Filter => "filter",
            ReasonKind::Time => "time",
            ReasonKind::Compare => "versus",
            ReasonKind::Default => "default",
            ReasonKind::Note => "note",
        };
        let style = if reason.kind == ReasonKind::Note {
            theme.warning
        } else {
            theme.dim
        };
        for (index, text) in wrap(&reason.text, width.saturating_sub(9))
            .into_iter()
            .enumerate()
        {
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
