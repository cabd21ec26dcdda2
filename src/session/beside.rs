//! Queries that belong to a result: the same metrics by fewer groups, for subtotals and totals, and per period, for trends.

use crate::compile::Compiled;
use crate::model::{DateRange, Grain, GroupBy, MetricQuery, Presented, Registry};

/// The queries of the subtotals of a result: by its first grouping, by its first two, and so on.
///
/// # Errors
/// Why they would say something else than what is looked for, in words for people.
pub fn subtotal_queries(compiled: &Compiled) -> Result<Vec<MetricQuery>, String> {
    let groups = compiled.query.group_by.as_deref().unwrap_or_default();
    if groups.len() < 2 {
        return Err("subtotals are of the first of two or more groupings".to_owned());
    }
    let by = |count: usize| by_fewer(compiled, groups.iter().take(count));
    (1..groups.len()).map(by).collect()
}

/// The queries of the totals of a result whose values of one grouping, by its place, became columns.
#[derive(Debug, Clone, PartialEq)]
pub struct TotalQueries {
    /// The totals of the rows.
    pub rows: MetricQuery,
    /// The totals of the columns, and of everything; none where all is in one row.
    pub columns: Option<(MetricQuery, MetricQuery)>,
}

/// The queries of the totals of a pivoted result.
///
/// # Errors
/// As for [`subtotal_queries`].
pub fn total_queries(compiled: &Compiled, pivoted: usize) -> Result<TotalQueries, String> {
    let groups = compiled.query.group_by.as_deref().unwrap_or_default();
    let others = groups.iter().enumerate();
    let others = others.filter_map(|(at, group)| (at != pivoted).then_some(group));
    let columns = match groups.len() {
        0 | 1 => None,
        _ => Some((
            by_fewer(compiled, groups.iter().skip(pivoted).take(1))?,
            by_fewer(compiled, std::iter::empty())?,
        )),
    };
    Ok(TotalQueries {
        rows: by_fewer(compiled, others)?,
        columns,
    })
}

/// The query by some of its groupings; or why its rows would not be the totals of those of the result.
fn by_fewer<'a>(
    compiled: &Compiled,
    groups: impl Iterator<Item = &'a GroupBy>,
) -> Result<MetricQuery, String> {
    let query = &compiled.query;
    if let Err(why) = &compiled.totals {
        return Err(why.clone());
    }
    if query.limit.is_some() {
        return Err("the limit leaves rows out that they would count".to_owned());
    }
    let groups: Vec<GroupBy> = groups.cloned().collect();
    let is_time = |group: &GroupBy| matches!(group, GroupBy::Grain { .. });
    let has_time = groups.iter().any(is_time);
    Ok(MetricQuery {
        // A comparison of periods with earlier ones needs the periods, and so does a row for each of them.
        compare: query
            .compare
            .filter(|_| has_time || compiled.prior.is_some()),
        every_period: query.every_period.filter(|_| has_time),
        group_by: Some(groups),
        ..bare(query)
    })
}

/// The query of the trend of each row of a result, with its grain.
///
/// # Errors
/// Why there is none, in words for people.
pub fn trend_query(
    registry: &Registry,
    compiled: &Compiled,
) -> Result<(MetricQuery, Grain), String> {
    let query = &compiled.query;
    if query.metrics.is_empty() {
        return Err("there is no metric whose trend could be shown".to_owned());
    }
    let groups = query.group_by.as_deref().unwrap_or_default();
    if groups
        .iter()
        .any(|group| matches!(group, GroupBy::Grain { .. }))
    {
        return Err("the rows are periods already; a chart shows their trend".to_owned());
    }
    let mut conditions = query.filters.iter().flat_map(|filter| filter.fields());
    if let Some(metric) = conditions.find(|field| registry.metric(field).is_some()) {
        return Err(format!(
            "the condition on {metric} would be asked of each period"
        ));
    }
    let grain = grain(compiled.range);
    let mut groups = groups.to_vec();
    groups.push(GroupBy::Grain { grain, of: None });
    let trend = MetricQuery {
        group_by: Some(groups),
        compare: None,
        show: Vec::new(),
        every_period: Some(false),
        ..bare(query)
    };
    Ok((trend, grain))
}

/// Without what only the rows of the result itself have.
fn bare(query: &MetricQuery) -> MetricQuery {
    let shown = query.show.iter();
    MetricQuery {
        order: Vec::new(),
        limit: None,
        limit_per: Vec::new(),
        others: false,
        total: false,
        // A share is of the same whole; ranks and sums so far are of the rows.
        show: shown
            .filter(|shown| shown.what == Presented::Share)
            .cloned()
            .collect(),
        ..query.clone()
    }
}

/// Steps that make a line of a range: not too few, not too many.
fn grain(range: DateRange) -> Grain {
    match range.days() {
        Some(..=24) => Grain::Day,
        Some(25..=168) => Grain::Week,
        Some(169..=730) | None => Grain::Month,
        Some(731..=2200) => Grain::Quarter,
        Some(2201..) => Grain::Year,
    }
}
