//! The review screen: opening it, going through it, and judging.

use std::collections::HashSet;

use crate::session::{
    Failure, Judgement, Judging, Published, Review, ReviewStage, Reviewed, SessionError, Weighed,
};
use crate::tui::action::Action;
use crate::tui::input::LineInput;
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::popup::Popup;
use crate::tui::reviewing::{Reviewing, Weighing, Wording};
use crate::tui::state::State;

/// The screen, also where something stands above it.
fn open_screen(state: &mut State) -> Option<&mut Reviewing> {
    let mut popups = state.popups.iter_mut().rev();
    popups.find_map(|popup| match popup {
        Popup::Review(open) => Some(open.as_mut()),
        _ => None,
    })
}

fn top(state: &mut State) -> Option<&mut Reviewing> {
    match state.popups.last_mut() {
        Some(Popup::Review(open)) => Some(open),
        _ => None,
    }
}

/// Opens the screen on what waits, or on the metric that is selected where that is not certified.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let selected = state.metric_here().map(str::to_owned);
    state.popups.push(Popup::Review(Box::new(Reviewing {
        origin: selected.clone(),
        selected,
        ..Reviewing::default()
    })));
    vec![state.ask(Lookup::Reviews)]
}

/// The list has come.
pub(super) fn listed(state: &mut State, found: Vec<Reviewed>, broken: Vec<String>) -> Vec<Effect> {
    let Some(open) = open_screen(state) else {
        return Vec::new();
    };
    let wanted = open.selected.clone();
    let is_wanted = |one: &Reviewed| Some(&one.name) == wanted.as_ref();
    let waits = |one: &Reviewed| one.stage.is_waiting();
    // What is chosen and not certified is what somebody came for, and what was just judged stays in sight.
    let is_open = |one: &Reviewed| one.stage == ReviewStage::Published || open.list.is_some();
    let is_elsewhere = found.iter().any(|one| is_wanted(one) && is_open(one))
        && !found.iter().any(|one| is_wanted(one) && waits(one));
    if is_elsewhere || !found.iter().any(waits) {
        open.all = true;
    }
    let mut list: Vec<Reviewed> = found;
    list.retain(|one| open.all || waits(one));
    // A metric stands once, and first of all as what is proposed for it.
    let mut seen = HashSet::new();
    list.retain(|one| seen.insert(one.name.clone()));
    let is_there = list.iter().any(is_wanted);
    if !is_there {
        open.selected = list.first().map(|one| one.name.clone());
    }
    open.list = Some(list);
    open.broken = broken;
    look(state)
}

/// Asks for what there is to know about the selected one.
fn look(state: &mut State) -> Vec<Effect> {
    let Some(open) = open_screen(state) else {
        return Vec::new();
    };
    match open.selected.clone() {
        Some(metric) => vec![state.ask(Lookup::Review(metric))],
        None => {
            open.review = None;
            Vec::new()
        }
    }
}

/// What there is to know has come.
pub(super) fn known(state: &mut State, review: Result<Box<Review>, String>) {
    if let Some(open) = open_screen(state) {
        open.review = Some(review);
    }
}

/// Files of the project changed.
pub(super) fn refresh(state: &mut State) -> Option<Effect> {
    open_screen(state)?;
    Some(state.ask(Lookup::Reviews))
}

/// Goes to another row, or through what is said about this one.
pub(super) fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(open) = top(state) else {
        return Vec::new();
    };
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        _ => {
            open.offset = open
                .offset
                .saturating_add_signed(super::act::rows(action, 8));
            return Vec::new();
        }
    };
    let list = open.list.as_deref().unwrap_or_default();
    let row = open
        .row()
        .saturating_add_signed(by)
        .min(list.len().saturating_sub(1));
    let wanted = list.get(row).map(|one| one.name.clone());
    if wanted == open.selected {
        return Vec::new();
    }
    open.selected = wanted;
    open.offset = 0;
    open.review = None;
    let mut effects = stop(open);
    effects.extend(look(state));
    effects
}

/// Computes no longer.
fn stop(open: &mut Reviewing) -> Vec<Effect> {
    match std::mem::take(&mut open.weighed) {
        Weighing::Running(generation) => vec![Effect::Cancel(generation)],
        _ => Vec::new(),
    }
}

/// What a key of the screen does.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::ReviewNumbers => weigh(state),
        Action::ReviewAll => {
            if let Some(open) = top(state) {
                open.all = !open.all;
                // What is not listed any more is not held on to.
                match open.all {
                    true if open.origin.is_some() => open.selected.clone_from(&open.origin),
                    true => {}
                    false => open.selected = None,
                }
            }
            vec![state.ask(Lookup::Reviews)]
        }
        Action::ReviewChange => change(state),
        Action::ReviewWrite => write(state),
        Action::ReviewApprove => word(state, Judgement::Approve),
        Action::ReviewReject => word(state, Judgement::Reject),
        Action::ReviewPublish => word(state, Judgement::Publish),
        Action::ReviewCertify => word(state, Judgement::Certify),
        _ => word(state, Judgement::Deprecate { successor: None }),
    }
}

