//! Metrics from their definitions: leaves are aggregated from rows, everything else is computed from other metrics.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use jiff::civil::DateTime;
use metrex::model::{
    Aggregate, AtCoarserGrain, Conversion, ConversionResult, Cumulative, DatePart, DateRange,
    DimensionType, Expression, Filter, Grain, GroupBy, Input, Measure, Metric, MetricKind, Offset,
    Take, TimeRange,
};
use sqlparser::ast::BinaryOperator;

use super::aggregate::{Groups, aggregate, of_nothing};
use super::compare::{Prior, offset};
use super::conditions;
use super::expr::evaluate;
use super::per::per_dimension;
use super::rows::Row;
use super::source::Usage;
use super::time::{self, Shift};
use super::windows::{Frame, Window, further};
use super::{Answered, Key, Refusal, Value, World, refuse};

/// What a query asks of every metric.
pub struct Question<'w, 'a> {
    pub world: &'w World<'a>,
    pub groups: Vec<GroupBy>,
    pub conditions: Option<Filter>,
    pub range: DateRange,
    pub time: TimeRange,
    pub usage: Usage,
    /// Groups put together: what becomes of each; groups that are not named do not count.
    pub folds: Option<BTreeMap<Key, Key>>,
    /// Leaves that were computed.
    pub done: RefCell<HashMap<String, Rc<Groups>>>,
    /// Questions that conditions ask.
    pub inner: RefCell<HashMap<String, Rc<Self>>>,
}

