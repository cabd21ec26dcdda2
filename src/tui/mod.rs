//! The terminal explorer. The only room that names ratatui or crossterm.

mod theme;
pub mod widgets;

pub use theme::{Depth, Theme, ThemeError};
