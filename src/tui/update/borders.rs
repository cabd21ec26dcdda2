//! Borders between panes, moved by the mouse or by keys.

use ratatui::layout::{Direction, Position};

use crate::tui::layout::Layout;
use crate::tui::message::{Effect, Notice};
use crate::tui::splits::{Border, Divider, Splits};
use crate::tui::state::{Focus, State};

/// Columns and rows that a key moves a border by.
const STEP: (i16, i16) = (4, 2);

fn divider(state: &State, border: Border) -> Option<Divider> {
    let layout = Layout::of(state);
    layout
        .dividers
        .into_iter()
        .find(|divider| divider.border == border)
}

/// The mouse was moved while it holds a border.
pub(super) fn dragged(state: &mut State, to: Position) {
    let held = state.dragging.and_then(|border| divider(state, border));
    if let Some(divider) = held {
        state.splits.drag(&divider, to);
    }
}

/// Makes the pane that takes the keys larger or smaller.
pub(super) fn grow(state: &mut State, larger: bool) -> Vec<Effect> {
    let small = Layout::of(state).is_stage;
    // The pane before a border grows when it moves on, the one behind it when it moves back.
    let (border, way) = match state.focus {
        Focus::Catalog => (Border::Catalog, 1),
        Focus::Details if small => (Border::Catalog, -1),
        Focus::Details => (Border::Left, 1),
        Focus::Query => (Border::Left, -1),
        Focus::Preview => (Border::Preview, 1),
        Focus::Result => (Border::Preview, -1),
    };
    let Some(divider) = divider(state, border) else {
        let text = "this pane has the screen for itself";
        state.notice = Some(Notice::Info(text.to_owned()));
        return Vec::new();
    };
    let step = match divider.direction {
        Direction::Horizontal => STEP.0,
        Direction::Vertical => STEP.1,
    };
    let way = if larger { way } else { -way };
    state.splits.nudge(&divider, step * way);
    Vec::new()
}

/// Puts all borders back.
pub(super) fn even(state: &mut State) {
    state.splits = Splits::default();
}
