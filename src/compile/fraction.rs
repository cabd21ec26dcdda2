//! What a metric is made of: numerator and denominator of a ratio, volume and average of a sum, the rows behind both.

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::expr;
use super::reach::leaf_metrics;
use crate::model::{
    Aggregate, Conversion, ConversionResult, Expression, Input, Measure, Metric, MetricKind,
    Registry, Source,
};
use crate::warehouse::Dialect;

/// Deepest nesting of metrics that is looked into.
const MAX_DEPTH: u8 = 16;

/// A part of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricPart {
    /// A metric of the registry, by canonical name.
    Named(String),
    /// A metric that has no name.
    Made(Box<MetricKind>),
}

/// `factor * numerator / denominator + offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fraction {
    /// What is divided.
    pub numerator: MetricPart,
    /// What it is divided by.
    pub denominator: MetricPart,
    /// What the quotient is multiplied by.
    pub factor: f64,
    /// What is added to it.
    pub offset: f64,
}

/// Numerator and denominator of a ratio, an average, a conversion rate or a quotient of metrics; `None` of any other metric.
pub fn fraction(registry: &Registry, metric: &Metric) -> Option<Fraction> {
    of_metric(registry, metric, 0)
}

fn of_metric(registry: &Registry, metric: &Metric, depth: u8) -> Option<Fraction> {
    if depth > MAX_DEPTH {
        return None;
    }
    let plain = |numerator, denominator| Fraction {
        numerator,
        denominator,
        factor: 1.0,
        offset: 0.0,
    };
    match &metric.kind {
        MetricKind::Ratio(sources) => {
            let part = |at: usize| made(sources, |source| source.measures.get(at).cloned());
            Some(plain(part(0)?, part(1)?))
        }
        MetricKind::Simple(sources) => {
            let part = |agg: Aggregate| {
                made(sources, |source| match source.measures.as_slice() {
                    [measure] if measure.agg == Aggregate::Avg && measure.over_time.is_none() => {
                        Some(Measure {
                            agg,
                            ..measure.clone()
                        })
                    }
                    _ => None,
                })
            };
            Some(plain(part(Aggregate::Sum)?, part(Aggregate::Count)?))
        }
        MetricKind::Conversion(conversion) if conversion.result == ConversionResult::Rate => {
            let counted = Conversion {
                result: ConversionResult::Count,
                ..conversion.as_ref().clone()
            };
            let counted = MetricKind::Conversion(Box::new(counted));
            let base = registry.metric(&conversion.base)?;
            Some(plain(
                MetricPart::Made(Box::new(counted)),
                MetricPart::Named(base.name.clone()),
            ))
        }
        MetricKind::Derived { expr, inputs } => {
            // Arithmetic over metrics has no words of single engines.
            let parsed = expr::parse(expr, Dialect::Sqlite).ok()?;
            let derived = Derived {
                registry,
                inputs,
                place: expr,
                depth,
            };
            derived.quotient(&parsed)
        }
        MetricKind::Conversion(_) | MetricKind::Cumulative(_) | MetricKind::Complex { .. } => None,
    }
}

fn made(sources: &[Source], measure: impl Fn(&Source) -> Option<Measure>) -> Option<MetricPart> {
    let each = sources.iter().map(|source| {
        let measures = vec![measure(source)?];
        Some(Source {
            measures,
            ..source.clone()
        })
    });
    let sources: Option<Vec<Source>> = each.collect();
    let sources = sources.filter(|sources| !sources.is_empty())?;
    Some(MetricPart::Made(Box::new(MetricKind::Simple(sources))))
}

/// An expression over metrics.
struct Derived<'a> {
    registry: &'a Registry,
    inputs: &'a [Input],
    place: &'a Expression,
    depth: u8,
}

impl Derived<'_> {
    fn quotient(&self, expr: &Expr) -> Option<Fraction> {
        match expr {
            Expr::Nested(inner) => self.quotient(inner),
            Expr::Identifier(ident) => {
                let input = self.plain_input(&ident.value)?;
                of_metric(
                    self.registry,
                    self.registry.metric(&input.metric)?,
                    self.depth + 1,
                )
            }
            Expr::BinaryOp { left, op, right } => match (op, number(left), number(right)) {
                (BinaryOperator::Multiply, Some(times), None) => {
                    Some(scaled(self.quotient(right)?, times))
                }
                (BinaryOperator::Multiply, None, Some(times)) => {
                    Some(scaled(self.quotient(left)?, times))
                }
                (BinaryOperator::Divide, None, Some(by)) if by != 0.0 => {
                    Some(scaled(self.quotient(left)?, by.recip()))
                }
                (BinaryOperator::Plus, Some(add), None) => Some(raised(self.quotient(right)?, add)),
                (BinaryOperator::Plus, None, Some(add)) => Some(raised(self.quotient(left)?, add)),
                (BinaryOperator::Minus, None, Some(less)) => {
                    Some(raised(self.quotient(left)?, -less))
                }
                (BinaryOperator::Minus, Some(from), None) => {
                    Some(raised(scaled(self.quotient(right)?, -1.0), from))
                }
                (BinaryOperator::Divide, None, None) => Some(Fraction {
                    numerator: self.part(left)?,
                    denominator: self.part(never_zero(right))?,
                    factor: 1.0,
                    offset: 0.0,
                }),
                _ => None,
            },
            _ => None,
        }
    }

    /// One side of a division as a metric of its own.
    fn part(&self, expr: &Expr) -> Option<MetricPart> {
        if let Expr::Nested(inner) = expr {
            return self.part(inner);
        }
        if let Expr::Identifier(ident) = expr
            && let Some(input) = self.plain_input(&ident.value)
        {
            let metric = self.registry.metric(&input.metric)?;
            return Some(MetricPart::Named(metric.name.clone()));
        }
        let text = expr.to_string();
        let is_used = |input: &&Input| {
            let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words.any(|word| word.eq_ignore_ascii_case(&input.name))
        };
        let inputs: Vec<Input> = self.inputs.iter().filter(is_used).cloned().collect();
        (!inputs.is_empty()).then(|| {
            MetricPart::Made(Box::new(MetricKind::Derived {
                expr: Expression {
                    text: text.clone(),
                    place: self.place.place,
                    dialects: Vec::new(),
                },
                inputs,
            }))
        })
    }

    /// An input that is its metric and nothing less.
    fn plain_input(&self, name: &str) -> Option<&Input> {
        let mut inputs = self.inputs.iter();
        let input = inputs.find(|input| input.name.eq_ignore_ascii_case(name))?;
        (input.filters.is_empty() && input.offset.is_none()).then_some(input)
    }
}

