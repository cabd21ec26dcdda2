//! The window that shows how a metric is spread: opened, moved in, across another dimension, and left for an outlier.

use super::query;
use crate::compile::NumberOf;
use crate::model::MetricQuery;
use crate::session::plot::Spread;
use crate::session::{Failure, SessionError};
use crate::tui::action::Action;
use crate::tui::look::{Look, LookAt};
use crate::tui::message::{Effect, Notice};
use crate::tui::popup::Popup;
use crate::tui::spread::{SpreadWindow, groupings, query_across, query_here};
use crate::tui::state::{Phase, State};

/// Opens the window on the metric under the cursor.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some(query) = query_here(state) else {
        return Vec::new();
    };
    let across = groupings(state, &query);
    let Some(first) = across.first() else {
        let why = "the metric reaches no dimension to be spread across".to_owned();
        state.notice = Some(Notice::Error(why));
        return Vec::new();
    };
    let look = look(&query_across(&query, first));
    let generation = state.next_generation();
    state.popups.push(Popup::Spread(Box::new(SpreadWindow {
        query,
        look: look.clone(),
        generation,
        across,
        at: 0,
        spread: None,
        selected: 0,
        phase: Phase::Running(state.now),
    })));
    vec![Effect::Look {
        generation,
        look,
        anyway: false,
    }]
}

fn look(query: &MetricQuery) -> Look {
    Look {
        query: query.clone(),
        number: NumberOf::default(),
        at: LookAt::Spread,
    }
}

/// Across the next dimension, or the one before.
pub(super) fn turn(state: &mut State, forth: bool) -> Vec<Effect> {
    let generation = state.next_generation();
    let now = state.now;
    let Some(window) = top(state) else {
        return Vec::new();
    };
    let count = window.across.len().max(1);
    let at = (window.at + if forth { 1 } else { count - 1 }) % count;
    let Some(across) = window.across.get(at) else {
        return Vec::new();
    };
    let look = look(&query_across(&window.query, across));
    window.at = at;
    window.look = look.clone();
    window.generation = generation;
    window.spread = None;
    window.selected = 0;
    window.phase = Phase::Running(now);
    vec![Effect::Look {
        generation,
        look,
        anyway: false,
    }]
}

/// Moves in the outliers; sideways to another dimension.
pub(super) fn moved(state: &mut State, action: Action) -> Vec<Effect> {
    if matches!(action, Action::Left | Action::Right) {
        return turn(state, action == Action::Right);
    }
    let by = super::act::rows(action, 5);
    if let Some(window) = top(state) {
        let count = window
            .spread
            .as_ref()
            .map_or(0, |spread| spread.outliers.len());
        let to = window.selected.saturating_add_signed(by);
        window.selected = to.min(count.saturating_sub(1));
    }
    Vec::new()
}

/// Restricts the query to the selected outlier.
pub(super) fn take(state: &mut State) -> Vec<Effect> {
    let Some(changed) = top(state).and_then(|window| window.of_outlier()) else {
        state.notice = Some(Notice::Error("no outlier is selected".to_owned()));
        return Vec::new();
    };
    state.popups.pop();
    query::set(state, changed)
}

/// Takes what was found out.
pub(super) fn news(window: &mut SpreadWindow, outcome: Result<Box<Spread>, SessionError>) {
    match outcome {
        Ok(spread) => {
            window.spread = Some(spread);
            window.phase = Phase::Idle;
        }
        Err(error) if error.failure == Failure::Interrupted => window.phase = Phase::Idle,
        Err(error) => window.phase = Phase::Failed(error),
    }
}

fn top(state: &mut State) -> Option<&mut SpreadWindow> {
    match state.popups.last_mut() {
        Some(Popup::Spread(window)) => Some(window),
        _ => None,
    }
}
