//! Grouping keys and result types: dimensions, time grains, and what an aggregate returns.

use super::custom::custom;
use super::scope::{Resolved, Scope};
use super::write::Fragment;
use super::{CompileError, CompileOptions, ErrorCode};
use crate::model::{
    Aggregate, ColumnType, Conventions, Dataset, DatePart, Dimension, DimensionType, Format, Grain,
    GroupBy, Measure, Registry,
};
use crate::warehouse::Shift;

/// A grouping key of the result.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    /// The dimension that the name stands for; `None` for time grains.
    pub(super) dimension: Option<String>,
    pub(super) label: String,
    pub(super) ty: ColumnType,
    pub(super) grain: Option<Grain>,
    pub(super) format: Format,
}

/// The time dimension of a measure (or the one named) as SQL.
pub(super) fn time_of<'a>(
    measure: &Measure,
    scope: &mut Scope<'a>,
    of: Option<&str>,
) -> Result<Resolved<'a>, CompileError> {
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
        .hint(times(scope.base))
        .word(name));
    }
    Ok(found)
}

/// What a dataset has that is a time.
fn times(dataset: &Dataset) -> String {
    let dimensions = dataset.dimensions.values();
    let times = dimensions.filter(|dimension| dimension.kind.is_time());
    let names: Vec<&str> = times.map(|dimension| dimension.name.as_str()).collect();
    match names.as_slice() {
        [] => format!(
            "{} has no times: declare one with 'type: time'",
            dataset.name
        ),
        names => format!("times of {}: {}", dataset.name, names.join(", ")),
    }
}

/// A grouping of a leg.
pub(super) struct Asked<'a> {
    pub(super) group: &'a GroupBy,
    pub(super) measure: &'a Measure,
    /// Distance of the rows from the periods they count for.
    pub(super) shift: Option<Shift>,
    /// The period that a row is repeated for, as SQL, where windows are joined.
    pub(super) period: Option<&'a str>,
    /// The key as it stands, where the calendar table says what day a row counts for.
    pub(super) shown: Option<String>,
    /// Whether the shift is the offset of an input, whose rows count for the day they are moved to.
    pub(super) is_offset: bool,
}

