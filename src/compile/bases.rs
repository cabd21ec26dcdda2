//! Which metrics can be cut by a dimension, for a whole catalog at once: metrics that read the same datasets are one case.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::ErrorCode;
use super::reach::{Reachability, leaf_metrics};
use super::source;
use crate::model::{GroupBy, Metric, Registry};

/// What the metrics of a registry stand on.
#[derive(Debug, Default)]
pub struct Bases {
    metrics: HashMap<String, usize>,
    bases: Vec<(Base, OnceLock<Vec<String>>)>,
}

/// What some metrics have in common: all that matters to which dimensions can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Base {
    /// The datasets read whatever is asked.
    datasets: Vec<String>,
    /// Leaves whose datasets depend on what is asked.
    choosing: Vec<String>,
    /// A dataset read without a time, if there is one.
    timeless: Option<String>,
}

impl Bases {
    /// Sorts the metrics of a registry by what they stand on.
    pub fn new(registry: &Registry) -> Self {
        let mut known: HashMap<Base, usize> = HashMap::new();
        let mut found = Self::default();
        for metric in registry.metrics.values() {
            let base = Base::of(registry, metric);
            let index = *known.entry(base).or_insert_with_key(|base| {
                found.bases.push((base.clone(), OnceLock::new()));
                found.bases.len() - 1
            });
            found.metrics.insert(metric.name.clone(), index);
        }
        found
    }

    /// The index of what a metric stands on; metrics with the same one can be cut by the same dimensions.
    pub fn of(&self, metric: &str) -> Option<usize> {
        self.metrics.get(metric).copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bases.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bases.is_empty()
    }

    /// The dimensions that can be used, by their shortest names, nearest first; found out when it is first asked for.
    pub fn dimensions(&self, registry: &Registry, reach: &Reachability, base: usize) -> &[String] {
        let Some((base, dimensions)) = self.bases.get(base) else {
            return &[];
        };
        dimensions.get_or_init(|| {
            let of_choosing = base
                .choosing
                .iter()
                .filter_map(|name| registry.metric(name));
            let first = of_choosing
                .flat_map(|metric| metric.kind.sources())
                .flat_map(|source| &source.measures)
                .map(|measure| &measure.dataset);
            let mut names: Vec<String> = Vec::new();
            for dataset in base.datasets.first().into_iter().chain(first) {
                for name in reach.possible(registry, dataset) {
                    if !names.contains(&name) && base.refusal(registry, reach, &name).is_none() {
                        names.push(name);
                    }
                }
            }
            names
        })
    }

    /// Why metrics on this base cannot be grouped in this way; `None` where they can, and where nothing can.
    pub fn refusal(
        &self,
        registry: &Registry,
        reach: &Reachability,
        base: usize,
        group: &GroupBy,
    ) -> Option<String> {
        let (base, _) = self.bases.get(base)?;
        if base.datasets.is_empty() && base.choosing.is_empty() {
            let why = "hand-written SQL that declares no facets has no dimensions";
            return Some(why.to_owned());
        }
        match (group.dimension(), &base.timeless) {
            (Some(name), _) => base.refusal(registry, reach, name),
            (None, Some(dataset)) => Some(format!("{dataset} has no time dimension")),
            (None, None) => None,
        }
    }
}

impl Base {
    fn of(registry: &Registry, metric: &Metric) -> Self {
        let mut base = Self::default();
        for leaf in leaf_metrics(registry, metric) {
            let sources = leaf.kind.sources();
            let measures = sources.iter().flat_map(|source| &source.measures);
            for measure in measures.clone() {
                let dataset = registry.datasets.get(&measure.dataset);
                let own = dataset.and_then(|dataset| dataset.time.as_ref());
                if measure.time.as_ref().or(own).is_none() {
                    base.timeless = Some(measure.dataset.clone());
                }
            }
            match sources {
                [only] if only.use_when.is_none() => {
                    base.datasets
                        .extend(measures.map(|measure| measure.dataset.clone()));
                }
                _ => base.choosing.push(leaf.name.clone()),
            }
        }
        for names in [&mut base.datasets, &mut base.choosing] {
            names.sort_unstable();
            names.dedup();
        }
        base
    }

    /// Why a dimension cannot be used. A name that means nothing anywhere is no matter of this metric or that.
    fn refusal(&self, registry: &Registry, reach: &Reachability, name: &str) -> Option<String> {
        let own = self.datasets.iter().map(String::as_str);
        let choosing = self
            .choosing
            .iter()
            .filter_map(|leaf| registry.metric(leaf));
        let chosen = choosing.flat_map(|leaf| source::datasets_for(registry, reach, leaf, name));
        let errors = own
            .chain(chosen)
            .filter_map(|dataset| reach.find(registry, dataset, name).err());
        let mut refused = errors.filter(|error| error.code != ErrorCode::UnknownDimension);
        refused.next().map(|error| error.message)
    }
}
