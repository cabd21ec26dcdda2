//! `rows_behind_number`: the rows of the warehouse that a number is computed from, and what they add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compile::NumberOf;
use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, QueryReply};
use crate::mcp::tool::Tool;
use crate::model::MetricQuery;
use crate::session::{PartCard, SessionError, part_of};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct RowsBehind {
    /// The query with the number as one line, as the replies of query_metric give it: "gmv by market, month last 6 months".
    query: String,
    /// The row of the number: each grouping of the query with its value there, null for NULL, such as {"market": "BR", "month":
    /// "2026-10-01"}. Of a grouping that is left out, all groups count.
    #[serde(default)]
    at: BTreeMap<String, Option<String>>,
    /// The column of the number, such as "gmv" or "gmv_prior"; otherwise the first metric.
    #[serde(default)]
    column: Option<String>,
    /// Which of its aggregations, where the number is computed from several, by its name in `parts`; otherwise the first.
    #[serde(default)]
    part: Option<String>,
}

/// The rows behind a number.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Rows {
    /// The aggregations that the number is computed from.
    parts: Vec<Part>,
    /// The one whose rows these are.
    part: String,
    /// Dimensions that are left out, being personal data.
    left_out: Vec<String>,
    /// The rows; the column named like the part is what each of them adds.
    rows: QueryReply,
}

/// An aggregation of rows.
#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    /// Its name.
    name: String,
    /// What it is, as one sentence about tables.
    formula: String,
    /// Its value over all of its rows, as the warehouse says; null where there are none.
    value: Option<String>,
    /// How many rows it is of.
    rows: u64,
    /// The SQL of the value.
    sql: String,
}

impl From<PartCard> for Part {
    fn from(card: PartCard) -> Self {
        Self {
            name: card.name,
            formula: clean(&card.reading),
            value: card.raw,
            rows: card.rows,
            sql: card.sql,
        }
    }
}

impl Tool for RowsBehind {
    const NAME: &'static str = "rows_behind_number";
    const TITLE: &'static str = "Rows behind a number";
    const DESCRIPTION: &'static str = "The rows of the warehouse that one number of a query is computed from, what each of them adds, and what they add up to. \
        Refused with the reason where no rows add up to the number (windows of snapshots, conversions). At most 200 rows come back.";
    type Reply = Rows;

    async fn run(self, call: &Call) -> Result<Rows, ToolError> {
        let query: MetricQuery = self.query.parse().map_err(SessionError::from)?;
        let number = NumberOf {
            column: self.column,
            at: self.at.into_iter().collect(),
        };
        call.ready().await?;
        let connection = call.session.connection();
        let behind = call
            .ask(move |session| {
                session.behind(&query, &number).map_err(|error| {
                    let refusal = session.refusal(error);
                    ToolError::of_query(session, &query, refusal)
                })
            })
            .await??;
        let mut parts = Vec::new();
        for part in &behind.parts {
            parts.push(Part::from(call.session.part(part, &call.cancel).await?));
        }
        let chosen = part_of(behind.parts, self.part.as_deref())?;
        let mut compiled = chosen.compiled;
        compiled.query.total = false;
        let rows = call.run(Arc::new(compiled), &connection, MAX_BYTES).await?;
        Ok(Rows {
            parts,
            part: chosen.name,
            left_out: chosen.left_out,
            rows,
        })
    }
}
