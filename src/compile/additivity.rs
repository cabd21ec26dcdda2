//! Additivity: whether what a metric is for disjoint groups adds up to what it is for all of them, and why not.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
    Value,
};

use super::{expr, facets};
use crate::model::{
    Aggregate, AtCoarserGrain, Conversion, ConversionResult, Cumulative, Expression, Input,
    Measure, Metric, MetricKind, Offset, Registry, Source, Take,
};
use crate::warehouse::Dialect;

/// Deepest nesting of metrics that is looked into, as deep as a query may be.
const MAX_DEPTH: u8 = 64;

/// Over what a metric adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Additivity {
    /// Over every dimension and over time.
    Additive,
    /// Over every dimension but its time.
    SemiAdditive {
        /// The time it does not add up over.
        time: String,
        /// Why not.
        why: String,
    },
    /// Over nothing: a total is computed from the rows.
    NonAdditive {
        /// Why not.
        why: String,
    },
}

impl Additivity {
    /// Whether it adds up over everything.
    pub fn is_additive(&self) -> bool {
        matches!(self, Self::Additive)
    }

    /// In one sentence, for people.
    pub fn sentence(&self) -> String {
        match self {
            Self::Additive => "adds up over every dimension and over time".to_owned(),
            Self::SemiAdditive { time, why } => {
                format!("adds up over every dimension but {time}: {why}")
            }
            Self::NonAdditive { why } => format!("does not add up: {why}"),
        }
    }

    fn no(why: impl Into<String>) -> Self {
        Self::NonAdditive { why: why.into() }
    }

    /// The lesser of the two.
    fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::NonAdditive { .. }, _) => self,
            (_, Self::NonAdditive { .. }) => other,
            (
                Self::SemiAdditive { time: one, .. },
                Self::SemiAdditive {
                    time: another, why, ..
                },
            ) if one != another => Self::SemiAdditive {
                time: format!("{one} and {another}"),
                why: why.clone(),
            },
            (Self::SemiAdditive { .. }, _) => self,
            (Self::Additive, _) => other,
        }
    }
}

/// Over what a metric adds up, and where it does not, why.
pub fn additivity(registry: &Registry, metric: &Metric) -> Additivity {
    of_metric(registry, metric, 0)
}

fn of_metric(registry: &Registry, metric: &Metric, depth: u8) -> Additivity {
    if depth > MAX_DEPTH {
        return Additivity::no("it is made of metrics nested too deeply to tell");
    }
    if let Some(fill) = metric.fill.filter(|fill| *fill != 0) {
        return Additivity::no(format!("groups without rows count as {fill}"));
    }
    let per = facets::per(registry, metric);
    if !per.is_empty() {
        let per: Vec<_> = per.iter().map(ToString::to_string).collect();
        return Additivity::no(format!("its rows are per {}", per.join(" and ")));
    }
    match &metric.kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => of_sources(sources),
        MetricKind::Derived { expr, inputs } => of_arithmetic(registry, expr, inputs, depth),
        MetricKind::Cumulative(cumulative) => of_cumulative(registry, cumulative, depth),
        MetricKind::Conversion(conversion) => of_conversion(registry, conversion, depth),
        MetricKind::Complex { facets: None, .. } => {
            Additivity::no("what its SQL by hand computes is not known")
        }
        MetricKind::Complex {
            facets: Some(facets),
            ..
        } => of_sources(std::slice::from_ref(&facets.source)),
    }
}

fn of_sources(sources: &[Source]) -> Additivity {
    let each = sources
        .iter()
        .map(|source| match source.measures.as_slice() {
            [measure] => of_measure(measure),
            _ => Additivity::no("each group has its own denominator"),
        });
    each.fold(Additivity::Additive, Additivity::and)
}