fn scaled(fraction: Fraction, times: f64) -> Fraction {
    Fraction {
        factor: fraction.factor * times,
        offset: fraction.offset * times,
        ..fraction
    }
}

fn raised(fraction: Fraction, add: f64) -> Fraction {
    Fraction {
        offset: fraction.offset + add,
        ..fraction
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Nested(inner) => number(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// `nullif(x, 0)` as `x`: where it makes a difference there is no quotient.
fn never_zero(expr: &Expr) -> &Expr {
    let Expr::Function(function) = expr else {
        return expr;
    };
    let FunctionArguments::List(list) = &function.args else {
        return expr;
    };
    match list.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(zero)),
        ] if function.name.to_string().eq_ignore_ascii_case("nullif")
            && number(zero) == Some(0.0) =>
        {
            inner
        }
        _ => expr,
    }
}

/// How many rows a metric is of, with its conditions: the first of its aggregations counted instead. `None` where rows are
/// not what it is made of.
pub fn rows_of(registry: &Registry, metric: &Metric) -> Option<MetricKind> {
    let leaf = *leaf_metrics(registry, metric).first()?;
    counted(leaf, |measure| measure.filters.clone())
}

/// The rows of each dataset that a metric is computed from, without its conditions, by dataset.
pub fn rows_of_datasets(registry: &Registry, metric: &Metric) -> Vec<(String, MetricKind)> {
    let mut found: Vec<(String, MetricKind)> = Vec::new();
    for leaf in leaf_metrics(registry, metric) {
        let measures = leaf
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures);
        for measure in measures {
            if found.iter().any(|(dataset, _)| *dataset == measure.dataset) {
                continue;
            }
            let source = leaf.kind.sources().iter().find(|source| {
                source
                    .measures
                    .iter()
                    .any(|one| one.dataset == measure.dataset)
            });
            if let Some(source) = source {
                let rows = Measure {
                    agg: Aggregate::Count,
                    expr: None,
                    filters: Vec::new(),
                    over_time: None,
                    ..measure.clone()
                };
                let source = Source {
                    use_when: None,
                    measures: vec![rows],
                    ..source.clone()
                };
                found.push((measure.dataset.clone(), MetricKind::Simple(vec![source])));
            }
        }
    }
    found
}

fn counted(leaf: &Metric, filters: impl Fn(&Measure) -> Vec<Expression>) -> Option<MetricKind> {
    // The rows that the denominator is of are those that a ratio is of.
    let count = |source: &Source| {
        let measure = source.measures.last()?;
        Some(Measure {
            agg: Aggregate::Count,
            expr: None,
            filters: filters(measure),
            over_time: None,
            ..measure.clone()
        })
    };
    match made(leaf.kind.sources(), count)? {
        MetricPart::Made(kind) => Some(*kind),
        MetricPart::Named(_) => None,
    }
}

/// The ways in which a metric is a product of two others: each volume with the metric that is it divided by the volume.
pub fn factors(registry: &Registry, metric: &Metric) -> Vec<(String, String)> {
    let price = |other: &Metric| {
        let fraction = fraction(registry, other)?;
        let Fraction {
            numerator: MetricPart::Named(numerator),
            denominator: MetricPart::Named(volume),
            ..
        } = fraction
        else {
            return None;
        };
        let is_plain = fraction.factor == 1.0 && fraction.offset == 0.0;
        (numerator == metric.name && volume != metric.name && is_plain)
            .then(|| (volume, other.name.clone()))
    };
    registry.metrics.values().filter_map(price).collect()
}

/// Every date that the definitions of a metric's datasets and conditions name as a literal, with the dataset or metric: a
/// place where its rows may begin to mean something else.
pub fn named_dates(registry: &Registry, metric: &Metric) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |what: &str, text: &str| {
        for part in text.split('\'').skip(1).step_by(2) {
            let is_date = part.len() == 10 && part.parse::<jiff::civil::Date>().is_ok();
            let named = (what.to_owned(), part.to_owned());
            if is_date && !found.contains(&named) {
                found.push(named);
            }
        }
    };
    for leaf in leaf_metrics(registry, metric) {
        for source in leaf.kind.sources() {
            if let Some((written, _)) = &source.use_when {
                add(&leaf.name, &written.text);
            }
            for measure in &source.measures {
                for text in measure.expr.iter().chain(&measure.filters) {
                    add(&leaf.name, &text.text);
                }
                let dataset = registry.datasets.get(&measure.dataset);
                if let Some(sql) = dataset.and_then(|dataset| dataset.sql(Dialect::Sqlite)) {
                    add(&measure.dataset, sql);
                }
            }
        }
    }
    found
}
