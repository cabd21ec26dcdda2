//! Ways back: undo and redo of the query, and the steps that led down to it.

use super::{query, result};
use crate::model::MetricQuery;
use crate::tui::message::{Effect, Slot};
use crate::tui::moment::{self, Moment, Step};
use crate::tui::state::{Focus, State};

/// Most moments kept to go back to.
const PAST: usize = 100;

/// Keeps the present moment to come back to; what was undone is given up.
pub(super) fn remember(state: &mut State) {
    state.past.push(Moment::of(state));
    if state.past.len() > PAST {
        state.past.remove(0);
    }
    state.future.clear();
}

/// Back to the query before.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    let now = Moment::of(state);
    let Some(before) = state.past.pop() else {
        return Vec::new();
    };
    state.future.push(now);
    restore(state, before)
}

/// Forth to the query that was undone.
pub(super) fn redo(state: &mut State) -> Vec<Effect> {
    let now = Moment::of(state);
    let Some(after) = state.future.pop() else {
        return Vec::new();
    };
    state.past.push(now);
    restore(state, after)
}

/// Takes back the last change (or step), which could not be made: nothing of it is kept to be redone.
pub(super) fn take_back(state: &mut State, is_step: bool) -> Vec<Effect> {
    if is_step {
        state.trail.pop();
    }
    if let Some(before) = state.past.pop() {
        state.query = before.query;
        state.origin = before.origin;
    }
    query::arrived(state)
}

fn restore(state: &mut State, moment: Moment) -> Vec<Effect> {
    state.query = moment.query;
    state.origin = moment.origin;
    state.trail = moment.trail;
    query::arrived(state)
}

/// Steps down to a query, chosen in these words from the present one, which is kept with its rows and the cursor in
/// them for [`step_back`]. Whoever calls this runs the query.
pub(super) fn push_step(state: &mut State, words: String, query: MetricQuery) -> Vec<Effect> {
    remember(state);
    state.trail.push(Step::from(state, words, query.clone()));
    moment::let_go(&mut state.trail);
    state.query = query;
    query::arrived(state)
}

/// Back to the query before the last step: to the rows it had where they are still kept, else it is run again.
pub(super) fn step_back(state: &mut State) -> Vec<Effect> {
    if state.trail.is_empty() {
        return Vec::new();
    }
    remember(state);
    let Some(step) = state.trail.pop() else {
        return Vec::new();
    };
    state.query = step.query;
    state.origin = step.origin;
    let mut effects = query::arrived(state);
    let Some(rows) = step.rows else {
        effects.extend(result::run(state, false));
        return effects;
    };
    effects.extend(result::cancel(state));
    for slot in [Slot::Sort, Slot::Find, Slot::Write] {
        state.forget(slot);
    }
    state.result = *rows;
    effects.extend(super::act::focus(state, Focus::Result));
    effects
}
