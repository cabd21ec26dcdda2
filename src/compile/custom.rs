//! Periods of the calendar table: which groupings mean one, and the join that finds the period of a day.

use super::dunder::METRIC_TIME;
use super::key::{Key, time_of};
use super::scope::{Resolved, Scope};
use super::write::Fragment;
use super::{CompileError, CompileOptions, ErrorCode, Reason, ReasonKind};
use crate::model::{
    CalendarPeriod, CalendarTable, ColumnType, Dataset, Dimension, Format, GroupBy, Measure,
    Registry, Relation,
};

/// A period of the calendar table, of a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Custom<'a> {
    pub(super) table: &'a CalendarTable,
    pub(super) period: &'a CalendarPeriod,
    /// The time dimension; `None` is each metric's default.
    pub(super) of: Option<&'a str>,
}

/// The period of the calendar table that a grouping means: it is written like a grain, and takes the place of one of its
/// name.
pub(super) fn custom<'a>(registry: &'a Registry, group: &'a GroupBy) -> Option<Custom<'a>> {
    match group {
        GroupBy::Dimension(name) => named(registry, name),
        GroupBy::Grain { grain, of } => Some(Custom {
            of: of.as_deref(),
            ..named(registry, grain.word())?
        }),
        GroupBy::Part { .. } => None,
    }
}

/// The period of the calendar table that a name means: `fiscal_quarter`, `paid_at.fiscal_quarter`.
pub(super) fn named<'a>(registry: &'a Registry, name: &'a str) -> Option<Custom<'a>> {
    let table = registry.calendar.table.as_ref()?;
    let (period, of) = table.named(name)?;
    let of = of.filter(|of| *of != METRIC_TIME);
    Some(Custom { table, period, of })
}

impl Custom<'_> {
    /// The grouping key of a day's period.
    pub(super) fn key(
        &self,
        group: &GroupBy,
        (measure, is_known): (&Measure, bool),
        scope: &mut Scope<'_>,
        registry: &Registry,
        options: &CompileOptions<'_>,
    ) -> Result<(Fragment, Key), CompileError> {
        let period = self.period;
        let time = time_of(measure, scope, self.of)?;
        let sql = match is_known {
            true => String::new(),
            false => self.column(&time, scope)?,
        };
        let ty = self.column_type(registry);
        let key = Key {
            name: group.to_string().replace('"', ""),
            dimension: None,
            label: match self.of {
                None => period.label.clone(),
                Some(of) => format!("{of} ({})", period.label),
            },
            ty,
            grain: None,
            format: Format::default(),
        };
        Ok((
            Fragment::new(options.dialect.cast(&sql, ty), [period.place]),
            key,
        ))
    }

    /// Its column on the day of a time.
    pub(super) fn column(
        &self,
        time: &Resolved<'_>,
        scope: &mut Scope<'_>,
    ) -> Result<String, CompileError> {
        let (table, period) = (self.table, self.period);
        if scope.values.key_is_unique(&table.table) == Some(false) {
            return Err(several_rows_for_a_day(table));
        }
        scope.note(Reason {
            kind: ReasonKind::Join,
            text: format!(
                "{} comes from {}, joined on the day of {}; days that it does not have are in no {}",
                period.name, table.table, time.dimension.name, period.name
            ),
            place: Some(period.place),
        });
        Ok(scope.calendar(table, &time.sql, &period.column))
    }

    /// The type of its values, where a dataset of the same table says it; else they are shown as text.
    pub(super) fn column_type(&self, registry: &Registry) -> ColumnType {
        self.dimension(registry)
            .map_or(ColumnType::Text, |(_, dimension)| {
                super::key::column_type(dimension.kind)
            })
    }

    /// The dimension of the same column, where a dataset has the same table.
    pub(super) fn dimension<'r>(
        &self,
        registry: &'r Registry,
    ) -> Option<(&'r Dataset, &'r Dimension)> {
        let of_table = registry.datasets.values().filter(|dataset| {
            matches!(&dataset.relation, Relation::Table(table) if *table == self.table.table)
        });
        let mut columns = of_table.flat_map(|dataset| {
            let dimensions = dataset.dimensions.values();
            dimensions.map(move |dimension| (dataset, dimension))
        });
        let column = Some(self.period.column.as_str());
        columns.find(|(_, dimension)| dimension.column.as_deref() == column)
    }

    /// A refusal: something is asked by dates that only the calendar table knows.
    pub(super) fn refusal(&self, group: &GroupBy, why: &str) -> CompileError {
        CompileError::new(
            ErrorCode::InvalidTime,
            format!("{group} is a period of {}: {why}", self.table.table),
        )
        .hint("group by day, or by a grain that the table does not have")
        .word(group.to_string())
    }
}

/// What is known of a calendar table whose days are not unique.
pub(super) fn several_rows_for_a_day(table: &CalendarTable) -> CompileError {
    CompileError::new(
        ErrorCode::InvalidDefinition,
        format!(
            "{} has several rows for a day, which would multiply rows",
            table.table
        ),
    )
    .hint("correct the data, then run metrex reindex")
    .at(table.place)
}
