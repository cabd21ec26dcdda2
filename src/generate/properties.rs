//! What dbt reads beside the SQL: sources, columns with their tests, and the semantic layer.

use serde_json::{Map, Value, json};

use super::layers::{Body, Layer, Layers, Model};
use super::mart::Mart;
use super::semantics::{Semantics, semantics};
use super::staging::{source, title};
use super::text::{MADE, plain};
use super::{Package, closure};
use crate::compile::{Role, additivity, reading};
use crate::model::{Aggregate, CanonicalDataset, Dataset, Measure, Metric, MetricKind, Registry};
use crate::registry::emit;

type Fields = Map<String, Value>;

/// Adds the files.
pub(super) fn properties(layers: &Layers<'_>, marts: &[Mart<'_>], package: &mut Package) {
    let mut said = semantics(layers, package);
    let sources = sources(layers);
    if !sources.is_empty() {
        add(package, "models/sources.yml", "sources", sources);
    }
    for layer in Layer::ALL {
        let mut models = Vec::new();
        for model in layers.models.iter().filter(|model| model.layer == layer) {
            match model.exists {
                true => {
                    let text = format!(
                        "{} is a model of the project already: what describes it there is left as it is",
                        model.name
                    );
                    if said.models.shift_remove(&model.name).is_some() {
                        package.note(model.path(), text);
                    }
                }
                false => models.push(Value::Object(described(layers, model, &mut said))),
            }
        }
        if !models.is_empty() {
            let path = format!("models/{0}/{0}.yml", layer.word());
            add(package, &path, "models", models);
        }
    }
    let marts = marts
        .iter()
        .map(|mart| Value::Object(of_mart(layers, mart)))
        .collect();
    add(package, "models/marts/marts.yml", "models", marts);
    // What is left are calendars.
    let calendars: Vec<Value> = said.models.into_values().map(Value::Object).collect();
    let spine = match layers.registry.calendar.table.is_some() {
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
    add(package, "models/time_spine.yml", "models", spine);
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
        let (name, own) = source(table);
        let schema = table.rsplit_once('.').map(|(schema, _)| schema.to_owned());
        let entry = json!({"name": own, "description": plain(&title(layers, model))});
        match sources.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, tables)) if tables.contains(&entry) => {}
            Some((_, _, tables)) => tables.push(entry),
            None => sources.push((name, schema, vec![entry])),
        }
    }
    let of = |(name, schema, tables): (String, Option<String>, Vec<Value>)| {
        let schema =
            schema.unwrap_or_else(|| "{{ var('source_schema', target.schema) }}".to_owned());
        json!({"name": name, "schema": schema, "tables": tables})
    };
    sources.into_iter().map(of).collect()
}

/// A model with its tests; what the semantic layer says of it is taken from there.
fn described(layers: &Layers<'_>, model: &Model, said: &mut Semantics) -> Fields {
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
        keys(dataset, &mut columns, &mut out);
        relationships(layers, dataset, &mut columns);
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
        out.insert("columns".to_owned(), Value::Array(columns.0));
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

    fn describe(&mut self, name: &str, text: &str) {
        if let Some(column) = self.of(name).filter(|_| !text.is_empty()) {
            column.insert("description".to_owned(), json!(plain(text)));
        }
    }
}

/// The key says what a row is.
fn keys(dataset: &Dataset, columns: &mut Columns, model: &mut Fields) {
    for column in &dataset.key {
        columns.test(column, json!("not_null"));
    }
    // Where a row holds for a time only, its key stands in several of them.
    match dataset.key.as_slice() {
        [] => {}
        _ if dataset.valid.is_some() => {}
        [key] => columns.test(key, json!("unique")),
        several => {
            let test = json!({"metrex_unique_rows": {"arguments": {"columns": several}}});
            model.insert("data_tests".to_owned(), json!([test]));
        }
    }
}

/// A row that leads nowhere is counted all the same, so it is a warning.
fn relationships(layers: &Layers<'_>, dataset: &Dataset, columns: &mut Columns) {
    for join in dataset.joins.values() {
        let (Some(target), [(here, there)]) = (layers.model_of(&join.to), join.on.as_slice())
        else {
            continue;
        };
        let arguments = json!({"to": format!("ref('{}')", target.name), "field": there});
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
        if let Some(test) = in_range(low.as_deref().map(literal), high.as_deref().map(literal)) {
            columns.test(&column, test);
        }
    }
}

