//! A query in parts, as a model writes it, checked part by part and put together.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::conditions::{AsInFilters, Conditions, filter};
use super::error::ToolError;
use crate::model::{Filter, GroupBy, MetricQuery, QueryLineError};

/// The parts of a query. What is left out takes the metric's default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Parts {
    /// The metric, by name or alias, as list_metrics gives it.
    pub(super) metric_name: Option<String>,
    /// Several metrics side by side, instead of metric_name.
    pub(super) metrics: Option<Vec<String>>,
    /// Figures over the rows of the result, each of a metric of the query: "gmv share" (part of the total), "gmv running" (sum so
    /// far), "gmv rank", "gmv moving 7" (mean of the last 7 periods).
    pub(super) show: Option<Vec<String>>,
    /// Dimensions or times whose smallest and largest value are wanted, without a metric, such as ["created_at"].
    pub(super) range_of: Option<Vec<String>>,
    /// Dimensions and at most one time grain (hour, day, week, month, quarter, year), such as ["market", "month"]. [] asks
    /// for one number. Without a metric, their distinct combinations; a time is named then, such as "created_at.month".
    pub(super) group_by: Option<Vec<String>>,
    /// Conditions by dimension, or by metric, such as {"market": "BR", "channel": {"not": ["ads"]}, "gmv": {"gte": 1000}}; or by a
    /// metric of each value of a dimension, such as {"orders per buyer_id": {"gt": 3}}.
    pub(super) filters: Option<Conditions>,
    /// Time range: "last month", "last 6 months" (complete periods before the current one), "this week", "rolling 30 days", "mtd",
    /// "ytd", "2026-10", "2026Q3", "2026-01..2026-03", "since 2026-03", "all time".
    pub(super) time: Option<String>,
    /// What the range is compared with: "previous period", "previous year", "4 weeks ago", or a range such as "2025Q3".
    pub(super) compare: Option<String>,
    /// Sort keys: a column with asc or desc, such as ["gmv desc"].
    pub(super) order: Option<Vec<String>>,
    /// Most rows wanted.
    pub(super) limit: Option<u64>,
    /// Groupings within each of which order and limit apply, such as ["market"] for the first rows of each market.
    pub(super) limit_per: Option<Vec<String>>,
    /// True: the groups beyond the limit are added up into one row "others".
    pub(super) others: Option<bool>,
    /// True: periods without data are rows too. False: only periods with data. Otherwise they are rows where a time grain is the only
    /// grouping.
    pub(super) every_period: Option<bool>,
    /// A dimension by its name, with a condition as in filters: "market": "BR" is short for "filters": {"market": "BR"}.
    #[serde(flatten)]
    #[schemars(with = "std::collections::BTreeMap<String, AsInFilters>")]
    pub(super) overrides: Conditions,
}

impl Parts {
    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The query.
    ///
    /// # Errors
    /// A part does not parse, or a dimension is restricted twice.
    pub(super) fn query(self) -> Result<MetricQuery, ToolError> {
        let mut metrics = self.metrics.unwrap_or_default();
        if let Some(metric) = self.metric_name {
            if !metrics.is_empty() && metrics != [metric.as_str()] {
                return Err(ToolError::new(
                    "bad_argument",
                    "metric_name and metrics name different metrics; one of the two is enough",
                ));
            }
            metrics = vec![metric];
        }
        let groups: Option<Vec<GroupBy>> = self
            .group_by
            .map(|groups| list("group_by", &groups))
            .transpose()?;
        let range_of: Vec<GroupBy> = list("range_of", &self.range_of.unwrap_or_default())?;
        if metrics.is_empty() && range_of.is_empty() && groups.as_ref().is_none_or(Vec::is_empty) {
            return Err(
                ToolError::new("no_metric", "metric_name is missing: which metric?")
                    .with_hint("list_metrics finds metrics by words of their name or description; group_by alone lists values"),
            );
        }
        let mut conditions = self.filters.unwrap_or_default();
        for (field, condition) in self.overrides {
            if conditions.contains_key(&field) {
                return Err(ToolError::new(
                    "bad_argument",
                    format!("'{field}' stands beside filters and in them; once is enough"),
                ));
            }
            conditions.insert(field, condition);
        }
        Ok(MetricQuery {
            metrics,
            show: list("show", &self.show.unwrap_or_default())?,
            range_of,
            group_by: groups,
            filters: filter(&conditions)?,
            time: optional("time", self.time.as_deref())?,
            compare: optional("compare", self.compare.as_deref())?,
            order: list("order", &self.order.unwrap_or_default())?,
            limit: self.limit,
            limit_per: list("limit_per", &self.limit_per.unwrap_or_default())?,
            others: self.others.unwrap_or_default(),
            every_period: self.every_period,
            ..MetricQuery::default()
        })
    }
}

/// A query of one metric over something that is named apart.
pub(super) fn query_of(
    metric: String,
    filters: &Option<Conditions>,
    time: Option<&str>,
) -> Result<MetricQuery, ToolError> {
    let none = Conditions::new();
    let filters: Option<Filter> = filter(filters.as_ref().unwrap_or(&none))?;
    Ok(MetricQuery {
        metrics: vec![metric],
        filters,
        time: optional("time", time)?,
        ..MetricQuery::default()
    })
}

/// Reads an argument in the words of the query line.
pub(super) fn optional<T>(name: &str, text: Option<&str>) -> Result<Option<T>, ToolError>
where
    T: FromStr<Err = QueryLineError>,
{
    text.map(|text| text.parse().map_err(|error| refused(name, text, &error)))
        .transpose()
}

/// Reads a list of such arguments.
pub(super) fn list<T>(name: &str, texts: &[String]) -> Result<Vec<T>, ToolError>
where
    T: FromStr<Err = QueryLineError>,
{
    let texts = texts.iter();
    texts
        .map(|text| text.parse().map_err(|error| refused(name, text, &error)))
        .collect()
}

fn refused(name: &str, text: &str, error: &QueryLineError) -> ToolError {
    let told = ToolError::new(
        "syntax",
        format!("argument '{name}': '{text}': {}", error.message),
    );
    match &error.hint {
        Some(hint) => told.with_hint(hint),
        None => told,
    }
}
