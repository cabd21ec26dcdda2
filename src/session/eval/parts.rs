//! What a compiled query asks for, part by part, in a form in which equal means the same.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::compile::{Compiled, leaf_metrics};
use crate::model::{CompareOp, Filter, GroupBy};
use crate::session::{Catalog, Session};

/// A part of a query that can be right or wrong on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The metrics.
    Metric,
    /// The groupings.
    Dimensions,
    /// The conditions.
    Filters,
    /// The time range, as days.
    Time,
    /// The compared range, as days.
    Compare,
    /// Order and limit.
    Order,
}

impl Part {
    /// Every part, in the order of the query line.
    pub const ALL: [Self; 6] = [
        Self::Metric,
        Self::Dimensions,
        Self::Filters,
        Self::Time,
        Self::Compare,
        Self::Order,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Dimensions => "dimensions",
            Self::Filters => "filters",
            Self::Time => "time",
            Self::Compare => "compare",
            Self::Order => "order",
        }
    }
}

/// The parts of a compiled query, as texts: names canonical, defaults filled in, dates resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts([String; 6]);

impl Parts {
    /// The parts of a query that `session` compiled.
    pub fn of(session: &Session, compiled: &Compiled) -> Self {
        let catalog = session.catalog();
        let query = &compiled.query;
        let names = Names {
            catalog: &catalog,
            metrics: &query.metrics,
        };
        let mut metrics: BTreeSet<String> = query.metrics.iter().cloned().collect();
        metrics.extend(query.show.iter().map(ToString::to_string));
        let groups: BTreeSet<String> = query
            .group_by
            .iter()
            .flatten()
            .map(|group| match group {
                GroupBy::Dimension(name) => names.canonical(name),
                GroupBy::Grain { grain, of: None } => grain.to_string(),
                GroupBy::Grain {
                    grain,
                    of: Some(name),
                } => format!("{}.{grain}", names.canonical(name)),
                GroupBy::Part { part, of: None } => part.word().to_owned(),
                GroupBy::Part {
                    part,
                    of: Some(name),
                } => format!("{}.{}", names.canonical(name), part.word()),
            })
            .collect();
        let order = query.order.iter().map(|key| {
            let direction = format!("{:?}", key.direction).to_lowercase();
            format!("{} {direction}", names.canonical(&key.column))
        });
        let mut order: Vec<String> = order.collect();
        if let Some(limit) = query.limit {
            order.push(format!("limit {limit}"));
            order.extend(query.limit_per.iter().map(|per| format!("per {per}")));
            order.extend(query.others.then(|| "with others".to_owned()));
        }
        let prior = compiled.prior.map(|prior| prior.to_string());
        Self([
            joined(metrics),
            joined(&groups),
            query
                .filters
                .as_ref()
                .map(|filter| names.filter(filter, false))
                .unwrap_or_default(),
            compiled.range.to_string(),
            prior.unwrap_or_default(),
            order.join(", "),
        ])
    }

    /// The parts that are not the same.
    pub fn differing(&self, other: &Self) -> Vec<Part> {
        let pairs = self.0.iter().zip(&other.0);
        Part::ALL
            .into_iter()
            .zip(pairs)
            .filter(|(_, (one, other))| one != other)
            .map(|(part, _)| part)
            .collect()
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = Part::ALL.iter().zip(&self.0);
        let said: Vec<String> = said
            .filter(|(_, text)| !text.is_empty())
            .map(|(part, text)| format!("{} {text}", part.word()))
            .collect();
        f.write_str(&said.join("; "))
    }
}

fn joined(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| word.as_ref().to_owned())
        .collect();
    words.join(", ")
}

/// What names mean for the metrics of a query.
struct Names<'a> {
    catalog: &'a Catalog,
    metrics: &'a [String],
}

