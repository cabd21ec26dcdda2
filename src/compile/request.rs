//! First step of a compilation: canonical metric names, defaults filled in, conditions split into where and having.

use super::{CompileError, ErrorCode, Reason, ReasonKind};
use crate::model::{
    DateRange, Filter, Grain, GroupBy, Metric, MetricKind, MetricQuery, NOT_KEPT, Registry,
    TimeRange,
};
use crate::registry::nearest;
use crate::warehouse::Shift;

use super::compare::{self, Shifted};
use super::periods_ago::{self, PeriodsAgo};
use super::source::Usage;
use super::{CompileOptions, conventions, facets, reach};

/// A query with its names resolved and its dates fixed.
pub(super) struct Request<'a> {
    /// The canonical query.
    pub(super) query: MetricQuery,
    pub(super) metrics: Vec<&'a Metric>,
    pub(super) groups: Vec<GroupBy>,
    /// What the smallest and largest values are asked of.
    pub(super) range_of: Vec<GroupBy>,
    /// Groupings that the query wrote otherwise: name here, name as written.
    pub(super) written: Vec<(String, String)>,
    /// Conditions on dimensions.
    pub(super) conditions: Option<Filter>,
    /// Conditions on metrics; fields are canonical metric names.
    pub(super) having: Option<Filter>,
    pub(super) range: DateRange,
    pub(super) shifted: Option<Shifted>,
    /// The same in periods of the calendar table.
    pub(super) ago: Option<PeriodsAgo<'a>>,
    pub(super) reasons: Vec<Reason>,
    /// How many conditions on a metric per dimension stand around this one.
    pub(super) nesting: u8,
    /// The relation of the statement that this query becomes, where another one stands around it.
    pub(super) within: Option<String>,
}

impl Request<'_> {
    /// What the query asks for, as far as the choice of a source may depend on it.
    pub(super) fn usage(&self) -> Usage<'_> {
        Usage {
            dimensions: self.dimensions(),
            grain: self.grain(),
        }
    }

    /// Whether days without a counterpart in the compared range are left out: the other month has no such day.
    pub(super) fn is_uneven(&self) -> bool {
        let by = self.shifted.as_ref().map(|shifted| shifted.by);
        (matches!(by, Some(Shift::Months(_))) || self.ago.is_some()) && self.is_by_day()
    }

    /// Whether the result has a row per day.
    pub(super) fn is_by_day(&self) -> bool {
        self.groups.contains(&GroupBy::Grain {
            grain: Grain::Day,
            of: None,
        })
    }

    /// The finest grain grouped by.
    fn grain(&self) -> Option<Grain> {
        self.groups
            .iter()
            .chain(&self.range_of)
            .filter_map(|group| match group {
                GroupBy::Grain { grain, .. } => Some(*grain),
                GroupBy::Dimension(_) | GroupBy::Part { .. } => None,
            })
            .min()
    }

    /// What the column of a grouping is called: as the query wrote it.
    pub(super) fn written<'n>(&'n self, name: &'n str) -> &'n str {
        let found = self.written.iter().find(|(plain, _)| plain == name);
        found.map_or(name, |(_, written)| written)
    }

    /// Every dimension grouped or filtered by, as written.
    pub(super) fn dimensions(&self) -> Vec<&str> {
        let groups = self.groups.iter().chain(&self.range_of);
        let grouped = groups.filter_map(GroupBy::dimension);
        let fields = self.conditions.iter().flat_map(Filter::fields);
        let filtered = fields.map(|field| Filter::per(field).map_or(field, |(_, of)| of));
        grouped.chain(filtered).collect()
    }
}