/// One grouping key: its SQL, its description, and a condition where a comparison leaves days without a counterpart.
pub(super) fn key(
    asked: &Asked<'_>,
    scope: &mut Scope<'_>,
    registry: &Registry,
    options: &CompileOptions<'_>,
) -> Result<(Fragment, Key, Option<Fragment>), CompileError> {
    let &Asked {
        group,
        measure,
        shift,
        period,
        is_offset,
        ..
    } = asked;
    let dialect = options.dialect;
    if let Some(shown) = &asked.shown {
        let at_rest = Asked {
            shown: None,
            shift: None,
            period: Some(""),
            ..*asked
        };
        let (sql, key, _) = key(&at_rest, scope, registry, options)?;
        return Ok((Fragment::new(shown.as_str(), sql.places), key, None));
    }
    if let Some(custom) = custom(registry, group)
        && custom.of.is_none_or(|of| scope.is_time(of))
    {
        let by_days = is_offset && matches!(shift, Some(Shift::Days(_) | Shift::Seconds(_)));
        let is_metricflow = registry.conventions == Conventions::Metricflow;
        if shift.is_some() && !(by_days || is_metricflow) {
            return Err(custom.refusal(
                group,
                "it cannot be lined up with earlier dates, since periods differ in length",
            ));
        }
        let (sql, key) =
            custom.key(group, (measure, period.is_some()), scope, registry, options)?;
        return Ok((sql, key, None));
    }
    match group {
        GroupBy::Dimension(name) => {
            let found = scope.dimension(name)?;
            if shift.is_some() && found.dimension.kind.is_time() {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!("the values of {name} in the two ranges of a comparison never meet"),
                )
                .hint("group by a grain: day, week, month")
                .word(name));
            }
            let ty = column_type(found.dimension.kind);
            let key = Key {
                name: name.clone(),
                dimension: Some(found.dimension.name.clone()),
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
        GroupBy::Part { part, of } => {
            let time = time_of(measure, scope, of.as_deref())?;
            if *part == DatePart::HourOfDay && time.dimension.kind == DimensionType::Date {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!(
                        "{group}: the time dimension of {} is a date and has no hours",
                        measure.dataset
                    ),
                )
                .hint("take a part of the day or longer: weekday, day_of_month, month_of_year")
                .word(group.to_string()));
            }
            let key = Key {
                name: group.to_string().replace('"', ""),
                dimension: None,
                label: part.word().replace('_', " "),
                ty: ColumnType::Integer,
                grain: None,
                format: Format::default(),
            };
            // Mondays are compared with Mondays, but January with the month that the comparison puts beside it.
            let at = match (shift, period, part.period()) {
                (_, Some(period), _) => period.to_owned(),
                (Some(by @ (Shift::Days(_) | Shift::Seconds(_))), None, _) if is_offset => {
                    dialect.shift_timestamp(&time.sql, by)
                }
                (Some(by), None, Some(grain)) => {
                    let unit = if matches!(by, Shift::Months(_)) {
                        grain
                    } else {
                        Grain::Day
                    };
                    let start = dialect.trunc(&time.sql, unit, registry.calendar.week_start);
                    dialect.shift(&start, by)
                }
                (_, None, _) => time.sql,
            };
            let sql = dialect.date_part(&at, *part);
            Ok((Fragment::new(sql, [time.dimension.place]), key, None))
        }
        GroupBy::Grain { grain, of } => {
            let time = time_of(measure, scope, of.as_deref())?;
            let (sql, place, kind) = (time.sql, time.dimension.place, time.dimension.kind);
            if grain.is_sub_day() && kind == DimensionType::Date {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    format!(
                        "{group}: the time dimension of {} is a date and has no {grain}s",
                        measure.dataset
                    ),
                )
                .hint("group by day or longer")
                .word(group.to_string()));
            }
            let start = dialect.trunc(period.unwrap_or(&sql), *grain, registry.calendar.week_start);
            let (moved, condition) = match shift {
                _ if period.is_some() => (start, None),
                None => (start, None),
                Some(by) if grain.is_sub_day() || matches!(by, Shift::Seconds(_)) => {
                    let moved = dialect.shift_timestamp(&sql, by);
                    (
                        dialect.trunc(&moved, *grain, registry.calendar.week_start),
                        None,
                    )
                }
                // Days that are no whole periods: the day itself is moved, and then the period is that of where it lands.
                Some(by @ Shift::Days(days))
                    if *grain > Grain::Week || (*grain == Grain::Week && days % 7 != 0) =>
                {
                    let day = dialect.trunc(&sql, Grain::Day, registry.calendar.week_start);
                    let moved = dialect.shift(&day, by);
                    (
                        dialect.trunc(&moved, *grain, registry.calendar.week_start),
                        None,
                    )
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
            let ty = if grain.is_sub_day() {
                ColumnType::Timestamp
            } else {
                ColumnType::Date
            };
            let key = Key {
                name,
                dimension: None,
                label,
                ty,
                grain: Some(*grain),
                format: Format::default(),
            };
            Ok((Fragment::new(moved, [place]), key, condition))
        }
    }
}

pub(super) fn column_type(kind: DimensionType) -> ColumnType {
    match kind {
        DimensionType::Text => ColumnType::Text,
        DimensionType::Number => ColumnType::Number,
        DimensionType::Boolean => ColumnType::Boolean,
        DimensionType::Date => ColumnType::Date,
        DimensionType::Time => ColumnType::Timestamp,
    }
}

/// Counts are integers; the smallest and largest of a dimension keep its type; everything else is a number.
pub(super) fn leaf_type(
    measure: &Measure,
    scope: &mut Scope<'_>,
) -> Result<ColumnType, CompileError> {
    match measure.agg {
        Aggregate::Count | Aggregate::CountDistinct | Aggregate::SumBoolean => {
            return Ok(ColumnType::Integer);
        }
        Aggregate::Sum
        | Aggregate::Avg
        | Aggregate::Percentile(_)
        | Aggregate::Stddev
        | Aggregate::StddevPopulation
        | Aggregate::Variance
        | Aggregate::VariancePopulation => {
            return Ok(ColumnType::Number);
        }
        Aggregate::Min | Aggregate::Max | Aggregate::PercentileDiscrete(_) => {}
    }
    let Some(expr) = &measure.expr else {
        return Ok(ColumnType::Number);
    };
    let text = expr.text.trim();
    let by_column = |dimension: &&Dimension| dimension.column.as_deref() == Some(text);
    let kind = match scope.base.dimensions.values().find(by_column) {
        Some(dimension) => Some(dimension.kind),
        None => scope.dimension(text).ok().map(|found| found.dimension.kind),
    };
    match kind {
        Some(DimensionType::Boolean) => Err(CompileError::new(
            ErrorCode::InvalidDefinition,
            format!("{text} is true or false and has no smallest or largest value"),
        )
        .hint("count the rows where it holds")
        .at(expr.place)),
        Some(kind) => Ok(column_type(kind)),
        None => Ok(ColumnType::Number),
    }
}
