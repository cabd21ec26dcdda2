//! An Ossie document as a project: whole definitions where they are ours, else what its own words say.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{VENDOR, metric};
use crate::exchange::source::{self, Look};
use crate::exchange::{ColumnTypes, ExchangeError, Import, Notes};
use crate::model::DimensionType;
use crate::registry::yaml::Node;

/// Reads the semantic models of a file (or of the files below a folder) as a project of metrex.
///
/// # Errors
/// Nothing can be read there, or there is no semantic model in it.
pub fn import(path: &Path, types: &ColumnTypes) -> Result<Import, ExchangeError> {
    let mut notes = Notes::default();
    let documents = source::read(path, &mut notes)?;
    let models: Vec<&Node> = documents
        .iter()
        .flat_map(|document| document.items_of("semantic_model"))
        .collect();
    if models.is_empty() {
        return Err(ExchangeError::Nothing {
            path: path.display().to_string(),
            wanted: "semantic_model of Ossie",
        });
    }
    let mut import = Import::default();
    for model in models {
        let name = model.text_of("name").unwrap_or_else(|| "model".to_owned());
        let whole = ours(model);
        let section = |key: &str| match whole.as_ref().and_then(|whole| whole.get(key)) {
            Some(Value::Object(section)) => section.clone(),
            _ => Map::new(),
        };
        let mut datasets: Map<String, Value> = Map::new();
        for node in model.items_of("datasets") {
            if let Some(name) = node.text_of("name") {
                let value = ours(node).unwrap_or_else(|| dataset(node, &name, types, &mut notes));
                datasets.insert(name, value);
            }
        }
        for node in model.items_of("relationships") {
            relationship(node, &mut datasets, &mut notes);
        }
        let known: Vec<String> = datasets.keys().cloned().collect();
        let mut metrics: Map<String, Value> = Map::new();
        for node in model.items_of("metrics") {
            let Some(name) = node.text_of("name") else {
                continue;
            };
            if let Some(own) = ours(node) {
                metrics.insert(name, own);
                continue;
            }
            let sql = expression(node).unwrap_or_default();
            match metric::read(&name, &sql, &known) {
                Ok(found) => {
                    for (part, mut value) in found {
                        if part == name {
                            describe(node, &mut value);
                        }
                        metrics.insert(part, value);
                    }
                }
                Err(reason) => notes.add(
                    node.place(),
                    format!("the metric {name} is left out: {reason}"),
                ),
            }
        }
        import.add_snippets(&section("snippets"));
        import.add_file(&name, datasets, metrics, section("views"));
        for key in ["rollups", "hypotheses", "alerts"] {
            import.add_section(&name, key, section(key));
        }
        if let Some(whole) = &whole {
            import.calendar = whole.get("calendar").cloned().or(import.calendar);
            import.set_conventions(whole.get("conventions").and_then(Value::as_str));
        }
    }
    import.notes = notes.into_list();
    Ok(import)
}

/// The definition under our name in `custom_extensions`.
fn ours(node: &Node) -> Option<Value> {
    let extensions = node.items_of("custom_extensions").into_iter();
    let data = extensions
        .filter(|node| node.text_of("vendor_name").as_deref() == Some(VENDOR))
        .find_map(|node| node.get("data")?.text().map(str::to_owned))?;
    serde_json::from_str(&data).ok()
}

/// The expression in standard SQL, else the first there is.
fn expression(node: &Node) -> Option<String> {
    let dialects = node.path(&["expression", "dialects"])?.items();
    let is_standard = |node: &&&Node| node.text_of("dialect").as_deref() == Some("ANSI_SQL");
    let found = dialects.iter().find(is_standard).or(dialects.first())?;
    found.text_of("expression")
}

fn describe(node: &Node, value: &mut Value) {
    let Value::Object(fields) = value else {
        return;
    };
    if let Some(description) = node.text_of("description") {
        fields.insert("description".to_owned(), json!(description));
    }
    let synonyms = node.path(&["ai_context", "synonyms"]);
    let synonyms: Vec<&str> = synonyms
        .map(Look::items)
        .unwrap_or_default()
        .into_iter()
        .filter_map(Look::text)
        .collect();
    if !synonyms.is_empty() {
        fields.insert("synonyms".to_owned(), json!(synonyms));
    }
}

