//! Metrics from their definitions: leaves are aggregated from rows, everything else is computed from other metrics.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use jiff::civil::DateTime;
use metrex::model::{
    DatePart, DateRange, DimensionType, Expression, Filter, Grain, GroupBy, Input, Measure, Metric,
    MetricKind,
};

use super::aggregate::{Groups, aggregate, of_nothing};
use super::compare::Prior;
use super::conditions;
use super::expr::evaluate;
use super::rows::Row;
use super::source::Usage;
use super::time::{self, Shift};
use super::{Answered, Key, Refusal, Value, World, refuse};

/// What a query asks of every metric.
pub struct Question<'w, 'a> {
    pub world: &'w World<'a>,
    pub groups: Vec<GroupBy>,
    pub conditions: Option<Filter>,
    pub range: DateRange,
    pub usage: Usage,
    /// Leaves that were computed.
    pub done: RefCell<HashMap<String, Rc<Groups>>>,
}

/// In which circumstances a metric is computed.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Conditions that inputs of derived metrics add.
    pub filters: Vec<Expression>,
    /// The compared days instead of the current ones.
    pub prior: Option<Prior>,
}

impl<'w, 'a> Question<'w, 'a> {
    /// The leaves of a metric, each with the circumstances it is computed in.
    pub fn leaves(
        &self,
        metric: &'a Metric,
        context: &Context,
    ) -> Answered<Vec<(&'a Measure, Context)>> {
        match &metric.kind {
            MetricKind::Simple(_) | MetricKind::Ratio(_) => {
                let source = self.world.source(metric, &self.usage)?;
                let measures = source.measures.iter();
                Ok(measures.map(|measure| (measure, context.clone())).collect())
            }
            MetricKind::Derived { inputs, .. } => {
                let mut leaves = Vec::new();
                for input in inputs {
                    let (metric, context) = self.input(input, context)?;
                    leaves.extend(self.leaves(metric, &context)?);
                }
                Ok(leaves)
            }
            kind => panic!("the oracle does not know {} metrics", kind.word()),
        }
    }

    fn input(&self, input: &Input, context: &Context) -> Answered<(&'a Metric, Context)> {
        let Some(metric) = self.world.registry.metric(&input.metric) else {
            return refuse(format!("there is no metric {}", input.metric));
        };
        let mut context = context.clone();
        context.filters.extend(input.filters.iter().cloned());
        assert!(input.offset.is_none(), "the oracle does not know offsets");
        Ok((metric, context))
    }

    /// The value of a metric for one key.
    pub fn value(&self, metric: &'a Metric, context: &Context, key: &Key) -> Answered<Value> {
        let value = match &metric.kind {
            MetricKind::Simple(_) | MetricKind::Ratio(_) => {
                let source = self.world.source(metric, &self.usage)?;
                let mut values = Vec::new();
                for measure in &source.measures {
                    let found = self.leaf(measure, context)?.get(key).cloned();
                    values.push(match found {
                        Some(value) => value,
                        None if self.is_comparable(context, key) => of_nothing(measure.agg),
                        None => Value::Null,
                    });
                }
                match values.as_slice() {
                    [only] => only.clone(),
                    [numerator, denominator] => super::expr::arithmetic(
                        &sqlparser::ast::BinaryOperator::Divide,
                        numerator,
                        denominator,
                    ),
                    _ => panic!("{} has {} measures", metric.name, values.len()),
                }
            }
            MetricKind::Derived { expr, inputs } => {
                evaluate(&self.world.parsed(&expr.text), &|parts| {
                    let name = parts.join(".");
                    let mut named = inputs.iter();
                    let input = named.find(|input| input.name.eq_ignore_ascii_case(&name));
                    let input = input.unwrap_or_else(|| panic!("{}: no input {name}", metric.name));
                    let (metric, context) = self.input(input, context)?;
                    self.value(metric, &context, key)
                })?
            }
            kind => panic!("the oracle does not know {} metrics", kind.word()),
        };
        Ok(match metric.fill {
            Some(fill) if value.is_null() => Value::from(Some(fill as f64)),
            _ => value,
        })
    }

    /// Whether the days of a key exist on the other side of a comparison: a day that the other month does not have has no
    /// prior at all, not even a count of 0.
    fn is_comparable(&self, context: &Context, key: &Key) -> bool {
        let Some(prior) = &context.prior else {
            return true;
        };
        let mut days = self.groups.iter().zip(&key.0);
        days.all(|(group, value)| match (group, value) {
            (
                GroupBy::Grain {
                    grain: Grain::Day, ..
                },
                Value::Date(day),
            ) => prior.by.back().has_counterpart(*day),
            _ => true,
        })
    }

    /// A measure in a context: the value of each group that has rows.
    pub fn leaf(&self, measure: &'a Measure, context: &Context) -> Answered<Rc<Groups>> {
        let name = format!("{measure:?} {context:?}");
        if let Some(known) = self.done.borrow().get(&name) {
            return Ok(known.clone());
        }
        self.check(measure, context)?;
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        if self.groups.is_empty() {
            groups.insert(Key(vec![]), vec![]);
        }
        for row in self.world.rows(measure)? {
            if !self.counts(row, measure, context)? {
                continue;
            }
            let Some(key) = self.key(row, measure, context)? else {
                continue;
            };
            let value = match &measure.expr {
                Some(expr) => self.world.expression(row, expr)?,
                None => Value::Number(1.0),
            };
            groups.entry(key).or_default().push(value);
        }
        let values = groups
            .into_iter()
            .map(|(key, values)| (key, aggregate(measure.agg, &values)));
        let values = Rc::new(values.collect());
        self.done.borrow_mut().insert(name, Rc::clone(&values));
        Ok(values)
    }

