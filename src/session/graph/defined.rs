//! What the definitions say of the things of the graph: what metrics are made of, which tables they read, which joins there are.

use crate::compile::leaf_metrics;
use crate::model::{Dataset, MetricKind, Registry, Relation};
use crate::usage::graph::{EdgeKind, JoinHop, NodeKind, Thing};

/// Every metric with the metrics and the tables it is made of, whether anybody ever asked for it or not.
pub(super) fn metrics(registry: &Registry) -> Vec<(Thing, Vec<(EdgeKind, Thing)>)> {
    let metrics = registry.metrics.keys();
    let of = metrics.map(|name| (Thing::new(NodeKind::Metric, name), parts(registry, name)));
    of.collect()
}

/// The metrics that one is made of, and the tables that it is computed from, directly or over these.
pub(super) fn parts(registry: &Registry, metric: &str) -> Vec<(EdgeKind, Thing)> {
    let Some(metric) = registry.metrics.get(metric) else {
        return Vec::new();
    };
    let inputs = metric.kind.inputs().into_iter();
    let inputs = inputs.map(|input| (EdgeKind::Derives, Thing::new(NodeKind::Metric, input)));
    let mut parts: Vec<(EdgeKind, Thing)> = inputs.collect();
    let mut table =
        |name: &str| parts.push((EdgeKind::ComputedFrom, Thing::new(NodeKind::Table, name)));
    if let MetricKind::Complex { tables, .. } = &metric.kind {
        tables.iter().for_each(|name| table(name));
    }
    for leaf in leaf_metrics(registry, metric) {
        for measure in leaf
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures)
        {
            if let Some(dataset) = registry.datasets.get(&measure.dataset) {
                table(table_of(dataset));
            }
        }
    }
    parts.sort();
    parts.dedup();
    parts
}

/// What stands for a dataset in a statement: its table; for a query, its name.
pub(super) fn table_of(dataset: &Dataset) -> &str {
    match &dataset.relation {
        Relation::Table(table) => table,
        Relation::Sql(_) => &dataset.name,
    }
}

/// The declared joins, with the pairs of columns as the graph writes them.
pub(super) fn joins(registry: &Registry) -> Vec<JoinHop> {
    let mut hops = Vec::new();
    for dataset in registry.datasets.values() {
        for join in dataset.joins.values() {
            let Some(other) = registry.datasets.get(&join.to) else {
                continue;
            };
            let (from, to) = (table_of(dataset), table_of(other));
            let pair = |(here, there): &(String, String)| {
                pair(&format!("{from}.{here}"), &format!("{to}.{there}"))
            };
            let mut on: Vec<String> = join.on.iter().map(pair).collect();
            on.sort();
            hops.push(JoinHop {
                from: from.to_owned(),
                to: to.to_owned(),
                on,
            });
        }
    }
    hops.sort();
    hops.dedup();
    hops
}

/// Two columns with the sides in order.
fn pair(one: &str, other: &str) -> String {
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    format!("{first} = {second}")
}