/// A number as it is, anything else as a text of SQL.
fn literal(text: &str) -> Value {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
        Ok(number) => json!(number),
        Err(_) => json!(format!("'{}'", text.replace('\'', "''"))),
    }
}

fn in_range(low: Option<Value>, high: Option<Value>) -> Option<Value> {
    let mut arguments = Fields::new();
    arguments.extend(low.map(|low| ("at_least".to_owned(), low)));
    arguments.extend(high.map(|high| ("at_most".to_owned(), high)));
    (!arguments.is_empty()).then(|| json!({"metrex_in_range": {"arguments": arguments}}))
}

/// The model of a metric.
fn of_mart(layers: &Layers<'_>, mart: &Mart<'_>) -> Fields {
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
    let meta = json!({
        "metric": metric.name,
        "owner": metric.owner,
        "status": metric.status.word(),
        "grain": mart.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "query": mart.line,
    });
    out.insert("config".to_owned(), json!({"meta": meta}));
    let keys: Vec<&str> = mart.keys().map(|column| column.name.as_str()).collect();
    if !keys.is_empty() {
        let test = json!({"metrex_unique_rows": {"arguments": {"columns": keys}}});
        out.insert("data_tests".to_owned(), json!([test]));
    }
    let mut columns = Columns(Vec::new());
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
        if let Some(metric) = own {
            for test in certain(&layers.registry, metric) {
                columns.test(&column.name, test);
            }
        }
    }
    out.insert("columns".to_owned(), Value::Array(columns.0));
    out
}

/// What the definition alone says of every figure.
fn certain(registry: &Registry, metric: &Metric) -> Vec<Value> {
    let is_count = |agg: Aggregate| {
        matches!(
            agg,
            Aggregate::Count | Aggregate::CountDistinct | Aggregate::SumBoolean
        )
    };
    let range =
        |low: i64, high: Option<i64>| in_range(Some(json!(low)), high.map(|high| json!(high)));
    match &metric.kind {
        // Beside others, a group without rows of its own has no figure; so a count may be missing, but is never negative.
        MetricKind::Simple(_) if closure::measures(&metric.kind).all(|one| is_count(one.agg)) => {
            range(0, None).into_iter().collect()
        }
        MetricKind::Ratio(sources) => {
            let measures = |source: &crate::model::Source| match source.measures.as_slice() {
                [part, whole] => Some((part.clone(), whole.clone())),
                _ => None,
            };
            let halves: Option<Vec<(Measure, Measure)>> = sources.iter().map(measures).collect();
            let halves = halves.unwrap_or_default();
            if !halves.is_empty() && halves.iter().all(|(part, whole)| is_share(part, whole)) {
                range(0, Some(1)).into_iter().collect()
            } else if !halves.is_empty()
                && halves
                    .iter()
                    .all(|(one, other)| is_count(one.agg) && is_count(other.agg))
            {
                range(0, None).into_iter().collect()
            } else {
                Vec::new()
            }
        }
        MetricKind::Cumulative(cumulative) => {
            let of = cumulative.of.as_ref().and_then(|of| registry.metric(of));
            let of = of.filter(|of| matches!(of.kind, MetricKind::Simple(_)));
            of.map(|of| certain(registry, of)).unwrap_or_default()
        }
        MetricKind::Conversion(_) => range(0, None).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Whether every row of the numerator is one of the denominator.
fn is_share(part: &Measure, whole: &Measure) -> bool {
    let text = |measure: &Measure| measure.expr.as_ref().map(|expr| expr.text.clone());
    let filters = |measure: &Measure| {
        measure
            .filters
            .iter()
            .map(|filter| filter.text.clone())
            .collect::<Vec<_>>()
    };
    let (narrow, wide) = (filters(part), filters(whole));
    part.dataset == whole.dataset
        && part.agg == whole.agg
        && matches!(part.agg, Aggregate::Count | Aggregate::CountDistinct)
        && text(part) == text(whole)
        && wide.iter().all(|filter| narrow.contains(filter))
}
