//! The columns of the result as the reader wants them: hidden, moved, fitted, decorated.

use crate::tui::action::Action;
use crate::tui::message::Notice;
use crate::tui::state::State;
use crate::tui::widgets::grid::Switch;

/// Hides the selected column.
pub(super) fn hide(state: &mut State) {
    let key = state.key(Action::ShowColumns);
    let Some(grid) = &mut state.result.grid else {
        return;
    };
    state.notice = Some(match grid.hide_column() {
        Some(label) => Notice::Info(format!("{label} is hidden; {key} shows all columns")),
        None => Notice::Error("the last column stays".to_owned()),
    });
}

/// Shows all columns.
pub(super) fn show(state: &mut State) {
    if let Some(grid) = &mut state.result.grid {
        grid.show_columns();
    }
}

/// Moves the selected column.
pub(super) fn shift(state: &mut State, right: bool) {
    let moved = state
        .result
        .grid
        .as_mut()
        .is_some_and(|grid| grid.move_column(right));
    if !moved {
        let end = if right { "last" } else { "first" };
        state.notice = Some(Notice::Info(format!("it is the {end} column")));
    }
}

/// Fits the selected column.
pub(super) fn fit(state: &mut State) {
    if let Some(grid) = &mut state.result.grid {
        grid.fit_column();
    }
}

/// Fits all columns.
pub(super) fn fit_all(state: &mut State) {
    if let Some(grid) = &mut state.result.grid {
        grid.fit_columns();
    }
}

/// Switches a heat map, bars or short numbers on or off.
pub(super) fn switch(state: &mut State, what: Switch) {
    let Some(grid) = &mut state.result.grid else {
        return;
    };
    if grid.switch(what).is_none() {
        state.notice = Some(Notice::Error("the result has no numbers".to_owned()));
    }
}

/// Goes to the first column, or to the last one.
pub(super) fn to_end(state: &mut State, last: bool) {
    let by = if last { isize::MAX / 2 } else { isize::MIN / 2 };
    if let Some(grid) = &mut state.result.grid {
        grid.move_by(0, by);
    }
}
