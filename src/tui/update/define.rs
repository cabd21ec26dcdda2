//! The form that defines a metric: opening it, typing, choosing, asking for numbers, and writing the definition.

use crossterm::event::KeyEvent;
use indexmap::IndexMap;

use crate::govern::suggest::{Guess, Idea};
use crate::model::Status;
use crate::session::define::{Defined, FirstNumbers, KEPT};
use crate::session::{Failure, NotPublished, Published, SessionError};
use crate::tui::action::Action;
use crate::tui::define::{self, Define, DefineJob, DefineNews, First, Page, Row, Wish};
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::Popup;
use crate::tui::state::State;

fn top(state: &mut State) -> Option<&mut Define> {
    match state.popups.last_mut() {
        Some(Popup::Define(form)) => Some(form),
        _ => None,
    }
}

fn job(state: &mut State, job: DefineJob) -> (u64, Effect) {
    let generation = state.next_generation();
    (generation, Effect::Define { generation, job })
}

/// Whether the form is open.
pub(super) fn is_open(state: &State) -> bool {
    let mut popups = state.popups.iter();
    popups.any(|popup| matches!(popup, Popup::Define(_)))
}

/// Opens the form, and asks for what was typed the last time.
pub(in crate::tui) fn open(state: &mut State) -> Vec<Effect> {
    if define::open(state).is_some() {
        return Vec::new();
    }
    let form = Define::new(&Idea::default());
    state.popups.push(Popup::Define(Box::new(form)));
    let (_, effect) = job(state, DefineJob::Open);
    vec![effect]
}

/// News of what the form asked for.
pub(super) fn news(state: &mut State, generation: u64, news: DefineNews) -> Vec<Effect> {
    match news {
        DefineNews::Opened(kept) => opened(state, kept),
        DefineNews::Suggested(outcome) => suggested(state, generation, outcome),
        DefineNews::Numbers(outcome) => numbers(state, generation, outcome),
        DefineNews::Proposed(outcome) => proposed(state, generation, outcome),
        DefineNews::Written(status, outcome) => written(state, status, outcome),
    }
}

fn opened(state: &mut State, kept: Option<(Idea, String)>) -> Vec<Effect> {
    let Some((idea, when)) = kept else {
        return suggest(state);
    };
    let metric = state.catalog.registry.metrics.get(&idea.metric_name());
    let is_draft = metric.is_some_and(|metric| metric.status == Status::Draft);
    if let Some(form) = define::open(state).filter(|form| form.is_empty()) {
        form.fill(&idea);
        (form.is_draft, form.is_unwritten) = (is_draft, !is_draft);
        let key = state.key_here(Action::DefineNew);
        let text = format!("kept from before: typed at {when}, not published; {key} begins anew");
        state.notice = Some(Notice::Info(text));
    }
    suggest(state)
}

/// Asks for suggestions; one question at a time.
fn suggest(state: &mut State) -> Vec<Effect> {
    let Some(form) = define::open(state) else {
        return Vec::new();
    };
    if form.asking.is_some() {
        form.is_stale = true;
        return Vec::new();
    }
    form.is_stale = false;
    let (idea, history) = (form.idea(), form.history());
    if idea == Idea::default() {
        form.defined = None;
        return Vec::new();
    }
    let (generation, effect) = job(state, DefineJob::Suggest(Box::new(idea), history));
    if let Some(form) = define::open(state) {
        form.asking = Some(generation);
    }
    vec![effect]
}

fn suggested(
    state: &mut State,
    generation: u64,
    outcome: Result<Box<Defined>, SessionError>,
) -> Vec<Effect> {
    let Some(form) = define::open(state).filter(|form| form.asking == Some(generation)) else {
        return Vec::new();
    };
    form.asking = None;
    match outcome {
        // What was typed meanwhile asks for others.
        Ok(defined) => form.suggest(defined),
        Err(error) => state.notice = Some(Notice::Error(error.message)),
    }
    let Some(form) = define::open(state) else {
        return Vec::new();
    };
    if form.is_stale {
        return suggest(state);
    }
    match form.wish.take() {
        Some(Wish::Preview) => preview(state),
        Some(Wish::Write(status)) => write(state, status),
        None => Vec::new(),
    }
}

/// Files or the warehouse changed: perhaps other things are suggested.
pub(super) fn refresh(state: &mut State) -> Vec<Effect> {
    match define::open(state) {
        Some(_) => suggest(state),
        None => Vec::new(),
    }
}

/// A key that is no action goes into the text.
pub(super) fn typed(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    let is_wide = define::is_wide(state.size);
    match top(state) {
        Some(form) if form.is_typing() => {
            if !is_wide {
                form.page = Page::Form;
            }
            let changed = form.key(event);
            after(state, changed)
        }
        _ => Vec::new(),
    }
}

/// Pasted text goes into the text.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    match top(state) {
        Some(form) => {
            let changed = form.paste(text);
            after(state, changed)
        }
        None => Vec::new(),
    }
}

