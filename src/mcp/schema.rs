//! JSON Schemas of arguments and replies, from their types: self-contained, without references.

use rmcp::model::JsonObject;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// What a tool accepts. An argument that may be left out may also be null, which need not be said.
pub(super) fn input<T: JsonSchema>() -> JsonObject {
    object::<T>(settings(), |schema| {
        tidy(schema);
        schema.remove("default");
        without_null(schema);
    })
}

/// What a tool returns.
pub(super) fn output<T: JsonSchema>() -> JsonObject {
    object::<T>(settings().for_serialize(), tidy)
}

/// The names of a tool's arguments.
pub(super) fn argument_names<T: JsonSchema>() -> Vec<String> {
    let schema = input::<T>();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    })
}

fn object<T: JsonSchema>(settings: SchemaSettings, change: fn(&mut Schema)) -> JsonObject {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(change).transform(&mut schema);
    // The type's name and comment are for readers of the code.
    schema.remove("title");
    schema.remove("description");
    match schema.to_value() {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// Formats such as `uint64` are schemars' own, and strict validators stumble over them; a comment's lines are one text.
fn tidy(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type").is_none_or(|one| one != "null"));
        if let [Value::Object(one)] = branches.as_slice() {
            let one = one.clone();
            schema.remove("anyOf");
            for (key, value) in one {
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
}
