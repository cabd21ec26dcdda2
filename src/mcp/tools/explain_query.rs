//! `explain_query`: what a query means and how it would be answered, without running it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compile::{Compiled, ReasonKind};
use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::parts::Parts;
use crate::mcp::reply::Days;
use crate::mcp::tool::Tool;
use crate::model::MetricQuery;
use crate::session::{Session, SessionError, notes};

#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::mcp) struct ExplainQuery {
    /// The query as one line, such as "gmv by market last month vs previous year"; instead of the other arguments.
    #[serde(default)]
    query: Option<String>,
    #[serde(flatten)]
    parts: Parts,
}

/// What a query means.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Explanation {
    /// The query as one line, with the defaults that applied.
    query: String,
    /// Each metric with its meaning.
    metrics: Vec<Meaning>,
    /// The days the numbers would be for.
    time: Days,
    /// The days they would be compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<Days>,
    /// Why the SQL is as it is: sources, joins, filters, defaults.
    reasons: Vec<ReasonLine>,
    /// What a reader must know beside the rows.
    notes: Vec<String>,
    /// The SQL that would run.
    sql: String,
}

/// A metric with its meaning.
#[derive(Debug, Serialize, JsonSchema)]
struct Meaning {
    /// Name.
    metric: String,
    /// What it is, as one sentence about tables.
    formula: String,
    /// Rules a reader must know.
    business_rules: Vec<String>,
    /// Where it is defined, as file:line.
    defined_at: String,
}

/// A choice that was made.
#[derive(Debug, Serialize, JsonSchema)]
struct ReasonLine {
    /// Which kind.
    kind: Kind,
    /// One sentence.
    text: String,
    /// The definition responsible, as file:line.
    #[serde(skip_serializing_if = "Option::is_none")]
    defined_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Source,
    Join,
    Filter,
    Time,
    Compare,
    Default,
    Note,
}

impl Tool for ExplainQuery {
    const NAME: &'static str = "explain_query";
    const TITLE: &'static str = "Explain a query";
    const DESCRIPTION: &'static str = "What a query means, and how it would be answered: formulas, resolved dates, sources, joins, defaults \
        and the SQL. Runs nothing. Takes a query line, or the same arguments as query_metric.";
    type Reply = Explanation;

    async fn run(self, call: &Call) -> Result<Explanation, ToolError> {
        let query = self.query()?;
        let compiled = call.compile(query).await?;
        call.ask(move |session| explanation(session, &compiled))
            .await?
    }
}

impl ExplainQuery {
    fn query(self) -> Result<MetricQuery, ToolError> {
        let Some(line) = self.query else {
            return self.parts.query();
        };
        if !self.parts.is_empty() {
            return Err(ToolError::new(
                "bad_argument",
                "a query line says everything: leave the other arguments out",
            ));
        }
        Ok(line.parse().map_err(SessionError::from)?)
    }
}

fn explanation(session: &Session, compiled: &Compiled) -> Result<Explanation, ToolError> {
    let catalog = session.catalog();
    let mut metrics = Vec::new();
    for name in &compiled.query.metrics {
        let card = session.describe(name)?;
        metrics.push(Meaning {
            formula: clean(&card.formula),
            business_rules: card.business_rules.iter().map(|rule| clean(rule)).collect(),
            defined_at: card.defined_at,
            metric: card.name,
        });
    }
    let reasons = compiled.reasons.iter().map(|reason| ReasonLine {
        kind: match reason.kind {
            ReasonKind::Source => Kind::Source,
            ReasonKind::Join => Kind::Join,
            ReasonKind::Filter => Kind::Filter,
            ReasonKind::Time => Kind::Time,
            ReasonKind::Compare => Kind::Compare,
            ReasonKind::Default => Kind::Default,
            ReasonKind::Note => Kind::Note,
        },
        text: clean(&reason.text),
        defined_at: reason.place.map(|place| catalog.registry.at(place)),
    });
    Ok(Explanation {
        query: compiled.query.to_string(),
        metrics,
        time: Days::new(compiled.range),
        compared_with: compiled.prior.map(Days::new),
        reasons: reasons.collect(),
        notes: notes(compiled).iter().map(|note| clean(note)).collect(),
        sql: compiled.main.sql.clone(),
    })
}