/// What is typed and chosen is kept, and asked about.
fn after(state: &mut State, changed: bool) -> Vec<Effect> {
    let Some(form) = define::open(state).filter(|_| changed) else {
        return Vec::new();
    };
    form.refusal = None;
    form.is_unwritten = true;
    let mut effects = vec![keep(&form.idea())];
    effects.extend(suggest(state));
    effects
}

fn keep(idea: &Idea) -> Effect {
    match serde_json::to_string(idea) {
        Ok(text) if *idea != Idea::default() => Effect::KeepDraft {
            path: KEPT.to_owned(),
            saved: String::new(),
            text,
        },
        _ => Effect::DropDraft(KEPT.to_owned()),
    }
}

/// What a key of the form does.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let is_wide = define::is_wide(state.size);
    let Some(form) = top(state) else {
        return Vec::new();
    };
    match action {
        Action::DefinePreview => return wish(state, Wish::Preview),
        Action::DefineDraft => return wish(state, Wish::Write(Status::Draft)),
        Action::DefinePublish => return wish(state, Wish::Write(Status::Published)),
        Action::DefinePage => form.next_page(is_wide),
        Action::DefineEnter if form.change.is_some() => {
            let changed = form.end_change();
            return after(state, changed);
        }
        Action::DefineEnter => form.step(1),
        // A rule that is not understood has nothing to take.
        Action::DefineToggle if form.offer().is_some_and(|offer| offer.text.is_empty()) => {
            return perform(state, Action::DefineChange);
        }
        Action::DefineToggle => {
            let changed = form.toggle();
            if !changed && form.offer().is_some() {
                let text = "there is nothing to choose: it is so".to_owned();
                state.notice = Some(Notice::Info(text));
            }
            return after(state, changed);
        }
        Action::DefineChange => {
            if let Err(reason) = form.begin_change() {
                state.notice = Some(Notice::Info(reason.to_owned()));
            }
        }
        Action::DefineModel => return propose(state),
        Action::DefineNew => {
            *form = Define::new(&Idea::default());
            return vec![Effect::DropDraft(KEPT.to_owned())];
        }
        _ => {}
    }
    Vec::new()
}

/// Does something as soon as there are suggestions for what is typed.
fn wish(state: &mut State, wish: Wish) -> Vec<Effect> {
    let Some(form) = top(state) else {
        return Vec::new();
    };
    let changed = form.end_change();
    let effects = after(state, changed);
    let Some(form) = top(state) else {
        return effects;
    };
    if form.asking.is_some() {
        form.wish = Some(wish);
        return effects;
    }
    match wish {
        Wish::Preview => preview(state),
        Wish::Write(status) => write(state, status),
    }
}

/// Asks the model what the rules mean that are not understood.
fn propose(state: &mut State) -> Vec<Effect> {
    let Some(form) = top(state).filter(|form| form.proposing.is_none()) else {
        return Vec::new();
    };
    let idea = form.idea();
    let (generation, effect) = job(state, DefineJob::Propose(Box::new(idea)));
    if let Some(form) = top(state) {
        form.proposing = Some(generation);
    }
    vec![effect]
}

fn proposed(
    state: &mut State,
    generation: u64,
    outcome: Result<IndexMap<String, Guess>, SessionError>,
) -> Vec<Effect> {
    let is_meant = |form: &&mut Define| form.proposing == Some(generation);
    let Some(form) = define::open(state).filter(is_meant) else {
        return Vec::new();
    };
    form.proposing = None;
    let notice = match outcome {
        Err(error) => {
            state.notice = Some(Notice::Error(error.message));
            return Vec::new();
        }
        Ok(guesses) if guesses.is_empty() => {
            Notice::Info("the model has nothing that these columns could say".to_owned())
        }
        Ok(guesses) => {
            form.guesses.extend(guesses);
            Notice::Info(
                "what the model proposes stands at the rules; none is taken yet".to_owned(),
            )
        }
    };
    state.notice = Some(notice);
    after(state, true)
}

fn preview(state: &mut State) -> Vec<Effect> {
    if let Some(step) = &state.preparing {
        state.notice = Some(Notice::Error(format!("no numbers yet: {step}")));
        return Vec::new();
    }
    let Some(form) = define::open(state) else {
        return Vec::new();
    };
    if let Some(reason) = form.obstacle() {
        state.notice = Some(Notice::Error(reason));
        return Vec::new();
    }
    let Some(defined) = form.defined.clone() else {
        return Vec::new();
    };
    let anyway = matches!(form.first, First::Failed(_, true));
    let mut effects = Vec::new();
    if let First::Running(earlier) = form.first {
        effects.push(Effect::Cancel(earlier));
    }
    let (generation, effect) = job(state, DefineJob::Numbers(defined, anyway));
    effects.push(effect);
    if let Some(form) = define::open(state) {
        form.first = First::Running(generation);
        form.page = Page::Numbers;
        form.offset = 0;
    }
    effects
}

