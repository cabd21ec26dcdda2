//! The query changes, and with it its line and its SQL.

use std::sync::Arc;

use super::steps;
use crate::compile::{CompileError, Compiled};
use crate::model::MetricQuery;
use crate::session::Understanding;
use crate::tui::message::{Effect, Lookup, Slot};
use crate::tui::question::{self, Origin};
use crate::tui::state::{Focus, State};

/// Makes this the query.
pub(super) fn set(state: &mut State, query: MetricQuery) -> Vec<Effect> {
    let origin = state.origin.clone();
    replace(state, query, origin)
}

/// Makes this the query, with the question that it came from.
pub(super) fn replace(
    state: &mut State,
    query: MetricQuery,
    origin: Option<Origin>,
) -> Vec<Effect> {
    if query != state.query {
        steps::remember(state);
        if query.metrics != state.query.metrics {
            // What was drilled down from is another question.
            state.trail.clear();
        }
        state.query = query;
        while state
            .trail
            .last()
            .is_some_and(|step| !step.holds(&state.query))
        {
            state.trail.pop();
        }
    }
    state.origin = origin;
    arrived(state)
}

/// Brings everything around the query in step with it.
pub(super) fn arrived(state: &mut State) -> Vec<Effect> {
    let mut effects = shown(state);
    effects.extend(describe(state));
    effects
}

/// Away from the catalog, the details are about the first metric of the query.
fn describe(state: &mut State) -> Option<Effect> {
    let name = state.query.metrics.first()?;
    let metric = state.catalog.registry.metric(name)?.name.clone();
    if state.focus == Focus::Catalog || state.details.metric.as_ref() == Some(&metric) {
        return None;
    }
    state.details.metric = Some(metric.clone());
    state.details.offset = 0;
    Some(state.ask(Lookup::Describe(metric)))
}

/// Brings line and SQL in step with the query.
fn shown(state: &mut State) -> Vec<Effect> {
    if !state.prompt.typing {
        let line = state.query.to_string();
        state.prompt.input.set(&line);
    }
    ask_sql(state)
}

/// Asks for the SQL of the query, or of the line being typed where that is one.
pub(super) fn ask_sql(state: &mut State) -> Vec<Effect> {
    let mut query = typed(state).unwrap_or_else(|| state.query.clone());
    // Before there is a query, the SQL is that of the metric under the cursor.
    if query.is_empty() && !state.prompt.typing {
        query.metrics.extend(state.details.metric.clone());
    }
    if query.is_empty() {
        state.forget(Slot::Compile);
        state.preview = Default::default();
        return Vec::new();
    }
    state.preview.asked = query.clone();
    if let Some(written) = state.written(&query).cloned() {
        state.forget(Slot::Compile);
        compiled(state, Ok(written.compiled));
        return Vec::new();
    }
    vec![state.ask(Lookup::Compile(query))]
}

/// The query that is being typed, as a line or in plain words.
fn typed(state: &State) -> Option<MetricQuery> {
    if !state.prompt.typing {
        return None;
    }
    let text = state.prompt.input.text();
    if let Ok(query) = question::query_line(&state.catalog.registry, text) {
        return Some(query);
    }
    match state.prompt.heard()? {
        Understanding::Clear(reading) => Some(reading.query()),
        _ => None,
    }
}

/// The SQL was written, or refused.
pub(super) fn compiled(state: &mut State, outcome: Result<Arc<Compiled>, CompileError>) {
    state.preview.query = state.preview.asked.clone();
    match outcome {
        Ok(compiled) => {
            let before = state
                .preview
                .compiled
                .as_ref()
                .map(|before| &before.query.metrics);
            if before != Some(&compiled.query.metrics) {
                // Marks of change tell something within one question only.
                state.preview.sql = Default::default();
            }
            state.preview.sql.set_sql(&compiled.main.sql);
            state.preview.compiled = Some(compiled);
            state.preview.error = None;
        }
        Err(error) => {
            state.preview.error = Some(error);
            if state.preview.is_snippet() {
                state.preview.sql = Default::default();
            }
            if let Some(text) = state.snippet().map(|snippet| snippet.text.clone()) {
                state.preview.sql.set_sql(&text);
            }
        }
    }
}
