//! Databricks' metric views in YAML: a source with its joins, dimensions and measures, one file each.

mod export;
mod import;

pub use export::export;
pub use import::import;

/// The version of the format that is written.
const VERSION: &str = "1.1";

/// The word for the table that a view is over.
const SOURCE: &str = "source";
