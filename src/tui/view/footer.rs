//! The last line: what can be done here, or what has just happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::action::{self, Action, Entry};
use crate::tui::hit::{HitMap, Target};
use crate::tui::keys::Keys;
use crate::tui::message::Notice;
use crate::tui::state::State;
use crate::tui::widgets::text::{Align, put, width};

/// Draws the footer.
pub fn draw(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    match &state.notice {
        Some(Notice::Info(text)) => put(
            frame.buffer_mut(),
            area,
            &format!(" {text}"),
            theme.good,
            Align::Left,
        ),
        Some(Notice::Error(text)) => put(
            frame.buffer_mut(),
            area,
            &format!(" ! {text}"),
            theme.error,
            Align::Left,
        ),
        None => keys(state, frame, area, hits),
    }
}

fn keys(state: &State, frame: &mut Frame<'_>, area: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    let columns =
        |key: &str, word: &str| u16::try_from(width(key) + 1 + width(word)).unwrap_or(u16::MAX);
    // Whatever else finds no room: the help stands at the right.
    let (help, others): (Vec<_>, Vec<_>) = offered(state)
        .into_iter()
        .partition(|(entry, ..)| entry.action == Action::Help);
    let reserved: u16 = help
        .iter()
        .map(|(_, key, word)| columns(key, word).saturating_add(1))
        .sum();
    let end = area.right().saturating_sub(reserved);
    let mut x = area.x + 1;
    let mut draw = |x, entry: &Entry, key: String, word| {
        let place = Rect {
            x,
            width: columns(&key, word),
            ..area
        };
        let enabled = (entry.enabled)(state).is_ok();
        let (strong, weak) = if enabled {
            (theme.accent, theme.text)
        } else {
            (theme.dim, theme.dim)
        };
        let line = Line::from(vec![
            Span::styled(key, strong),
            Span::styled(format!(" {word}"), weak),
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
    for (entry, key, word) in help {
        draw(end, entry, key, word);
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
            {
                offered.push((entry, key.to_string(), word));
            }
        }
        taken.extend(here().flat_map(|(_, keys)| keys));
    }
    offered
}
