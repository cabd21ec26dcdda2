//! The menu bar: opened, walked through, and what is taken from it.

use super::act;
use crate::tui::action::{Action, Menu};
use crate::tui::commands;
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::{MenuBar, Popup};
use crate::tui::state::State;

/// Opens the menu bar, or closes it.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    if let Some(Popup::Menu(_)) = state.popups.last() {
        state.popups.pop();
    } else {
        state.popups.push(Popup::Menu(MenuBar::default()));
    }
    Vec::new()
}

fn top(state: &mut State) -> Option<&mut MenuBar> {
    match state.popups.last_mut() {
        Some(Popup::Menu(bar)) => Some(bar),
        _ => None,
    }
}

/// Opens one of the menus.
pub(super) fn open(state: &mut State, menu: Menu) {
    if let Some(bar) = top(state) {
        *bar = MenuBar { menu, row: 0 };
    }
}

/// A move in the menus; behind the last one comes the first.
pub(super) fn step(state: &mut State, action: Action) {
    let Some(bar) = top(state).copied() else {
        return;
    };
    let count = commands::in_menu(state, bar.menu).len();
    let at = Menu::ALL.iter().position(|menu| *menu == bar.menu);
    let beside = |by| {
        let next = round(at.unwrap_or(0), by, Menu::ALL.len());
        Menu::ALL.get(next).copied().unwrap_or(bar.menu)
    };
    match action {
        Action::Left => open(state, beside(-1)),
        Action::Right => open(state, beside(1)),
        other => {
            let by = act::rows(other, 10);
            let row = match by {
                -1 | 1 => round(bar.row, by, count),
                by => bar
                    .row
                    .saturating_add_signed(by)
                    .min(count.saturating_sub(1)),
            };
            if let Some(bar) = top(state) {
                bar.row = row;
            }
        }
    }
}

fn round(at: usize, by: isize, count: usize) -> usize {
    let at = isize::try_from(at).unwrap_or(0);
    let count = isize::try_from(count.max(1)).unwrap_or(isize::MAX);
    usize::try_from((at + by).rem_euclid(count)).unwrap_or(0)
}

/// A letter goes to the next entry that starts with it.
pub(super) fn letter(state: &mut State, letter: char) {
    let Some(bar) = top(state).copied() else {
        return;
    };
    let items = commands::in_menu(state, bar.menu);
    let starts = |row: &usize| {
        let title = items.get(*row).map(|(entry, _)| entry.title);
        let first = title.and_then(|title| title.chars().next());
        first.is_some_and(|first| first.eq_ignore_ascii_case(&letter))
    };
    let found = (bar.row + 1..items.len())
        .chain(0..items.len())
        .find(starts);
    if let (Some(row), Some(bar)) = (found, top(state)) {
        bar.row = row;
    }
}

/// Does what is selected, or says why not.
pub(super) fn choose(state: &mut State) -> Vec<Effect> {
    let Some(bar) = top(state).copied() else {
        return Vec::new();
    };
    let items = commands::in_menu(state, bar.menu);
    let Some((entry, _)) = items.get(bar.row) else {
        return Vec::new();
    };
    if let Err(reason) = (entry.enabled)(state) {
        state.notice = Some(Notice::Error(reason.into_owned()));
        return Vec::new();
    }
    state.popups.pop();
    commands::remember(state, entry.action);
    act::perform(state, entry.action)
}
