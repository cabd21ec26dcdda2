//! Which dataset a table of a statement is, and which of several tables the rows are of.

use crate::model::{Dataset, Registry, Relation};

/// The dataset that reads a table, whatever schema either is written with.
pub(in crate::learn) fn dataset_of<'r>(registry: &'r Registry, table: &str) -> Option<&'r Dataset> {
    let is_it = |dataset: &&Dataset| match &dataset.relation {
        Relation::Table(known) => is_same(known, table),
        Relation::Sql(_) => false,
    };
    registry.datasets.values().find(is_it)
}

fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || {
        let (last, other_last) = (last(one), last(other));
        let is_bare = !one.contains('.') || !other.contains('.');
        is_bare && last.eq_ignore_ascii_case(other_last)
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// `orders.status` as its table and its column.
pub(in crate::learn) fn split(column: &str) -> Option<(&str, &str)> {
    column.rsplit_once('.')
}

/// The datasets that a dataset's rows have at most one row of each: those its joins lead to.
pub(in crate::learn) fn reached<'r>(registry: &'r Registry, from: &'r Dataset) -> Vec<&'r Dataset> {
    let mut found: Vec<&Dataset> = vec![from];
    let mut at = 0;
    while let Some(dataset) = found.get(at).copied() {
        at += 1;
        for join in dataset.joins.values() {
            if let Some(to) = registry.datasets.get(&join.to)
                && !found.iter().any(|known| known.name == to.name)
            {
                found.push(to);
            }
        }
    }
    found
}

/// The one dataset of these tables from which all others are reached, so that joining them multiplies no row of it.
pub(in crate::learn) fn base<'r>(registry: &'r Registry, tables: &[String]) -> Option<&'r Dataset> {
    let datasets: Option<Vec<&Dataset>> = tables
        .iter()
        .map(|table| dataset_of(registry, table))
        .collect();
    let datasets = datasets?;
    let reaches_all = |dataset: &&&Dataset| {
        let reached = reached(registry, dataset);
        let mut others = datasets.iter();
        others.all(|other| reached.iter().any(|one| one.name == other.name))
    };
    let mut found = datasets.iter().filter(reaches_all);
    let only = found.next()?;
    found.next().is_none().then_some(*only)
}
