//! The menu bar in the first line, with the menu that is open below it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget as _};

use super::pane;
use crate::tui::action::{Entry, Menu};
use crate::tui::commands;
use crate::tui::hit::{HitMap, Target};
use crate::tui::keymap::joined;
use crate::tui::keys::Keys;
use crate::tui::layout::inside;
use crate::tui::popup::MenuBar;
use crate::tui::state::State;
use crate::tui::widgets::text::{Align, put, width};

/// Columns between an action and its keys.
const GAP: usize = 3;

/// Draws the bar and the menu.
pub fn draw(state: &State, bar: MenuBar, frame: &mut Frame<'_>, screen: Rect, hits: &mut HitMap) {
    let theme = &state.theme;
    let line = Rect {
        height: 1.min(screen.height),
        ..screen
    };
    Clear.render(line, frame.buffer_mut());
    frame.buffer_mut().set_style(line, theme.text);
    hits.add(line, Target::Popup);
    let mut x = line.x;
    for menu in Menu::ALL {
        let text = format!(" {} ", menu.title());
        let is_open = menu == bar.menu;
        let place = Rect {
            x,
            width: cells(&text).min(line.right().saturating_sub(x)),
            ..line
        };
        let style = pane::title_style(theme, is_open);
        put(frame.buffer_mut(), place, &text, style, Align::Left);
        hits.add(place, Target::Menu(menu));
        if is_open {
            draw_menu(state, bar, x, frame, screen, hits);
        }
        x = place.right();
    }
}

fn draw_menu(
    state: &State,
    bar: MenuBar,
    x: u16,
    frame: &mut Frame<'_>,
    screen: Rect,
    hits: &mut HitMap,
) {
    let items = commands::in_menu(state, bar.menu);
    let reason = items
        .get(bar.row)
        .and_then(|(entry, _)| (entry.enabled)(state).err());
    let widest = items
        .iter()
        .map(|(entry, keys)| width(entry.title) + GAP + width(&joined(keys, "  ")));
    // Inside are a blank and the frame on either side; the reason stands in the frame.
    let wanted = widest
        .max()
        .unwrap_or(0)
        .max(reason.as_deref().map_or(0, width))
        + 4;
    let wide = u16::try_from(wanted).unwrap_or(u16::MAX).min(screen.width);
    // The first line is the bar, the last one the footer.
    let high = u16::try_from(items.len() + 2)
        .unwrap_or(u16::MAX)
        .min(screen.height.saturating_sub(2));
    let area = Rect {
        x: x.min(screen.right().saturating_sub(wide)),
        y: screen.y + 1,
        width: wide,
        height: high,
    };
    let theme = &state.theme;
    let inner = inside(area);
    let first = (bar.row + 1).saturating_sub(usize::from(inner.height));
    let below = items
        .len()
        .saturating_sub(first + usize::from(inner.height));
    let remark = match below {
        0 => Line::default(),
        below => Line::styled(format!("{below} more ↓"), theme.dim),
    };
    pane::window(frame, area, bar.menu.title(), remark, theme);
    hits.add(area, Target::Popup);
    let rows = items.iter().enumerate().skip(first);
    for ((row, item), y) in rows.zip(inner.y..inner.bottom()) {
        let place = Rect {
            y,
            height: 1,
            ..inner
        };
        draw_item(state, item, row == bar.row, frame, place);
        hits.add(place, Target::Action(item.0.action));
    }
    if let Some(reason) = reason {
        let place = Rect {
            x: area.x + 1,
            y: area.bottom().saturating_sub(1),
            width: area.width.saturating_sub(2).min(cells(&reason) + 2),
            height: 1,
        };
        let text = format!(" {reason} ");
        put(frame.buffer_mut(), place, &text, theme.warning, Align::Left);
    }
}

fn draw_item(
    state: &State,
    (entry, keys): &(&'static Entry, Vec<Keys>),
    selected: bool,
    frame: &mut Frame<'_>,
    place: Rect,
) {
    let theme = &state.theme;
    let (words, strong) = if (entry.enabled)(state).is_ok() {
        (theme.text, theme.accent)
    } else {
        (theme.dim, theme.dim)
    };
    let keys = joined(keys, "  ");
    let right = cells(&keys).min(place.width);
    let at_right = Rect {
        x: place.right() - right,
        width: right,
        ..place
    };
    put(frame.buffer_mut(), place, entry.title, words, Align::Left);
    put(frame.buffer_mut(), at_right, &keys, strong, Align::Left);
    if selected {
        frame.buffer_mut().set_style(place, theme.selection);
    }
}

fn cells(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}