pub(super) fn resolve<'a>(
    registry: &'a Registry,
    asked: &MetricQuery,
    options: &CompileOptions<'_>,
) -> Result<Request<'a>, CompileError> {
    let mut query = asked.clone();
    let mut literals = asked.filters.iter().flat_map(Filter::literals);
    if literals.any(|literal| literal == NOT_KEPT) {
        return Err(CompileError::new(
            ErrorCode::InvalidValue,
            "a personal value of this query was not kept in the history",
        )
        .hint(format!("write the value in the place of {NOT_KEPT}"))
        .word(NOT_KEPT));
    }
    let mut reasons = Vec::new();
    for shown in &mut query.show {
        shown.metric = metric(registry, &shown.metric)?.name.clone();
    }
    let written: Vec<String> = query.show.iter().map(ToString::to_string).collect();
    unique(&written, "figure")?;
    let metrics = asked
        .metrics
        .iter()
        .map(|name| metric(registry, name))
        .collect::<Result<Vec<_>, CompileError>>()?;
    if metrics.is_empty() {
        without_metrics(asked)?;
    } else if let Some(first) = asked.range_of.first() {
        return Err(CompileError::new(
            ErrorCode::InvalidClause,
            format!("the range of {first} is no column beside metrics"),
        )
        .hint(format!("ask for it alone: range of {first}"))
        .word(first.to_string()));
    }
    let ranges: Vec<String> = asked.range_of.iter().map(ToString::to_string).collect();
    unique(&ranges, "range of")?;
    query.metrics = metrics.iter().map(|metric| metric.name.clone()).collect();
    if let Some(shown) = query
        .show
        .iter()
        .find(|shown| !query.metrics.contains(&shown.metric))
    {
        return Err(CompileError::new(
            ErrorCode::InvalidClause,
            format!(
                "{shown} needs {} among the metrics of the query",
                shown.metric
            ),
        )
        .hint(format!("{}, {shown}", shown.metric))
        .word(&shown.metric));
    }
    unique(&query.metrics, "metric")?;

    if asked.limit == Some(0) {
        return Err(CompileError::new(
            ErrorCode::InvalidClause,
            "a limit of 0 rows asks for nothing",
        )
        .hint("write a number from 1 on, or leave the limit out"));
    }
    let groups = grouping(&metrics, asked, &mut reasons);
    unique(
        &groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "grouping",
    )?;
    let is_range = !query.range_of.is_empty();
    query.group_by = (!is_range || !groups.is_empty()).then(|| groups.clone());

    let time = time_range(&metrics, asked, &mut reasons)?;
    query.time = Some(time);
    let week_start = registry.calendar.week_start;
    let range = time.resolve(options.today, week_start);
    let range = conventions::widen(registry, (&metrics, &groups), range, week_start);
    if [range.start, range.end]
        .into_iter()
        .flatten()
        .any(|day| !(1..=9998).contains(&day.year()))
    {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("{time} reaches beyond the years 1 to 9998"),
        )
        .hint("all time has no limits"));
    }
    if range
        .start
        .zip(range.end)
        .is_some_and(|(start, end)| start >= end)
    {
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!("the time range {time} is empty"),
        )
        .hint("its first day comes first: 2025-01..2025-03"));
    }
    if time != TimeRange::AllTime {
        reasons.push(Reason {
            kind: ReasonKind::Time,
            text: format!("{time}: {range}"),
            place: None,
        });
    }

    let canonical = |name: &str| {
        let found = registry.metric(name)?;
        query
            .metrics
            .contains(&found.name)
            .then(|| found.name.clone())
    };
    let (conditions, having) = match asked.filters.clone() {
        None => (None, None),
        Some(filter) => split(filter, &canonical)?,
    };
    if let Some(field) = conditions.iter().flat_map(Filter::fields).find(|field| {
        registry.metric(field).is_some()
            && registry
                .datasets
                .values()
                .all(|dataset| dataset.dimension(field).is_none())
    }) {
        return Err(CompileError::new(
            ErrorCode::InvalidClause,
            format!("the condition on {field} needs {field} among the metrics of the query"),
        )
        .hint(format!("{}, {field} …", query.metrics.join(", ")))
        .word(field));
    }

    let order: Vec<String> = query
        .order
        .iter()
        .map(|key| match canonical(&key.column) {
            Some(metric) => metric,
            None => grouped(registry, &groups, &key.column).unwrap_or_else(|| key.column.clone()),
        })
        .collect();
    for (key, name) in query.order.iter_mut().zip(order) {
        key.column = name;
    }
    for per in &mut query.limit_per {
        if let GroupBy::Dimension(name) = per
            && let Some(other) = grouped(registry, &groups, name)
        {
            *name = other;
        }
    }
    let shown = (groups.as_slice(), conditions.as_ref());
    let ago = match asked.compare {
        None => None,
        Some(by) => periods_ago::compared(registry, by, shown, range, options.today)?,
    };
    if let (Some(ago), Some(comparison)) = (&ago, asked.compare) {
        reasons.push(Reason {
            kind: ReasonKind::Compare,
            text: ago.compared(comparison),
            place: Some(ago.period.place),
        });
    }
    let shifted = match asked.compare.filter(|_| ago.is_none()) {
        None => None,
        Some(comparison) => {
            let civil = periods_ago::civil(registry, &groups);
            let shifted = compare::shift(comparison, time, range, options.today, &civil)?;
            reasons.push(Reason {
                kind: ReasonKind::Compare,
                text: format!(
                    "compared with {comparison}: {}{}",
                    shifted.range, shifted.remark
                ),
                place: None,
            });
            Some(shifted)
        }
    };
    let asked = facets::Asked {
        groups: &groups,
        conditions: conditions.as_ref(),
        time,
        range,
        prior: shifted.as_ref().map(|shifted| shifted.range),
    };
    facets::check(registry, &metrics, &asked, options.dialect)?;
    Ok(Request {
        range_of: query.range_of.clone(),
        query,
        metrics,
        groups,
        written: Vec::new(),
        conditions,
        having,
        range,
        shifted,
        ago,
        reasons,
        nesting: 0,
        within: None,
    })
}

