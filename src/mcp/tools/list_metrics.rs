//! `list_metrics`: the catalog, or what of it matches some words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, short, shortened};
use crate::mcp::tool::Tool;
use crate::model::{Metric, Status};
use crate::session::{Catalog, ReviewStage, Session};

/// Metrics that are listed where no limit is given, and at most.
const LIMIT: (usize, usize) = (50, 200);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::mcp) struct ListMetrics {
    /// Words that must all occur in a metric's name, label, aliases, description, owner or tags; none lists all.
    search: Option<String>,
    /// Most metrics to list [default: 50, at most 200].
    limit: Option<usize>,
}

/// The metrics found.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct MetricList {
    /// The metrics, best match first.
    metrics: Vec<MetricLine>,
    /// Metrics that match.
    total: usize,
    /// Whether some of them are missing here.
    truncated: bool,
}

/// A metric in brief.
#[derive(Debug, Serialize, JsonSchema)]
struct MetricLine {
    /// Name; every other tool takes it.
    metric: String,
    /// Name for people.
    label: String,
    /// What it is.
    description: String,
    /// Shelf in the catalog.
    category: String,
    /// draft, published, certified or deprecated.
    status: Status,
    /// What more is to be known of that: changed since certification, the metric to use instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<String>,
    /// Other names.
    aliases: Vec<String>,
}

impl Tool for ListMetrics {
    const NAME: &'static str = "list_metrics";
    const TITLE: &'static str = "List metrics";
    const DESCRIPTION: &'static str = "Lists the metrics of this project, or those that match all search words. Call it first, to find the \
        name that the other tools take; prefer certified metrics.";
    type Reply = MetricList;

    async fn run(self, call: &Call) -> Result<MetricList, ToolError> {
        call.ask(move |session| self.list(session)).await
    }
}

impl ListMetrics {
    pub(super) fn list(&self, session: &Session) -> MetricList {
        let catalog = session.catalog();
        let hits = session.search(self.search.as_deref().unwrap_or_default());
        let limit = self.limit.unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
        let metrics = hits
            .iter()
            .take(limit)
            .filter_map(|hit| catalog.registry.metrics.get(&hit.metric))
            .map(|metric| MetricLine::new(metric, &catalog));
        let mut list = MetricList {
            metrics: metrics.collect(),
            total: hits.len(),
            truncated: false,
        };
        fit(&mut list, MAX_BYTES, |list| shortened(&mut list.metrics));
        list.truncated = list.metrics.len() < list.total;
        list
    }
}

impl MetricLine {
    fn new(metric: &Metric, catalog: &Catalog) -> Self {
        let (stage, standing) = (catalog.stage(metric), catalog.standing(metric));
        Self {
            metric: metric.name.clone(),
            label: clean(&metric.label),
            description: short(&metric.description).0,
            category: clean(&metric.category),
            status: metric.status,
            standing: (metric.successor.is_some() || stage == ReviewStage::Changed)
                .then(|| clean(&standing)),
            aliases: metric.aliases.iter().map(|alias| clean(alias)).collect(),
        }
    }
}
