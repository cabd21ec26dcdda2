//! Aggregations as the log writes them (`sum(orders.amount_usd)`), brought to the form in which definitions say the same.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    visit_expressions, visit_expressions_mut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::model::{Aggregate, Dataset, Measure, Metric, MetricKind, Registry};

/// One aggregation of columns of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Aggregation {
    /// `sum`, `count`, `count_distinct`, `avg`, `min`, `max` or `median`.
    pub agg: &'static str,
    /// What is aggregated, over the dataset's columns; `None` for rows.
    pub expr: Option<String>,
    /// The same in the form that equal expressions share.
    canonical: String,
    /// The tables of its columns, as written.
    pub tables: BTreeSet<String>,
    /// Its columns, without their tables.
    pub columns: BTreeSet<String>,
}

const AGGREGATES: [(&str, &str); 6] = [
    ("sum", "sum"),
    ("count", "count"),
    ("avg", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("median", "median"),
];

impl Aggregation {
    /// Reads one; `None` where it is none, or says more than a definition can.
    pub fn read(text: &str) -> Option<Self> {
        let Expr::Function(function) = parse(text)? else {
            return None;
        };
        let written = function.name.to_string().to_lowercase();
        let (_, mut agg) = AGGREGATES.into_iter().find(|(name, _)| *name == written)?;
        let FunctionArguments::List(list) = &function.args else {
            return None;
        };
        if function.filter.is_some() || function.over.is_some() || !list.clauses.is_empty() {
            return None;
        }
        let [FunctionArg::Unnamed(argument)] = list.args.as_slice() else {
            return None;
        };
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
            agg = match agg {
                "count" => "count_distinct",
                _ => return None,
            };
        }
        let mut found = Self {
            agg,
            expr: None,
            canonical: String::new(),
            tables: BTreeSet::new(),
            columns: BTreeSet::new(),
        };
        let FunctionArgExpr::Expr(expr) = argument else {
            return (agg == "count").then_some(found);
        };
        if text.contains('?') || text.to_lowercase().contains("select ") {
            return None;
        }
        let mut bare = expr.clone();
        let _ = visit_expressions(expr, |one| {
            if let Expr::CompoundIdentifier(parts) = one
                && let [.., table, column] = parts.as_slice()
            {
                found.tables.insert(table.value.clone());
                found.columns.insert(column.value.clone());
            }
            ControlFlow::<()>::Continue(())
        });
        let _ = visit_expressions_mut(&mut bare, |one| {
            if let Expr::CompoundIdentifier(parts) = one
                && let Some(column) = parts.last().cloned()
            {
                *one = Expr::Identifier(column);
            }
            ControlFlow::<()>::Continue(())
        });
        if found.columns.is_empty() {
            // A number for each row: count(1).
            return (agg == "count").then_some(found);
        }
        found.canonical = canonical(&bare, None);
        found.expr = Some(bare.to_string());
        Some(found)
    }

    /// What it comes to over a dataset: of a key there is one in each row.
    pub fn over(mut self, dataset: &Dataset) -> Self {
        let key = match dataset.key.as_slice() {
            [key] => Some(key.to_lowercase()),
            _ => None,
        };
        let is_key = self.expr.as_ref().map(|expr| expr.to_lowercase()) == key && key.is_some();
        if is_key && matches!(self.agg, "count" | "count_distinct") {
            self.agg = "count";
            self.expr = None;
            self.canonical.clear();
        }
        self
    }

    /// Whether they are the same, however they are written.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.agg, &self.canonical) == (other.agg, &other.canonical)
    }

    /// What an idea is known by: `sum(orders.voucher_usd)`.
    pub fn id(&self, dataset: &Dataset) -> String {
        match self.expr {
            Some(_) => format!("{}({}: {})", self.agg, dataset.name, self.canonical),
            None => format!("{}({})", self.agg, dataset.name),
        }
    }

    /// The aggregation of a measure of the definitions.
    fn of_measure(measure: &Measure, registry: &Registry) -> Option<Self> {
        let dataset = registry.datasets.get(&measure.dataset)?;
        let agg = match measure.agg {
            Aggregate::Sum => "sum",
            Aggregate::Count => "count",
            Aggregate::CountDistinct => "count_distinct",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Percentile(0.5) => "median",
            _ => return None,
        };
        let read = measure.expr.as_ref().map(|expr| parse(&expr.text));
        let canonical = match read {
            None => String::new(),
            Some(expr) => canonical(&expr?, Some(dataset)),
        };
        let found = Self {
            agg,
            expr: measure.expr.as_ref().map(|expr| expr.text.clone()),
            canonical,
            tables: BTreeSet::new(),
            columns: BTreeSet::new(),
        };
        Some(found.over(dataset))
    }
}

