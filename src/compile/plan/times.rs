//! The time that a measure is counted by: which groupings and conditions are about it.

use super::{Column, Context, Planner};
use crate::compile::CompileError;
use crate::compile::custom::{custom, named};
use crate::compile::dunder::METRIC_TIME;
use crate::compile::key::time_of;
use crate::compile::scope::Scope;
use crate::model::{DimensionType, Filter, GroupBy, Measure, OverTime};
use crate::warehouse::Shift;

impl<'a> Planner<'a> {
    /// The name of the time dimension that a measure's periods are of.
    pub(super) fn own_time<'m>(&self, measure: &'m Measure) -> Option<&'m String>
    where
        'a: 'm,
    {
        let dataset = self.registry.datasets.get(&measure.dataset);
        let default = dataset.and_then(|dataset| dataset.time.as_ref());
        measure.time.as_ref().or(default)
    }

    /// Whether a grouping is by the time that a measure's periods are of.
    pub(super) fn is_own_time(&self, group: &GroupBy, measure: &Measure) -> bool {
        let of = match (custom(self.registry, group), group) {
            (Some(custom), _) => custom.of,
            (None, GroupBy::Dimension(_)) => return false,
            (None, GroupBy::Grain { of, .. } | GroupBy::Part { of, .. }) => of.as_deref(),
        };
        match of {
            None => true,
            Some(of) => self.is_time_of(of, measure),
        }
    }

    /// Where a condition on the measure's own time looks: at the time that a row counts for, which an offset or a
    /// comparison moves.
    pub(super) fn counted_at(
        &self,
        part: &Filter,
        measure: &Measure,
        scope: &mut Scope<'_>,
        context: &Context<'_>,
    ) -> Result<Option<String>, CompileError> {
        let Some(back) = &context.back else {
            return Ok(None);
        };
        if context.window.is_some() || !self.is_about_time(part, measure) {
            return Ok(None);
        }
        self.counted(measure, scope, back.by).map(Some)
    }

    /// The time that a row counts for, so far after its own.
    pub(super) fn counted(
        &self,
        measure: &Measure,
        scope: &mut Scope<'_>,
        by: Shift,
    ) -> Result<String, CompileError> {
        let dialect = self.options.dialect;
        let time = time_of(measure, scope, None)?;
        Ok(match time.dimension.kind {
            DimensionType::Date => dialect.shift(&time.sql, by),
            _ => dialect.shift_timestamp(&time.sql, by),
        })
    }

    /// Whether a condition has anything to do with the measure's own time.
    pub(super) fn is_about_time(&self, part: &Filter, measure: &Measure) -> bool {
        let mut fields = part.fields().into_iter();
        fields.any(|field| self.is_time_of(field, measure))
    }

    /// Whether a name is that of the time that a measure's periods are of.
    pub(super) fn is_time_of(&self, name: &str, measure: &Measure) -> bool {
        let find = |name: &str| self.reach.find(self.registry, &measure.dataset, name).ok();
        let own = self.own_time(measure).and_then(|own| find(own));
        // A period of the calendar table is one of a time.
        let name = match named(self.registry, name) {
            Some(period) => period.of.unwrap_or(METRIC_TIME),
            None => name,
        };
        name == METRIC_TIME || (own.is_some() && own == find(name))
    }

    /// The keys that are periods of the measure's time.
    pub(super) fn snapshot_keys(&self, keys: &[Column], measure: &'a Measure) -> Vec<String> {
        let groups = self.request.groups.iter().zip(keys);
        let own = groups.filter(|(group, _)| self.is_own_time(group, measure));
        own.map(|(_, key)| key.sql.sql.clone()).collect()
    }

    /// The keys that are periods (or parts) of the time of snapshots, each with a last one of its own.
    pub(super) fn snapshot_periods(
        &self,
        keys: &[Column],
        measure: &'a Measure,
        over: &'a OverTime,
    ) -> Vec<String> {
        let find = |name: &str| self.reach.find(self.registry, &measure.dataset, name).ok();
        let is_time = |group: &GroupBy| {
            let by_name = match custom(self.registry, group) {
                Some(custom) => custom.of.and_then(find),
                None => group.dimension().and_then(find),
            };
            self.is_own_time(group, measure)
                || (by_name.is_some()
                    && [Some(&over.time), self.own_time(measure)]
                        .into_iter()
                        .flatten()
                        .any(|time| find(time) == by_name))
        };
        let groups = self.request.groups.iter().zip(keys);
        groups
            .filter(|(group, _)| is_time(group))
            .map(|(_, key)| key.sql.sql.clone())
            .collect()
    }
}
