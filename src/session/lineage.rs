//! The lineage of the project, of all of it or around one thing, and as lines of a tree.

use serde_json::{Value, json};

use super::{Session, SessionError};
use crate::govern::lineage::{Branch, Direction, Graph, NodeKind};
use crate::registry::nearest;
use crate::usage::graph::Thing;

/// What a line of a tree is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Something that is defined.
    Defined(NodeKind, String),
    /// Something that is used.
    Used(Thing),
    /// A query that was asked, by its line.
    Query(String),
}

/// Lines of a tree, nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The line.
    pub text: String,
    /// What it is about; a heading is about nothing.
    pub of: Option<About>,
    /// The lines below it.
    pub lines: Vec<Outline>,
}

impl Session {
    /// What depends on what in the definitions in force.
    pub fn lineage(&self) -> Graph {
        Graph::new(&self.catalog().registry)
    }

    /// The node of a lineage that a word means.
    ///
    /// # Errors
    /// It means none; the hint names the nearest.
    pub fn lineage_node(&self, graph: &Graph, word: &str) -> Result<usize, SessionError> {
        graph
            .named_by(&self.catalog().registry, word)
            .ok_or_else(|| {
                let error = SessionError::usage(
                    "unknown_name",
                    format!("'{word}' is no metric, dataset, table or saved query"),
                );
                let names = graph.nodes.iter().map(|node| node.name.as_str());
                match nearest(word, names) {
                    Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                    None => error.with_hint("`metrex lineage` shows all of them"),
                }
            })
    }

    /// What a thing is made from, and what is made from it.
    ///
    /// # Errors
    /// As for [`Session::lineage_node`].
    pub fn lineage_of(&self, word: &str) -> Result<Outline, SessionError> {
        let graph = self.lineage();
        let node = self.lineage_node(&graph, word)?;
        let side = |title: &str, nothing: &str, direction| {
            let lines = outline(&graph, &graph.branches(node, direction));
            let text = if lines.is_empty() { nothing } else { title };
            Outline {
                text: text.to_owned(),
                of: None,
                lines,
            }
        };
        let here = graph.nodes.get(node);
        Ok(Outline {
            text: here.map(|node| node.line()).unwrap_or_default(),
            of: here.map(|node| About::Defined(node.kind, node.name.clone())),
            lines: vec![
                side("made from", "made from nothing here", Direction::Up),
                side("used by", "used by nothing here", Direction::Down),
            ],
        })
    }
}

/// The whole of a lineage, from what is made from nothing.
pub fn lineage_outline(graph: &Graph) -> Vec<Outline> {
    outline(graph, &graph.forest())
}

fn outline(graph: &Graph, branches: &[Branch]) -> Vec<Outline> {
    let lines = branches.iter().filter_map(|branch| {
        let node = graph.nodes.get(branch.node)?;
        let line = node.line();
        let above = if branch.is_repeated {
            "  (see above)"
        } else {
            ""
        };
        Some(Outline {
            text: format!("{line}{above}"),
            of: Some(About::Defined(node.kind, node.name.clone())),
            lines: outline(graph, &branch.branches),
        })
    });
    lines.collect()
}

impl Outline {
    /// As lines with the branches drawn before them.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.text.clone()];
        self.draw("", &mut lines);
        lines
    }

    fn draw(&self, before: &str, lines: &mut Vec<String>) {
        for (at, below) in self.lines.iter().enumerate() {
            let is_last = at + 1 == self.lines.len();
            let (branch, beside) = match is_last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            lines.push(format!("{before}{branch}{}", below.text));
            below.draw(&format!("{before}{beside}"), lines);
        }
    }
}

/// A lineage as one object: nodes, and edges from what is used to what uses it.
pub fn lineage_json(graph: &Graph) -> Value {
    let edge = |(from, to): &(usize, usize)| json!({"from": from, "to": to});
    let nodes = graph.nodes.iter().enumerate().map(|(id, node)| {
        let mut value = serde_json::to_value(node).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("id".to_owned(), json!(id));
        }
        value
    });
    json!({
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": graph.edges.iter().map(edge).collect::<Vec<_>>(),
    })
}
