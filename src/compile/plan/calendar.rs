//! The periods of a result as rows: of its time range, of the data, or of the calendar table.

use super::periods::Bound;
use super::{Periods, Planner};
use crate::compile::custom::custom;
use crate::compile::scope::{Resolved, Scope};
use crate::compile::write::Fragment;
use crate::compile::{CompileError, ErrorCode, filter};
use crate::model::{Grain, GroupBy};
use crate::warehouse::Shift;

impl<'a> Planner<'a> {
    /// Every period of the time range; where that is open, of the data.
    pub(super) fn periods(
        &self,
        key: String,
        shown: Grain,
        grain: Grain,
        data: Option<(&Resolved<'_>, &Scope<'_>, Option<Shift>)>,
    ) -> Result<Periods, CompileError> {
        let dialect = self.options.dialect;
        let week_start = self.registry.calendar.week_start;
        let range = self.request.range;
        let table = self.registry.calendar.table.as_ref();
        let table = table.filter(|_| !grain.is_sub_day());
        let table = table.filter(|_| data.is_none() || self.is_metricflow());
        let of_data = |end: &str| match (data, table) {
            (_, Some(table)) => {
                let day = format!("{end}({})", dialect.name(&table.date));
                let found = dialect.trunc(&day, grain, week_start);
                let sql = format!("SELECT {found} FROM {}", dialect.table(&table.table));
                Ok(Bound::Data(Fragment::new(sql, [table.place])))
            }
            (None, None) => Err(CompileError::new(
                ErrorCode::InvalidTime,
                "a row for every period needs a time range with a start",
            )
            .hint("for instance: last 6 months")),
            (Some((time, scope, by)), None) => {
                let (from, joins) = scope.tables_so_far();
                let found = dialect.trunc(&format!("{end}({})", time.sql), grain, week_start);
                let found = match by {
                    Some(by) if !grain.is_sub_day() => {
                        dialect.trunc(&dialect.shift(&found, by), grain, week_start)
                    }
                    _ => found,
                };
                let mut sql = format!("SELECT {found} FROM {}", from.sql);
                for join in joins {
                    sql.push_str(&format!(" {}", join.sql().sql));
                }
                Ok(Bound::Data(Fragment::new(sql, from.places)))
            }
        };
        let first = match range.start {
            Some(start) => Bound::Day(grain.floor(shown.floor(start, week_start), week_start)),
            None => of_data("MIN")?,
        };
        let last = match (range.end, data) {
            // A trend with a start goes on to today, and so does what accumulates in it.
            (None, Some(_))
                if range.start.is_none() || grain.is_sub_day() || self.is_metricflow() =>
            {
                of_data("MAX")?
            }
            (None, None) if range.start.is_none() => of_data("MAX")?,
            (Some(end), _) if grain.is_sub_day() => {
                let end = dialect.timestamp(end.to_datetime(jiff::civil::Time::midnight()));
                Bound::Data(Fragment::plain(format!(
                    "SELECT {}",
                    dialect.units_before(&end, 1, grain, true)
                )))
            }
            (end, _) => {
                let last = filter::last_day(end, self.options.today);
                Bound::Day(grain.floor(last, week_start))
            }
        };
        Ok(Periods {
            key,
            grain,
            first,
            last,
        })
    }

    /// A trend over one time grain and nothing else shows every period of its range, also the empty ones; where it is
    /// asked for, or a metric says so, other results do too.
    pub(super) fn calendar(&self) -> Result<Option<Periods>, CompileError> {
        let request = self.request;
        let wanted = request.query.every_period;
        let by_definition = request.metrics.iter().any(|metric| metric.every_period);
        let grains: Vec<(usize, Grain)> = request
            .groups
            .iter()
            .enumerate()
            .filter_map(|(index, group)| match group {
                _ if custom(self.registry, group).is_some() => None,
                GroupBy::Grain { grain, of: None } => Some((index, *grain)),
                _ => None,
            })
            .collect();
        let asked = wanted == Some(true) || (wanted.is_none() && by_definition);
        let own = |group: &&GroupBy| custom(self.registry, group).is_some();
        if let Some(period) = request.groups.iter().find(own).filter(|_| asked) {
            return Err(CompileError::new(
                ErrorCode::InvalidTime,
                format!("{period} is a period of the calendar table: those without rows cannot be made rows"),
            )
            .hint("write existing periods, or group by day")
            .word(period.to_string()));
        }
        let &[(index, grain)] = grains.as_slice() else {
            if wanted == Some(true) {
                return Err(CompileError::new(
                    ErrorCode::InvalidTime,
                    "a row for every period needs exactly one time grain",
                )
                .hint("group by day, week, month, quarter or year"));
            }
            return Ok(None);
        };
        let alone = request.groups.len() == 1 && !grain.is_sub_day();
        let automatic = wanted.is_none() && alone && request.having.is_none();
        if !(asked || automatic) {
            return Ok(None);
        }
        let Some(key) = self.planned.keys.get(index) else {
            return Ok(None);
        };
        if request.range.start.is_none() {
            let periods = self.periods(key.name.clone(), grain, grain, None);
            if wanted == Some(true) {
                return periods.map(Some);
            }
            if by_definition {
                return Ok(periods.ok());
            }
            return Ok(None);
        }
        let periods = self.periods(key.name.clone(), grain, grain, None)?;
        Ok(match (&periods.first, &periods.last) {
            (Bound::Day(first), Bound::Day(last)) if first > last => None,
            _ => Some(periods),
        })
    }
}
