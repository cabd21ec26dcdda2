//! `explain_change`: why a number moved, with the hypotheses that were looked at and their evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::conditions::Conditions;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::parts::{optional, query_of};
use crate::mcp::reply::{MAX_BYTES, fit, shortened};
use crate::mcp::tool::Tool;
use crate::session::why::{Budget, NamedCause, NextStep, Node, Row, Verdict, Why, WhyRequest};

/// Rows of evidence of one hypothesis.
const ROWS: usize = 5;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct ExplainChange {
    /// The metric, by name or alias.
    metric: String,
    /// The period that is asked about, such as "last month" or "2026Q3"; otherwise the last whole period.
    #[serde(default)]
    time: Option<String>,
    /// What it is compared with: "previous period", "previous year", "4 weeks ago"; otherwise the period before.
    #[serde(default)]
    compare: Option<String>,
    /// Conditions by dimension, such as {"market": "BR"}.
    #[serde(default)]
    filters: Option<Conditions>,
}

/// Why a number moved.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Explained {
    /// The query line of the number with its comparison.
    query: String,
    /// The earlier and the later period.
    periods: [String; 2],
    /// The number before.
    before: Option<f64>,
    /// The number after.
    after: Option<f64>,
    /// How large the change is, and what is usual.
    change: String,
    /// The answer: the first cause, or that there is no clear one. "No clear cause" is to be told as such.
    answer: String,
    /// The causes that stand out, the one to name first.
    causes: Vec<NamedCause>,
    /// What was looked at, the hypotheses with support first.
    hypotheses: Vec<Hypothesis>,
    /// How many there are.
    total: usize,
    /// Whether some of them are missing here.
    truncated: bool,
    /// What to look at next, as query lines.
    next: Vec<NextStep>,
    /// What a reader must know.
    notes: Vec<String>,
    /// Queries that were run.
    queries: usize,
}

/// A hypothesis.
#[derive(Debug, Serialize, JsonSchema)]
struct Hypothesis {
    /// In words.
    hypothesis: String,
    /// Whether the numbers speak for it, against it, or do not say.
    verdict: Verdict,
    /// What was found.
    says: String,
    /// The query line that shows it.
    query: String,
    /// The numbers.
    evidence: Vec<Evidence>,
}

/// A row of evidence.
#[derive(Debug, Serialize, JsonSchema)]
struct Evidence {
    /// What it is of.
    of: String,
    /// The number before.
    before: Option<f64>,
    /// The number after.
    after: Option<f64>,
    /// What it did to the metric; null where it does not add up.
    effect: Option<f64>,
}

impl Tool for ExplainChange {
    const NAME: &'static str = "explain_change";
    const TITLE: &'static str = "Explain a change";
    const DESCRIPTION: &'static str = "Finds out why a metric moved between two periods: definition changes, missing rows, volume and price, every \
        dimension by contribution, mix and rate, with tests against the usual variation, and the project's own rules. Use it for questions such as \
        \"why did gmv fall last month\" instead of many single queries. Answers \"No clear cause\" where nothing stands out.";
    type Reply = Explained;

    async fn run(self, call: &Call) -> Result<Explained, ToolError> {
        let mut query = query_of(self.metric, &self.filters, self.time.as_deref())?;
        query.compare = optional("compare", self.compare.as_deref())?;
        call.ready().await?;
        let request = WhyRequest {
            query,
            budget: Budget::default(),
            resume: false,
            with_model: false,
        };
        let why = call
            .session
            .why(request, call.cancel.clone(), |_| {})
            .await?;
        Ok(Explained::new(&why))
    }
}

impl Explained {
    fn new(why: &Why) -> Self {
        let nodes = why.tree.walk().into_iter().skip(1).map(|(_, node)| node);
        let mut hypotheses: Vec<&Node> = nodes.collect();
        hypotheses.sort_by_key(|node| match node.verdict {
            Verdict::Supports => 0,
            Verdict::Open => 1,
            Verdict::Refutes => 2,
        });
        let mut explained = Self {
            query: why.line.clone(),
            periods: [why.before.clone(), why.after.clone()],
            before: why.tree.rows.first().and_then(|row| row.before),
            after: why.tree.rows.first().and_then(|row| row.after),
            change: clean(&why.tree.says),
            answer: clean(&why.answer),
            causes: why.causes.clone(),
            total: hypotheses.len(),
            hypotheses: hypotheses.into_iter().map(Hypothesis::new).collect(),
            truncated: false,
            next: why.next.clone(),
            notes: why.notes.iter().map(|note| clean(note)).collect(),
            queries: why.queries,
        };
        fit(&mut explained, MAX_BYTES, |explained| {
            shortened(&mut explained.hypotheses)
        });
        explained.truncated = explained.hypotheses.len() < explained.total;
        explained
    }
}

impl Hypothesis {
    fn new(node: &Node) -> Self {
        let row = |row: &Row| Evidence {
            of: clean(&row.label),
            before: row.before,
            after: row.after,
            effect: row.effect,
        };
        Self {
            hypothesis: clean(&node.hypothesis),
            verdict: node.verdict,
            says: clean(&node.says),
            query: node.line.clone(),
            evidence: node.rows.iter().take(ROWS).map(row).collect(),
        }
    }
}
