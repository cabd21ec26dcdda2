//! The window that asks what a query is to be called in the project.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::input::draw_input;
use super::pane;
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, inside};
use crate::tui::popup::Naming;
use crate::tui::state::State;
use crate::tui::widgets::text::{sanitize, wrap};

/// Columns of the words in front of the fields.
const WORDS: u16 = 13;

/// Draws it.
pub fn draw(state: &State, naming: &Naming, frame: &mut Frame<'_>, hits: &mut HitMap) {
    let theme = &state.theme;
    let columns = 72.min(state.size.width.saturating_sub(4));
    let inner_columns = usize::from(columns.saturating_sub(4));
    let line = naming.query.to_string();
    let line = sanitize(&line);
    let query = wrap(&line, inner_columns);
    let trouble = naming.trouble.as_deref().map(|text| format!("! {text}"));
    let (text, style) = match (&trouble, naming.taken()) {
        (Some(text), true) => (text.clone(), theme.warning),
        (Some(text), false) => (text.clone(), theme.error),
        (None, _) => (
            "its name, and what it shows in plain words".to_owned(),
            theme.dim,
        ),
    };
    let text = sanitize(&text);
    let replaces = format!("{} replaces it", state.key(Action::SaveName));
    let mut said = wrap(&text, inner_columns);
    if naming.taken() {
        said.push(&replaces);
    }
    let rows = query.len() + said.len() + 6;
    let area = layout::centred(state.size, columns, u16::try_from(rows).unwrap_or(u16::MAX));
    hits.add(area, Target::Popup);
    let remark = if naming.is_saving { "saving…" } else { "" };
    let remark = Line::styled(remark, theme.dim);
    pane::window(frame, area, "Save this query in the project", remark, theme);
    let inner = inside(area);
    let row_at = |row: usize| Rect {
        y: inner
            .y
            .saturating_add(u16::try_from(row).unwrap_or(u16::MAX)),
        height: 1,
        ..inner
    };
    let draw = |frame: &mut Frame<'_>, row, line_of: Line<'_>| {
        line_of.render(row_at(row).intersection(inner), frame.buffer_mut());
    };
    let fields_at = query.len() + 1;
    for (row, text) in query.into_iter().enumerate() {
        draw(frame, row, Line::styled(text, theme.accent));
    }
    let fields = [
        ("name", &naming.name, !naming.in_description),
        ("description", &naming.description, naming.in_description),
    ];
    for (at, (word, input, typing)) in fields.into_iter().enumerate() {
        let row = row_at(fields_at + at).intersection(inner);
        let sign = if typing { "› " } else { "  " };
        Span::styled(sign, theme.accent).render(row, frame.buffer_mut());
        let place = Rect {
            x: row.x.saturating_add(2),
            width: row.width.saturating_sub(2),
            ..row
        };
        Span::styled(word, theme.dim).render(place, frame.buffer_mut());
        let place = Rect {
            x: place.x.saturating_add(WORDS),
            width: place.width.saturating_sub(WORDS),
            ..place
        };
        draw_input(frame, place, input, theme, typing);
    }
    for (at, text) in said.into_iter().enumerate() {
        draw(frame, fields_at + 3 + at, Line::styled(text, style));
    }
}
