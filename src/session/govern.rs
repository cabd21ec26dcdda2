//! What is to be built, held against the canonical datasets: the SQL of models, queries and metrics, and an intent in plain words.

use super::{Catalog, Session};
use crate::govern::sql::{Model, Review, Rule, govern};
use crate::govern::suggest::{Ranking, canonical_for};
use crate::model::{MetricQuery, Relation};

impl Session {
    /// Governs a model: what it reads, makes again and joins, and the patterns that the project requires or forbids.
    /// Touches no warehouse.
    pub fn govern(&self, model: &Model<'_>) -> Review {
        let catalog = self.catalog();
        let dialect = self.dialect_of(&self.connection());
        let governance = &self.project().config.governance;
        govern(model, &catalog.registry, governance, dialect)
    }

    /// Governs the SQL of a metric as it is computed by default. That it is itself stands against none, and what is behind a
    /// canonical dataset has been agreed on: the metric reads that one, whatever SQL makes it.
    ///
    /// # Errors
    /// It cannot be compiled; the reason.
    pub fn govern_metric(&self, metric: &str) -> Result<Review, String> {
        let mut registry = self.catalog().registry.clone();
        for canonical in registry.canonical.values() {
            let dataset = canonical.dataset();
            if let Some(dataset) = dataset.and_then(|name| registry.datasets.get_mut(name))
                && matches!(dataset.relation, Relation::Sql(_))
            {
                dataset.relation = Relation::Table(canonical.name.clone());
            }
        }
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            ..MetricQuery::default()
        };
        let compiled = self.compile_in(&Catalog::new(registry, Vec::new(), 0), &query);
        let sql = compiled.map_err(|error| error.message)?.main.sql;
        let mut review = self.govern(&Model {
            name: metric,
            text: &sql,
            beside: &[],
        });
        let is_its_own =
            |rule: Rule| matches!(rule, Rule::Rebuilt | Rule::Required | Rule::Forbidden);
        review.findings.retain(|finding| !is_its_own(finding.rule));
        Ok(review)
    }

    /// The canonical datasets for an intent in plain words, best first, with the reasons. Touches no warehouse.
    pub fn suggest_datasets(&self, intent: &str) -> Ranking {
        canonical_for(intent, &self.catalog().registry, &self.usage())
    }
}
