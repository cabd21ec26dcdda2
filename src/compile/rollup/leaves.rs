//! The aggregations that a rollup keeps: those of its metrics, each once, and none that does not add up.

use crate::compile::{CompileError, ErrorCode};
use crate::model::{Aggregate, Expression, Measure, Metric, MetricKind, Registry, Rollup};

/// Metrics may be made of metrics this deep.
const MAX_DEPTH: u8 = 32;

/// Every measure of a rollup's metrics with the name of its column; the filters of derived metrics' inputs are among
/// its own.
pub(super) fn leaves(
    registry: &Registry,
    rollup: &Rollup,
) -> Result<Vec<(String, Measure)>, CompileError> {
    let mut found = Vec::new();
    for name in &rollup.metrics {
        let metric = registry
            .metric(name)
            .ok_or_else(|| refused(rollup, format!("there is no metric '{name}'")).word(name))?;
        walk(registry, rollup, metric, &[], 0, &mut found)?;
    }
    Ok(found)
}

fn walk(
    registry: &Registry,
    rollup: &Rollup,
    metric: &Metric,
    filters: &[Expression],
    depth: u8,
    found: &mut Vec<(String, Measure)>,
) -> Result<(), CompileError> {
    if depth > MAX_DEPTH {
        return Err(refused(
            rollup,
            format!("{} is nested too deeply", metric.name),
        ));
    }
    match &metric.kind {
        MetricKind::Derived { inputs, .. } => {
            for input in inputs {
                let Some(of) = registry.metric(&input.metric) else {
                    continue;
                };
                let mut filters = filters.to_vec();
                filters.extend(input.filters.iter().cloned());
                walk(registry, rollup, of, &filters, depth + 1, found)?;
            }
            return Ok(());
        }
        MetricKind::Cumulative(cumulative) => {
            if let Some(of) = cumulative.of.as_deref().and_then(|of| registry.metric(of)) {
                return walk(registry, rollup, of, filters, depth + 1, found);
            }
        }
        MetricKind::Conversion(_) => {
            return Err(refused(
                rollup,
                format!(
                    "{} follows single events, which a rollup does not keep",
                    metric.name
                ),
            ));
        }
        MetricKind::Complex { .. } => {
            return Err(refused(
                rollup,
                format!("{} is a hand-written snippet", metric.name),
            ));
        }
        MetricKind::Simple(_) | MetricKind::Ratio(_) => {}
    }
    let mut reads = false;
    for source in metric.kind.sources() {
        let is_ratio = source.measures.len() == 2;
        for (measure, part) in source.measures.iter().zip(["_numerator", "_denominator"]) {
            if measure.dataset != rollup.of {
                continue;
            }
            reads = true;
            let first = found.first().map(|(_, first)| first);
            adds_up(registry, rollup, metric, measure, first)?;
            let part = if is_ratio { part } else { "" };
            let mut measure = measure.clone();
            measure.filters.extend(filters.iter().cloned());
            found.push((format!("{}{part}", metric.name), measure));
        }
    }
    if reads {
        Ok(())
    } else {
        let why = format!("{} is not computed from {}", metric.name, rollup.of);
        Err(refused(rollup, why))
    }
}

fn adds_up(
    registry: &Registry,
    rollup: &Rollup,
    metric: &Metric,
    measure: &Measure,
    first: Option<&Measure>,
) -> Result<(), CompileError> {
    let why = match measure.agg {
        Aggregate::Count
        | Aggregate::Sum
        | Aggregate::SumBoolean
        | Aggregate::Min
        | Aggregate::Max
        | Aggregate::Avg => None,
        Aggregate::CountDistinct => {
            Some("counts distinct values, and one that occurs on two days is still one")
        }
        Aggregate::Percentile(p) if (p - 0.5).abs() < f64::EPSILON => {
            Some("is a median, which needs every single value")
        }
        Aggregate::Percentile(_) | Aggregate::PercentileDiscrete(_) => {
            Some("is a percentile, which needs every single value")
        }
        Aggregate::Stddev
        | Aggregate::StddevPopulation
        | Aggregate::Variance
        | Aggregate::VariancePopulation => {
            Some("measures how far values lie apart, which needs every single value")
        }
    };
    let dataset = registry.datasets.get(&rollup.of);
    let default = dataset.and_then(|dataset| dataset.time.as_deref());
    let time = |measure: &Measure| measure.time.clone().or(default.map(str::to_owned));
    let why = match (why, &measure.over_time) {
        (Some(why), _) => Some(why),
        (None, Some(_)) => Some("does not add up over time"),
        (None, None) if first.is_some_and(|first| time(first) != time(measure)) => {
            Some("goes by another time than the metrics before it")
        }
        _ => None,
    };
    match why {
        None => Ok(()),
        Some(why) => Err(refused(rollup, format!("{} {why}", metric.name))
            .hint("leave it out of the rollup: it is always computed from the rows")),
    }
}

pub(super) fn refused(rollup: &Rollup, why: String) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidDefinition,
        format!("the rollup {} cannot be kept: {why}", rollup.name),
    )
    .hint("change its definition; until then, everything is computed from the rows")
    .at(rollup.place)
}
