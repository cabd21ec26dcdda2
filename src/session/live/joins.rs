//! Joins lead to a row, and to one only: rows that lead nowhere, keys that stand in several rows.

use super::plans::{counted, counter};
use super::{Finding, Probes, Row};
use crate::model::{
    Dataset, Dimension, Direction, Filter, GroupBy, Join, MetricQuery, OrderBy, Place, Registry,
    Relation,
};
use crate::session::Catalog;
use crate::warehouse::TableInfo;

/// Examples that a finding names.
const EXAMPLES: u64 = 3;

pub(super) fn add(probes: &mut Probes, tables: &[TableInfo]) {
    let registry = probes.registry();
    let catalog = Catalog::new(with_columns(registry), Vec::new(), 0);
    // The rows of an analysis are computed from those that are looked at.
    let is_table = |dataset: &&Dataset| !registry.analyses.contains_key(&dataset.name);
    for dataset in registry.datasets.values().filter(is_table) {
        for join in dataset.joins.values() {
            orphans(probes, &catalog, dataset, join);
        }
        if !dataset.key.is_empty() && dataset.valid.is_none() && !is_unique(dataset, tables) {
            duplicates(probes, &catalog, dataset);
        }
    }
}

/// The definitions with a dimension more for each column that a join or a key is made of.
fn with_columns(registry: &Registry) -> Registry {
    let mut registry = counted(registry);
    let mut columns: Vec<(String, String, Place)> = Vec::new();
    for dataset in registry.datasets.values() {
        let mut add = |dataset: &str, column: &str, place| {
            columns.push((dataset.to_owned(), column.to_owned(), place));
        };
        for join in dataset.joins.values() {
            for (here, there) in &join.on {
                add(&dataset.name, here, join.place);
                add(&join.to, there, join.place);
            }
        }
        for column in dataset.key.iter().chain(&dataset.partition) {
            add(&dataset.name, column, dataset.place);
        }
    }
    for (dataset, column, place) in columns {
        if let Some(dataset) = registry.datasets.get_mut(&dataset) {
            let dimension = Dimension::of_column(column_name(&column), &column, place);
            dataset.dimensions.insert(dimension.name.clone(), dimension);
        }
    }
    registry
}

/// The dimension that a column is, beside those of the project.
fn column_name(column: &str) -> String {
    format!("metrex_column_{column}")
}

/// Rows whose key stands in no row of the dataset that they join.
fn orphans(probes: &mut Probes, catalog: &Catalog, dataset: &Dataset, join: &Join) {
    let what = format!("join {}.{}", dataset.name, join.name);
    let here: Vec<String> = join.on.iter().map(|(here, _)| column_name(here)).collect();
    let null = |field: String, negated| Filter::IsNull { field, negated };
    let there = join.on.iter().take(1);
    let lost = there.map(|(_, there)| null(format!("{}.{}", join.name, column_name(there)), false));
    let present = here.iter().map(|name| null(name.clone(), true));
    let query = MetricQuery {
        metrics: vec![counter(&dataset.name)],
        group_by: Some(here.iter().cloned().map(GroupBy::Dimension).collect()),
        filters: lost.chain(present).reduce(Filter::and),
        total: true,
        ..most_rows(dataset, EXAMPLES)
    };
    let compiled = match probes.compile(catalog, &query) {
        Ok(compiled) => compiled,
        Err(error) => return probes.skip(what, error.message),
    };
    let total = compiled.total().cloned();
    let columns: Vec<&str> = join.on.iter().map(|(here, _)| here.as_str()).collect();
    let (of, columns, to) = (dataset.name.clone(), columns.join(", "), join.to.clone());
    let name = join.name.clone();
    let example = examples_of(dataset, join.on.iter().map(|(here, _)| here));
    let statements = std::iter::once(compiled.main).chain(total).collect();
    probes.run(what, join.place, statements, move |answers| {
        let examples = answers.first()?;
        let first = examples.first()?;
        let total = answers.get(1).and_then(|rows| rows.first());
        let count = total.and_then(count_of).or_else(|| count_of(first))?;
        let rows = number_of_rows(count);
        let lead = if count == 1 { "leads" } else { "lead" };
        let message = format!(
            "{rows} of {of} {lead} to no row of {to} by {columns}{}",
            example(examples, count)
        );
        let hint = format!("by a dimension of {name} they have no value, under a condition on one they are left out");
        Some(Finding::warning("orphans", message).hint(hint))
    });
}

