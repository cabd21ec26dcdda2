//! Settles what metrics are made of where that is other metrics: names to metrics, no cycles, nothing broken underneath,
//! nothing that has no meaning together.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::diagnostic::Sink;
use super::expression;
use super::measure::is_per_dimension;
use super::raw::RawMetric;
use super::read::Entry;
use super::scope::{Broken, Scope};
use super::yaml::Text;
use super::{conversion, cumulative, derived};
use crate::model::{Calendar, Grain, Measure, Metric, MetricKind, Place, Registry};

/// What names mean to a metric that is made of others.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) metrics: &'a IndexMap<String, Metric>,
    /// Lower-case name or alias -> metric, also of metrics with an error.
    pub(crate) names: &'a HashMap<String, String>,
    pub(crate) broken: &'a Broken,
    pub(crate) calendar: &'a Calendar,
}

impl Known<'_> {
    /// The canonical name of a metric that can be built on.
    pub(crate) fn metric(self, (written, place): (&str, Place), sink: &mut Sink) -> Option<String> {
        let Some(name) = self.names.get(&written.to_lowercase()) else {
            let aliases = self.metrics.values().flat_map(|metric| &metric.aliases);
            let known = self
                .metrics
                .keys()
                .chain(aliases)
                .chain(&self.broken.metrics);
            self.broken.refuse(
                "metric",
                "unknown_metric",
                (written, place),
                false,
                known.map(String::as_str),
                sink,
            );
            return None;
        };
        let metric = self.metrics.get(name);
        if let Some(MetricKind::Complex { facets: None, .. }) = metric.map(|metric| &metric.kind) {
            let message =
                format!("'{written}' is a complex metric, which has no compiled form to build on");
            sink.error(
                "metric_kind",
                place,
                written,
                message,
                Some("declare the facets of its snippet".to_owned()),
            );
            return None;
        }
        Some(name.clone())
    }
}

/// A metric that another one is made of.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// Its canonical name.
    pub(crate) metric: String,
    /// Where it is named.
    pub(crate) place: Place,
    /// Predicates that are added to its own.
    pub(crate) filters: Vec<Text>,
    /// Whether it is taken from another time.
    pub(crate) is_offset: bool,
}

impl Use {
    /// A metric as it is.
    pub(crate) fn plain(metric: String, text: &Text) -> Self {
        Self {
            metric,
            place: text.place,
            filters: Vec::new(),
            is_offset: false,
        }
    }
}

/// A metric that is made of others, settled.
pub(crate) struct Composition {
    /// The text that says what it is made of.
    pub(crate) text: Text,
    /// The kind, with canonical names.
    pub(crate) kind: MetricKind,
    /// What it is made of.
    pub(crate) uses: Vec<Use>,
}

/// Settles every metric that is made of others, and takes out those that cannot be computed.
pub(crate) fn settle(
    entries: &[Entry<RawMetric>],
    registry: &mut Registry,
    names: &HashMap<String, String>,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let mut composed: IndexMap<String, Composition> = IndexMap::new();
    for entry in entries {
        let name = &entry.name.value;
        let (Some(metric), Some(raw)) = (registry.metrics.get(name), &entry.value) else {
            continue;
        };
        let known = Known {
            metrics: &registry.metrics,
            names,
            broken,
            calendar: &registry.calendar,
        };
        let settled = match &metric.kind {
            MetricKind::Derived { .. } => derived::compose(name, raw, known, sink),
            MetricKind::Cumulative(kind) if kind.of.is_some() => {
                cumulative::compose(raw, kind, known, sink)
            }
            MetricKind::Conversion(kind) => conversion::compose(raw, kind, known, sink),
            _ => continue,
        };
        match settled {
            Some(settled) => drop(composed.insert(name.clone(), settled)),
            None => remove(name, registry, broken),
        }
    }
    for (name, composition) in &composed {
        if let Some(metric) = registry.metrics.get_mut(name) {
            metric.kind = composition.kind.clone();
        }
    }
    report_cycles(&composed, registry, broken, sink);
    check(entries, &composed, registry, broken, sink);
    spread(&composed, registry, broken, sink);
}

