//! The window on why a number moved: opened, moved in, and left for the query of a hypothesis.

use super::attempt;
use crate::compile::NumberOf;
use crate::model::MetricQuery;
use crate::session::why::Why;
use crate::session::{Failure, SessionError};
use crate::tui::action::Action;
use crate::tui::look::{Look, LookAt};
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::Popup;
use crate::tui::state::State;
use crate::tui::why::{WhyPane, question_here};

/// Opens the window on the number under the cursor.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let query = match question_here(state) {
        Ok(query) => query,
        Err(reason) => {
            state.notice = Some(Notice::Error(reason.into_owned()));
            return Vec::new();
        }
    };
    look_into(state, query)
}

/// Opens the window on a question; the same one again as it was left.
pub(super) fn look_into(state: &mut State, query: MetricQuery) -> Vec<Effect> {
    let kept = state.why.take().filter(|kept| kept.query == query);
    let generation = state.next_generation();
    let mut pane = kept.unwrap_or_else(|| {
        Box::new(WhyPane {
            query: query.clone(),
            generation,
            why: None,
            is_running: true,
            selected: 0,
            top: 0,
            offset: 0,
        })
    });
    let is_done = matches!(&pane.why, Some(Ok(why)) if why.is_done);
    pane.generation = generation;
    pane.is_running = !is_done;
    let resume = pane.known().is_some();
    state.popups.push(Popup::Why(pane));
    match is_done {
        true => Vec::new(),
        false => vec![ask(generation, query, resume, false)],
    }
}

fn ask(generation: u64, query: MetricQuery, resume: bool, anyway: bool) -> Effect {
    Effect::Look {
        generation,
        look: Look {
            query,
            number: NumberOf::default(),
            at: LookAt::Why { resume },
        },
        anyway,
    }
}

/// Closes the window; what it knows is kept for the same question.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    if let Some(Popup::Why(pane)) = state.popups.pop() {
        state.why = Some(pane);
    }
    Vec::new()
}

/// Runs the query of the selected hypothesis in the explorer.
pub(super) fn run(state: &mut State) -> Vec<Effect> {
    let node = top(state).and_then(|pane| pane.node());
    let Some((line, words)) = node.map(|node| (node.line.clone(), node.hypothesis.clone())) else {
        return Vec::new();
    };
    match line.parse::<MetricQuery>() {
        Ok(query) => {
            close(state);
            attempt::step(state, words, query)
        }
        Err(error) => {
            state.notice = Some(Notice::Error(error.to_string()));
            Vec::new()
        }
    }
}

/// Moves in the tree, or in the evidence by pages.
pub(super) fn moved(state: &mut State, action: Action) {
    let Some(pane) = top(state) else { return };
    let last = pane.rows().len().saturating_sub(1);
    let selected = match action {
        Action::Up => pane.selected.saturating_sub(1),
        Action::Down => (pane.selected + 1).min(last),
        Action::First => 0,
        Action::Last => last,
        _ => {
            let by = super::act::rows(action, 8);
            pane.offset = pane.offset.saturating_add_signed(by);
            return;
        }
    };
    if selected != pane.selected {
        pane.selected = selected;
        pane.offset = 0;
    }
}

/// It has come so far.
pub(super) fn found(pane: &mut WhyPane, why: Box<Why>, is_end: bool) {
    // The selection stays with its hypothesis while others come in above.
    let line = pane
        .node()
        .map(|node| (node.line.clone(), node.hypothesis.clone()));
    pane.why = Some(Ok(why));
    pane.is_running = !is_end;
    if let Some(line) = line {
        let place = pane
            .rows()
            .iter()
            .position(|(_, node)| (&node.line, &node.hypothesis) == (&line.0, &line.1));
        pane.selected = place.unwrap_or(0);
    }
}

/// It failed, or was cancelled; what was known stays.
pub(super) fn failed(pane: &mut WhyPane, error: SessionError) {
    pane.is_running = false;
    if error.failure != Failure::Interrupted || pane.why.is_none() {
        pane.why = Some(Err(error));
    }
}

/// Looks into it once more, however expensive that is.
pub(super) fn again(pane: &mut WhyPane, generation: u64) {
    pane.generation = generation;
    pane.why = None;
    pane.is_running = true;
}

fn top(state: &mut State) -> Option<&mut WhyPane> {
    match state.popups.last_mut() {
        Some(Popup::Why(pane)) => Some(pane),
        _ => None,
    }
}
