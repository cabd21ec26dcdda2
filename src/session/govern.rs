//! SQL of models and queries, held against the canonical datasets and the rules of the project.

use super::Session;
use crate::govern::sql::{Model, Review, govern};

impl Session {
    /// Governs a model: what it reads, makes again and joins, and the patterns that the project requires or forbids.
    /// Touches no warehouse.
    pub fn govern(&self, model: &Model<'_>) -> Review {
        let catalog = self.catalog();
        let dialect = self.dialect_of(&self.connection());
        let governance = &self.project().config.governance;
        govern(model, &catalog.registry, governance, dialect)
    }
}