fn remove(name: &str, registry: &mut Registry, broken: &mut Broken) {
    registry.metrics.shift_remove(name);
    broken.metrics.insert(name.to_owned());
}

/// Reports each cycle once, at the first of its metrics in the files.
fn report_cycles(
    composed: &IndexMap<String, Composition>,
    registry: &mut Registry,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let mut done: HashSet<&str> = HashSet::new();
    for start in composed.keys() {
        // Depth-first with an explicit path: (metric, next one it is made of to look at).
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last_mut() {
            let used = composed.get(*name).and_then(|one| one.uses.get(*next));
            let Some(used) = used.filter(|_| !done.contains(*name)) else {
                done.insert(name);
                path.pop();
                continue;
            };
            *next += 1;
            let input = used.metric.as_str();
            let Some(at) = path.iter().position(|(name, _)| *name == input) else {
                if !done.contains(input) {
                    path.push((input, 0));
                }
                continue;
            };
            let cycle: Vec<&str> = path.iter().skip(at).map(|(name, _)| *name).collect();
            if cycle.iter().all(|name| !broken.metrics.contains(*name))
                && let Some(first) = cycle.first().and_then(|first| composed.get(*first))
            {
                let text = &first.text;
                let shown = [cycle.as_slice(), &[input]].concat().join(" → ");
                let message = format!("these metrics need each other: {shown}");
                sink.error(
                    "cycle",
                    text.place,
                    &text.value,
                    message,
                    Some("take one of them out of the definition of another".to_owned()),
                );
            }
            for name in cycle {
                remove(name, registry, broken);
            }
        }
    }
}

/// Takes out what is made of metrics that have no meaning in that place. Nothing goes round in circles any more.
fn check(
    entries: &[Entry<RawMetric>],
    composed: &IndexMap<String, Composition>,
    registry: &mut Registry,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let mut failed = Vec::new();
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    for entry in entries {
        let name = &entry.name.value;
        let (Some(metric), Some(composition), Some(raw)) =
            (registry.metrics.get(name), composed.get(name), &entry.value)
        else {
            continue;
        };
        let before = sink.errors();
        for used in &composition.uses {
            check_use(used, registry, scope, sink);
        }
        match &metric.kind {
            MetricKind::Cumulative(_) => {
                for used in &composition.uses {
                    check_accumulated(used, registry, sink);
                }
            }
            MetricKind::Conversion(kind) => {
                conversion::check(raw, kind, registry, scope, sink);
            }
            _ => {}
        }
        if sink.errors() > before {
            failed.push(name.clone());
        }
    }
    for name in failed {
        remove(&name, registry, broken);
    }
}

/// Every metric that `name` is made of, itself included.
pub(crate) fn parts<'a>(registry: &'a Registry, name: &'a str) -> Vec<&'a Metric> {
    let mut found: IndexMap<&str, &Metric> = IndexMap::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        if let Some(metric) = registry.metrics.get(name)
            && found.insert(name, metric).is_none()
        {
            open.extend(metric.kind.inputs());
        }
    }
    found.into_values().collect()
}

/// Every aggregation that a metric comes down to.
fn leaves<'a>(registry: &'a Registry, name: &'a str) -> Vec<&'a Measure> {
    let parts = parts(registry, name).into_iter();
    let sources = parts.flat_map(|metric| metric.kind.sources());
    sources.flat_map(|source| &source.measures).collect()
}

