//! The dataset that a query without a metric reads: the one that has its dimensions with the fewest joins.

use std::collections::BTreeSet;

use super::Planner;
use crate::compile::{CompileError, ErrorCode};
use crate::model::{Dataset, Dimension};

impl<'a> Planner<'a> {
    /// The dataset that has all of these dimensions with the fewest joins, and others that have them with as few.
    pub(super) fn owner(
        &self,
        names: &[&str],
    ) -> Result<(&'a Dataset, Vec<&'a str>), CompileError> {
        let of_snippet = |dataset: &Dataset| {
            let facets = self.registry.metrics.values();
            facets
                .filter_map(|metric| metric.kind.facets())
                .any(|facets| facets.dataset == dataset.name)
        };
        let mut best: Vec<((usize, usize), &Dataset)> = Vec::new();
        for dataset in self.registry.datasets.values() {
            let find = |name: &&str| self.reach.find(self.registry, &dataset.name, name);
            let Ok(paths) = names.iter().map(find).collect::<Result<Vec<_>, _>>() else {
                continue;
            };
            let joins: BTreeSet<&[String]> = paths
                .iter()
                .flat_map(|path| (1..=path.joins.len()).filter_map(|n| path.joins.get(..n)))
                .collect();
            let is_key = paths
                .iter()
                .filter(|path| path.joins.is_empty())
                .any(|path| {
                    let column = path.resolve(self.registry);
                    let column = column.and_then(|(_, dimension)| dimension.column.as_ref());
                    column.is_some_and(|column| dataset.key.as_slice() == [column.clone()])
                });
            let second = match self.is_metricflow() {
                true => breadth(dataset),
                false => usize::from(!is_key),
            };
            if !of_snippet(dataset) {
                best.push(((joins.len(), second), dataset));
            }
        }
        best.sort_by_key(|(cost, _)| *cost);
        if let Some((cost, dataset)) = best.first() {
            let same = best.iter().skip(1).filter(|(other, _)| other == cost);
            return Ok((dataset, same.map(|(_, other)| &*other.name).collect()));
        }
        Err(self.without_owner(names))
    }

    /// Why no dataset has them all.
    fn without_owner(&self, names: &[&str]) -> CompileError {
        for name in names {
            let mut errors = Vec::new();
            for dataset in self.registry.datasets.keys() {
                match self.reach.find(self.registry, dataset, name) {
                    Ok(_) => errors.clear(),
                    Err(error) => {
                        errors.push(error);
                        continue;
                    }
                }
                break;
            }
            if let Some(error) = errors.into_iter().next() {
                return error;
            }
        }
        let mut once: Vec<&str> = Vec::new();
        for name in names {
            if !once.contains(name) {
                once.push(name);
            }
        }
        let error = CompileError::new(
            ErrorCode::UnreachableDimension,
            format!(
                "no dataset leads to all of {} without multiplying rows",
                once.join(", ")
            ),
        )
        .hint("ask for fewer of them, or name a metric that has them all");
        match names.first() {
            Some(first) => error.word(*first),
            None => error,
        }
    }
}

/// MetricFlow reads the model with the least to choose from, where a time is as many names as it has grains and parts.
fn breadth(dataset: &Dataset) -> usize {
    let names = |dimension: &Dimension| if dimension.kind.is_time() { 11 } else { 1 };
    dataset.dimensions.values().map(names).sum()
}
