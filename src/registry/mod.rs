//! YAML to model: loads a project, reports every problem with its position, caches the compiled registry.

mod nearest;

pub use nearest::nearest;
