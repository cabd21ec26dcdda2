//! Every dimension, metric and saved query compiles, and the engine can plan its SQL.

use super::{Finding, Probes};
use crate::compile::{leaf_metrics, per};
use crate::model::{
    Aggregate, Dataset, GroupBy, Measure, Metric, MetricKind, MetricQuery, Registry, Source,
};
use crate::session::{Catalog, SessionError};

/// What counts the rows of a dataset, beside the metrics of the project.
pub(super) fn counter(dataset: &str) -> String {
    format!("metrex_rows_of_{dataset}")
}

/// The definitions with a metric more for each dataset: its rows.
pub(super) fn counted(registry: &Registry) -> Registry {
    let mut registry = registry.clone();
    let metrics = registry.datasets.values().map(rows_of);
    let metrics: Vec<Metric> = metrics.collect();
    for metric in metrics {
        registry.metrics.insert(metric.name.clone(), metric);
    }
    registry
}

fn rows_of(dataset: &Dataset) -> Metric {
    let measure = Measure {
        place: dataset.place,
        dataset: dataset.name.clone(),
        time: None,
        agg: Aggregate::Count,
        expr: None,
        filters: Vec::new(),
        over_time: None,
    };
    let source = Source {
        place: dataset.place,
        use_when: None,
        measures: vec![measure],
    };
    Metric::plain(
        counter(&dataset.name),
        dataset.place,
        MetricKind::Simple(vec![source]),
    )
}

pub(super) fn add(probes: &mut Probes) {
    let registry = probes.registry();
    let counted = Catalog::new(counted(registry), Vec::new(), 0);
    let is_table = |dataset: &&Dataset| !registry.analyses.contains_key(&dataset.name);
    for dataset in registry.datasets.values().filter(is_table) {
        for dimension in dataset.dimensions.values() {
            let what = format!("{}.{}", dataset.name, dimension.name);
            let query = MetricQuery {
                metrics: vec![counter(&dataset.name)],
                group_by: Some(vec![GroupBy::Dimension(dimension.name.clone())]),
                ..MetricQuery::default()
            };
            match probes.compile(&counted, &query) {
                Ok(compiled) => probes.plan(what, dimension.place, compiled.main.sql),
                Err(error) => probes.found(dimension.place, refused(&what, error)),
            }
        }
    }
    for metric in registry.metrics.values() {
        let what = metric.name.clone();
        if let MetricKind::Complex {
            snippet,
            facets: None,
            ..
        } = &metric.kind
        {
            let text = registry.snippets.get(snippet);
            let sql = text.map(|snippet| snippet.text.trim().trim_end_matches(';').to_owned());
            probes.plan(what, metric.place, sql.unwrap_or_default());
            continue;
        }
        // What does not add up over something has a number for each of it only.
        let leaves = leaf_metrics(registry, metric);
        let mut apart: Vec<GroupBy> = Vec::new();
        for group in leaves.into_iter().flat_map(|leaf| per(registry, leaf)) {
            if !apart.contains(group) {
                apart.push(group.clone());
            }
        }
        let query = MetricQuery {
            metrics: vec![metric.name.clone()],
            group_by: (metric.grain.is_empty() && !apart.is_empty()).then_some(apart),
            ..MetricQuery::default()
        };
        match probes.compile(probes.catalog, &query) {
            Ok(compiled) => probes.plan(what, metric.place, compiled.main.sql),
            Err(error) => probes.found(metric.place, refused(&what, error)),
        }
    }
    for view in registry.views.values() {
        let what = format!("saved query {}", view.name);
        match probes.compile(probes.catalog, &view.query) {
            Ok(compiled) => probes.plan(what, view.place, compiled.main.sql),
            Err(error) => probes.found(view.place, refused(&what, error)),
        }
    }
}

fn refused(what: &str, error: SessionError) -> Finding {
    let finding = Finding::error("compile", format!("{what}: {}", error.message));
    match error.hint() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}
