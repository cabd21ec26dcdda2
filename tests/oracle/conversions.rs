//! Events that follow events of another kind: every conversion counts for one base event, the latest before it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::DateTime;
use metrex::model::{Aggregate, Conversion, Grain, Measure};

use super::aggregate::{Groups, aggregate};
use super::metrics::{Context, Question};
use super::rows::Row;
use super::{Answered, Key, Value, refuse};

/// One kind of events, and how it is evaluated.
type Side<'a> = (&'a Measure, Context);

/// An event, with its time by the local clock and in UTC.
struct Event<'a> {
    row: Row<'a>,
    at: DateTime,
    utc: Option<DateTime>,
}

impl<'a> Question<'_, 'a> {
    /// What counts the base events.
    pub fn base(&self, conversion: &Conversion) -> Answered<&'a Measure> {
        let source = self
            .world
            .source(self.metric(&conversion.base)?, &self.usage)?;
        Ok(&source.measures[0])
    }

    /// The base events and the conversions of a metric, each in its context.
    pub fn events(
        &self,
        conversion: &Conversion,
        context: &Context,
    ) -> Answered<(Side<'a>, Side<'a>)> {
        let measure = |name: &str| -> Answered<&'a Measure> {
            let source = self.world.source(self.metric(name)?, &self.usage)?;
            Ok(&source.measures[0])
        };
        let converted = Context {
            conversion: Some(Box::new(conversion.clone())),
            ..context.clone()
        };
        Ok((
            (measure(&conversion.base)?, context.clone()),
            (measure(&conversion.conversion)?, converted),
        ))
    }

    /// The conversions in the groups of their base events.
    pub fn converted(
        &self,
        converted: &'a Measure,
        conversion: &Conversion,
        context: &Context,
    ) -> Answered<Groups> {
        let ((base, _), _) = self.events(conversion, context)?;
        if context.window.is_some() {
            return refuse("what follows through time does not accumulate");
        }
        let asked = Context {
            conversion: None,
            ..context.clone()
        };
        self.check(base, &asked)?;
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        if self.groups.is_empty() {
            groups.insert(Key(vec![]), vec![]);
        }
        let bases = self.dated(base)?;
        for event in self.dated(converted)? {
            let mut latest: Option<(&Event<'a>, Key)> = None;
            for before in &bases {
                let (since, at) = match (before.utc, event.utc) {
                    (Some(since), Some(at)) => (since, at),
                    _ => (before.at, event.at),
                };
                // Hours are those that pass, days those of the calendar.
                let in_time = conversion.within.is_none_or(|(n, grain)| match grain {
                    Grain::Hour | Grain::Minute | Grain::Second => at < after(since, n, grain),
                    _ => event.at < after(before.at, n, grain),
                });
                if since <= at && self.same(before.row, event.row, conversion)? {
                    let rank = self.rank(before.row, base, context)?;
                    let rank = [vec![Value::Time(since)], rank.0].concat();
                    let rank = Key([rank, vec![Value::Bool(in_time)]].concat());
                    if latest.as_ref().is_none_or(|(_, known)| *known <= rank) {
                        latest = Some((before, rank));
                    }
                }
            }
            // The latest one counts, or none: not an earlier one that is within the time.
            let Some((before, rank)) = latest else {
                continue;
            };
            if rank.0.last() == Some(&Value::Bool(true))
                && self.counts(before.row, base, context)?
                && let Some(key) = self.key(before.row, base, context)?
            {
                let value = self.row_value(event.row, converted)?;
                groups.entry(key).or_default().push(value);
            }
        }
        let values = groups.into_iter();
        Ok(values
            .map(|(key, values)| (key, aggregate(converted.agg, &values)))
            .collect())
    }

    /// What decides between base events at the same time: the greatest key; without one, whether it is asked about, and
    /// the groups it is in.
    fn rank(&self, row: Row<'a>, base: &Measure, context: &Context) -> Answered<Key> {
        let mut rank = Vec::new();
        for column in &row.dataset.key {
            rank.push(self.world.name(row, column)?);
        }
        rank.push(Value::Bool(self.counts(row, base, context)?));
        rank.extend(
            self.key(row, base, context)?
                .into_iter()
                .flat_map(|key| key.0),
        );
        Ok(Key(rank))
    }

    /// The events that a measure counts, with their times.
    fn dated(&self, measure: &'a Measure) -> Answered<Vec<Event<'a>>> {
        let mut events = Vec::new();
        for row in self.world.rows(measure)? {
            let mut holds = true;
            for filter in &measure.filters {
                holds &= self.world.expression(row, filter)?.truth() == Some(true);
            }
            if let Some(expr) = &measure.expr {
                let value = self.world.expression(row, expr)?;
                holds &= match measure.agg {
                    Aggregate::Count | Aggregate::CountDistinct => !value.is_null(),
                    Aggregate::SumBoolean => value.truth() == Some(true),
                    _ => true,
                };
            }
            if let Some(at) = self.time(row, measure, None)?.filter(|_| holds) {
                let utc = self.world.utc(row, &self.time_name(measure, None)?)?;
                events.push(Event { row, at, utc });
            }
        }
        Ok(events)
    }

    /// Whether two events are of one entity, and equal in what must be the same.
    fn same(&self, base: Row<'a>, row: Row<'a>, conversion: &Conversion) -> Answered<bool> {
        let entity = (conversion.entity.clone(), conversion.entity.clone());
        for (here, there) in std::iter::once(&entity).chain(&conversion.same) {
            let (here, there) = (self.world.name(base, here)?, self.world.name(row, there)?);
            if here.compare(&there) != Some(std::cmp::Ordering::Equal) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn after(at: DateTime, n: u32, grain: Grain) -> DateTime {
    let n = i64::from(n);
    at + match grain {
        Grain::Second => n.seconds(),
        Grain::Minute => n.minutes(),
        Grain::Hour => n.hours(),
        Grain::Day => n.days(),
        Grain::Week => n.weeks(),
        Grain::Month => n.months(),
        Grain::Quarter => (3 * n).months(),
        Grain::Year => n.years(),
    }
}
