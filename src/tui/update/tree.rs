//! The tree of a JSON value: moved in, folded, copied from.

use super::act::rows;
use crate::tui::action::Action;
use crate::tui::message::Effect;
use crate::tui::popup::Popup;
use crate::tui::state::State;
use crate::tui::widgets::json_tree::JsonTree;

fn tree(state: &mut State) -> Option<&mut JsonTree> {
    match state.popups.last_mut() {
        Some(Popup::Tree(open)) => Some(&mut open.tree),
        _ => None,
    }
}

/// Whether a tree is on top.
pub(super) fn is_open(state: &State) -> bool {
    matches!(state.popups.last(), Some(Popup::Tree(_)))
}

/// Moves in it.
pub(super) fn step(state: &mut State, action: Action) {
    if let Some(tree) = tree(state) {
        tree.move_by(rows(action, 15));
    }
}

/// Folds or unfolds.
pub(super) fn toggle(state: &mut State) {
    if let Some(tree) = tree(state) {
        tree.toggle();
    }
}

/// Folds, or goes out.
pub(super) fn fold(state: &mut State) {
    if let Some(tree) = tree(state) {
        tree.fold();
    }
}

/// Unfolds, or goes in.
pub(super) fn unfold(state: &mut State) {
    if let Some(tree) = tree(state) {
        tree.unfold();
    }
}

/// Folds or unfolds everything.
pub(super) fn fold_all(state: &mut State, fold: bool) {
    if let Some(tree) = tree(state) {
        tree.fold_all(fold);
    }
}

/// Copies the selected value.
pub(super) fn copy(state: &mut State) -> Vec<Effect> {
    tree(state)
        .map(|tree| Effect::Copy(tree.value()))
        .into_iter()
        .collect()
}
