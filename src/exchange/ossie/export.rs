//! A registry as an Ossie document. Every definition is written twice: in Ossie's words, for others, and whole under
//! `custom_extensions`, so that nothing is lost on the way back.

use serde_json::{Map, Value, json};

use super::{VENDOR, VERSION, metric};
use crate::exchange::notes::Notes;
use crate::exchange::{Export, define, emit};
use crate::model::{Conventions, Dataset, Dimension, Registry, Relation};

/// The document of a registry, called `name`.
pub fn export(registry: &Registry, name: &str) -> Export {
    let mut notes = Notes::default();
    let mut model = Map::new();
    model.insert("name".to_owned(), json!(name));
    let datasets = registry.datasets.values();
    let (facets, datasets): (Vec<_>, Vec<_>) = datasets.partition(|one| is_snippet(registry, one));
    // A dataset that a snippet is, is made of the snippet again.
    drop(facets);
    model.insert(
        "datasets".to_owned(),
        datasets.iter().map(|one| dataset(one)).collect(),
    );
    let relationships: Vec<Value> = datasets.iter().flat_map(|one| relationships(one)).collect();
    if !relationships.is_empty() {
        model.insert("relationships".to_owned(), json!(relationships));
    }
    let mut metrics = Vec::new();
    for one in registry.metrics.values() {
        let (sql, loss) = metric::sql(registry, one);
        if let Some(loss) = loss {
            let text = format!("{}: {loss}; only under custom_extensions", one.name);
            notes.about(registry.at(one.place), text);
        }
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(one.name));
        fields.insert("expression".to_owned(), ansi(&sql));
        if !one.description.is_empty() {
            fields.insert("description".to_owned(), json!(one.description));
        }
        if !one.aliases.is_empty() {
            fields.insert("ai_context".to_owned(), json!({"synonyms": one.aliases}));
        }
        fields.insert(
            "custom_extensions".to_owned(),
            extension(&define::metric(one)),
        );
        metrics.push(Value::Object(fields));
    }
    if !metrics.is_empty() {
        model.insert("metrics".to_owned(), json!(metrics));
    }
    notes.unknown(registry);
    let whole = project(registry);
    if !whole.is_empty() {
        model.insert(
            "custom_extensions".to_owned(),
            extension(&Value::Object(whole)),
        );
    }
    let mut document = Map::new();
    document.insert("version".to_owned(), json!(VERSION));
    document.insert("semantic_model".to_owned(), json!([model]));
    Export {
        files: vec![(format!("{name}.ossie.yaml"), emit::document(&document))],
        notes: notes.into_list(),
    }
}

/// What belongs to no dataset and no metric.
fn project(registry: &Registry) -> Map<String, Value> {
    let snippets = registry.snippets.values();
    let snippets: Map<String, Value> = snippets
        .map(|one| (one.name.clone(), json!(one.text)))
        .collect();
    let mut whole = Map::new();
    for (key, section) in [
        ("views", define::views(registry)),
        ("rollups", define::rollups(registry)),
        ("hypotheses", define::hypotheses(registry)),
        ("alerts", define::alerts(registry)),
        ("snippets", snippets),
    ] {
        if !section.is_empty() {
            whole.insert(key.to_owned(), Value::Object(section));
        }
    }
    if let Some(calendar) = define::calendar(&registry.calendar) {
        whole.insert("calendar".to_owned(), calendar);
    }
    if registry.conventions == Conventions::Metricflow {
        whole.insert("conventions".to_owned(), json!("metricflow"));
    }
    whole
}

fn is_snippet(registry: &Registry, dataset: &Dataset) -> bool {
    let mut snippets = registry.snippets.values();
    snippets.any(|snippet| snippet.place.file == dataset.place.file)
}

fn extension(definition: &Value) -> Value {
    json!([{"vendor_name": VENDOR, "data": definition.to_string()}])
}

fn ansi(sql: &str) -> Value {
    json!({"dialects": [{"dialect": "ANSI_SQL", "expression": sql}]})
}

fn dataset(dataset: &Dataset) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(dataset.name));
    let source = match &dataset.relation {
        Relation::Table(table) => table,
        Relation::Sql(sql) => sql,
    };
    fields.insert("source".to_owned(), json!(source));
    if !dataset.key.is_empty() {
        fields.insert("primary_key".to_owned(), json!(dataset.key));
    }
    if !dataset.description.is_empty() {
        fields.insert("description".to_owned(), json!(dataset.description));
    }
    // Ossie's fields are SQL over the row.
    let dimensions = dataset.dimensions.values();
    let dimensions = dimensions.filter(|dimension| dimension.of_metric.is_none());
    fields.insert("fields".to_owned(), dimensions.map(field).collect());
    fields.insert(
        "custom_extensions".to_owned(),
        extension(&define::dataset(dataset)),
    );
    Value::Object(fields)
}

fn field(dimension: &Dimension) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(dimension.name));
    fields.insert("expression".to_owned(), ansi(&dimension.expr.text));
    fields.insert(
        "dimension".to_owned(),
        json!({"is_time": dimension.kind.is_time()}),
    );
    if !dimension.description.is_empty() {
        fields.insert("description".to_owned(), json!(dimension.description));
    }
    if !dimension.aliases.is_empty() {
        fields.insert(
            "ai_context".to_owned(),
            json!({"synonyms": dimension.aliases}),
        );
    }
    Value::Object(fields)
}

fn relationships(dataset: &Dataset) -> Vec<Value> {
    let joins = dataset.joins.values();
    joins
        .map(|join| {
            let (from, to): (Vec<_>, Vec<_>) = join.on.iter().cloned().unzip();
            json!({
                "name": format!("{}_{}", dataset.name, join.name),
                "from": dataset.name,
                "to": join.to,
                "from_columns": from,
                "to_columns": to,
            })
        })
        .collect()
}
