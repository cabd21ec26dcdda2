//! What dbt reads beside the SQL: sources, columns with their tests, and the semantic layer.

use serde_json::{Map, Value, json};

use super::bounds::{certain, in_range};
use super::layers::{Body, Layer, Layers, Model};
use super::mart::Mart;
use super::semantics::{Semantics, semantics};
use super::staging::{source, title};
use super::text::{MADE, plain};
use super::{Package, Wanted};
use crate::compile::{Role, additivity, reading};
use crate::model::{CanonicalDataset, Dataset};
use crate::registry::emit;
use crate::warehouse::Dialect;

type Fields = Map<String, Value>;

/// Adds the files.
pub(super) fn properties(
    layers: &Layers<'_>,
    marts: &[Mart<'_>],
    wanted: &Wanted<'_>,
    package: &mut Package,
) {
    let dialect = wanted.dialect;
    let mut said = semantics(layers, package);
    let sources = sources(layers);
    if !sources.is_empty() {
        add(package, "models/sources.yml", "sources", sources);
    }
    for layer in Layer::ALL {
        let mut models = Vec::new();
        for model in layers.models.iter().filter(|model| model.layer == layer) {
            match model.exists {
                true => package.note(
                    model.path(),
                    format!(
                        "{} is a model of the project: what describes it there stays as it is, and dbt's semantic layer is not told of metrics over it",
                        model.name
                    ),
                ),
                false => models.push(Value::Object(described(layers, model, dialect, &mut said))),
            }
        }
        if !models.is_empty() {
            let path = format!("models/{0}/{0}.yml", layer.word());
            add(package, &path, "models", models);
        }
    }
    let marts = marts
        .iter()
        .map(|mart| Value::Object(of_mart(layers, mart, dialect)))
        .collect();
    add(package, "models/marts/marts.yml", "models", marts);
    // What is left are calendars.
    let calendars: Vec<Value> = said.models.into_values().map(Value::Object).collect();
    let spine = match layers.registry.calendar.table.is_some() {
        _ if wanted.has_spine => Vec::new(),
        true => calendars,
        false => {
            package.add("models/metrex_days.sql", DAYS);
            let spine = json!({
                "name": "metrex_days",
                "description": "Every day: what dbt's semantic layer counts periods by.",
                "time_spine": {"standard_granularity_column": "date_day"},
                "columns": [{"name": "date_day", "granularity": "day"}],
            });
            calendars.into_iter().chain([spine]).collect()
        }
    };
    if !spine.is_empty() {
        add(package, "models/time_spine.yml", "models", spine);
    }
    if !said.metrics.is_empty() {
        add(package, "models/metrics.yml", "metrics", said.metrics);
    }
}

/// Every day of the years that data is likely to be of.
const DAYS: &str = "{{ config(materialized='table', tags=['calendar']) }}\n\n\
-- Every day: what dbt's semantic layer counts periods by.\n\n\
with days as (\n  {{ dbt.date_spine('day', \"cast('2015-01-01' as date)\", \"cast('2036-01-01' as date)\") }}\n)\n\n\
select cast(date_day as date) as date_day\nfrom days\n";

fn add(package: &mut Package, path: &str, key: &str, items: Vec<Value>) {
    let document = Map::from_iter([(key.to_owned(), Value::Array(items))]);
    let version = match key {
        "metrics" => "",
        _ => "version: 2\n\n",
    };
    package.add(
        path,
        format!("# {MADE}\n{version}{}", emit::document(&document)),
    );
}

fn sources(layers: &Layers<'_>) -> Vec<Value> {
    let mut sources: Vec<(String, Option<String>, Vec<Value>)> = Vec::new();
    for model in layers.models.iter().filter(|model| !model.exists) {
        let Body::Table { table, .. } = &model.body else {
            continue;
        };
        let (name, own) = source(layers, table);
        let schema = table.rsplit_once('.').map(|(schema, _)| schema.to_owned());
        let entry = json!({"name": own, "description": plain(&title(layers, model))});
        match sources.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, tables)) if tables.contains(&entry) => {}
            Some((_, _, tables)) => tables.push(entry),
            None => sources.push((name, schema, vec![entry])),
        }
    }
    let of = |(name, schema, tables): (String, Option<String>, Vec<Value>)| -> Value {
        let Some(schema) = schema else {
            let own = "{{ var('source_schema', target.schema) }}";
            return json!({"name": name, "schema": own, "tables": tables});
        };
        match schema.rsplit_once('.') {
            Some((database, schema)) => {
                json!({"name": name, "database": database, "schema": schema, "tables": tables})
            }
            None => json!({"name": name, "schema": schema, "tables": tables}),
        }
    };
    sources.into_iter().map(of).collect()
}

