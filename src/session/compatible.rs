//! Which metrics the groupings and conditions of a query leave out, and why: the other side of [`Session::dimensions`].

use std::collections::HashMap;
use std::sync::Arc;

use super::Session;
use crate::model::{Filter, GroupBy, MetricQuery, Registry};

/// Why a metric cannot be asked for together with something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What it cannot be grouped or filtered by.
    pub group: GroupBy,
    /// Why not, as a sentence.
    pub reason: String,
}

/// What a query asks of every metric in it: its groupings, and the dimensions of its conditions.
pub fn demands(registry: &Registry, query: &MetricQuery) -> Vec<GroupBy> {
    let mut demands: Vec<GroupBy> = query.group_by.clone().unwrap_or_default();
    let fields = query.filters.iter().flat_map(Filter::fields);
    for field in fields {
        let name = Filter::per(field).map_or(field, |(_, dimension)| dimension);
        let group = GroupBy::Dimension(name.to_owned());
        if registry.metric(name).is_none() && !demands.contains(&group) {
            demands.push(group);
        }
    }
    demands
}

impl Session {
    /// The metrics that cannot meet these demands, by canonical name, each with the first one it cannot meet.
    pub fn misfits(&self, demands: &[GroupBy]) -> HashMap<String, Arc<Misfit>> {
        let catalog = self.catalog();
        let (registry, bases) = (&catalog.registry, catalog.bases());
        let refused = |base| {
            demands.iter().find_map(|group| {
                let reason = bases.refusal(registry, &catalog.reach, base, group)?;
                let group = group.clone();
                Some(Arc::new(Misfit { group, reason }))
            })
        };
        let of_base: Vec<Option<Arc<Misfit>>> = (0..bases.len()).map(refused).collect();
        let misfit = |name: &String| of_base.get(bases.of(name)?)?.clone();
        let names = registry.metrics.keys();
        names
            .filter_map(|name| Some((name.clone(), misfit(name)?)))
            .collect()
    }
}
