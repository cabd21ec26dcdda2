//! Apache Ossie (formerly Open Semantic Interchange): its YAML out and in, with what it has no words for under
//! `custom_extensions`.

mod export;
mod import;
mod metric;

pub use export::export;
pub use import::import;

/// Whose extensions ours are.
const VENDOR: &str = "METREX";

/// The version of the format that is written.
const VERSION: &str = "0.2.0.dev0";
