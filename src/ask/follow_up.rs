//! "and for Thailand?", "by channel instead": what a question changes in the query before it, and what it keeps.

use super::draft::{Draft, Removal, Said};
use super::resolve::{Resolved, values_of};
use crate::model::{Filter, GroupBy, MetricQuery};

/// The metrics: those said, after those of the query before where they are added or none is said.
pub(super) fn metrics(draft: &Draft, previous: Option<&MetricQuery>) -> Vec<String> {
    let said = draft.metrics.iter().map(|said| said.what.clone());
    let kept = previous.filter(|_| draft.metrics.is_empty() || draft.also);
    let mut metrics: Vec<String> = kept.map(|kept| kept.metrics.clone()).unwrap_or_default();
    for metric in said {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    metrics
}

/// Takes from the query what cannot stay: what is removed, and what speaks of metrics that are gone.
pub(super) fn tidy(
    query: &mut MetricQuery,
    previous: &MetricQuery,
    draft: &Draft,
    notes: &mut Vec<String>,
) {
    for removal in &draft.removals {
        match removal.what {
            Removal::Filters => query.filters = None,
            Removal::Comparison => query.compare = None,
            Removal::Grouping => {
                query.group_by = Some(Vec::new());
                query.order.clear();
                query.limit = None;
            }
            Removal::Limit => {
                query.order.clear();
                query.limit = None;
            }
        }
    }
    let gone = |name: &str| {
        previous.metrics.iter().any(|metric| metric == name)
            && !query.metrics.iter().any(|metric| metric == name)
    };
    let first = query.metrics.first().cloned();
    for order in &mut query.order {
        if gone(&order.column)
            && let Some(first) = &first
        {
            order.column.clone_from(first);
        }
    }
    let conditions = conditions(query.filters.take());
    let (stay, go): (Vec<Filter>, Vec<Filter>) = conditions
        .into_iter()
        .partition(|filter| !filter.fields().iter().any(|field| gone(field)));
    for filter in go {
        notes.push(format!("'{filter}' went with its metric"));
    }
    query.filters = joined(stay);
}

/// Groupings: those of the question instead of those before, or beside them.
pub(super) fn group(
    query: &mut MetricQuery,
    said: &[(GroupBy, Said<()>)],
    draft: &Draft,
    is_follow_up: bool,
) {
    if said.is_empty() {
        return;
    }
    let is_grain = super::reader::is_grain;
    let only_grains = said.iter().all(|(group, _)| is_grain(group));
    let known = query.group_by.take().unwrap_or_default();
    let mut groups: Vec<GroupBy> = if !is_follow_up {
        Vec::new()
    } else if draft.also {
        known
    } else if only_grains {
        known.into_iter().filter(|group| !is_grain(group)).collect()
    } else {
        Vec::new()
    };
    for (group, _) in said {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    // Grains are written last, as "by market, month".
    groups.sort_by_key(is_grain);
    query
        .order
        .retain(|order| is_column(&order.column, &query.metrics, &groups));
    query.group_by = Some(groups);
}

fn is_column(column: &str, metrics: &[String], groups: &[GroupBy]) -> bool {
    let of_metric = metrics.iter().any(|metric| {
        column
            .strip_prefix(metric.as_str())
            .is_some_and(|rest| ["", "_prior", "_change", "_change_pct"].contains(&rest))
    });
    of_metric || groups.iter().any(|group| group.to_string() == column)
}

/// A condition: instead of those on its dimension, or beside the others.
pub(super) fn filter(
    query: &mut MetricQuery,
    condition: &Resolved,
    is_follow_up: bool,
    also: bool,
) {
    let mut known = conditions(query.filters.take());
    let mut filter = condition.filter.clone();
    if is_follow_up {
        let is_same = |known: &Filter| known.fields() == [condition.field.as_str()];
        let before = known
            .iter()
            .find(|known| is_same(known))
            .and_then(values_of);
        // "and without ads" leaves out one more, "and Thailand too" takes in one more.
        if let (Some((mut values, negated)), Some((more, also_negated))) =
            (before, values_of(&filter))
            && negated == also_negated
            && (negated || also)
        {
            for value in more {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if values.len() > 1 {
                filter = Filter::In {
                    field: condition.field.clone(),
                    values,
                    negated,
                };
            }
        }
        known.retain(|known| !is_same(known));
    }
    known.push(filter);
    query.filters = joined(known);
}

/// No condition on a dimension any more.
pub(super) fn without(query: &mut MetricQuery, field: &str) {
    let mut known = conditions(query.filters.take());
    known.retain(|known| known.fields() != [field]);
    query.filters = joined(known);
}

/// The conditions that all hold.
pub(super) fn conditions(filter: Option<Filter>) -> Vec<Filter> {
    match filter {
        None => Vec::new(),
        Some(Filter::And(parts)) => parts,
        Some(one) => vec![one],
    }
}

fn joined(filters: Vec<Filter>) -> Option<Filter> {
    filters.into_iter().reduce(Filter::and)
}
