//! Trees whose lines lead on: the lineage of a metric, what it is made from, and what is made from it; and how it is used.

use super::{finder, picker};
use crate::govern::lineage::NodeKind;
use crate::session::{About, Outline};
use crate::tui::message::{Effect, Lookup, Notice};
use crate::tui::popup::{Popup, Tree};
use crate::tui::state::{Focus, State};
use crate::tui::widgets::json_tree::JsonTree;

/// Asks for the lineage of the metric that is selected.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.metric_here().map(str::to_owned) {
        Some(metric) => vec![state.ask(Lookup::Lineage(NodeKind::Metric, metric))],
        None => Vec::new(),
    }
}

/// It was found out.
pub(super) fn found(state: &mut State, lineage: Result<Outline, String>) {
    match lineage {
        Ok(outline) => open_tree(state, "Lineage".to_owned(), &outline),
        Err(error) => state.notice = Some(Notice::Error(error)),
    }
}

/// Opens a tree of lines that lead on.
pub(super) fn open_tree(state: &mut State, title: String, outline: &Outline) {
    let (mut lines, mut of) = (Vec::new(), Vec::new());
    flatten(outline, 0, &mut lines, &mut of);
    state.popups.push(Popup::Tree(Tree {
        title,
        tree: JsonTree::outline(&lines),
        of,
    }));
}

/// Goes to what the line under the cursor is about: of a lineage, to a metric in the catalog, to a saved query as the query and
/// to the lineage of everything else; of the use of something, to a query as the query and to the use of everything else.
pub(super) fn go(state: &mut State) -> Vec<Effect> {
    let Some(Popup::Tree(open)) = state.popups.last_mut() else {
        return Vec::new();
    };
    let (kind, name) = match open.of.get(open.tree.selected()).cloned().flatten() {
        Some(About::Defined(kind, name)) => (kind, name),
        Some(About::Used(thing)) if open.tree.selected() > 0 => {
            return vec![state.ask(Lookup::Graph(thing))];
        }
        Some(About::Query(line)) => {
            leave(state);
            return picker::take_line(state, &line);
        }
        Some(About::Used(_)) | None => {
            open.tree.toggle();
            return Vec::new();
        }
    };
    match kind {
        NodeKind::Metric => {
            leave(state);
            state.focus = Focus::Catalog;
            finder::reveal(state, &name)
        }
        NodeKind::View => match state.catalog.registry.views.get(&name) {
            Some(view) => {
                let line = view.query.to_string();
                leave(state);
                picker::take_line(state, &line)
            }
            None => Vec::new(),
        },
        kind => vec![state.ask(Lookup::Lineage(kind, name))],
    }
}

/// Closes this tree and those that it was reached from.
fn leave(state: &mut State) {
    while matches!(state.popups.last(), Some(Popup::Tree(_))) {
        state.popups.pop();
    }
}

/// The lines of the tree with their depth, and what each is about.
fn flatten(
    outline: &Outline,
    depth: usize,
    lines: &mut Vec<(usize, String)>,
    of: &mut Vec<Option<About>>,
) {
    lines.push((depth, outline.text.clone()));
    of.push(outline.of.clone());
    for below in &outline.lines {
        flatten(below, depth + 1, lines, of);
    }
}
