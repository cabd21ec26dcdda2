//! `compare_periods`: a metric in one range of days against another one.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::call::Call;
use crate::mcp::conditions::Conditions;
use crate::mcp::error::ToolError;
use crate::mcp::parts::{list, optional, query_of};
use crate::mcp::reply::QueryReply;
use crate::mcp::tool::Tool;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct ComparePeriods {
    /// The metric, by name or alias.
    metric: String,
    /// The time range, such as "last month", "2026Q3" or "mtd"; it needs a start and an end.
    time: String,
    /// What it is compared with: "previous period", "previous year", "4 weeks ago", or a range such as "2025Q3".
    compare: String,
    /// Dimensions and at most one time grain; without any, one row.
    #[serde(default)]
    group_by: Vec<String>,
    /// Conditions by dimension, such as {"market": "BR"}.
    #[serde(default)]
    filters: Option<Conditions>,
}

impl Tool for ComparePeriods {
    const NAME: &'static str = "compare_periods";
    const TITLE: &'static str = "Compare two periods";
    const DESCRIPTION: &'static str = "Computes a metric for a time range and for the range it is compared with, and returns both with the \
        difference and the relative change, for each group. Use it for questions such as \"gmv this quarter against last year\". A \
        period that still runs is compared with the same days of the other one.";
    type Reply = QueryReply;

    async fn run(self, call: &Call) -> Result<QueryReply, ToolError> {
        let mut query = query_of(self.metric, &self.filters, Some(&self.time))?;
        query.compare = optional("compare", Some(&self.compare))?;
        query.group_by = Some(list("group_by", &self.group_by)?);
        call.query(query).await
    }
}
