//! The graph for other programs: GraphML, DOT, Cypher and JSON-LD, written line by line.

mod cypher;
mod dot;
mod graphml;
mod jsonld;

use std::io::{self, Write};

use super::{Edge, Subgraph, Used, Vertex};

/// A format of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphForm {
    /// XML that yEd, Gephi, NetworkX and igraph read.
    Graphml,
    /// What Graphviz draws.
    Dot,
    /// Statements for Neo4j and others; run again, they change what is there and add nothing twice.
    Cypher,
    /// JSON with a context, for whoever reads RDF.
    Jsonld,
}

impl GraphForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Graphml, Self::Dot, Self::Cypher, Self::Jsonld];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Graphml => "graphml",
            Self::Dot => "dot",
            Self::Cypher => "cypher",
            Self::Jsonld => "jsonld",
        }
    }
}

/// Writes a graph.
///
/// # Errors
/// It cannot be written.
pub fn write(graph: &Subgraph, form: GraphForm, out: &mut dyn Write) -> io::Result<()> {
    match form {
        GraphForm::Graphml => graphml::write(graph, out),
        GraphForm::Dot => dot::write(graph, out),
        GraphForm::Cypher => cypher::write(graph, out),
        GraphForm::Jsonld => jsonld::write(graph, out),
    }
}

/// The edges with the vertices at their ends.
fn edges(graph: &Subgraph) -> impl Iterator<Item = (&Edge, &Vertex, &Vertex)> {
    graph.edges.iter().filter_map(|edge| {
        let from = graph.vertices.get(edge.from)?;
        Some((edge, from, graph.vertices.get(edge.to)?))
    })
}

/// A time as ISO 8601.
fn time(at: Option<jiff::Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// The mean to a tenth of a millisecond.
fn mean_ms(used: &Used) -> Option<f64> {
    used.mean_ms().map(|ms| (ms * 10.0).round() / 10.0)
}

/// A weight to four digits, which is more than it is good for.
fn weight(edge: &Edge) -> f64 {
    (edge.weight * 10_000.0).round() / 10_000.0
}

/// `join_path` as `JoinPath`.
fn camel(word: &str) -> String {
    let part = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    word.split('_').map(part).collect()
}
