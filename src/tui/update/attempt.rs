//! A change that is made only where it compiles: else the query stays as it was, and why is said.

use std::sync::Arc;

use super::{query, result, steps};
use crate::compile::{CompileError, Compiled};
use crate::model::MetricQuery;
use crate::tui::message::{Effect, Notice};
use crate::tui::state::{Attempt, Focus, State};

/// Steps down to this query and runs it.
pub(super) fn step(state: &mut State, words: String, changed: MetricQuery) -> Vec<Effect> {
    let effects = steps::push_step(state, words, changed);
    state.attempt = Some(Attempt {
        query: state.query.clone(),
        run: true,
        is_step: true,
    });
    effects
}

/// Makes this the query; it is run where a result is being looked at.
pub(super) fn make(state: &mut State, changed: MetricQuery) -> Vec<Effect> {
    if changed == state.query {
        return Vec::new();
    }
    let effects = query::set(state, changed);
    state.attempt = Some(Attempt {
        query: state.query.clone(),
        run: state.result.grid.is_some() && state.focus == Focus::Result,
        is_step: false,
    });
    effects
}

/// The SQL was written, or refused: the change is kept and run, or taken back.
pub(super) fn compiled(
    state: &mut State,
    outcome: Result<Arc<Compiled>, CompileError>,
) -> Vec<Effect> {
    let refused = outcome.as_ref().err().map(said);
    query::compiled(state, outcome);
    let is_of =
        |attempt: &Attempt| attempt.query == state.query && attempt.query == state.preview.query;
    let Some(attempt) = state.attempt.take().filter(is_of) else {
        return Vec::new();
    };
    match refused {
        None if attempt.run => result::run(state, false),
        None => Vec::new(),
        Some(why) => {
            let effects = steps::take_back(state, attempt.is_step);
            state.notice = Some(Notice::Error(why));
            effects
        }
    }
}

fn said(error: &CompileError) -> String {
    match &error.hint {
        Some(hint) => format!("not possible: {}; {hint}", error.message),
        None => format!("not possible: {}", error.message),
    }
}
