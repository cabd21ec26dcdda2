//! What dbt's semantic layer has no names for is left out, and no text of people is a template to it.

use std::collections::BTreeSet;

use crate::exchange::notes::Notes;
use crate::model::{Metric, MetricKind, Registry};

/// The registry without what dbt would refuse.
pub(super) fn sayable(registry: &Registry, notes: &mut Notes) -> Registry {
    let mut registry = registry.clone();
    let original = registry.clone();
    let mut left_out = |place, text: String| notes.about(original.at(place), text);
    // Dimensions, by dataset and name.
    let mut gone: BTreeSet<(String, String)> = BTreeSet::new();
    for dataset in registry.datasets.values_mut() {
        dataset.dimensions.retain(|name, dimension| {
            let why = match is_name(name) {
                true => {
                    is_template(&dimension.expr.text).then_some("dbt takes its SQL for a template")
                }
                false => Some(NAMES),
            };
            let Some(why) = why else {
                return true;
            };
            left_out(
                dimension.place,
                format!(
                    "the dimension {name} of {} is left out: {why}",
                    dataset.name
                ),
            );
            gone.insert((dataset.name.clone(), name.clone()));
            false
        });
        dataset.description = plain(&dataset.description);
        dataset.label = plain(&dataset.label);
        for dimension in dataset.dimensions.values_mut() {
            dimension.description = plain(&dimension.description);
            dimension.label = plain(&dimension.label);
        }
    }
    registry.datasets.retain(|name, dataset| {
        let time = dataset.time.clone();
        let has_time = time.is_none_or(|time| !gone.contains(&(name.clone(), time)));
        let is_kept = is_name(name) && is_name(super::entity_of(dataset)) && has_time;
        if !is_kept {
            let text = format!("the dataset {name} is left out: {NAMES}");
            left_out(dataset.place, text);
        }
        is_kept
    });
    let datasets: BTreeSet<String> = registry.datasets.keys().cloned().collect();
    for dataset in registry.datasets.values_mut() {
        dataset.joins.retain(|_, join| datasets.contains(&join.to));
    }
    registry.metrics.retain(|name, metric| {
        let why = match is_name(name) {
            true => unsayable(metric, &datasets, &gone),
            false => Some(NAMES.to_owned()),
        };
        if let Some(why) = &why {
            let text = format!("the metric {name} is left out: {why}");
            left_out(metric.place, text);
        }
        why.is_none()
    });
    for metric in registry.metrics.values_mut() {
        metric.description = plain(&metric.description);
        metric.label = plain(&metric.label);
    }
    registry
}

const NAMES: &str = "names in dbt's semantic layer are of lower-case letters, digits and single _";

/// Why a metric cannot be said.
fn unsayable(
    metric: &Metric,
    datasets: &BTreeSet<String>,
    gone: &BTreeSet<(String, String)>,
) -> Option<String> {
    let sources = metric.kind.sources().iter();
    let measures: Vec<_> = sources.flat_map(|source| &source.measures).collect();
    let inputs = match &metric.kind {
        MetricKind::Derived { inputs, .. } => inputs.as_slice(),
        _ => &[],
    };
    let conditions = inputs.iter().flat_map(|input| &input.filters);
    let filters = measures.iter().flat_map(|measure| &measure.filters);
    let filters: Vec<&str> = filters
        .chain(conditions)
        .map(|one| one.text.as_str())
        .collect();
    let exprs = measures.iter().filter_map(|measure| measure.expr.as_ref());
    let mut texts = exprs
        .map(|one| one.text.as_str())
        .chain(filters.iter().copied());
    if texts.any(is_template) {
        return Some("dbt takes its SQL for a template".to_owned());
    }
    let missing = |measure: &&&crate::model::Measure| !datasets.contains(&measure.dataset);
    if let Some(measure) = measures.iter().find(missing) {
        return Some(format!("the dataset {} is", measure.dataset));
    }
    let mut used = gone.iter().filter(|(dataset, name)| {
        let is_time = |time: &String| time == name;
        let own = measures
            .iter()
            .filter(|measure| measure.dataset == *dataset);
        own.filter_map(|measure| measure.time.as_ref()).any(is_time)
            || filters.iter().any(|filter| names(filter, name))
    });
    used.next()
        .map(|(_, name)| format!("the dimension {name} is"))
}

/// Whether SQL has a name in it; rather once too often.
fn names(sql: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    match name.chars().all(is_part) {
        true => sql.split(|c| !is_part(c)).any(|word| word == name),
        false => sql.contains(name),
    }
}

/// Whether dbt's semantic layer takes a name.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_plain)
        && !name.ends_with('_')
        && !name.contains("__")
}

/// A text in which dbt sees no template.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '{' | '%' | '#') && out.ends_with('{') {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// Whether dbt would take a part of a text for a template.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark))
}
