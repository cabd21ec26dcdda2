//! Windows of text: help, definitions, cells, problems.

use crate::session::PolicyReport;
use crate::tui::action::Action;
use crate::tui::message::{Effect, Excerpt, Lookup, Notice};
use crate::tui::popup::{Page, Popup, Reader};
use crate::tui::state::State;

/// Opens a window of text.
pub(super) fn open(state: &mut State, title: impl Into<String>, page: Page) {
    state.popups.push(Popup::Reader(Reader {
        title: title.into(),
        page,
        offset: 0,
    }));
}

/// Shows the definitions behind what is selected.
pub(super) fn definitions(state: &mut State) -> Vec<Effect> {
    let places = state.places_here();
    open(state, "Definition", Page::Excerpts(Vec::new()));
    vec![state.ask(Lookup::Excerpts(places))]
}

/// The definitions were read.
pub(super) fn excerpts(state: &mut State, found: Vec<Excerpt>) {
    if let Some(Popup::Reader(Reader {
        page: Page::Excerpts(shown),
        ..
    })) = state.popups.last_mut()
    {
        *shown = found;
    }
}

/// Shows how the policy does.
pub(super) fn policy(state: &mut State) -> Vec<Effect> {
    open(state, "How the policy does", Page::Policy(None));
    vec![state.ask(Lookup::Policy)]
}

/// The log was read.
pub(super) fn policy_told(state: &mut State, report: Result<Box<PolicyReport>, String>) {
    // Something else may have been opened over it meanwhile.
    let is_it = |popup: &Popup| matches!(popup, Popup::Reader(reader) if matches!(reader.page, Page::Policy(_)));
    let Some(at) = state.popups.iter().rposition(is_it) else {
        return;
    };
    match report {
        Ok(report) => {
            if let Some(Popup::Reader(reader)) = state.popups.get_mut(at) {
                reader.page = Page::Policy(Some(report));
            }
        }
        Err(error) => {
            state.popups.remove(at);
            state.notice = Some(Notice::Error(error));
        }
    }
}

/// Opens the definition behind what is selected in an editor.
pub(super) fn edit(state: &mut State) -> Vec<Effect> {
    let Some((file, line)) = state.editable() else {
        return Vec::new();
    };
    vec![Effect::Edit(file, line)]
}

/// Scrolls the window on top.
pub(super) fn scroll(state: &mut State, lines: isize) {
    if let Some(Popup::Reader(reader)) = state.popups.last_mut() {
        reader.offset = reader.offset.saturating_add_signed(lines);
    }
}

/// Left and right turn to the row before and after, where a row is shown.
pub(super) fn turn_row(state: &mut State, action: Action) -> bool {
    let by = match action {
        Action::Left => -1,
        Action::Right => 1,
        _ => return false,
    };
    let (Some(Popup::Reader(reader)), Some(grid)) =
        (state.popups.last_mut(), &mut state.result.grid)
    else {
        return false;
    };
    if reader.page == Page::Row {
        reader.offset = 0;
        grid.move_by(by, 0);
    }
    reader.page == Page::Row
}