fn numbers(
    state: &mut State,
    generation: u64,
    outcome: Result<Box<FirstNumbers>, SessionError>,
) -> Vec<Effect> {
    let is_meant =
        |form: &&mut Define| matches!(form.first, First::Running(wanted) if wanted == generation);
    let Some(form) = define::open(state).filter(is_meant) else {
        return Vec::new();
    };
    match outcome {
        Ok(first) => {
            form.first = First::Done(first);
            // They say what is usual, and so what may be checked.
            suggest(state)
        }
        Err(error) => {
            let dear = error.failure == Failure::Expensive;
            form.first = First::Failed(error.message, dear);
            Vec::new()
        }
    }
}

fn write(state: &mut State, status: Status) -> Vec<Effect> {
    let Some(form) = define::open(state) else {
        return Vec::new();
    };
    if let Some(reason) = form.obstacle() {
        state.notice = Some(Notice::Error(format!("not written: {reason}")));
        return Vec::new();
    }
    let Some(defined) = form.defined.clone().filter(|_| form.writing.is_none()) else {
        return Vec::new();
    };
    form.writing = Some(status);
    form.refusal = None;
    let (_, effect) = job(state, DefineJob::Write(defined, status));
    vec![effect]
}

fn written(
    state: &mut State,
    status: Status,
    outcome: Result<Published, NotPublished>,
) -> Vec<Effect> {
    let (publish, review) = (
        state.key_here(Action::DefinePublish),
        state.key(Action::Review),
    );
    let Some(form) = define::open(state) else {
        return Vec::new();
    };
    form.writing = None;
    let name = form.defined.as_ref().map(|defined| defined.name.clone());
    let name = name.unwrap_or_default();
    let published = match outcome {
        Ok(published) => published,
        Err(refusal) => {
            let hint = refusal.hint.iter().map(|hint| format!("; {hint}"));
            let text = format!(
                "not written: {}{}",
                refusal.message,
                hint.collect::<String>()
            );
            form.refusal = Some(refusal);
            state.notice = Some(Notice::Error(text));
            return suggest(state);
        }
    };
    form.is_unwritten = false;
    form.is_draft = status == Status::Draft;
    let mut effects = vec![Effect::Reload];
    let files = published.files.join(", ");
    let text = match status {
        Status::Draft => format!("{name} is saved as a draft in {files}; {publish} publishes it"),
        _ => format!("{name} is published in {files}; {review} reviews it"),
    };
    state.notice = Some(Notice::Info(text));
    match status {
        // Its file is another one now.
        Status::Draft => effects.extend(suggest(state)),
        _ => {
            effects.push(Effect::DropDraft(KEPT.to_owned()));
            // Where it can be reviewed with a key.
            state.finder.wanted = Some(name);
            state.finder.typing = false;
            state
                .popups
                .retain(|popup| !matches!(popup, Popup::Define(_)));
        }
    }
    effects
}

/// Moves in the form; where only a page is shown, scrolls it.
pub(super) fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    let is_wide = define::is_wide(state.size);
    let Some(form) = top(state) else {
        return Vec::new();
    };
    let changed =
        form.change.is_some() && matches!(action, Action::Up | Action::Down) && form.end_change();
    match action {
        Action::PageUp | Action::PageDown => {
            form.offset = form
                .offset
                .saturating_add_signed(super::act::rows(action, 8));
        }
        _ if !is_wide && form.page != Page::Form => {
            form.offset = form
                .offset
                .saturating_add_signed(super::act::rows(action, 8));
        }
        other => form.step(super::act::rows(other, 8)),
    }
    after(state, changed)
}

/// A click on a row.
pub(super) fn click(state: &mut State, row: Row) -> Vec<Effect> {
    let Some(form) = top(state) else {
        return Vec::new();
    };
    let again = form.row() == row && matches!(row, Row::Offer(_));
    form.go_to(row);
    match again {
        true => perform(state, Action::DefineToggle),
        false => Vec::new(),
    }
}

/// Esc: out of a change, of the numbers that are computed, of a page, then out of the form, which is kept.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    let is_wide = define::is_wide(state.size);
    let Some(form) = top(state) else {
        return Vec::new();
    };
    if form.change.take().is_some() {
        return Vec::new();
    }
    if let Some(generation) = form.proposing.take() {
        return vec![Effect::Cancel(generation)];
    }
    if let First::Running(generation) = form.first {
        form.first = First::No;
        return vec![Effect::Cancel(generation)];
    }
    if !is_wide && form.page != Page::Form {
        form.page = Page::Form;
        return Vec::new();
    }
    let asking = form.asking.map(Effect::Cancel);
    let is_kept = form.is_unwritten && !form.is_empty();
    let anew = state.key_here(Action::DefineNew);
    state.popups.pop();
    state.notice = is_kept.then(|| {
        let text = "what was typed is kept until it is published";
        Notice::Info(format!("{text}; {anew} in the form begins anew"))
    });
    asking.into_iter().collect()
}
