//! Builds metrics: kind, metadata and defaults. What is made of other metrics is settled in [`super::composed`].

use super::conversion::conversion;
use super::cumulative::{cumulative, takes_window};
use super::dataset::format;
use super::diagnostic::{Sink, did_you_mean};
use super::kind::{Form, form};
use super::length::is_length;
use super::life;
use super::measure::sources;
use super::raw::RawMetric;
use super::read::{At, Entry};
use super::scope::Scope;
use super::words::{chars_before, check_name, text, texts};
use super::yaml::Text;
use crate::model::{
    Calendar, Dataset, Expression, Facets, GroupBy, Measure, Metric, MetricKind, QueryLineError,
    Snippet, Source, TimeRange,
};
use indexmap::IndexMap;
use std::collections::HashMap;

/// What metrics are built from beside their own keys.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) snippets: &'a IndexMap<String, Snippet>,
    pub(crate) facets: &'a HashMap<String, Facets>,
    pub(crate) calendar: &'a Calendar,
}

/// The metric an entry describes; `None` where something is wrong with it. What it takes other metrics for is settled in
/// [`super::composed`], its tests are built in [`super::metric_tests`].
pub(crate) fn metric(
    entry: &Entry<RawMetric>,
    context: Context,
    sink: &mut Sink,
) -> Option<Metric> {
    let (name, raw) = (&entry.name, entry.value.as_ref()?);
    let before = sink.errors();
    check_name("metric", name, sink);
    let form = form(name, raw, entry.errors > 0, sink);
    let kind = form.and_then(|form| kind(name, raw, form, context, sink));
    let is_taken = matches!(
        form,
        Some(Form::Cumulative | Form::CumulativeRatio | Form::CumulativeOf)
    ) && takes_window(raw);
    let grain = grain(raw, kind.as_ref(), context, sink);
    let window = raw.window.as_ref().filter(|_| form.is_some() && !is_taken);
    let window = window.and_then(|window| time_range(window, sink));
    let fills = [("fill", raw.fill), ("fill_nulls_with", raw.fill_nulls_with)];
    let every = [
        ("every_period", raw.every_period),
        ("join_to_timespine", raw.join_to_timespine),
    ];
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
        successor: None,
        history: life::history(&raw.history, sink),
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
        fill: either(fills, sink),
        every_period: either(every, sink).unwrap_or_default(),
        time_grain: raw.time_grain.map(|word| word.value),
        tests: Vec::new(),
    };
    (entry.errors == 0 && sink.errors() == before).then_some(metric)
}

/// What the metric is. What it takes other metrics for is still as written.
fn kind(
    name: &Text,
    raw: &RawMetric,
    form: Form,
    context: Context,
    sink: &mut Sink,
) -> Option<MetricKind> {
    let scope = context.scope;
    Some(match form {
        Form::Simple => MetricKind::Simple(sources(name, raw, scope, sink)?),
        Form::Ratio => MetricKind::Ratio(sources(name, raw, scope, sink)?),
        Form::Derived | Form::RatioOfMetrics => MetricKind::Derived {
            expr: Expression::default(),
            inputs: Vec::new(),
        },
        Form::Cumulative | Form::CumulativeRatio => {
            let sources = sources(name, raw, scope, sink);
            let accumulated = cumulative(
                name,
                raw,
                sources.clone().unwrap_or_default(),
                context.calendar.table.as_ref(),
                sink,
            );
            sources
                .and(accumulated)
                .map(|kind| MetricKind::Cumulative(Box::new(kind)))?
        }
        Form::CumulativeOf => MetricKind::Cumulative(Box::new(cumulative(
            name,
            raw,
            Vec::new(),
            context.calendar.table.as_ref(),
            sink,
        )?)),
        Form::Conversion => MetricKind::Conversion(Box::new(conversion(raw, sink)?)),
        Form::Complex => {
            let snippet = snippet(raw.snippet.as_ref()?, context.snippets, sink);
            MetricKind::Complex {
                facets: context.facets.get(&snippet).cloned().map(Box::new),
                snippet,
                tables: texts(&raw.tables),
            }
        }
    })
}

/// One of two keys that mean the same.
fn either<T: Copy>(
    [(key, one), (other_key, other)]: [(&str, Option<At<T>>); 2],
    sink: &mut Sink,
) -> Option<T> {
    if let (Some(_), Some(twice)) = (one, other) {
        let message = format!("'{key}' and '{other_key}' mean the same");
        let hint = Some("keep one of them".to_owned());
        sink.error("invalid_value", twice.place, other_key, message, hint);
    }
    one.or(other).map(|at| at.value)
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
    context: Context,
    sink: &mut Sink,
) -> Vec<GroupBy> {
    let is_period = |name: &str| {
        let mut tables = context.calendar.table.iter();
        tables.any(|table| table.named(name).is_some())
    };
    let mut groups = Vec::new();
    for text in &raw.grain.0 {
        match text.value.parse::<GroupBy>() {
            Ok(group) => {
                if let (Some(dimension), Some(kind)) = (group.dimension(), kind)
                    && !is_period(dimension)
                {
                    check_dimension(dimension, text, kind.sources(), context.scope, sink);
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
    if is_length(text) {
        let length = text.value.trim();
        let message = format!("'{length}' is a length and no time range");
        let hint = format!(
            "write last {length} for the default time range, or cumulative: {{window: {length}}}"
        );
        sink.error(
            "invalid_value",
            text.place,
            &text.value,
            message,
            Some(hint),
        );
        return None;
    }
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
