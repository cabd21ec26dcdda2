//! What a model is told of the definitions: as many metrics as fit, their dimensions, and the values that were linked.

use indexmap::IndexMap;
use minijinja::{Value, context};
use serde::Serialize;

use super::data::{LONG, SHORT, harmless};
use super::prompts::json;
use crate::ask::Linker;
use crate::compile::Reachability;
use crate::llm::tokens;
use crate::model::{Dimension, Metric, MetricKind, Registry, Status};

/// Most values of one dimension.
const VALUES: usize = 20;
/// Most words of one value in a question.
const LONGEST_VALUE: usize = 4;
/// Most other names of one metric or dimension.
const ALIASES: usize = 6;

/// What is known of a question before a model is asked.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Metrics that may be meant, the likeliest first.
    pub metrics: Vec<String>,
    /// Values that words of the question may stand for: (dimension, value).
    pub values: Vec<(String, String)>,
}

#[derive(Serialize)]
struct MetricLine {
    name: String,
    label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    dimensions: Vec<String>,
}

#[derive(Serialize)]
struct DimensionLine {
    name: String,
    label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    r#type: crate::model::DimensionType,
}

#[derive(Serialize)]
struct ValueLine {
    dimension: String,
    values: Vec<String>,
}

/// The part of a prompt that depends on the definitions.
pub(super) struct Context {
    metrics: Vec<MetricLine>,
    dimensions: Vec<DimensionLine>,
    values: Vec<ValueLine>,
}

impl Context {
    /// Takes metrics in order as long as they fit into `budget` tokens, counted with their dimensions. Personal data is
    /// no part of it.
    pub(super) fn new(
        registry: &Registry,
        reach: &Reachability,
        known: &Known,
        mut budget: u64,
    ) -> Self {
        let values = value_lines(&known.values);
        budget = budget.saturating_sub(size(&values));
        let mut metrics = Vec::new();
        let mut dimensions: IndexMap<String, DimensionLine> = IndexMap::new();
        let wanted = known
            .metrics
            .iter()
            .filter_map(|name| registry.metric(name));
        for metric in wanted.filter(|metric| metric.status != Status::Deprecated) {
            let own = dimensions_of(registry, reach, metric);
            let line = metric_line(metric, own.iter().map(|(name, _)| name.clone()).collect());
            let more: Vec<(String, DimensionLine)> = own
                .into_iter()
                .filter(|(name, _)| !dimensions.contains_key(name))
                .map(|(name, dimension)| (name.clone(), dimension_line(name, dimension)))
                .collect();
            let lines: Vec<&DimensionLine> = more.iter().map(|(_, line)| line).collect();
            let cost = size(&line) + size(&lines);
            if cost > budget {
                break;
            }
            budget -= cost;
            metrics.push(line);
            dimensions.extend(more);
        }
        Self {
            metrics,
            dimensions: dimensions.into_values().collect(),
            values,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    pub(super) fn value(&self) -> Value {
        context! {
            metrics => self.metrics.iter().map(json).collect::<Vec<_>>(),
            dimensions => self.dimensions.iter().map(json).collect::<Vec<_>>(),
            values => self.values.iter().map(json).collect::<Vec<_>>(),
        }
    }
}

fn size(part: &impl Serialize) -> u64 {
    serde_json::to_string(part).map_or(u64::MAX, |text| tokens(&text))
}

fn metric_line(metric: &Metric, dimensions: Vec<String>) -> MetricLine {
    MetricLine {
        name: metric.name.clone(),
        label: harmless(&metric.label, SHORT),
        aliases: short(&metric.aliases),
        description: harmless(&metric.description, LONG),
        dimensions,
    }
}

fn dimension_line(name: String, dimension: &Dimension) -> DimensionLine {
    DimensionLine {
        name,
        label: harmless(&dimension.label, SHORT),
        aliases: short(&dimension.aliases),
        description: harmless(&dimension.description, LONG),
        r#type: dimension.kind,
    }
}

fn short(names: &[String]) -> Vec<String> {
    names
        .iter()
        .take(ALIASES)
        .map(|name| harmless(name, SHORT))
        .collect()
}

/// Every dimension a metric can be grouped by, as a query writes it; of a complex one, those of its tables.
fn dimensions_of<'r>(
    registry: &'r Registry,
    reach: &Reachability,
    metric: &Metric,
) -> Vec<(String, &'r Dimension)> {
    if let MetricKind::Complex { tables, .. } = &metric.kind {
        let datasets = registry.datasets.values();
        let own =
            datasets.filter(|dataset| tables.iter().any(|table| dataset.index_table() == *table));
        let mut found: IndexMap<String, &Dimension> = IndexMap::new();
        for dimension in own.flat_map(|dataset| dataset.dimensions.values()) {
            found.entry(dimension.name.clone()).or_insert(dimension);
        }
        return found.into_iter().filter(|(_, found)| !found.pii).collect();
    }
    let choices = reach.choices(registry, std::slice::from_ref(&metric.name));
    let reachable = choices
        .into_iter()
        .filter(|choice| choice.reachable.is_ok());
    let found = reachable.filter_map(|choice| {
        let dataset = registry.datasets.get(&choice.dataset)?;
        let dimension = dataset.dimensions.get(&choice.dimension)?;
        (!dimension.pii).then_some((choice.name, dimension))
    });
    found.collect()
}

/// Values by dimension, at most [`VALUES`] of each.
fn value_lines(values: &[(String, String)]) -> Vec<ValueLine> {
    let mut lines: IndexMap<&str, Vec<String>> = IndexMap::new();
    for (dimension, value) in values {
        let line = lines.entry(dimension).or_default();
        let value = harmless(value, SHORT);
        if line.len() < VALUES && !line.contains(&value) {
            line.push(value);
        }
    }
    let line = |(dimension, values): (&str, Vec<String>)| ValueLine {
        dimension: dimension.to_owned(),
        values,
    };
    lines.into_iter().map(line).collect()
}

/// The values that words of a question may stand for, as (dimension, value); personal data has none.
pub fn linked_values(
    question: &str,
    doubtful: &[String],
    linker: &Linker<'_>,
) -> Vec<(String, String)> {
    let words: Vec<&str> = question.split_whitespace().collect();
    let longest = 1..=LONGEST_VALUE;
    let phrases = longest.flat_map(|length| words.windows(length).map(|words| words.join(" ")));
    let trim = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let named = phrases.flat_map(|phrase| linker.named(&trim(&phrase), &[]));
    let similar = doubtful
        .iter()
        .flat_map(|words| linker.similar(&trim(words), &[]));
    let is_personal = |dimension: &str| {
        let own = dimension.rsplit('.').next().unwrap_or(dimension);
        let datasets = linker.registry.datasets.values();
        let mut found = datasets.filter_map(|dataset| dataset.dimension(own));
        found.any(|dimension| dimension.pii)
    };
    named
        .chain(similar)
        .filter(|link| !is_personal(&link.dimension))
        .map(|link| (link.dimension, link.value))
        .collect()
}
