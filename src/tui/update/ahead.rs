//! Keys typed ahead: one that needs an answer waits for it, and all later ones behind it. Whoever types blindly, on a slow
//! line or a busy machine, gets what a slow typist gets.

use crossterm::event::KeyEvent;

use crate::tui::action::{self, Action, Context, Entry};
use crate::tui::keymap::Found;
use crate::tui::keys::Chord;
use crate::tui::message::{Message, Slot};
use crate::tui::popup::{PickerKind, Popup};
use crate::tui::state::{Focus, State};

/// Keeps what has to wait; what need not is given back.
pub(super) fn keep(state: &mut State, message: Message) -> Option<Message> {
    let is_behind = !state.ahead.is_empty();
    match &message {
        Message::Key(key) if is_interrupt(state, *key) => state.ahead.clear(),
        Message::Key(key) if is_behind || needs_answer(state, *key) => {
            state.ahead.push_back(message);
            return None;
        }
        Message::Paste(_) if is_behind => {
            state.ahead.push_back(message);
            return None;
        }
        _ => {}
    }
    Some(message)
}

/// The first that has waited and need not any longer.
pub(super) fn next(state: &mut State) -> Option<Message> {
    match state.ahead.front()? {
        Message::Key(key) if needs_answer(state, *key) => None,
        _ => state.ahead.pop_front(),
    }
}

/// Ctrl+C is heard at once.
fn is_interrupt(state: &State, key: KeyEvent) -> bool {
    entry(state, key).is_some_and(|entry| entry.action == Action::Interrupt)
}

fn entry(state: &State, key: KeyEvent) -> Option<&'static Entry> {
    let contexts = action::contexts(state);
    match state
        .keymap()
        .find(contexts, state.first_key, Chord::from(key))
    {
        Found::Entry(entry) => Some(entry),
        Found::First | Found::Nothing => None,
    }
}

/// Whether a key is about a list that is still on its way.
fn needs_answer(state: &State, key: KeyEvent) -> bool {
    let Some(slot) = listed(state).filter(|slot| state.waits_for(*slot)) else {
        return false;
    };
    let Some(entry) = entry(state, key) else {
        return false;
    };
    match entry.action {
        Action::Back => false,
        // Without a query, the metric under the cursor is run.
        Action::Run | Action::Refresh => slot != Slot::Search || state.query.is_empty(),
        _ => matches!(
            entry.context,
            Context::Search
                | Context::Catalog
                | Context::Lists
                | Context::Picker
                | Context::Kept
                | Context::Dimensions
                | Context::Values
        ),
    }
}

/// What fills the list that the keys are for.
fn listed(state: &State) -> Option<Slot> {
    match state.popups.last() {
        None if state.focus == Focus::Catalog => Some(Slot::Search),
        None => None,
        Some(Popup::Picker(picker)) => match picker.kind {
            PickerKind::Dimensions { .. } => Some(Slot::Dimensions),
            PickerKind::Values { .. } => Some(Slot::Values),
            PickerKind::History => Some(Slot::History),
            PickerKind::Choices => Some(Slot::Choices),
            _ => None,
        },
        Some(_) => None,
    }
}
