//! The graph of use around a metric: what it is used with, by whom and how often, as a tree that leads on.

use super::lineage::open_tree;
use crate::session::Outline;
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::state::State;
use crate::usage::graph::{NodeKind, Thing};

/// Asks for the neighbourhood of the metric that is selected.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.metric_here().map(str::to_owned) {
        Some(metric) => {
            vec![state.ask(Lookup::Graph(Thing::new(NodeKind::Metric, metric)))]
        }
        None => Vec::new(),
    }
}

/// It was found out.
pub(super) fn found(state: &mut State, graph: Result<Outline, String>) {
    match graph {
        Ok(outline) => open_tree(state, "Usage".to_owned(), &outline),
        Err(error) => state.notice = Some(Notice::Error(error)),
    }
}
