//! Clicks, and the wheel.

use ratatui::layout::Rect;

use super::{act, chart, dates, define, finder, keys, menu, picker, prompt, result, tabs};
use crate::tui::action::{Action, Context};
use crate::tui::hit::Target;
use crate::tui::layout::Layout;
use crate::tui::message::Effect;
use crate::tui::popup::Popup;
use crate::tui::state::{Focus, State};

/// Lines that one notch of the wheel moves by.
const WHEEL: i32 = 3;

pub(super) fn click(state: &mut State, target: Target) -> Vec<Effect> {
    state.notice = None;
    state.first_key = None;
    let was_leaving = std::mem::take(&mut state.leaving);
    let pane = match target {
        Target::Outside => return act::perform(state, Action::Back),
        Target::List(column, row) => return picker::click(state, column, row),
        Target::Popup => return Vec::new(),
        Target::DefineRow(row) => return define::click(state, row),
        Target::Tab(index) => return tabs::switch(state, index),
        Target::Day(day) => return dates::click(state, day),
        Target::Menu(menu) => {
            menu::open(state, menu);
            return Vec::new();
        }
        Target::Action(action) => {
            if let Some(Popup::Menu(_)) = state.popups.last() {
                state.popups.pop();
            }
            state.leaving = was_leaving && action == Action::Interrupt;
            return act::perform_if_enabled(state, action);
        }
        Target::Pane(focus) => focus,
        Target::Border(border, focus) => {
            state.dragging = Some(border);
            focus
        }
        Target::SearchBox | Target::CatalogRow(_) => Focus::Catalog,
        Target::QueryLine | Target::Part(_) => Focus::Query,
        Target::Sql(..) => Focus::Preview,
        Target::Grid(..) | Target::Chart(..) => Focus::Result,
    };
    let again = state.focus == pane;
    let mut effects = act::focus(state, pane);
    match target {
        Target::SearchBox => state.finder.typing = true,
        Target::CatalogRow(row) => effects.extend(finder::click(state, row)),
        Target::QueryLine => effects.extend(prompt::open(state)),
        Target::Part(part) => {
            effects.extend(if state.part == part {
                act::perform(state, Action::EditPart)
            } else {
                Vec::new()
            });
            state.part = part;
        }
        Target::Sql(column, row) => {
            let line = Layout::of(state).sql.and_then(|area| {
                let area = Rect { x: 0, y: 0, ..area };
                state.preview.sql.line_at(column, row, area)
            });
            if let Some(line) = line {
                if again && state.preview.sql.selected_line() == line {
                    return keys::enter(state, Context::Preview);
                }
                state.preview.sql.select_line(line);
            }
        }
        Target::Grid(column, row) => effects.extend(result::click(state, column, row, again)),
        Target::Chart(column, row) => chart::click(state, column, row),
        _ => {}
    }
    effects
}

pub(super) fn wheel(state: &mut State, target: Target, notches: i32) -> Vec<Effect> {
    let pane = match target {
        Target::Popup
        | Target::DefineRow(_)
        | Target::List(..)
        | Target::Menu(_)
        | Target::Day(_) => None,
        Target::Outside
        | Target::Action(_)
        | Target::Tab(_)
        | Target::QueryLine
        | Target::Part(_) => {
            return Vec::new();
        }
        Target::Pane(focus) | Target::Border(_, focus) => Some(focus),
        Target::SearchBox | Target::CatalogRow(_) => Some(Focus::Catalog),
        Target::Sql(..) => Some(Focus::Preview),
        Target::Grid(..) | Target::Chart(..) => Some(Focus::Result),
    };
    let lines = notches.saturating_mul(WHEEL);
    if pane == Some(Focus::Result) {
        result::scroll(state, isize::try_from(lines).unwrap_or(0));
        return Vec::new();
    }
    let action = if notches < 0 {
        Action::Up
    } else {
        Action::Down
    };
    let step = |_| match pane {
        Some(pane) => act::step(state, pane, action),
        None => act::perform(state, action),
    };
    (0..lines.unsigned_abs()).flat_map(step).collect()
}
