//! Names as dbt's semantic layer writes them: `listing__country`, `metric_time__month`, `metric_time__extract_dow`.
//!
//! A query may use them; it is compiled in metrex's own names, and its columns keep the ones it was written with.

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::conventions;
use super::filter::moment;
use super::reach::{DimensionPath, Reachability, leaf_metrics, role};
use crate::model::{
    CompareOp, Conventions, DatePart, Filter, Grain, GroupBy, Measure, MetricQuery, OrderBy,
    Period, Registry, TimeRange, Weekday,
};

/// The time that each metric is counted by.
pub(super) const METRIC_TIME: &str = "metric_time";

/// A query in metrex's own names.
pub(super) struct Plain {
    pub(super) query: MetricQuery,
    /// Groupings that were written otherwise: name here, name as written.
    pub(super) written: Vec<(String, String)>,
}

/// The query in metrex's own names, where it has any of the others.
pub(super) fn plain(registry: &Registry, reach: &Reachability, asked: &MetricQuery) -> Plain {
    let metrics = asked
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name));
    let time_grain = metrics.clone().filter_map(|metric| metric.time_grain).max();
    let time_grain = time_grain.unwrap_or(Grain::Day);
    let names = Names {
        registry,
        reach,
        time_grain,
        leaves: metrics
            .flat_map(|metric| leaf_metrics(registry, metric))
            .flat_map(|leaf| leaf.kind.sources())
            .flat_map(|source| &source.measures)
            .collect(),
    };
    let mut query = asked.clone();
    let mut written = Vec::new();
    let groups = query.group_by.iter_mut().flatten();
    for group in groups.chain(&mut query.range_of) {
        let GroupBy::Dimension(name) = &*group else {
            continue;
        };
        if let Some((plain, name)) = names.group(name) {
            written.push((key_name(&plain), name));
            *group = plain;
        }
    }
    for per in &mut query.limit_per {
        if let GroupBy::Dimension(name) = &*per
            && let Some((plain, _)) = names.group(name)
        {
            *per = plain;
        }
    }
    let widened = match registry.conventions {
        Conventions::Metricflow => query.group_by.as_deref().and_then(conventions::shown),
        Conventions::Metrex => None,
    };
    query.filters = query.filters.map(|tree| names.filter(tree, widened));
    take_range(&mut query);
    for key in &mut query.order {
        names.order(key, &written);
    }
    conventions::adapt(registry, &mut query, &mut written, time_grain);
    Plain { query, written }
}

/// The name of a grouping's column.
fn key_name(group: &GroupBy) -> String {
    group.to_string().replace('"', "")
}

/// What names mean to the metrics of a query.
struct Names<'a> {
    registry: &'a Registry,
    reach: &'a Reachability,
    /// What the metrics are computed from.
    leaves: Vec<&'a Measure>,
    /// The grain of the time that all of them have.
    time_grain: Grain,
}

