//! A registry in dbt's latest form: semantics on models, and metrics without measures.

mod conditions;
mod metrics;
mod models;

use serde_json::{Map, Value, json};

use crate::exchange::notes::Notes;
use crate::exchange::{Export, Note, emit};
use crate::model::{Dataset, Registry};

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
    for view in registry.views.values() {
        said.notes.push(Note {
            at: registry.at(view.place),
            text: format!("the saved query {} is left out", view.name),
        });
    }
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
    let mut writer = Writer {
        registry,
        notes: Notes::default(),
    };
    let mut models = Vec::new();
    let mut across = Vec::new();
    let mut by_dataset: Vec<(&Dataset, Vec<Value>)> = registry
        .datasets
        .values()
        .map(|dataset| (dataset, Vec::new()))
        .collect();
    for metric in registry.metrics.values() {
        match writer.metric(metric) {
            Ok((Some(dataset), value)) => {
                let found = by_dataset.iter_mut().find(|(one, _)| one.name == dataset);
                if let Some((_, metrics)) = found {
                    metrics.push(value);
                }
            }
            Ok((None, value)) => across.push(value),
            Err(reason) => {
                let text = format!("the metric {} is left out: {reason}", metric.name);
                writer.notes.about(registry.at(metric.place), text);
            }
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
