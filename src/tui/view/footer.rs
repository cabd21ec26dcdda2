//! The last line: what can be done here, or what has just happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

use crate::tui::action::{self, Action, Context, Entry};
use crate::tui::hit::{HitMap, Target};
use crate::tui::keys::Keys;
use crate::tui::message::Notice;
use crate::tui::state::State;
use crate::tui::widgets::text::{Align, put, width, wrap};

/// Most lines of what was said.
const MOST_LINES: u16 = 4;

/// Draws the footer.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    match &state.notice {
        Some(Notice::Info(text)) => notice(state, frame, area, " ", text, theme.good),
        Some(Notice::Error(text)) => notice(state, frame, area, " ! ", text, theme.error),
        None => keys(state, frame, area, hits),
    }
}

/// Draws what was said; what is too long for the line takes some of those above it.
fn notice(state: &State, frame: &mut Frame<'_>, area: Rect, sign: &str, text: &str, style: Style) {
    let columns = usize::from(area.width).saturating_sub(width(sign) + 1);
    let lines = wrap(text, columns);
    let most = MOST_LINES.min(area.bottom());
    let height = u16::try_from(lines.len()).unwrap_or(most).clamp(1, most);
    let place = Rect {
        y: area.bottom().saturating_sub(height),
        height,
        ..area
    };
    Clear.render(place, frame.buffer_mut());
    frame.buffer_mut().set_style(place, state.theme.text);
    let last = usize::from(height).saturating_sub(1);
    for (index, (line, y)) in lines.iter().zip(place.y..place.bottom()).enumerate() {
        let sign = if index == 0 {
            sign.to_owned()
        } else {
            " ".repeat(width(sign))
        };
        let more = if index == last && lines.len() > last + 1 {
            "…"
        } else {
            ""
        };
        let row = Rect {
            y,
            height: 1,
            ..place
        };
        put(
            frame.buffer_mut(),
            row,
            &format!("{sign}{line}{more}"),
            style,
            Align::Left,
        );
    }
}

fn keys(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    let columns =
        |key: &str, word: &str| u16::try_from(width(key) + 1 + width(word)).unwrap_or(u16::MAX);
    // Whatever else finds no room: all commands and the help stand at the right.
    let (always, others): (Vec<_>, Vec<_>) = offered(state)
        .into_iter()
        .partition(|(entry, ..)| matches!(entry.action, Action::Palette | Action::Help));
    let reserved: u16 = always
        .iter()
        .map(|(_, key, word)| columns(key, word).saturating_add(2))
        .sum();
    let end = area.right().saturating_sub(reserved.saturating_sub(1));
    let mut x = area.x + 1;
    let mut draw = |x, entry: &Entry, key: String, word| {
        let place = Rect {
            x,
            width: columns(&key, word),
            ..area
        };
        let line = Line::from(vec![
            Span::styled(key, theme.accent),
            Span::styled(format!(" {word}"), theme.text),
        ]);
        line.render(place, frame.buffer_mut());
        hits.add(place, Target::Action(entry.action));
    };
    for (entry, key, word) in others {
        let next = x.saturating_add(columns(&key, word));
        if next >= end {
            break;
        }
        draw(x, entry, key, word);
        x = next.saturating_add(2);
    }
    x = end;
    for (entry, key, word) in always.into_iter().rev() {
        let next = x.saturating_add(columns(&key, word));
        draw(x, entry, key, word);
        x = next.saturating_add(2);
    }
}

/// Entries with their key and word, innermost context first; a key means only what the innermost context says.
fn offered(state: &State) -> Vec<(&'static Entry, String, &'static str)> {
    let mut taken: Vec<Keys> = Vec::new();
    let mut offered = Vec::new();
    for context in action::contexts(state) {
        let here = || {
            let rows = state.keymap().rows();
            rows.filter(|(entry, _)| entry.context == *context)
        };
        for (entry, keys) in here() {
            if let (Some(key), Some(word)) = (keys.first(), entry.footer)
                && !taken.contains(key)
                && !taken.contains(&Keys::one(key.first))
                && (entry.enabled)(state).is_ok()
            {
                offered.push((entry, key.to_string(), word));
            }
            // The way out of a window that names none.
            let leaves =
                |(entry, ..): &(&Entry, _, _)| matches!(entry.action, Action::Back | Action::Close);
            if entry.action == Action::Back
                && *context == Context::Everywhere
                && !state.popups.is_empty()
                && !offered.iter().any(leaves)
                && let Some(key) = keys.first()
            {
                offered.push((entry, key.to_string(), "close"));
            }
        }
        taken.extend(here().flat_map(|(_, keys)| keys));
    }
    offered
}
