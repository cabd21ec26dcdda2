//! Which thing of the graph a word means.

use super::defined::table_of;
use crate::model::{CanonicalOf, Registry};
use crate::registry::nearest;
use crate::session::{Session, SessionError};
use crate::usage::graph::{NodeKind, Thing};

impl Session {
    /// The thing that a word means: a metric by name or alias, then what the definitions call so, then what was used;
    /// `table:orders` says which.
    ///
    /// # Errors
    /// It means none; the hint names the nearest.
    pub fn graph_thing(&self, word: &str) -> Result<Thing, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let graph = self.used_graph()?;
        if let Some(thing) = Thing::of_word(word) {
            let thing = match thing.kind {
                NodeKind::Metric => defined(registry, &thing.key)
                    .filter(|defined| defined.kind == NodeKind::Metric)
                    .unwrap_or(thing),
                _ => thing,
            };
            let is_used = graph.label(&thing).map_err(super::unreadable)?.is_some();
            if is_used || is_defined(registry, &thing) {
                return Ok(thing);
            }
        } else if let Some(thing) = defined(registry, word) {
            return Ok(thing);
        }
        let called = graph.things_called(word).map_err(super::unreadable)?;
        if let Some(thing) = called.into_iter().next() {
            return Ok(thing);
        }
        let error = SessionError::usage(
            "unknown_name",
            format!("'{word}' is nothing that was defined or used"),
        );
        let mut names: Vec<String> = names(registry).map(str::to_owned).collect();
        for kind in [NodeKind::Table, NodeKind::Dimension, NodeKind::Person] {
            names.extend(graph.keys(kind).map_err(super::unreadable)?);
        }
        Err(match nearest(word, names.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error
                .with_hint("`metrex graph` shows what is used most; kind:name says which is meant"),
        })
    }
}

/// What the definitions call so.
fn defined(registry: &Registry, word: &str) -> Option<Thing> {
    if let Some(metric) = registry.metric(word) {
        return Some(Thing::new(NodeKind::Metric, &metric.name));
    }
    if let Some(canonical) = registry.canonical.get(word) {
        return Some(Thing::new(NodeKind::Dataset, &canonical.name));
    }
    if let Some(dataset) = registry.datasets.get(word) {
        return Some(Thing::new(NodeKind::Table, table_of(dataset)));
    }
    let mut datasets = registry.datasets.values();
    if datasets.any(|dataset| dataset.table() == Some(word)) {
        return Some(Thing::new(NodeKind::Table, word));
    }
    let dimension = registry
        .datasets
        .values()
        .find_map(|dataset| dataset.dimension(word));
    if let Some(dimension) = dimension {
        return Some(Thing::new(NodeKind::Dimension, &dimension.name));
    }
    let view = registry.views.get(word);
    view.map(|view| Thing::new(NodeKind::View, &view.name))
}

fn is_defined(registry: &Registry, thing: &Thing) -> bool {
    let key = thing.key.as_str();
    match thing.kind {
        NodeKind::Metric => registry.metrics.contains_key(key),
        NodeKind::Dataset => registry.canonical.contains_key(key),
        NodeKind::View => registry.views.contains_key(key),
        NodeKind::Rollup => registry.rollups.contains_key(key),
        NodeKind::Table => {
            let mut datasets = registry.datasets.values();
            let canonical =
                |of: &CanonicalOf| matches!(of, CanonicalOf::Table(table) if table == key);
            datasets.any(|dataset| table_of(dataset) == key)
                || registry.canonical.values().any(|one| canonical(&one.of))
        }
        NodeKind::Dimension => {
            let mut datasets = registry.datasets.values();
            datasets.any(|dataset| dataset.dimensions.contains_key(key))
        }
        _ => false,
    }
}

fn names(registry: &Registry) -> impl Iterator<Item = &str> {
    let metrics = registry.metrics.values();
    let metrics = metrics.flat_map(|metric| std::iter::once(&metric.name).chain(&metric.aliases));
    let datasets = registry.datasets.keys();
    let views = registry.views.keys();
    metrics.chain(datasets).chain(views).map(String::as_str)
}
