//! The JSON Schema that editors use and the reader of registry files agree.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use metrex::model::Dialect;
use metrex::registry::{Config, Project, ProjectFile, ProjectFiles, json_schema, load};
use serde_json::Value;

/// The keys of a type in the schema.
fn keys(name: &str) -> Vec<String> {
    let schema = json_schema();
    let properties = schema["$defs"][name]["properties"].as_object().expect(name);
    properties.keys().cloned().collect()
}

fn unknown_keys(text: &str) -> Vec<String> {
    let file = |path: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = if text.starts_with("--") {
        ProjectFiles {
            snippets: vec![file("snippets/a.sql")],
            ..ProjectFiles::default()
        }
    } else {
        ProjectFiles {
            metrics: vec![file("metrics/a.yaml")],
            ..ProjectFiles::default()
        }
    };
    let diagnostics = load(&files, &Config::default(), None).diagnostics;
    diagnostics
        .into_iter()
        .filter(|one| one.code == "unknown_key")
        .map(|one| one.found)
        .collect()
}

/// Whether a value fits a schema, in the part of JSON Schema that ours uses.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    if let Some(path) = schema["$ref"].as_str() {
        return fits(
            value,
            root.pointer(path.trim_start_matches('#')).unwrap(),
            root,
        );
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(options) = schema[key].as_array() {
            let errors: Vec<_> = options
                .iter()
                .map(|option| fits(value, option, root))
                .collect();
            if errors.iter().all(Result::is_err) {
                let deepest = errors
                    .into_iter()
                    .filter_map(Result::err)
                    .max_by_key(String::len);
                return Err(deepest.unwrap());
            }
        }
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        return Err(format!("{value} is not {constant}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{value} is not one of {words:?}"));
    }
    let word = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        _ => vec![],
    };
    let fits_type = allowed.is_empty()
        || allowed.contains(&word)
        || (word == "integer" && allowed.contains(&"number"));
    if !fits_type {
        return Err(format!("{value} is not {allowed:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        if let Some(items) = schema.get("items") {
            fits(item, items, root)?;
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        match (
            schema["properties"].get(key),
            schema.get("additionalProperties"),
        ) {
            (Some(property), _) => {
                fits(inner, property, root).map_err(|error| format!("{key}: {error}"))?
            }
            (None, Some(Value::Bool(false))) => return Err(format!("unknown key {key}")),
            (None, Some(other)) => {
                fits(inner, other, root).map_err(|error| format!("{key}: {error}"))?
            }
            (None, None) => {}
        }
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
            return Err(format!("{key} is missing"));
        }
    }
    Ok(())
}

#[test]
fn the_demo_is_valid_and_a_misspelt_key_is_not() {
    let schema = json_schema();
    let files = Project::demo().unwrap().files();
    assert!(!files.metrics.is_empty());
    for file in &files.metrics {
        let value: Value = serde_yaml::from_str(&file.text).unwrap();
        fits(&value, &schema, &schema).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    }
    for text in [
        "gmv: {base_table: orders, agregate: sum}",
        "metrics: {gmv: {base_table: orders, agg: total}}",
        "datasets: {d: {table: d, joins: {u: {to: users}}}}",
        "datasets: {d: {table: [d]}}",
    ] {
        let value: Value = serde_yaml::from_str(text).unwrap();
        assert!(fits(&value, &schema, &schema).is_err(), "{text}");
    }
}

