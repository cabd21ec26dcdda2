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

/// Takes the theme that the configuration asks for now.
///
/// # Errors
/// It does not read; the one before stays.
pub(super) fn configure(state: &mut State) -> Result<(), String> {
    let before = std::mem::replace(&mut state.theme_name, state.setting.configured_theme());
    let outcome = read_again(state);
    if outcome.is_err() {
        state.theme_name = before;
    }
    outcome
}

/// Reads the theme in force again, from files that changed.
///
/// # Errors
/// It does not read; it stays as it was.
pub(super) fn read_again(state: &mut State) -> Result<(), String> {
    let setting = &state.setting;
    let (files, depth) = (&setting.preferences.themes, setting.depth);
    let read = Theme::load(&state.theme_name, files, depth);
    state.theme = read.map_err(|error| error.to_string())?;
    Ok(())
}

/// Shows the theme under the cursor of the list; the one in force as soon as the list is gone, however it was left.
pub(super) fn settle(state: &mut State) {
    let wanted = tried_on(state).unwrap_or(&state.theme_name);
    if *wanted == state.theme.name {
        return;
    }
    match Theme::load(
        wanted,
        &state.setting.preferences.themes,
        state.setting.depth,
    ) {
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
