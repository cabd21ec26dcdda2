//! Events that follow events of another kind: every conversion counts for one base event, the latest before it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::DateTime;
use metrex::model::{Conversion, Grain, Measure};

use super::aggregate::{Groups, aggregate};
use super::metrics::{Context, Question};
use super::rows::Row;
use super::{Answered, Key, Value};

/// One kind of events, and how it is evaluated.
type Side<'a> = (&'a Measure, Context);

impl<'a> Question<'_, 'a> {
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
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        if self.groups.is_empty() {
            groups.insert(Key(vec![]), vec![]);
        }
        let bases = self.dated(base)?;
        for (row, at) in self.dated(converted)? {
            let mut latest: Option<(Row<'a>, DateTime)> = None;
            for (before, since) in &bases {
                let in_time = *since <= at
                    && conversion
                        .within
                        .is_none_or(|(n, grain)| at < after(*since, n, grain));
                let is_later = latest.is_none_or(|(_, latest)| latest <= *since);
                if in_time && is_later && self.same(*before, row, conversion)? {
                    latest = Some((*before, *since));
                }
            }
            let Some((before, _)) = latest else {
                continue;
            };
            if self.counts(before, base, context)?
                && let Some(key) = self.key(before, base, context)?
            {
                let value = self.row_value(row, converted)?;
                groups.entry(key).or_default().push(value);
            }
        }
        let values = groups.into_iter();
        Ok(values
            .map(|(key, values)| (key, aggregate(converted.agg, &values)))
            .collect())
    }

    /// The events that a measure counts, with their times.
    fn dated(&self, measure: &'a Measure) -> Answered<Vec<(Row<'a>, DateTime)>> {
        let mut events = Vec::new();
        for row in self.world.rows(measure)? {
            let mut holds = true;
            for filter in &measure.filters {
                holds &= self.world.expression(row, filter)?.truth() == Some(true);
            }
            if let Some(at) = self.time(row, measure, None)?.filter(|_| holds) {
                events.push((row, at));
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
