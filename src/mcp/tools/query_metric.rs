//! `query_metric`: metrics by dimensions, for chosen values and days.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::mcp::call::Call;
use crate::mcp::error::ToolError;
use crate::mcp::parts::Parts;
use crate::mcp::reply::QueryReply;
use crate::mcp::tool::Tool;

#[derive(Debug, Deserialize, JsonSchema)]
pub(in crate::mcp) struct QueryMetric {
    #[serde(flatten)]
    parts: Parts,
}

impl Tool for QueryMetric {
    const NAME: &'static str = "query_metric";
    const TITLE: &'static str = "Query a metric";
    const DESCRIPTION: &'static str = "Computes one or more metrics from their governed definitions and returns rows with the SQL and the \
        resolved dates. Metrics, dimensions and values must exist: find them with list_metrics, describe_metric and \
        dimension_values; anything else is refused with what would be valid. Any further argument that is the name of a dimension \
        restricts it, such as \"market\": \"BR\". Without a metric, group_by lists the distinct values of dimensions, and range_of \
        their smallest and largest. At most 200 rows come back; truncated and total_rows say whether there are more.";
    type Reply = QueryReply;

    async fn run(self, call: &Call) -> Result<QueryReply, ToolError> {
        call.query(self.parts.query()?).await
    }
}
