//! "and for Thailand?", "by channel instead": what a question changes in the query before it, and what it keeps.

use super::RefusalCode;
use super::draft::{Draft, Removal, Said};
use super::reader::{Read, Reader};
use super::refusing::refuse;
use super::resolve::{Resolved, values_filter, values_of};
use crate::model::time_phrase::{self, Phrase, TimeSetting};
use crate::model::{Comparison, Filter, GroupBy, MetricQuery, TimeRange};

/// The metrics: those said, after those of the query before where they are added or none is said.
pub(super) fn metrics(draft: &Draft, previous: Option<&MetricQuery>) -> Vec<String> {
    let said = draft.metrics.iter().map(|said| said.what.clone());
    let kept = previous.filter(|_| draft.metrics.is_empty() || draft.also);
    let mut metrics: Vec<String> = kept.map(|kept| kept.metrics.clone()).unwrap_or_default();
    for metric in said {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    metrics
}

/// Takes from the query what cannot stay: what is removed, and what speaks of metrics that are gone.
pub(super) fn tidy(
    query: &mut MetricQuery,
    previous: &MetricQuery,
    draft: &Draft,
    notes: &mut Vec<String>,
) {
    for removal in &draft.removals {
        match removal.what {
            Removal::Filters => query.filters = None,
            Removal::Comparison => query.compare = None,
            Removal::Grouping => {
                query.group_by = Some(Vec::new());
                query.order.clear();
                query.limit = None;
                query.limit_per.clear();
                query.others = false;
            }
            Removal::Limit => {
                query.order.clear();
                query.limit = None;
                query.limit_per.clear();
                query.others = false;
            }
        }
    }
    let gone = |name: &str| {
        previous.metrics.iter().any(|metric| metric == name)
            && !query.metrics.iter().any(|metric| metric == name)
    };
    query
        .show
        .retain(|shown| query.metrics.contains(&shown.metric));
    let first = query.metrics.first().cloned();
    for order in &mut query.order {
        if gone(&order.column)
            && let Some(first) = &first
        {
            order.column.clone_from(first);
        }
    }
    let conditions = conditions(query.filters.take());
    let (stay, go): (Vec<Filter>, Vec<Filter>) = conditions
        .into_iter()
        .partition(|filter| !filter.fields().iter().any(|field| gone(field)));
    for filter in go {
        notes.push(format!("'{filter}' went with its metric"));
    }
    query.filters = joined(stay);
}

/// Groupings: those of the question instead of those before, or beside them.
pub(super) fn group(
    query: &mut MetricQuery,
    said: &[(GroupBy, Said<()>)],
    draft: &Draft,
    is_follow_up: bool,
) {
    if said.is_empty() {
        return;
    }
    let is_grain = super::reader::is_grain;
    let only_grains = said.iter().all(|(group, _)| is_grain(group));
    let known = query.group_by.take().unwrap_or_default();
    let mut groups: Vec<GroupBy> = if !is_follow_up {
        Vec::new()
    } else if draft.also {
        known
    } else if only_grains {
        known.into_iter().filter(|group| !is_grain(group)).collect()
    } else {
        Vec::new()
    };
    for (group, _) in said {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    // Grains are written last, as "by market, month".
    groups.sort_by_key(is_grain);
    query
        .order
        .retain(|order| is_column(&order.column, &query.metrics, &groups));
    query.limit_per.retain(|per| groups.contains(per));
    query.group_by = Some(groups);
}

fn is_column(column: &str, metrics: &[String], groups: &[GroupBy]) -> bool {
    let of_metric = metrics.iter().any(|metric| {
        column
            .strip_prefix(metric.as_str())
            .is_some_and(|rest| ["", "_prior", "_change", "_change_pct"].contains(&rest))
    });
    of_metric || groups.iter().any(|group| group.to_string() == column)
}

/// A condition: instead of those on its dimension, or beside the others.
pub(super) fn filter(
    query: &mut MetricQuery,
    condition: &Resolved,
    is_follow_up: bool,
    also: bool,
) {
    let mut known = conditions(query.filters.take());
    let mut filter = condition.filter.clone();
    if is_follow_up {
        // "and enterprise?" after a condition on the buyers' segment means theirs.
        let plain = |field: &str| field.rsplit('.').next().unwrap_or(field).to_owned();
        let fields: Vec<&str> = known.iter().flat_map(Filter::fields).collect();
        let mut others = fields.iter().filter(|field| {
            !condition.field.contains('.') && plain(field) == plain(&condition.field)
        });
        let field = match (fields.contains(&condition.field.as_str()), others.next()) {
            (false, Some(other)) => (*other).to_owned(),
            _ => condition.field.clone(),
        };
        if let Some((values, negated)) = values_of(&filter) {
            filter = values_filter(&field, values, negated);
        }
        let is_same = |known: &Filter| {
            let fields = known.fields();
            !fields.is_empty() && fields.iter().all(|known| **known == *field)
        };
        let before = known
            .iter()
            .find(|known| is_same(known))
            .and_then(values_of);
        let set = before
            .clone()
            .filter(|(values, negated)| !negated && values.len() > 1);
        // "and without ads" leaves out one more, "and Thailand too" takes in one more.
        if let (Some((mut values, negated)), Some((more, also_negated))) =
            (before, values_of(&filter))
            && negated == also_negated
            && (negated || also)
        {
            for value in more {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if values.len() > 1 {
                filter = Filter::In {
                    field: field.clone(),
                    values,
                    negated,
                };
            }
        }
        // "without Mexico" takes it out of the set there is.
        if let (Some((values, _)), Some((out, true))) = (set, values_of(&filter)) {
            let left: Vec<String> = values
                .into_iter()
                .filter(|value| !out.contains(value))
                .collect();
            if !left.is_empty() {
                filter = values_filter(&field, left, false);
            }
        }
        known.retain(|known| !is_same(known));
    }
    known.push(filter);
    query.filters = joined(known);
}

/// No grouping by this any more; where nothing is grouped by it, no condition on it.
pub(super) fn drop(query: &mut MetricQuery, gone: &GroupBy) {
    let Some(groups) = query
        .group_by
        .as_mut()
        .filter(|groups| groups.contains(gone))
    else {
        without(query, &gone.to_string());
        return;
    };
    groups.retain(|group| group != gone);
    let groups = groups.clone();
    query.limit_per.retain(|per| per != gone);
    query
        .order
        .retain(|order| is_column(&order.column, &query.metrics, &groups));
    if groups.is_empty() {
        query.order.clear();
        query.limit = None;
        query.limit_per.clear();
        query.others = false;
    }
}

/// Dates that were compared with do not belong to another range.
pub(super) fn forget_comparison(query: &mut MetricQuery, moved: bool, notes: &mut Vec<String>) {
    if moved && let Some(Comparison::Range(..)) = query.compare {
        notes.push("the comparison with fixed dates went with the time before".to_owned());
        query.compare = None;
        query
            .order
            .retain(|order| query.metrics.contains(&order.column));
    }
}

/// No condition on a dimension any more.
pub(super) fn without(query: &mut MetricQuery, field: &str) {
    let mut known = conditions(query.filters.take());
    known.retain(|known| known.fields() != [field]);
    query.filters = joined(known);
}

/// The conditions that all hold.
pub(super) fn conditions(filter: Option<Filter>) -> Vec<Filter> {
    match filter {
        None => Vec::new(),
        Some(Filter::And(parts)) => parts,
        Some(one) => vec![one],
    }
}

fn joined(filters: Vec<Filter>) -> Option<Filter> {
    filters.into_iter().reduce(Filter::and)
}

impl Reader<'_> {
    /// The time of a follow-up, beside that of the query before it: "Q2" after `2025Q1` is the one of 2025.
    pub(super) fn beside(
        &self,
        time: Said<(TimeRange, Option<String>)>,
        previous: &MetricQuery,
        draft: &Draft,
    ) -> Read<Said<(TimeRange, Option<String>)>> {
        let Some(known) = previous.time else {
            return Ok(time);
        };
        let words = self.text(&time.range);
        let adds_only_time = draft.metrics.is_empty()
            && draft.groups.is_empty()
            && draft.conditions.is_empty()
            && draft.thresholds.is_empty();
        if draft.also && adds_only_time && known != time.what.0 {
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("'{words}' beside '{known}' would be two time ranges"),
                Some(
                    "one range from the first to the last day, or one against the other".to_owned(),
                ),
                vec![(words, time.range)],
            ));
        }
        let mut years: Vec<i16> = super::words::years(&known.to_string()).collect();
        years.extend(period_year(&known.to_string()));
        years.dedup();
        let [year] = years.as_slice() else {
            return Ok(time);
        };
        // Words that take a year after them say none.
        let year = year.to_string();
        let folded: Vec<String> = super::words::split(&words)
            .into_iter()
            .map(|word| word.folded)
            .collect();
        let mut texts: Vec<&str> = folded.iter().map(String::as_str).collect();
        texts.push(&year);
        let setting = TimeSetting {
            today: self.setting.today,
            calendar: &self.setting.registry.calendar,
        };
        let Some(Phrase::Found(found)) = time_phrase::range(&texts, &setting) else {
            return Ok(time);
        };
        if found.used != texts.len() || found.meaning == time.what.0 {
            return Ok(time);
        }
        let week_start = self.setting.registry.calendar.week_start;
        let start = |time: &TimeRange| time.resolve(self.setting.today, week_start).start;
        if start(&found.meaning) < start(&known) {
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("'{words}' after '{known}' may be of two years"),
                Some(format!("say the year: {words} {year}")),
                vec![(words, time.range)],
            ));
        }
        let note = format!("{words} of {year}, as in the question before");
        let mut time = time;
        time.what = (found.meaning, Some(note));
        Ok(time)
    }
}

/// The year of `2025Q1` and the like.
fn period_year(text: &str) -> Option<i16> {
    let (year, rest) = text.split_at_checked(4)?;
    (rest.starts_with(['Q', 'H', 'W']) && !text.contains("..")).then_some(())?;
    year.parse().ok()
}
