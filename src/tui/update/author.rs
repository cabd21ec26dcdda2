//! Author mode: opening a file, typing in it, saving it, and asking what the change does.

use std::ops::Range;

use crossterm::event::KeyEvent;

use super::expense;
use crate::session::{Change, DefinitionFile, Draft, Failure, NotSaved, SessionError, Unsaved};
use crate::tui::action::Action;
use crate::tui::author::{Author, Measured, Shows};
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::popup::{Answered, Expensive, Popup, Question};
use crate::tui::state::State;

fn top(state: &mut State) -> Option<&mut Author> {
    match state.popups.last_mut() {
        Some(Popup::Author(author)) => Some(author),
        _ => None,
    }
}

/// The file that is being changed, also where a question stands above it.
fn open_file(state: &mut State) -> Option<&mut Author> {
    state.popups.iter_mut().rev().find_map(|popup| match popup {
        Popup::Author(author) => Some(author.as_mut()),
        _ => None,
    })
}

/// Opens the file of a metric.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.metric_here().map(str::to_owned) {
        Some(metric) => vec![state.ask(Lookup::Definition(metric))],
        None => Vec::new(),
    }
}

/// The file was read: for the first time, or again because files changed.
pub(super) fn opened(state: &mut State, file: Result<DefinitionFile, String>) -> Vec<Effect> {
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            state.notice = Some(Notice::Error(error));
            return Vec::new();
        }
    };
    match open_file(state) {
        Some(author) if author.path == file.path => {
            if author.text() == file.text {
                author.saved = file.text;
                author.conflict = false;
            } else if !author.is_changed() {
                author.load(file.text);
            } else if author.saved != file.text && author.saving.is_none() {
                author.conflict = true;
            }
        }
        _ => {
            let unsaved = file.unsaved.clone();
            let text = file.text.clone();
            let author = Author::new(file);
            state.popups.push(Popup::Author(Box::new(author)));
            if let Some(unsaved) = unsaved {
                offer(state, unsaved, &text);
            }
        }
    }
    draft(state).into_iter().collect()
}

/// Offers what was typed the last time.
fn offer(state: &mut State, unsaved: Box<Unsaved>, file: &str) {
    let Unsaved { path, saved, .. } = &*unsaved;
    let since = match saved == file {
        true => "",
        false => " The file has changed since.",
    };
    let text = format!(
        "A draft of {path} from {} was not saved.{since} Go on with it? (n drops it, Esc leaves it for later)",
        unsaved.when()
    );
    let yes = Answered::TakeDraft(unsaved);
    state.popups.push(Popup::Question(Question { text, yes }));
}

/// Goes on with what was typed the last time.
pub(super) fn take_draft(state: &mut State, unsaved: Unsaved) -> Vec<Effect> {
    if let Some(author) = top(state) {
        author.take(unsaved);
    }
    draft(state).into_iter().collect()
}

/// A no to what is asked.
pub(super) fn refuse(state: &mut State) -> Vec<Effect> {
    match state.popups.pop() {
        Some(Popup::Question(Question {
            yes: Answered::TakeDraft(unsaved),
            ..
        })) => vec![Effect::DropDraft(unsaved.path)],
        _ => Vec::new(),
    }
}

/// Neither yes nor no: what was typed the last time stays where it is, so nothing may be typed in its place.
pub(super) fn leave_draft(state: &mut State) -> bool {
    let is_offered = matches!(
        state.popups.last(),
        Some(Popup::Question(Question {
            yes: Answered::TakeDraft(_),
            ..
        }))
    );
    if is_offered {
        state.popups.pop();
        state.popups.pop();
        state.notice = Some(Notice::Info("the draft is kept for later".to_owned()));
    }
    is_offered
}

/// Closes the file; what was typed is dropped.
pub(super) fn drop_draft(state: &mut State) -> Vec<Effect> {
    match state.popups.pop() {
        Some(Popup::Author(author)) => vec![Effect::DropDraft(author.path)],
        _ => Vec::new(),
    }
}