/// A model with its tests; what the semantic layer says of it is taken from there.
fn described(layers: &Layers<'_>, model: &Model, dialect: Dialect, said: &mut Semantics) -> Fields {
    let mut fields = said.models.shift_remove(&model.name).unwrap_or_default();
    let mut out = Fields::new();
    out.insert("name".to_owned(), json!(model.name));
    out.insert(
        "description".to_owned(),
        json!(plain(&title(layers, model))),
    );
    let dataset = model
        .dataset
        .as_ref()
        .and_then(|name| layers.original.datasets.get(name));
    let canonical = dataset.and_then(|dataset| layers.original.canonical_of(&dataset.name));
    if let Some(canonical) = canonical {
        let meta = json!({
            "canonical": true,
            "kind": canonical.kind.word(),
            "status": canonical.status.word(),
            "owner": canonical.owner,
            "grain": canonical.grain,
        });
        out.insert("config".to_owned(), json!({"meta": meta}));
    }
    let mut columns = Columns(match fields.remove("columns") {
        Some(Value::Array(columns)) => columns,
        _ => Vec::new(),
    });
    if let Some(dataset) = dataset {
        keys(dataset, dialect, &mut columns, &mut out);
        relationships(layers, dataset, dialect, &mut columns);
        if let Some(canonical) = canonical {
            agreed(dataset, canonical, &mut columns);
        }
    }
    for (key, value) in fields {
        if !matches!(key.as_str(), "name" | "description" | "config") {
            out.insert(key, value);
        }
    }
    if !columns.0.is_empty() {
        out.insert("columns".to_owned(), columns.quoted(dialect));
    }
    out
}

/// Columns of a model, each once.
struct Columns(Vec<Value>);

impl Columns {
    fn of(&mut self, name: &str) -> Option<&mut Fields> {
        let is_it = |column: &Value| column.get("name").and_then(Value::as_str) == Some(name);
        if !self.0.iter().any(is_it) {
            self.0.push(json!({"name": name}));
        }
        self.0
            .iter_mut()
            .find(|column| is_it(column))?
            .as_object_mut()
    }

    fn test(&mut self, name: &str, test: Value) {
        let Some(column) = self.of(name) else {
            return;
        };
        let tests = column.entry("data_tests").or_insert_with(|| json!([]));
        if let Value::Array(tests) = tests
            && !tests.contains(&test)
        {
            tests.push(test);
        }
    }

    /// All of them, those that SQL has to quote marked for dbt.
    fn quoted(mut self, dialect: Dialect) -> Value {
        for column in self.0.iter_mut().filter_map(Value::as_object_mut) {
            let name = column.get("name").and_then(Value::as_str);
            if name.is_some_and(|name| dialect.name(name) != name) {
                column.insert("quote".to_owned(), json!(true));
            }
        }
        Value::Array(self.0)
    }

    fn describe(&mut self, name: &str, text: &str) {
        if let Some(column) = self.of(name).filter(|_| !text.is_empty()) {
            column.insert("description".to_owned(), json!(plain(text)));
        }
    }
}

