//! A registry in dbt's latest form: semantics on models, and metrics without measures.

mod conditions;
mod metrics;
mod models;
mod names;

pub use names::{is_template, plain};

use serde_json::{Map, Value, json};

use crate::exchange::notes::Notes;
use crate::exchange::{Export, Note, emit};
use crate::model::{Dataset, Metric, Registry};

/// The definitions of a registry in dbt's words.
#[derive(Debug)]
pub struct Semantics {
    /// What is said of each model, with the metrics that stand on it alone; calendars too.
    pub models: Vec<Value>,
    /// Metrics over several models.
    pub metrics: Vec<Value>,
    /// What dbt has no words for.
    pub notes: Vec<Note>,
}

/// The models of a registry and its metrics over several of them, as a file.
pub fn export(registry: &Registry) -> Export {
    let mut said = semantics(registry);
    let mut beside = Notes::default();
    beside.beside(registry);
    said.notes.extend(beside.into_list());
    let mut document = Map::new();
    document.insert("models".to_owned(), json!(said.models));
    if !said.metrics.is_empty() {
        document.insert("metrics".to_owned(), json!(said.metrics));
    }
    Export {
        files: vec![("semantic_models.yml".to_owned(), emit::document(&document))],
        notes: said.notes,
    }
}

/// The models of a registry, and its metrics over several of them.
pub fn semantics(registry: &Registry) -> Semantics {
    let mut notes = Notes::default();
    let registry = &names::sayable(registry, &mut notes);
    let mut writer = Writer { registry, notes };
    let mut models = Vec::new();
    let mut across = Vec::new();
    let mut by_dataset: Vec<(&Dataset, Vec<Value>)> = registry
        .datasets
        .values()
        .map(|dataset| (dataset, Vec::new()))
        .collect();
    let mut written = Vec::new();
    let mut left_out = Vec::new();
    for metric in registry.metrics.values() {
        match writer.metric(metric) {
            Ok((dataset, value)) => written.push((metric, dataset, value)),
            Err(reason) => left_out.push((metric, reason)),
        }
    }
    // What is made of something that is left out is left out too.
    loop {
        let missing = |metric: &Metric| {
            let mut inputs = metric.kind.inputs().into_iter();
            let input = inputs.find(|input| left_out.iter().any(|(out, _)| out.name == **input))?;
            Some(input.to_owned())
        };
        let mut all = written.iter().enumerate();
        let found = all.find_map(|(at, (metric, ..))| Some((at, missing(metric)?)));
        let Some((at, input)) = found else {
            break;
        };
        let (metric, ..) = written.remove(at);
        left_out.push((metric, format!("it is made of {input}, which is left out")));
    }
    for (metric, reason) in left_out {
        let text = format!("the metric {} is left out: {reason}", metric.name);
        writer.notes.about(registry.at(metric.place), text);
    }
    for (metric, dataset, value) in written {
        writer.losses(metric);
        let mut datasets = by_dataset.iter_mut();
        match datasets.find(|(one, _)| Some(&one.name) == dataset.as_ref()) {
            Some((_, metrics)) => metrics.push(value),
            None => across.push(value),
        }
    }
    without_inputs(&mut writer, &by_dataset, &mut across);
    for (dataset, metrics) in by_dataset {
        models.extend(writer.model(dataset, metrics));
    }
    if let Some(table) = &registry.calendar.table {
        let periods = table
            .periods
            .values()
            .map(|period| json!({"name": period.name, "column_name": period.column}));
        models.push(json!({
            "name": table.table,
            "time_spine": {
                "standard_granularity_column": table.date,
                "custom_granularities": periods.collect::<Vec<_>>(),
            },
            "columns": [{"name": table.date, "granularity": "day"}],
        }));
    }
    for spine in &registry.calendar.spines {
        models.push(json!({
            "name": spine.table,
            "time_spine": {"standard_granularity_column": spine.column},
            "columns": [{"name": spine.column, "granularity": spine.grain.word()}],
        }));
    }
    Semantics {
        models,
        metrics: across,
        notes: writer.notes.into_list(),
    }
}

/// Leaves out what is made of a metric that is left out.
fn without_inputs(
    writer: &mut Writer<'_>,
    by_dataset: &[(&Dataset, Vec<Value>)],
    across: &mut Vec<Value>,
) {
    let simple = by_dataset.iter().flat_map(|(_, metrics)| metrics);
    let name = |metric: &Value| metric.get("name").cloned().unwrap_or_default();
    let simple: Vec<Value> = simple.map(name).collect();
    loop {
        let mut known = simple.clone();
        known.extend(across.iter().map(name));
        let missing = |metric: &Value| {
            let keys = [
                "numerator",
                "denominator",
                "input_metric",
                "base_metric",
                "conversion_metric",
            ];
            let single = keys.into_iter().filter_map(|key| metric.get(key));
            let several = metric.get("input_metrics").and_then(Value::as_array);
            let several = several
                .into_iter()
                .flatten()
                .filter_map(|input| input.get("name"));
            single
                .chain(several)
                .find(|name| !known.contains(name))
                .cloned()
        };
        let found = across.iter().enumerate();
        let mut found = found.filter_map(|(at, metric)| Some((at, missing(metric)?)));
        let Some((at, input)) = found.next() else {
            return;
        };
        let metric = name(&across.remove(at));
        let metric = metric.as_str().unwrap_or_default();
        let input = input.as_str().unwrap_or_default();
        let place = writer.registry.metric(metric).map(|metric| metric.place);
        let at = writer.registry.at(place.unwrap_or_default());
        let text = format!("the metric {metric} is left out: {input}, which it is made of, is");
        writer.notes.about(at, text);
    }
}

struct Writer<'a> {
    registry: &'a Registry,
    notes: Notes,
}

type Fields = Map<String, Value>;

fn put(fields: &mut Fields, key: &str, value: impl Into<Value>) {
    fields.insert(key.to_owned(), value.into());
}

/// What dbt calls a row of a dataset.
fn entity_of(dataset: &Dataset) -> &str {
    dataset.entity.as_deref().unwrap_or(&dataset.name)
}