/// Keeps what is typed, as long as it is not what is saved.
fn keep(author: &Author) -> Effect {
    let path = author.path.clone();
    match author.is_changed() {
        true => Effect::KeepDraft {
            path,
            saved: author.saved.clone(),
            text: author.text(),
        },
        false => Effect::DropDraft(path),
    }
}

/// Files of the project changed: perhaps this one too.
pub(super) fn refresh(state: &mut State) -> Option<Effect> {
    let metric = open_file(state)?.metric.clone();
    let registry = &state.catalog.registry;
    if registry.metric(&metric).is_none() {
        // While its definition is broken, the file is not found by it.
        return draft(state);
    }
    Some(state.ask(Lookup::Definition(metric)))
}

/// Asks what the text means.
fn draft(state: &mut State) -> Option<Effect> {
    let author = open_file(state)?;
    let lookup = Lookup::Draft {
        metric: author.metric.clone(),
        path: author.path.clone(),
        text: author.text(),
    };
    Some(state.ask(lookup))
}

/// What the text means has come.
pub(super) fn drafted(state: &mut State, draft: Draft) {
    if let Some(author) = open_file(state) {
        author.draft = Some(draft);
    }
}

/// A key that is no action goes into the text.
pub(super) fn typed(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    match top(state) {
        Some(author) if author.typing => {
            let changed = author.key(event);
            after(state, changed)
        }
        _ => Vec::new(),
    }
}

/// Pasted text goes into the text.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    match top(state) {
        Some(author) => {
            author.typing = true;
            let changed = author.paste(text);
            after(state, changed)
        }
        None => Vec::new(),
    }
}

/// Other lines take the place of some.
pub(super) fn replace(state: &mut State, lines: Range<usize>, with: &[String]) -> Vec<Effect> {
    match top(state) {
        Some(author) => {
            let changed = author.replace(lines, with);
            after(state, changed)
        }
        None => Vec::new(),
    }
}

fn after(state: &mut State, changed: bool) -> Vec<Effect> {
    if !changed {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if let Some(author) = top(state) {
        author.shows = Shows::Meaning;
        author.offset = 0;
        effects.push(keep(author));
    }
    effects.extend(draft(state));
    effects
}

/// What a key of author mode does.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::AuthorSave => return save(state, false),
        Action::AuthorNumbers => return measure(state, None, false),
        Action::AuthorBy => return next_dimension(state),
        Action::AuthorEditor => return editor(state),
        _ => {}
    }
    let Some(author) = top(state) else {
        return Vec::new();
    };
    match action {
        Action::AuthorIndent => {
            let changed = author.indent();
            return after(state, changed);
        }
        Action::AuthorType => author.typing = true,
        Action::AuthorShows => {
            author.offset = 0;
            author.shows = match author.shows {
                Shows::Meaning => Shows::Numbers,
                Shows::Numbers => Shows::Meaning,
            };
        }
        _ => {}
    }
    Vec::new()
}

/// Scrolls what is said about the text.
pub(super) fn scroll(state: &mut State, lines: isize) {
    if let Some(author) = top(state) {
        author.offset = author.offset.saturating_add_signed(lines);
    }
}

/// Esc: out of the text, then out of the file; what is not saved is asked about.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    let Some(author) = top(state) else {
        return Vec::new();
    };
    if let Measured::Running(generation) = author.measured {
        author.measured = Measured::No;
        return vec![Effect::Cancel(generation)];
    }
    if author.typing {
        author.typing = false;
    } else if author.is_changed() {
        let text = format!("{} is changed and not saved. Drop the change?", author.path);
        let yes = Answered::DropDraft;
        state.popups.push(Popup::Question(Question { text, yes }));
    } else {
        state.popups.pop();
    }
    Vec::new()
}

/// Writes the file; where it is not what it was, only after a yes.
pub(super) fn save(state: &mut State, anyway: bool) -> Vec<Effect> {
    let Some(author) = top(state) else {
        return Vec::new();
    };
    let text = author.text();
    author.saving = Some(text.clone());
    let lookup = Lookup::Save {
        path: author.path.clone(),
        known: (!anyway).then(|| author.saved.clone()),
        text,
    };
    vec![state.ask(lookup)]
}

