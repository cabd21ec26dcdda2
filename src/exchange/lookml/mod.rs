//! LookML: views with dimensions and measures, and explores that join them.

mod export;
mod filter;
mod import;
mod parse;
mod resolve;

pub use export::export;
pub use import::import;

/// The word for the view that SQL belongs to.
const THIS: &str = "TABLE";