/// Filters are predicates over the rows of every leaf; an offset needs every leaf to have a time.
fn check_use(used: &Use, registry: &Registry, scope: Scope, sink: &mut Sink) {
    let leaves = leaves(registry, &used.metric);
    let mut datasets: Vec<_> = leaves
        .iter()
        .filter_map(|leaf| registry.datasets.get(&leaf.dataset))
        .collect();
    datasets.dedup_by_key(|dataset| &dataset.name);
    for filter in &used.filters {
        if is_per_dimension(&filter.value) {
            continue;
        }
        let Some(names) = expression::over_rows(filter, sink) else {
            continue;
        };
        for dataset in &datasets {
            scope.check(dataset, filter, &names, sink);
        }
    }
    if used.is_offset {
        need_time(&leaves, used, registry, "to go back in", sink);
    }
}

fn need_time(leaves: &[&Measure], used: &Use, registry: &Registry, what: &str, sink: &mut Sink) {
    let without = leaves.iter().find_map(|leaf| {
        let dataset = registry.datasets.get(&leaf.dataset)?;
        (leaf.time.is_none() && dataset.time.is_none()).then_some(dataset)
    });
    if let Some(dataset) = without {
        let message = format!(
            "'{}' reads {}, which has no time {what}",
            used.metric, dataset.name
        );
        let hint = Some(format!("give {} a time", dataset.name));
        sink.error("time", used.place, &used.metric, message, hint);
    }
}

/// What can be accumulated comes down to rows that add up over time.
fn check_accumulated(used: &Use, registry: &Registry, sink: &mut Sink) {
    let refuse = |what: String, sink: &mut Sink| {
        let hint = "accumulate the metrics of events that it is made of".to_owned();
        sink.error("metric_kind", used.place, &used.metric, what, Some(hint));
    };
    for part in parts(registry, &used.metric) {
        let name = match part.name == used.metric {
            true => format!("'{}'", part.name),
            false => format!("'{}' is made of '{}', which", used.metric, part.name),
        };
        match &part.kind {
            MetricKind::Cumulative(_) => {
                refuse(format!("{name} is cumulative already"), sink);
            }
            MetricKind::Conversion(_) => {
                let what = "is a conversion metric, which cannot be accumulated";
                refuse(format!("{name} {what}"), sink);
            }
            MetricKind::Derived { inputs, .. } => {
                if let Some(input) = inputs.iter().find(|input| input.offset.is_some()) {
                    let what = format!("takes '{}' from another time", input.name);
                    refuse(format!("{name} {what}, which cannot be accumulated"), sink);
                }
            }
            MetricKind::Complex { facets, .. } => {
                let is_plain = facets
                    .as_ref()
                    .is_some_and(|facets| facets.grain == Grain::Day && facets.per.is_empty());
                if !is_plain {
                    let what = "is a snippet whose rows do not add up by day";
                    refuse(format!("{name} {what}"), sink);
                }
            }
            MetricKind::Simple(_) | MetricKind::Ratio(_) => {
                let analysis = registry.analysis_of(part);
                let is_plain = analysis.is_none_or(|analysis| {
                    analysis.grain == Grain::Day && analysis.per(&part.name).is_empty()
                });
                if !is_plain {
                    let what = "is a number of an analysis, whose rows do not add up by day";
                    refuse(format!("{name} {what}"), sink);
                }
            }
        }
        let mut measures = part
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures);
        if measures.any(|measure| measure.over_time.is_some()) {
            let what = "has snapshots, which do not add up over time";
            refuse(format!("{name} {what}"), sink);
        }
    }
    let leaves = leaves(registry, &used.metric);
    need_time(&leaves, used, registry, "to accumulate over", sink);
}

/// Takes out what depends on a broken metric, level by level.
fn spread(
    composed: &IndexMap<String, Composition>,
    registry: &mut Registry,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    loop {
        let affected = composed
            .iter()
            .filter(|(name, _)| registry.metrics.contains_key(*name))
            .find_map(|(name, one)| {
                let is_broken = |used: &&Use| broken.metrics.contains(&used.metric);
                Some((name, one.uses.iter().find(is_broken)?))
            });
        let Some((name, used)) = affected else { return };
        let message = format!("depends on '{}', which has an error", used.metric);
        sink.error("dependency", used.place, &used.metric, message, None);
        remove(name, registry, broken);
    }
}
