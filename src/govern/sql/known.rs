//! What the names in a model mean: canonical datasets, datasets of the project, raw tables, other models.

use std::collections::{HashMap, HashSet};

use super::Model;
use super::template::Reference;
use crate::generate;
use crate::model::{CanonicalDataset, Dataset, Metric, Registry, Relation};
use crate::registry::{Governance, nearest};

/// What a model is to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// It may read raw tables.
    Staging,
    /// It makes a canonical dataset, or stands between staging and one.
    Making,
    /// It uses what there is.
    Using,
}

/// What a name that is read means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    Canonical(&'a CanonicalDataset),
    /// A raw table, and a canonical dataset that is made from it.
    Raw(Option<&'a CanonicalDataset>),
    Dataset(&'a Dataset),
    Staging,
    Model,
    Itself,
    Unknown,
}

/// The names of the project.
pub(super) struct Known<'a> {
    pub(super) registry: &'a Registry,
    /// The model's own name.
    pub(super) model: String,
    pub(super) layer: Layer,
    /// The canonical dataset that the model makes.
    pub(super) makes: Option<&'a CanonicalDataset>,
    /// The metric of which it is the model that metrex writes.
    pub(super) mart: Option<&'a Metric>,
    /// Whether metrex wrote it, and from definitions that are still there.
    pub(super) is_generated: bool,
    governance: &'a Governance,
    canonical: HashMap<String, &'a CanonicalDataset>,
    /// Canonical datasets by the tables they are made from.
    sources: HashMap<String, &'a CanonicalDataset>,
    datasets: HashMap<String, &'a Dataset>,
    beside: HashSet<String>,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        model: &Model<'_>,
        registry: &'a Registry,
        governance: &'a Governance,
    ) -> Self {
        let mut datasets = HashMap::new();
        for dataset in registry.datasets.values() {
            if let Relation::Table(table) = &dataset.relation {
                for name in names_of(table) {
                    datasets.entry(name).or_insert(dataset);
                }
            }
        }
        let mut canonical = HashMap::new();
        let mut sources = HashMap::new();
        for one in registry.canonical.values() {
            let tables = one.table(registry).into_iter().flat_map(names_of);
            let own = std::iter::once(&one.name).chain(&one.aliases);
            for name in own.map(|name| name.to_lowercase()).chain(tables) {
                canonical.entry(name).or_insert(one);
            }
            for source in &one.lineage.sources {
                sources.entry(source.to_lowercase()).or_insert(one);
            }
        }
        let name = model.name.to_lowercase();
        let makes = registry.canonical.values().find(|one| {
            let mut names = std::iter::once(&one.name).chain(&one.aliases);
            names.any(|own| own.to_lowercase() == name)
        });
        let named = |patterns: &[String]| patterns.iter().any(|pattern| is_like(&name, pattern));
        let layer = if named(&governance.staging) {
            Layer::Staging
        } else if makes.is_some() || named(&governance.allow) {
            Layer::Making
        } else {
            Layer::Using
        };
        let is_made = generate::is_made(model.text);
        let mut metrics = registry.metrics.values();
        let mart = metrics.find(|metric| is_made && generate::mart_of(&metric.name) == name);
        let is_rows = |of: &str| {
            let mut names = registry.datasets.keys().chain(registry.analyses.keys());
            names.any(|one| one.to_lowercase() == of)
        };
        let of_rows = name.strip_prefix("int_").is_some_and(is_rows);
        Self {
            registry,
            layer,
            makes,
            mart,
            is_generated: is_made && (mart.is_some() || makes.is_some() || of_rows),
            governance,
            canonical,
            sources,
            datasets,
            beside: model
                .beside
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            model: name,
        }
    }

    /// What a reference of dbt means.
    pub(super) fn reference(&self, reference: &Reference) -> Target<'a> {
        match reference {
            Reference::Model(name) => self.model_of(&name.to_lowercase()),
            Reference::Source(schema, table) => {
                let full = format!("{schema}.{table}").to_lowercase();
                // A source may be a canonical dataset that another project makes.
                match self.canonical.get(full.as_str()) {
                    Some(canonical) => Target::Canonical(canonical),
                    None => Target::Raw(self.sources.get(full.as_str()).copied()),
                }
            }
            Reference::Itself => Target::Itself,
            Reference::Unknown => Target::Unknown,
        }
    }

    fn model_of(&self, name: &str) -> Target<'a> {
        if let Some(canonical) = self.canonical.get(name) {
            return Target::Canonical(canonical);
        }
        let like = |patterns: &[String]| patterns.iter().any(|pattern| is_like(name, pattern));
        if like(&self.governance.staging) {
            Target::Staging
        } else if like(&self.governance.allow) || self.beside.contains(name) {
            Target::Model
        } else if let Some(dataset) = self.datasets.get(name) {
            Target::Dataset(dataset)
        } else {
            Target::Unknown
        }
    }

    /// What a table that is named as such means: `orders`, `mart.orders`, `db.mart.orders`.
    pub(super) fn table(&self, written: &str) -> Target<'a> {
        let full = written.to_lowercase();
        let ends = || {
            let starts = full.match_indices('.').map(|(at, _)| at + 1);
            std::iter::once(0)
                .chain(starts)
                .filter_map(|at| full.get(at..))
        };
        let is_raw = |name: &str| self.governance.raw.iter().any(|raw| is_like(name, raw));
        // A table of a raw schema stays raw, whatever other table shares its last name.
        if let Some(raw) = ends().find(|name| name.contains('.') && is_raw(name)) {
            return Target::Raw(self.sources.get(raw).copied());
        }
        let is_qualified = full.contains('.');
        for name in ends() {
            // `other.orders` is not `mart.orders`, but `orders` is.
            let is_last = !name.contains('.');
            let may_be = |table: Option<&str>| {
                !(is_qualified && is_last) || table.is_some_and(|table| !table.contains('.'))
            };
            if let Some(one) = self.canonical.get(name)
                && may_be(one.table(self.registry))
            {
                return Target::Canonical(one);
            }
            if let Some(one) = self.sources.get(name) {
                return Target::Raw(Some(one));
            }
            if let Some(dataset) = self.datasets.get(name)
                && may_be(dataset.table())
            {
                return Target::Dataset(dataset);
            }
        }
        if is_raw(&full) {
            return Target::Raw(None);
        }
        self.model_of(full.rsplit('.').next().unwrap_or(&full))
    }

    /// The name of the canonical dataset that was likely meant.
    pub(super) fn near(&self, written: &str) -> Option<&str> {
        let last = written.rsplit('.').next().unwrap_or(written).to_lowercase();
        let names = self.canonical.keys().map(String::as_str);
        let near = nearest(&last, names)?;
        self.canonical.get(near).map(|one| one.name.as_str())
    }
}

/// A table under its full name and its last one.
fn names_of(table: &str) -> Vec<String> {
    let full = table.to_lowercase();
    let last = full.rsplit('.').next().unwrap_or_default().to_owned();
    vec![full, last]
}

/// Whether a name is like a pattern in which `*` stands for any letters.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let name = name.to_lowercase();
    let pattern = pattern.to_lowercase();
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    match last {
        // The last part may stand further back than where it was found first.
        Some(last) => name.ends_with(last),
        None => rest.is_empty(),
    }
}
