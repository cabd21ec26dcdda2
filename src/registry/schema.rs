//! The JSON Schema of registry files, from the same types that read them, for editors.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::raw::{RawFacets, RawFile, RawMetric};
use super::read::Named;

/// JSON Schema (draft 2020-12) of a file in `metrics/`: the sections, or the flat form, a map of metrics. `$defs/Facets` is
/// the schema of what stands below `facets:` in the header of a snippet.
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let sections = generator.subschema_for::<RawFile>();
    let _ = generator.subschema_for::<RawFacets>();
    let flat = generator.subschema_for::<Named<RawMetric>>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metrex registry file",
        "anyOf": [sections, flat],
        "$defs": generator.take_definitions(true),
    })
}
