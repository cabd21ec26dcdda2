//! `lineage`: what a thing is made from, and what is made from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::govern::lineage::{Direction, Graph};
use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, shortened};
use crate::mcp::tool::Tool;
use crate::session::Session;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Lineage {
    /// A metric, dataset, canonical dataset, table or saved query; "dataset:orders" where a name means several.
    name: String,
}

/// What depends on what around one thing.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Around {
    /// The thing itself, then all it is made from and all that is made from it, the nearest first.
    nodes: Vec<NodeLine>,
    /// How many there are.
    total: usize,
    /// Whether some of them are missing here.
    truncated: bool,
}

/// A thing that depends on others.
#[derive(Debug, Serialize, JsonSchema)]
struct NodeLine {
    /// Its kind and name: "metric:mrr".
    id: String,
    /// The canonical dataset that it is.
    canonical: Option<String>,
    /// draft, published, certified or deprecated, of metrics and canonical datasets.
    status: Option<&'static str>,
    /// What it is made from, by id.
    made_from: Vec<String>,
    /// Where it is defined.
    defined_at: String,
}

impl Tool for Lineage {
    const NAME: &'static str = "lineage";
    const TITLE: &'static str = "Show the lineage";
    const DESCRIPTION: &'static str = "What a metric, dataset or table is made from, and which metrics and saved queries are made from \
        it. Call it before a definition or a table is changed, to see what depends on it.";
    type Reply = Around;

    async fn run(self, call: &Call) -> Result<Around, ToolError> {
        call.ask(move |session| self.around(session)).await?
    }
}

impl Lineage {
    fn around(&self, session: &Session) -> Result<Around, ToolError> {
        let graph = session.lineage();
        let node = session.lineage_node(&graph, &self.name)?;
        let reached = graph.reached(node);
        let mut around = Around {
            total: reached.len(),
            nodes: reached
                .into_iter()
                .filter_map(|node| NodeLine::new(&graph, node))
                .collect(),
            truncated: false,
        };
        fit(&mut around, MAX_BYTES, |around| {
            shortened(&mut around.nodes)
        });
        around.truncated = around.nodes.len() < around.total;
        Ok(around)
    }
}

impl NodeLine {
    fn new(graph: &Graph, node: usize) -> Option<Self> {
        let id = |node: usize| {
            let node = graph.nodes.get(node)?;
            Some(clean(&node.kind.of(&node.name)))
        };
        let here = graph.nodes.get(node)?;
        let from = graph.beside(node, Direction::Up);
        Some(Self {
            id: id(node)?,
            canonical: here.canonical.clone(),
            status: here.status.map(|status| status.word()),
            made_from: from.into_iter().filter_map(id).collect(),
            defined_at: here.at.clone(),
        })
    }
}
