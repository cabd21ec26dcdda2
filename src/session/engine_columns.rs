//! Columns of SQL that was not compiled here: what the engine returned, and what the query calls it.

use arrow_schema::{DataType, Field, Schema};

use crate::compile::{OutputColumn, Role};
use crate::model::{ColumnType, Format, GroupBy, MetricQuery, Registry};

/// The columns of a result. What is named as a metric or a grouping of the query is shown as one.
pub(super) fn named_columns(
    registry: &Registry,
    query: &MetricQuery,
    schema: &Schema,
) -> Vec<OutputColumn> {
    let column = |field: &std::sync::Arc<Field>| column(registry, query, field);
    schema.fields().iter().map(column).collect()
}

fn column(registry: &Registry, query: &MetricQuery, field: &Field) -> OutputColumn {
    let name = field.name();
    let ty = column_type(field.data_type());
    let metric = query
        .metrics
        .iter()
        .find(|metric| *metric == name)
        .and_then(|metric| registry.metric(metric));
    let group = query
        .group_by
        .iter()
        .flatten()
        .find(|group| group.to_string() == *name);
    let is_number = matches!(ty, ColumnType::Integer | ColumnType::Number);
    let label = match (metric, group) {
        (Some(metric), _) => metric.label.clone(),
        (None, Some(GroupBy::Dimension(dimension))) => {
            let own = dimension.rsplit('.').next().unwrap_or(dimension);
            let mut datasets = registry.datasets.values();
            let found = datasets.find_map(|dataset| dataset.dimension(own));
            found.map_or_else(|| name.clone(), |found| found.label.clone())
        }
        _ => name.clone(),
    };
    OutputColumn {
        name: name.clone(),
        label,
        role: match (metric, group) {
            (Some(_), _) => Role::Metric,
            (None, None) if is_number => Role::Metric,
            _ => Role::Group,
        },
        ty,
        format: metric.map_or_else(Format::default, |metric| metric.format.clone()),
        grain: match group {
            Some(GroupBy::Grain { grain, .. })
                if matches!(ty, ColumnType::Date | ColumnType::Timestamp) =>
            {
                Some(*grain)
            }
            _ => None,
        },
        additive: false,
    }
}

/// The type behind an Arrow type; the warehouse returns no others.
fn column_type(ty: &DataType) -> ColumnType {
    match ty {
        DataType::Int64 => ColumnType::Integer,
        DataType::Float64 => ColumnType::Number,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        _ => ColumnType::Text,
    }
}
