//! Builds hypotheses: the rules that say what to look at when a metric moves.

use std::collections::HashSet;

use super::diagnostic::{Sink, did_you_mean};
use super::raw::RawHypothesis;
use super::read::Entry;
use super::scope::{Broken, Scope};
use super::words::{chars_before, check_name, texts};
use super::yaml::Text;
use crate::model::{
    Filter, GroupBy, Hypothesis, Metric, MetricQuery, Place, QueryLineError, Registry,
};

/// Deepest nesting of metrics that is looked into.
const MAX_DEPTH: u8 = 32;

/// Builds the hypotheses; the metrics are built.
pub(crate) fn build_hypotheses(
    entries: &[Entry<RawHypothesis>],
    registry: &mut Registry,
    broken: &Broken,
    sink: &mut Sink,
) {
    let names: Vec<&str> = entries
        .iter()
        .map(|entry| entry.name.value.as_str())
        .collect();
    let mut built = Vec::new();
    for entry in entries {
        let before = sink.errors();
        let found = hypothesis(entry, &names, registry, broken, sink);
        built.extend(found.filter(|_| entry.errors == 0 && sink.errors() == before));
    }
    for entry in entries {
        let follows = |one: &Hypothesis| one.then.contains(&entry.name.value);
        let Some(raw) = &entry.value else { continue };
        if raw.metric.is_none() && entry.errors == 0 && !built.iter().any(follows) {
            let message = format!("nothing leads to the hypothesis '{}'", entry.name.value);
            let hint =
                "add metric: with the metric it explains, or name it in then: of another one";
            let name = &entry.name;
            sink.error(
                "unreached",
                name.place,
                &name.value,
                message,
                Some(hint.to_owned()),
            );
            built.retain(|one| one.name != entry.name.value);
        }
        if let Some(name) = raw
            .then
            .0
            .iter()
            .find(|next| leads_to(&built, &next.value, &entry.name.value))
        {
            let message = format!("'{}' leads back to '{}'", name.value, entry.name.value);
            sink.error("cycle", name.place, &name.value, message, None);
            built.retain(|one| one.name != entry.name.value);
        }
    }
    let named = built.into_iter().map(|one| (one.name.clone(), one));
    registry.hypotheses = named.collect();
}

/// Whether one hypothesis is another one, or leads to it.
fn leads_to(all: &[Hypothesis], from: &str, to: &str) -> bool {
    let (mut seen, mut left) = (HashSet::new(), vec![from]);
    while let Some(name) = left.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            let found = all.iter().filter(|one| one.name == name);
            left.extend(found.flat_map(|one| one.then.iter().map(String::as_str)));
        }
    }
    false
}

fn hypothesis(
    entry: &Entry<RawHypothesis>,
    names: &[&str],
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<Hypothesis> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    check_name("hypothesis", name, sink);
    let mut missing = |key: &str, hint: &str| {
        if entry.errors == 0 {
            let message = format!("hypothesis '{}' needs {key}", name.value);
            sink.error(
                "missing_key",
                name.place,
                &name.value,
                message,
                Some(hint.to_owned()),
            );
        }
    };
    if raw.because.is_none() {
        missing("because", "say in a sentence what may have happened");
    }
    if raw.look_at.is_none() {
        missing("look_at", "add look_at: such as orders by market");
    }
    let (because, line) = (raw.because.as_ref()?, raw.look_at.as_ref()?);
    for next in raw
        .then
        .0
        .iter()
        .filter(|next| !names.contains(&next.value.as_str()))
    {
        let message = format!("unknown hypothesis '{}'", next.value);
        let hint = did_you_mean(&next.value, names.iter().copied());
        sink.error("unknown_hypothesis", next.place, &next.value, message, hint);
    }
    let metric = match &raw.metric {
        Some(metric) => Some(
            known(&metric.value, metric.place, registry, broken, sink)?
                .name
                .clone(),
        ),
        None => None,
    };
    if let Some(when) = raw.when.filter(|_| metric.is_none()) {
        let message = "when is about a metric";
        let hint = Some("add metric:, or leave when out".to_owned());
        sink.error(
            "invalid_value",
            when.place,
            when.value.word(),
            message,
            hint,
        );
    }
    Some(Hypothesis {
        name: name.value.clone(),
        place: name.place,
        metric,
        when: raw.when.map(|word| word.value).unwrap_or_default(),
        because: because.value.trim().to_owned(),
        look_at: look_at(line, registry, broken, sink)?,
        expect: raw.expect.map(|word| word.value).unwrap_or_default(),
        then: texts(&raw.then),
    })
}

