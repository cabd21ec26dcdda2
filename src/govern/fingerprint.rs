//! The short hash of what a metric means: equal as long as nothing changes that decides about its numbers.
//!
//! Words for people, tests and history have no part in it. What it is computed from has: the metrics and the snippet it is
//! made of, and of the datasets what it reads. What a definition does not say is not hashed, so that a key which a later
//! version knows changes nothing.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::model::{Dataset, Expression, Measure, Metric, MetricKind, Registry};

/// The hash of the meaning of a metric, as eight hexadecimal digits.
pub fn fingerprint(registry: &Registry, metric: &Metric) -> String {
    let mut reader = Reader {
        registry,
        words: BTreeSet::new(),
        metrics: BTreeSet::new(),
        datasets: BTreeSet::new(),
        parts: Vec::new(),
    };
    reader.metric(metric);
    reader.parts.push(plain(&metric.window));
    reader.read_datasets();
    let hash = xxh3_64(Value::Array(reader.parts).to_string().as_bytes());
    format!("{:08x}", hash >> 32)
}

struct Reader<'r> {
    registry: &'r Registry,
    /// Every word of every expression: what may name a dimension or a join.
    words: BTreeSet<String>,
    metrics: BTreeSet<&'r str>,
    /// Datasets that are read, in the order of their names.
    datasets: BTreeSet<&'r str>,
    parts: Vec<Value>,
}

impl<'r> Reader<'r> {
    fn metric(&mut self, metric: &Metric) {
        let Some((name, metric)) = self.registry.metrics.get_key_value(&metric.name) else {
            return;
        };
        if !self.metrics.insert(name) {
            return;
        }
        let kind = &metric.kind;
        self.parts.push(plain(kind));
        self.parts
            .push(plain(&json!([metric.fill, metric.every_period])));
        for source in kind.sources() {
            source.measures.iter().for_each(|one| self.measure(one));
        }
        match kind {
            MetricKind::Derived { expr, inputs } => {
                self.words_of(expr);
                let filters = inputs.iter().flat_map(|input| &input.filters);
                filters.for_each(|filter| self.words_of(filter));
            }
            MetricKind::Conversion(conversion) => {
                self.words.insert(conversion.entity.clone());
                for (one, other) in &conversion.same {
                    self.words.extend([one.clone(), other.clone()]);
                }
            }
            MetricKind::Complex { snippet, .. } => {
                let snippet = self.registry.snippets.get(snippet);
                self.parts.push(json!(snippet.map(|snippet| &snippet.text)));
            }
            MetricKind::Simple(_) | MetricKind::Ratio(_) | MetricKind::Cumulative(_) => {}
        }
        for input in kind.inputs() {
            if let Some(input) = self.registry.metrics.get(input) {
                self.metric(input);
            }
        }
    }

    fn measure(&mut self, measure: &Measure) {
        if let Some((name, _)) = self.registry.datasets.get_key_value(&measure.dataset) {
            self.datasets.insert(name);
        }
        let texts = measure.expr.iter().chain(&measure.filters);
        texts.for_each(|text| self.words_of(text));
        self.words.extend(measure.time.clone());
        if let Some(over) = &measure.over_time {
            self.words.insert(over.time.clone());
            self.words.extend(over.per.iter().cloned());
        }
    }

    fn words_of(&mut self, expression: &Expression) {
        let others = expression.dialects.iter().map(|(_, text)| text.as_str());
        for text in std::iter::once(expression.text.as_str()).chain(others) {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            self.words.extend(words.map(str::to_lowercase));
        }
    }

    /// Goes over the datasets, and over those that they are joined with, until there is no new one: a dimension that is
    /// a metric leads to further metrics, and these to further words.
    fn read_datasets(&mut self) {
        loop {
            let (datasets, words) = (self.datasets.len(), self.words.len());
            for name in self.datasets.clone() {
                if let Some(dataset) = self.registry.datasets.get(name) {
                    self.follow(dataset);
                }
            }
            if (self.datasets.len(), self.words.len()) == (datasets, words) {
                break;
            }
        }
        for name in self.datasets.clone() {
            if let Some(dataset) = self.registry.datasets.get(name) {
                let part = self.dataset(dataset);
                self.parts.push(part);
            }
        }
    }

    fn follow(&mut self, dataset: &'r Dataset) {
        for dimension in dataset.dimensions.values() {
            if self.is_named(&dimension.name, &dimension.aliases) {
                self.words_of(&dimension.expr);
                let of = dimension.of_metric.as_ref();
                if let Some(of) = of.and_then(|of| self.registry.metric(&of.metric)) {
                    self.metric(of);
                }
            }
        }
        for join in dataset.joins.values() {
            if self.words.contains(&join.name.to_lowercase())
                && let Some((name, _)) = self.registry.datasets.get_key_value(&join.to)
            {
                self.datasets.insert(name);
            }
        }
    }

    fn is_named(&self, name: &str, aliases: &[String]) -> bool {
        let mut names = std::iter::once(name).chain(aliases.iter().map(String::as_str));
        names.any(|name| self.words.contains(&name.to_lowercase()))
    }

    /// What of a dataset the metric reads.
    fn dataset(&self, dataset: &Dataset) -> Value {
        let dimensions = dataset.dimensions.values().filter(|dimension| {
            self.is_named(&dimension.name, &dimension.aliases)
                || dataset.time.as_ref() == Some(&dimension.name)
        });
        let dimensions: Vec<Value> = dimensions
            .map(|one| json!([one.name, one.expr, one.of_metric, one.kind]))
            .collect();
        let joins = dataset.joins.values();
        let joins = joins.filter(|join| self.words.contains(&join.name.to_lowercase()));
        let joins: Vec<Value> = joins
            .map(|join| json!([join.name, join.to, join.on]))
            .collect();
        plain(&json!([
            dataset.name,
            dataset.relation,
            dataset.key,
            dataset.time,
            dataset.valid,
            dataset.partition,
            dataset.stored_in,
            dimensions,
            joins
        ]))
    }
}

/// A value without places and without what says nothing. Spaces in expressions are one each.
fn plain(value: &impl Serialize) -> Value {
    fn clean(value: Value) -> Option<Value> {
        match value {
            Value::Null | Value::Bool(false) => None,
            Value::Array(items) => Some(Value::Array(
                items
                    .into_iter()
                    .map(|item| clean(item).unwrap_or_default())
                    .collect(),
            ))
            .filter(|items| items.as_array().is_some_and(|items| !items.is_empty())),
            Value::Object(fields) => {
                let fields = fields.into_iter().filter(|(key, _)| key != "place");
                Some(Value::Object(
                    fields
                        .filter_map(|(key, value)| Some((key, clean(value)?)))
                        .collect(),
                ))
            }
            Value::String(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                Some(Value::String(words.join(" ")))
            }
            other => Some(other),
        }
    }
    let value = serde_json::to_value(value).unwrap_or_default();
    clean(value).unwrap_or_default()
}
