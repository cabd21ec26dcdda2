//! Periods of the calendar table: which groupings mean one, and the join that finds the period of a day.

use super::key::{Key, time_of};
use super::scope::Scope;
use super::write::Fragment;
use super::{CompileError, CompileOptions, ErrorCode, Reason, ReasonKind};
use crate::model::{
    CalendarPeriod, CalendarTable, ColumnType, Format, GroupBy, Measure, Registry, Relation,
};

/// A period of the calendar table, of a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Custom<'a> {
    table: &'a CalendarTable,
    period: &'a CalendarPeriod,
    /// The time dimension; `None` is each metric's default.
    pub(super) of: Option<&'a str>,
}

/// The period of the calendar table that a grouping means: it is written like a grain, and takes the place of one of its
/// name.
pub(super) fn custom<'a>(registry: &'a Registry, group: &'a GroupBy) -> Option<Custom<'a>> {
    let table = registry.calendar.table.as_ref()?;
    let (name, of) = match group {
        GroupBy::Dimension(name) => match name.rsplit_once('.') {
            Some((of, period)) => (period, Some(of)),
            None => (name.as_str(), None),
        },
        GroupBy::Grain { grain, of } => (grain.word(), of.as_deref()),
        GroupBy::Part { .. } => return None,
    };
    let period = table.periods.get(name)?;
    Some(Custom { table, period, of })
}

impl Custom<'_> {
    /// The grouping key of a day's period.
    pub(super) fn key(
        &self,
        group: &GroupBy,
        measure: &Measure,
        scope: &mut Scope<'_>,
        registry: &Registry,
        options: &CompileOptions<'_>,
    ) -> Result<(Fragment, Key), CompileError> {
        let (table, period) = (self.table, self.period);
        if options.values.key_is_unique(&table.table) == Some(false) {
            return Err(CompileError::new(
                ErrorCode::InvalidDefinition,
                format!(
                    "{} has several rows for a day, which would multiply rows",
                    table.table
                ),
            )
            .hint("correct the data, then run metrex reindex")
            .at(table.place));
        }
        let time = time_of(measure, scope, self.of)?;
        let sql = scope.calendar(table, &time.sql, &period.column);
        scope.note(Reason {
            kind: ReasonKind::Join,
            text: format!(
                "{} comes from {}, joined on the day of {}; days that it does not have are in no {}",
                period.name, table.table, time.dimension.name, period.name
            ),
            place: Some(period.place),
        });
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

    /// The type of its values, where a dataset of the same table says it; else they are shown as text.
    fn column_type(&self, registry: &Registry) -> ColumnType {
        let of_table = registry.datasets.values().filter(|dataset| {
            matches!(&dataset.relation, Relation::Table(table) if *table == self.table.table)
        });
        let mut columns = of_table.flat_map(|dataset| dataset.dimensions.values());
        let column = Some(self.period.column.as_str());
        let found = columns.find(|dimension| dimension.column.as_deref() == column);
        found.map_or(ColumnType::Text, |dimension| {
            super::key::column_type(dimension.kind)
        })
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
