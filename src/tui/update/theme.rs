//! The theme: chosen in a list, and tried on while one walks it.

use crate::tui::message::Notice;
use crate::tui::popup::{Choice, PickerKind, Popup};
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// Takes a theme for good.
pub(super) fn choose(state: &mut State, name: String) {
    let before = std::mem::replace(&mut state.theme_name, name);
    settle(state);
    if state.theme.name == state.theme_name {
        let said = format!("`theme: {}` in metrex.yaml keeps it", state.theme_name);
        state.notice = Some(Notice::Info(said));
    } else {
        // It does not read, which is said already.
        state.theme_name = before;
    }
}

/// Shows the theme under the cursor of the list; the one in force as soon as the list is gone, however it was left.
pub(super) fn settle(state: &mut State) {
    let wanted = tried_on(state).unwrap_or(&state.theme_name);
    if *wanted == state.theme.name {
        return;
    }
    match Theme::load(wanted, &state.setting.themes, state.setting.depth) {
        Ok(theme) => state.theme = theme,
        Err(error) => state.notice = Some(Notice::Error(error.to_string())),
    }
}

fn tried_on(state: &State) -> Option<&String> {
    match state.popups.last()? {
        Popup::Picker(picker) if picker.kind == PickerKind::Themes => match picker.selected()? {
            Choice::Theme(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}
