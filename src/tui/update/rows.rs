//! Which rows of the result are shown, and how they lie: filtered, pivoted.

use super::beside;
use crate::tui::action::Action;
use crate::tui::beside::Wanted;
use crate::tui::message::{Effect, Lookup, Notice, Slot};
use crate::tui::state::State;
use crate::tui::widgets::grid::{Filtered, Pivoted};

/// Starts typing a filter.
pub(super) fn open(state: &mut State) {
    state.result.finding = false;
    state.result.filtering = true;
}

/// The filter was typed, or rows came that it was not asked of: asks for the rows that it keeps.
pub(super) fn ask(state: &mut State) -> Vec<Effect> {
    let text = state.result.filter.text().to_owned();
    let Some(grid) = &mut state.result.grid else {
        return Vec::new();
    };
    let job = grid.filter_request(&text);
    // An order of all rows is none of those that are kept.
    state.forget(Slot::Sort);
    match job {
        Some(job) => vec![state.ask(Lookup::Filter(job))],
        None => {
            state.forget(Slot::Filter);
            beside::regroup(state)
        }
    }
}

/// Shows all rows again.
pub(super) fn clear(state: &mut State) -> Vec<Effect> {
    state.result.filtering = false;
    if state.result.filter.is_empty() {
        return Vec::new();
    }
    state.result.filter.set("");
    ask(state)
}

/// The rows were filtered.
pub(super) fn filtered(state: &mut State, outcome: Result<Filtered, String>) -> Vec<Effect> {
    match (outcome, &mut state.result.grid) {
        (Ok(filtered), Some(grid)) => {
            grid.filter(filtered);
        }
        (Err(error), _) => state.notice = Some(Notice::Error(format!("not filtered: {error}"))),
        _ => {}
    }
    beside::regroup(state)
}

/// Makes columns of the values of the selected group, or rows again.
pub(super) fn pivot(state: &mut State) -> Vec<Effect> {
    for slot in [Slot::Sort, Slot::Find, Slot::Group, Slot::Filter] {
        state.forget(slot);
    }
    let mut effects: Vec<Effect> = beside::cancel(state).into_iter().collect();
    match state.result.grid.take() {
        Some(grid) if grid.is_pivoted() => {
            state.result.filter.set("");
            let flat = grid.unpivot();
            let kept = flat.table().kept().map(|kept| kept.text.clone());
            state.result.filter.set(&kept.unwrap_or_default());
            state.result.grid = Some(flat);
        }
        Some(grid) => {
            let job = grid.pivot_request();
            state.result.grid = Some(grid);
            match job {
                Ok(job) => effects.push(state.ask(Lookup::Pivot(job))),
                Err(why) => state.notice = Some(Notice::Error(format!("not pivoted: {why}"))),
            }
        }
        None => {}
    }
    effects
}

/// The columns were made; with totals where the rows had some, or the query asks for them.
pub(super) fn pivoted(state: &mut State, outcome: Result<Box<Pivoted>, String>) -> Vec<Effect> {
    let pivoted = match outcome {
        Ok(pivoted) => pivoted,
        Err(why) => {
            state.notice = Some(Notice::Error(format!("not pivoted: {why}")));
            return Vec::new();
        }
    };
    let Some(flat) = state.result.grid.take() else {
        return Vec::new();
    };
    // Subtotals that are on their way would be of rows that lie otherwise now.
    let awaits = matches!(state.result.beside, Some((_, Wanted::Subtotals)));
    let has_totals = awaits || flat.wants_subtotals() || state.result.query.total;
    let mut effects: Vec<Effect> = beside::cancel(state).into_iter().collect();
    state.result.filter.set("");
    state.result.grid = Some(flat.pivoted(*pivoted));
    if has_totals {
        effects.extend(beside::subtotals(state));
        return effects;
    }
    let (totals, back) = (state.key(Action::Subtotals), state.key(Action::Pivot));
    state.notice = Some(Notice::Info(format!(
        "pivoted; {totals} adds totals, {back} brings the rows back"
    )));
    effects
}
