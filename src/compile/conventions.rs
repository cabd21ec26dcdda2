//! What dbt MetricFlow's rules change of a query, in a project that is set to `conventions: metricflow`.

use jiff::civil::Date;

use super::dunder::METRIC_TIME;
use crate::model::{Conventions, DateRange, Grain, GroupBy, MetricQuery, Registry, Weekday};

/// Periods without rows are rows only where a metric says so; a time is called after its grain.
pub(super) fn adapt(
    registry: &Registry,
    query: &mut MetricQuery,
    written: &mut [(String, String)],
    time_grain: Grain,
) {
    if registry.conventions != Conventions::Metricflow {
        return;
    }
    let mut metrics = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name));
    if query.every_period.is_none() && !metrics.any(|metric| metric.every_period) {
        query.every_period = Some(false);
    }
    let orders = query.order.iter_mut().map(|key| &mut key.column);
    let names = written.iter_mut().map(|(_, name)| name);
    for name in names.chain(orders).filter(|name| *name == METRIC_TIME) {
        name.push_str("__");
        name.push_str(time_grain.word());
    }
}

/// The range in whole periods of the finest grain that is grouped by.
pub(super) fn widen(
    registry: &Registry,
    groups: &[GroupBy],
    range: DateRange,
    week_start: Weekday,
) -> DateRange {
    let grains = groups.iter().filter_map(|group| match group {
        GroupBy::Grain { grain, .. } => Some(*grain),
        GroupBy::Dimension(_) | GroupBy::Part { .. } => None,
    });
    let grain = match (registry.conventions, grains.min()) {
        (Conventions::Metricflow, Some(grain)) if grain > Grain::Day => grain,
        _ => return range,
    };
    let first = |day: Date| grain.floor(day, week_start);
    // The end is the day after the last one.
    let after = |end: Date| {
        let last = end.yesterday().unwrap_or(end);
        first(last).checked_add(grain.span(1)).unwrap_or(end)
    };
    DateRange {
        start: range.start.map(first),
        end: range.end.map(after),
    }
}
