//! The columns of a dataset that definitions use, so that a staging model has these and no others.

use std::ops::ControlFlow;

use indexmap::IndexSet;
use sqlparser::ast::{Expr, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::closure::{Closure, measures};
use crate::model::{Dataset, Expression, Metric, MetricKind, Registry};

/// The columns of a dataset: its keys, dimensions and joins, then what metrics aggregate and what has been agreed on.
pub(super) fn columns(registry: &Registry, closure: &Closure, dataset: &Dataset) -> Vec<String> {
    let mut columns = IndexSet::new();
    columns.extend(dataset.key.iter().cloned());
    let used = used_by(registry, closure, dataset);
    // Personal data is in no model unless a metric cannot do without.
    let open = dataset.dimensions.values();
    let open = open.filter(|dimension| !dimension.pii || used.contains(&dimension.name));
    for dimension in open {
        match &dimension.column {
            Some(column) => columns.extend([column.clone()]),
            None => columns.extend(names(&dimension.expr)),
        }
    }
    for join in dataset.joins.values() {
        columns.extend(join.on.iter().map(|(here, _)| here.clone()));
    }
    for name in &closure.datasets {
        let joins = registry.datasets.get(name).into_iter();
        let onto = joins.flat_map(|other| other.joins.values());
        let onto = onto.filter(|join| join.to == dataset.name);
        columns.extend(onto.flat_map(|join| join.on.iter().map(|(_, there)| there.clone())));
    }
    columns.extend(dataset.partition.clone());
    if let Some(valid) = &dataset.valid {
        columns.extend([valid.from.clone(), valid.to.clone()]);
    }
    let no_dimension = |name: &String| dataset.dimension(name).is_none();
    columns.extend(used.into_iter().filter(no_dimension));
    if let Some(canonical) = registry.canonical_of(&dataset.name) {
        let agreed = canonical.attributes.keys();
        columns.extend(
            agreed
                .filter(|name| dataset.dimension(name).is_none())
                .cloned(),
        );
    }
    columns.into_iter().collect()
}

/// The names that metrics use of a dataset: of its dimensions, under their own names, or of its columns.
pub(super) fn used_by(registry: &Registry, closure: &Closure, dataset: &Dataset) -> Vec<String> {
    let metrics = closure.metrics.iter();
    let metrics = metrics.filter_map(|name| registry.metrics.get(name));
    let used = metrics.flat_map(|metric| used(registry, metric, dataset));
    let own = |name: String| match dataset.dimension(&name) {
        Some(dimension) => dimension.name.clone(),
        None => name,
    };
    used.map(own).collect()
}

/// The names that a metric uses of a dataset: of its dimensions or of its columns.
fn used(registry: &Registry, metric: &Metric, dataset: &Dataset) -> Vec<String> {
    let mut found = Vec::new();
    for measure in measures(&metric.kind).filter(|measure| measure.dataset == dataset.name) {
        let texts = measure.expr.iter().chain(&measure.filters);
        found.extend(texts.flat_map(names));
        found.extend(measure.time.clone());
        if let Some(over) = &measure.over_time {
            found.push(over.time.clone());
            found.extend(over.per.iter().cloned());
        }
    }
    match &metric.kind {
        MetricKind::Derived { inputs, .. } => {
            for input in inputs {
                if counts(registry, &input.metric, dataset) {
                    found.extend(input.filters.iter().flat_map(names));
                }
            }
        }
        MetricKind::Conversion(conversion) => {
            let sides = [
                (
                    &conversion.base,
                    conversion.same.iter().map(|(base, _)| base).collect(),
                ),
                (
                    &conversion.conversion,
                    conversion
                        .same
                        .iter()
                        .map(|(_, other)| other)
                        .collect::<Vec<_>>(),
                ),
            ];
            for (side, same) in sides {
                if counts(registry, side, dataset) {
                    found.push(conversion.entity.clone());
                    found.extend(same.into_iter().cloned());
                }
            }
        }
        _ => {}
    }
    found
}

/// Whether a metric counts rows of a dataset.
fn counts(registry: &Registry, metric: &str, dataset: &Dataset) -> bool {
    let metric = registry.metric(metric);
    let leaves = metric.map(|metric| crate::compile::leaf_metrics(registry, metric));
    let mut leaves = leaves.into_iter().flatten();
    leaves.any(|leaf| measures(&leaf.kind).any(|measure| measure.dataset == dataset.name))
}

/// The bare names in an expression, also in what it says for single engines.
pub(super) fn names(expression: &Expression) -> Vec<String> {
    let texts = expression.dialects.iter().map(|(_, text)| text.as_str());
    let texts = std::iter::once(expression.text.as_str()).chain(texts);
    let mut names = Names(Vec::new());
    for text in texts {
        let parsed = Parser::new(&GenericDialect {}).try_with_sql(text);
        if let Ok(expr) = parsed.and_then(|mut parser| parser.parse_expr()) {
            let _ = expr.visit(&mut names);
        }
    }
    names.0
}

struct Names(Vec<String>);

impl Visitor for Names {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr
            && !self.0.contains(&name.value)
        {
            self.0.push(name.value.clone());
        }
        ControlFlow::Continue(())
    }
}
