//! Keys and pastes: to the action they stand for, or into the text that is typed.

use crossterm::event::{KeyCode, KeyEvent};

use super::keys::{self, Pressed};
use super::{
    act, ask, author, dates, define, files, finder, kept, menu, picker, prompt, result, reviewing,
    rows,
};
use crate::tui::action::Action;
use crate::tui::keys::Chord;
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::Popup;
use crate::tui::state::{Focus, State};

pub(super) fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let was_leaving = std::mem::take(&mut state.leaving);
    match keys::press(state, Chord::from(event)) {
        Pressed::Action(entry) => match (entry.enabled)(state) {
            Ok(()) => {
                state.leaving = was_leaving && entry.action == Action::Interrupt;
                act::perform(state, entry.action)
            }
            Err(reason) => {
                state.notice = Some(Notice::Error(reason.into_owned()));
                Vec::new()
            }
        },
        Pressed::Text => type_key(state, event),
        Pressed::Taken => Vec::new(),
    }
}

/// Where nothing is typed, a key without a meaning says so.
fn means_nothing(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let (key, help) = (Chord::from(event), state.key(Action::Help));
    let text = format!("{key} means nothing here; {help} shows the keys");
    state.notice = Some(Notice::Error(text));
    Vec::new()
}

/// A key that is no action goes into the text that is being typed.
fn type_key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    if let Some(dialog) = files::dialog(state) {
        dialog.input.key(event);
        return Vec::new();
    }
    if keys::leads_here(state, Chord::from(event)) {
        return Vec::new();
    }
    match state.popups.last_mut() {
        Some(Popup::Picker(picker)) => {
            if picker.input.key(event) {
                picker::typed(state)
            } else {
                Vec::new()
            }
        }
        Some(Popup::Naming(_)) => {
            if let Some(field) = kept::field(state) {
                field.key(event);
            }
            Vec::new()
        }
        Some(Popup::Dates(_)) => {
            dates::key(state, event);
            Vec::new()
        }
        Some(Popup::Menu(_)) => {
            if let KeyCode::Char(c) = event.code {
                menu::letter(state, c);
            }
            Vec::new()
        }
        Some(Popup::Review(open)) if open.wording.is_some() => {
            if let Some(field) = reviewing::field(state) {
                field.key(event);
            }
            Vec::new()
        }
        Some(Popup::Author(_)) => author::typed(state, event),
        Some(Popup::Define(_)) => define::typed(state, event),
        Some(_) => means_nothing(state, event),
        None => match state.focus {
            Focus::Catalog if state.finder.typing => {
                if state.finder.input.key(event) {
                    finder::typed(state)
                } else {
                    Vec::new()
                }
            }
            Focus::Query if state.prompt.typing => {
                let changed = state.prompt.input.key(event);
                prompt::typed(state, changed)
            }
            Focus::Result if state.result.finding => {
                if state.result.find.key(event) {
                    result::find(state);
                }
                Vec::new()
            }
            Focus::Result if state.result.filtering => {
                if state.result.filter.key(event) {
                    rows::ask(state)
                } else {
                    Vec::new()
                }
            }
            _ => means_nothing(state, event),
        },
    }
}

pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    state.notice = None;
    if let Some(dialog) = files::dialog(state) {
        dialog.input.paste(text);
        return Vec::new();
    }
    state.first_key = None;
    match state.popups.last_mut() {
        Some(Popup::Picker(_)) => picker::paste(state, text),
        Some(Popup::Dates(_)) => {
            dates::paste(state, text);
            Vec::new()
        }
        Some(Popup::Naming(_)) => {
            if let Some(field) = kept::field(state) {
                field.paste(text);
            }
            Vec::new()
        }
        Some(Popup::Review(_)) => {
            if let Some(field) = reviewing::field(state) {
                field.paste(text);
            }
            Vec::new()
        }
        Some(Popup::Author(_)) => author::paste(state, text),
        Some(Popup::Define(_)) => define::paste(state, text),
        Some(_) => Vec::new(),
        None => match state.focus {
            Focus::Catalog if state.finder.typing => {
                state.finder.input.paste(text);
                finder::typed(state)
            }
            Focus::Result if state.result.finding => {
                state.result.find.paste(text);
                result::find(state);
                Vec::new()
            }
            Focus::Result if state.result.filtering => {
                state.result.filter.paste(text);
                rows::ask(state)
            }
            // A pasted text is a query line or a question, wherever no other text is typed.
            _ => {
                let mut effects = if state.prompt.typing {
                    Vec::new()
                } else {
                    ask::open(state)
                };
                state.prompt.input.paste(text);
                effects.extend(prompt::typed(state, true));
                effects
            }
        },
    }
}
