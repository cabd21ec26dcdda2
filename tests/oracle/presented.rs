//! Figures over the rows of a result: the part of the total, the sum so far, the rank, the mean of the last periods.

use std::collections::BTreeMap;

use jiff::ToSpan;
use metrex::model::{Grain, GroupBy, Metric, MetricQuery, Presented};

use super::additive::{AddsUp, adds_up};
use super::answer::is_number;
use super::metrics::{Context, Question};
use super::time;
use super::{Answered, Key, Value, refuse};

/// The groups of a metric with its values, in a result whose groups are all there.
pub type Values = BTreeMap<Key, Value>;

/// The figures that a query asks for beside a metric.
pub fn shown(query: &MetricQuery, metric: &Metric) -> Vec<Presented> {
    let of_metric = query
        .show
        .iter()
        .filter(|shown| shown.metric == metric.name);
    of_metric.map(|shown| shown.what).collect()
}

impl<'a> Question<'_, 'a> {
    /// Whether a figure has a meaning for a metric.
    pub fn check_figure(&self, metric: &'a Metric, what: Presented) -> Answered<()> {
        if what != Presented::Rank && !is_number(self.world, metric) {
            return refuse("only numbers are added");
        }
        let sums = adds_up(self.world.registry, metric);
        match what {
            Presented::Share => {
                let parts = self.groups.iter().any(|group| match group {
                    GroupBy::Part { .. } => true,
                    GroupBy::Grain { .. } => self.periods_beside_others().is_empty(),
                    GroupBy::Dimension(_) => false,
                });
                let enough = if parts {
                    AddsUp::Everywhere
                } else {
                    AddsUp::WithinPeriods
                };
                if sums < enough {
                    return refuse(format!("{} has no parts", metric.name));
                }
            }
            Presented::Running => {
                self.the_period()?;
                if sums < AddsUp::Everywhere {
                    return refuse(format!("{} does not add up over time", metric.name));
                }
            }
            Presented::Moving(_) => {
                self.the_period()?;
            }
            Presented::Rank => {}
        }
        Ok(())
    }

    /// A figure of one group; `values` are those of all groups.
    pub fn figure(
        &self,
        metric: &'a Metric,
        what: Presented,
        key: &Key,
        values: &Values,
    ) -> Answered<Value> {
        let value = values[key].clone();
        Ok(match what {
            Presented::Share => part(&value, &self.whole(metric, key, values)?),
            Presented::Rank if value.is_null() => Value::Null,
            Presented::Rank => {
                let periods = self.periods_beside_others();
                let mut rank = 1.0;
                for (other, value) in values {
                    let rivals = periods.iter().all(|at| other.0[*at] == key.0[*at]);
                    if rivals
                        && values[key]
                            .compare(value)
                            .is_some_and(|order| order.is_lt())
                    {
                        rank += 1.0;
                    }
                }
                Value::Number(rank)
            }
            Presented::Running => {
                let at = self.the_period()?;
                let so_far = self.line(at, key, values);
                let so_far = so_far.filter(|(period, _)| period.sort(&key.0[at]).is_le());
                sum(so_far.map(|(_, value)| value))
            }
            Presented::Moving(n) => {
                let at = self.the_period()?;
                let Some(from) = self.back(&key.0[at], n - 1)? else {
                    return Ok(Value::Null);
                };
                if from
                    .compare(&self.first_period(at, values)?)
                    .is_none_or(|order| order.is_lt())
                {
                    return Ok(Value::Null);
                }
                let line = self.line(at, key, values);
                let last: Vec<&Value> = line
                    .filter(|(period, _)| {
                        let after = period.compare(&from).is_some_and(|order| order.is_ge());
                        after && period.sort(&key.0[at]).is_le()
                    })
                    .map(|(_, value)| value)
                    .collect();
                let known = last.iter().filter(|value| !value.is_null()).count();
                let total = sum(last.into_iter());
                let over = if adds_up(self.world.registry, metric) == AddsUp::Everywhere {
                    f64::from(n)
                } else {
                    known as f64
                };
                part(&total, &Value::Number(over))
            }
        })
    }

    /// The metric over all groups of the period of a group, or over all groups: computed from the rows.
    pub fn whole(&self, metric: &'a Metric, key: &Key, values: &Values) -> Answered<Value> {
        let periods = self.periods_beside_others();
        let place = |key: &Key| {
            let cells = key.0.iter().enumerate();
            Key(cells
                .map(|(at, cell)| match periods.contains(&at) {
                    true => cell.clone(),
                    false => Value::Null,
                })
                .collect())
        };
        let folds = values.keys().map(|key| (key.clone(), place(key))).collect();
        let whole = self.folded(folds);
        whole.value(metric, &Context::default(), &place(key))
    }

    /// The same question with groups put together.
    pub fn folded(&self, folds: BTreeMap<Key, Key>) -> Self {
        Self {
            world: self.world,
            groups: self.groups.clone(),
            conditions: self.conditions.clone(),
            range: self.range,
            time: self.time,
            usage: self.usage.clone(),
            folds: Some(folds),
            done: Default::default(),
            inner: Default::default(),
        }
    }

    /// Where the periods stand that groups are told apart by, where others tell them apart too.
    fn periods_beside_others(&self) -> Vec<usize> {
        let is_period = |group: &GroupBy| matches!(group, GroupBy::Grain { .. });
        if self.groups.iter().all(is_period) {
            return vec![];
        }
        let groups = self.groups.iter().enumerate();
        groups
            .filter(|(_, group)| is_period(group))
            .map(|(at, _)| at)
            .collect()
    }

    /// Where the only period stands.
    fn the_period(&self) -> Answered<usize> {
        let groups = self.groups.iter().enumerate();
        let mut periods = groups.filter(|(_, group)| matches!(group, GroupBy::Grain { .. }));
        match (periods.next(), periods.next()) {
            (Some((at, _)), None) => Ok(at),
            _ => refuse("a line of periods needs one grain"),
        }
    }

    /// The groups that differ from one in nothing but the period.
    fn line<'v>(
        &self,
        at: usize,
        key: &'v Key,
        values: &'v Values,
    ) -> impl Iterator<Item = (&'v Value, &'v Value)> {
        let beside = move |other: &Key| {
            let mut cells = other.0.iter().zip(&key.0).enumerate();
            cells.all(|(place, (one, other))| place == at || one == other)
        };
        values
            .iter()
            .filter(move |(other, _)| beside(other))
            .map(move |(other, value)| (&other.0[at], value))
    }

    /// The period that so many stand before; none before no period.
    fn back(&self, period: &Value, n: u32) -> Answered<Option<Value>> {
        let at = self.the_period()?;
        let GroupBy::Grain { grain, .. } = &self.groups[at] else {
            return refuse("no period");
        };
        let n = i64::from(n);
        Ok(match period {
            Value::Date(day) => {
                let mut day = *day;
                for _ in 0..n {
                    let week_start = self.world.registry.calendar.week_start;
                    day = time::first_day(day.yesterday().unwrap(), *grain, week_start);
                }
                Some(Value::Date(day))
            }
            Value::Time(at) => Some(Value::Time(match grain {
                Grain::Hour => *at - n.hours(),
                Grain::Minute => *at - n.minutes(),
                _ => *at - n.seconds(),
            })),
            _ => None,
        })
    }

    /// Where the line of periods begins: with the range, else with the result.
    fn first_period(&self, at: usize, values: &Values) -> Answered<Value> {
        if let (GroupBy::Grain { grain, of: None }, Some(start)) =
            (&self.groups[at], self.range.start)
        {
            let week_start = self.world.registry.calendar.week_start;
            return Ok(time::floor(start.at(0, 0, 0, 0), *grain, week_start));
        }
        let periods = values.keys().map(|key| &key.0[at]);
        let mut known: Vec<&Value> = periods.filter(|period| !period.is_null()).collect();
        known.sort_by(|one, other| one.sort(other));
        Ok(known.first().map_or(Value::Null, |first| (*first).clone()))
    }
}

fn sum<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let known: Vec<f64> = values.filter_map(Value::number).collect();
    let total = (!known.is_empty()).then(|| known.iter().sum::<f64>());
    total.into()
}

/// One number over another; nothing over none or zero.
pub fn part(value: &Value, whole: &Value) -> Value {
    let parts = value.number().zip(whole.number());
    parts
        .filter(|(_, whole)| *whole != 0.0)
        .map(|(value, whole)| value / whole)
        .into()
}
