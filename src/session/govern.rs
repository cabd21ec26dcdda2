//! What is to be built, held against the canonical datasets: the SQL of models and queries, and an intent in plain words.

use super::Session;
use crate::govern::sql::{Model, Review, govern};
use crate::govern::suggest::{Ranking, canonical_for};

impl Session {
    /// Governs a model: what it reads, makes again and joins, and the patterns that the project requires or forbids.
    /// Touches no warehouse.
    pub fn govern(&self, model: &Model<'_>) -> Review {
        let catalog = self.catalog();
        let dialect = self.dialect_of(&self.connection());
        let governance = &self.project().config.governance;
        govern(model, &catalog.registry, governance, dialect)
    }

    /// The canonical datasets for an intent in plain words, best first, with the reasons. Touches no warehouse.
    pub fn suggest_datasets(&self, intent: &str) -> Ranking {
        canonical_for(intent, &self.catalog().registry, &self.usage())
    }
}
