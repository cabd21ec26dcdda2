//! Whether metrics stand on canonical datasets.

use crate::model::{Registry, Status};

/// A dataset that a metric is computed from, and what is agreed on of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandsOn {
    /// The dataset.
    pub dataset: String,
    /// The canonical dataset that it is, and how far that is agreed on.
    pub canonical: Option<(String, Status)>,
}

impl StandsOn {
    /// In words: `fct_orders (canonical, certified)`, `orders (not canonical)`.
    pub fn words(&self) -> String {
        match &self.canonical {
            Some((name, status)) => format!("{name} (canonical, {})", status.word()),
            None => format!("{} (not canonical)", self.dataset),
        }
    }
}

/// The datasets that a metric is computed from, each once; nothing where the project has no canonical datasets.
pub fn stands_on(registry: &Registry, metric: &str) -> Vec<StandsOn> {
    let mut datasets = Vec::new();
    if !registry.canonical.is_empty() {
        collect(registry, metric, &mut datasets);
    }
    let of = |dataset: String| StandsOn {
        canonical: registry
            .canonical_of(&dataset)
            .map(|one| (one.name.clone(), one.status)),
        dataset,
    };
    datasets.into_iter().map(of).collect()
}

/// Whether all that a metric is computed from is canonical and not on its way out; `None` where the project has no canonical datasets.
pub fn is_on_canonical(registry: &Registry, metric: &str) -> Option<bool> {
    let all = stands_on(registry, metric);
    let is_agreed = |one: &StandsOn| {
        let status = one.canonical.as_ref().map(|(_, status)| *status);
        matches!(status, Some(Status::Certified | Status::Published))
    };
    (!registry.canonical.is_empty()).then(|| !all.is_empty() && all.iter().all(is_agreed))
}

/// The registry admits no cycles, so the walk ends.
fn collect(registry: &Registry, metric: &str, datasets: &mut Vec<String>) {
    let Some(metric) = registry.metrics.get(metric) else {
        return;
    };
    let measures = metric
        .kind
        .sources()
        .iter()
        .flat_map(|source| &source.measures);
    let named = measures.map(|measure| &measure.dataset);
    for dataset in named.chain(metric.kind.facets().map(|facets| &facets.dataset)) {
        // An analysis stands on what it reads.
        if let Some(analysis) = registry.analyses.get(dataset) {
            for read in &analysis.of {
                collect(registry, read, datasets);
            }
        } else if !datasets.contains(dataset) {
            datasets.push(dataset.clone());
        }
    }
    for input in metric.kind.inputs() {
        collect(registry, input, datasets);
    }
}
