//! Names as dbt's semantic layer writes them: `listing__country`, `metric_time__month`, `metric_time__extract_dow`.
//!
//! A query may use them; it is compiled in metrex's own names, and its columns keep the ones it was written with.

use jiff::civil::Date;

use crate::model::{
    CompareOp, DatePart, Filter, Grain, GroupBy, MetricQuery, OrderBy, Period, Registry, Weekday,
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
pub(super) fn plain(registry: &Registry, asked: &MetricQuery) -> Plain {
    let mut query = asked.clone();
    let mut written = Vec::new();
    for group in query.group_by.iter_mut().flatten() {
        if let Some(plain) = group_by(registry, group) {
            written.push((key_name(&plain), key_name(group)));
            *group = plain;
        }
    }
    query.filters = query.filters.map(|tree| filter(registry, tree));
    for key in &mut query.order {
        order(registry, key, &written);
    }
    Plain { query, written }
}

/// The name of a grouping's column.
pub(super) fn key_name(group: &GroupBy) -> String {
    group.to_string().replace('"', "")
}

/// A grouping of dbt's in our words; `None` where it is ours already.
fn group_by(registry: &Registry, group: &GroupBy) -> Option<GroupBy> {
    let GroupBy::Dimension(name) = group else {
        return None;
    };
    read(registry, name)
}

fn read(registry: &Registry, name: &str) -> Option<GroupBy> {
    if name == METRIC_TIME {
        return Some(GroupBy::Grain {
            grain: Grain::Day,
            of: None,
        });
    }
    if !name.contains("__") || is_own(registry, name) {
        return None;
    }
    let mut parts: Vec<&str> = name.split("__").collect();
    let last = parts.last().copied()?;
    let of = |parts: &[&str]| match parts {
        [METRIC_TIME] => None,
        parts => Some(parts.join(".")),
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

/// Whether a definition has this very name.
fn is_own(registry: &Registry, name: &str) -> bool {
    let mut datasets = registry.datasets.values();
    datasets.any(|dataset| dataset.dimension(name).is_some()) || registry.metric(name).is_some()
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

/// A sort key names a column as the query wrote it, or by another name of the same grouping.
fn order(registry: &Registry, key: &mut OrderBy, written: &[(String, String)]) {
    if written
        .iter()
        .any(|(_, as_written)| *as_written == key.column)
    {
        return;
    }
    let plain =
        read(registry, &key.column).map_or_else(|| key.column.clone(), |group| key_name(&group));
    if let Some((_, as_written)) = written.iter().find(|(name, _)| *name == plain) {
        key.column.clone_from(as_written);
    } else {
        key.column = plain;
    }
}

fn filter(registry: &Registry, tree: Filter) -> Filter {
    let all = |parts: Vec<Filter>| {
        parts
            .into_iter()
            .map(|part| filter(registry, part))
            .collect()
    };
    match tree {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(filter(registry, *part))),
        Filter::Compare { field, op, value } => match field_of(registry, &field) {
            (field, Some(grain)) => of_period(field, grain, op, value),
            (field, None) => Filter::Compare { field, op, value },
        },
        Filter::Between {
            field,
            low,
            high,
            negated,
        } => match field_of(registry, &field) {
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
            field: field_of(registry, &field).0,
            values,
            negated,
        },
        Filter::Like {
            field,
            pattern,
            negated,
        } => Filter::Like {
            field: field_of(registry, &field).0,
            pattern,
            negated,
        },
        Filter::IsNull { field, negated } => Filter::IsNull {
            field: field_of(registry, &field).0,
            negated,
        },
    }
}

/// A field in our words, and the grain of a time that is compared by its periods.
fn field_of(registry: &Registry, field: &str) -> (String, Option<Grain>) {
    if let Some((metric, per)) = Filter::per(field) {
        let per = match read(registry, per) {
            Some(GroupBy::Dimension(per)) => per,
            _ => per.to_owned(),
        };
        return (format!("{metric} per {per}"), None);
    }
    match read(registry, field) {
        Some(GroupBy::Grain { grain, of }) => {
            let of = of.unwrap_or_else(|| METRIC_TIME.to_owned());
            (of, (grain > Grain::Day).then_some(grain))
        }
        Some(GroupBy::Dimension(name)) => (name, None),
        Some(GroupBy::Part { .. }) | None => (field.to_owned(), None),
    }
}

/// `month of a time >= day` as a condition on the time itself.
fn of_period(field: String, grain: Grain, op: CompareOp, value: String) -> Filter {
    let Some(Period::Day(day)) = Period::parse(&value) else {
        return Filter::Compare { field, op, value };
    };
    let start = grain.floor(day, Weekday::Monday);
    let next = start.checked_add(grain.span(1)).unwrap_or(Date::MAX);
    let first_not_before = if start == day { start } else { next };
    let compare = |op, day: Date| Filter::Compare {
        field: field.clone(),
        op,
        value: day.to_string(),
    };
    let within = compare(CompareOp::Ge, start).and(compare(CompareOp::Lt, next));
    match op {
        CompareOp::Ge => compare(CompareOp::Ge, first_not_before),
        CompareOp::Lt => compare(CompareOp::Lt, first_not_before),
        CompareOp::Gt => compare(CompareOp::Ge, next),
        CompareOp::Le => compare(CompareOp::Lt, next),
        // Within a period there is no other start of one.
        CompareOp::Eq if start == day => within,
        CompareOp::Eq => within.and(compare(CompareOp::Lt, start)),
        CompareOp::Ne if start == day => Filter::Not(Box::new(within)),
        CompareOp::Ne => Filter::IsNull {
            field,
            negated: true,
        },
    }
}
