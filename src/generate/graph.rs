//! Everything in a package as a graph: nodes and relationships, for a graph database or a catalogue.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::layers::{Body, Layers, Model};
use super::mart::Mart;
use super::refs;
use crate::model::Relation;
use crate::warehouse::Dialect;

/// What a model reads: a table, or other models.
pub(super) fn reads(layers: &Layers<'_>, model: &Model) -> Vec<String> {
    if let Body::Table { table, .. } = &model.body {
        return vec![table.clone()];
    }
    let dataset = model.dataset.as_ref();
    let dataset = dataset.and_then(|name| layers.original.datasets.get(name));
    let Some(Relation::Sql(sql)) = dataset.map(|dataset| &dataset.relation) else {
        return Vec::new();
    };
    let tables = Dialect::ALL
        .iter()
        .find_map(|dialect| refs::tables(sql, *dialect).ok());
    let of = |table: &String| {
        let mut models = layers.models.iter();
        let is_of = |model: &&Model| matches!(&model.body, Body::Table { table: own, .. } if own.eq_ignore_ascii_case(table));
        models
            .find(is_of)
            .map_or_else(|| table.clone(), |model| model.name.clone())
    };
    tables.iter().flatten().map(of).collect()
}

#[derive(Default)]
struct Graph {
    nodes: IndexMap<String, Value>,
    relationships: Vec<Value>,
}

impl Graph {
    fn node(&mut self, kind: &str, name: &str, properties: Value) -> String {
        let id = format!("{kind}:{name}");
        let node = json!({"id": id, "type": kind, "name": name, "properties": properties});
        self.nodes.entry(id.clone()).or_insert(node);
        id
    }

    fn relate(&mut self, from: &str, kind: &str, to: &str) {
        let relationship = json!({"from": from, "type": kind, "to": to});
        if !self.relationships.contains(&relationship) {
            self.relationships.push(relationship);
        }
    }
}

/// The graph as JSON.
pub(super) fn graph(layers: &Layers<'_>, marts: &[Mart<'_>]) -> String {
    let mut graph = Graph::default();
    for model in &layers.models {
        let id = graph.node("model", &model.name, json!({"layer": model.layer.word()}));
        for from in reads(layers, model) {
            let is_model = layers.models.iter().any(|other| other.name == from);
            let kind = if is_model { "model" } else { "table" };
            let from = match is_model {
                true => format!("{kind}:{from}"),
                false => graph.node(kind, &from, json!({})),
            };
            graph.relate(&id, "READS", &from);
        }
        of_dataset(layers, model, &id, &mut graph);
    }
    for name in &layers.closure.metrics {
        if let Some(metric) = layers.original.metrics.get(name) {
            let properties = json!({
                "label": metric.label,
                "kind": metric.kind.word(),
                "category": metric.category,
                "status": metric.status.word(),
                "description": metric.description,
                "defined_at": layers.original.at(metric.place),
            });
            let id = graph.node("metric", name, properties);
            if let Some(owner) = &metric.owner {
                let owner = graph.node("owner", owner, json!({}));
                graph.relate(&id, "OWNED_BY", &owner);
            }
            for input in metric.kind.inputs() {
                graph.relate(&id, "DERIVED_FROM", &format!("metric:{input}"));
            }
            for measure in super::closure::measures(&metric.kind) {
                graph.relate(&id, "COUNTS", &format!("dataset:{}", measure.dataset));
            }
            for test in &metric.tests {
                let test = graph.node("test", &format!("{name}: {}", test.title()), json!({}));
                graph.relate(&id, "TESTED_BY", &test);
            }
        }
    }
    for mart in marts {
        let id = graph.node(
            "model",
            &mart.name,
            json!({"layer": "marts", "query": mart.line}),
        );
        graph.relate(
            &format!("metric:{}", mart.metric.name),
            "MATERIALIZED_AS",
            &id,
        );
        for read in &mart.reads {
            graph.relate(&id, "READS", &format!("model:{read}"));
        }
        for key in mart.keys() {
            let dimension = graph.node("dimension", &key.name, json!({"label": key.label}));
            graph.relate(&id, "GROUPED_BY", &dimension);
        }
    }
    let nodes: Vec<&Value> = graph.nodes.values().collect();
    let whole =
        json!({"about": super::text::MADE, "nodes": nodes, "relationships": graph.relationships});
    format!("{whole:#}\n")
}

fn of_dataset(layers: &Layers<'_>, model: &Model, id: &str, graph: &mut Graph) {
    let dataset = model.dataset.as_ref();
    let Some(dataset) = dataset.and_then(|name| layers.original.datasets.get(name)) else {
        return;
    };
    let properties = json!({
        "label": dataset.label,
        "description": dataset.description,
        "canonical": layers.original.canonical_of(&dataset.name).map(|canonical| canonical.name.clone()),
        "defined_at": layers.original.at(dataset.place),
    });
    let own = graph.node("dataset", &dataset.name, properties);
    graph.relate(&own, "MATERIALIZED_AS", id);
    for dimension in dataset.dimensions.values() {
        let dimension = graph.node(
            "dimension",
            &dimension.name,
            json!({"label": dimension.label}),
        );
        graph.relate(&own, "HAS_DIMENSION", &dimension);
    }
    for join in dataset.joins.values() {
        if layers.closure.datasets.contains(&join.to) {
            graph.relate(&own, "JOINS", &format!("dataset:{}", join.to));
        }
    }
}
