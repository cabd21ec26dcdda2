//! The tools, one file each.

mod ask;
mod check_alerts;
mod compare_periods;
mod describe_metric;
mod dimension_values;
mod explain_change;
mod explain_query;
mod give_feedback;
mod govern_model;
mod lineage;
mod list_metrics;
mod plot_distribution;
mod policy_report;
mod query_metric;
mod rows_behind;
mod suggest_datasets;
mod usage_graph;

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
        Entry::of::<explain_change::ExplainChange>(),
        Entry::of::<check_alerts::CheckAlerts>(),
        Entry::of::<rows_behind::RowsBehind>(),
        Entry::of::<ask::Ask>(),
        Entry::of::<suggest_datasets::SuggestDatasets>(),
        Entry::of::<lineage::Lineage>(),
        Entry::of::<usage_graph::UsageGraph>(),
        Entry::of::<policy_report::PolicyReport>(),
        Entry::of::<govern_model::GovernModel>(),
        Entry::of::<give_feedback::GiveFeedback>(),
    ]
}
