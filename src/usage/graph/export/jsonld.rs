//! The graph as JSON-LD: a context, and one object for each node and each edge.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Subgraph, Vertex, camel, edges, mean_ms, time, weight};

pub(super) fn write(graph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let iri = json!({"@type": "@id"});
    let integer = json!({"@type": "xsd:integer"});
    let double = json!({"@type": "xsd:double"});
    let moment = json!({"@type": "xsd:dateTime"});
    let context = json!({
        "@vocab": "urn:metrex:usage:",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "label": "http://www.w3.org/2000/01/rdf-schema#label",
        "from": iri,
        "to": iri,
        "runs": integer,
        "answered": integer,
        "weight": double,
        "mean_ms": double,
        "first_seen": moment,
        "last_seen": moment,
    });
    write!(out, "{{\n\"@context\": {context},\n\"@graph\": [")?;
    let mut is_first = true;
    let mut entry = |out: &mut dyn Write, facts: Vec<(&str, Value)>| {
        let known = facts.into_iter().filter(|(_, value)| !value.is_null());
        let object: Map<String, Value> = known
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let between = if is_first { "\n" } else { ",\n" };
        is_first = false;
        write!(out, "{between}{}", Value::Object(object))
    };
    for vertex in &graph.vertices {
        let facts = vec![
            ("@id", json!(iri_of(vertex))),
            ("@type", json!(camel(vertex.thing.kind.word()))),
            ("key", json!(vertex.thing.key)),
            ("label", json!(vertex.label)),
            ("first_seen", json!(time(vertex.first))),
            ("last_seen", json!(time(vertex.last))),
        ];
        entry(out, facts)?;
    }
    for (edge, from, to) in edges(graph) {
        let facts = vec![
            (
                "@type",
                json!(camel(&edge.kind.word().to_ascii_lowercase())),
            ),
            ("from", json!(iri_of(from))),
            ("to", json!(iri_of(to))),
            ("runs", json!(edge.used.runs)),
            ("answered", json!(edge.used.answered)),
            ("weight", json!(weight(edge))),
            ("mean_ms", json!(mean_ms(&edge.used))),
            ("last_seen", json!(time(edge.used.last))),
        ];
        entry(out, facts)?;
    }
    writeln!(out, "\n]\n}}")
}

/// `urn:metrex:metric:gmv`; what an IRI cannot have is percent-encoded.
fn iri_of(vertex: &Vertex) -> String {
    let mut iri = format!("urn:metrex:{}:", vertex.thing.kind.word());
    for byte in vertex.thing.key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                iri.push(char::from(byte))
            }
            byte => iri.push_str(&format!("%{byte:02X}")),
        }
    }
    iri
}
