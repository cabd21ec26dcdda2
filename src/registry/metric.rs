//! Builds metrics: kind, metadata and defaults. What a derived metric is made of is settled in [`super::derived`].

use super::dataset::{expression_of, format};
use super::diagnostic::{Sink, did_you_mean};
use super::measure::sources;
use super::raw::{RawKind, RawMetric};
use super::read::Entry;
use super::scope::Scope;
use super::words::{chars_before, check_name, text, texts};
use super::yaml::Text;
use crate::model::{
    Dataset, Facets, GroupBy, Measure, Metric, MetricKind, QueryLineError, Snippet, Source,
    TimeRange,
};
use indexmap::IndexMap;
use std::collections::HashMap;

/// The metric an entry describes; `None` where something is wrong with it. The inputs of a derived one are still open.
pub(crate) fn metric(
    entry: &Entry<RawMetric>,
    scope: Scope,
    (snippets, facets): (&IndexMap<String, Snippet>, &HashMap<String, Facets>),
    sink: &mut Sink,
) -> Option<Metric> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let before = sink.errors();
    check_name("metric", name, sink);
    let kind = kind(name, raw, entry.errors > 0, sink).and_then(|kind| {
        check_keys(kind, raw, sink);
        Some(match kind {
            RawKind::Simple => MetricKind::Simple(sources(name, raw, scope, sink)?),
            RawKind::Ratio => MetricKind::Ratio(sources(name, raw, scope, sink)?),
            RawKind::Derived => MetricKind::Derived {
                expr: expression_of(raw.expr.as_ref()?),
                inputs: Vec::new(),
            },
            RawKind::Complex => {
                let snippet = snippet(raw.snippet.as_ref()?, snippets, sink);
                MetricKind::Complex {
                    facets: facets.get(&snippet).cloned().map(Box::new),
                    snippet,
                    tables: texts(&raw.tables),
                }
            }
        })
    });
    let grain = grain(raw, kind.as_ref(), scope, sink);
    let window = raw
        .window
        .as_ref()
        .and_then(|window| time_range(window, sink));
    let metric = Metric {
        name: name.value.clone(),
        place: name.place,
        label: raw
            .label
            .as_ref()
            .map_or_else(|| name.value.clone(), |text| text.value.clone()),
        category: raw
            .category
            .as_ref()
            .map_or_else(|| "Other".to_owned(), |text| text.value.clone()),
        description: text(raw.description.as_ref()),
        business_rules: texts(&raw.business_rules),
        owner: raw.owner.as_ref().map(|text| text.value.clone()),
        status: raw.status.map(|word| word.value).unwrap_or_default(),
        last_updated: raw.last_updated.map(|day| day.value.0),
        aliases: raw
            .aliases
            .0
            .iter()
            .chain(&raw.synonyms.0)
            .map(|text| text.value.clone())
            .collect(),
        tags: texts(&raw.tags),
        format: format(raw.format.as_ref(), raw.unit.as_ref()),
        kind: kind?,
        grain,
        window,
        fill: raw.fill.map(|fill| fill.value),
        every_period: false,
    };
    (entry.errors == 0 && sink.errors() == before).then_some(metric)
}

fn word(kind: RawKind) -> &'static str {
    match kind {
        RawKind::Simple => "simple",
        RawKind::Ratio => "ratio",
        RawKind::Derived => "derived",
        RawKind::Complex => "complex",
    }
}

