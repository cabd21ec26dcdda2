//! What holds for every figure of a metric, from its definition and from what has been agreed on for its columns.

use serde_json::{Map, Value, json};

use super::closure::measures;
use super::layers::Layers;
use crate::model::{Aggregate, Attribute, Measure, Metric, MetricKind};

/// The tests of the column of a metric; `is_alone` where no other metric stands beside it.
pub(super) fn certain(layers: &Layers<'_>, metric: &Metric, is_alone: bool) -> Vec<Value> {
    let mut tests = Vec::new();
    // Beside others, a group without rows of its own has no figure.
    let is_simple = matches!(metric.kind, MetricKind::Simple(_));
    let every_row = is_simple && is_alone && !metric.every_period;
    if every_row && measures(&metric.kind).all(|measure| is_never_null(layers, measure)) {
        tests.push(json!("not_null"));
    }
    let (low, high) = range(layers, metric);
    tests.extend(in_range(low.as_deref(), high.as_deref()));
    tests
}

/// A test that no value lies outside.
pub(super) fn in_range(low: Option<&str>, high: Option<&str>) -> Option<Value> {
    let mut arguments = Map::new();
    arguments.extend(low.map(|low| ("at_least".to_owned(), literal(low))));
    arguments.extend(high.map(|high| ("at_most".to_owned(), literal(high))));
    (!arguments.is_empty()).then(|| json!({"metrex_in_range": {"arguments": arguments}}))
}

/// A number as it is, anything else as a text of SQL.
fn literal(text: &str) -> Value {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
        Ok(number) => json!(number),
        Err(_) => json!(format!("'{}'", text.replace('\'', "''"))),
    }
}

type Range = (Option<String>, Option<String>);

fn range(layers: &Layers<'_>, metric: &Metric) -> Range {
    let positive = || (Some("0".to_owned()), None);
    let nothing = (None, None);
    match &metric.kind {
        MetricKind::Simple(_) => {
            let mut ranges = measures(&metric.kind).map(|measure| of_measure(layers, measure));
            let first = ranges.next().unwrap_or_default();
            match ranges.all(|range| range == first) {
                true => first,
                false => nothing,
            }
        }
        MetricKind::Ratio(sources) => {
            let halves = || sources.iter().map(|source| source.measures.as_slice());
            let is_part = |halves: &[Measure]| match halves {
                [part, whole] => is_share(part, whole),
                _ => false,
            };
            let is_positive = |half: &Measure| {
                of_measure(layers, half)
                    .0
                    .is_some_and(|low| is_positive(&low))
            };
            if halves().all(is_part) {
                (Some("0".to_owned()), Some("1".to_owned()))
            } else if halves().flatten().all(is_positive) {
                positive()
            } else {
                nothing
            }
        }
        MetricKind::Cumulative(cumulative) => {
            let of = cumulative.of.as_ref();
            let of = of.and_then(|of| layers.registry.metric(of));
            let of = of.filter(|of| matches!(of.kind, MetricKind::Simple(_)));
            match of.and_then(|of| range(layers, of).0) {
                Some(low) if is_positive(&low) => positive(),
                _ => nothing,
            }
        }
        MetricKind::Conversion(_) => positive(),
        MetricKind::Derived { .. } | MetricKind::Complex { .. } => nothing,
    }
}

fn of_measure(layers: &Layers<'_>, measure: &Measure) -> Range {
    if is_count(measure.agg) {
        return (Some("0".to_owned()), None);
    }
    let range = agreed(layers, measure).map(|attribute| attribute.range.clone());
    let (low, high) = range.unwrap_or_default();
    let number = |text: &String| text.parse::<f64>().is_ok();
    let (low, high) = (low.filter(number), high.filter(number));
    match measure.agg {
        Aggregate::Sum => match low {
            Some(low) if is_positive(&low) => (Some("0".to_owned()), None),
            _ => (None, None),
        },
        Aggregate::Avg
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Percentile(_)
        | Aggregate::PercentileDiscrete(_) => (low, high),
        _ => (None, None),
    }
}

fn is_positive(low: &str) -> bool {
    low.parse::<f64>().is_ok_and(|low| low >= 0.0)
}

/// Whether every group with rows has a value.
fn is_never_null(layers: &Layers<'_>, measure: &Measure) -> bool {
    matches!(measure.agg, Aggregate::Count | Aggregate::CountDistinct)
        || agreed(layers, measure).is_some_and(|attribute| attribute.not_null)
}

fn is_count(agg: Aggregate) -> bool {
    matches!(
        agg,
        Aggregate::Count | Aggregate::CountDistinct | Aggregate::SumBoolean
    )
}

/// What has been agreed on for the column that is aggregated.
fn agreed<'a>(layers: &Layers<'a>, measure: &Measure) -> Option<&'a Attribute> {
    let expr = measure
        .expr
        .as_ref()
        .filter(|expr| expr.dialects.is_empty())?;
    let dataset = layers.original.datasets.get(&measure.dataset)?;
    let attributes = &layers.original.canonical_of(&measure.dataset)?.attributes;
    attributes.values().find(|attribute| {
        let column = dataset
            .dimension(&attribute.name)
            .map(|dimension| &dimension.column);
        match column {
            Some(column) => column.as_ref() == Some(&expr.text),
            None => attribute.name == expr.text,
        }
    })
}

/// Whether every row of the numerator is one of the denominator.
fn is_share(part: &Measure, whole: &Measure) -> bool {
    let text = |measure: &Measure| measure.expr.as_ref().map(|expr| expr.text.clone());
    let filters = |measure: &Measure| {
        let texts = measure.filters.iter().map(|filter| filter.text.clone());
        texts.collect::<Vec<_>>()
    };
    let (narrow, wide) = (filters(part), filters(whole));
    part.dataset == whole.dataset
        && part.agg == whole.agg
        && matches!(part.agg, Aggregate::Count | Aggregate::CountDistinct)
        && text(part) == text(whole)
        && wide.iter().all(|filter| narrow.contains(filter))
}
