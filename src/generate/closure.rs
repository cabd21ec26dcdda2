//! Everything some metrics stand on: other metrics, datasets, and the tables that SQL by hand reads.

use indexmap::IndexSet;

use super::refs;
use crate::model::{Expectation, Source};
use crate::model::{Filter, Measure, Metric, MetricKind, MetricQuery, Registry, Relation};
use crate::warehouse::Dialect;

/// What some metrics stand on.
#[derive(Debug, Default, Clone)]
pub(super) struct Closure {
    /// Metrics, by name.
    pub metrics: IndexSet<String>,
    /// Datasets, by name.
    pub datasets: IndexSet<String>,
    /// Tables that SQL by hand reads.
    pub tables: IndexSet<String>,
}

impl Closure {
    /// That of one metric.
    ///
    /// # Errors
    /// SQL by hand that cannot be read.
    pub fn of(registry: &Registry, metric: &str, dialect: Dialect) -> Result<Self, String> {
        let mut closure = Self::default();
        closure.metrics.insert(metric.to_owned());
        let (mut metrics, mut datasets) = (0, 0);
        loop {
            if let Some(name) = closure.metrics.get_index(metrics).cloned() {
                metrics += 1;
                if let Some(metric) = registry.metrics.get(&name) {
                    closure.metric(registry, metric);
                }
            } else if let Some(name) = closure.datasets.get_index(datasets).cloned() {
                datasets += 1;
                closure.dataset(registry, &name, dialect)?;
            } else {
                return Ok(closure);
            }
        }
    }

    /// Both together.
    pub fn extend(&mut self, other: Self) {
        self.metrics.extend(other.metrics);
        self.datasets.extend(other.datasets);
        self.tables.extend(other.tables);
    }

    fn metric(&mut self, registry: &Registry, metric: &Metric) {
        let inputs = metric.kind.inputs().into_iter().map(str::to_owned);
        self.metrics.extend(inputs);
        let measures = measures(&metric.kind).map(|measure| measure.dataset.clone());
        self.datasets.extend(measures);
        for test in &metric.tests {
            self.query(registry, &test.query);
            for expected in &test.expected {
                if let Expectation::SumsTo { query, .. } = expected {
                    self.query(registry, query);
                }
            }
        }
    }

    fn query(&mut self, registry: &Registry, query: &MetricQuery) {
        let per = query.filters.iter().flat_map(Filter::fields);
        let per = per.filter_map(Filter::per).map(|(metric, _)| metric);
        let names = query.metrics.iter().map(String::as_str).chain(per);
        let found = names.filter_map(|name| registry.metric(name));
        self.metrics.extend(found.map(|metric| metric.name.clone()));
    }

    fn dataset(&mut self, registry: &Registry, name: &str, dialect: Dialect) -> Result<(), String> {
        let Some(dataset) = registry.datasets.get(name) else {
            return Ok(());
        };
        let targets = dataset.joins.values().map(|join| join.to.clone());
        self.datasets.extend(targets);
        let of_rows = dataset.dimensions.values();
        let of_rows = of_rows.filter_map(|dimension| dimension.of_metric.as_ref());
        self.metrics.extend(of_rows.map(|of| of.metric.clone()));
        if let Relation::Sql(sql) = &dataset.relation {
            for table in refs::tables(sql, dialect).map_err(|why| format!("{name}: {why}"))? {
                match dataset_of(registry, &table) {
                    Some(dataset) => self.datasets.insert(dataset.to_owned()),
                    None => self.tables.insert(table.clone()),
                };
            }
        }
        Ok(())
    }
}

/// The dataset that a table is.
pub(super) fn dataset_of<'a>(registry: &'a Registry, table: &str) -> Option<&'a str> {
    let mut datasets = registry.datasets.values();
    let found = datasets.find(|dataset| match &dataset.relation {
        Relation::Table(own) => own.eq_ignore_ascii_case(table),
        Relation::Sql(_) => false,
    });
    found.map(|dataset| dataset.name.as_str())
}

/// The aggregations that stand in a definition.
pub(super) fn measures(kind: &MetricKind) -> impl Iterator<Item = &Measure> {
    let sources: &[Source] = kind.sources();
    sources.iter().flat_map(|source| &source.measures)
}

/// The aggregations that the rows of a metric are counted by: of a conversion, those that may convert.
pub(super) fn counted<'a>(registry: &'a Registry, metric: &'a Metric) -> Vec<&'a Measure> {
    let counted = match &metric.kind {
        MetricKind::Conversion(conversion) => registry.metric(&conversion.base).unwrap_or(metric),
        _ => metric,
    };
    let leaves = crate::compile::leaf_metrics(registry, counted);
    leaves
        .into_iter()
        .flat_map(|leaf| measures(&leaf.kind))
        .collect()
}
