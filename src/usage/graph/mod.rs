//! Reading the graph of use: what is used with what, by whom, how often and how fast.
//!
//! The graph knows shapes of queries, and what each shape touches. What two things have in common is found over the shapes
//! that touch both, so a question costs as much as the things have shapes, however long the log is.

mod affected;
mod around;
pub mod export;
mod kind;
mod paths;
mod sql;
mod subgraph;
mod together;
mod trend;
mod used;

pub use affected::Dependants;
pub use around::{Around, Group, Near, Way};
pub use kind::{EdgeKind, NodeKind};
pub use paths::{JoinHop, JoinPath, Measured, paths_between};
pub use sql::WALKS;
pub use subgraph::{Edge, Subgraph, Vertex};
pub use together::{Pair, Together};
pub use trend::{Trend, WEEKS};
pub use used::Used;

use serde::Serialize;

use super::schema::RUNS;
use super::{Usage, UsageError};
use crate::store::{Connection, OptionalExtension, SqlError, params};

/// A thing of the graph, by its kind and its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Thing {
    /// What it is.
    pub kind: NodeKind,
    /// What it is known by: the name, `orders.status` of a column, `market=ID` of a value, a hash of a query.
    #[serde(rename = "name")]
    pub key: String,
}

impl Thing {
    /// A thing of a kind.
    pub fn new(kind: NodeKind, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
        }
    }

    /// The word that means it and nothing else: `metric:gmv`.
    pub fn word(&self) -> String {
        format!("{}:{}", self.kind.word(), self.key)
    }

    /// A thing by that word.
    pub fn of_word(word: &str) -> Option<Self> {
        let (kind, key) = word.split_once(':')?;
        Some(Self::new(NodeKind::of_word(kind)?, key))
    }
}

/// What the graph holds as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Queries of the log.
    pub queries: u64,
    /// Nodes of each kind that there are any of.
    pub nodes: Vec<(NodeKind, u64)>,
    /// Edges.
    pub edges: u64,
}

impl Usage {
    /// Things that are known by a key, whatever they are; values and queries are none that one would name so.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn things_called(&self, key: &str) -> Result<Vec<Thing>, UsageError> {
        self.read(|file| {
            let mut found = Vec::new();
            for kind in NodeKind::NAMED {
                if node(file, &Thing::new(*kind, key))?.is_some() {
                    found.push(Thing::new(*kind, key));
                }
            }
            Ok(found)
        })
    }

    /// Keys of the things of a kind.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn keys(&self, kind: NodeKind) -> Result<Vec<String>, UsageError> {
        self.read(|file| {
            let mut statement =
                file.prepare_cached("SELECT key FROM nodes WHERE kind = ? ORDER BY key")?;
            statement
                .query_map([kind.word()], |row| row.get(0))?
                .collect()
        })
    }

    /// The text that a thing is shown by: the line of a query, where it has one.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn label(&self, thing: &Thing) -> Result<Option<String>, UsageError> {
        self.read(|file| Ok(node(file, thing)?.map(|node| node.label)))
    }

    /// How large the graph is.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn graph_size(&self) -> Result<Size, UsageError> {
        self.read(|file| {
            let count = |of: &str| file.query_row(of, [], |row| row.get::<_, u64>(0));
            let mut nodes = Vec::new();
            for kind in NodeKind::ALL {
                let mut statement =
                    file.prepare_cached("SELECT count(*) FROM nodes WHERE kind = ?")?;
                let of_kind = statement.query_row([kind.word()], |row| row.get(0))?;
                if of_kind > 0 {
                    nodes.push((*kind, of_kind));
                }
            }
            Ok(Size {
                queries: count(RUNS)?,
                nodes,
                edges: count("SELECT count(*) FROM edges")?,
            })
        })
    }
}

/// A node as it is stored.
#[derive(Debug, Clone)]
struct Node {
    id: i64,
    label: String,
    first_seen: i64,
    last_seen: i64,
}

fn node(file: &Connection, thing: &Thing) -> Result<Option<Node>, SqlError> {
    let mut statement = file.prepare_cached(
        "SELECT id, label, first_seen, last_seen FROM nodes WHERE kind = ? AND key = ?",
    )?;
    let found = statement.query_row(params![thing.kind.word(), thing.key], |row| {
        Ok(Node {
            id: row.get(0)?,
            label: row.get(1)?,
            first_seen: row.get(2)?,
            last_seen: row.get(3)?,
        })
    });
    found.optional()
}

/// The thing behind a number of the file, with the text it is shown by: of a query, the line that was asked last, or the shape of
/// its SQL where there is none.
fn thing_at(file: &Connection, id: i64) -> Result<Option<(Thing, String)>, SqlError> {
    let mut statement = file.prepare_cached("SELECT kind, key, label FROM nodes WHERE id = ?")?;
    let found = statement.query_row([id], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
    });
    let found: Option<(String, String, String)> = found.optional()?;
    // Only this room writes kinds.
    let Some((kind, key, label)) = found else {
        return Ok(None);
    };
    let Some(kind) = NodeKind::of_word(&kind) else {
        return Ok(None);
    };
    let label = match kind {
        NodeKind::Query => latest_line(file, id)?.unwrap_or(label),
        _ => label,
    };
    Ok(Some((Thing::new(kind, key), label)))
}

/// The line of the last run of a shape, where it has one.
fn latest_line(file: &Connection, query: i64) -> Result<Option<String>, SqlError> {
    let mut statement = file.prepare_cached(
        "SELECT texts.text FROM latest JOIN queries ON queries.id = latest.query \
         JOIN statements ON statements.id = queries.statement JOIN texts ON texts.id = statements.line \
         WHERE latest.what = 1 AND latest.of = ? AND texts.text <> ''",
    )?;
    statement.query_row([query], |row| row.get(0)).optional()
}
