//! Semantic models as datasets: keys, times, dimensions and joins.

use serde_json::{Map, Value, json};

use super::links::{self, Link, Variant, column, is_column};
use super::manifest::{Dimension, Manifest, Model};
use crate::exchange::{ColumnTypes, Notes};
use crate::model::{DimensionType, Grain};

/// The datasets of a model: itself, and the same rows under each other key that is joined onto.
pub(super) fn datasets(
    manifest: &Manifest,
    model: &Model,
    types: &ColumnTypes,
    notes: &mut Notes,
) -> Vec<(String, Value)> {
    let links = links::links(manifest, model);
    let own = dataset(model, &links, types, notes);
    let mut found = vec![(model.name.clone(), own.clone())];
    for Variant { name, key, .. } in others(manifest, model) {
        let mut other = own.clone();
        if let Value::Object(fields) = &mut other {
            fields.insert("key".to_owned(), one_or_list(&key));
            fields.insert(
                "description".to_owned(),
                json!(format!(
                    "The rows of {}, found by {}.",
                    model.name,
                    key.join(" and ")
                )),
            );
        }
        found.push((name, other));
    }
    found
}

/// The keys of a model that joins land on, other than its own.
fn others(manifest: &Manifest, model: &Model) -> Vec<Variant> {
    let mut found: Vec<Variant> = Vec::new();
    for from in &manifest.models {
        for link in links::links(manifest, from) {
            if link.to == model.name && !link.dataset.is_own && !found.contains(&link.dataset) {
                found.push(link.dataset);
            }
        }
    }
    found
}

fn dataset(model: &Model, links: &[Link], types: &ColumnTypes, notes: &mut Notes) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    let computed: Vec<String> = model
        .entities
        .iter()
        .filter(|entity| !is_column(&entity.expr))
        .map(|entity| format!("({}) AS {}", entity.expr, entity.name))
        .collect();
    if computed.is_empty() {
        put("table", json!(model.table));
    } else {
        let sql = format!("SELECT *, {} FROM {}", computed.join(", "), model.table);
        put("sql", json!(sql));
    }
    if let Some(label) = &model.label {
        put("label", json!(label));
    }
    if let Some(description) = described(model.description.as_deref(), &model.name) {
        put("description", json!(description));
    }
    if let Some(entity) = model.prefix() {
        put("entity", json!(entity));
    }
    let key = links::own_key(model);
    if !key.is_empty() {
        put("key", one_or_list(&key));
    }
    match &model.agg_time {
        Some(time) if model.dimension(time).is_some_and(Dimension::is_time) => {
            put("time", json!(time));
        }
        Some(time) => notes.add(
            model.place,
            format!(
                "{}: its default time {time} is no time dimension of it, and is left out",
                model.name
            ),
        ),
        None => {}
    }
    if let Some((from, to)) = model.validity() {
        if is_column(&from.expr) && is_column(&to.expr) {
            put("valid", json!([from.expr, to.expr]));
        } else {
            notes.add(
                from.place,
                format!(
                    "{}: a time of validity that is no column is left out",
                    model.name
                ),
            );
        }
    }
    let mut partitions = model.partitions().filter(|one| is_column(&one.expr));
    if let (Some(partition), None) = (partitions.next(), partitions.next()) {
        put("partition", json!(partition.expr));
    }
    let mut dimensions = Map::new();
    for entity in &model.entities {
        if model.dimension(&entity.name).is_none() {
            let mut fields = Map::new();
            let column = column(entity);
            if column != entity.name {
                fields.insert("column".to_owned(), json!(column));
            }
            for (key, text) in [
                ("label", &entity.label),
                ("description", &entity.description),
            ] {
                if let Some(text) = text {
                    fields.insert(key.to_owned(), json!(text.trim()));
                }
            }
            if let Some(word) = types(&model.table, &column).and_then(word) {
                fields.insert("type".to_owned(), json!(word));
            }
            dimensions.insert(entity.name.clone(), Value::Object(fields));
        }
    }
    for dimension in &model.dimensions {
        dimensions.insert(
            dimension.name.clone(),
            dimension_of(model, dimension, types),
        );
    }
    if !dimensions.is_empty() {
        put("dimensions", Value::Object(dimensions));
    }
    let mut joins = Map::new();
    for link in links {
        let on = match link.on.as_slice() {
            [(here, _)] => json!(here),
            pairs => Value::Object(
                pairs
                    .iter()
                    .map(|(here, there)| (here.clone(), json!(there)))
                    .collect(),
            ),
        };
        joins.insert(
            link.name.clone(),
            json!({"to": link.dataset.name, "on": on}),
        );
    }
    if !joins.is_empty() {
        put("joins", Value::Object(joins));
    }
    Value::Object(fields)
}

fn dimension_of(model: &Model, dimension: &Dimension, types: &ColumnTypes) -> Value {
    let mut fields = Map::new();
    let known = is_column(&dimension.expr)
        .then(|| types(&model.table, &dimension.expr))
        .flatten();
    // A day is a day also where the column tells times of it apart.
    let is_day = dimension.is_time() && !dimension.is_sub_day();
    if is_day && known != Some(DimensionType::Date) {
        let expr = format!("cast({} as date)", dimension.expr);
        fields.insert("expr".to_owned(), json!(expr));
    } else if !is_column(&dimension.expr) {
        fields.insert("expr".to_owned(), json!(dimension.expr));
    } else if dimension.expr != dimension.name {
        fields.insert("column".to_owned(), json!(dimension.expr));
    }
    let kind = match (dimension.is_time(), is_day) {
        (true, true) => Some(DimensionType::Date),
        (true, false) => Some(DimensionType::Time),
        (false, _) => known.or(dimension.kind),
    };
    if let Some(word) = kind.and_then(word) {
        fields.insert("type".to_owned(), json!(word));
    }
    let grain = dimension.granularity.as_deref().and_then(Grain::from_word);
    if let Some(grain) = grain.filter(|grain| *grain != Grain::Day) {
        fields.insert("time_grain".to_owned(), json!(grain.word()));
    }
    if let Some(label) = &dimension.label {
        fields.insert("label".to_owned(), json!(label));
    }
    if let Some(description) = described(dimension.description.as_deref(), &dimension.name) {
        fields.insert("description".to_owned(), json!(description));
    }
    Value::Object(fields)
}

/// The word of a type; none for text, which everything is by default.
fn word(kind: DimensionType) -> Option<&'static str> {
    match kind {
        DimensionType::Text => None,
        DimensionType::Number => Some("number"),
        DimensionType::Boolean => Some("boolean"),
        DimensionType::Date => Some("date"),
        DimensionType::Time => Some("time"),
    }
}

/// A description that says more than the name.
pub(super) fn described<'a>(text: Option<&'a str>, name: &str) -> Option<&'a str> {
    text.map(str::trim)
        .filter(|text| !text.is_empty() && text.replace(' ', "_") != name)
}

/// One value by itself, several as a list.
pub(super) fn one_or_list(values: &[String]) -> Value {
    match values {
        [one] => json!(one),
        several => json!(several),
    }
}