/// The key says what a row is.
fn keys(dataset: &Dataset, dialect: Dialect, columns: &mut Columns, model: &mut Fields) {
    for column in &dataset.key {
        columns.test(column, json!("not_null"));
    }
    // Where a row holds for a time only, its key stands in several of them.
    match dataset.key.as_slice() {
        [] => {}
        _ if dataset.valid.is_some() => {}
        [key] => columns.test(key, json!("unique")),
        several => {
            let test = unique_rows(several.iter(), dialect);
            model.insert("data_tests".to_owned(), json!([test]));
        }
    }
}

/// No combination of columns stands in two rows.
fn unique_rows<'a>(columns: impl Iterator<Item = &'a String>, dialect: Dialect) -> Value {
    let columns: Vec<String> = columns.map(|column| dialect.name(column)).collect();
    json!({"metrex_unique_rows": {"arguments": {"columns": columns}}})
}

/// A row that leads nowhere is counted all the same, so it is a warning.
fn relationships(layers: &Layers<'_>, dataset: &Dataset, dialect: Dialect, columns: &mut Columns) {
    for join in dataset.joins.values() {
        let (Some(target), [(here, there)]) = (layers.model_of(&join.to), join.on.as_slice())
        else {
            continue;
        };
        let arguments =
            json!({"to": format!("ref('{}')", target.name), "field": dialect.name(there)});
        let test =
            json!({"relationships": {"arguments": arguments, "config": {"severity": "warn"}}});
        columns.test(here, test);
    }
}

/// What has been agreed on for a canonical dataset.
fn agreed(dataset: &Dataset, canonical: &CanonicalDataset, columns: &mut Columns) {
    for attribute in canonical.attributes.values() {
        let column = match dataset.dimension(&attribute.name) {
            Some(dimension) => dimension.column.clone(),
            None => Some(attribute.name.clone()),
        };
        let Some(column) = column else {
            continue;
        };
        columns.describe(&column, &attribute.description);
        if attribute.not_null {
            columns.test(&column, json!("not_null"));
        }
        if attribute.unique {
            columns.test(&column, json!("unique"));
        }
        if !attribute.values.is_empty() {
            columns.test(
                &column,
                json!({"accepted_values": {"arguments": {"values": attribute.values}}}),
            );
        }
        let (low, high) = &attribute.range;
        if let Some(test) = in_range(low.as_deref(), high.as_deref()) {
            columns.test(&column, test);
        }
    }
}

/// The model of a metric.
fn of_mart(layers: &Layers<'_>, mart: &Mart<'_>, dialect: Dialect) -> Fields {
    let metric = mart.metric;
    let mut out = Fields::new();
    out.insert("name".to_owned(), json!(mart.name));
    let description = [metric.label.as_str(), metric.description.as_str()];
    let description: Vec<&str> = description
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    out.insert(
        "description".to_owned(),
        json!(plain(&description.join(": "))),
    );
    let mut meta = json!({
        "metric": metric.name,
        "owner": metric.owner,
        "status": metric.status.word(),
        "successor": metric.successor,
        "grain": mart.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "query": mart.line,
    });
    if let Some(meta) = meta.as_object_mut() {
        meta.retain(|_, value| !value.is_null());
    }
    out.insert("config".to_owned(), json!({"meta": meta}));
    if mart.keys().next().is_some() {
        let test = unique_rows(mart.keys().map(|column| &column.name), dialect);
        out.insert("data_tests".to_owned(), json!([test]));
    }
    let mut columns = Columns(Vec::new());
    let figures = mart
        .columns
        .iter()
        .filter(|column| column.role == Role::Metric);
    let is_alone = figures.count() == 1;
    for column in &mart.columns {
        let own = layers
            .registry
            .metric(&column.name)
            .filter(|_| column.role == Role::Metric);
        let text = match own {
            Some(metric) => format!(
                "{}: {}; {}",
                metric.label,
                reading(&layers.registry, metric),
                additivity(&layers.registry, metric).sentence()
            ),
            None => column.label.clone(),
        };
        columns.describe(&column.name, &text);
        for test in own
            .iter()
            .flat_map(|metric| certain(layers, metric, is_alone))
        {
            columns.test(&column.name, test);
        }
    }
    out.insert("columns".to_owned(), columns.quoted(dialect));
    out
}