impl Names<'_> {
    /// The name of a metric or dimension that all names for the same thing share. A dimension is told by the joins that
    /// lead to it from every dataset that is aggregated.
    fn canonical(&self, name: &str) -> String {
        let registry = &self.catalog.registry;
        let metric = registry.metric(name).map(|metric| metric.name.clone());
        if let Some(metric) = metric.filter(|metric| self.metrics.contains(metric)) {
            return metric;
        }
        let bases: BTreeSet<&str> = self
            .metrics
            .iter()
            .filter_map(|metric| registry.metric(metric))
            .flat_map(|metric| leaf_metrics(registry, metric))
            .flat_map(|metric| metric.kind.sources())
            .flat_map(|source| &source.measures)
            .map(|measure| measure.dataset.as_str())
            .collect();
        let ways: BTreeSet<String> = bases
            .into_iter()
            .filter_map(|base| self.catalog.reach.find(registry, base, name).ok())
            .map(|path| path.qualified())
            .collect();
        if ways.is_empty() {
            name.to_lowercase()
        } else {
            joined(&ways)
        }
    }

    /// A condition as text. `!=` and `not in` are one thing, `between` is two conditions, order does not matter.
    fn filter(&self, filter: &Filter, negated: bool) -> String {
        match filter {
            Filter::Not(part) => self.filter(part, !negated),
            Filter::And(parts) | Filter::Or(parts) => {
                let is_and = matches!(filter, Filter::And(_)) != negated;
                self.all_of(parts, negated, is_and)
            }
            Filter::Compare { field, op, value } => self.compared(field, *op, value, negated),
            Filter::In {
                field,
                values,
                negated: not,
            } => self.one_of(field, values, *not != negated),
            Filter::Between {
                field,
                low,
                high,
                negated: not,
            } => {
                let negated = *not != negated;
                let ends = [
                    self.compared(field, CompareOp::Ge, low, negated),
                    self.compared(field, CompareOp::Le, high, negated),
                ];
                bracketed(ends.into(), !negated)
            }
            Filter::Like {
                field,
                pattern,
                negated: not,
            } => {
                let not = if *not == negated { "" } else { "not " };
                format!("{} {not}like {pattern}", self.canonical(field))
            }
            Filter::IsNull {
                field,
                negated: not,
            } => {
                let not = if *not == negated { "" } else { "not " };
                format!("{} is {not}null", self.canonical(field))
            }
        }
    }

    fn all_of(&self, parts: &[Filter], negated: bool, is_and: bool) -> String {
        // Two exclusions of one dimension are one.
        let mut excluded: Vec<(&str, Vec<String>)> = Vec::new();
        let mut texts = BTreeSet::new();
        for part in parts {
            match part {
                Filter::Compare {
                    field,
                    op: CompareOp::Ne,
                    value,
                } if is_and && !negated => exclude(&mut excluded, field, [value.clone()]),
                Filter::In {
                    field,
                    values,
                    negated: true,
                } if is_and && !negated => exclude(&mut excluded, field, values.iter().cloned()),
                // `a between 1 and 2` beside others is two more of them.
                other => {
                    let text = self.filter(other, negated);
                    match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
                        Some(inner) if is_and && matches!(other, Filter::Between { .. }) => {
                            texts.extend(inner.split(" and ").map(str::to_owned));
                        }
                        _ => {
                            texts.insert(text);
                        }
                    }
                }
            }
        }
        for (field, values) in excluded {
            texts.insert(self.one_of(field, &values, true));
        }
        bracketed(texts, is_and)
    }

    fn compared(&self, field: &str, op: CompareOp, value: &str, negated: bool) -> String {
        let op = if negated { opposite(op) } else { op };
        match op {
            CompareOp::Eq => self.one_of(field, &[value.to_owned()], false),
            CompareOp::Ne => self.one_of(field, &[value.to_owned()], true),
            op => format!("{} {} {}", self.canonical(field), op.symbol(), plain(value)),
        }
    }

    fn one_of(&self, field: &str, values: &[String], negated: bool) -> String {
        let values: BTreeSet<String> = values.iter().map(|value| plain(value)).collect();
        let not = if negated { "not " } else { "" };
        format!("{} {not}in ({})", self.canonical(field), joined(&values))
    }
}

fn exclude<'a>(
    excluded: &mut Vec<(&'a str, Vec<String>)>,
    field: &'a str,
    values: impl IntoIterator<Item = String>,
) {
    match excluded.iter_mut().find(|(known, _)| *known == field) {
        Some((_, known)) => known.extend(values),
        None => excluded.push((field, values.into_iter().collect())),
    }
}

fn bracketed(texts: BTreeSet<String>, is_and: bool) -> String {
    if texts.len() == 1 {
        return joined(&texts);
    }
    let texts: Vec<String> = texts.into_iter().collect();
    let text = texts.join(if is_and { " and " } else { " or " });
    format!("({text})")
}

fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// Numbers in one spelling: `10000.0` is `10000`. Codes such as `007` stay as they are.
fn plain(value: &str) -> String {
    let is_code = value.starts_with('0') && !value.starts_with("0.") && value.len() > 1;
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && !is_code => number.to_string(),
        _ => value.to_owned(),
    }
}