/// The file was written, or not.
pub(super) fn saved(state: &mut State, outcome: Result<(), NotSaved>) -> Vec<Effect> {
    let Some(author) = open_file(state) else {
        return Vec::new();
    };
    let text = author.saving.take();
    let path = author.path.clone();
    match (outcome, text) {
        (Ok(()), Some(text)) => {
            author.saved = text;
            author.conflict = false;
            let mut effects = vec![keep(author), Effect::Reload];
            state.notice = Some(Notice::Info(format!("saved {path}")));
            effects.extend(measure(state, None, false));
            effects
        }
        (Err(NotSaved::Changed), _) => {
            author.conflict = true;
            let text =
                format!("{path} was changed by somebody else since it was opened. Write over it?");
            let yes = Answered::OverwriteFile;
            state.popups.push(Popup::Question(Question { text, yes }));
            Vec::new()
        }
        (Err(NotSaved::Failed(reason)), _) => {
            state.notice = Some(Notice::Error(format!("not saved: {reason}")));
            Vec::new()
        }
        (Ok(()), None) => Vec::new(),
    }
}

/// Computes the numbers before and after.
pub(super) fn measure(state: &mut State, dimension: Option<String>, anyway: bool) -> Vec<Effect> {
    if let Some(step) = &state.preparing {
        state.notice = Some(Notice::Error(format!("no numbers yet: {step}")));
        return Vec::new();
    }
    let generation = state.next_generation();
    let Some(author) = open_file(state) else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    if let Measured::Running(earlier) = author.measured {
        effects.push(Effect::Cancel(earlier));
    }
    author.by.clone_from(&dimension);
    let request = author.request(dimension);
    author.measured = Measured::Running(generation);
    author.shows = Shows::Numbers;
    author.offset = 0;
    effects.push(Effect::Measure {
        generation,
        request,
        anyway,
    });
    effects
}

/// Compares by the next dimension.
fn next_dimension(state: &mut State) -> Vec<Effect> {
    let Some(author) = top(state) else {
        return Vec::new();
    };
    let next = match &author.measured {
        Measured::Done(_, change) => {
            let now = change.dimension.as_ref();
            let at = change.dimensions.iter().position(|name| Some(name) == now);
            let next = at.map_or(0, |at| at + 1) % change.dimensions.len().max(1);
            change.dimensions.get(next).cloned()
        }
        _ => None,
    };
    measure(state, next, false)
}

/// Whether the numbers of a generation are waited for.
pub(super) fn is_measuring(state: &State, generation: u64) -> bool {
    state.popups.iter().any(|popup| match popup {
        Popup::Author(author) => {
            matches!(author.measured, Measured::Running(wanted) if wanted == generation)
        }
        _ => false,
    })
}

/// The numbers have come.
pub(super) fn measured(state: &mut State, outcome: Result<Box<Change>, SessionError>) {
    let Some(author) = open_file(state) else {
        return;
    };
    match outcome {
        Ok(change) => author.measured = Measured::Done(author.text(), change),
        Err(error) => {
            author.measured = Measured::Failed(error.clone());
            if error.failure == Failure::Expensive {
                let by = author.by.clone();
                expense::ask(state, &error, Expensive::Change(by));
            }
        }
    }
}

/// Opens the file in the user's editor, at the line of the cursor.
fn editor(state: &mut State) -> Vec<Effect> {
    let Some(author) = top(state) else {
        return Vec::new();
    };
    if author.is_changed() {
        let key = state.key(Action::AuthorSave);
        state.notice = Some(Notice::Error(format!(
            "save first ({key}): the editor opens the file as it is on disk"
        )));
        return Vec::new();
    }
    let line = u32::try_from(author.cursor().0 + 1).unwrap_or(1);
    vec![Effect::Edit(author.path.clone(), line)]
}
