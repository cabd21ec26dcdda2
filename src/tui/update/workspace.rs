//! What is open: kept for the next start, and opened again at this one.

use serde::{Deserialize, Serialize};

use super::{finder, query};
use crate::model::MetricQuery;
use crate::session::Workspace;
use crate::session::chart::ChartKind;
use crate::tui::action::Action;
use crate::tui::charting::Shown;
use crate::tui::message::{Effect, Notice, Slot};
use crate::tui::state::{Focus, State};
use crate::tui::widgets::grid::Arrangement;

impl State {
    /// What is open, to be kept; nothing before it is known what was open the last time, which would be lost.
    pub fn workspace(&self) -> Option<Workspace> {
        let waits = |tab: &Self| tab.waits_for(Slot::Workspace);
        if self.find_tab(waits).is_some() {
            return None;
        }
        let all = (0..self.tabs.len()).filter_map(|index| self.tab(index));
        Some(Workspace {
            tabs: all.clone().map(|tab| tab.query.to_string()).collect(),
            at: self.tabs.at(),
            pair: self.tabs.pair(),
            shares_filters: self.tabs.shared.is_some(),
            looks: all.map(Look::of).collect(),
        })
    }
}

/// How the result of a tab is shown.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    chart: Shown,
    kind: Option<ChartKind>,
    columns: Arrangement,
}

impl Look {
    fn of(tab: &State) -> serde_json::Value {
        let result = &tab.result;
        let look = Self {
            chart: result.chart.shown,
            kind: result.chart.kind,
            columns: match &result.grid {
                Some(grid) => grid.arrangement(),
                None => result.arrangement.clone(),
            },
        };
        // Nothing in it can fail; and it would only be shown as it is by itself.
        serde_json::to_value(look).unwrap_or_default()
    }

    /// Shows the next result of a tab like this. Another version may have written something else.
    fn take(tab: &mut State, look: serde_json::Value) {
        let look: Self = serde_json::from_value(look).unwrap_or_default();
        tab.result.chart.shown = look.chart;
        tab.result.chart.kind = look.kind;
        tab.result.arrangement = look.columns;
    }
}

/// Where the keys go in a tab that is entered for the first time: a query has no need of the catalog.
fn first_focus(tab: &State) -> Focus {
    if tab.query.is_empty() {
        Focus::Catalog
    } else {
        Focus::Query
    }
}

/// Opens what was open the last time. Nothing is run, and whoever has begun to type goes on typing.
pub(super) fn restore(state: &mut State, workspace: Option<Workspace>) -> Vec<Effect> {
    let Some(workspace) = workspace else {
        return Vec::new();
    };
    let parsed = workspace.tabs.iter().map(|line| line.parse());
    let queries: Vec<MetricQuery> = parsed.map(Result::unwrap_or_default).collect();
    let count = queries.iter().filter(|query| !query.is_empty()).count();
    if count == 0 {
        return Vec::new();
    }
    let is_fresh = state.tabs.len() == 1 && state.query.is_empty() && !state.prompt.typing;
    let first = if is_fresh { 0 } else { state.tabs.len() };
    let looks = workspace
        .looks
        .into_iter()
        .chain(std::iter::repeat(serde_json::Value::Null));
    let mut queries = queries.into_iter().zip(looks);
    if let Some((query, look)) = is_fresh.then(|| queries.next()).flatten() {
        state.query = query;
        Look::take(state, look);
    }
    for (query, look) in queries {
        let mut tab = state.blank();
        tab.query = query;
        Look::take(&mut tab, look);
        tab.focus = first_focus(&tab);
        state.append_tab(tab);
    }
    if let Some((left, right)) = workspace.pair
        && state.tabs.beside().is_none()
        && right.max(left) < workspace.tabs.len()
        && left != right
    {
        state.tabs.set_pair(Some((first + left, first + right)));
    }
    if is_fresh {
        let (focus, typing) = (state.focus, state.finder.typing);
        state.focus = first_focus(state);
        state.enter_tab(workspace.at);
        state.focus = focus;
        state.finder.typing = typing;
    }
    if workspace.shares_filters && state.tabs.beside().is_some() {
        state.tabs.shared = Some(state.query.filters.clone());
    }
    let what = match count {
        1 => "the query of the last time".to_owned(),
        count => format!("the {count} queries of the last time"),
    };
    let key = state.key(Action::Run);
    state.notice = Some(Notice::Info(format!("opened again: {what} · {key} runs")));
    let mut effects = query::arrived(state);
    let first = state.query.metrics.first().cloned();
    if let Some(metric) = first.filter(|_| state.finder.input.is_empty()) {
        effects.extend(finder::reveal(state, &metric));
    }
    effects
}
