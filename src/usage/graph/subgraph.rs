//! A part of the graph, or all of it, in memory: what an export writes.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{EdgeKind, NodeKind, Thing, Used, node};
use crate::store::{Connection, Row, SqlError, params};
use crate::usage::{Usage, UsageError};

/// A node with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// What it is.
    pub thing: Thing,
    /// The text it is shown by.
    pub label: String,
    /// When it was first seen; never of what is only defined.
    pub first: Option<Timestamp>,
    /// When it was last seen.
    pub last: Option<Timestamp>,
}

/// An edge between two vertices, by their places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Where it leads from.
    pub from: usize,
    /// Where it leads to.
    pub to: usize,
    /// What it says.
    pub kind: EdgeKind,
    /// The runs it stands for.
    pub used: Used,
    /// The same, worth less with age: half after 30 days.
    pub weight: f64,
}

/// Nodes and the edges between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subgraph {
    /// The nodes, the nearest first where it is a part around one.
    pub vertices: Vec<Vertex>,
    /// The edges, in the order of the nodes they lead from.
    pub edges: Vec<Edge>,
}

impl Subgraph {
    /// With what is only defined: things with what they are made of, which stand there as never used.
    #[must_use]
    pub fn with_defined(mut self, defined: &[(Thing, Vec<(EdgeKind, Thing)>)]) -> Self {
        let places = self.vertices.iter().enumerate();
        let mut places: HashMap<Thing, usize> = places
            .map(|(at, vertex)| (vertex.thing.clone(), at))
            .collect();
        let ends = self
            .edges
            .iter()
            .map(|edge| (edge.from, edge.to, edge.kind));
        let mut known: HashSet<(usize, usize, EdgeKind)> = ends.collect();
        let mut place = |vertices: &mut Vec<Vertex>, thing: &Thing| {
            *places.entry(thing.clone()).or_insert_with(|| {
                vertices.push(Vertex {
                    label: thing.key.clone(),
                    thing: thing.clone(),
                    first: None,
                    last: None,
                });
                vertices.len() - 1
            })
        };
        for (thing, parts) in defined {
            let from = place(&mut self.vertices, thing);
            for (kind, part) in parts {
                let to = place(&mut self.vertices, part);
                if known.insert((from, to, *kind)) {
                    self.edges.push(Edge {
                        from,
                        to,
                        kind: *kind,
                        used: Used::default(),
                        weight: 0.0,
                    });
                }
            }
        }
        self
    }
}

impl Usage {
    /// The whole graph.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn whole_graph(&self) -> Result<Subgraph, UsageError> {
        self.read(|file| {
            let mut statement = file.prepare(
                "SELECT id, kind, key, label, first_seen, last_seen FROM nodes ORDER BY id",
            )?;
            let mut part = Part::default();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                part.vertex(row)?;
            }
            let mut statement = file.prepare(&format!("{EDGES} ORDER BY src, dst, kind"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                part.edge(row)?;
            }
            Ok(part.graph)
        })
    }

    /// What is reached from a thing over so many edges, whichever way these lead; nothing where it was never used.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn subgraph(&self, thing: &Thing, steps: u32) -> Result<Subgraph, UsageError> {
        self.read(|file| match node(file, thing)? {
            Some(node) => around(file, node.id, steps),
            None => Ok(Subgraph::default()),
        })
    }
}

const EDGES: &str = "SELECT src, dst, kind, weight, n, n_ok, ms, last_seen FROM edges";

fn around(file: &Connection, id: i64, steps: u32) -> Result<Subgraph, SqlError> {
    let mut statement = file.prepare(super::sql::NEAREST)?;
    let mut part = Part::default();
    let mut rows = statement.query(params![id, steps])?;
    while let Some(row) = rows.next()? {
        part.vertex(row)?;
    }
    let mut statement = file.prepare(&format!("{EDGES} WHERE src = ? ORDER BY dst, kind"))?;
    let mut ids: Vec<(usize, i64)> = part.places.iter().map(|(id, at)| (*at, *id)).collect();
    ids.sort_unstable();
    for (_, id) in ids {
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            part.edge(row)?;
        }
    }
    Ok(part.graph)
}

/// A part that is being read, with the places of nodes by their numbers in the file.
#[derive(Default)]
struct Part {
    graph: Subgraph,
    places: HashMap<i64, usize>,
}

impl Part {
    fn vertex(&mut self, row: &Row<'_>) -> Result<(), SqlError> {
        let kind: String = row.get(1)?;
        let Some(kind) = NodeKind::of_word(&kind) else {
            return Ok(());
        };
        self.places.insert(row.get(0)?, self.graph.vertices.len());
        self.graph.vertices.push(Vertex {
            thing: Thing::new(kind, row.get::<_, String>(2)?),
            label: row.get(3)?,
            first: Timestamp::from_millisecond(row.get(4)?).ok(),
            last: Timestamp::from_millisecond(row.get(5)?).ok(),
        });
        Ok(())
    }

    /// An edge whose ends are both in the part.
    fn edge(&mut self, row: &Row<'_>) -> Result<(), SqlError> {
        let ends = [row.get::<_, i64>(0)?, row.get(1)?].map(|id| self.places.get(&id).copied());
        let kind = EdgeKind::of_word(row.get_ref(2)?.as_str()?);
        if let ([Some(from), Some(to)], Some(kind)) = (ends, kind) {
            self.graph.edges.push(Edge {
                from,
                to,
                kind,
                used: Used::read(row, 4)?,
                weight: row.get(3)?,
            });
        }
        Ok(())
    }
}
