//! What a number does not add up over, where a question splits it by something else: shown apart, and said.

use super::Setting;
use super::follow_up::conditions;
use super::resolve::values_of;
use crate::model::{DateRange, Filter, GroupBy, MetricQuery, TimeRange};

/// Adds the groups that a query needs beside its own, and says so; they come back with the metric that needs each.
pub(super) fn show_apart(
    query: &mut MetricQuery,
    setting: &Setting<'_>,
    notes: &mut Vec<String>,
) -> Vec<(String, GroupBy)> {
    let needed = needed(query, setting);
    for (metric, group) in &needed {
        notes.push(format!(
            "by {group} too: {metric} does not add up over several of them"
        ));
        query.group_by.get_or_insert_default().push(group.clone());
    }
    needed
}

/// The groups that a query needs beside its own, each with the metric that needs it: credit by channel is credit by channel
/// and method. None for a ranking or a share, which would be one over all of them.
fn needed(query: &MetricQuery, setting: &Setting<'_>) -> Vec<(String, GroupBy)> {
    let Some(groups) = query.group_by.as_ref().filter(|groups| !groups.is_empty()) else {
        return Vec::new();
    };
    if query.limit.is_some() || !query.order.is_empty() || !query.show.is_empty() {
        return Vec::new();
    }
    let registry = setting.registry;
    let mut all: Vec<(String, GroupBy)> = Vec::new();
    for metric in &query.metrics {
        let metric = registry.metric(metric);
        let analysis = metric.and_then(|metric| Some((metric, registry.analysis_of(metric)?)));
        let Some((metric, analysis)) = analysis else {
            continue;
        };
        let time = query.time.or(metric.window).unwrap_or(TimeRange::AllTime);
        let range = time.resolve(setting.today, registry.calendar.week_start);
        for per in analysis.per(&metric.name) {
            let is_settled = match per {
                GroupBy::Grain { grain, .. } => {
                    let is_one = |range: DateRange| match (range.start, range.end) {
                        (Some(start), Some(end)) => start.saturating_add(grain.span(1)) >= end,
                        _ => false,
                    };
                    is_one(range) || groups.iter().any(super::reader::is_grain)
                }
                GroupBy::Part { .. } => true,
                GroupBy::Dimension(name) => {
                    let filters = conditions(query.filters.clone());
                    groups.contains(per) || filters.iter().any(|filter| leaves_one(filter, name))
                }
            };
            if !is_settled && !all.iter().any(|(_, known)| known == per) {
                all.push((metric.name.clone(), per.clone()));
            }
        }
    }
    all
}

fn leaves_one(filter: &Filter, name: &str) -> bool {
    let is_meant = |field: &&str| field.rsplit('.').next() == Some(name);
    filter.fields().iter().all(is_meant)
        && values_of(filter).is_some_and(|(values, negated)| values.len() == 1 && !negated)
}
