//! Every name of a registry, prepared for being found in a question.

use crate::compile::Reachability;
use crate::model::Registry;

/// The names, labels and aliases of metrics and dimensions; made once per version of the registry.
#[derive(Debug, Default)]
pub struct Lexicon {}

impl Lexicon {
    /// Prepares the names of a registry.
    pub fn new(_registry: &Registry, _reach: &Reachability) -> Self {
        Self {}
    }
}
