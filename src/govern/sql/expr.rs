//! Expressions in one form, so that what a model computes can be held against what a metric is.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Ident, visit_expressions_mut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::model::{Aggregate, Dataset, Expression, MetricKind, Registry};

/// A column of a table: the name of its dataset (or canonical dataset), and its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Column {
    pub(super) base: String,
    pub(super) name: String,
}

/// One aggregation of a metric.
#[derive(Debug)]
pub(super) struct MetricMeasure<'a> {
    pub(super) metric: &'a str,
    pub(super) agg: Aggregate,
    pub(super) argument: Option<String>,
    /// Its conditions: in one form, and as the metric writes them.
    pub(super) filters: Vec<(String, String)>,
}

/// The names in a path of identifiers, in lower case.
pub(super) fn path(expr: &Expr) -> Option<Vec<String>> {
    let lower = |ident: &Ident| ident.value.to_lowercase();
    match expr {
        Expr::Identifier(ident) => Some(vec![lower(ident)]),
        Expr::CompoundIdentifier(idents) => Some(idents.iter().map(lower).collect()),
        Expr::Nested(inner) => path(inner),
        _ => None,
    }
}

/// An expression over the columns of one table, in one form; `None` where a name is of another table or of none that is known.
pub(super) fn in_one_form(
    expr: &Expr,
    resolve: &dyn Fn(&[String]) -> Option<Column>,
) -> Option<(String, String)> {
    let mut base: Option<String> = None;
    let mut expr = expr.clone();
    while let Expr::Nested(inner) = expr {
        expr = *inner;
    }
    let replaced = visit_expressions_mut(&mut expr, |expr| {
        let Some(names) = path(expr) else {
            return ControlFlow::Continue(());
        };
        match resolve(&names) {
            Some(column) if base.as_ref().is_none_or(|known| *known == column.base) => {
                *expr = Expr::Identifier(Ident::new(column.name));
                base = Some(column.base);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    });
    match replaced {
        ControlFlow::Continue(()) => Some((base?, expr.to_string())),
        ControlFlow::Break(()) => None,
    }
}

/// The parts of a condition that must all hold.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        Expr::Nested(inner) => conjuncts(inner),
        other => vec![other],
    }
}

/// The aggregations of the simple metrics of a dataset.
pub(super) fn measures<'a>(registry: &'a Registry, dataset: &Dataset) -> Vec<MetricMeasure<'a>> {
    let in_dataset = |expression: &Expression| {
        let mut parser = Parser::new(&GenericDialect {})
            .try_with_sql(&expression.text)
            .ok()?;
        let expr = parser.parse_expr().ok()?;
        let resolve = |names: &[String]| match names {
            [name] => Some(Column {
                base: dataset.name.clone(),
                name: column_of(dataset, name),
            }),
            _ => None,
        };
        in_one_form(&expr, &resolve).map(|(_, text)| text)
    };
    let mut found = Vec::new();
    for metric in registry.metrics.values() {
        let MetricKind::Simple(sources) = &metric.kind else {
            continue;
        };
        let measures = sources.iter().flat_map(|source| &source.measures);
        for measure in measures.filter(|measure| measure.dataset == dataset.name) {
            let argument = match &measure.expr {
                Some(expr) => match in_dataset(expr) {
                    Some(argument) => Some(argument),
                    None => continue,
                },
                None => None,
            };
            let filters = measure.filters.iter();
            let filters = filters.map(|filter| Some((in_dataset(filter)?, filter.text.clone())));
            let Some(filters) = filters.collect() else {
                continue;
            };
            found.push(MetricMeasure {
                metric: &metric.name,
                agg: measure.agg,
                argument,
                filters,
            });
        }
    }
    found
}

/// The column behind a name that is a dimension of the dataset, or a column already.
pub(super) fn column_of(dataset: &Dataset, name: &str) -> String {
    let dimension = dataset.dimension(name);
    let column = dimension.and_then(|dimension| dimension.column.as_ref());
    column.map_or_else(|| name.to_lowercase(), |column| column.to_lowercase())
}