/// Keys that stand in several rows: a join would multiply what it is for.
fn duplicates(probes: &mut Probes, catalog: &Catalog, dataset: &Dataset) {
    let what = format!("key of {}", dataset.name);
    let columns = dataset.key.iter().chain(&dataset.partition);
    let columns: Vec<&str> = columns.map(String::as_str).collect();
    let several = Filter::Compare {
        field: counter(&dataset.name),
        op: crate::model::CompareOp::Gt,
        value: "1".to_owned(),
    };
    let names = columns.iter().map(|column| column_name(column));
    let query = MetricQuery {
        metrics: vec![counter(&dataset.name)],
        group_by: Some(names.map(GroupBy::Dimension).collect()),
        filters: Some(several),
        ..most_rows(dataset, EXAMPLES + 1)
    };
    let compiled = match probes.compile(catalog, &query) {
        Ok(compiled) => compiled,
        Err(error) => return probes.skip(what, error.message),
    };
    let (name, columns) = (dataset.name.clone(), columns.join(", "));
    let example = examples_of(dataset, &dataset.key);
    let statements = vec![compiled.main];
    probes.run(what, dataset.place, statements, move |answers| {
        let rows = answers.first()?;
        rows.first()?;
        let message = format!(
            "{columns} is no key of {name}, it stands in several rows{}",
            example(rows, 0)
        );
        let hint = "joins onto it count rows several times";
        Some(Finding::error("duplicates", message).hint(hint))
    });
}

/// The groups with most rows first.
fn most_rows(dataset: &Dataset, limit: u64) -> MetricQuery {
    MetricQuery {
        order: vec![OrderBy {
            column: counter(&dataset.name),
            direction: Direction::Descending,
        }],
        limit: Some(limit),
        ..MetricQuery::default()
    }
}

/// Whether the warehouse itself sees to it that the key is one.
fn is_unique(dataset: &Dataset, tables: &[TableInfo]) -> bool {
    let Relation::Table(table) = &dataset.relation else {
        return false;
    };
    let mut tables = tables.iter().filter(|info| info.name == *table);
    let same = |columns: &Vec<String>| {
        !columns.is_empty() && columns.iter().all(|column| dataset.key.contains(column))
    };
    tables.any(|info| same(&info.primary_key))
}

/// The number of rows, which is the last column.
fn count_of(row: &Row) -> Option<u64> {
    row.last()?.as_deref()?.parse().ok()
}

fn number_of_rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    }
}

/// How examples of keys are told: not at all where they are personal data.
pub(super) fn examples_of<'a>(
    dataset: &Dataset,
    columns: impl IntoIterator<Item = &'a String>,
) -> fn(&[Row], u64) -> String {
    let is_personal = |column: &String| {
        let mut dimensions = dataset.dimensions.values();
        dimensions.any(|one| one.pii && one.column.as_ref() == Some(column))
    };
    match columns.into_iter().any(is_personal) {
        true => |_, _| String::new(),
        false => |rows, all| format!(": {}", listed(rows, all)),
    }
}

/// `A-1 (200), A-2 (100) and others`; `all` is how many rows there are, where that is known.
fn listed(rows: &[Row], all: u64) -> String {
    let mut named = 0;
    let one = |row: &Row| {
        let count = count_of(row).unwrap_or_default();
        named += count;
        let cells = row.iter().take(row.len().saturating_sub(1));
        let cells: Vec<_> = cells
            .map(|cell| cell.as_deref().unwrap_or("NULL"))
            .collect();
        format!("{} ({})", cells.join(", "), number_of_rows(count))
    };
    let few = usize::try_from(EXAMPLES).unwrap_or(usize::MAX);
    let texts: Vec<String> = rows.iter().take(few).map(one).collect();
    let more = rows.len() > few || named < all;
    format!(
        "{}{}",
        texts.join(", "),
        if more { " and others" } else { "" }
    )
}