/// Over what one aggregation adds up.
pub(super) fn of_measure(measure: &Measure) -> Additivity {
    match measure.agg {
        Aggregate::Count | Aggregate::Sum | Aggregate::SumBoolean => {}
        Aggregate::CountDistinct => {
            return Additivity::no("the same value may be in several groups");
        }
        Aggregate::Avg => return Additivity::no("groups with more rows weigh more in an average"),
        Aggregate::Min | Aggregate::Max => {
            return Additivity::no("it is one of the values, and not a sum of them");
        }
        Aggregate::Percentile(_) | Aggregate::PercentileDiscrete(_) => {
            return Additivity::no("it depends on the order of all values together");
        }
        Aggregate::Stddev
        | Aggregate::StddevPopulation
        | Aggregate::Variance
        | Aggregate::VariancePopulation => {
            return Additivity::no("it depends on how far all values are from their mean");
        }
    }
    let Some(over_time) = &measure.over_time else {
        return Additivity::Additive;
    };
    let time = over_time.time.clone();
    match over_time.take {
        Take::Last | Take::First => Additivity::SemiAdditive {
            time,
            why: "each period shows one snapshot of the same things".to_owned(),
        },
        Take::Min | Take::Max | Take::Avg => {
            Additivity::no(format!("each group has its own figure over {time}"))
        }
    }
}

fn of_cumulative(registry: &Registry, cumulative: &Cumulative, depth: u8) -> Additivity {
    let of = cumulative.of.as_ref().map(|name| registry.metric(name));
    let accumulated = match of {
        Some(Some(metric)) => of_metric(registry, metric, depth + 1),
        Some(None) => return Additivity::no("what it accumulates is not known"),
        None => of_sources(&cumulative.sources),
    };
    if !accumulated.is_additive() {
        return accumulated;
    }
    if cumulative.at_coarser_grain == AtCoarserGrain::Average {
        return Additivity::no("groups may begin on different days of a period that is averaged");
    }
    let sources = &cumulative.sources;
    let measures = sources.iter().flat_map(|source| &source.measures);
    let time = measures
        .chain(of.flatten().and_then(|metric| leaf(registry, metric)))
        .find_map(|measure| time_of(registry, measure));
    Additivity::SemiAdditive {
        time: time.unwrap_or_else(|| "time".to_owned()),
        why: "each period takes in those before it".to_owned(),
    }
}

/// The first aggregation that a metric comes down to.
fn leaf<'a>(registry: &'a Registry, metric: &'a Metric) -> Option<&'a Measure> {
    let mut metric = metric;
    for _ in 0..MAX_DEPTH {
        let mut sources = metric.kind.sources().iter();
        if let Some(measure) = sources.find_map(|source| source.measures.first()) {
            return Some(measure);
        }
        metric = registry.metric(metric.kind.inputs().first()?)?;
    }
    None
}

fn time_of(registry: &Registry, measure: &Measure) -> Option<String> {
    let own = measure.time.as_ref();
    let dataset = registry.datasets.get(&measure.dataset);
    own.or(dataset?.time.as_ref()).cloned()
}

/// Every conversion belongs to one base event, so their number adds up where the conversions do.
fn of_conversion(registry: &Registry, conversion: &Conversion, depth: u8) -> Additivity {
    match (conversion.result, registry.metric(&conversion.conversion)) {
        (ConversionResult::Rate, _) => Additivity::no("each group has its own base"),
        (ConversionResult::Count, Some(metric)) => of_metric(registry, metric, depth + 1),
        (ConversionResult::Count, None) => Additivity::no("its conversions are not known"),
    }
}

/// A part of an expression that adds up if its inputs do.
enum Term {
    /// The same number in every group.
    Number,
    /// A sum of inputs, each of them times a number: their names, and whether each may be empty where there are no rows.
    Sum(Additivity, Vec<(String, bool)>),
}

