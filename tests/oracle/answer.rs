//! A whole query: the rows of its result, in order.

use std::collections::BTreeSet;

use jiff::ToSpan;
use metrex::model::{
    Aggregate, DateRange, DimensionType, Direction, Filter, Grain, GroupBy, Measure, Metric,
    MetricKind, MetricQuery, Presented, TimeRange,
};

use super::alone::alone;
use super::compare::prior;
use super::conditions;
use super::metrics::{Context, Question};
use super::presented::{Values, part, shown};
use super::ranked::{self, Order};
use super::source::Usage;
use super::time::{first_day, next_period};
use super::{Answered, Key, Value, World, refuse};

/// The columns and rows of a result.
#[derive(Debug, Clone)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// What a query asks for, with the defaults of its metrics.
struct Asked<'a> {
    metrics: Vec<&'a Metric>,
    groups: Vec<GroupBy>,
    time: TimeRange,
    conditions: Option<Filter>,
    having: Option<Filter>,
}

pub fn answer(world: &World<'_>, query: &MetricQuery) -> Answered<Answer> {
    if query.metrics.is_empty() {
        return alone(world, query);
    }
    let asked = asked(world, query)?;
    let usage = usage(&asked.groups, asked.conditions.as_ref());
    rows(world, query, &asked, usage)
}

/// The same over all groups, from the sources of the groups.
pub fn total(world: &World<'_>, query: &MetricQuery) -> Answered<Answer> {
    let mut asked = asked(world, query)?;
    let usage = usage(&asked.groups, asked.conditions.as_ref());
    asked.groups.clear();
    let shares = query.show.iter();
    let query = MetricQuery {
        group_by: Some(vec![]),
        order: vec![],
        limit: None,
        limit_per: vec![],
        others: false,
        show: shares
            .filter(|shown| shown.what == Presented::Share)
            .cloned()
            .collect(),
        ..query.clone()
    };
    rows(world, &query, &asked, usage)
}

fn rows(
    world: &World<'_>,
    query: &MetricQuery,
    asked: &Asked<'_>,
    usage: Usage,
) -> Answered<Answer> {
    let Asked {
        metrics,
        groups,
        time,
        ..
    } = asked;
    let range = time.resolve(world.today, world.registry.calendar.week_start);
    let compared = match query.compare {
        Some(comparison) => Some(prior(comparison, *time, range, world.today, groups)?),
        None => None,
    };
    ranked::check(groups, query)?;
    let question = Question {
        groups: groups.clone(),
        conditions: asked.conditions.clone(),
        range,
        time: *time,
        usage,
        ..Question::new(world)
    };
    let mut contexts = vec![Context::default()];
    contexts.extend(compared.map(|prior| Context {
        back: Some(prior),
        ..Context::default()
    }));

    // Every group that any leaf has rows in, and every period where one grain is asked for.
    let mut keys: BTreeSet<Key> = BTreeSet::new();
    let mut measures: Vec<&Measure> = Vec::new();
    for metric in metrics {
        for context in &contexts {
            for (measure, context) in question.leaves(metric, context)? {
                measures.push(match &context.conversion {
                    Some(conversion) => question.base(conversion)?,
                    None => measure,
                });
                keys.extend(question.leaf(measure, &context)?.keys().cloned());
            }
        }
    }
    question.check_meaning(&measures)?;
    let periods = periods(world, query, asked, range)?;
    if let Some((at, all)) = periods {
        let mut periods = Vec::new();
        for period in all {
            if matches!(groups[at], GroupBy::Grain { grain, .. } if grain > Grain::Day)
                || question.leaves_period(&period, &measures)?
            {
                periods.push(period);
            }
        }
        if groups.len() == 1 {
            keys.extend(periods.into_iter().map(|period| Key(vec![period])));
        } else {
            keys.extend(beside(&keys, at, &periods));
        }
    }

    let mut columns: Vec<String> = groups
        .iter()
        .map(|group| group.to_string().replace('"', ""))
        .collect();
    for metric in metrics {
        columns.push(metric.name.clone());
        if compared.is_some() {
            columns.push(format!("{}_prior", metric.name));
            if is_number(world, metric) {
                columns.push(format!("{}_change", metric.name));
                columns.push(format!("{}_change_pct", metric.name));
            }
        }
        for what in shown(query, metric) {
            question.check_figure(metric, what)?;
            let what = what.to_string().replace(' ', "_");
            columns.push(format!("{}_{what}", metric.name));
        }
        if query.others {
            question.check_others(metric, query, &contexts)?;
        }
    }
    // Figures are over all groups.
    let mut values: Vec<Values> = Vec::new();
    for metric in metrics {
        let mut each = Values::new();
        for key in &keys {
            each.insert(key.clone(), question.value(metric, &contexts[0], key)?);
        }
        values.push(each);
    }
    if let Some(having) = &asked.having {
        // Literals are wrong or right whatever the rows are.
        let field = |name: &str| {
            Ok((
                Value::Null,
                kind(world, world.registry.metric(name).unwrap()),
            ))
        };
        conditions::holds(having, &field)?;
    }
    let mut rows = Vec::new();
    for key in keys {
        if let Some(having) = &asked.having {
            let field = |name: &str| {
                let metric = world.registry.metric(name).unwrap();
                let value = question.value(metric, &contexts[0], &key)?;
                Ok((value, kind(world, metric)))
            };
            if conditions::holds(having, &field)? != Some(true) {
                continue;
            }
        }
        let mut row = key.0.clone();
        for (metric, values) in metrics.iter().zip(&values) {
            row.extend(with_comparison(&question, metric, &contexts, &key)?);
            for what in shown(query, metric) {
                row.push(question.figure(metric, what, &key, values)?);
            }
        }
        rows.push(row);
    }
    let order = order(world, query, &columns, groups.len())?;
    let (kept, beyond) = ranked::limited(groups, query, &order, rows);
    if !query.others {
        return Ok(Answer {
            columns,
            rows: kept,
        });
    }
    let others = question.others(metrics, query, &contexts, (&kept, &beyond), &values)?;
    let rows = question.among(query, &order, kept, others);
    Ok(Answer { columns, rows })
}

