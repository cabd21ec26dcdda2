//! The dimensions a picker offers for some metrics: those that can be used first, the others with the reason.

use std::collections::HashSet;

use super::reach::{Reachability, leaf_metrics};
use super::source;
use crate::model::{Dimension, DimensionType, Metric, Registry};

/// A dimension as a picker offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DimensionChoice {
    /// As written in a query: `market`, `buyer.segment`.
    pub name: String,
    /// The dataset that has it.
    pub dataset: String,
    /// Its name there.
    pub dimension: String,
    /// Name for people.
    pub label: String,
    /// Type of its values.
    pub kind: DimensionType,
    /// Whether all metrics can use it; if not, why.
    pub reachable: Result<(), String>,
}

impl Reachability {
    /// Every dimension of the project for a picker: those all metrics can use first, the others with the reason.
    pub fn choices(&self, registry: &Registry, metrics: &[String]) -> Vec<DimensionChoice> {
        let leaves: Vec<&Metric> = metrics
            .iter()
            .filter_map(|name| registry.metric(name))
            .flat_map(|metric| leaf_metrics(registry, metric))
            .collect();
        let mut seen = HashSet::new();
        let mut offer: Vec<DimensionChoice> = Vec::new();
        let mut add = |name: String, dataset: &str, dimension: &Dimension| {
            if !seen.insert(name.to_lowercase()) {
                return;
            }
            let reachable = self.reachable(registry, &leaves, &name);
            offer.push(DimensionChoice {
                name,
                dataset: dataset.to_owned(),
                dimension: dimension.name.clone(),
                label: dimension.label.clone(),
                kind: dimension.kind,
                reachable,
            });
        };
        let bases = leaves.iter().flat_map(|metric| metric.kind.sources());
        for base in bases
            .flat_map(|source| &source.measures)
            .map(|measure| measure.dataset.as_str())
        {
            for (name, path) in self.named(registry, base) {
                if let Some((owner, dimension)) = path.resolve(registry) {
                    add(name, &owner.name, dimension);
                }
            }
        }
        for dataset in registry.datasets.values() {
            for dimension in dataset.dimensions.values() {
                add(dimension.name.clone(), &dataset.name, dimension);
            }
        }
        offer.sort_by_key(|choice| choice.reachable.is_err());
        offer
    }

    /// Whether all of these simple and ratio metrics (see [`leaf_metrics`]) can use a dimension, as a query writes it.
    ///
    /// # Errors
    /// Why not.
    pub fn reachable(
        &self,
        registry: &Registry,
        leaves: &[&Metric],
        name: &str,
    ) -> Result<(), String> {
        for metric in leaves {
            for base in source::datasets_for(registry, self, metric, name) {
                self.find(registry, base, name)
                    .map_err(|error| error.message)?;
            }
        }
        Ok(())
    }
}
