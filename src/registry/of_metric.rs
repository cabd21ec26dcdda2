//! Dimensions that are a metric of each row of their dataset: `orders per buyer_id` for a dataset of buyers.

use super::composed::parts;
use super::diagnostic::Sink;
use super::raw::RawDimension;
use super::scope::{Broken, Scope};
use super::yaml::Text;
use crate::model::{Filter, MetricKind, OfMetric, Place, Registry};

/// The metric and the dimension that a text names.
pub(crate) fn read(text: &Text, raw: &RawDimension, sink: &mut Sink) -> Option<OfMetric> {
    if raw.column.is_some() || raw.expr.is_some() {
        let message = "a dimension has a column, an expr or a metric, not two of them";
        sink.error("invalid_value", text.place, &text.value, message, None);
        return None;
    }
    let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
    match Filter::per(&text.value).map(|(metric, per)| (metric.trim(), per.trim())) {
        Some((metric, per)) if is_name(metric) && is_name(per) => Some(OfMetric {
            metric: metric.to_owned(),
            per: per.to_owned(),
        }),
        _ => {
            let message = format!("'{}' does not say of what", text.value);
            let hint = "write: metric: orders per buyer_id, a metric and the dimension that holds the key of this dataset";
            let hint = Some(hint.to_owned());
            sink.error("invalid_value", text.place, &text.value, message, hint);
            None
        }
    }
}

/// Checks these dimensions, once every metric is known, and takes out those that cannot be computed.
pub(crate) fn settle(registry: &mut Registry, broken: &mut Broken, sink: &mut Sink) {
    let mut failed = Vec::new();
    for dataset in registry.datasets.values() {
        for dimension in dataset.dimensions.values() {
            let Some(of) = &dimension.of_metric else {
                continue;
            };
            let (text, place) = (&dimension.expr.text, dimension.expr.place);
            let before = sink.errors();
            if dataset.key.len() != 1 {
                let message = format!(
                    "'{}' is of each {}, whose key is {}",
                    dimension.name,
                    dataset.name,
                    match dataset.key.len() {
                        0 => "not known".to_owned(),
                        _ => format!("of several columns ({})", dataset.key.join(", ")),
                    }
                );
                let hint = Some(format!("give {} a key of one column", dataset.name));
                sink.error("join_key", place, text, message, hint);
            } else {
                check(place, of, registry, broken, sink);
            }
            if sink.errors() > before {
                failed.push((dataset.name.clone(), dimension.name.clone()));
            }
        }
    }
    for (dataset, dimension) in &failed {
        if let Some(dataset) = registry.datasets.get_mut(dataset) {
            dataset.dimensions.shift_remove(dimension);
        }
    }
    broken.parts.extend(failed);
}

/// Whether the metric is one, and every aggregation of it reaches the dimension.
fn check(place: Place, of: &OfMetric, registry: &Registry, broken: &Broken, sink: &mut Sink) {
    let Some(metric) = registry.metric(&of.metric) else {
        let is_broken = broken.metrics.contains(&of.metric);
        let known = registry.metrics.keys().chain(&broken.metrics);
        let known = known.map(String::as_str);
        let at = (of.metric.as_str(), place);
        broken.refuse("metric", "unknown_metric", at, is_broken, known, sink);
        return;
    };
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    for part in parts(registry, &metric.name) {
        if matches!(part.kind, MetricKind::Complex { .. }) {
            let message = format!("'{}' is SQL by hand, which has no value per row", part.name);
            sink.error("metric_kind", place, &of.metric, message, None);
            return;
        }
        let sources = part.kind.sources().iter();
        for measure in sources.flat_map(|source| &source.measures) {
            let Some(dataset) = registry.datasets.get(&measure.dataset) else {
                continue;
            };
            if scope.reach(dataset, &of.per).is_none() {
                let what = format!("dimension of {}:", dataset.name);
                let at = (of.per.as_str(), place);
                let is_broken = scope.is_broken(dataset, &of.per);
                let known = scope.dimensions(dataset);
                broken.refuse(&what, "unknown_dimension", at, is_broken, known, sink);
                return;
            }
        }
    }
}