/// The metric that answers an aggregation over a dataset already, whatever its name and its filters.
pub(super) fn covering<'r>(
    wanted: &Aggregation,
    dataset: &Dataset,
    registry: &'r Registry,
) -> Option<&'r Metric> {
    let is_it = |measure: &Measure, wanted: &Aggregation| {
        measure.dataset == dataset.name
            && Aggregation::of_measure(measure, registry).is_some_and(|known| known.is_same(wanted))
    };
    let over = |agg: &'static str| Aggregation {
        agg,
        ..wanted.clone()
    };
    let rows = Aggregation {
        agg: "count",
        expr: None,
        canonical: String::new(),
        ..wanted.clone()
    };
    let simple = |name: &str, wanted: &Aggregation| {
        let metric = registry.metrics.get(name);
        metric.is_some_and(|metric| match &metric.kind {
            MetricKind::Simple(sources) => {
                let mut measures = sources.iter().flat_map(|source| &source.measures);
                measures.any(|measure| is_it(measure, wanted))
            }
            _ => false,
        })
    };
    let is_mean = |top: &dyn Fn(&Aggregation) -> bool, below: &dyn Fn(&Aggregation) -> bool| {
        wanted.agg == "avg" && top(&over("sum")) && (below(&over("count")) || below(&rows))
    };
    registry.metrics.values().find(|metric| match &metric.kind {
        MetricKind::Simple(_) => simple(&metric.name, wanted),
        MetricKind::Ratio(sources) => sources.iter().any(|source| {
            let [top, below] = source.measures.as_slice() else {
                return false;
            };
            is_mean(&|wanted| is_it(top, wanted), &|wanted| is_it(below, wanted))
        }),
        MetricKind::Derived { expr, inputs } => {
            let [top, below] = inputs.as_slice() else {
                return false;
            };
            let written: String = expr.text.split_whitespace().collect();
            written == format!("{}/{}", top.name, below.name)
                && is_mean(&|wanted| simple(&top.metric, wanted), &|wanted| {
                    simple(&below.metric, wanted)
                })
        }
        _ => false,
    })
}

fn parse(text: &str) -> Option<Expr> {
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text).ok()?;
    let expr = parser.parse_expr().ok()?;
    let is_whole = parser.peek_token().token == sqlparser::tokenizer::Token::EOF;
    is_whole.then_some(expr)
}

/// An expression without its tables, its letters in one case, the sides of sums and products in order. Dimensions of the
/// dataset are the columns they stand for.
fn canonical(expr: &Expr, dataset: Option<&Dataset>) -> String {
    let inner = |expr: &Expr| canonical(expr, dataset);
    let column = |name: &str| {
        let dimension = dataset.and_then(|dataset| dataset.dimension(name));
        let column = dimension.and_then(|dimension| dimension.column.as_deref());
        column.unwrap_or(name).to_lowercase()
    };
    match expr {
        Expr::Nested(expr) => inner(expr),
        Expr::Identifier(name) => column(&name.value),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map(|part| column(&part.value))
            .unwrap_or_default(),
        Expr::BinaryOp { op, .. }
            if matches!(op, BinaryOperator::Plus | BinaryOperator::Multiply) =>
        {
            let mut sides = Vec::new();
            flatten(expr, op, &mut sides);
            let mut sides: Vec<String> = sides.into_iter().map(inner).collect();
            sides.sort();
            format!("({})", sides.join(&format!(" {op} ")))
        }
        Expr::BinaryOp { left, op, right } => {
            format!(
                "({} {} {})",
                inner(left),
                op.to_string().to_lowercase(),
                inner(right)
            )
        }
        other => other.to_string().to_lowercase(),
    }
}

fn flatten<'e>(expr: &'e Expr, wanted: &BinaryOperator, sides: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Nested(inner) => flatten(inner, wanted, sides),
        Expr::BinaryOp { left, op, right } if op == wanted => {
            flatten(left, wanted, sides);
            flatten(right, wanted, sides);
        }
        other => sides.push(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn equal_aggregations_are_written_in_many_ways() {
        let read = |text| Aggregation::read(text).unwrap();
        let one = read("sum(order_items.quantity * order_items.price_usd)");
        let other = read("SUM((order_items.PRICE_USD * order_items.quantity))");
        assert!(one.is_same(&other), "{one:?} {other:?}");
        assert_eq!(one.expr.as_deref(), Some("quantity * price_usd"));
        assert!(!one.is_same(&read("sum(order_items.quantity)")));
        assert!(!read("sum(a.x - a.y)").is_same(&read("sum(a.y - a.x)")));
        assert_eq!(read("count(distinct orders.user_id)").agg, "count_distinct");
        assert_eq!(read("count(*)").expr, None);
        assert!(read("count(1)").is_same(&read("count(*)")));
        assert_eq!(Aggregation::read("sum(case when a.b = ? then 1 end)"), None);
        assert_eq!(Aggregation::read("a.b + 1"), None);
    }
}
