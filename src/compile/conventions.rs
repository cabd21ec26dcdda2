//! What dbt MetricFlow's rules change of a query, in a project that is set to `conventions: metricflow`.

use jiff::civil::Date;

use super::dunder::METRIC_TIME;
use crate::model::{
    Conventions, DateRange, Filter, Grain, GroupBy, Metric, MetricQuery, Registry, Weekday,
};

/// A time is called after its grain.
pub(super) fn adapt(
    registry: &Registry,
    query: &mut MetricQuery,
    written: &mut [(String, String)],
    time_grain: Grain,
) {
    if registry.conventions != Conventions::Metricflow {
        return;
    }
    let orders = query.order.iter_mut().map(|key| &mut key.column);
    let names = written.iter_mut().map(|(_, name)| name);
    for name in names.chain(orders).filter(|name| *name == METRIC_TIME) {
        name.push_str("__");
        name.push_str(time_grain.word());
    }
}

/// The range in whole periods: of the finest grain of the metrics' time that is grouped by, else of that time itself.
pub(super) fn widen(
    registry: &Registry,
    (metrics, groups): (&[&Metric], &[GroupBy]),
    range: DateRange,
    week_start: Weekday,
) -> DateRange {
    let own = metrics.iter().filter_map(|metric| metric.time_grain).max();
    let grain = match (registry.conventions, shown(groups).or(own)) {
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

/// The finest grain of the metrics' own time that is grouped by.
pub(super) fn shown(groups: &[GroupBy]) -> Option<Grain> {
    let grains = groups.iter().filter_map(|group| match group {
        GroupBy::Grain { grain, of: None } => Some(*grain),
        _ => None,
    });
    grains.min()
}

/// Whether a period without rows, which has no value of any other grouping, is left by a condition: one on groupings
/// alone is looked at again after the periods were added.
pub(super) fn keeps_empty(condition: &Filter, groups: &[GroupBy]) -> bool {
    let is_grouped = |field: &&str| {
        let is_it = |group: &GroupBy| matches!(group, GroupBy::Dimension(name) if name == field);
        groups.iter().any(is_it)
    };
    !condition.fields().iter().all(is_grouped) || holds_of_nothing(condition) == Some(true)
}

/// Whether a condition holds where no field has a value.
fn holds_of_nothing(condition: &Filter) -> Option<bool> {
    match condition {
        Filter::IsNull { negated, .. } => Some(!negated),
        Filter::Not(part) => holds_of_nothing(part).map(|holds| !holds),
        Filter::And(parts) | Filter::Or(parts) => {
            // One such part decides; else one that is neither leaves it open.
            let decides = matches!(condition, Filter::Or(_));
            let each: Vec<Option<bool>> = parts.iter().map(holds_of_nothing).collect();
            if each.contains(&Some(decides)) {
                Some(decides)
            } else if each.contains(&None) {
                None
            } else {
                Some(!decides)
            }
        }
        Filter::Compare { .. }
        | Filter::In { .. }
        | Filter::Between { .. }
        | Filter::Like { .. } => None,
    }
}
