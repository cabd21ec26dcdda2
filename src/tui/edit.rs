//! Pure edits of a metric query: what every picker does to the one state.

use super::times::OF_COMPARISON;
use crate::model::{CompareOp, Filter, GroupBy, MetricQuery};

/// Adds the metric, or takes it out if it is there, with its figures and whatever sorted by it or by them.
pub fn toggle_metric(query: &mut MetricQuery, name: &str) {
    if let Some(at) = query.metrics.iter().position(|metric| metric == name) {
        query.metrics.remove(at);
        let is_its = |column: &str| {
            let end = column.strip_prefix(name);
            end.is_some_and(|end| end.is_empty() || OF_COMPARISON.contains(&end))
        };
        query.order.retain(|key| !is_its(&key.column));
        for shown in query.show.extract_if(.., |shown| shown.metric == name) {
            let column = shown.to_string().replace(' ', "_");
            query.order.retain(|key| key.column != column);
        }
    } else {
        query.range_of.clear();
        query.metrics.push(name.to_owned());
    }
}

/// Adds the grouping, or takes it out if it is there. `effective` is the grouping in force where the query names none.
pub fn toggle_group(query: &mut MetricQuery, effective: &[GroupBy], group: &GroupBy) {
    let groups = query.group_by.get_or_insert_with(|| effective.to_vec());
    if let Some(at) = groups.iter().position(|there| there == group) {
        groups.remove(at);
        query.limit_per.retain(|per| per != group);
        let name = group.to_string();
        query.order.retain(|key| key.column != name);
    } else {
        groups.push(group.clone());
    }
}

/// Sets the limit; without one there is nothing that it could be per, and there are no others.
pub fn set_limit(query: &mut MetricQuery, limit: Option<u64>) {
    query.limit = limit;
    if limit.is_none() {
        query.limit_per.clear();
        query.others = false;
    }
}

/// The conditions that must all hold.
pub fn conditions(query: &MetricQuery) -> &[Filter] {
    match &query.filters {
        None => &[],
        Some(Filter::And(parts)) => parts,
        Some(one) => std::slice::from_ref(one),
    }
}

/// Puts conditions back together.
pub fn set_conditions(query: &mut MetricQuery, conditions: Vec<Filter>) {
    query.filters = conditions.into_iter().reduce(Filter::and);
}

/// Adds a condition.
pub fn add_condition(query: &mut MetricQuery, condition: Filter) {
    let mut all = conditions(query).to_vec();
    if !all.contains(&condition) {
        all.push(condition);
    }
    set_conditions(query, all);
}

/// Removes the condition at an index of [`conditions`].
pub fn remove_condition(query: &mut MetricQuery, index: usize) {
    let mut all = conditions(query).to_vec();
    if index < all.len() {
        all.remove(index);
    }
    set_conditions(query, all);
}

/// Values of one dimension that a query includes and excludes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picked {
    /// `field in (…)`
    pub include: Vec<String>,
    /// `field not in (…)`
    pub exclude: Vec<String>,
}

impl Picked {
    /// Whether nothing is picked.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

/// Whether a condition is a plain pick of values of `field`: the values, and whether they are excluded.
fn pick<'a>(condition: &'a Filter, field: &str) -> Option<(&'a [String], bool)> {
    match condition {
        Filter::Compare {
            field: of,
            op: CompareOp::Eq,
            value,
        } if of == field => Some((std::slice::from_ref(value), false)),
        Filter::Compare {
            field: of,
            op: CompareOp::Ne,
            value,
        } if of == field => Some((std::slice::from_ref(value), true)),
        Filter::In {
            field: of,
            values,
            negated,
        } if of == field => Some((values, *negated)),
        _ => None,
    }
}

/// The values of `field` that a condition excludes, where it does nothing else.
pub fn excluded<'a>(condition: &'a Filter, field: &str) -> Option<&'a [String]> {
    pick(condition, field)
        .filter(|(_, negated)| *negated)
        .map(|(values, _)| values)
}

/// The values of `field` a query picks.
pub fn picked(query: &MetricQuery, field: &str) -> Picked {
    let mut picked = Picked::default();
    for (values, negated) in conditions(query)
        .iter()
        .filter_map(|part| pick(part, field))
    {
        let list = if negated {
            &mut picked.exclude
        } else {
            &mut picked.include
        };
        list.extend_from_slice(values);
    }
    picked
}

/// Replaces the picks of `field`, in the place where the first one stood.
pub fn set_picked(query: &mut MetricQuery, field: &str, picked: Picked) {
    let mut all = conditions(query).to_vec();
    let at = all
        .iter()
        .position(|part| pick(part, field).is_some())
        .unwrap_or(all.len());
    all.retain(|part| pick(part, field).is_none());
    let new = [(picked.include, false), (picked.exclude, true)];
    let new = new
        .into_iter()
        .filter_map(|(values, negated)| condition(field, values, negated));
    all.splice(at..at, new);
    set_conditions(query, all);
}

/// A condition that picks values (or all but them).
pub fn condition(field: &str, mut values: Vec<String>, negated: bool) -> Option<Filter> {
    let field = field.to_owned();
    match values.len() {
        0 => None,
        1 => {
            let op = if negated {
                CompareOp::Ne
            } else {
                CompareOp::Eq
            };
            values
                .pop()
                .map(|value| Filter::Compare { field, op, value })
        }
        _ => Some(Filter::In {
            field,
            values,
            negated,
        }),
    }
}
