//! Keys that are pressed: what each stands for, and two of them after each other.

use crossterm::event::{KeyCode, KeyModifiers};

use super::act;
use crate::tui::action::{self, Action, Context, Entry};
use crate::tui::keymap::Found;
use crate::tui::keys::Chord;
use crate::tui::message::{Effect, Notice};
use crate::tui::state::{Focus, State};

/// What a key was pressed for.
pub(super) enum Pressed {
    /// An action.
    Action(&'static Entry),
    /// To type it.
    Text,
    /// It is one of two keys, and there is no more to do.
    Taken,
}

/// What a key stands for now; the first of two is kept until the second comes.
pub(super) fn press(state: &mut State, key: Chord) -> Pressed {
    let contexts = action::contexts(state);
    let find = |state: &State, first| state.keymap().find(contexts, first, key);
    let alone = find(state, None);
    let Some(first) = state.first_key.take() else {
        return match alone {
            Found::Entry(entry) => Pressed::Action(entry),
            Found::Nothing => Pressed::Text,
            Found::First => {
                state.first_key = Some(key);
                Pressed::Taken
            }
        };
    };
    match (find(state, Some(first)), alone) {
        (Found::Entry(entry), _) => Pressed::Action(entry),
        (_, Found::Entry(entry)) if entry.action == Action::Back => Pressed::Taken,
        // What works everywhere works here too; Ctrl+C must.
        (_, Found::Entry(entry)) if entry.context == Context::Everywhere => Pressed::Action(entry),
        _ => {
            let text = format!("{first} {key} means nothing here");
            state.notice = Some(Notice::Error(text));
            Pressed::Taken
        }
    }
}

/// Whether a sign is the key that leads to the empty search box it is typed into; whoever presses it once more did not
/// see that the box has the keys already.
pub(super) fn leads_here(state: &State, key: Chord) -> bool {
    let (context, action, input) = match state.focus {
        _ if !state.popups.is_empty() => return false,
        Focus::Catalog => (Context::Panes, Action::FindMetric, &state.finder.input),
        Focus::Result => (Context::Result, Action::FindInResult, &state.result.find),
        _ => return false,
    };
    let found = state.keymap().find(&[context], None, key);
    input.is_empty()
        && matches!(key.code, KeyCode::Char(c) if !c.is_alphanumeric())
        && matches!(found, Found::Entry(entry) if entry.action == action)
}

/// Does what Enter does in a pane, for a second click on what is selected.
pub(super) fn enter(state: &mut State, context: Context) -> Vec<Effect> {
    let key = Chord {
        code: KeyCode::Enter,
        modifiers: KeyModifiers::NONE,
    };
    match state.keymap().find(&[context], None, key) {
        Found::Entry(entry) => act::perform_if_enabled(state, entry.action),
        Found::First | Found::Nothing => Vec::new(),
    }
}
