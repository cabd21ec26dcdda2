//! The box that lists what may follow the first of two keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::pane;
use crate::tui::action::{self, Action};
use crate::tui::hit::{HitMap, Target};
use crate::tui::layout::inside;
use crate::tui::state::State;
use crate::tui::theme::Theme;
use crate::tui::widgets::text::{Align, put, width};

/// Columns between a key and what it does, and between two columns of them.
const GAP: usize = 2;

/// A key with what it does, and why it cannot be done.
struct Way {
    key: String,
    words: String,
    action: Action,
    enabled: bool,
}

/// Draws the box above the footer while the second of two keys is waited for.
pub fn draw(state: &State, frame: &mut Frame<'_>, screen: Rect, hits: &mut HitMap) {
    let Some(first) = state.first_key else {
        return;
    };
    let ways = ways(state);
    // The footer stays, and the frame of the box takes two rows.
    let rows = ways.len().min(usize::from(screen.height.saturating_sub(3)));
    if rows == 0 {
        return;
    }
    let columns = ways.chunks(rows);
    let widths: Vec<(usize, usize)> = columns.clone().map(cells).collect();
    let all: usize = widths
        .iter()
        .map(|(key, words)| key + words + 2 * GAP)
        .sum();
    let wanted = u16::try_from(all).unwrap_or(u16::MAX).saturating_add(2);
    let area = Rect {
        width: wanted.max(24).min(screen.width),
        height: u16::try_from(rows).unwrap_or(0) + 2,
        ..screen
    };
    let area = Rect {
        x: screen.right() - area.width,
        y: screen.bottom().saturating_sub(area.height + 1),
        ..area
    };
    let theme = &state.theme;
    let remark = Line::styled(
        format!("{} closes", state.key_here(Action::Back)),
        theme.dim,
    );
    pane::window(frame, area, &format!("{first} …"), remark, theme);
    hits.add(area, Target::Popup);
    let inner = inside(area);
    let mut x = inner.x;
    for (column, (key, words)) in columns.zip(widths) {
        let cells = u16::try_from(key + GAP + words).unwrap_or(u16::MAX);
        for (way, y) in column.iter().zip(inner.y..inner.bottom()) {
            let place = Rect {
                x,
                y,
                width: cells.min(inner.right().saturating_sub(x)),
                height: 1,
            };
            draw_way(way, key, frame, place, theme);
            hits.add(place, Target::Action(way.action));
        }
        x = x.saturating_add(cells + 2).min(inner.right());
    }
}

fn ways(state: &State) -> Vec<Way> {
    let contexts = action::contexts(state);
    let first = state.first_key.into_iter();
    let following = first.flat_map(|first| state.keymap().following(contexts, first));
    following
        .map(|(entry, keys)| {
            let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
            let (words, enabled) = match (entry.enabled)(state) {
                Ok(()) => (entry.title.to_owned(), true),
                Err(reason) => (format!("{} ({reason})", entry.title), false),
            };
            Way {
                key: keys.join(" "),
                words,
                action: entry.action,
                enabled,
            }
        })
        .collect()
}

/// Columns of the longest key and of the longest words.
fn cells(ways: &[Way]) -> (usize, usize) {
    let longest = |text: fn(&Way) -> &str| ways.iter().map(|way| width(text(way))).max();
    (
        longest(|way| &way.key).unwrap_or(0),
        longest(|way| &way.words).unwrap_or(0),
    )
}

fn draw_way(way: &Way, key: usize, frame: &mut Frame<'_>, place: Rect, theme: &Theme) {
    let (strong, weak) = if way.enabled {
        (theme.accent, theme.text)
    } else {
        (theme.dim, theme.dim)
    };
    let key = u16::try_from(key + GAP)
        .unwrap_or(u16::MAX)
        .min(place.width);
    let words = Rect {
        x: place.x + key,
        width: place.width - key,
        ..place
    };
    let keys = Rect {
        width: key,
        ..place
    };
    put(frame.buffer_mut(), keys, &way.key, strong, Align::Left);
    put(frame.buffer_mut(), words, &way.words, weak, Align::Left);
}