/// The grouping that is called otherwise in the query: another name of the same dimension.
fn grouped(registry: &Registry, groups: &[GroupBy], name: &str) -> Option<String> {
    let mut names = groups.iter().filter_map(|group| match group {
        GroupBy::Dimension(of) => Some(of),
        _ => None,
    });
    let is_same = |of: &&String| {
        let mut datasets = registry.datasets.values();
        datasets.any(|dataset| {
            let both = dataset.dimension(of).zip(dataset.dimension(name));
            both.is_some_and(|(one, other)| one.name == other.name)
        })
    };
    if names.clone().any(|of| of == name) {
        return None;
    }
    names.find(is_same).cloned()
}

/// Dimensions may be asked for alone.
fn without_metrics(asked: &MetricQuery) -> Result<(), CompileError> {
    if asked.is_empty() {
        return Err(
            CompileError::new(ErrorCode::NoMetric, "the query names no metric")
                .hint("start with one or more metrics: gmv, orders by market last 6 months"),
        );
    }
    let what = match asked {
        asked if asked.compare.is_some() => "compare",
        asked if asked.every_period == Some(true) => "show in every period",
        _ => return Ok(()),
    };
    Err(CompileError::new(
        ErrorCode::NoMetric,
        format!("without a metric there is nothing to {what}"),
    )
    .hint("start with one or more metrics"))
}

fn metric<'a>(registry: &'a Registry, name: &str) -> Result<&'a Metric, CompileError> {
    let Some(metric) = registry.metric(name) else {
        let error = CompileError::new(ErrorCode::UnknownMetric, format!("unknown metric '{name}'"))
            .word(name);
        let known = registry.metric_names.keys().map(String::as_str);
        let near = nearest(name, known).and_then(|near| registry.metric(near));
        return Err(match near {
            Some(near) => error.hint(format!("did you mean '{}' ({})?", near.name, near.label)),
            None => {
                let names: Vec<String> = registry.metrics.keys().cloned().collect();
                error.hint(format!("known metrics: {}", reach::list(&names, 12)))
            }
        });
    };
    if matches!(metric.kind, MetricKind::Complex { facets: None, .. }) {
        return Err(CompileError::new(
            ErrorCode::ComplexMetric,
            format!(
                "{} is a complex metric: it is a hand-written snippet and has no compiled form",
                metric.name
            ),
        )
        .hint(format!("metrex show {} prints its snippet", metric.name))
        .word(name)
        .at(metric.place));
    }
    Ok(metric)
}

