//! Queries that are kept: those of the history and those saved in the project; run again, copied, deleted, named.

use super::{act, picker, prompt, tabs};
use crate::model::GroupBy;
use crate::session::{SavedQuery, SessionError};
use crate::tui::action::Action;
use crate::tui::input::LineInput;
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::{Answered, Choice, Naming, PickerKind, Popup, Question};
use crate::tui::state::{Focus, State};

/// The code of the refusal to replace a saved query.
const TAKEN: &str = "view_exists";

/// The kept line that is selected.
fn selected(state: &mut State) -> Option<String> {
    match picker::top(state)?.choice()? {
        Choice::Line(line) => Some(line.clone()),
        _ => None,
    }
}

/// Takes the selected line and runs it, or asks it.
pub(super) fn run(state: &mut State) -> Vec<Effect> {
    if selected(state).is_none() {
        return Vec::new();
    }
    let mut effects = picker::choose(state);
    effects.extend(if state.prompt.typing {
        prompt::apply(state)
    } else {
        tabs::run(state, false)
    });
    effects
}

/// Takes the selected line in a tab of its own.
pub(super) fn open_in_tab(state: &mut State) -> Vec<Effect> {
    let Some(line) = selected(state) else {
        return Vec::new();
    };
    state.popups.pop();
    let mut effects = tabs::open(state);
    effects.extend(act::focus(state, Focus::Query));
    effects.extend(picker::take_line(state, &line));
    effects
}

/// Copies the selected line.
pub(super) fn copy(state: &mut State) -> Vec<Effect> {
    selected(state).map(Effect::Copy).into_iter().collect()
}

/// Deletes the selected line from the history; a saved query is asked about first.
pub(super) fn delete(state: &mut State) -> Vec<Effect> {
    let Some(line) = selected(state) else {
        return Vec::new();
    };
    let Some(picker) = picker::top(state) else {
        return Vec::new();
    };
    let Some(key) = picker.list.selected().map(|item| item.key.clone()) else {
        return Vec::new();
    };
    if picker.kind == PickerKind::Views {
        let views = &state.catalog.registry.views;
        let place = views
            .get(&key)
            .map(|view| state.catalog.registry.at(view.place));
        state.popups.push(Popup::Question(Question {
            text: format!(
                "Delete the saved query '{key}' ({})?",
                place.unwrap_or_default()
            ),
            yes: Answered::DeleteView(key),
        }));
        return Vec::new();
    }
    // The cursor goes on to the next one.
    picker.list.move_by(1);
    if picker.list.selected().is_some_and(|item| item.key == key) {
        picker.list.move_by(-1);
    }
    let items = picker.list.items().iter();
    let left = items.filter(|item| item.key != key).cloned().collect();
    picker.list.set_items(left);
    state.prompt.history.retain(|earlier| *earlier != line);
    state.notice = Some(Notice::Info(format!("deleted from the history: {line}")));
    vec![Effect::ForgetLine(line)]
}

/// Asks what the query is to be called in the project.
pub(super) fn name(state: &mut State) -> Vec<Effect> {
    let query = state.query.clone();
    let mut views = state.catalog.registry.views.values();
    let saved = views.find(|view| view.query == query);
    let (name, description) = match saved {
        Some(view) => (view.name.clone(), view.description.clone()),
        None => (suggested(state), String::new()),
    };
    state.popups.push(Popup::Naming(Box::new(Naming {
        query,
        name: LineInput::new(&name),
        description: LineInput::new(&description),
        ..Naming::default()
    })));
    Vec::new()
}

/// A name for the query: `gmv_by_market_week`.
fn suggested(state: &State) -> String {
    let query = &state.query;
    let groups = query.group_by.iter().flatten().map(GroupBy::to_string);
    let groups: Vec<String> = groups.collect();
    let by = if groups.is_empty() { "" } else { "_by_" };
    let mut name = format!("{}{by}{}", query.metrics.join("_"), groups.join("_"));
    if state.catalog.registry.metric(&name).is_some() {
        name.push_str("_view");
    }
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

/// The field that takes the keys.
pub(super) fn field(state: &mut State) -> Option<&mut LineInput> {
    match state.popups.last_mut() {
        Some(Popup::Naming(naming)) => Some(if naming.in_description {
            &mut naming.description
        } else {
            &mut naming.name
        }),
        _ => None,
    }
}

/// The other field takes the keys.
pub(super) fn other_field(state: &mut State) -> Vec<Effect> {
    if let Some(Popup::Naming(naming)) = state.popups.last_mut() {
        naming.in_description = !naming.in_description;
    }
    Vec::new()
}

/// Saves the query under its name; one that is taken is replaced the second time.
pub(super) fn save(state: &mut State) -> Vec<Effect> {
    let Some(Popup::Naming(naming)) = state.popups.last_mut() else {
        return Vec::new();
    };
    let name = naming.name.text().trim().to_owned();
    if name.is_empty() {
        naming.trouble = Some("it needs a name".to_owned());
        naming.in_description = false;
        return Vec::new();
    }
    naming.is_saving = true;
    let replace = naming.taken();
    let view = SavedQuery {
        name,
        description: naming.description.text().trim().to_owned(),
        query: naming.query.clone(),
    };
    vec![Effect::SaveView { view, replace }]
}

/// The query was saved, or not; what was typed stays where it was not.
pub(super) fn saved(
    state: &mut State,
    name: String,
    outcome: Result<String, SessionError>,
) -> Vec<Effect> {
    let is_saving =
        |tab: &State| matches!(tab.popups.last(), Some(Popup::Naming(naming)) if naming.is_saving);
    let Some(tab) = state.find_tab(is_saving) else {
        state.notice = Some(match outcome {
            Ok(file) => said(state, &name, &file),
            Err(error) => Notice::Error(error.message),
        });
        return Vec::new();
    };
    match outcome {
        Ok(file) => {
            state.in_tab(tab, |state| drop(state.popups.pop()));
            state.notice = Some(said(state, &name, &file));
        }
        Err(error) => state.in_tab(tab, |state| {
            if let Some(Popup::Naming(naming)) = state.popups.last_mut() {
                naming.is_saving = false;
                naming.taken = (error.code() == TAKEN).then_some(name);
                let hint = error.hint().map(|hint| format!("; {hint}"));
                naming.trouble = Some(error.message.clone() + hint.as_deref().unwrap_or_default());
            }
        }),
    }
    Vec::new()
}

fn said(state: &State, name: &str, file: &str) -> Notice {
    let key = state.key(Action::Views);
    Notice::Info(format!("saved as {name} in {file} · {key} lists all"))
}

/// Brings the list of saved queries in step with the project.
pub(super) fn refresh(state: &mut State) {
    let offered = crate::tui::offers::views(state);
    let picker = picker::top(state).filter(|picker| picker.kind == PickerKind::Views);
    if let Some(picker) = picker {
        picker::fill(picker, offered);
    }
}
