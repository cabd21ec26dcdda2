//! The query: its parts, and where they come from.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;

use super::{pane, prompt, result};
use crate::session::Certainty;
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{self, Layout};
use crate::tui::parts;
use crate::tui::state::{Focus, Phase, State};
use crate::tui::widgets::text::{Align, put, truncate, width};

/// Columns below which a question is cut beyond recognition.
const LEAST_QUESTION: usize = 12;

/// What is to be known about the query as a whole: that it runs, or that the result is not its.
fn remark(state: &State) -> Line<'static> {
    let theme = &state.theme;
    match &state.result.phase {
        Phase::Running(_) | Phase::Cancelling(_) => result::progress(state),
        _ if state.preview.refusal(&state.query).is_some() => {
            let key = state.key(Action::Pane(Focus::Preview));
            Line::styled(format!("cannot run · {key} says why"), theme.error)
        }
        Phase::Done(_) | Phase::Failed(_) if state.result.query != state.query => {
            let key = state.key(Action::Run);
            Line::styled(format!("changed since the run · {key}"), theme.warning)
        }
        _ if state.query.is_empty() => Line::default(),
        _ => Line::styled(format!("{} runs", state.key(Action::Run)), theme.dim),
    }
}

/// Draws the prompt and the parts.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) {
    let theme = &state.theme;
    let focused = state.focus == Focus::Query;
    let area = layout.query;
    let title = prompt::title(state);
    let columns = usize::from(area.width).saturating_sub(width(title) + 8);
    let remark = if state.prompt.typing {
        prompt::remark(state, columns)
    } else {
        remark(state)
    };
    pane::frame(frame, area, title, remark, theme, focused);
    if !state.prompt.typing {
        draw_origin(state, frame, area);
    }
    let below = prompt::draw(state, frame, layout, hits);
    let below = prompt::draw_remarks(state, frame, below);
    if state.prompt.error.is_none() {
        draw_parts(state, frame, below, focused && !state.prompt.typing, hits);
    }
}

/// Draws the question that the query came from, and how, on the lower border.
fn draw_origin(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(origin) = state.origin() else {
        return;
    };
    let path = origin.path_words();
    let question = origin
        .question
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let room = usize::from(area.width).saturating_sub(width(&path) + 12);
    let text = if room < LEAST_QUESTION {
        format!(" {path} ")
    } else {
        format!(" \"{}\" · {path} ", truncate(&question, room))
    };
    let line = Rect {
        x: area.x + 1,
        y: area.bottom().saturating_sub(1),
        width: u16::try_from(width(&text))
            .unwrap_or(u16::MAX)
            .min(area.width.saturating_sub(2)),
        height: 1,
    };
    put(
        frame.buffer_mut(),
        line,
        &text,
        state.theme.dim,
        Align::Left,
    );
}

fn draw_parts(state: &State, frame: &mut Frame<'_>, area: Rect, focused: bool, hits: &mut HitMap) {
    let theme = &state.theme;
    let parts = parts::shown(state);
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
            (true, _) if matches!(part.certainty, Some(Certainty::Similar | Certainty::Model)) => {
                theme.warning
            }
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
        if !state.prompt.typing {
            hits.add(chip, Target::Part(index));
        }
    }
}
