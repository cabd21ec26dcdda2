//! dbt's semantic layer: its files and manifests in, its latest form out.

mod condition;
mod datasets;
mod export;
mod latest;
mod links;
mod manifest;
mod metrics;
mod read;
mod views;

pub use export::{Semantics, export, is_template, plain, semantics};

use std::path::Path;

use serde_json::{Map, Value, json};

use super::notes::Notes;
use super::{ColumnTypes, ExchangeError, Import, source};
use crate::model::{DimensionType, Grain};
use links::name_for;
use manifest::{Kind, Manifest};

/// Reads dbt's definitions below a folder (or in one file) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or nothing of a semantic layer is in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let documents = source::read(path, &mut notes)?;
    let mut manifest = read::manifest(&documents, &mut notes);
    if manifest.models.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "semantic models",
        });
    }
    infer_types(&mut manifest);
    let mut import = Import::new("metricflow");
    let mut written = metrics::metrics(&manifest, &mut notes);
    for model in &manifest.models {
        let datasets = datasets::datasets(&manifest, model, types, &mut notes);
        let mut own = Map::new();
        written.retain(|metric| {
            let is_own = metric.dataset.as_ref() == Some(&model.name);
            if is_own {
                own.insert(metric.name.clone(), metric.value.clone());
            }
            !is_own
        });
        import.add_file(&model.name, datasets.into_iter().collect(), own, Map::new());
    }
    let across = written
        .into_iter()
        .map(|metric| (metric.name, metric.value))
        .collect();
    let views = views::views(&manifest, &mut notes).into_iter().collect();
    import.add_file("across", Map::new(), across, views);
    import.calendar = calendar(&manifest, &mut notes);
    import.notes = notes.into_list();
    Ok(import)
}

/// The calendar table that the spine of days is, with its periods, and the spines of grains below a day.
fn calendar(manifest: &Manifest, notes: &mut Notes) -> Option<Value> {
    let by_day = manifest
        .spines
        .iter()
        .filter(|spine| spine.granularity == "day");
    let spine = by_day.max_by_key(|spine| spine.periods.len());
    for other in &manifest.spines {
        if !other.periods.is_empty() && spine.is_none_or(|spine| spine.table != other.table) {
            let text = format!(
                "the custom granularities of {} are left out: one table of days has them all",
                other.table
            );
            notes.add(other.place, text);
        }
    }
    let mut calendar = Map::new();
    if let Some(spine) = spine {
        calendar.insert("table".to_owned(), json!(spine.table));
        calendar.insert("date".to_owned(), json!(spine.column));
        let periods = spine.periods.iter();
        let periods: Map<String, Value> = periods
            .map(|(name, column)| (name.clone(), json!(column)))
            .collect();
        if !periods.is_empty() {
            calendar.insert("periods".to_owned(), Value::Object(periods));
        }
    }
    let mut spines = Map::new();
    for spine in &manifest.spines {
        match Grain::from_word(&spine.granularity) {
            Some(grain) if grain.is_sub_day() => {
                let table = json!({"table": spine.table, "column": spine.column});
                spines.insert(grain.word().to_owned(), table);
            }
            Some(_) => {}
            None => {
                let text = format!(
                    "the time spine {} is left out: {} is finer than any grain of metrex",
                    spine.table, spine.granularity
                );
                notes.add(spine.place, text);
            }
        }
    }
    if !spines.is_empty() {
        calendar.insert("spines".to_owned(), Value::Object(spines));
    }
    (!calendar.is_empty()).then_some(Value::Object(calendar))
}

/// What the manifest shows of its dimensions' values: compared with numbers, or true by themselves.
fn infer_types(manifest: &mut Manifest) {
    let mut shown: Vec<(String, String, DimensionType)> = Vec::new();
    let mut texts: Vec<&String> = Vec::new();
    for metric in &manifest.metrics {
        texts.extend(&metric.filters);
        let inputs: Vec<&manifest::Use> = match &metric.kind {
            Kind::Simple(used) => vec![used],
            Kind::Ratio(numerator, denominator) => vec![numerator, denominator],
            Kind::Derived { inputs, .. } => inputs.iter().collect(),
            Kind::Cumulative { input, .. } => vec![input.used()],
            Kind::Conversion {
                base, conversion, ..
            } => vec![base.used(), conversion.used()],
        };
        texts.extend(inputs.into_iter().flat_map(|used| &used.filters));
    }
    texts.extend(
        manifest
            .saved_queries
            .iter()
            .flat_map(|saved| &saved.filters),
    );
    for (path, kind) in texts
        .into_iter()
        .flat_map(|condition| condition::shown_types(condition))
    {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some((name, entities)) = words.split_last() else {
            continue;
        };
        // The last entity says which model has it.
        for model in &manifest.models {
            let is_of = entities.last().is_none_or(|entity| {
                model.prefix() == Some(entity) || model.entity(entity).is_some()
            });
            if is_of && name_for(manifest, model, &[name]).is_some() {
                shown.push((model.name.clone(), (*name).to_owned(), kind));
            }
        }
    }
    for measure in &manifest.measures {
        if measure.agg == "sum_boolean"
            && let Some(column) = &measure.expr
        {
            shown.push((
                measure.model.clone(),
                column.clone(),
                DimensionType::Boolean,
            ));
        }
    }
    for model in &mut manifest.models {
        for dimension in &mut model.dimensions {
            let of = |(model_name, name, _): &&(String, String, DimensionType)| {
                *model_name == model.name && (*name == dimension.name || *name == dimension.expr)
            };
            dimension.kind = shown.iter().find(of).map(|(_, _, kind)| *kind);
        }
    }
}
