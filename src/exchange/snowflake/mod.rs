//! Snowflake's semantic views in YAML: logical tables with dimensions, facts and metrics, and the relationships of them.

mod export;
mod import;

pub use export::export;
pub use import::import;
