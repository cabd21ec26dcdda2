//! The prompt: its text, what is said about it, and what may be typed next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::input::draw_rows;
use crate::model::MetricQuery;
use crate::session::Understanding;
use crate::tui::action::Action;
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::{Layout, SIGN, inside};
use crate::tui::question::{self, time_words};
use crate::tui::state::{Focus, State};
use crate::tui::widgets::text::{Align, pad, truncate, width, wrap};

/// Most completions shown at once.
const COMPLETIONS: usize = 8;

/// The title of the pane while a text is typed.
pub fn title(state: &State) -> &'static str {
    let prompt = &state.prompt;
    if prompt.typing && (prompt.asks || prompt.heard.is_some()) {
        "Ask"
    } else {
        Focus::Query.title()
    }
}

/// What is to be known about the text as a whole, in at most `columns`.
pub fn remark(state: &State, columns: usize) -> Line<'static> {
    let (prompt, theme) = (&state.prompt, &state.theme);
    if let Some(asking) = &prompt.asking {
        let time = time_words(state.now.saturating_sub(asking.since));
        let (stage, key) = (asking.stage.word(), state.key_here(Action::Back));
        let text = format!("{stage} {time} · {key} cancels");
        return Line::styled(text, theme.warning);
    }
    let before = |query: &MetricQuery, after: &str| {
        let room = columns.saturating_sub(width(after) + width("goes on from "));
        let line = query.to_string();
        format!("goes on from {}{after}", truncate(&line, room))
    };
    let is_line = question::query_line(&state.catalog.registry, prompt.input.text()).is_ok();
    let text = match (state.continued(), prompt.heard()) {
        _ if prompt.input.is_empty() => String::new(),
        _ if is_line => format!("a query line · {} runs it", state.key(Action::ApplyLine)),
        (Some(query), Some(Understanding::Clear(reading))) if reading.is_follow_up => before(
            query,
            &format!(" · {} asks anew", state.key(Action::StartAnew)),
        ),
        (None, _) if prompt.anew => {
            let key = state.key(Action::StartAnew);
            format!("asked anew · {key} goes on from the query")
        }
        (_, Some(Understanding::Clear(_))) => format!("{} asks", state.key(Action::ApplyLine)),
        _ => String::new(),
    };
    Line::styled(truncate(&text, columns).into_owned(), theme.dim)
}

/// What can be typed, where nothing is.
fn hint(state: &State) -> Option<String> {
    let prompt = &state.prompt;
    match (prompt.input.is_empty(), prompt.typing, prompt.asks) {
        (true, true, true) => Some(match state.continued() {
            None => "plain words: gmv by market this quarter vs last year".to_owned(),
            Some(_) => "plain words; \"and last month?\" goes on from the query below".to_owned(),
        }),
        (true, false, _) => {
            let (ask, line) = (state.key(Action::Ask), state.key(Action::EditLine));
            let text = "types a query: gmv by market last 6 months";
            Some(format!("{ask} asks in plain words; {line} {text}"))
        }
        _ => None,
    }
}

/// Draws the text; returns the area below it.
pub fn draw(state: &State, frame: &mut Frame<'_>, layout: &Layout, hits: &mut HitMap) -> Rect {
    let (prompt, theme) = (&state.prompt, &state.theme);
    let inner = inside(layout.query);
    let rows = layout.prompt_rows.min(inner.height);
    let area = Rect {
        height: rows,
        ..inner
    };
    hits.add(area, Target::QueryLine);
    let sign = if prompt.typing {
        theme.accent
    } else {
        theme.dim
    };
    Span::styled(
        if prompt.asks && prompt.typing {
            "? "
        } else {
            "› "
        },
        sign,
    )
    .render(area, frame.buffer_mut());
    let text = Rect {
        x: area.x + SIGN,
        width: area.width.saturating_sub(SIGN),
        ..area
    };
    if let Some(hint) = hint(state) {
        let room = usize::from(text.width);
        Span::styled(truncate(&hint, room).into_owned(), theme.dim)
            .render(text, frame.buffer_mut());
    }
    let typing = state.focus == Focus::Query && prompt.typing && state.popups.is_empty();
    draw_rows(frame, text, &prompt.input, theme, &prompt.marks(), typing);
    Rect {
        y: area.bottom(),
        height: inner.height - rows,
        ..inner
    }
}

/// Draws what is said about the text; returns the area below it.
pub fn draw_remarks(state: &State, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let theme = &state.theme;
    let mut y = area.y;
    for remark in state.remarks() {
        let style = if remark.is_error {
            theme.error
        } else {
            theme.warning
        };
        for text in wrap(&remark.text, usize::from(area.width)) {
            if y < area.bottom() {
                let line = Rect {
                    y,
                    height: 1,
                    ..area
                };
                Span::styled(text, style).render(line, frame.buffer_mut());
                y += 1;
            }
        }
    }
    Rect {
        y,
        height: area.bottom() - y,
        ..area
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
    let (row, cursor) = prompt.input.place(layout.prompt_width());
    let x = (inner.x + SIGN + cursor).saturating_sub(u16::try_from(word).unwrap_or(0) + 2);
    let x = x.min(screen.right().saturating_sub(columns));
    // What was understood stays in sight: it is what one looks at while a question is typed.
    let y = if prompt.chips().is_some() {
        layout.query.bottom().saturating_sub(1)
    } else {
        inner.y + u16::try_from(row).unwrap_or(0).min(inner.height) + 1
    };
    let area = Rect {
        x,
        y,
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
