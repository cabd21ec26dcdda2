//! The catalog: search, tree, and taking a metric into the query.

use std::sync::Arc;

use super::{act, query};
use crate::model::{Filter, GroupBy, MetricQuery};
use crate::session::{Hit, SearchHint, demands};
use crate::tui::action::Action;
use crate::tui::edit;
use crate::tui::message::{Effect, Lookup, Notice, Slot};
use crate::tui::popup::{Answered, Popup, Question};
use crate::tui::state::{CatalogRow, Finder, Focus, State};
use crate::tui::widgets::text::width;

/// The search words changed.
pub(super) fn typed(state: &mut State) -> Vec<Effect> {
    let words = state.finder.input.text().to_owned();
    vec![state.ask(Lookup::Search(words))]
}

/// Takes the first way to complete the search; without one, Tab goes on to the next pane.
pub(super) fn complete(state: &mut State) -> Vec<Effect> {
    let finder = &mut state.finder;
    let text = finder.input.text();
    let Some((offer, before)) = finder.completion().zip(text.get(..finder.hint.from)) else {
        return act::perform(state, Action::NextPane);
    };
    let text = format!("{before}{}", offer.text);
    finder.input.set(&text);
    typed(state)
}

/// Asks which metrics do not fit, when the query demands something else of them than before.
pub(super) fn follow(state: &mut State) -> Option<Effect> {
    let now = demands(&state.catalog.registry, &state.query);
    if now == state.finder.demands {
        return None;
    }
    state.finder.demands = now;
    if state.finder.demands.is_empty() {
        state.forget(Slot::Misfits);
        state.finder.misfits.clear();
        return None;
    }
    Some(fit(state))
}

/// Asks which metrics do not fit.
pub(super) fn fit(state: &mut State) -> Effect {
    let demands = state.finder.demands.clone();
    state.ask(Lookup::Misfits(demands))
}

/// Metrics were found.
pub(super) fn found(state: &mut State, hits: Arc<Vec<Hit>>, hint: SearchHint) -> Vec<Effect> {
    state.finder.hint = hint;
    let before = state.finder.metric().map(str::to_owned);
    let columns = |name: &str| {
        if name.is_ascii() {
            name.len()
        } else {
            width(name)
        }
    };
    let names = hits.iter().map(|hit| columns(&hit.metric));
    state.finder.names = names.max().unwrap_or(0);
    let is_there = |name: &mut String| hits.iter().any(|hit| hit.metric == *name);
    let wanted = state.finder.wanted.take_if(is_there);
    state.finder.hits = hits;
    let new = wanted
        .as_ref()
        .map(|name| state.catalog.registry.metric(name));
    if let Some(metric) = new.flatten() {
        state.finder.folded.remove(&metric.category);
    }
    state.finder.rows = rows(state);
    let finder = &mut state.finder;
    // While a search narrows, the best hit is selected; in the tree, the cursor stays on its metric.
    let first = finder
        .rows
        .iter()
        .position(|row| matches!(row, CatalogRow::Metric(_)));
    finder.selected = if wanted.is_some() {
        row_of(finder, wanted.as_deref())
    } else if finder.input.is_empty() {
        row_of(finder, before.as_deref())
    } else {
        None
    }
    .or(first)
    .unwrap_or(0);
    show(state)
}

fn row_of(finder: &Finder, metric: Option<&str>) -> Option<usize> {
    finder.rows.iter().position(|row| match row {
        CatalogRow::Metric(hit) => finder
            .hits
            .get(*hit)
            .is_some_and(|hit| Some(hit.metric.as_str()) == metric),
        CatalogRow::Category(..) => false,
    })
}

/// The lines of the catalog: hits in order while something is searched, else a tree by category.
fn rows(state: &State) -> Vec<CatalogRow> {
    let finder = &state.finder;
    if !finder.input.text().trim().is_empty() {
        return (0..finder.hits.len()).map(CatalogRow::Metric).collect();
    }
    let mut shelves: indexmap::IndexMap<&str, Vec<usize>> = indexmap::IndexMap::new();
    for metric in state.catalog.registry.metrics.values() {
        shelves.entry(&metric.category).or_default();
    }
    for (index, hit) in finder.hits.iter().enumerate() {
        if let Some(metric) = state.catalog.registry.metrics.get(&hit.metric) {
            shelves.entry(&metric.category).or_default().push(index);
        }
    }
    let mut rows = Vec::new();
    for (category, hits) in shelves {
        rows.push(CatalogRow::Category(category.to_owned(), hits.len()));
        if !finder.folded.contains(category) {
            rows.extend(hits.into_iter().map(CatalogRow::Metric));
        }
    }
    rows
}

/// Asks for the details of the metric under the cursor.
pub(super) fn show(state: &mut State) -> Vec<Effect> {
    let Some(metric) = state.finder.metric().map(str::to_owned) else {
        return Vec::new();
    };
    if state.details.metric.as_ref() != Some(&metric) {
        state.details.offset = 0;
        state.details.metric = Some(metric.clone());
    }
    let mut effects = vec![state.ask(Lookup::Describe(metric))];
    if state.query.is_empty() {
        effects.extend(query::ask_sql(state));
    }
    effects
}

