//! The explorer's own widgets. Each is plain state with a `draw` that has no side effects.

pub mod chart;
pub mod fuzzy_list;
pub mod grid;
pub mod json_tree;
mod scroll;
pub mod sql_view;
pub mod text;
