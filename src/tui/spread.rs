//! The window that shows how a metric is spread: across which dimension, and the outlier that is selected.

use jiff::ToSpan;

use super::edit;
use super::look::Look;
use super::state::{Phase, State};
use crate::model::{CompareOp, Filter, Grain, GroupBy, MetricQuery, Period, TimeRange};
use crate::session::plot::{Outlier, Spread};

/// The window.
pub struct SpreadWindow {
    /// The query of the explorer, with nothing but the metric that is spread.
    pub query: MetricQuery,
    /// The query behind what is shown.
    pub look: Look,
    /// The look that may send news.
    pub generation: u64,
    /// What it can be spread across.
    pub across: Vec<GroupBy>,
    /// Which of them it is.
    pub at: usize,
    /// What there is.
    pub spread: Option<Box<Spread>>,
    /// The outlier that is selected.
    pub selected: usize,
    /// How far it is.
    pub phase: Phase,
}

impl SpreadWindow {
    /// The outlier that is selected.
    pub fn outlier(&self) -> Option<&Outlier> {
        self.spread.as_ref()?.outliers.get(self.selected)
    }

    /// What it is spread across, as words.
    pub fn dimension(&self) -> String {
        let across = self.across.get(self.at);
        across.map_or_else(String::new, ToString::to_string)
    }

    /// The query of the explorer with nothing but the selected outlier in it.
    pub fn of_outlier(&self) -> Option<MetricQuery> {
        let outlier = self.outlier()?;
        let mut query = self.query.clone();
        if let Some(GroupBy::Dimension(field)) = self.across.get(self.at) {
            let field = field.clone();
            let only = match &outlier.member {
                Some(value) => Filter::Compare {
                    field,
                    op: CompareOp::Eq,
                    value: value.clone(),
                },
                None => Filter::IsNull {
                    field,
                    negated: false,
                },
            };
            query.filters = Some(match query.filters.take() {
                Some(filters) => filters.and(only),
                None => only,
            });
        }
        if let (Some((start, _)), Some(grain)) = (&outlier.period, grain_of(&self.look.query)) {
            let last = start
                .saturating_add(grain.day_span(1))
                .saturating_sub(1.day());
            query.time = Some(TimeRange::Span(
                Some(Period::Day(*start)),
                Some(Period::Day(last)),
            ));
        }
        Some(query)
    }
}

/// The grain of a query's periods.
fn grain_of(query: &MetricQuery) -> Option<Grain> {
    let mut groups = query.group_by.iter().flatten();
    groups.find_map(|group| match group {
        GroupBy::Grain { grain, of: None } => Some(*grain),
        _ => None,
    })
}

/// The query of the explorer with nothing but the metric under the cursor, or that metric alone where the query is about another.
pub fn query_here(state: &State) -> Option<MetricQuery> {
    let metric = state.metric_here()?.to_owned();
    if !state.query.metrics.contains(&metric) {
        return Some(MetricQuery {
            metrics: vec![metric],
            ..MetricQuery::default()
        });
    }
    let mut query = state.query.clone();
    for other in state.query.metrics.iter().filter(|other| **other != metric) {
        edit::toggle_metric(&mut query, other);
    }
    Some(query)
}

/// What the metric of a query can be spread across: what it is grouped by, then the metric's own groupings, then its dimensions.
pub fn groupings(state: &State, query: &MetricQuery) -> Vec<GroupBy> {
    let registry = &state.catalog.registry;
    let grouped = query.group_by.iter().flatten();
    let usual = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name));
    let usual = usual.flat_map(|metric| &metric.grain);
    let mut found: Vec<GroupBy> = Vec::new();
    let mut take = |group: GroupBy| {
        if !found.contains(&group) {
            found.push(group);
        }
    };
    let is_plain = |group: &&GroupBy| {
        matches!(
            group,
            GroupBy::Dimension(_) | GroupBy::Grain { of: None, .. }
        )
    };
    let grouped = grouped.filter(is_plain);
    let (dimensions, times): (Vec<&GroupBy>, Vec<&GroupBy>) =
        grouped.partition(|group| matches!(group, GroupBy::Dimension(_)));
    dimensions
        .into_iter()
        .chain(times)
        .cloned()
        .for_each(&mut take);
    let usual = usual.filter(|group| matches!(group, GroupBy::Dimension(_)));
    usual.cloned().for_each(&mut take);
    let choices = state.catalog.reach.choices(registry, &query.metrics);
    for choice in choices {
        let dataset = registry.datasets.get(&choice.dataset);
        let dimension = dataset.and_then(|dataset| dataset.dimensions.get(&choice.dimension));
        let is_personal = dimension.is_some_and(|dimension| dimension.pii);
        // Times are spread over their grains.
        if choice.reachable.is_ok() && !choice.kind.is_time() && !is_personal {
            take(GroupBy::Dimension(choice.name));
        }
    }
    found
}

/// The query of a spread: the metric, conditions and time of the explorer's; for each of its periods, where it has any.
pub fn query_across(query: &MetricQuery, across: &GroupBy) -> MetricQuery {
    let mut groups = vec![across.clone()];
    if matches!(across, GroupBy::Dimension(_)) {
        groups.extend(grain_of(query).map(|grain| GroupBy::Grain { grain, of: None }));
    }
    MetricQuery {
        metrics: query.metrics.clone(),
        group_by: Some(groups),
        filters: query.filters.clone(),
        time: query.time,
        ..MetricQuery::default()
    }
}
