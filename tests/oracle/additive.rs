//! Whether the values of a metric for disjoint groups may be added, by its definition.

use metrex::model::{
    Aggregate, AtCoarserGrain, ConversionResult, Input, Measure, Metric, MetricKind, Offset,
    Registry, Take,
};
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

use super::expr::parse;

/// How far values add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddsUp {
    Nowhere,
    WithinPeriods,
    Everywhere,
}

/// A part of arithmetic: a number, or sums of metrics, which a group without one of them may have not at all.
enum Term {
    Number,
    Sums(AddsUp, Vec<(String, bool)>),
}

pub fn adds_up(registry: &Registry, metric: &Metric) -> AddsUp {
    if metric.fill.is_some_and(|fill| fill != 0) {
        return AddsUp::Nowhere;
    }
    let of = |name: &str| {
        registry
            .metric(name)
            .map_or(AddsUp::Nowhere, |of| adds_up(registry, of))
    };
    match &metric.kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => {
            let all = sources
                .iter()
                .map(|source| match source.measures.as_slice() {
                    [only] => of_measure(only),
                    _ => AddsUp::Nowhere,
                });
            all.min().unwrap_or(AddsUp::Nowhere)
        }
        MetricKind::Cumulative(cumulative) => {
            let measures = cumulative
                .sources
                .iter()
                .flat_map(|source| &source.measures);
            let each = match &cumulative.of {
                Some(name) => of(name),
                None => measures.map(of_measure).min().unwrap_or(AddsUp::Nowhere),
            };
            if each < AddsUp::Everywhere {
                each
            } else if cumulative.at_coarser_grain == AtCoarserGrain::Average {
                AddsUp::Nowhere
            } else {
                AddsUp::WithinPeriods
            }
        }
        MetricKind::Conversion(conversion) => match conversion.result {
            ConversionResult::Rate => AddsUp::Nowhere,
            ConversionResult::Count => of(&conversion.conversion),
        },
        MetricKind::Derived { expr, inputs } => match term(registry, &parse(&expr.text), inputs) {
            Some(Term::Sums(sums, names)) => {
                let missing = names.iter().find(|(_, may_be_missing)| *may_be_missing);
                let alone =
                    missing.is_none_or(|(name, _)| names.iter().all(|(other, _)| other == name));
                if alone { sums } else { AddsUp::Nowhere }
            }
            _ => AddsUp::Nowhere,
        },
        MetricKind::Complex { .. } => AddsUp::Nowhere,
    }
}

pub fn of_measure(measure: &Measure) -> AddsUp {
    match measure.agg {
        Aggregate::Count | Aggregate::Sum | Aggregate::SumBoolean => {}
        _ => return AddsUp::Nowhere,
    }
    match measure.over_time.as_ref().map(|over| over.take) {
        None => AddsUp::Everywhere,
        Some(Take::Last | Take::First) => AddsUp::WithinPeriods,
        Some(Take::Min | Take::Max | Take::Avg) => AddsUp::Nowhere,
    }
}

fn is_count(metric: &Metric) -> bool {
    let mut measures = metric
        .kind
        .sources()
        .iter()
        .flat_map(|source| &source.measures);
    matches!(metric.kind, MetricKind::Simple(_))
        && measures.all(|measure| {
            matches!(measure.agg, Aggregate::Count | Aggregate::SumBoolean)
                && measure.over_time.is_none()
        })
}

fn term(registry: &Registry, expr: &Expr, inputs: &[Input]) -> Option<Term> {
    let inside = |expr: &Expr| term(registry, expr, inputs);
    match expr {
        Expr::Nested(inner) => inside(inner),
        Expr::Value(_) => Some(Term::Number),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => inside(expr),
        Expr::Identifier(name) => {
            let mut named = inputs.iter();
            let input = named.find(|input| input.name.eq_ignore_ascii_case(&name.value))?;
            let metric = registry.metric(&input.metric)?;
            let mut sums = adds_up(registry, metric);
            if matches!(input.offset, Some(Offset::StartOf(_))) {
                sums = sums.min(AddsUp::WithinPeriods);
            }
            let may_be_missing = metric.fill.is_none() && !is_count(metric);
            let names = vec![(name.value.to_lowercase(), may_be_missing)];
            (sums > AddsUp::Nowhere).then_some(Term::Sums(sums, names))
        }
        Expr::BinaryOp { left, op, right } => match (op, inside(left)?, inside(right)?) {
            (_, Term::Number, Term::Number) => Some(Term::Number),
            (
                BinaryOperator::Plus | BinaryOperator::Minus,
                Term::Sums(one, mut names),
                Term::Sums(other, more),
            ) => {
                names.extend(more);
                Some(Term::Sums(one.min(other), names))
            }
            (BinaryOperator::Multiply, Term::Number, sums @ Term::Sums(..))
            | (
                BinaryOperator::Multiply | BinaryOperator::Divide,
                sums @ Term::Sums(..),
                Term::Number,
            ) => Some(sums),
            _ => None,
        },
        Expr::Function(function) => {
            let FunctionArguments::List(list) = &function.args else {
                return None;
            };
            let [
                FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)),
                FunctionArg::Unnamed(FunctionArgExpr::Expr(zero)),
            ] = list.args.as_slice()
            else {
                return None;
            };
            let name = function.name.to_string().to_lowercase();
            if name != "coalesce" || zero.to_string() != "0" {
                return None;
            }
            Some(match inside(inner)? {
                Term::Number => Term::Number,
                Term::Sums(sums, names) => {
                    let never = names.into_iter().map(|(name, _)| (name, false));
                    Term::Sums(sums, never.collect())
                }
            })
        }
        _ => None,
    }
}
