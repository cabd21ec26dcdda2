//! The lineage of a metric: what it is made from, and what is made from it, as a tree.

use crate::session::Outline;
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::popup::{Popup, Tree};
use crate::tui::state::State;
use crate::tui::widgets::json_tree::JsonTree;

/// Asks for the lineage of the metric that is selected.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.metric_here().map(str::to_owned) {
        Some(metric) => vec![state.ask(Lookup::Lineage(metric))],
        None => Vec::new(),
    }
}

/// It was found out.
pub(super) fn found(state: &mut State, lineage: Result<Outline, String>) {
    match lineage {
        Ok(outline) => {
            let tree = JsonTree::outline(&lines(&outline, 0));
            state.popups.push(Popup::Tree(Tree {
                title: "Lineage".to_owned(),
                tree,
            }));
        }
        Err(error) => state.notice = Some(Notice::Error(error)),
    }
}

/// The lines of the tree with their depth.
fn lines(outline: &Outline, depth: usize) -> Vec<(usize, String)> {
    let below = outline.lines.iter().flat_map(|line| lines(line, depth + 1));
    std::iter::once((depth, outline.text.clone()))
        .chain(below)
        .collect()
}
