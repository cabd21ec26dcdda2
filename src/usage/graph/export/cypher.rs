//! The graph as Cypher: MERGE statements, so that running them again changes what is there and adds nothing twice.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::{Subgraph, Vertex, camel, edges, mean_ms, time, weight};

pub(super) fn write(graph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    let kinds: BTreeSet<_> = graph
        .vertices
        .iter()
        .map(|vertex| vertex.thing.kind)
        .collect();
    for kind in kinds {
        let label = camel(kind.word());
        writeln!(
            out,
            "CREATE CONSTRAINT {}_key IF NOT EXISTS FOR (n:{label}) REQUIRE n.key IS UNIQUE;",
            kind.word()
        )?;
    }
    for vertex in &graph.vertices {
        let facts = [
            ("label", Some(quoted(&vertex.label))),
            ("first_seen", time(vertex.first).map(|at| datetime(&at))),
            ("last_seen", time(vertex.last).map(|at| datetime(&at))),
        ];
        writeln!(out, "MERGE {} SET {};", node("n", vertex), set("n", &facts))?;
    }
    for (edge, from, to) in edges(graph) {
        let facts = [
            ("runs", Some(edge.used.runs.to_string())),
            ("answered", Some(edge.used.answered.to_string())),
            ("weight", Some(format!("{:?}", weight(edge)))),
            ("mean_ms", mean_ms(&edge.used).map(|ms| format!("{ms:?}"))),
            ("last_seen", time(edge.used.last).map(|at| datetime(&at))),
        ];
        writeln!(
            out,
            "MATCH {}, {} MERGE (a)-[r:{}]->(b) SET {};",
            node("a", from),
            node("b", to),
            edge.kind.word(),
            set("r", &facts)
        )?;
    }
    Ok(())
}

fn node(name: &str, vertex: &Vertex) -> String {
    let label = camel(vertex.thing.kind.word());
    format!("({name}:{label} {{key: {}}})", quoted(&vertex.thing.key))
}

fn set(name: &str, facts: &[(&str, Option<String>)]) -> String {
    let known = facts
        .iter()
        .filter_map(|(fact, value)| Some((fact, value.as_ref()?)));
    let known = known.map(|(fact, value)| format!("{name}.{fact} = {value}"));
    known.collect::<Vec<_>>().join(", ")
}

fn datetime(at: &str) -> String {
    format!("datetime({})", quoted(at))
}

/// A text in single quotes. A statement stays on one line, and no control character reaches a terminal.
fn quoted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    safe.push('\'');
    for c in text.chars() {
        match c {
            '\\' | '\'' => safe.extend(['\\', c]),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                safe.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => safe.push(c),
        }
    }
    safe.push('\'');
    safe
}
