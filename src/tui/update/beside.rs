//! What the engine computes beside the rows of the result: subtotals between them, trends in them.

use std::sync::Arc;

use super::expense;
use crate::session::{Failure, SessionError, subtotal_queries, total_queries, trend_query};
use crate::tui::action::Action;
use crate::tui::beside::{Beside, BesideJob, Wanted};
use crate::tui::message::{Effect, Lookup, Notice, Slot};
use crate::tui::popup::Expensive;
use crate::tui::state::State;
use crate::tui::widgets::grid::{Grid, Grouped, Progress};

/// Puts subtotals between the rows, or totals around a pivoted result; or takes them away.
pub(super) fn subtotals(state: &mut State) -> Vec<Effect> {
    let Some(grid) = &mut state.result.grid else {
        return Vec::new();
    };
    if let Some(column) = grid.pivoted_by() {
        if grid.hide_totals() {
            return Vec::new();
        }
        return ask(state, Wanted::Totals(column), false);
    }
    if grid.wants_subtotals() {
        grid.set_subtotals(None);
        return Vec::new();
    }
    ask(state, Wanted::Subtotals, false)
}

/// Shows the trend of each row, or none.
pub(super) fn trends(state: &mut State) -> Vec<Effect> {
    let Some(grid) = &mut state.result.grid else {
        return Vec::new();
    };
    if grid.trend().is_some() {
        grid.set_trend(None);
        return Vec::new();
    }
    ask(state, Wanted::Trend, false)
}

/// Asks the warehouse.
pub(super) fn ask(state: &mut State, wanted: Wanted, anyway: bool) -> Vec<Effect> {
    let job = match job(state, wanted) {
        Ok(job) => job,
        Err(why) => return refused(state, wanted, &why),
    };
    let mut effects: Vec<Effect> = cancel(state).into_iter().collect();
    let generation = state.next_generation();
    state.result.beside = Some((generation, wanted));
    state.notice = Some(Notice::Info(format!(
        "asking the warehouse for {} · {} cancels",
        words(wanted),
        state.key_here(Action::Back)
    )));
    effects.push(Effect::Beside {
        generation,
        job,
        anyway,
    });
    effects
}

/// Waits no more for what was asked.
pub(super) fn cancel(state: &mut State) -> Option<Effect> {
    let (generation, _) = state.result.beside.take()?;
    Some(Effect::Cancel(generation))
}

/// Whether an answer of this generation is waited for.
pub(super) fn is_waiting(state: &State, generation: u64) -> bool {
    matches!(state.result.beside, Some((wanted, _)) if wanted == generation)
}

/// What is to be asked, or why not, as far as that is known without asking.
fn job(state: &State, wanted: Wanted) -> Result<BesideJob, String> {
    let compiled = state.result.compiled.as_ref().ok_or("there is no query")?;
    let grid = state.result.grid.as_ref().ok_or("there is no result")?;
    if state.result.catalog != state.catalog.generation {
        let key = state.key(Action::Run);
        return Err(format!(
            "the definitions have changed since the run; {key} runs it again"
        ));
    }
    if grid.is_pivoted() && wanted == Wanted::Trend {
        let key = state.key(Action::Pivot);
        return Err(format!("the rows are pivoted; {key} brings them back"));
    }
    match grid.progress() {
        Progress::Streaming => return Err("rows are still coming".to_owned()),
        _ if grid.is_pivoted() && grid.hides_rows() => {
            let key = state.key(Action::Pivot);
            return Err(format!(
                "a filter hides rows that they would count; {key} leads back to it"
            ));
        }
        Progress::Cut | Progress::Stopped if wanted == Wanted::Subtotals => {
            return Err("only a part of the rows is here, and they would be of all".to_owned());
        }
        _ => {}
    }
    match wanted {
        Wanted::Subtotals => subtotal_queries(compiled).map(drop)?,
        Wanted::Totals(pivoted) => total_queries(compiled, pivoted).map(drop)?,
        Wanted::Trend => trend_query(&state.catalog.registry, compiled).map(drop)?,
    }
    Ok(BesideJob {
        wanted,
        compiled: Arc::clone(compiled),
        connection: state.result.connection.clone(),
    })
}

fn words(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Subtotals => "subtotals",
        Wanted::Totals(_) => "totals",
        Wanted::Trend => "trends",
    }
}

fn refused(state: &mut State, wanted: Wanted, why: &str) -> Vec<Effect> {
    let words = words(wanted);
    state.notice = Some(Notice::Error(format!("no {words}: {why}")));
    Vec::new()
}

/// The engine has answered.
pub(super) fn news(state: &mut State, outcome: Result<Box<Beside>, SessionError>) -> Vec<Effect> {
    let Some((_, wanted)) = state.result.beside.take() else {
        return Vec::new();
    };
    state.notice = None;
    let Some(grid) = &mut state.result.grid else {
        return Vec::new();
    };
    match outcome.map(|beside| *beside) {
        Ok(Beside::Subtotals(levels)) => {
            grid.set_subtotals(Some(levels));
            return regroup(state);
        }
        Ok(Beside::Totals(totals)) => {
            state.notice = Some(match grid.show_totals(&totals) {
                Ok(()) => {
                    Notice::Info("totals, computed by the engine and not added up".to_owned())
                }
                Err(why) => Notice::Error(format!("no totals: {why}")),
            });
        }
        Ok(Beside::Trend(trend)) => {
            state.notice = Some(Notice::Info(format!(
                "the last {} whole {}s of each row, each line from its least to its most",
                trend.periods(),
                trend.grain
            )));
            grid.set_trend(Some(trend));
        }
        Err(error) if error.failure == Failure::Expensive => {
            expense::ask(state, &error, Expensive::Beside(wanted));
        }
        Err(error) => state.notice = Some(Notice::Error(format!("not shown: {error}"))),
    }
    Vec::new()
}

/// Puts the subtotals between the rows as they lie now.
pub(super) fn regroup(state: &mut State) -> Vec<Effect> {
    let job = state.result.grid.as_ref().and_then(Grid::group_request);
    match job {
        Some(job) => vec![state.ask(Lookup::Group(job))],
        None => {
            state.forget(Slot::Group);
            Vec::new()
        }
    }
}

/// The subtotals lie between the rows.
pub(super) fn grouped(state: &mut State, grouped: Grouped) {
    if let Some(grid) = &mut state.result.grid {
        grid.group(grouped);
    }
}