/// The cells of a metric: now, and beside the compared range.
pub fn with_comparison<'a>(
    question: &Question<'_, 'a>,
    metric: &'a Metric,
    contexts: &[Context],
    key: &Key,
) -> Answered<Vec<Value>> {
    let now = question.value(metric, &contexts[0], key)?;
    let mut cells = vec![now.clone()];
    if let Some(context) = contexts.get(1) {
        let prior = question.value(metric, context, key)?;
        cells.push(prior.clone());
        if is_number(question.world, metric) {
            let change = Value::from(difference(&now, &prior));
            cells.push(change.clone());
            cells.push(part(&change, &prior));
        }
    }
    Ok(cells)
}

fn difference(now: &Value, prior: &Value) -> Option<f64> {
    Some(now.number()? - prior.number()?)
}

fn asked<'a>(world: &World<'a>, query: &MetricQuery) -> Answered<Asked<'a>> {
    let mut metrics = Vec::new();
    for name in &query.metrics {
        match world.registry.metric(name) {
            Some(metric) => metrics.push(metric),
            None => return refuse(format!("unknown metric {name}")),
        }
    }
    let shared_grain = metrics
        .first()
        .map(|first| &first.grain)
        .filter(|grain| metrics.iter().all(|metric| metric.grain == **grain));
    let groups = match &query.group_by {
        Some(groups) => groups.clone(),
        None => shared_grain.cloned().unwrap_or_default(),
    };
    let window = |metric: &Metric| metric.window.unwrap_or(TimeRange::AllTime);
    let time = match query.time {
        Some(time) => time,
        None => {
            let first = metrics
                .first()
                .map_or(TimeRange::AllTime, |metric| window(metric));
            if metrics.iter().any(|metric| window(metric) != first) {
                return refuse("different default time ranges");
            }
            first
        }
    };
    let is_metric = |field: &str| {
        let found = world.registry.metric(field);
        found.is_some_and(|found| metrics.iter().any(|metric| metric.name == found.name))
    };
    let parts = match query.filters.clone() {
        None => vec![],
        Some(Filter::And(parts)) => parts,
        Some(one) => vec![one],
    };
    let (mut conditions, mut having): (Option<Filter>, Option<Filter>) = (None, None);
    for part in parts {
        let fields = part.fields();
        let of_metrics = fields.iter().filter(|field| is_metric(field)).count();
        let side = match of_metrics {
            0 => &mut conditions,
            n if n == fields.len() => &mut having,
            _ => return refuse("a condition mixes metrics and dimensions"),
        };
        *side = Some(match side.take() {
            None => part,
            Some(earlier) => earlier.and(part),
        });
    }
    Ok(Asked {
        metrics,
        groups,
        time,
        conditions,
        having,
    })
}

pub fn usage(groups: &[GroupBy], conditions: Option<&Filter>) -> Usage {
    let grouped = groups.iter().filter_map(GroupBy::dimension);
    let fields = conditions.into_iter().flat_map(Filter::fields);
    let filtered = fields.map(|field| Filter::per(field).map_or(field, |(_, of)| of));
    let grains = groups.iter().filter_map(|group| match group {
        GroupBy::Grain { grain, .. } => Some(*grain),
        _ => None,
    });
    Usage {
        dimensions: grouped.chain(filtered).map(ToOwned::to_owned).collect(),
        grain: grains.min(),
    }
}