#[test]
fn the_reader_knows_exactly_the_keys_of_the_schema() {
    let places = [
        ("File", "KEY"),
        ("Dataset", "datasets: {d: KEY}"),
        (
            "Dimension",
            "datasets: {d: {table: d, dimensions: {x: KEY}}}",
        ),
        ("Join", "datasets: {d: {table: d, joins: {x: KEY}}}"),
        ("Metric", "metrics: {m: KEY}"),
        ("Measure", "metrics: {m: {numerator: KEY}}"),
        ("Source", "metrics: {m: {sources: [KEY]}}"),
        ("Expression", "metrics: {m: {expr: KEY}}"),
        ("OverTime", "metrics: {m: {over_time: KEY}}"),
        ("Input", "metrics: {m: {inputs: {i: KEY}}}"),
        ("Offset", "metrics: {m: {inputs: {i: {offset: KEY}}}}"),
        ("Cumulative", "metrics: {m: {cumulative: KEY}}"),
        ("Format", "metrics: {m: {format: KEY}}"),
        ("Test", "metrics: {m: {tests: [KEY]}}"),
        ("Event", "metrics: {m: {history: [KEY]}}"),
        ("View", "views: {v: KEY}"),
        ("Calendar", "calendar: KEY"),
        ("Period", "calendar: {periods: {p: KEY}}"),
        ("Spine", "calendar: {spines: {hour: KEY}}"),
        ("Rollup", "rollups: {r: KEY}"),
        ("CanonicalDataset", "canonical_datasets: {c: KEY}"),
        ("Sla", "canonical_datasets: {c: {sla: KEY}}"),
        (
            "Attribute",
            "canonical_datasets: {c: {attributes: {a: KEY}}}",
        ),
        ("Lineage", "canonical_datasets: {c: {lineage: KEY}}"),
        ("Analysis", "analyses: {a: KEY}"),
        ("Hypothesis", "hypotheses: {h: KEY}"),
        ("Alert", "alerts: {a: KEY}"),
        ("Facets", "-- facets:\n--   KEY"),
        ("FacetTime", "-- facets:\n--   {time: KEY}"),
        ("FacetValue", "-- facets:\n--   {value: KEY}"),
    ];
    for (name, place) in places {
        let keys = keys(name);
        let all: Vec<_> = keys.iter().map(|key| format!("{key}: ")).collect();
        let text = place.replace("KEY", &format!("{{{}, xyz: }}", all.join(", ")));
        assert_eq!(unknown_keys(&text), ["xyz"], "{name}");
    }
    let types = json_schema()["$defs"].as_object().unwrap().clone();
    let objects = types
        .iter()
        .filter(|(_, schema)| schema.get("properties").is_some());
    assert_eq!(
        objects.count(),
        places.len(),
        "a type of the schema is not tried here"
    );
}

#[test]
fn every_dialect_can_have_its_own_words() {
    let mut known: Vec<_> = Dialect::ALL.map(Dialect::word).into();
    known.push("default");
    known.sort_unstable();
    let mut keys = keys("Expression");
    keys.sort_unstable();
    assert_eq!(keys, known);
}

#[test]
fn every_key_says_what_it_is_for() {
    let schema = json_schema();
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{key}");
        }
    }
}

/// The blocks of YAML in the reference.
fn reference() -> (String, Vec<String>) {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/registry.md")).unwrap();
    let blocks = text
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned());
    let blocks = blocks.collect();
    (text, blocks)
}

#[test]
fn the_reference_shows_only_what_works() {
    for block in reference().1 {
        if block.starts_with("connections:") || block.starts_with("policy:") {
            Config::read(&block, std::path::Path::new(".")).unwrap();
            continue;
        }
        let text = match block.strip_prefix("joins:") {
            Some(_) => format!(
                "datasets:\n  d:\n    table: d\n    {}",
                block.replace('\n', "\n    ")
            ),
            None => block.clone(),
        };
        let file = ProjectFile {
            path: "metrics/a.yaml".into(),
            text,
        };
        let files = ProjectFiles {
            metrics: vec![file],
            ..ProjectFiles::default()
        };
        // The blocks refer to datasets and metrics that are not shown with them.
        let elsewhere = ["unknown_dataset", "unknown_metric", "unknown_snippet"];
        for one in load(&files, &Config::default(), None).diagnostics {
            assert!(elsewhere.contains(&one.code), "{one}\n{block}");
        }
    }
}

#[test]
fn every_key_is_in_the_reference() {
    let text = reference().0;
    for (name, schema) in json_schema()["$defs"].as_object().unwrap() {
        for key in schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            let shown = [
                format!("`{key}`"),
                format!("{key}:"),
                format!("{key},"),
                format!(" {key}}}"),
            ];
            assert!(
                shown.iter().any(|shown| text.contains(shown)),
                "{name}.{key}"
            );
        }
    }
}