fn unique(names: &[String], what: &str) -> Result<(), CompileError> {
    let twice = names
        .iter()
        .enumerate()
        .find(|(index, name)| names.iter().take(*index).any(|earlier| earlier == *name));
    match twice {
        None => Ok(()),
        Some((_, name)) => Err(CompileError::new(
            ErrorCode::InvalidClause,
            format!("the {what} {name} stands twice"),
        )
        .hint("write it once")
        .word(name)),
    }
}

/// The default grouping applies when every metric of the query has the same one.
fn grouping(metrics: &[&Metric], asked: &MetricQuery, reasons: &mut Vec<Reason>) -> Vec<GroupBy> {
    if let Some(groups) = &asked.group_by {
        return groups.clone();
    }
    let Some(first) = metrics
        .first()
        .filter(|first| metrics.iter().all(|metric| metric.grain == first.grain))
    else {
        return Vec::new();
    };
    if !first.grain.is_empty() {
        let words: Vec<_> = first.grain.iter().map(ToString::to_string).collect();
        reasons.push(Reason {
            kind: ReasonKind::Default,
            text: format!(
                "grouped by {}, the default of {} (\"by none\" for one number)",
                words.join(", "),
                first.name
            ),
            place: Some(first.place),
        });
    }
    first.grain.clone()
}

/// The default time range applies when every metric of the query has the same one; different ones are refused.
fn time_range(
    metrics: &[&Metric],
    asked: &MetricQuery,
    reasons: &mut Vec<Reason>,
) -> Result<TimeRange, CompileError> {
    if let Some(time) = asked.time {
        return Ok(time);
    }
    let windows: Vec<TimeRange> = metrics
        .iter()
        .map(|metric| metric.window.unwrap_or(TimeRange::AllTime))
        .collect();
    let first = windows.first().copied().unwrap_or(TimeRange::AllTime);
    if windows.iter().any(|window| *window != first) {
        let each: Vec<_> = metrics
            .iter()
            .zip(&windows)
            .map(|(metric, window)| format!("{}: {window}", metric.name))
            .collect();
        return Err(CompileError::new(
            ErrorCode::InvalidTime,
            format!(
                "these metrics have different default time ranges ({})",
                each.join(", ")
            ),
        )
        .hint("say the time range, for instance: last 6 months, qtd, all time"));
    }
    if let Some(metric) = metrics.iter().find(|metric| metric.window.is_some()) {
        reasons.push(Reason {
            kind: ReasonKind::Default,
            text: format!("{first}, the default time range of {}", metric.name),
            place: Some(metric.place),
        });
    }
    Ok(first)
}

/// Splits the top-level AND into conditions on dimensions and conditions on metrics.
fn split(
    filter: Filter,
    metric: &impl Fn(&str) -> Option<String>,
) -> Result<(Option<Filter>, Option<Filter>), CompileError> {
    let parts = match filter {
        Filter::And(parts) => parts,
        one => vec![one],
    };
    let (mut conditions, mut having): (Option<Filter>, Option<Filter>) = (None, None);
    for part in parts {
        let of_metrics = part
            .fields()
            .iter()
            .filter(|field| metric(field).is_some())
            .count();
        let side = if of_metrics == 0 {
            &mut conditions
        } else if of_metrics == part.fields().len() {
            &mut having
        } else {
            return Err(CompileError::new(
                ErrorCode::InvalidClause,
                format!("'{part}' mixes a condition on a metric with one on a dimension"),
            )
            .hint(
                "metrics are compared after grouping, dimensions before: join the two with 'and'",
            ));
        };
        *side = Some(match side.take() {
            None => part,
            Some(earlier) => earlier.and(part),
        });
    }
    Ok((conditions, having))
}
