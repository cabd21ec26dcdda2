//! The graph as DOT, for Graphviz: a shape for each kind of node, wider edges for more runs.

use std::io::{self, Write};

use super::{Subgraph, edges};
use crate::usage::graph::NodeKind;

/// Letters of a label; queries are long.
const LONGEST: usize = 60;

pub(super) fn write(graph: &Subgraph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph usage {{\n  rankdir=LR;\n  node [shape=box];")?;
    for (at, vertex) in graph.vertices.iter().enumerate() {
        let shape = match vertex.thing.kind {
            NodeKind::Metric => ", style=rounded",
            NodeKind::Table | NodeKind::Rollup => ", shape=cylinder",
            NodeKind::Person => ", shape=ellipse",
            NodeKind::Query => ", shape=note",
            _ => "",
        };
        let label = shortened(&vertex.label);
        writeln!(
            out,
            "  n{at} [label=\"{}\\n{}\", tooltip=\"{}\"{shape}];",
            escaped(&label),
            vertex.thing.kind.said(),
            escaped(&vertex.thing.word()),
        )?;
    }
    for (edge, ..) in edges(graph) {
        let width = 1.0 + (edge.used.runs as f64 + 1.0).log10();
        let dashed = if edge.used.runs == 0 {
            ", style=dashed"
        } else {
            ""
        };
        writeln!(
            out,
            "  n{} -> n{} [label=\"{} {}\", penwidth={width:.1}{dashed}];",
            edge.from,
            edge.to,
            edge.kind.word(),
            edge.used.runs,
        )?;
    }
    writeln!(out, "}}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The inside of a quoted text: `\n` and the like mean something there, and so does the end of a line.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '"' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
