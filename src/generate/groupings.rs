//! What the model of a metric is grouped by, where nobody says.

use std::collections::HashMap;

use super::closure::counted;
use super::columns::names;
use crate::compile::leaf_metrics;
use crate::model::{
    Dataset, Dimension, DimensionType, Grain, GroupBy, Metric, MetricKind, Registry,
};

/// A time grain and the dimensions that the metric shares with the rest of the project. A dimension that the metric
/// itself decides by is none of them: each of its values would hold one side of it.
pub(super) fn groupings(registry: &Registry, metric: &Metric) -> Vec<GroupBy> {
    let counted = counted(registry, metric);
    let mut datasets: Vec<&Dataset> = Vec::new();
    let mut decided: Vec<String> = Vec::new();
    for measure in &counted {
        let dataset = registry.datasets.get(&measure.dataset);
        if let Some(dataset) =
            dataset.filter(|one| datasets.iter().all(|seen| seen.name != one.name))
        {
            datasets.push(dataset);
        }
        decided.extend(measure.filters.iter().flat_map(names));
    }
    let mut groups = Vec::new();
    let has_time = !datasets.is_empty() && datasets.iter().all(|dataset| dataset.time.is_some());
    let own = metric
        .grain
        .iter()
        .find(|group| matches!(group, GroupBy::Grain { of: None, .. }));
    if let Some(own) = own {
        groups.push(own.clone());
    } else if has_time {
        let grain = match &metric.kind {
            MetricKind::Cumulative(_) => Grain::Day,
            _ => coarsest(registry, metric).max(Grain::Month),
        };
        groups.push(GroupBy::Grain { grain, of: None });
    }
    let per: Vec<&GroupBy> = limited(registry, metric).flat_map(|(_, per)| per).collect();
    let said = metric.grain.iter().chain(per);
    for group in said {
        let is_time = matches!(group, GroupBy::Grain { of: None, .. });
        let group = canonical(&datasets, group);
        if !is_time && !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut shared: HashMap<&str, usize> = HashMap::new();
    for dataset in registry.datasets.values() {
        for name in dataset.dimensions.keys() {
            *shared.entry(name.as_str()).or_default() += 1;
        }
    }
    let Some((first, others)) = datasets.split_first() else {
        return groups;
    };
    for dimension in first.dimensions.values() {
        let everywhere = others
            .iter()
            .all(|other| other.dimensions.contains_key(&dimension.name));
        let is_shared = shared
            .get(dimension.name.as_str())
            .is_some_and(|times| *times > 1);
        let is_decided = decided.iter().any(|name| {
            name.eq_ignore_ascii_case(&dimension.name) || dimension.column.as_deref() == Some(name)
        });
        let group = GroupBy::Dimension(dimension.name.clone());
        if everywhere
            && is_shared
            && !is_decided
            && groups_well(first, dimension)
            && !groups.contains(&group)
        {
            groups.push(group);
        }
    }
    groups
}

/// A grouping under the name of its dimension, where the definition uses another one.
fn canonical(datasets: &[&Dataset], group: &GroupBy) -> GroupBy {
    let GroupBy::Dimension(name) = group else {
        return group.clone();
    };
    let found = datasets.first().and_then(|dataset| dataset.dimension(name));
    found.map_or_else(
        || group.clone(),
        |dimension| GroupBy::Dimension(dimension.name.clone()),
    )
}

/// Whether a dimension has few values by its nature, and nobody's own.
fn groups_well(dataset: &Dataset, dimension: &Dimension) -> bool {
    let is_key = dimension.column.as_ref().is_some_and(|column| {
        let mut joins = dataset.joins.values();
        dataset.key.len() == 1 && dataset.key.contains(column)
            || joins.any(|join| join.on.iter().any(|(here, _)| here == column))
    });
    matches!(dimension.kind, DimensionType::Text | DimensionType::Boolean)
        && !dimension.pii
        && dimension.of_metric.is_none()
        && !is_key
}

/// How long a row is in time, and what does not add up, of each metric that this one is made of, where its rows are made
/// by SQL by hand or an analysis.
fn limited<'a>(
    registry: &'a Registry,
    metric: &'a Metric,
) -> impl Iterator<Item = (Grain, &'a [GroupBy])> {
    let mut all = leaf_metrics(registry, metric);
    all.push(metric);
    all.into_iter()
        .filter_map(|metric| match metric.kind.facets() {
            Some(facets) => Some((facets.grain, facets.per.as_slice())),
            None => {
                let analysis = registry.analysis_of(metric)?;
                Some((analysis.grain, analysis.per(&metric.name)))
            }
        })
}

fn coarsest(registry: &Registry, metric: &Metric) -> Grain {
    let grains = limited(registry, metric).map(|(grain, _)| grain);
    grains.max().unwrap_or(Grain::Month)
}
