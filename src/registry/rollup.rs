//! Rollups: aggregated tables of a dataset, and which metrics can be kept in one.

use super::composed::parts;
use super::diagnostic::Sink;
use super::raw::{RawKeptIn, RawRollup};
use super::read::Entry;
use super::scope::{Broken, Scope};
use super::words::check_name;
use super::yaml::Text;
use crate::model::{Aggregate, Dataset, Grain, Metric, MetricKind, Registry, Rollup};

/// The rollup an entry describes; `None` where something is wrong with it.
pub(crate) fn rollup(
    entry: &Entry<RawRollup>,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<Rollup> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let before = sink.errors();
    check_name("rollup", name, sink);
    let (Some(of), Some(grain), Some(_)) = (&raw.of, raw.grain, raw.metrics.0.first()) else {
        if entry.errors == 0 {
            let message = format!(
                "rollup '{}' needs of (a dataset), a grain and metrics",
                name.value
            );
            let hint = Some("write {of: orders, grain: day, metrics: [gmv]}".to_owned());
            sink.error("missing_key", name.place, &name.value, message, hint);
        }
        return None;
    };
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    let dataset = scope.dataset(of, sink)?;
    if grain.value.is_sub_day() {
        let message = "a rollup is by day, or by a longer period";
        let found = grain.value.word();
        sink.error(
            "invalid_value",
            grain.place,
            found,
            message,
            Some("write grain: day".to_owned()),
        );
    }
    if dataset.time.is_none() {
        let message = format!("{} has no time to add up by", dataset.name);
        let hint = Some(format!("give {} a time", dataset.name));
        sink.error("time", of.place, &of.value, message, hint);
    }
    if dataset.valid.is_some() {
        let message = format!(
            "the rows of {} hold for a time and are no events",
            dataset.name
        );
        sink.error(
            "metric_kind",
            of.place,
            &of.value,
            message,
            Some("make a rollup of the dataset of the events".to_owned()),
        );
    }
    for dimension in &raw.by.0 {
        check_dimension(dimension, dataset, scope, sink);
    }
    let mut metrics: Vec<String> = Vec::new();
    let mut by_time = None;
    for text in &raw.metrics.0 {
        if let Some(metric) = metric(text, dataset, &mut by_time, registry, broken, sink)
            && !metrics.contains(metric)
        {
            metrics.push(metric.clone());
        }
    }
    let embedded = raw
        .r#in
        .is_some_and(|kept_in| kept_in.value == RawKeptIn::Embedded);
    if let (true, Some(table)) = (embedded, &raw.table) {
        let message = "a rollup in the embedded file has no other table than its name";
        let hint = Some("leave 'table' out".to_owned());
        sink.error("invalid_value", table.place, &table.value, message, hint);
    }
    let table = raw.table.as_ref().unwrap_or(name);
    if !table.value.split('.').all(|part| !part.trim().is_empty()) {
        let message = format!("'{}' is not a table name", table.value);
        let hint = Some("write table or schema.table".to_owned());
        sink.error("invalid_value", table.place, &table.value, message, hint);
    }
    (entry.errors == 0 && sink.errors() == before).then(|| Rollup {
        name: name.value.clone(),
        place: name.place,
        of: of.value.clone(),
        table: table.value.clone(),
        embedded,
        grain: grain.value,
        by: raw.by.0.iter().map(|text| text.value.clone()).collect(),
        metrics,
    })
}

fn check_dimension(text: &Text, dataset: &Dataset, scope: Scope, sink: &mut Sink) {
    if let Some(dimension) = scope.reach(dataset, &text.value) {
        if dimension.of_metric.is_some() {
            let message = format!(
                "'{}' is a metric, whose value changes with every new row",
                text.value
            );
            sink.error("metric_kind", text.place, &text.value, message, None);
        }
        return;
    }
    if Grain::from_word(&text.value).is_some() {
        let message = format!("'{}' is a time grain and no dimension", text.value);
        let hint = Some("the time of a rollup is its grain".to_owned());
        sink.error("invalid_value", text.place, &text.value, message, hint);
        return;
    }
    let what = format!("dimension of {}:", dataset.name);
    let is_broken = scope.is_broken(dataset, &text.value);
    let known = scope.dimensions(dataset);
    let at = (text.value.as_str(), text.place);
    scope
        .broken
        .refuse(&what, "unknown_dimension", at, is_broken, known, sink);
}

/// The canonical name of a metric of which every aggregation can be kept: it is over the dataset's rows, all go by one time,
/// and the parts of it can be put together again.
fn metric<'a>(
    text: &Text,
    dataset: &Dataset,
    by_time: &mut Option<String>,
    registry: &'a Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<&'a String> {
    let Some(metric) = registry.metric(&text.value) else {
        let is_broken = broken.metrics.contains(&text.value);
        let known = registry.metrics.keys().chain(&broken.metrics);
        let known = known.map(String::as_str);
        let at = (text.value.as_str(), text.place);
        broken.refuse("metric", "unknown_metric", at, is_broken, known, sink);
        return None;
    };
    let reason = parts(registry, &metric.name)
        .into_iter()
        .find_map(|part| cannot_be_kept(part, dataset, by_time));
    if let Some(reason) = reason {
        let message = format!("'{}' cannot be kept in a rollup: {reason}", text.value);
        sink.error(
            "metric_kind",
            text.place,
            &text.value,
            message,
            Some("leave it out: it is always computed from the rows".to_owned()),
        );
        return None;
    }
    Some(&metric.name)
}

fn cannot_be_kept(
    metric: &Metric,
    dataset: &Dataset,
    by_time: &mut Option<String>,
) -> Option<String> {
    let name = &metric.name;
    match metric.kind {
        MetricKind::Conversion(_) => return Some(format!("{name} needs every single event")),
        MetricKind::Complex { .. } => return Some(format!("{name} is SQL by hand")),
        _ => {}
    }
    let sources = metric.kind.sources().iter();
    sources
        .flat_map(|source| &source.measures)
        .find_map(|measure| {
            if measure.dataset != dataset.name {
                return Some(format!("{name} is computed from {}", measure.dataset));
            }
            if measure.over_time.is_some() {
                return Some(format!(
                    "{name} has snapshots, which do not add up over time"
                ));
            }
            let time = measure.time.as_ref().or(dataset.time.as_ref())?;
            let common = by_time.get_or_insert_with(|| time.clone());
            if common != time {
                return Some(format!(
                    "{name} goes by {time}, and the metrics before it by {common}"
                ));
            }
            let is_kept = matches!(
                measure.agg,
                Aggregate::Sum
                    | Aggregate::Count
                    | Aggregate::SumBoolean
                    | Aggregate::Avg
                    | Aggregate::Min
                    | Aggregate::Max
            );
            (!is_kept).then(|| format!("{name} needs every single row, not sums of them"))
        })
}
