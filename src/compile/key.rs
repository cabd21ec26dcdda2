//! Grouping keys and result types: dimensions, time grains, and what an aggregate returns.

use super::scope::Scope;
use super::write::Fragment;
use super::{CompileError, CompileOptions, ErrorCode};
use crate::model::{
    Aggregate, ColumnType, Dataset, DimensionType, Format, Grain, GroupBy, Measure, Place, Registry,
};
use crate::warehouse::Shift;

/// A grouping key of the result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) ty: ColumnType,
    pub(super) grain: Option<Grain>,
    pub(super) format: Format,
}

/// The time dimension of a measure (or the one named) as SQL.
pub(super) fn time_of(
    measure: &Measure,
    scope: &mut Scope<'_>,
    of: Option<&str>,
) -> Result<(String, Place), CompileError> {
    let Some(name) = of
        .or(measure.time.as_deref())
        .or(scope.base.time.as_deref())
    else {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!(
                "{} has no time dimension, so it has no periods",
                measure.dataset
            ),
        )
        .hint("ask for all time without a time grain, or give the dataset a 'time:'")
        .at(scope.base.place));
    };
    let found = scope.dimension(name)?;
    if !found.dimension.kind.is_time() {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("{name} is no time dimension"),
        )
        .word(name));
    }
    Ok((found.sql, found.dimension.place))
}

/// One grouping key: its SQL, its description, and a condition where a comparison leaves days without a counterpart.
pub(super) fn key(
    group: &GroupBy,
    measure: &Measure,
    scope: &mut Scope<'_>,
    registry: &Registry,
    options: &CompileOptions<'_>,
    shift: Option<Shift>,
) -> Result<(Fragment, Key, Option<Fragment>), CompileError> {
    let dialect = options.dialect;
    match group {
        GroupBy::Dimension(name) => {
            let found = scope.dimension(name)?;
            let ty = column_type(found.dimension.kind);
            let key = Key {
                name: name.clone(),
                label: found.dimension.label.clone(),
                ty,
                grain: None,
                format: found.dimension.format.clone(),
            };
            // Several aggregations are stacked: the column types must be equal on engines that insist.
            let sql = if ty == ColumnType::Text {
                dialect.as_text(&found.sql)
            } else {
                found.sql
            };
            Ok((Fragment::new(sql, [found.dimension.place]), key, None))
        }
        GroupBy::Grain { grain, of } => {
            let (sql, place) = time_of(measure, scope, of.as_deref())?;
            let kind = match of
                .as_deref()
                .or(measure.time.as_deref())
                .or(scope.base.time.as_deref())
            {
                Some(name) => scope.dimension(name)?.dimension.kind,
                None => DimensionType::Time,
            };
            if *grain == Grain::Hour && kind == DimensionType::Date {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!(
                        "{group}: the time dimension of {} is a date and has no hours",
                        measure.dataset
                    ),
                )
                .word(group.to_string()));
            }
            let start = dialect.trunc(&sql, *grain, registry.calendar.week_start);
            let (moved, condition) = match shift {
                None => (start, None),
                Some(Shift::Days(days)) if *grain == Grain::Hour => {
                    (dialect.shift_timestamp(&start, days), None)
                }
                Some(by) => {
                    let condition = match by {
                        Shift::Months(months) if *grain == Grain::Day => Some(Fragment::new(
                            dialect.has_counterpart(&start, months),
                            [place],
                        )),
                        _ => None,
                    };
                    (dialect.shift(&start, by), condition)
                }
            };
            let name = group.to_string().replace('"', "");
            let word = grain.word();
            let label = match of {
                None => format!(
                    "{}{}",
                    word.get(..1).unwrap_or_default().to_uppercase(),
                    word.get(1..).unwrap_or_default()
                ),
                Some(of) => format!("{of} ({word})"),
            };
            let ty = if *grain == Grain::Hour {
                ColumnType::Timestamp
            } else {
                ColumnType::Date
            };
            let key = Key {
                name,
                label,
                ty,
                grain: Some(*grain),
                format: Format::default(),
            };
            Ok((Fragment::new(moved, [place]), key, condition))
        }
    }
}

fn column_type(kind: DimensionType) -> ColumnType {
    match kind {
        DimensionType::Text => ColumnType::Text,
        DimensionType::Number => ColumnType::Number,
        DimensionType::Boolean => ColumnType::Boolean,
        DimensionType::Date => ColumnType::Date,
        DimensionType::Time => ColumnType::Timestamp,
    }
}

/// Counts are integers; the smallest and largest of a dimension keep its type; everything else is a number.
pub(super) fn leaf_type(measure: &Measure, base: &Dataset) -> ColumnType {
    match measure.agg {
        Aggregate::Count | Aggregate::CountDistinct => ColumnType::Integer,
        Aggregate::Min | Aggregate::Max => measure
            .expr
            .as_ref()
            .and_then(|expr| {
                let text = expr.text.trim();
                base.dimensions.get(text).or_else(|| {
                    base.dimensions
                        .values()
                        .find(|dimension| dimension.column.as_deref() == Some(text))
                })
            })
            .filter(|dimension| dimension.kind.is_time())
            .map_or(ColumnType::Number, |dimension| column_type(dimension.kind)),
        Aggregate::Sum | Aggregate::Avg | Aggregate::Percentile(_) => ColumnType::Number,
    }
}
