//! From the text of a reply to the shape it must have; a fenced block is accepted, anything else is an error.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::data::harmless;
use crate::llm::Schema;

/// Longest reply that is read, in bytes.
const LONGEST: usize = 64 << 10;
/// Longest complaint about a reply, in characters.
const COMPLAINT: usize = 300;

/// Reads a reply.
///
/// # Errors
/// What is wrong with it, in words for the model.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {} KB", LONGEST >> 10));
    }
    serde_json::from_str(unfenced(text)).map_err(|error| {
        let error = harmless(&error.to_string(), COMPLAINT);
        format!("it is not the JSON that was asked for: {error}")
    })
}

/// What stands between the first fence and the last one, where there are any.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some((_, after)) = text.split_once("```") else {
        return text;
    };
    let inside = after.rsplit_once("```").map_or(after, |(inside, _)| inside);
    // The word after a fence names the language.
    inside
        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .trim()
}

/// The JSON schema of `T`, with what providers refuse taken out: formats, bounds, defaults, titles.
pub(super) fn schema<T: JsonSchema>(name: &str) -> Schema {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut json = generator.into_root_schema_for::<T>().to_value();
    simplify(&mut json);
    Schema {
        name: name.to_owned(),
        json,
    }
}

fn simplify(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for key in [
                "$schema", "default", "format", "maximum", "minimum", "title",
            ] {
                // A property may have one of these names.
                if map.get(key).is_some_and(|value| !value.is_object()) {
                    map.shift_remove(key);
                }
            }
            map.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}
