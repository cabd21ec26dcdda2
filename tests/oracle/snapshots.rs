//! Balances and head counts: which snapshot, or which figure over the snapshots, stands for a period.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use metrex::model::{Aggregate, AtCoarserGrain, GroupBy, Measure, OverTime, Take};

use super::aggregate::{Groups, aggregate};
use super::metrics::{Context, Question};
use super::rows::Row;
use super::windows::Window;
use super::{Answered, Key, Value};

/// A row of a snapshot: its groups, its time, what has a last snapshot of its own, and its value.
struct Snapshot {
    key: Key,
    at: DateTime,
    per: Key,
    value: Value,
}

impl<'a> Question<'_, 'a> {
    /// The snapshots within each period.
    pub fn snapshots(
        &self,
        measure: &'a Measure,
        over: &OverTime,
        context: &Context,
    ) -> Answered<Groups> {
        let mut rows = Vec::new();
        for row in self.world.rows(measure)? {
            if !self.counts(row, measure, context)? {
                continue;
            }
            if let Some(key) = self.key(row, measure, context)? {
                rows.extend(self.snapshot(row, measure, over, key)?);
            }
        }
        self.figures(measure, over, &rows)
    }

    /// The last snapshot up to the end of each period.
    pub fn carried(
        &self,
        measure: &'a Measure,
        over: &OverTime,
        context: &Context,
    ) -> Answered<Groups> {
        let mut rows = Vec::new();
        let mut times = Vec::new();
        for row in self.world.rows(measure)? {
            let Some(at) = self.time(row, measure, None)? else {
                continue;
            };
            times.push(at);
            if self.meets(row, measure, context)? {
                rows.push((row, at));
            }
        }
        let all = Window::AllTime;
        let mut groups = Groups::new();
        for frame in self.frames(measure, context, all, AtCoarserGrain::Last, &times)? {
            if !self.is_shown(frame.period, measure)? {
                continue;
            }
            let mut known = Vec::new();
            for (row, at) in &rows {
                if !frame.holds(*at) {
                    continue;
                }
                if let Some(key) = self.frame_key(&self.fixed_key(*row, measure)?, *at, frame) {
                    known.extend(self.snapshot(*row, measure, over, key)?);
                }
            }
            groups.extend(self.figures(measure, over, &known)?);
        }
        Ok(groups)
    }

    fn snapshot(
        &self,
        row: Row<'a>,
        measure: &Measure,
        over: &OverTime,
        key: Key,
    ) -> Answered<Option<Snapshot>> {
        let (at, _) = self.world.dimension(row, &over.time)?;
        let Some(at) = at.instant() else {
            return Ok(None);
        };
        let per = over.per.iter().map(|name| self.world.name(row, name));
        Ok(Some(Snapshot {
            key,
            at,
            per: Key(per.collect::<Answered<Vec<Value>>>()?),
            value: self.row_value(row, measure)?,
        }))
    }

    fn is_period(&self, group: &GroupBy, measure: &Measure, over: &OverTime) -> Answered<bool> {
        let world = self.world;
        let path = |name: &str| world.path(&measure.dataset, name).ok();
        let of_snapshots = |name: &str| path(name).is_some() && path(name) == path(&over.time);
        if let Some(custom) = world.custom(group) {
            let of = custom.of.as_deref();
            return Ok(of.is_some_and(of_snapshots) || self.is_own(measure, of)?);
        }
        Ok(match group {
            GroupBy::Dimension(name) => of_snapshots(name) || self.is_own(measure, Some(name))?,
            GroupBy::Grain { of, .. } | GroupBy::Part { of, .. } => {
                let of = of.as_deref();
                of.is_some_and(of_snapshots) || self.is_own(measure, of)?
            }
        })
    }

    fn figures(&self, measure: &Measure, over: &OverTime, rows: &[Snapshot]) -> Answered<Groups> {
        // The period of a row: its groups by the time of the snapshots or of the measure, whatever else it is grouped by.
        let groups = self.groups.iter();
        let is_period: Vec<bool> = groups
            .map(|group| self.is_period(group, measure, over))
            .collect::<Answered<_>>()?;
        let period = |row: &Snapshot| {
            let groups = is_period.iter().zip(&row.key.0);
            let times = groups.filter(|(is_period, _)| **is_period);
            Key(times.map(|(_, value)| value.clone()).collect())
        };
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        if self.groups.is_empty() {
            groups.insert(Key(vec![]), vec![]);
        }
        let combine = match over.take {
            Take::Last | Take::First => {
                for row in rows {
                    let rivals = rows
                        .iter()
                        .filter(|other| other.per == row.per && period(other) == period(row));
                    let times = rivals.map(|other| other.at);
                    let chosen = match over.take {
                        Take::Last => times.max(),
                        _ => times.min(),
                    };
                    if chosen == Some(row.at) {
                        let values = groups.entry(row.key.clone()).or_default();
                        values.push(row.value.clone());
                    }
                }
                measure.agg
            }
            take => {
                let mut each: BTreeMap<(Key, DateTime), Vec<Value>> = BTreeMap::new();
                for row in rows {
                    let values = each.entry((row.key.clone(), row.at)).or_default();
                    values.push(row.value.clone());
                }
                for ((key, _), values) in each {
                    let figure = aggregate(measure.agg, &values);
                    groups.entry(key).or_default().push(figure);
                }
                match take {
                    Take::Min => Aggregate::Min,
                    Take::Max => Aggregate::Max,
                    _ => Aggregate::Avg,
                }
            }
        };
        let values = groups.into_iter();
        Ok(values
            .map(|(key, values)| {
                let value = aggregate(combine, &values);
                (key, value)
            })
            .collect())
    }
}
