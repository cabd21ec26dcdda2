//! The graph as GraphML: typed attributes, one element each for nodes and edges.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{Subgraph, edges, mean_ms, time, weight};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"#;

/// Attributes: their id, of what, their name and type.
const KEYS: [(&str, &str, &str, &str); 11] = [
    ("kind", "node", "kind", "string"),
    ("key", "node", "key", "string"),
    ("label", "node", "label", "string"),
    ("first", "node", "first_seen", "string"),
    ("seen", "node", "last_seen", "string"),
    ("says", "edge", "kind", "string"),
    ("runs", "edge", "runs", "long"),
    ("answered", "edge", "answered", "long"),
    ("weight", "edge", "weight", "double"),
    ("ms", "edge", "mean_ms", "double"),
    ("last", "edge", "last_seen", "string"),
];

pub(super) fn write(graph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    for (id, of, name, kind) in KEYS {
        writeln!(
            out,
            r#"  <key id="{id}" for="{of}" attr.name="{name}" attr.type="{kind}"/>"#
        )?;
    }
    writeln!(out, r#"  <graph id="usage" edgedefault="directed">"#)?;
    for (at, vertex) in graph.vertices.iter().enumerate() {
        let facts = [
            ("kind", Some(vertex.thing.kind.word().to_owned())),
            ("key", Some(vertex.thing.key.clone())),
            ("label", Some(vertex.label.clone())),
            ("first", time(vertex.first)),
            ("seen", time(vertex.last)),
        ];
        write!(out, r#"    <node id="n{at}">"#)?;
        data(out, &facts)?;
        writeln!(out, "</node>")?;
    }
    for (at, (edge, ..)) in edges(graph).enumerate() {
        let facts = [
            ("says", Some(edge.kind.word().to_owned())),
            ("runs", Some(edge.used.runs.to_string())),
            ("answered", Some(edge.used.answered.to_string())),
            ("weight", Some(weight(edge).to_string())),
            ("ms", mean_ms(&edge.used).map(|ms| ms.to_string())),
            ("last", time(edge.used.last)),
        ];
        write!(
            out,
            r#"    <edge id="e{at}" source="n{}" target="n{}">"#,
            edge.from, edge.to
        )?;
        data(out, &facts)?;
        writeln!(out, "</edge>")?;
    }
    writeln!(out, "  </graph>\n</graphml>")
}

fn data(out: &mut dyn Write, facts: &[(&str, Option<String>)]) -> io::Result<()> {
    for (key, text) in facts {
        if let Some(text) = text {
            write!(out, r#"<data key="{key}">{}</data>"#, escaped(text))?;
        }
    }
    Ok(())
}

/// Text of an element. XML has no way at all to write most control characters: they become replacement characters.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| {
        !matches!(c, '&' | '<' | '>') && ((' '..'\u{fffe}').contains(&c) || c > '\u{ffff}')
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\t' | '\n' => safe.push(c),
            // As a character it would be read as the end of a line.
            '\r' => safe.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}