impl Names<'_> {
    /// A grouping of dbt's in our words; `None` where it is ours already.
    fn read(&self, name: &str) -> Option<GroupBy> {
        if name == METRIC_TIME {
            return Some(GroupBy::Grain {
                grain: self.time_grain,
                of: None,
            });
        }
        if !name.contains("__") || self.is_own(name) {
            return None;
        }
        let mut parts: Vec<&str> = name.split("__").collect();
        let last = parts.last().copied()?;
        let of = |parts: &[&str]| {
            let name = parts.join(".");
            (!self.is_metric_time(&name)).then_some(name)
        };
        if let Some(part) = last.strip_prefix("extract_").and_then(date_part) {
            parts.pop();
            return Some(GroupBy::Part {
                part,
                of: of(&parts),
            });
        }
        let grain = Grain::ALL.into_iter().find(|grain| grain.word() == last);
        if let (Some(grain), true) = (grain, parts.len() > 1) {
            parts.pop();
            return Some(GroupBy::Grain {
                grain,
                of: of(&parts),
            });
        }
        if let [METRIC_TIME, period] = parts.as_slice() {
            return Some(GroupBy::Dimension((*period).to_owned()));
        }
        Some(GroupBy::Dimension(parts.join(".")))
    }

    /// A grouping of dbt's in our words, and the name of its column. By dbt's rules a time alone means its own grain, and
    /// the name says every entity on the way.
    fn group(&self, name: &str) -> Option<(GroupBy, String)> {
        let plain = self.read(name)?;
        let mut name = name.to_owned();
        let found = match self.registry.conventions {
            Conventions::Metricflow => plain.dimension().and_then(|of| Some((of, self.find(of)?))),
            Conventions::Metrex => None,
        };
        let Some((of, path)) = found else {
            return Some((plain, name));
        };
        let way: Vec<&str> = path.joins.iter().map(|join| role(join)).collect();
        let said = of.matches('.').count();
        let (before, last) = way.split_at(way.len().saturating_sub(said));
        if !before.is_empty() && of.starts_with(&last.join(".")) {
            name = format!("{}__{name}", before.join("__"));
        }
        let (_, dimension) = path.resolve(self.registry)?;
        if dimension.kind.is_time() && plain == GroupBy::Dimension(of.to_owned()) {
            let grain = dimension.time_grain.unwrap_or(Grain::Day);
            let of = Some(of.to_owned());
            return Some((GroupBy::Grain { grain, of }, format!("{name}__{grain}")));
        }
        Some((plain, name))
    }

    /// The dimension that a name means to the metrics, or to the dataset that is nearest to it.
    fn find(&self, name: &str) -> Option<&DimensionPath> {
        let find = |dataset: &str| self.reach.find(self.registry, dataset, name).ok();
        match self.leaves.first() {
            Some(leaf) => find(&leaf.dataset),
            None => {
                let datasets = self.registry.datasets.keys();
                let paths = datasets.filter_map(|dataset| find(dataset));
                paths.min_by_key(|path| path.joins.len())
            }
        }
    }

    /// Whether a definition has this very name.
    fn is_own(&self, name: &str) -> bool {
        let mut datasets = self.registry.datasets.values();
        datasets.any(|dataset| dataset.dimension(name).is_some())
            || self.registry.metric(name).is_some()
    }

    /// Whether a dimension is the time that every metric of the query is counted by.
    fn is_metric_time(&self, name: &str) -> bool {
        let is_its_time = |measure: &&Measure| {
            let dataset = self.registry.datasets.get(&measure.dataset);
            let default = dataset.and_then(|dataset| dataset.time.as_ref());
            let found = self.reach.find(self.registry, &measure.dataset, name);
            found.is_ok_and(|path| {
                path.joins.is_empty() && measure.time.as_ref().or(default) == Some(&path.dimension)
            })
        };
        name == METRIC_TIME || (!self.leaves.is_empty() && self.leaves.iter().all(is_its_time))
    }

    /// A sort key names a column as the query wrote it, or by another name of the same grouping.
    fn order(&self, key: &mut OrderBy, written: &[(String, String)]) {
        if written
            .iter()
            .any(|(_, as_written)| *as_written == key.column)
        {
            return;
        }
        let plain = self
            .group(&key.column)
            .map_or_else(|| key.column.clone(), |(group, _)| key_name(&group));
        if let Some((_, as_written)) = written.iter().find(|(name, _)| *name == plain) {
            key.column.clone_from(as_written);
        } else {
            key.column = plain;
        }
    }

    /// A condition in our words. Points in time that it compares the metrics' time with are `widened` to whole periods of
    /// what is shown, as the time range is.
    fn filter(&self, tree: Filter, widened: Option<Grain>) -> Filter {
        let one = |part: Filter| self.filter(part, widened);
        let all = |parts: Vec<Filter>| parts.into_iter().map(one).collect();
        match tree {
            Filter::And(parts) => Filter::And(all(parts)),
            Filter::Or(parts) => Filter::Or(all(parts)),
            Filter::Not(part) => Filter::Not(Box::new(one(*part))),
            Filter::Compare { field, op, value }
                if field == METRIC_TIME && moment(&value).is_some() && widened.is_some() =>
            {
                let grain = widened.unwrap_or(Grain::Day);
                touching(field, grain, op, value)
            }
            Filter::Compare { field, op, value } => match self.field(&field) {
                (field, Some(grain)) => of_period(field, grain, op, value),
                (field, None) => Filter::Compare { field, op, value },
            },
            Filter::Between {
                field,
                low,
                high,
                negated,
            } => match self.field(&field) {
                (field, Some(grain)) => {
                    let from = of_period(field.clone(), grain, CompareOp::Ge, low);
                    let both = from.and(of_period(field, grain, CompareOp::Le, high));
                    if negated {
                        Filter::Not(Box::new(both))
                    } else {
                        both
                    }
                }
                (field, None) => Filter::Between {
                    field,
                    low,
                    high,
                    negated,
                },
            },
            Filter::In {
                field,
                values,
                negated,
            } => Filter::In {
                field: self.field(&field).0,
                values,
                negated,
            },
            Filter::Like {
                field,
                pattern,
                negated,
            } => Filter::Like {
                field: self.field(&field).0,
                pattern,
                negated,
            },
            Filter::IsNull { field, negated } => Filter::IsNull {
                field: self.field(&field).0,
                negated,
            },
        }
    }

    /// A field in our words, and the grain of a time that is compared by its periods.
    fn field(&self, field: &str) -> (String, Option<Grain>) {
        if let Some((metric, per)) = Filter::per(field) {
            let per = match self.read(per) {
                Some(GroupBy::Dimension(per)) => per,
                _ => per.to_owned(),
            };
            return (format!("{metric} per {per}"), None);
        }
        match self.read(field) {
            Some(GroupBy::Grain { grain, of }) => {
                let of = of.unwrap_or_else(|| METRIC_TIME.to_owned());
                // A bare time is compared as it is.
                (
                    of,
                    (field != METRIC_TIME || grain > Grain::Day).then_some(grain),
                )
            }
            Some(GroupBy::Dimension(name)) => (name, None),
            Some(GroupBy::Part { .. }) | None => (field.to_owned(), None),
        }
    }
}

