//! `describe_metric`: everything about one metric.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mcp::call::Call;
use crate::mcp::error::{ToolError, clean};
use crate::mcp::reply::{MAX_BYTES, fit, shortened, unit};
use crate::mcp::tool::Tool;
use crate::model::{DimensionType, Status};
use crate::session::{Lineage, MetricCard, Session};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct DescribeMetric {
    /// The metric, by name or alias.
    metric: String,
}

/// A metric with its meaning, its rules and its dimensions.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct MetricDescription {
    /// Name.
    metric: String,
    /// Name for people.
    label: String,
    /// What it is, in plain words.
    description: String,
    /// What it is, as one sentence about tables.
    formula: String,
    /// Rules a reader must know.
    business_rules: Vec<String>,
    /// draft, published, certified or deprecated.
    status: Status,
    /// The same with what is to be known of it: changed since certification, the metric to use instead.
    standing: String,
    /// simple, ratio, derived or complex.
    kind: String,
    /// Whether it has hand-written SQL that query_metric may not be able to group and filter; ask can.
    is_complex: bool,
    /// Unit or currency of its numbers; a percent is a share, 0.125 being 12.5%.
    unit: Option<String>,
    /// Shelf in the catalog.
    category: String,
    /// Who answers for it.
    owner: Option<String>,
    /// Date of the last change of meaning.
    last_updated: Option<String>,
    /// Other names.
    aliases: Vec<String>,
    /// Grouping where a query asks for none.
    default_group_by: Vec<String>,
    /// Time range where a query asks for none; null is all time.
    default_time: Option<String>,
    /// What it can be grouped and filtered by; time grains apply to every metric with a time dimension.
    dimensions: Vec<DimensionLine>,
    /// Whether dimensions are missing here.
    truncated: bool,
    /// The ways to compute it, in the order they are tried.
    sources: Vec<SourceLine>,
    /// What it is made from, one line each, indented under what it feeds.
    lineage: Vec<String>,
    /// The alerts on it, a line each: the query, when it fires, how the last check ended. check_alerts checks them.
    alerts: Vec<String>,
    /// How it is used: answered queries of the last 30 days and of the 30 before, and the day of the last one.
    usage: UsageLine,
    /// Where it is defined, as file:line.
    defined_at: String,
}

/// How a metric is used.
#[derive(Debug, Serialize, JsonSchema)]
struct UsageLine {
    /// Answered queries in the last 30 days.
    last_30_days: u64,
    /// Answered queries in the 30 days before.
    previous_30_days: u64,
    /// When it was last asked for.
    last_used: Option<String>,
}

/// A dimension of a metric.
#[derive(Debug, Serialize, JsonSchema)]
struct DimensionLine {
    /// Name; group_by and filters take it.
    dimension: String,
    /// Name for people.
    label: String,
    /// text, number, boolean, date or time.
    #[serde(rename = "type")]
    ty: String,
    /// Dataset it belongs to.
    dataset: String,
    /// Personal data: its values are not listed.
    pii: bool,
}

/// One way to compute a metric.
#[derive(Debug, Serialize, JsonSchema)]
struct SourceLine {
    /// The condition on the query; null always holds.
    use_when: Option<String>,
    /// Datasets it reads.
    datasets: Vec<String>,
}

impl Tool for DescribeMetric {
    const NAME: &'static str = "describe_metric";
    const TITLE: &'static str = "Describe a metric";
    const DESCRIPTION: &'static str = "Everything about one metric: meaning, rules, unit, defaults, the dimensions it can be grouped and \
        filtered by, where it comes from. Call it before query_metric.";
    type Reply = MetricDescription;

    async fn run(self, call: &Call) -> Result<MetricDescription, ToolError> {
        call.ask(move |session| match session.describe(&self.metric) {
            Ok(card) => Ok(MetricDescription::new(session, card)),
            Err(error) => Err(ToolError::unknown_metric(session, &self.metric, error)),
        })
        .await?
    }
}

impl MetricDescription {
    pub(super) fn new(session: &Session, card: MetricCard) -> Self {
        let catalog = session.catalog();
        let is_pii = |dataset: &str, dimension: &str| {
            let dataset = catalog.registry.datasets.get(dataset);
            dataset
                .and_then(|dataset| dataset.dimensions.get(dimension))
                .is_some_and(|dimension| dimension.pii)
        };
        let dimensions = card.dimensions.iter().map(|choice| DimensionLine {
            pii: is_pii(&choice.dataset, &choice.dimension),
            dimension: choice.name.clone(),
            label: clean(&choice.label),
            ty: type_word(choice.kind).to_owned(),
            dataset: choice.dataset.clone(),
        });
        let sources = card.sources.iter().map(|source| SourceLine {
            use_when: source.use_when.clone(),
            datasets: source.datasets.clone(),
        });
        let mut lines = Vec::new();
        lineage(&card.lineage, 0, &mut lines);
        let mut description = Self {
            unit: unit(&card.format),
            label: clean(&card.label),
            description: clean(&card.description),
            formula: clean(&card.formula),
            business_rules: card.business_rules.iter().map(|rule| clean(rule)).collect(),
            status: card.status,
            standing: clean(&card.standing),
            kind: card.kind.to_owned(),
            is_complex: card.snippet.is_some(),
            category: clean(&card.category),
            owner: card.owner.as_deref().map(clean),
            last_updated: card.last_updated.map(|day| day.to_string()),
            aliases: card.aliases.iter().map(|alias| clean(alias)).collect(),
            default_group_by: card.grain,
            default_time: card.window,
            dimensions: dimensions.collect(),
            truncated: false,
            sources: sources.collect(),
            lineage: lines,
            alerts: card
                .alerts
                .iter()
                .map(|alert| clean(&alert.words()))
                .collect(),
            usage: UsageLine {
                last_30_days: card.trend.month,
                previous_30_days: card.trend.before,
                last_used: card.trend.last.map(|last| last.to_string()),
            },
            defined_at: card.defined_at,
            metric: card.name,
        };
        let all = description.dimensions.len();
        fit(&mut description, MAX_BYTES, |it| {
            shortened(&mut it.dimensions) || shortened(&mut it.lineage)
        });
        description.truncated = description.dimensions.len() < all;
        description
    }
}

fn lineage(nodes: &[Lineage], depth: usize, lines: &mut Vec<String>) {
    for node in nodes {
        let indent = "  ".repeat(depth);
        lines.push(format!(
            "{indent}{} {}",
            node.kind.word(),
            clean(&node.name)
        ));
        lineage(&node.from, depth + 1, lines);
    }
}

fn type_word(kind: DimensionType) -> &'static str {
    match kind {
        DimensionType::Text => "text",
        DimensionType::Number => "number",
        DimensionType::Boolean => "boolean",
        DimensionType::Date => "date",
        DimensionType::Time => "time",
    }
}
