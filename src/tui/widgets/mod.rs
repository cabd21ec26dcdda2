//! The explorer's own widgets. Each is plain state with a `draw` that has no side effects.

pub mod grid;
pub mod text;
