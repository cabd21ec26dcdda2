//! What a metric query is about, as the definitions know it.

use crate::compile::leaf_metrics;
use crate::model::{CanonicalOf, Dimension, Filter, GroupBy, MetricKind, MetricQuery, Registry};
use crate::usage::{Facts, FilterFact};

/// The metrics, dimensions and conditions of a query, and what the definitions say these are made of.
pub fn about(registry: &Registry, query: &MetricQuery) -> Facts {
    let mut facts = Facts::default();
    for name in &query.metrics {
        let Some(metric) = registry.metric(name) else {
            continue;
        };
        facts.metrics.push(metric.name.clone());
        if let MetricKind::Complex {
            snippet, tables, ..
        } = &metric.kind
        {
            facts.answered_by.push(format!("skill:{snippet}"));
            let pairs = tables
                .iter()
                .map(|table| (metric.name.clone(), table.clone()));
            facts.computed_from.extend(pairs);
        }
        derives(registry, &metric.name, &mut facts);
        for leaf in leaf_metrics(registry, metric) {
            for measure in leaf
                .kind
                .sources()
                .iter()
                .flat_map(|source| &source.measures)
            {
                computed_from(registry, &metric.name, &measure.dataset, &mut facts);
            }
        }
    }
    for group in query.group_by.iter().flatten().chain(&query.range_of) {
        match group {
            GroupBy::Dimension(name) => facts.dimensions.push(canonical(registry, name)),
            GroupBy::Grain { grain, .. } => facts.grain = Some(grain.to_string()),
            GroupBy::Part { .. } => facts.dimensions.push(group.to_string()),
        }
    }
    if let Some(filter) = &query.filters {
        conditions(registry, filter, &mut facts.filters);
    }
    sort(&mut facts);
    facts
}

/// Lists as [`Facts`] has them.
pub(crate) fn sort(facts: &mut Facts) {
    for list in [
        &mut facts.tables,
        &mut facts.columns,
        &mut facts.joins,
        &mut facts.metrics,
        &mut facts.dimensions,
        &mut facts.aggregations,
        &mut facts.answered_by,
    ] {
        list.sort();
        list.dedup();
    }
    for pairs in [&mut facts.derives, &mut facts.computed_from] {
        pairs.sort();
        pairs.dedup();
    }
    facts.filters.sort();
    facts.filters.dedup();
}

fn derives(registry: &Registry, name: &str, facts: &mut Facts) {
    let Some(metric) = registry.metric(name) else {
        return;
    };
    for input in metric.kind.inputs() {
        let pair = (metric.name.clone(), input.to_owned());
        if !facts.derives.contains(&pair) {
            facts.derives.push(pair);
            derives(registry, input, facts);
        }
    }
}

fn computed_from(registry: &Registry, metric: &str, dataset: &str, facts: &mut Facts) {
    let Some(found) = registry.datasets.get(dataset) else {
        return;
    };
    let from = found.table().unwrap_or(dataset);
    facts
        .computed_from
        .push((metric.to_owned(), from.to_owned()));
    let canonical = registry
        .canonical
        .values()
        .find(|canonical| match &canonical.of {
            CanonicalOf::Dataset(name) => name == dataset,
            CanonicalOf::Table(table) => Some(table.as_str()) == found.table(),
        });
    let answered = canonical.map(|canonical| format!("dataset:{}", canonical.name));
    facts.answered_by.extend(answered);
}

/// The dimension by the name it is defined under; paths keep their roles.
fn canonical(registry: &Registry, name: &str) -> String {
    let (role, last) = match name.rsplit_once('.') {
        Some((role, last)) => (Some(role), last),
        None => (None, name),
    };
    let mut datasets = registry.datasets.values();
    let found = datasets.find_map(|dataset| dataset.dimension(last));
    let last = found.map_or(last, |dimension| dimension.name.as_str());
    match role {
        Some(role) => format!("{role}.{last}"),
        None => last.to_owned(),
    }
}

/// The dimension that is a column, `orders.status`, where there is one of that table.
pub(crate) fn dimension_of<'r>(registry: &'r Registry, column: &str) -> Option<&'r Dimension> {
    let (table, name) = column.rsplit_once('.')?;
    let datasets = registry.datasets.values();
    let mut own = datasets.filter(|dataset| dataset.table() == Some(table));
    own.find_map(|dataset| {
        let mut dimensions = dataset.dimensions.values();
        dimensions.find(|dimension| {
            let column = dimension.column.as_deref();
            column.is_some_and(|column| column.eq_ignore_ascii_case(name))
        })
    })
}

fn conditions(registry: &Registry, filter: &Filter, facts: &mut Vec<FilterFact>) {
    let mut fact = |field: &str, op: &str, values: &[&str]| {
        // A condition on a metric is not one on rows.
        if registry.metric(field).is_some() || Filter::per(field).is_some() {
            return;
        }
        let on = canonical(registry, field);
        let last = on.rsplit('.').next().unwrap_or(&on);
        let is_time = registry.datasets.values().any(|dataset| {
            let found = dataset.dimension(last);
            found.is_some_and(|dimension| dimension.kind.is_time())
        });
        let values = values
            .iter()
            .filter(|value| !is_time && **value != super::NOT_KEPT);
        facts.push(FilterFact {
            values: values.map(|value| (*value).to_owned()).collect(),
            op: op.to_owned(),
            on,
        });
    };
    let not = |negated: bool, op: &str| {
        if negated {
            format!("not {op}")
        } else {
            op.to_owned()
        }
    };
    match filter {
        Filter::Compare { field, op, value } => fact(field, op.symbol(), &[value]),
        Filter::In {
            field,
            values,
            negated,
        } => {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            fact(field, &not(*negated, "in"), &values);
        }
        Filter::Between {
            field,
            low,
            high,
            negated,
        } => {
            fact(field, &not(*negated, "between"), &[low, high]);
        }
        Filter::Like {
            field,
            pattern,
            negated,
        } => fact(field, &not(*negated, "like"), &[pattern]),
        Filter::IsNull { field, negated } => {
            fact(field, if *negated { "is not null" } else { "is null" }, &[]);
        }
        Filter::And(parts) | Filter::Or(parts) => {
            parts
                .iter()
                .for_each(|part| conditions(registry, part, facts));
        }
        Filter::Not(part) => conditions(registry, part, facts),
    }
}