fn of_arithmetic(
    registry: &Registry,
    expression: &Expression,
    inputs: &[Input],
    depth: u8,
) -> Additivity {
    // Arithmetic over metrics has no words of single engines.
    let Ok(parsed) = expr::parse(expression, Dialect::Sqlite) else {
        return Additivity::no("its expression does not parse");
    };
    let input = |name: &str| {
        let input = inputs
            .iter()
            .find(|input| input.name.eq_ignore_ascii_case(name));
        let metric = input.and_then(|input| registry.metric(&input.metric));
        let metric = metric.ok_or_else(|| format!("'{name}' is not known"))?;
        match of_metric(registry, metric, depth + 1) {
            Additivity::NonAdditive { why } => Err(format!("{name} does not: {why}")),
            adds_up => {
                let adds_up = match input.and_then(|input| input.offset.as_ref()) {
                    Some(Offset::StartOf(_)) => adds_up.and(Additivity::SemiAdditive {
                        time: leaf(registry, metric)
                            .and_then(|measure| time_of(registry, measure))
                            .unwrap_or_else(|| "time".to_owned()),
                        why: "several periods show the same first one".to_owned(),
                    }),
                    _ => adds_up,
                };
                let names = vec![(name.to_lowercase(), may_be_empty(metric))];
                Ok(Term::Sum(adds_up, names))
            }
        }
    };
    match term(&parsed, &input) {
        Err(why) => Additivity::no(why),
        Ok(Term::Number) => Additivity::no("it is the same number for every group"),
        Ok(Term::Sum(adds_up, names)) => {
            let is_alone =
                |(name, _): &(String, bool)| names.iter().all(|(other, _)| other == name);
            match names.iter().find(|(_, may_be_empty)| *may_be_empty) {
                Some(empty) if !is_alone(empty) => Additivity::no(format!(
                    "a group without {} has no value, whatever else is in it; `fill: 0` on that metric counts it as 0",
                    empty.0
                )),
                _ => adds_up,
            }
        }
    }
}

/// Whether a metric has no value where there are no rows: a count is 0 there.
fn may_be_empty(metric: &Metric) -> bool {
    let sources = metric.kind.sources();
    let mut measures = sources.iter().flat_map(|source| &source.measures);
    let is_count = matches!(metric.kind, MetricKind::Simple(_))
        && measures.all(|measure| {
            matches!(measure.agg, Aggregate::Count | Aggregate::SumBoolean)
                && measure.over_time.is_none()
        });
    metric.fill.is_none() && !is_count
}

fn term(expr: &Expr, input: &dyn Fn(&str) -> Result<Term, String>) -> Result<Term, String> {
    let more = || Err("its expression is more than sums and differences".to_owned());
    match expr {
        Expr::Identifier(ident) => input(&ident.value),
        Expr::Nested(inner) => term(inner, input),
        Expr::Value(value) if matches!(value.value, Value::Number(..)) => Ok(Term::Number),
        Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr,
        } => term(expr, input),
        Expr::BinaryOp { left, op, right } => {
            let (left, right) = (term(left, input)?, term(right, input)?);
            match (op, left, right) {
                (
                    BinaryOperator::Plus
                    | BinaryOperator::Minus
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide,
                    Term::Number,
                    Term::Number,
                ) => Ok(Term::Number),
                (
                    BinaryOperator::Plus | BinaryOperator::Minus,
                    Term::Sum(one, mut names),
                    Term::Sum(other, more),
                ) => {
                    names.extend(more);
                    Ok(Term::Sum(one.and(other), names))
                }
                (BinaryOperator::Plus | BinaryOperator::Minus, ..) => {
                    Err("a number is added in every group".to_owned())
                }
                (BinaryOperator::Multiply, Term::Number, Term::Sum(one, names))
                | (
                    BinaryOperator::Multiply | BinaryOperator::Divide,
                    Term::Sum(one, names),
                    Term::Number,
                ) => Ok(Term::Sum(one, names)),
                (BinaryOperator::Divide, ..) => {
                    Err("each group has its own denominator".to_owned())
                }
                (BinaryOperator::Multiply, ..) => Err("its parts are multiplied".to_owned()),
                _ => more(),
            }
        }
        Expr::Function(function) => match filled_with_zero(function) {
            Some(inner) => match term(inner, input)? {
                Term::Number => Ok(Term::Number),
                Term::Sum(one, names) => {
                    let never_empty = names.into_iter().map(|(name, _)| (name, false));
                    Ok(Term::Sum(one, never_empty.collect()))
                }
            },
            None => more(),
        },
        _ => more(),
    }
}

/// `coalesce(x, 0)`
fn filled_with_zero(function: &Function) -> Option<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let is_coalesce = function.name.to_string().eq_ignore_ascii_case("coalesce");
    match list.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(zero))),
        ] if is_coalesce
            && matches!(&zero.value, Value::Number(number, _) if number.parse() == Ok(0.0)) =>
        {
            Some(inner)
        }
        _ => None,
    }
}