/// The periods that are rows whatever the data are, and at which place of a key they stand: those of a query by one time
/// grain of a day or longer and nothing else, and where the query or a metric asks for every period. They are those of a
/// range with a start, up to today at the latest.
fn periods(
    world: &World<'_>,
    query: &MetricQuery,
    asked: &Asked<'_>,
    range: DateRange,
) -> Answered<Option<(usize, Vec<Value>)>> {
    let groups = asked.groups.iter().enumerate();
    let grains: Vec<(usize, Grain)> = groups
        .filter_map(|(at, group)| match group {
            _ if world.custom(group).is_some() => None,
            GroupBy::Grain { grain, of: None } => Some((at, *grain)),
            _ => None,
        })
        .collect();
    let is_asked = query.every_period == Some(true);
    let &[(at, grain)] = grains.as_slice() else {
        if is_asked {
            return refuse("every period of what?");
        }
        return Ok(None);
    };
    let by_definition = asked.metrics.iter().any(|metric| shows_all(world, metric));
    let is_trend = asked.groups.len() == 1 && grain >= Grain::Day && asked.having.is_none();
    let wanted = query.every_period.unwrap_or(by_definition || is_trend);
    // Without a time range, they are those of the calendar table where there is one and they are asked for.
    let table = world.days().filter(|_| grain >= Grain::Day);
    let table = table.filter(|_| range.start.is_none() && (is_asked || by_definition));
    let start = range.start.or(table.map(|(first, _)| first));
    let Some(start) = start.filter(|_| wanted) else {
        if is_asked {
            return refuse("every period since when?");
        }
        return Ok(None);
    };
    let week_start = world.registry.calendar.week_start;
    let mut periods = Vec::new();
    if grain < Grain::Day {
        let Some(end) = range.end else {
            return Ok(None);
        };
        let step = match grain {
            Grain::Hour => 1.hour(),
            Grain::Minute => 1.minute(),
            _ => 1.second(),
        };
        let mut at = start.at(0, 0, 0, 0);
        while at < end.at(0, 0, 0, 0) {
            periods.push(Value::Time(at));
            at += step;
        }
    } else {
        let last = range.end.map(|end| end.yesterday().unwrap());
        let last = match (last, table) {
            (None, Some((_, last))) => last,
            (last, _) => last.map_or(world.today, |last| last.min(world.today)),
        };
        let mut day = first_day(start, grain, week_start);
        while day <= last {
            periods.push(Value::Date(day));
            day = next_period(day, grain, week_start);
        }
    }
    Ok(Some((at, periods)))
}

/// Whether every period is a row of a metric, or of one that it is made of.
fn shows_all(world: &World<'_>, metric: &Metric) -> bool {
    let inputs = match metric.kind {
        // Its events are no metrics of the result.
        MetricKind::Conversion(_) => vec![],
        _ => metric.kind.inputs(),
    };
    let mut inputs = inputs
        .into_iter()
        .filter_map(|name| world.registry.metric(name));
    metric.every_period || inputs.any(|input| shows_all(world, input))
}

/// Every period beside every combination of the other groupings.
fn beside(keys: &BTreeSet<Key>, at: usize, periods: &[Value]) -> Vec<Key> {
    let moved = |key: &Key, period: &Value| {
        let mut key = key.clone();
        key.0[at] = period.clone();
        key
    };
    let mut all = Vec::new();
    for key in keys {
        all.extend(periods.iter().map(|period| moved(key, period)));
    }
    all
}

/// Whether a metric has differences: the smallest and largest of dates and texts have not.
pub fn is_number(world: &World<'_>, metric: &Metric) -> bool {
    kind(world, metric) == DimensionType::Number
}

/// What the values of a metric are: the smallest and largest are of the kind of the dimension they are of, everything
/// else is a number.
pub fn kind(world: &World<'_>, metric: &Metric) -> DimensionType {
    let MetricKind::Simple(sources) = &metric.kind else {
        return DimensionType::Number;
    };
    let mut measures = sources.iter().flat_map(|source| &source.measures);
    let kind = |measure: &Measure| {
        let keeps = matches!(
            measure.agg,
            Aggregate::Min | Aggregate::Max | Aggregate::PercentileDiscrete(_)
        );
        let expr = measure.expr.as_ref().filter(|_| keeps)?;
        let dataset = world.dataset(&measure.dataset).ok()?;
        let mut columns = dataset.dimensions.values();
        match columns.find(|dimension| dimension.column.as_ref() == Some(&expr.text)) {
            Some(dimension) => Some(dimension.kind),
            None => Some(world.kind(&measure.dataset, &expr.text).ok()?.0),
        }
    };
    let kind = measures.next().and_then(kind);
    kind.unwrap_or(DimensionType::Number)
}

/// By what the query orders by, then by the groupings.
pub fn order(
    world: &World<'_>,
    query: &MetricQuery,
    columns: &[String],
    groups: usize,
) -> Answered<Order> {
    let mut keys = Vec::new();
    for order in &query.order {
        let canonical = world.registry.metric(&order.column);
        let name = canonical.map_or(&order.column, |metric| &metric.name);
        let mut found = columns.iter();
        let index = found.position(|column| column.eq_ignore_ascii_case(name));
        let Some(index) = index else {
            return refuse(format!("there is no column {name}"));
        };
        keys.push((index, order.direction));
    }
    for index in 0..groups {
        if keys.iter().all(|(known, _)| *known != index) {
            keys.push((index, Direction::Ascending));
        }
    }
    Ok(keys)
}
