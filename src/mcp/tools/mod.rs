//! The tools, one file each.

mod ask;
mod compare_periods;
mod describe_metric;
mod dimension_values;
mod explain_query;
mod list_metrics;
mod plot_distribution;
mod query_metric;
mod rows_behind;

use super::tool::Entry;

/// Every tool, in the order agents see them.
pub(super) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<list_metrics::ListMetrics>(),
        Entry::of::<describe_metric::DescribeMetric>(),
        Entry::of::<dimension_values::DimensionValues>(),
        Entry::of::<query_metric::QueryMetric>(),
        Entry::of::<compare_periods::ComparePeriods>(),
        Entry::of::<plot_distribution::PlotDistribution>(),
        Entry::of::<explain_query::ExplainQuery>(),
        Entry::of::<rows_behind::RowsBehind>(),
        Entry::of::<ask::Ask>(),
    ]
}
