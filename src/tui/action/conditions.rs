//! Whether an action can be used now, and if not, why.

use super::{Action, Reason};
use crate::tui::popup::Popup;
use crate::tui::state::{Phase, State};
use crate::tui::{drill, files, pin, tabs, why};

pub(super) fn always(_: &State) -> Result<(), Reason> {
    Ok(())
}

pub(super) fn has_metric(state: &State) -> Result<(), Reason> {
    if state.query.metrics.is_empty() {
        Err("choose a metric first".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_query(state: &State) -> Result<(), Reason> {
    if state.query.is_empty() {
        Err("choose a metric or a grouping first".into())
    } else {
        Ok(())
    }
}

pub(super) fn can_run(state: &State) -> Result<(), Reason> {
    if state.finder.metric().is_none() {
        has_query(state)?;
    }
    match state.preview.refusal(&state.query) {
        Some(error) => Err(format!("not run: {}", error.message).into()),
        None => Ok(()),
    }
}

pub(super) fn has_result(state: &State) -> Result<(), Reason> {
    if state.result.grid.is_some() {
        Ok(())
    } else {
        Err(no_result(state))
    }
}

/// Why nothing can be done with the result.
pub(in crate::tui) fn no_result(state: &State) -> Reason {
    let key = state.key(Action::Run);
    format!("there is no result yet; {key} runs the query").into()
}

pub(super) fn has_row(state: &State) -> Result<(), Reason> {
    match drill::row_here(state) {
        Some(_) => Ok(()),
        None => Err(drill::no_row(state)),
    }
}

pub(super) fn has_trail(state: &State) -> Result<(), Reason> {
    if state.trail.is_empty() {
        let key = state.key(Action::CellMenu);
        Err(format!("nothing was drilled into; {key} on a cell does").into())
    } else {
        Ok(())
    }
}

pub(super) fn has_number(state: &State) -> Result<(), Reason> {
    drill::number_here(state).map(drop)
}

pub(super) fn has_question(state: &State) -> Result<(), Reason> {
    why::question_here(state).map(drop)
}

pub(super) fn can_pin(state: &State) -> Result<(), Reason> {
    pin::pin_here(state).map(drop)
}

pub(super) fn can_propose(state: &State) -> Result<(), Reason> {
    match state.popups.last() {
        Some(Popup::Define(form)) => form.can_propose().map_err(Reason::from),
        _ => Err("no metric is being defined".into()),
    }
}

pub(super) fn has_parts(state: &State) -> Result<(), Reason> {
    match state.popups.last() {
        Some(Popup::Behind(behind)) if behind.parts.len() > 1 => Ok(()),
        Some(Popup::Spread(window)) if window.across.len() > 1 => Ok(()),
        Some(Popup::Spread(_)) => Err("the metric reaches no other dimension".into()),
        _ => Err("the number is one aggregation".into()),
    }
}

pub(super) fn has_rows(state: &State) -> Result<(), Reason> {
    has_result(state)?;
    let rows = state.result.grid.as_ref().map(|grid| grid.table().rows());
    if rows.is_some_and(|rows| rows > 0) {
        Ok(())
    } else {
        Err("there are no rows".into())
    }
}

pub(super) fn has_hidden(state: &State) -> Result<(), Reason> {
    has_result(state)?;
    let hidden = state.result.grid.as_ref().map(|grid| grid.hidden());
    if hidden.is_some_and(|hidden| hidden > 0) {
        Ok(())
    } else {
        Err("no column is hidden".into())
    }
}

pub(super) fn has_definition(state: &State) -> Result<(), Reason> {
    if state.places_here().is_empty() {
        Err("nothing here has a definition".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_metric_here(state: &State) -> Result<(), Reason> {
    if state.metric_here().is_some() {
        Ok(())
    } else {
        Err("no metric is selected".into())
    }
}

pub(super) fn has_file(state: &State) -> Result<(), Reason> {
    if state.editable().is_none() {
        Err("nothing here stands in a file".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_problems(state: &State) -> Result<(), Reason> {
    if state.problems.is_empty() {
        Err("the registry has no problems".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_views(state: &State) -> Result<(), Reason> {
    if state.catalog.registry.views.is_empty() {
        Err("the project has no saved queries (views:)".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_analyses(state: &State) -> Result<(), Reason> {
    if state.catalog.registry.analyses.is_empty() {
        Err("the project declares no analyses (analyses:)".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_past(state: &State) -> Result<(), Reason> {
    if state.past.is_empty() {
        Err("no earlier query".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_future(state: &State) -> Result<(), Reason> {
    if state.future.is_empty() {
        Err("nothing was undone".into())
    } else {
        Ok(())
    }
}

pub(super) fn has_tabs(state: &State) -> Result<(), Reason> {
    if state.tabs.len() > 1 {
        Ok(())
    } else {
        let key = state.key(Action::NewTab);
        Err(format!("this is the only tab; {key} opens another one").into())
    }
}

pub(super) fn has_room_for_tab(state: &State) -> Result<(), Reason> {
    if state.tabs.len() < tabs::MOST {
        Ok(())
    } else {
        let (most, key) = (tabs::MOST, state.key(Action::CloseTab));
        Err(format!("there are {most} tabs already; {key} closes one").into())
    }
}

pub(super) fn has_closed_tab(state: &State) -> Result<(), Reason> {
    if state.tabs.has_closed() {
        has_room_for_tab(state)
    } else {
        Err("no tab was closed".into())
    }
}

pub(super) fn can_pair(state: &State) -> Result<(), Reason> {
    if state.tabs.len() > 1 {
        Ok(())
    } else {
        has_query(state)
    }
}

pub(super) fn has_pair(state: &State) -> Result<(), Reason> {
    if state.tabs.beside().is_some() {
        Ok(())
    } else {
        let key = state.key(Action::SideBySide);
        Err(format!("there are not two tabs side by side; {key} shows them so").into())
    }
}

pub(super) fn has_chosen(state: &State) -> Result<(), Reason> {
    if state.chosen.is_some() {
        Ok(())
    } else {
        Err("no meaning was chosen".into())
    }
}

pub(super) fn has_part(state: &State) -> Result<(), Reason> {
    if state.part().is_some_and(|part| part.is_set) {
        Ok(())
    } else {
        Err("nothing to remove here".into())
    }
}

pub(super) fn has_find(state: &State) -> Result<(), Reason> {
    if state.result.find.is_empty() {
        let key = state.key(Action::FindInResult);
        Err(format!("{key} searches in the result").into())
    } else {
        has_result(state)
    }
}

pub(super) fn can_write(state: &State) -> Result<(), Reason> {
    match &state.saving {
        Some(_) => Ok(()),
        None => files::rows_here(state).map(drop),
    }
}

pub(super) fn is_saving(state: &State) -> Result<(), Reason> {
    match &state.saving {
        Some(_) => Ok(()),
        None => Err("no file is being written".into()),
    }
}

pub(super) fn is_cut(state: &State) -> Result<(), Reason> {
    match &state.result.phase {
        Phase::Done(run) if run.truncated => Ok(()),
        _ => Err("all rows are here".into()),
    }
}
