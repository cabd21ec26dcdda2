//! Datasets as dbt's models, with their columns.

use serde_json::{Value, json};

use super::{Fields, Writer, entity_of, put};
use crate::model::{Dataset, Dimension, DimensionType, Format, Relation};

impl Writer<'_> {
    pub(super) fn model(&mut self, dataset: &Dataset, metrics: Vec<Value>) -> Option<Value> {
        let at = self.registry.at(dataset.place);
        let Relation::Table(table) = &dataset.relation else {
            let text = format!(
                "{} is a query and no table: make it a model of dbt",
                dataset.name
            );
            self.notes.about(at, text);
            return None;
        };
        let mut fields = Fields::new();
        let (schema, name) = match table.rsplit_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, table.as_str()),
        };
        put(&mut fields, "name", name);
        if let Some(schema) = schema {
            put(&mut fields, "config", json!({"schema": schema}));
        }
        if !dataset.description.is_empty() {
            put(&mut fields, "description", dataset.description.as_str());
        }
        put(
            &mut fields,
            "semantic_model",
            json!({"enabled": true, "name": dataset.name}),
        );
        if let Some(time) = &dataset.time {
            put(&mut fields, "agg_time_dimension", time.as_str());
        }
        let (mut columns, mut derived) = (Vec::new(), Vec::new());
        let entity = entity_of(dataset);
        match dataset.key.as_slice() {
            [] => put(&mut fields, "primary_entity", entity),
            [key] => {
                let kind = if dataset.valid.is_some() {
                    "natural"
                } else {
                    "primary"
                };
                columns.push(json!({"name": key, "entity": {"type": kind, "name": entity}}));
            }
            several => {
                put(&mut fields, "primary_entity", entity);
                let text = format!(
                    "{}: a key of {} columns is left out",
                    dataset.name,
                    several.len()
                );
                self.notes.about(at.clone(), text);
            }
        }
        for join in dataset.joins.values() {
            let text = match (join.on.as_slice(), self.registry.datasets.get(&join.to)) {
                ([(column, _)], Some(target)) => {
                    let name = entity_of(target);
                    let is_taken =
                        |known: &Value| known.pointer("/entity/name") == Some(&json!(name));
                    if columns.iter().any(is_taken) {
                        format!(
                            "the join {} is left out: dbt has one way to {name}",
                            join.name
                        )
                    } else {
                        columns.push(
                            json!({"name": column, "entity": {"type": "foreign", "name": name}}),
                        );
                        if join.name == name {
                            continue;
                        }
                        format!("what is {} here is {name} in dbt", join.name)
                    }
                }
                _ => format!("the join {} by several columns is left out", join.name),
            };
            self.notes.about(self.registry.at(join.place), text);
        }
        for dimension in dataset.dimensions.values() {
            self.losses_of(dataset, dimension);
            let own_entity = |known: &Value| {
                known.get("name")
                    == dimension
                        .column
                        .as_ref()
                        .map(|column| json!(column))
                        .as_ref()
                    && known.pointer("/entity/name") == Some(&json!(dimension.name))
            };
            if columns.iter().any(own_entity) {
                continue;
            }
            if dimension.of_metric.is_some() {
                let text = format!("{}: a metric of each row is left out", dimension.name);
                self.notes.about(self.registry.at(dimension.place), text);
                continue;
            }
            let (value, column) = dimension_of(dataset, dimension);
            match column {
                None => derived.push(value),
                Some(column) => add_column(&mut columns, &mut derived, &column, value),
            }
        }
        if !columns.is_empty() {
            put(&mut fields, "columns", columns);
        }
        if !derived.is_empty() {
            put(
                &mut fields,
                "derived_semantics",
                json!({"dimensions": derived}),
            );
        }
        if !metrics.is_empty() {
            put(&mut fields, "metrics", metrics);
        }
        Some(Value::Object(fields))
    }
}

impl Writer<'_> {
    /// What dbt has no words for.
    fn losses_of(&mut self, dataset: &Dataset, dimension: &Dimension) {
        let lost: Vec<&str> = [
            (!dimension.aliases.is_empty(), "other names"),
            (
                !dimension.value_aliases.is_empty(),
                "other names of its values",
            ),
            (dimension.format != Format::default(), "format"),
            (dimension.pii, "that it is personal"),
        ]
        .into_iter()
        .filter(|(is_lost, _)| *is_lost)
        .map(|(_, word)| word)
        .collect();
        if !lost.is_empty() {
            let (name, lost) = (&dimension.name, lost.join(", "));
            let text = format!("{}.{name}: {lost} not carried over", dataset.name);
            self.notes.about(self.registry.at(dimension.place), text);
        }
    }
}

/// Adds the dimension that a column is. A column stands there once: beside an entity, or as another dimension of it.
fn add_column(columns: &mut Vec<Value>, derived: &mut Vec<Value>, name: &str, mut value: Value) {
    let is_it = |known: &&mut Value| known.get("name") == Some(&json!(name));
    let Some(known) = columns
        .iter_mut()
        .find(is_it)
        .and_then(Value::as_object_mut)
    else {
        columns.push(value);
        return;
    };
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    let granularity = fields.remove("granularity");
    let Some(Value::Object(mut dimension)) = fields.remove("dimension") else {
        return;
    };
    if known.contains_key("dimension") {
        put(&mut dimension, "expr", name);
        dimension.extend(granularity.map(|grain| ("granularity".to_owned(), grain)));
        derived.push(Value::Object(dimension));
    } else {
        known.extend(granularity.map(|grain| ("granularity".to_owned(), grain)));
        known.insert("dimension".to_owned(), Value::Object(dimension));
    }
}

/// A dimension, and the column that it is as it stands.
fn dimension_of(dataset: &Dataset, dimension: &Dimension) -> (Value, Option<String>) {
    let mut inner = Fields::new();
    put(
        &mut inner,
        "type",
        if dimension.kind.is_time() {
            "time"
        } else {
            "categorical"
        },
    );
    put(&mut inner, "name", dimension.name.as_str());
    put(&mut inner, "label", dimension.label.as_str());
    if !dimension.description.is_empty() {
        put(&mut inner, "description", dimension.description.as_str());
    }
    if let (Some(valid), Some(column)) = (&dataset.valid, &dimension.column) {
        if valid.from == *column {
            put(&mut inner, "validity_params", json!({"is_start": true}));
        } else if valid.to == *column {
            put(&mut inner, "validity_params", json!({"is_end": true}));
        }
    }
    // What dbt calls a day is cut to it there.
    let day = dimension
        .expr
        .text
        .strip_prefix("cast(")
        .and_then(|text| text.strip_suffix(" as date)"));
    let granularity = match (dimension.time_grain, dimension.kind) {
        (Some(grain), _) => grain.word(),
        (None, DimensionType::Time) => "second",
        (None, _) => "day",
    };
    if dataset.partition.is_some() && dataset.partition == dimension.column {
        put(&mut inner, "is_partition", true);
    }
    match dimension.column.as_deref().or(day) {
        Some(column) => {
            let mut fields = Fields::new();
            put(&mut fields, "name", column);
            if dimension.kind.is_time() {
                put(&mut fields, "granularity", granularity);
            }
            put(&mut fields, "dimension", inner);
            (Value::Object(fields), Some(column.to_owned()))
        }
        None => {
            put(&mut inner, "expr", dimension.expr.text.as_str());
            if dimension.kind.is_time() {
                put(&mut inner, "granularity", granularity);
            }
            (Value::Object(inner), None)
        }
    }
}