/// The kind that the keys say, and that `type:` must agree with.
fn kind(name: &Text, raw: &RawMetric, is_flawed: bool, sink: &mut Sink) -> Option<RawKind> {
    let has_source = raw.base_table.is_some() || !raw.sources.0.is_empty();
    let said = raw.r#type.map(|word| word.value);
    let implied = if raw.numerator.is_some() || raw.denominator.is_some() {
        Some(RawKind::Ratio)
    } else if raw.snippet.is_some() {
        Some(RawKind::Complex)
    } else if raw.agg.is_some() || has_source {
        Some(RawKind::Simple)
    } else if raw.expr.is_some() {
        Some(RawKind::Derived)
    } else {
        None
    };
    if let (Some(said), Some(implied), Some(at)) = (said, implied, raw.r#type)
        && said != implied
    {
        let message = format!(
            "'{}' is said to be {}, but its keys make it {}",
            name.value,
            word(said),
            word(implied)
        );
        sink.error("metric_kind", at.place, word(said), message, None);
        return None;
    }
    let missing = match implied.or(said) {
        // Where a key did not fit, it may be the very one that is missing.
        _ if is_flawed && implied.is_none() => return None,
        None => Some(
            "says nothing of how it is computed: give base_table and agg, numerator and denominator, expr, or snippet",
        ),
        Some(RawKind::Ratio) if raw.numerator.is_none() || raw.denominator.is_none() => {
            Some("is a ratio and needs both a numerator and a denominator")
        }
        Some(RawKind::Complex) if raw.snippet.is_none() => Some("is complex and needs a snippet"),
        Some(RawKind::Derived) if raw.expr.is_none() => Some("is derived and needs an expr"),
        Some(RawKind::Simple)
            if raw.agg.is_none() && raw.sources.0.iter().any(|source| source.agg.is_none()) =>
        {
            Some("needs an agg")
        }
        Some(RawKind::Simple) if raw.agg.is_none() && raw.sources.0.is_empty() => {
            Some("needs an agg")
        }
        Some(RawKind::Simple) if !has_source => Some("needs a base_table"),
        Some(_) => None,
    };
    if let Some(missing) = missing {
        if !is_flawed {
            sink.error(
                "missing_key",
                name.place,
                &name.value,
                format!("'{}' {missing}", name.value),
                None,
            );
        }
        return None;
    }
    implied.or(said)
}

/// Reports keys that mean nothing for this kind, so that none is silently without effect.
fn check_keys(kind: RawKind, raw: &RawMetric, sink: &mut Sink) {
    let of = |text: &Option<Text>| text.as_ref().map(|text| text.place);
    let first = |texts: &[Text]| texts.first().map(|text| text.place);
    let given = [
        (
            "base_table",
            of(&raw.base_table),
            [true, true, false, false],
        ),
        (
            "sources",
            raw.sources
                .0
                .first()
                .and_then(|source| of(&source.base_table)),
            [true, true, false, false],
        ),
        ("time", of(&raw.time), [true, true, false, false]),
        (
            "agg",
            raw.agg.map(|word| word.place),
            [true, false, false, false],
        ),
        (
            "percentile",
            raw.percentile.map(|at| at.place),
            [true, false, false, false],
        ),
        ("expr", of(&raw.expr), [true, false, true, false]),
        ("filters", first(&raw.filters.0), [true, true, false, false]),
        ("snippet", of(&raw.snippet), [false, false, false, true]),
        ("tables", first(&raw.tables.0), [false, false, false, true]),
    ];
    let column = match kind {
        RawKind::Simple => 0,
        RawKind::Ratio => 1,
        RawKind::Derived => 2,
        RawKind::Complex => 3,
    };
    for (key, place, kinds) in given {
        if let Some(place) = place
            && kinds.get(column) == Some(&false)
        {
            let message = format!("'{key}' has no meaning for a {} metric", word(kind));
            sink.error("metric_kind", place, key, message, None);
        }
    }
}

fn snippet(name: &Text, snippets: &IndexMap<String, Snippet>, sink: &mut Sink) -> String {
    if !snippets.contains_key(&name.value) {
        let message = format!("there is no snippets/{}", name.value);
        let hint = did_you_mean(&name.value, snippets.keys().map(String::as_str));
        sink.error("unknown_snippet", name.place, &name.value, message, hint);
    }
    name.value.clone()
}

/// The default grouping. Its dimensions must be known to one of the metric's sources.
fn grain(
    raw: &RawMetric,
    kind: Option<&MetricKind>,
    scope: Scope,
    sink: &mut Sink,
) -> Vec<GroupBy> {
    let mut groups = Vec::new();
    for text in &raw.grain.0 {
        match text.value.parse::<GroupBy>() {
            Ok(group) => {
                let (GroupBy::Dimension(dimension)
                | GroupBy::Grain {
                    of: Some(dimension),
                    ..
                }) = &group
                else {
                    groups.push(group);
                    continue;
                };
                if let Some(kind) = kind {
                    check_dimension(dimension, text, kind.sources(), scope, sink);
                }
                groups.push(group);
            }
            Err(error) => refuse_words(text, error, sink),
        }
    }
    groups
}

/// Reports a dimension of the default grouping that no source reaches; for a derived metric, that no dataset reaches.
fn check_dimension(
    dimension: &str,
    text: &Text,
    sources: &[Source],
    scope: Scope,
    sink: &mut Sink,
) {
    let dataset = |measure: &Measure| scope.datasets.get(&measure.dataset);
    let reaches = |dataset: &Dataset| scope.reach(dataset, dimension).is_some();
    let of_source = |source: &Source| source.measures.iter().filter_map(dataset).all(reaches);
    let read: Vec<_> = match sources.last() {
        Some(_) if sources.iter().any(of_source) => return,
        Some(last) => last
            .measures
            .iter()
            .filter_map(dataset)
            .filter(|one| !reaches(one))
            .collect(),
        None if scope.datasets.values().any(reaches) => return,
        None => scope.datasets.values().collect(),
    };
    let is_broken = read
        .iter()
        .any(|dataset| scope.is_broken(dataset, dimension));
    let known = read.iter().flat_map(|dataset| scope.dimensions(dataset));
    let at = (dimension, text.place);
    let what = match (sources.last(), read.first()) {
        (Some(_), Some(dataset)) => format!("dimension of {}:", dataset.name),
        _ => "dimension".to_owned(),
    };
    scope
        .broken
        .refuse(&what, "unknown_dimension", at, is_broken, known, sink);
}

fn time_range(text: &Text, sink: &mut Sink) -> Option<TimeRange> {
    text.value
        .parse()
        .map_err(|error| refuse_words(text, error, sink))
        .ok()
}

/// Reports words that the query line's parser does not take.
fn refuse_words(text: &Text, error: QueryLineError, sink: &mut Sink) {
    let place = sink.inside(text, chars_before(&text.value, error.range.start));
    sink.error(
        "invalid_value",
        place,
        &text.value,
        error.message,
        error.hint,
    );
}
