//! Conversion metrics: events followed by other events of the same entity.

use super::composed::{Composition, Known, Use};
use super::diagnostic::Sink;
use super::length;
use super::raw::RawMetric;
use super::read::MapOr;
use super::scope::Scope;
use super::yaml::Text;
use crate::model::{Aggregate, Conversion, Measure, Metric, MetricKind, Registry};

/// The conversion that the keys describe; its metrics are still as they are written.
pub(crate) fn conversion(raw: &RawMetric, sink: &mut Sink) -> Option<Conversion> {
    let before = sink.errors();
    let within = raw.within.as_ref().map(|text| length::limit(text, sink));
    let conversion = Conversion {
        entity: raw.entity.as_ref()?.value.clone(),
        base: raw.base.as_ref()?.value.clone(),
        conversion: raw.conversion.as_ref()?.value.clone(),
        within: within.flatten(),
        same: same(raw)
            .into_iter()
            .map(|(base, conversion)| (base.value.clone(), conversion.value.clone()))
            .collect(),
        result: raw.result.map(|word| word.value).unwrap_or_default(),
    };
    (sink.errors() == before).then_some(conversion)
}

/// What must be equal, in the base and in the conversion.
fn same(raw: &RawMetric) -> Vec<(&Text, &Text)> {
    match &raw.same {
        None => Vec::new(),
        Some(MapOr::Short(names)) => names.0.iter().map(|name| (name, name)).collect(),
        Some(MapOr::Map(pairs)) => {
            let pairs = pairs.0.iter();
            pairs
                .filter_map(|pair| Some((&pair.name, pair.value.as_ref()?)))
                .collect()
        }
    }
}

/// Settles which metrics the events are.
pub(crate) fn compose(
    raw: &RawMetric,
    conversion: &Conversion,
    known: Known,
    sink: &mut Sink,
) -> Option<Composition> {
    let (base, converted) = (raw.base.as_ref()?, raw.conversion.as_ref()?);
    let mut metric = |text: &Text| known.metric((&text.value, text.place), sink);
    let (of_base, of_conversion) = (metric(base), metric(converted));
    let (of_base, of_conversion) = (of_base?, of_conversion?);
    Some(Composition {
        text: base.clone(),
        kind: MetricKind::Conversion(Box::new(Conversion {
            base: of_base.clone(),
            conversion: of_conversion.clone(),
            ..conversion.clone()
        })),
        uses: vec![
            Use::plain(of_base, base),
            Use::plain(of_conversion, converted),
        ],
    })
}

/// Checks that both metrics count events of datasets with a time, the entity and what must be the same.
pub(crate) fn check(
    raw: &RawMetric,
    conversion: &Conversion,
    registry: &Registry,
    scope: Scope,
    sink: &mut Sink,
) {
    let sides = [
        (&raw.base, &conversion.base),
        (&raw.conversion, &conversion.conversion),
    ];
    let before = sink.errors();
    for (side, (text, name)) in sides.into_iter().enumerate() {
        let (Some(text), Some(metric)) = (text, registry.metrics.get(name)) else {
            continue;
        };
        let Some(measures) = events(metric) else {
            let message = format!(
                "'{}' is a {} metric; a conversion is made of simple ones, which count or sum events",
                text.value,
                metric.kind.word()
            );
            sink.error(
                "metric_kind",
                text.place,
                &text.value,
                message,
                Some("name a metric with base_table and agg: count or sum".to_owned()),
            );
            continue;
        };
        for measure in measures {
            let counts = matches!(
                measure.agg,
                Aggregate::Count
                    | Aggregate::CountDistinct
                    | Aggregate::Sum
                    | Aggregate::SumBoolean
            );
            if !counts || measure.over_time.is_some() {
                let message = format!(
                    "'{}' is no number of events: a conversion needs a count or a sum",
                    text.value
                );
                sink.error(
                    "metric_kind",
                    text.place,
                    &text.value,
                    message,
                    Some(
                        "name a metric with agg: count, count_distinct, sum or sum_boolean"
                            .to_owned(),
                    ),
                );
            }
            let Some(dataset) = registry.datasets.get(&measure.dataset) else {
                continue;
            };
            if measure.time.is_none() && dataset.time.is_none() {
                let message = format!(
                    "'{}' reads {}, which has no time: what comes first cannot be told",
                    text.value, dataset.name
                );
                let hint = Some(format!("give {} a time", dataset.name));
                sink.error("time", text.place, &text.value, message, hint);
            }
            let pairs = same(raw).into_iter();
            let names = pairs.map(|pair| if side == 0 { pair.0 } else { pair.1 });
            // A name that is wrong on one side is not reported for the other.
            let is_known = sink.errors() == before;
            for name in raw.entity.iter().filter(|_| is_known).chain(names) {
                scope.check_column_or_dimension(dataset, name, sink);
            }
        }
    }
}

/// The measures of a simple metric; `None` for other kinds.
fn events(metric: &Metric) -> Option<Vec<&Measure>> {
    match &metric.kind {
        MetricKind::Simple(sources) => {
            let measures = sources.iter().flat_map(|source| &source.measures);
            Some(measures.collect())
        }
        _ => None,
    }
}
