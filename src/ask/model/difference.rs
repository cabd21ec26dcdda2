//! Where two readings of one question differ, part by part.

use crate::model::MetricQuery;

/// What `other` reads differently, in a sentence; `None` where both are the same query.
pub fn difference(own: &MetricQuery, other: &MetricQuery) -> Option<String> {
    let list = |parts: Vec<String>| match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(", "),
    };
    let names = |query: &MetricQuery| list(query.metrics.clone());
    let groups = |query: &MetricQuery| match &query.group_by {
        None => "as usual".to_owned(),
        Some(groups) => list(groups.iter().map(ToString::to_string).collect()),
    };
    let text = |part: Option<String>| part.unwrap_or_else(|| "none".to_owned());
    let parts = [
        ("metrics", names(own), names(other)),
        ("grouping", groups(own), groups(other)),
        (
            "conditions",
            text(own.filters.as_ref().map(ToString::to_string)),
            text(other.filters.as_ref().map(ToString::to_string)),
        ),
        (
            "time",
            text(own.time.as_ref().map(ToString::to_string)),
            text(other.time.as_ref().map(ToString::to_string)),
        ),
        (
            "comparison",
            text(own.compare.as_ref().map(ToString::to_string)),
            text(other.compare.as_ref().map(ToString::to_string)),
        ),
        (
            "order",
            list(own.order.iter().map(ToString::to_string).collect()),
            list(other.order.iter().map(ToString::to_string).collect()),
        ),
        (
            "limit",
            text(own.limit.as_ref().map(ToString::to_string)),
            text(other.limit.as_ref().map(ToString::to_string)),
        ),
        (
            "total",
            text(own.total.then(|| "a row".to_owned())),
            text(other.total.then(|| "a row".to_owned())),
        ),
    ];
    let different: Vec<String> = parts
        .iter()
        .filter(|(_, own, other)| own != other)
        .map(|(part, own, other)| format!("{part}: {own} here, {other} for the model"))
        .collect();
    (!different.is_empty()).then(|| different.join("; "))
}