fn dataset(node: &Node, name: &str, types: &ColumnTypes, notes: &mut Notes) -> Value {
    let mut fields = Map::new();
    let source = node.text_of("source").unwrap_or_else(|| name.to_owned());
    if source.trim_start().to_lowercase().starts_with("select ") {
        fields.insert("sql".to_owned(), json!(source));
    } else {
        // The database is the connection's.
        let parts: Vec<&str> = source.split('.').collect();
        let table = match parts.as_slice() {
            [_, schema, table] => format!("{schema}.{table}"),
            _ => source.clone(),
        };
        fields.insert("table".to_owned(), json!(table));
    }
    let key: Vec<&str> = node
        .items_of("primary_key")
        .into_iter()
        .filter_map(Look::text)
        .collect();
    if !key.is_empty() {
        fields.insert("key".to_owned(), json!(key));
    }
    for unique in node.items_of("unique_keys") {
        notes.add(
            unique.place(),
            format!("{name}: a key beside the primary one is not carried over"),
        );
    }
    let mut dimensions = Map::new();
    let mut first_time = None;
    for node in node.items_of("fields") {
        let Some(field) = node.text_of("name") else {
            continue;
        };
        let sql = expression(node).unwrap_or_else(|| field.clone());
        let mut value = json!({});
        let is_time = node.get("dimension").is_some_and(|node| node.is("is_time"));
        if let Value::Object(fields) = &mut value {
            if sql != field {
                fields.insert("expr".to_owned(), json!(sql));
            }
            let known = types(&source, &sql).filter(|kind| kind.is_time() == is_time);
            let kind = known.or(is_time.then_some(DimensionType::Time));
            if let Some(kind) = kind.filter(|kind| *kind != DimensionType::Text) {
                let word = serde_json::to_value(kind).unwrap_or_default();
                fields.insert("type".to_owned(), word);
            }
        }
        describe(node, &mut value);
        if is_time && first_time.is_none() {
            first_time = Some(field.clone());
        }
        dimensions.insert(field, value);
    }
    if let Some(time) = first_time {
        notes.add(
            node.place(),
            format!("{name}: Ossie names no default time; {time} is taken, the first there is"),
        );
        fields.insert("time".to_owned(), json!(time));
    }
    fields.insert("dimensions".to_owned(), Value::Object(dimensions));
    let mut value = Value::Object(fields);
    describe(node, &mut value);
    if let Value::Object(fields) = &mut value {
        fields.shift_remove("synonyms");
    }
    value
}

fn relationship(node: &Node, datasets: &mut Map<String, Value>, notes: &mut Notes) {
    let (Some(from), Some(to)) = (node.text_of("from"), node.text_of("to")) else {
        return notes.add(
            node.place(),
            "a relationship without both its ends is left out",
        );
    };
    let columns = |key: &str| {
        let nodes = node.items_of(key).into_iter();
        nodes
            .filter_map(Look::text)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let on: Map<String, Value> = columns("from_columns")
        .into_iter()
        .zip(columns("to_columns").into_iter().map(Value::from))
        .collect();
    let Some(Value::Object(dataset)) = datasets.get_mut(&from) else {
        return notes.add(node.place(), format!("there is no dataset {from}"));
    };
    let joins = dataset.entry("joins").or_insert_with(|| json!({}));
    let Value::Object(joins) = joins else { return };
    let join = json!({"to": to, "on": on});
    // A definition of ours has the join already, under the name of its role.
    let is_known = joins.values().any(|known| *known == join);
    if !is_known {
        let taken = joins.contains_key(&to);
        let name = if taken {
            node.text_of("name").unwrap_or_else(|| to.clone())
        } else {
            to
        };
        joins.insert(name, join);
    }
}