/// Puts the cursor on a metric, and shows it.
pub(super) fn reveal(state: &mut State, name: &str) -> Vec<Effect> {
    let finder = &mut state.finder;
    if !finder.input.is_empty() {
        // The search finds it first by its name.
        finder.input.set(name);
        return typed(state);
    }
    if let Some(metric) = state.catalog.registry.metric(name) {
        state.finder.folded.remove(&metric.category);
    }
    state.finder.rows = rows(state);
    if let Some(row) = row_of(&state.finder, Some(name)) {
        state.finder.selected = row;
    }
    show(state)
}

/// Moves the cursor.
pub(super) fn step(state: &mut State, rows: isize) -> Vec<Effect> {
    let last = state.finder.rows.len().saturating_sub(1);
    let before = state.finder.selected;
    state.finder.selected = before.saturating_add_signed(rows).min(last);
    if state.finder.selected == before {
        Vec::new()
    } else {
        show(state)
    }
}

/// A row was clicked: the first time it is selected, then it is taken.
pub(super) fn click(state: &mut State, row: usize) -> Vec<Effect> {
    if state.finder.selected == row {
        return explore(state);
    }
    state.finder.selected = row.min(state.finder.rows.len().saturating_sub(1));
    show(state)
}

/// Folds or unfolds the category the cursor is in.
pub(super) fn fold(state: &mut State, fold: bool) -> Vec<Effect> {
    let finder = &state.finder;
    let upto = finder.rows.get(..=finder.selected).unwrap_or(&finder.rows);
    let header = upto
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, row)| match row {
            CatalogRow::Category(name, _) => Some((at, name.clone())),
            CatalogRow::Metric(_) => None,
        });
    let Some((at, name)) = header else {
        return Vec::new();
    };
    if fold {
        state.finder.folded.insert(name);
        state.finder.selected = at;
    } else {
        state.finder.folded.remove(&name);
    }
    state.finder.rows = rows(state);
    show(state)
}

/// Takes the metric under the cursor as the query's metric; grouping, filters and time stay.
pub(super) fn explore(state: &mut State) -> Vec<Effect> {
    let metric = match state.focus {
        Focus::Details => state.details.metric.as_deref(),
        _ => state.finder.metric(),
    };
    let Some(metric) = metric.map(str::to_owned) else {
        return toggle_fold(state);
    };
    if let Some(misfit) = state.finder.misfit(&metric) {
        let text = format!("{}. Explore {metric} without that?", misfit.reason);
        state.popups.push(Popup::Question(Question {
            text,
            yes: Answered::ExploreWithout(metric),
        }));
        return Vec::new();
    }
    let kept = state.query.clone();
    take(state, metric, kept)
}

/// Takes a metric that does not fit, and lets go of the groupings and conditions that it cannot have.
pub(super) fn explore_without(state: &mut State, metric: String) -> Vec<Effect> {
    let catalog = Arc::clone(&state.catalog);
    let fits = |group: &GroupBy| {
        let bases = catalog.bases();
        bases.of(&metric).is_none_or(|base| {
            bases
                .refusal(&catalog.registry, &catalog.reach, base, group)
                .is_none()
        })
    };
    let mut query = state.query.clone();
    if let Some(groups) = &mut query.group_by {
        groups.retain(&fits);
    }
    let alone = |condition: &Filter| MetricQuery {
        filters: Some(condition.clone()),
        ..MetricQuery::default()
    };
    let kept = edit::conditions(&query)
        .iter()
        .filter(|condition| {
            demands(&catalog.registry, &alone(condition))
                .iter()
                .all(&fits)
        })
        .cloned()
        .collect();
    edit::set_conditions(&mut query, kept);
    take(state, metric, query)
}

fn take(state: &mut State, metric: String, kept: MetricQuery) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.query.metrics != [metric.clone()] {
        let query = MetricQuery {
            metrics: vec![metric],
            range_of: Vec::new(),
            order: Vec::new(),
            limit: None,
            limit_per: Vec::new(),
            others: false,
            show: Vec::new(),
            ..kept
        };
        effects.extend(query::set(state, query));
    }
    effects.extend(super::act::focus(state, Focus::Query));
    effects
}

fn toggle_fold(state: &mut State) -> Vec<Effect> {
    let folded = match state.finder.rows.get(state.finder.selected) {
        Some(CatalogRow::Category(name, _)) => state.finder.folded.contains(name),
        _ => return Vec::new(),
    };
    fold(state, !folded)
}

/// Adds the metric under the cursor to the query, or takes it out.
pub(super) fn add(state: &mut State) -> Vec<Effect> {
    let Some(metric) = state.finder.metric().map(str::to_owned) else {
        return toggle_fold(state);
    };
    if let Some(misfit) = state.finder.misfit(&metric)
        && !state.query.metrics.contains(&metric)
    {
        let reason = format!("not added: {}", misfit.reason);
        state.notice = Some(Notice::Error(reason));
        return Vec::new();
    }
    let mut query = state.query.clone();
    edit::toggle_metric(&mut query, &metric);
    query::set(state, query)
}
