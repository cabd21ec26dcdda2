//! What a question wants, in the words of metric queries: the one form that both extractors return and the pickers edit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Comparison, Filter, Grain, GroupBy, MetricQuery, OrderBy, Shown, TimeRange};

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntentKind {
    /// A number.
    #[default]
    Query,
    /// A number against another one.
    Compare,
    /// A number over time.
    Trend,
    /// A number per group.
    Breakdown,
    /// The groups that rank first or last.
    Top,
    /// The values of a dimension, or, without one, the metrics there are. No query.
    List,
    /// What a metric means. No query.
    Explain,
    /// Why a number has moved; the query is that of the number. No model is asked for it, and none is told of it.
    #[schemars(skip)]
    Why,
}

/// What a question wants. Fields that are not known are refused, so that nothing a model writes is dropped in silence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Intent {
    /// The kind of answer.
    pub intent: IntentKind,
    /// Metric names.
    pub metrics: Vec<String>,
    /// Groupings; `null` uses the metrics' default grouping, `[]` none at all.
    #[schemars(with = "Option<Vec<String>>")]
    pub group_by: Option<Vec<GroupBy>>,
    /// Conditions, as text: `channel in (ads, organic) and market != BR`.
    #[schemars(with = "Option<String>")]
    pub filters: Option<Filter>,
    /// Time range, as text: `last 6 months`; `null` uses the metrics' default.
    #[schemars(with = "Option<String>")]
    pub time: Option<TimeRange>,
    /// Grain of a trend; one more grouping.
    pub grain: Option<Grain>,
    /// Comparison, as text: `previous year`.
    #[schemars(with = "Option<String>")]
    pub compare: Option<Comparison>,
    /// Sort keys, as text: `gmv desc`.
    #[schemars(with = "Vec<String>")]
    pub order: Vec<OrderBy>,
    /// Most rows wanted.
    pub limit: Option<u64>,
    /// Whether a row with the total is wanted.
    pub total: bool,
    /// Figures over the rows of the result, as text: `gmv share`.
    #[schemars(with = "Vec<String>")]
    pub show: Vec<Shown>,
    /// Groupings within which `order` and `limit` apply.
    #[schemars(with = "Vec<String>")]
    pub limit_per: Vec<GroupBy>,
    /// Whether the rows beyond the limit are one row `others`.
    pub others: bool,
    /// `true`: periods without rows are rows too; `false`: only periods with rows.
    pub every_period: Option<bool>,
}

impl Intent {
    /// The metric query that answers it.
    pub fn query(&self) -> MetricQuery {
        let mut group_by = self.group_by.clone();
        if let Some(grain) = self.grain {
            let grouping = GroupBy::Grain { grain, of: None };
            let groups = group_by.get_or_insert_default();
            if !groups.contains(&grouping) {
                groups.push(grouping);
            }
        }
        MetricQuery {
            metrics: self.metrics.clone(),
            group_by,
            filters: self.filters.clone(),
            time: self.time,
            compare: self.compare,
            order: self.order.clone(),
            limit: self.limit,
            total: self.total,
            show: self.show.clone(),
            limit_per: self.limit_per.clone(),
            others: self.others,
            every_period: self.every_period,
            // No question asks for it in words.
            range_of: Vec::new(),
        }
    }
}

/// The intent that a query has by its parts; its grain stays among the groupings.
impl From<&MetricQuery> for Intent {
    fn from(query: &MetricQuery) -> Self {
        let groups = query.group_by.as_deref().unwrap_or_default();
        let is_trend = groups
            .iter()
            .any(|group| matches!(group, GroupBy::Grain { .. }));
        let intent = if query.compare.is_some() {
            IntentKind::Compare
        } else if query.limit.is_some() && !query.order.is_empty() {
            IntentKind::Top
        } else if is_trend {
            IntentKind::Trend
        } else if !groups.is_empty() {
            IntentKind::Breakdown
        } else {
            IntentKind::Query
        };
        Self {
            intent,
            metrics: query.metrics.clone(),
            group_by: query.group_by.clone(),
            filters: query.filters.clone(),
            time: query.time,
            grain: None,
            compare: query.compare,
            order: query.order.clone(),
            limit: query.limit,
            total: query.total,
            show: query.show.clone(),
            limit_per: query.limit_per.clone(),
            others: query.others,
            every_period: query.every_period,
        }
    }
}