/// Opens what is selected to be changed: a metric in author mode, a proposal in the editor.
fn change(state: &mut State) -> Vec<Effect> {
    let review = match top(state).and_then(|open| open.review.as_ref()) {
        Some(Ok(review)) => review,
        _ => return Vec::new(),
    };
    let metric = review.name.clone();
    match review.from {
        Some(_) => vec![Effect::Edit(
            crate::registry::Subject::named(&metric).proposal(),
            1,
        )],
        None => vec![state.ask(Lookup::Definition(metric))],
    }
}

/// Asks for the words of a judgement.
fn word(state: &mut State, judgement: Judgement) -> Vec<Effect> {
    if let Some(open) = top(state) {
        open.wording = Some(Wording {
            asks_successor: matches!(judgement, Judgement::Deprecate { .. }),
            judgement,
            input: LineInput::default(),
        });
    }
    Vec::new()
}

/// The text that is typed.
pub(super) fn field(state: &mut State) -> Option<&mut LineInput> {
    let wording = top(state)?.wording.as_mut()?;
    Some(&mut wording.input)
}

/// Esc: out of the words, then out of the screen.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    let Some(open) = top(state) else {
        return Vec::new();
    };
    if open.wording.take().is_some() {
        return Vec::new();
    }
    if let Weighing::Running(_) = open.weighed {
        return stop(open);
    }
    state.popups.pop();
    Vec::new()
}

/// Takes what is typed: the successor, then the reason; with that, the judgement is written.
fn write(state: &mut State) -> Vec<Effect> {
    let Some(open) = top(state) else {
        return Vec::new();
    };
    let Some(wording) = &mut open.wording else {
        return Vec::new();
    };
    let text = wording.input.text().trim().to_owned();
    if wording.asks_successor {
        wording.judgement = Judgement::Deprecate {
            successor: Some(text).filter(|text| !text.is_empty()),
        };
        wording.asks_successor = false;
        wording.input.set("");
        return Vec::new();
    }
    let (Some(wording), Some(Ok(review))) = (open.wording.take(), &open.review) else {
        return Vec::new();
    };
    let metric = review.name.clone();
    // What a rejected proposal means says nothing of the metric that is certified or deprecated meanwhile.
    let of_metric = matches!(
        wording.judgement,
        Judgement::Certify | Judgement::Deprecate { .. }
    );
    let is_same = review.stage != ReviewStage::Rejected || !of_metric;
    let seen = Some(review.meaning.clone()).filter(|meaning| is_same && !meaning.is_empty());
    let judging = Judging {
        name: metric,
        judgement: wording.judgement,
        seen,
        by: None,
        why: text,
        commit: None,
    };
    let generation = state.next_generation();
    if let Some(open) = top(state) {
        open.judging = Some(generation);
        open.done = judging.done();
    }
    vec![Effect::Judge {
        generation,
        judging: Box::new(judging),
    }]
}

/// Whether a judgement, or the numbers, of a generation are waited for.
pub(super) fn is_waiting(state: &State, generation: u64) -> bool {
    state.popups.iter().any(|popup| match popup {
        Popup::Review(open) => {
            open.judging == Some(generation)
                || matches!(open.weighed, Weighing::Running(wanted) if wanted == generation)
        }
        _ => false,
    })
}

/// The judgement was written, or not.
pub(super) fn judged(state: &mut State, outcome: Result<Published, SessionError>) -> Vec<Effect> {
    let mut done = None;
    if let Some(open) = open_screen(state) {
        open.judging = None;
        open.weighed = Weighing::No;
        done = Some(std::mem::take(&mut open.done));
    }
    match outcome {
        Ok(published) => {
            let done = done.map(|done| format!("{done}; ")).unwrap_or_default();
            let files = published.files.join(", ");
            state.notice = Some(Notice::Info(format!("{done}wrote {files}")));
            vec![Effect::Reload, state.ask(Lookup::Reviews)]
        }
        Err(error) => {
            let hint = error.hint().map(|hint| format!(" ({hint})"));
            let text = format!("nothing was written: {error}{}", hint.unwrap_or_default());
            state.notice = Some(Notice::Error(text));
            Vec::new()
        }
    }
}

/// Computes the numbers before and after, and runs the checks; once more where that looked expensive, however it looks.
fn weigh(state: &mut State) -> Vec<Effect> {
    if let Some(step) = &state.preparing {
        state.notice = Some(Notice::Error(format!("no numbers yet: {step}")));
        return Vec::new();
    }
    let generation = state.next_generation();
    let Some(open) = top(state) else {
        return Vec::new();
    };
    let Some(Ok(review)) = &open.review else {
        return Vec::new();
    };
    let request = Box::new(review.numbers.clone());
    let is_expensive = |error: &SessionError| error.failure == Failure::Expensive;
    let anyway = matches!(&open.weighed, Weighing::Failed(error) if is_expensive(error));
    let mut effects = stop(open);
    open.weighed = Weighing::Running(generation);
    effects.push(Effect::Weigh {
        generation,
        request,
        anyway,
    });
    effects
}

/// The numbers have come.
pub(super) fn weighed(state: &mut State, outcome: Result<Box<Weighed>, SessionError>) {
    if let Some(open) = open_screen(state) {
        open.weighed = match outcome {
            Ok(weighed) => Weighing::Done(weighed),
            Err(error) => Weighing::Failed(error),
        };
    }
}