/// In which circumstances a metric is computed.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Conditions that inputs of derived metrics add.
    pub filters: Vec<Expression>,
    /// Earlier days instead of the current ones.
    pub back: Option<Prior>,
    /// How many of them inputs are away.
    pub days: i32,
    /// Rows that count for a period, and which value stands for a long one.
    pub window: Option<(Window, AtCoarserGrain)>,
    /// The rows are events that follow events of another kind, whose groups they have.
    pub conversion: Option<Box<Conversion>>,
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
            MetricKind::Cumulative(cumulative) => {
                let context = self.accumulated(cumulative, context)?;
                match &cumulative.of {
                    Some(of) => self.leaves(self.metric(of)?, &context),
                    None => {
                        let source = self.world.source(metric, &self.usage)?;
                        let measures = source.measures.iter();
                        Ok(measures.map(|measure| (measure, context.clone())).collect())
                    }
                }
            }
            MetricKind::Conversion(conversion) => {
                let (base, converted) = self.events(conversion, context)?;
                // A count of conversions has rows where there are conversions, as every count has.
                Ok(match conversion.result {
                    ConversionResult::Count => vec![converted],
                    ConversionResult::Rate => vec![base, converted],
                })
            }
            kind => panic!("the oracle does not know {} metrics", kind.word()),
        }
    }

    pub fn metric(&self, name: &str) -> Answered<&'a Metric> {
        let found = self.world.registry.metric(name);
        found.map_or_else(|| refuse(format!("there is no metric {name}")), Ok)
    }

    fn accumulated(&self, cumulative: &Cumulative, context: &Context) -> Answered<Context> {
        if context.window.is_some() {
            return refuse("it accumulates already");
        }
        Ok(Context {
            window: Some((Window::of(&cumulative.window), cumulative.at_coarser_grain)),
            ..context.clone()
        })
    }

    fn input(&self, input: &Input, context: &Context) -> Answered<(&'a Metric, Context)> {
        let metric = self.metric(&input.metric)?;
        let mut context = context.clone();
        context.filters.extend(input.filters.iter().cloned());
        match &input.offset {
            None => {}
            Some(Offset::Ago(n, grain)) => {
                let range = context.back.map_or(self.range, |back| back.range);
                let today = self.world.today;
                let mut back = offset(*n, *grain, self.time, range, today, &self.groups)?;
                if let Shift::Days(days) = back.by {
                    context.days += days;
                }
                if let Some(outer) = &context.back {
                    back.by = further(outer.by, back.by)?;
                }
                context.back = Some(back);
            }
            Some(Offset::StartOf(_)) if context.window.is_some() => {
                return refuse("what accumulates has no first period");
            }
            Some(Offset::StartOf(grain)) => {
                context.window = Some((Window::StartOf(*grain), AtCoarserGrain::Last));
            }
            Some(Offset::AgoCustom(..) | Offset::StartOfPeriod(_)) => {
                panic!("the oracle does not know offsets by calendar tables")
            }
        }
        Ok((metric, context))
    }

    /// The value of a metric for one key.
    pub fn value(&self, metric: &'a Metric, context: &Context, key: &Key) -> Answered<Value> {
        let value = match &metric.kind {
            MetricKind::Cumulative(cumulative) if cumulative.of.is_some() => {
                let of = self.metric(cumulative.of.as_deref().unwrap())?;
                self.value(of, &self.accumulated(cumulative, context)?, key)?
            }
            MetricKind::Simple(_) | MetricKind::Ratio(_) | MetricKind::Cumulative(_) => {
                let context = &match &metric.kind {
                    MetricKind::Cumulative(cumulative) => self.accumulated(cumulative, context)?,
                    _ => context.clone(),
                };
                let source = self.world.source(metric, &self.usage)?;
                let mut values = Vec::new();
                for measure in &source.measures {
                    let found = self.leaf(measure, context)?.get(key).cloned();
                    values.push(match found {
                        Some(value) => value,
                        None if is_figure(measure, context) => Value::Null,
                        None if self.is_comparable(context, key) => of_nothing(measure.agg),
                        None => Value::Null,
                    });
                }
                match values.as_slice() {
                    [only] => only.clone(),
                    [numerator, denominator] => divided(numerator, denominator),
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
            MetricKind::Conversion(conversion) => {
                let (base, converted) = self.events(conversion, context)?;
                let of = |(measure, context): (&'a Measure, Context)| {
                    let found = self.leaf(measure, &context)?.get(key).cloned();
                    let nothing = match self.is_comparable(&context, key) {
                        true => of_nothing(measure.agg),
                        false => Value::Null,
                    };
                    Ok::<_, Refusal>(found.unwrap_or(nothing))
                };
                let (base, converted) = (of(base)?, of(converted)?);
                match conversion.result {
                    ConversionResult::Count => converted,
                    ConversionResult::Rate => divided(&converted, &base),
                }
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
        let Some(back) = &context.back else {
            return true;
        };
        let mut days = self.groups.iter().zip(&key.0);
        days.all(|(group, value)| match (group, value) {
            (
                GroupBy::Grain {
                    grain: Grain::Day, ..
                },
                Value::Date(day),
            ) => back.by.back().has_counterpart(*day),
            _ => true,
        })
    }

    /// A measure in a context: the value of each group that has rows.
    pub fn leaf(&self, measure: &'a Measure, context: &Context) -> Answered<Rc<Groups>> {
        let name = format!("{measure:?} {context:?}");
        if let Some(known) = self.done.borrow().get(&name) {
            return Ok(known.clone());
        }
        if let Some(conversion) = &context.conversion {
            let values = Rc::new(self.converted(measure, conversion, context)?);
            self.done.borrow_mut().insert(name, Rc::clone(&values));
            return Ok(values);
        }
        self.check(measure, context)?;
        let values = Rc::new(match (&measure.over_time, context.window) {
            (Some(over), None) if over.carry_forward => {
                let all = Window::AllTime;
                let context = Context {
                    window: Some((all, AtCoarserGrain::Last)),
                    ..context.clone()
                };
                self.check(measure, &context)?;
                self.carried(measure, over, &context)?
            }
            (Some(over), None) => self.snapshots(measure, over, context)?,
            (Some(_), Some(_)) => return refuse("a balance does not accumulate"),
            (None, None) => self.grouped(measure, context)?,
            (None, Some((window, coarser))) => self.windowed(measure, context, window, coarser)?,
        });
        self.done.borrow_mut().insert(name, Rc::clone(&values));
        Ok(values)
    }

    /// Each row in its group.
    pub fn grouped(&self, measure: &Measure, context: &Context) -> Answered<Groups> {
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
            groups
                .entry(key)
                .or_default()
                .push(self.row_value(row, measure)?);
        }
        let values = groups.into_iter();
        Ok(values
            .map(|(key, values)| (key, aggregate(measure.agg, &values)))
            .collect())
    }

    /// Each row in every window it counts for.
    fn windowed(
        &self,
        measure: &'a Measure,
        context: &Context,
        window: Window,
        coarser: AtCoarserGrain,
    ) -> Answered<Groups> {
        let mut rows = Vec::new();
        let mut times = Vec::new();
        for row in self.world.rows(measure)? {
            let Some(at) = self.time(row, measure, None)? else {
                continue;
            };
            times.push(at);
            if self.meets(row, measure, context)? {
                let value = self.row_value(row, measure)?;
                rows.push((at, self.fixed_key(row, measure)?, value));
            }
        }
        // By window, then by group: an average is over the windows of the days of a period.
        let mut windows: BTreeMap<Key, Vec<Groups>> = BTreeMap::new();
        for frame in self.frames(measure, context, window, coarser, &times)? {
            if !self.is_shown(frame.period, measure)? {
                continue;
            }
            let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
            if self.groups.is_empty() {
                groups.insert(Key(vec![]), vec![]);
            }
            for (at, fixed, value) in &rows {
                if frame.holds(*at)
                    && let Some(key) = self.frame_key(fixed, *at, frame)
                {
                    groups.entry(key).or_default().push(value.clone());
                }
            }
            let period = Key(match frame.period {
                None => vec![],
                Some(period) => self.frame_periods(measure, period)?,
            });
            let values = groups.into_iter();
            let values = values.map(|(key, values)| (key, aggregate(measure.agg, &values)));
            windows.entry(period).or_default().push(values.collect());
        }
        let mut all = Groups::new();
        for of_period in windows.into_values() {
            let keys: BTreeSet<Key> = of_period.iter().flat_map(Groups::keys).cloned().collect();
            for key in keys {
                let values = of_period.iter().map(|groups| groups.get(&key).cloned());
                let values: Vec<Value> = values
                    .map(|value| value.unwrap_or_else(|| of_nothing(measure.agg)))
                    .collect();
                let value = match coarser {
                    AtCoarserGrain::Average => aggregate(Aggregate::Avg, &values),
                    _ => values.into_iter().next().unwrap(),
                };
                all.insert(key, value);
            }
        }
        Ok(all)
    }

    /// The groups of a row, none for those by the time of the window.
    pub fn fixed_key(&self, row: Row<'a>, measure: &Measure) -> Answered<Vec<Option<Value>>> {
        let groups = self.groups.iter().map(|group| {
            Ok(match group {
                GroupBy::Dimension(name) => Some(self.world.dimension(row, name)?.0),
                GroupBy::Grain { of, .. } | GroupBy::Part { of, .. } => {
                    let of = of.as_deref();
                    if self.is_own(measure, of)? {
                        None
                    } else {
                        let at = self.time(row, measure, of)?;
                        Some(at.map_or(Value::Null, |at| self.of_period(group, at)))
                    }
                }
            })
        });
        groups.collect()
    }

    pub fn frame_key(&self, fixed: &[Option<Value>], at: DateTime, frame: Frame) -> Option<Key> {
        let of_window = frame.period.unwrap_or(at);
        let groups = self.groups.iter().zip(fixed);
        let values = groups.map(|(group, fixed)| match fixed {
            Some(value) => value.clone(),
            None => self.of_period(group, of_window),
        });
        self.fold(Key(values.collect()))
    }

    /// The group that a group counts as.
    fn fold(&self, key: Key) -> Option<Key> {
        match &self.folds {
            Some(folds) => folds.get(&key).cloned(),
            None => Some(key),
        }
    }

    pub fn row_value(&self, row: Row<'a>, measure: &Measure) -> Answered<Value> {
        match &measure.expr {
            Some(expr) => self.world.expression(row, expr),
            None => Ok(Value::Number(1.0)),
        }
    }

    /// Whether every filter of the definitions and of the query holds for a row.
    pub fn meets(&self, row: Row<'a>, measure: &Measure, context: &Context) -> Answered<bool> {
        let field = |name: &str| self.field(row, name, context);
        for filter in measure.filters.iter().chain(&context.filters) {
            let holds = match per_dimension(&filter.text) {
                Some(tree) => conditions::holds(&tree, &field)?,
                None => self.world.expression(row, filter)?.truth(),
            };
            if holds != Some(true) {
                return Ok(false);
            }
        }
        for part in self.parts() {
            if context.window.is_some() && self.is_about_time(part, measure)? {
                continue;
            }
            let field = |name: &str| {
                let (value, kind) = self.field(row, name, context)?;
                let by = context.back.map(|back| back.by);
                Ok(match (by, value.instant()) {
                    // A condition on the time is about the time that the row counts for.
                    (Some(by), Some(at)) if self.is_own(measure, Some(name))? => {
                        let at = by.apply(at.date()).to_datetime(at.time());
                        (Value::Time(at), kind)
                    }
                    _ => (value, kind),
                })
            };
            if conditions::holds(part, &field)? != Some(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a row takes part: every filter holds, and its time is in range.
    pub fn counts(&self, row: Row<'a>, measure: &Measure, context: &Context) -> Answered<bool> {
        if !self.meets(row, measure, context)? {
            return Ok(false);
        }
        let range = context.back.map_or(self.range, |back| back.range);
        if range == DateRange::default() {
            return Ok(true);
        }
        let at = self.time(row, measure, None)?;
        Ok(at.is_some_and(|at| {
            let after = |day: jiff::civil::Date| at >= day.at(0, 0, 0, 0);
            range.start.is_none_or(after) && range.end.is_none_or(|end| !after(end))
        }))
    }

    pub fn time(
        &self,
        row: Row<'a>,
        measure: &Measure,
        of: Option<&str>,
    ) -> Answered<Option<DateTime>> {
        let name = self.time_name(measure, of)?;
        Ok(self.world.dimension(row, &name)?.0.instant())
    }

    pub fn time_name(&self, measure: &Measure, of: Option<&str>) -> Answered<String> {
        let dataset = self.world.dataset(&measure.dataset)?;
        let name = of.or(measure.time.as_deref()).or(dataset.time.as_deref());
        name.map_or_else(
            || refuse(format!("{} has no time", measure.dataset)),
            |name| Ok(name.to_owned()),
        )
    }

    /// The groups a row belongs to; `None` for a day of a compared range that the current one does not have.
    pub fn key(&self, row: Row<'a>, measure: &Measure, context: &Context) -> Answered<Option<Key>> {
        let mut key = Vec::new();
        for group in &self.groups {
            if let Some(custom) = self.world.custom(group) {
                let at = self.time(row, measure, custom.of.as_deref())?;
                key.push(at.map_or(Value::Null, |at| self.world.period(at, &custom)));
                continue;
            }
            key.push(match group {
                GroupBy::Dimension(name) => self.world.dimension(row, name)?.0,
                GroupBy::Part { part, of } => {
                    let at = self.time(row, measure, of.as_deref())?;
                    let is_own = self.is_own(measure, of.as_deref())?;
                    at.map_or(Value::Null, |at| match is_own {
                        true => time::part(moved(at, *part, context), *part),
                        false => time::part(at, *part),
                    })
                }
                GroupBy::Grain { grain, of } => {
                    let Some(at) = self.time(row, measure, of.as_deref())? else {
                        key.push(Value::Null);
                        continue;
                    };
                    let period =
                        |at| time::floor(at, *grain, self.world.registry.calendar.week_start);
                    // Another time is that of the row, wherever its own is moved to.
                    let is_own = self.is_own(measure, of.as_deref())?;
                    let back = context.back.filter(|_| is_own);
                    match (back.map(|back| back.by), period(at)) {
                        (None, period) => period,
                        (Some(Shift::Days(days)), _) => {
                            period(at + jiff::ToSpan::days(i64::from(days)))
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
        Ok(self.fold(Key(key)))
    }

    /// What cannot be asked of a measure, whatever its rows are.
    pub fn check(&self, measure: &Measure, context: &Context) -> Answered<()> {
        let world = self.world;
        for group in &self.groups {
            if let GroupBy::Dimension(name) = group
                && world.custom(group).is_none()
            {
                world.kind(&measure.dataset, name)?;
            }
        }
        let filters = measure.filters.iter().chain(&context.filters);
        let filters = filters.filter_map(|filter| per_dimension(&filter.text));
        for tree in filters.chain(self.conditions.clone()) {
            self.check_tree(&tree, measure, context)?;
        }
        let is_time = |name: &str| -> Answered<DimensionType> {
            let (kind, _) = world.kind(&measure.dataset, name)?;
            if kind.is_time() {
                Ok(kind)
            } else {
                refuse(format!("{name} is no time"))
            }
        };
        let carries = measure
            .over_time
            .as_ref()
            .is_some_and(|over| over.carry_forward);
        let is_windowed = context.window.is_some() || carries;
        if is_windowed {
            let shows_days = self
                .own_grain(measure)?
                .is_some_and(|grain| grain <= Grain::Day);
            for part in self.parts() {
                let mut fields = part.fields().into_iter();
                let is_alone = fields.all(|field| self.is_own(measure, Some(field)) == Ok(true));
                if self.is_about_time(part, measure)? && !(shows_days && is_alone) {
                    return refuse("a condition on the time would cut the windows short");
                }
            }
        }
        if self.range != DateRange::default() || is_windowed {
            is_time(&self.time_name(measure, None)?)?;
        }
        for group in &self.groups {
            if let Some(custom) = world.custom(group) {
                if context.back.is_some() || is_windowed {
                    return refuse("only the calendar table knows these periods");
                }
                is_time(&self.time_name(measure, custom.of.as_deref())?)?;
                continue;
            }
            let (of, is_fine) = match group {
                GroupBy::Dimension(name) => {
                    let (kind, _) = world.kind(&measure.dataset, name)?;
                    if context.back.is_some() && kind.is_time() {
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
            if self.world.custom(group).is_some() {
                continue;
            }
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

fn divided(numerator: &Value, denominator: &Value) -> Value {
    super::expr::arithmetic(&BinaryOperator::Divide, numerator, denominator)
}

/// Whether a value is a figure over other values, of which there may be none: then it is unknown, also of counts.
fn is_figure(measure: &Measure, context: &Context) -> bool {
    let of_snapshots = measure.over_time.as_ref();
    of_snapshots.is_some_and(|over| matches!(over.take, Take::Min | Take::Max | Take::Avg))
        || context
            .window
            .is_some_and(|(_, coarser)| coarser == AtCoarserGrain::Average)
}

/// A point in time for a part of it: that of an input counts for the day it is moved to; months, quarters and years are
/// periods and move with a comparison, everything else comes round again by itself (Mondays are compared with Mondays).
fn moved(at: DateTime, part: DatePart, context: &Context) -> DateTime {
    let is_period = matches!(
        part,
        DatePart::MonthOfYear | DatePart::QuarterOfYear | DatePart::YearNumber
    );
    match context.back {
        Some(back) if is_period => back.by.apply(at.date()).to_datetime(at.time()),
        _ => at + jiff::ToSpan::days(i64::from(context.days)),
    }
}