fn known<'r>(
    name: &str,
    place: Place,
    registry: &'r Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<&'r Metric> {
    let found = registry.metric(name);
    if found.is_none() {
        let is_broken = broken.metrics.contains(name);
        let all = registry
            .metrics
            .keys()
            .chain(&broken.metrics)
            .map(String::as_str);
        broken.refuse(
            "metric",
            "unknown_metric",
            (name, place),
            is_broken,
            all,
            sink,
        );
    }
    found
}

/// What is looked at: one metric, at most one dimension, conditions; the rest is the question's.
fn look_at(
    line: &Text,
    registry: &Registry,
    broken: &Broken,
    sink: &mut Sink,
) -> Option<MetricQuery> {
    let query = match line.value.trim_end().parse::<MetricQuery>() {
        Ok(query) => query,
        Err(QueryLineError {
            message,
            range,
            hint,
            ..
        }) => {
            let place = sink.inside(line, chars_before(&line.value, range.start));
            sink.error("invalid_value", place, &line.value, message, hint);
            return None;
        }
    };
    let groups = query.group_by.as_deref().unwrap_or_default();
    let only = MetricQuery {
        metrics: query.metrics.clone(),
        group_by: query.group_by.clone(),
        filters: query.filters.clone(),
        ..MetricQuery::default()
    };
    let is_fit =
        matches!(groups, [] | [GroupBy::Dimension(_)]) && query.metrics.len() == 1 && query == only;
    if !is_fit {
        let message = "what is looked at is one metric, by at most one dimension";
        let hint = "write orders by market where channel = ads; the time is that of the question";
        sink.error(
            "invalid_value",
            line.place,
            &line.value,
            message,
            Some(hint.to_owned()),
        );
        return None;
    }
    let place = |word: &str, sink: &Sink| {
        let at = line
            .value
            .find(word)
            .map_or(0, |at| chars_before(&line.value, at));
        sink.inside(line, at)
    };
    let name = query.metrics.first()?;
    let metric = known(name, place(name, sink), registry, broken, sink)?;
    let scope = Scope {
        datasets: &registry.datasets,
        broken,
        calendar: registry.calendar.table.as_ref(),
    };
    let datasets = datasets(registry, metric, 0);
    let dimensions = groups.iter().filter_map(GroupBy::dimension);
    let fields = query.filters.iter().flat_map(Filter::fields);
    for word in dimensions.chain(fields.filter(|field| registry.metric(field).is_none())) {
        let found = datasets
            .iter()
            .filter_map(|name| registry.datasets.get(name.as_str()));
        let mut found = found.peekable();
        let Some(unreached) = found.find(|dataset| scope.reach(dataset, word).is_none()) else {
            continue;
        };
        let at = (word, place(word, sink));
        let is_broken = scope.is_broken(unreached, word);
        broken.refuse(
            "dimension",
            "unknown_dimension",
            at,
            is_broken,
            scope.dimensions(unreached),
            sink,
        );
        return None;
    }
    Some(query)
}

/// The datasets that a metric is computed from.
fn datasets(registry: &Registry, metric: &Metric, depth: u8) -> Vec<String> {
    let own = metric
        .kind
        .sources()
        .iter()
        .flat_map(|source| &source.measures);
    let mut found: Vec<String> = own.map(|measure| measure.dataset.clone()).collect();
    if depth < MAX_DEPTH {
        let inputs = metric.kind.inputs();
        let inputs = inputs.iter().filter_map(|input| registry.metric(input));
        found.extend(inputs.flat_map(|input| datasets(registry, input, depth + 1)));
    }
    found
}