fn date_part(word: &str) -> Option<DatePart> {
    Some(match word {
        "dow" => DatePart::Weekday,
        "day" => DatePart::DayOfMonth,
        "doy" => DatePart::DayOfYear,
        "month" => DatePart::MonthOfYear,
        "quarter" => DatePart::QuarterOfYear,
        "year" => DatePart::YearNumber,
        _ => return None,
    })
}

/// Conditions on the metrics' time in a result by day are its time range: they limit the rows that are shown, and what
/// a window or an offset needs of the time before is still counted.
fn take_range(query: &mut MetricQuery) {
    let by_day = GroupBy::Grain {
        grain: Grain::Day,
        of: None,
    };
    let groups = query.group_by.iter().flatten();
    if query.time.is_some() || !groups.clone().any(|group| *group == by_day) {
        return;
    }
    let Some(filters) = query.filters.take() else {
        return;
    };
    let parts = match filters {
        Filter::And(parts) => parts,
        one => vec![one],
    };
    let (mut from, mut to) = (None, None);
    let mut rest: Option<Filter> = None;
    for part in parts {
        let day = match &part {
            Filter::Compare { field, op, value } if field == METRIC_TIME => {
                match Period::parse(value) {
                    Some(Period::Day(day)) => Some((*op, day)),
                    _ => None,
                }
            }
            _ => None,
        };
        match day {
            Some((CompareOp::Ge, day)) if from.is_none() => from = Some(day),
            Some((CompareOp::Gt, day)) if from.is_none() => from = day.tomorrow().ok(),
            Some((CompareOp::Le, day)) if to.is_none() => to = Some(day),
            Some((CompareOp::Lt, day)) if to.is_none() => to = day.yesterday().ok(),
            Some((CompareOp::Eq, day)) if from.is_none() && to.is_none() => {
                (from, to) = (Some(day), Some(day));
            }
            _ => {
                rest = Some(match rest.take() {
                    None => part,
                    Some(earlier) => earlier.and(part),
                });
            }
        }
    }
    query.filters = rest;
    if from.is_some() || to.is_some() {
        query.time = Some(TimeRange::Span(from.map(Period::Day), to.map(Period::Day)));
    }
}

