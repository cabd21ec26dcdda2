//! What a change of definitions means, in words: of one metric, with all that it reads and is made of.

mod dataset;
mod metric;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{Expression, Metric, MetricKind, Registry};

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touches {
    /// The number itself.
    Numbers,
    /// What is asked where a query does not say: grouping, time range.
    Defaults,
    /// What people read, and how the number is shown.
    Words,
}

/// One difference between two definitions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What it is about.
    pub touches: Touches,
    /// The difference in words: `reads orders_v2, no longer orders`.
    pub text: String,
}

impl Difference {
    fn new(touches: Touches, text: impl Into<String>) -> Self {
        Self {
            touches,
            text: text.into(),
        }
    }

    /// The same, of something that a definition stands on.
    fn of(self, what: &str) -> Self {
        Self {
            text: format!("{what}: {}", self.text),
            ..self
        }
    }
}

/// What differs in a metric's own definition, numbers first.
pub fn metric_differences(before: &Metric, after: &Metric) -> Vec<Difference> {
    let mut found = metric::differences(before, after);
    found.sort_by_key(|difference| difference.touches);
    found
}

/// What differs in the meaning of a metric that both registries have: its own definition first, then what of it comes from
/// the metrics it is made of, the snippets and the datasets they read. Nothing where one of them lacks the metric.
pub fn differences(before: &Registry, after: &Registry, metric: &str) -> Vec<Difference> {
    let (Some(old), Some(new)) = (before.metrics.get(metric), after.metrics.get(metric)) else {
        return Vec::new();
    };
    let mut found = metric_differences(old, new);
    for name in parts(before, metric).intersection(&parts(after, metric)) {
        if name == metric {
            continue;
        }
        if let (Some(old), Some(new)) = (before.metrics.get(name), after.metrics.get(name)) {
            let below = metric::differences(old, new).into_iter();
            let below = below.filter(|difference| difference.touches == Touches::Numbers);
            found.extend(below.map(|difference| difference.of(name)));
        }
    }
    let (old, new) = (read(before, metric), read(after, metric));
    for name in old.snippets.intersection(&new.snippets) {
        let text = |registry: &Registry| {
            let snippet = registry.snippets.get(name);
            snippet.map(|snippet| snippet.text.clone())
        };
        if text(before) != text(after) {
            let text = format!("the SQL of snippets/{name} is another");
            found.push(Difference::new(Touches::Numbers, text));
        }
    }
    for name in old.datasets.intersection(&new.datasets) {
        if let (Some(old), Some(new)) = (before.datasets.get(name), after.datasets.get(name)) {
            let below = dataset::differences(old, new).into_iter();
            let below = below.filter(|difference| difference.touches != Touches::Words);
            found.extend(below.map(|difference| difference.of(name)));
        }
    }
    found
}

/// What differs in a dataset; nothing where one of both lacks it.
pub fn dataset_differences(before: &Registry, after: &Registry, dataset: &str) -> Vec<Difference> {
    match (before.datasets.get(dataset), after.datasets.get(dataset)) {
        (Some(old), Some(new)) => dataset::differences(old, new),
        _ => Vec::new(),
    }
}

/// What differs in a rollup; nothing where one of both lacks it. None of it touches a number.
pub fn rollup_differences(before: &Registry, after: &Registry, rollup: &str) -> Vec<Difference> {
    let (Some(old), Some(new)) = (before.rollups.get(rollup), after.rollups.get(rollup)) else {
        return Vec::new();
    };
    let mut found = Differences::default();
    found.was(Touches::Words, "the dataset", &old.of, &new.of);
    found.was(Touches::Words, "the table", &old.table, &new.table);
    found.was(
        Touches::Words,
        "the grain",
        old.grain.word(),
        new.grain.word(),
    );
    found.lists(
        Touches::Words,
        &old.by,
        &new.by,
        ("is also by", "is no longer by"),
    );
    found.lists(
        Touches::Words,
        &old.metrics,
        &new.metrics,
        ("also keeps", "no longer keeps"),
    );
    found.0
}

/// What a metric reads.
#[derive(Default)]
struct Reads {
    datasets: BTreeSet<String>,
    snippets: BTreeSet<String>,
}

fn read(registry: &Registry, metric: &str) -> Reads {
    let mut reads = Reads::default();
    for name in parts(registry, metric) {
        let Some(metric) = registry.metrics.get(&name) else {
            continue;
        };
        let measures = metric.kind.sources().iter();
        let measures = measures.flat_map(|source| &source.measures);
        reads
            .datasets
            .extend(measures.map(|measure| measure.dataset.clone()));
        if let MetricKind::Complex { snippet, .. } = &metric.kind {
            reads.snippets.insert(snippet.clone());
        }
    }
    // What is joined may be grouped and filtered by.
    let mut open: Vec<String> = reads.datasets.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let joins = registry.datasets.get(&name).into_iter();
        for join in joins.flat_map(|dataset| dataset.joins.values()) {
            if reads.datasets.insert(join.to.clone()) {
                open.push(join.to.clone());
            }
        }
    }
    reads
}

/// Every metric that one is made of, itself included.
fn parts(registry: &Registry, metric: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![metric.to_owned()];
    while let Some(name) = open.pop() {
        let inputs = registry.metrics.get(&name).into_iter();
        let inputs = inputs.flat_map(|metric| metric.kind.inputs());
        let inputs: Vec<String> = inputs.map(str::to_owned).collect();
        if found.insert(name) {
            open.extend(inputs);
        }
    }
    found
}

/// Collects the differences of one definition.
#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, touches: Touches, text: impl Into<String>) {
        self.0.push(Difference::new(touches, text));
    }

    /// `WHAT is AFTER, was BEFORE`, where the two differ; what is empty is none.
    fn was(&mut self, touches: Touches, what: &str, before: &str, after: &str) {
        if before != after {
            let named = |text: &str| match text {
                "" => "none".to_owned(),
                text => text.to_owned(),
            };
            let (before, after) = (named(before), named(after));
            self.add(touches, format!("{what} is {after}, was {before}"));
        }
    }

    /// What is in one of two lists only.
    fn lists(
        &mut self,
        touches: Touches,
        before: &[String],
        after: &[String],
        words: (&str, &str),
    ) {
        let (now, no_longer) = words;
        for gone in before.iter().filter(|one| !after.contains(one)) {
            self.add(touches, format!("{no_longer} {gone}"));
        }
        for new in after.iter().filter(|one| !before.contains(one)) {
            self.add(touches, format!("{now} {new}"));
        }
    }
}

/// An expression with the words of single engines.
fn written(expression: &Expression) -> String {
    let mut text = expression.text.clone();
    for (engine, own) in &expression.dialects {
        text.push_str(&format!(" ({engine}: {own})"));
    }
    text
}

fn all_written(expressions: &[Expression]) -> Vec<String> {
    expressions.iter().map(written).collect()
}
