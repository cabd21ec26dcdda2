//! Cube's data models in YAML: cubes with their joins, dimensions, segments and measures.

mod export;
mod import;

pub use export::export;
pub use import::import;

/// The word for the cube that SQL belongs to.
const THIS: &str = "CUBE";