/// `month of a time >= day` (or `hour of a time >= point in time`) as a condition on the time itself.
fn of_period(field: String, grain: Grain, op: CompareOp, value: String) -> Filter {
    let at = match Period::parse(&value) {
        // A day stands for all of its hours.
        Some(Period::Day(day)) if grain > Grain::Day => Some(day.at(0, 0, 0, 0)),
        Some(_) => None,
        None => moment(&value),
    };
    let Some(at) = at else {
        return Filter::Compare { field, op, value };
    };
    let (start, next) = around(at, grain);
    let first_not_before = if start == at { start } else { next };
    let compare = |op, at: DateTime| Filter::Compare {
        field: field.clone(),
        op,
        value: text(at, grain),
    };
    let within = compare(CompareOp::Ge, start).and(compare(CompareOp::Lt, next));
    match op {
        CompareOp::Ge => compare(CompareOp::Ge, first_not_before),
        CompareOp::Lt => compare(CompareOp::Lt, first_not_before),
        CompareOp::Gt => compare(CompareOp::Ge, next),
        CompareOp::Le => compare(CompareOp::Lt, next),
        // Within a period there is no other start of one.
        CompareOp::Eq if start == at => within,
        CompareOp::Eq => within.and(compare(CompareOp::Lt, start)),
        CompareOp::Ne if start == at => Filter::Not(Box::new(within)),
        CompareOp::Ne => Filter::IsNull {
            field,
            negated: true,
        },
    }
}

/// A condition on the periods that a range of points in time touches.
fn touching(field: String, grain: Grain, op: CompareOp, value: String) -> Filter {
    let Some(at) = moment(&value) else {
        return Filter::Compare { field, op, value };
    };
    let (start, next) = around(at, grain);
    let (op, at) = match op {
        CompareOp::Ge | CompareOp::Gt => (CompareOp::Ge, start),
        CompareOp::Lt if start == at => (CompareOp::Lt, start),
        CompareOp::Lt | CompareOp::Le => (CompareOp::Lt, next),
        CompareOp::Eq | CompareOp::Ne => return of_period(field, grain, op, value),
    };
    Filter::Compare {
        field,
        op,
        value: text(at, grain),
    }
}

/// The start of the period that a point in time lies in, and that of the next one.
fn around(at: DateTime, grain: Grain) -> (DateTime, DateTime) {
    let hour = at.date().at(at.hour(), 0, 0, 0);
    let minute = hour.saturating_add(i64::from(at.minute()).minutes());
    let (start, length) = match grain {
        Grain::Hour => (hour, 1.hour()),
        Grain::Minute => (minute, 1.minute()),
        Grain::Second => {
            let seconds = i64::from(at.second()).seconds();
            (minute.saturating_add(seconds), 1.second())
        }
        grain => {
            let day = grain.floor(at.date(), Weekday::Monday);
            (day.at(0, 0, 0, 0), grain.span(1))
        }
    };
    (start, start.saturating_add(length))
}

fn text(at: DateTime, grain: Grain) -> String {
    match grain.is_sub_day() {
        true => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        false => at.date().to_string(),
    }
}
