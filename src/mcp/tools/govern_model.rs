//! `govern_model`: what stands against a model or query, before anybody runs it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::govern::sql::{Finding, Model, Read, Review};
use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, shortened};
use crate::mcp::tool::Tool;
use crate::session::Session;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct GovernModel {
    /// The SELECT, or the dbt model with its tags. It is read, never run.
    sql: String,
    /// Name of the model: some rules depend on it, such as stg_orders and fct_orders.
    #[serde(default)]
    name: Option<String>,
}

/// What was found in a model.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Governed {
    /// Whether nothing stands against it: there are no errors, but there may be warnings.
    passes: bool,
    /// What does not keep to a rule, by place.
    findings: Vec<FindingLine>,
    /// What it reads, by place.
    reads: Vec<ReadLine>,
    /// Whether some findings or reads are missing here.
    truncated: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FindingLine {
    /// error or warning.
    severity: String,
    /// The rule.
    rule: &'static str,
    /// Line, from 1; 0 where the whole is meant.
    line: u32,
    /// Column, from 1.
    column: u32,
    /// What is wrong.
    message: String,
    /// What would be right.
    hint: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReadLine {
    /// As the warehouse or dbt calls it.
    name: String,
    /// canonical, raw, dataset, model, itself or unknown.
    kind: &'static str,
    /// The canonical dataset that it is.
    canonical: Option<String>,
    /// Line, from 1.
    line: u32,
    /// Column, from 1.
    column: u32,
}

impl Tool for GovernModel {
    const NAME: &'static str = "govern_model";
    const TITLE: &'static str = "Check a model or query";
    const DESCRIPTION: &'static str = "Holds a query or dbt model against the project's canonical datasets and rules: raw sources, \
        metrics made again, joins that multiply rows, unknown values. The SQL is read, never run. Call it on every model you write.";
    type Reply = Governed;

    async fn run(self, call: &Call) -> Result<Governed, ToolError> {
        call.ask(move |session| self.govern(session)).await
    }
}

impl GovernModel {
    fn govern(&self, session: &Session) -> Governed {
        let review = session.govern(&Model {
            name: self.name.as_deref().unwrap_or("query"),
            text: &self.sql,
            beside: &[],
        });
        Governed::new(&review)
    }
}

impl Governed {
    fn new(review: &Review) -> Self {
        let mut governed = Self {
            passes: !review.has_errors(),
            findings: review.findings.iter().map(FindingLine::new).collect(),
            reads: review.reads.iter().map(ReadLine::new).collect(),
            truncated: false,
        };
        let whole = (governed.findings.len(), governed.reads.len());
        fit(&mut governed, MAX_BYTES, |reply| {
            shortened(&mut reply.reads) || shortened(&mut reply.findings)
        });
        governed.truncated = whole != (governed.findings.len(), governed.reads.len());
        governed
    }
}

impl FindingLine {
    fn new(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.to_string(),
            rule: finding.rule.word(),
            line: finding.line,
            column: finding.column,
            message: clean(&finding.message),
            hint: finding.hint.as_deref().map(clean),
        }
    }
}

impl ReadLine {
    fn new(read: &Read) -> Self {
        Self {
            name: clean(&read.name),
            kind: read.kind.word(),
            canonical: read.canonical.clone(),
            line: read.line,
            column: read.column,
        }
    }
}