    /// Whether a row takes part: every filter of the definitions and of the query holds, and its time is in range.
    fn counts(&self, row: Row<'a>, measure: &Measure, context: &Context) -> Answered<bool> {
        for filter in measure.filters.iter().chain(&context.filters) {
            if self.world.expression(row, filter)?.truth() != Some(true) {
                return Ok(false);
            }
        }
        if let Some(conditions) = &self.conditions {
            let field = |name: &str| self.world.dimension(row, name);
            if conditions::holds(conditions, &field)? != Some(true) {
                return Ok(false);
            }
        }
        let range = context.prior.map_or(self.range, |prior| prior.range);
        if range == DateRange::default() {
            return Ok(true);
        }
        let at = self.time(row, measure, None)?;
        Ok(at.is_some_and(|at| {
            let after = |day: jiff::civil::Date| at >= day.at(0, 0, 0, 0);
            range.start.is_none_or(after) && range.end.is_none_or(|end| !after(end))
        }))
    }

    fn time(
        &self,
        row: Row<'a>,
        measure: &Measure,
        of: Option<&str>,
    ) -> Answered<Option<DateTime>> {
        let name = self.time_name(measure, of)?;
        Ok(self.world.dimension(row, &name)?.0.instant())
    }

    fn time_name(&self, measure: &Measure, of: Option<&str>) -> Answered<String> {
        let dataset = self.world.dataset(&measure.dataset)?;
        let name = of.or(measure.time.as_deref()).or(dataset.time.as_deref());
        name.map_or_else(
            || refuse(format!("{} has no time", measure.dataset)),
            |name| Ok(name.to_owned()),
        )
    }

    /// The groups a row belongs to; `None` for a day of a compared range that the current one does not have.
    fn key(&self, row: Row<'a>, measure: &Measure, context: &Context) -> Answered<Option<Key>> {
        let mut key = Vec::new();
        for group in &self.groups {
            key.push(match group {
                GroupBy::Dimension(name) => self.world.dimension(row, name)?.0,
                GroupBy::Part { part, of } => {
                    let at = self.time(row, measure, of.as_deref())?;
                    let by = context.prior.map(|prior| prior.by);
                    at.map_or(Value::Null, |at| time::part(moved(at, *part, by), *part))
                }
                GroupBy::Grain { grain, of } => {
                    let Some(at) = self.time(row, measure, of.as_deref())? else {
                        key.push(Value::Null);
                        continue;
                    };
                    let period = time::floor(at, *grain, self.world.registry.calendar.week_start);
                    match (context.prior.map(|prior| prior.by), period) {
                        (None, period) => period,
                        (Some(Shift::Days(days)), Value::Time(at)) => {
                            Value::Time(at + jiff::ToSpan::days(i64::from(days)))
                        }
                        (Some(by), Value::Date(day)) => {
                            if *grain == Grain::Day && !by.has_counterpart(day) {
                                return Ok(None);
                            }
                            Value::Date(by.apply(day))
                        }
                        (by, period) => panic!("{period:?} cannot be moved by {by:?}"),
                    }
                }
            });
        }
        Ok(Some(Key(key)))
    }

    /// What cannot be asked of a measure, whatever its rows are.
    fn check(&self, measure: &Measure, context: &Context) -> Answered<()> {
        let world = self.world;
        let fields = self.conditions.iter().flat_map(Filter::fields);
        let dimensions = self.groups.iter().filter_map(|group| match group {
            GroupBy::Dimension(name) => Some(name.as_str()),
            _ => None,
        });
        for name in fields.chain(dimensions) {
            world.kind(&measure.dataset, name)?;
        }
        let is_time = |name: &str| -> Answered<DimensionType> {
            let (kind, _) = world.kind(&measure.dataset, name)?;
            if kind.is_time() {
                Ok(kind)
            } else {
                refuse(format!("{name} is no time"))
            }
        };
        if self.range != DateRange::default() {
            is_time(&self.time_name(measure, None)?)?;
        }
        for group in &self.groups {
            let (of, is_fine) = match group {
                GroupBy::Dimension(name) => {
                    let (kind, _) = world.kind(&measure.dataset, name)?;
                    if context.prior.is_some() && kind.is_time() {
                        return refuse(format!("the values of {name} never meet"));
                    }
                    continue;
                }
                GroupBy::Grain { grain, of } => (of, grain.is_sub_day()),
                GroupBy::Part { part, of } => (of, *part == DatePart::HourOfDay),
            };
            let kind = is_time(&self.time_name(measure, of.as_deref())?)?;
            if is_fine && kind == DimensionType::Date {
                return refuse("a date has no hours");
            }
        }
        Ok(())
    }

    /// One name of a grouping means one dimension, of one kind, for every leaf.
    pub fn check_meaning(&self, leaves: &[&Measure]) -> Answered<()> {
        for group in &self.groups {
            let GroupBy::Dimension(name) = group else {
                continue;
            };
            let meanings = leaves
                .iter()
                .map(|measure| self.world.kind(&measure.dataset, name));
            let meanings = meanings.collect::<Result<Vec<_>, Refusal>>()?;
            if meanings.windows(2).any(|pair| pair[0] != pair[1]) {
                return refuse(format!("{name} means different things"));
            }
        }
        Ok(())
    }
}

/// A point in time for a part of it: months, quarters and years are periods and move with a comparison, everything else
/// comes round again by itself (Mondays are compared with Mondays).
fn moved(at: DateTime, part: DatePart, by: Option<Shift>) -> DateTime {
    let is_period = matches!(
        part,
        DatePart::MonthOfYear | DatePart::QuarterOfYear | DatePart::YearNumber
    );
    match by {
        Some(by) if is_period => by.apply(at.date()).to_datetime(at.time()),
        _ => at,
    }
}
