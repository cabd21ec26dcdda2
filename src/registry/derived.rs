//! Settles what derived metrics are made of: names to metrics, no cycles, nothing broken underneath.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::diagnostic::Sink;
use super::expression;
use super::scope::Broken;
use super::yaml::Text;
use crate::model::{Input, Metric, MetricKind, Place};

/// Fills in the inputs of every derived metric and takes out those that cannot be computed.
pub(crate) fn settle(
    metrics: &mut IndexMap<String, Metric>,
    expressions: &IndexMap<String, Text>,
    names: &HashMap<String, String>,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let mut uses: IndexMap<String, Vec<Use>> = IndexMap::new();
    for (name, text) in expressions {
        if metrics.contains_key(name) {
            match inputs(text, metrics, names, broken, sink) {
                Some(found) => drop(uses.insert(name.clone(), found)),
                None => {
                    metrics.shift_remove(name);
                    broken.metrics.insert(name.clone());
                }
            }
        }
    }
    uses.sort_unstable_by(|a, _, b, _| metrics.get_index_of(a).cmp(&metrics.get_index_of(b)));
    report_cycles(&uses, metrics, expressions, broken, sink);
    spread(&uses, metrics, expressions, broken, sink);
    for (name, used) in uses {
        if let Some(Metric {
            kind: MetricKind::Derived { inputs, .. },
            ..
        }) = metrics.get_mut(&name)
        {
            *inputs = used.into_iter().map(Use::into_input).collect();
        }
    }
}

/// A metric that an expression names, and where.
struct Use {
    /// As the expression writes it.
    name: String,
    metric: String,
    offset: usize,
    place: Place,
}

impl Use {
    fn into_input(self) -> Input {
        Input {
            name: self.name,
            metric: self.metric,
            place: self.place,
            filters: Vec::new(),
            offset: None,
        }
    }
}

fn inputs(
    text: &Text,
    metrics: &IndexMap<String, Metric>,
    names: &HashMap<String, String>,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<Vec<Use>> {
    let before = sink.errors();
    let mut found: Vec<Use> = Vec::new();
    for name in expression::over_metrics(text, sink)? {
        let written = name.path.join(".");
        let canonical = names.get(&written.to_lowercase());
        let place = sink.inside(text, name.offset);
        match canonical {
            None => {
                let aliases = metrics.values().flat_map(|metric| &metric.aliases);
                let known = metrics
                    .keys()
                    .chain(aliases)
                    .chain(&broken.metrics)
                    .map(String::as_str);
                broken.refuse(
                    "metric",
                    "unknown_metric",
                    (&written, place),
                    false,
                    known,
                    sink,
                );
            }
            Some(metric)
                if matches!(
                    metrics.get(metric).map(|metric| &metric.kind),
                    Some(MetricKind::Complex { facets: None, .. })
                ) =>
            {
                let message = format!(
                    "'{written}' is a complex metric, which has no compiled form to build on"
                );
                sink.error("metric_kind", place, &written, message, None);
            }
            Some(_) if found.iter().any(|used| used.name == written) => {}
            Some(metric) => found.push(Use {
                name: written.clone(),
                place,
                metric: metric.clone(),
                offset: name.offset,
            }),
        }
    }
    if found.is_empty() && sink.errors() == before {
        let message = "the expression names no metric";
        let hint = Some("to compute it from a table, give base_table and agg".to_owned());
        sink.error("expression", text.place, &text.value, message, hint);
    }
    (sink.errors() == before).then_some(found)
}

/// Reports each cycle once, at the first of its metrics in the files.
fn report_cycles(
    uses: &IndexMap<String, Vec<Use>>,
    metrics: &mut IndexMap<String, Metric>,
    expressions: &IndexMap<String, Text>,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    let mut done: HashSet<&str> = HashSet::new();
    for start in uses.keys() {
        // Depth-first with an explicit path: (metric, next input to look at).
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last_mut() {
            let used = uses.get(*name).and_then(|used| used.get(*next));
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
                && let Some(text) = cycle.first().and_then(|first| expressions.get(*first))
            {
                let shown = [cycle.as_slice(), &[input]].concat().join(" → ");
                sink.error(
                    "cycle",
                    text.place,
                    &text.value,
                    format!("these metrics need each other: {shown}"),
                    None,
                );
            }
            for name in cycle {
                metrics.shift_remove(name);
                broken.metrics.insert(name.to_owned());
            }
        }
    }
}

/// Takes out what depends on a broken metric, level by level.
fn spread(
    uses: &IndexMap<String, Vec<Use>>,
    metrics: &mut IndexMap<String, Metric>,
    expressions: &IndexMap<String, Text>,
    broken: &mut Broken,
    sink: &mut Sink,
) {
    loop {
        let affected = uses
            .iter()
            .filter(|(name, _)| metrics.contains_key(*name))
            .find_map(|(name, used)| {
                let used = used
                    .iter()
                    .find(|used| broken.metrics.contains(&used.metric))?;
                Some((name.clone(), used))
            });
        let Some((name, used)) = affected else { return };
        if let Some(text) = expressions.get(&name) {
            let place = sink.inside(text, used.offset);
            let message = format!("depends on '{}', which has an error", used.metric);
            sink.error("dependency", place, &used.metric, message, None);
        }
        metrics.shift_remove(&name);
        broken.metrics.insert(name);
    }
}
