//! From a draft to a reading: names as queries over these metrics write them, the query before patched, defaults said.

use super::apart::show_apart;
use super::chips::{self, Part};
use super::comparing::Compared;
use super::draft::{Bounds, Draft, Said};
use super::follow_up;
use super::over_metrics::Resolver;
use super::reader::{Read, Reader};
use super::refusing::{ask, no_metric, quoted, refuse};
use super::{Reading, RefusalCode};
use crate::model::{CompareOp, Filter, Grain, GroupBy, Intent, IntentKind, MetricQuery, TimeRange};

/// A condition with its field resolved.
pub(super) struct Resolved {
    pub(super) field: String,
    pub(super) filter: Filter,
    pub(super) said: Said<()>,
    pub(super) versus: bool,
}

/// Resolves everything that was read.
pub(super) fn resolve(reader: &mut Reader<'_>) -> Read<Reading> {
    let setting = reader.setting;
    let draft = std::mem::take(&mut reader.draft);
    let is_follow_up = setting.previous.is_some() && (draft.patch || draft.metrics.is_empty());
    let previous = setting.previous.filter(|_| is_follow_up);
    let mut notes: Vec<String> = Vec::new();
    let mut parts = Part::default();

    let metrics = follow_up::metrics(&draft, previous);
    if metrics.is_empty() {
        let said = draft.conditions.first().map(|condition| Said {
            what: (),
            range: condition.range.clone(),
            similar: None,
            remembered: false,
        });
        return Err(reader
            .asks_for_a_metric(&draft)
            .unwrap_or_else(|| no_metric(reader.question, said.as_ref(), setting.previous)));
    }
    if draft.metrics.len() != 1 {
        reader.two_sentences()?;
        reader.side_by_side()?;
    }

    let resolver = Resolver {
        reader,
        metrics: &metrics,
    };
    let mut groups: Vec<(GroupBy, Said<()>)> = Vec::new();
    for said in &draft.groups {
        let (group, said) = resolver.group(said)?;
        if !groups.iter().any(|(known, _)| *known == group) {
            groups.push((group, said));
        }
    }
    if previous.is_none()
        && let Some(all) = draft.all_of.first()
    {
        return Err(resolver.all_of(all));
    }
    let mut conditions = Vec::new();
    for condition in &draft.conditions {
        conditions.push(resolver.condition(condition)?);
    }
    let against_time = !draft.against.is_empty();
    reader.crossed(&draft, &conditions)?;
    let conditions = merge(conditions, &draft, reader)?;
    for condition in &conditions {
        let several = matches!(&condition.filter, Filter::In { values, negated: false, .. } if values.len() > 1);
        let compared = condition.versus || (draft.compare && several && !against_time);
        let group = GroupBy::Dimension(condition.field.clone());
        if compared && several && !groups.iter().any(|(known, _)| *known == group) {
            groups.push((group, condition.said.clone()));
        }
    }

    resolver.personal(&groups, &conditions)?;
    let time = reader.time_range(&draft)?;
    let time = match (time, previous) {
        (Some(time), Some(previous)) => Some(reader.beside(time, previous, &draft)?),
        (time, _) => time,
    };
    let base = time
        .as_ref()
        .map(|said| said.what.0)
        .or_else(|| previous?.time);
    let compared = reader.compared(&draft, base, &metrics)?;
    let (time, compare) = match compared {
        None => (time, None),
        Some(Compared { main, against }) => (time.or(main), Some(against)),
    };
    if let Some(Said {
        what: (_, Some(note)),
        ..
    }) = &time
    {
        notes.push(note.clone());
    }

    let mut query = match previous {
        Some(previous) => previous.clone(),
        None => MetricQuery::default(),
    };
    query.metrics.clone_from(&metrics);
    if let Some(previous) = previous {
        follow_up::tidy(&mut query, previous, &draft, &mut notes);
        for all in &draft.all_of {
            resolver.drop_conditions(&mut query, all)?;
        }
        for dropped in &draft.dropped {
            let (group, _) = resolver.group(dropped)?;
            follow_up::drop(&mut query, &group);
        }
        follow_up::forget_comparison(&mut query, time.is_some(), &mut notes);
    }
    follow_up::group(&mut query, &groups, &draft, previous.is_some());
    for condition in &conditions {
        follow_up::filter(&mut query, condition, previous.is_some(), draft.also);
    }
    if let Some(time) = &time {
        reader.same_previous(&time.range, previous, time.what.0)?;
        query.time = Some(time.what.0);
    }
    if let Some(compare) = &compare {
        query.compare = Some(compare.what.0);
        notes.extend(compare.what.1.clone());
    }
    if let Some(range) = &draft.trend
        && !query.group_by.iter().flatten().any(super::reader::is_grain)
    {
        let grain = trend_grain(&query, reader);
        query
            .group_by
            .get_or_insert_default()
            .push(GroupBy::Grain { grain, of: None });
        notes.push(format!("by {grain}, to show how it develops"));
        groups.push((GroupBy::Grain { grain, of: None }, at(range.clone())));
    }
    reader.apply_figures(&mut query, &draft, &groups, &conditions)?;
    if let Some(rank) = &draft.rank {
        let column = match &rank.what.column {
            Some(column) => Some(resolver.group(column)?.0),
            None => None,
        };
        let each = reader.each(rank, &groups, &draft);
        reader.apply_rank(&mut query, rank, column, each, &draft, &mut notes)?;
    }
    if !draft.thresholds.is_empty() {
        if previous.is_some() && !draft.also {
            let metrics = draft.thresholds.iter();
            for threshold in metrics {
                follow_up::without(&mut query, &threshold.what.metric);
            }
        }
        apply_thresholds(&mut query, &draft, reader)?;
    }
    // A metric may have groups of its own; where there are none, the answer itself says that it is the total.
    if draft.total && query.group_by != Some(Vec::new()) {
        query.total = true;
        notes.push("with a row for the total, where there is more than one row".to_owned());
    }
    for (metric, group) in show_apart(&mut query, setting, &mut notes) {
        let mut said = draft.metrics.iter();
        if let Some(said) = said.find(|said| said.what == metric) {
            groups.push((group, at(said.range.clone())));
        }
    }
    contradictions(&query, &conditions, reader)?;
    reader.fits(&query, &draft)?;
    if previous == Some(&query) {
        return Err(reader.changes_nothing());
    }
    reader.cautions(&query, &draft, &mut notes);

    let mut intent = Intent::from(&query);
    if draft.rank.is_some() && query.limit.is_some() {
        intent.intent = IntentKind::Top;
    } else if draft.trend.is_some() && intent.compare.is_none() {
        intent.intent = IntentKind::Trend;
    } else if draft.compare || conditions.iter().any(|condition| condition.versus) {
        intent.intent = IntentKind::Compare;
    }
    parts.metrics = draft.metrics;
    parts.groups = groups;
    parts.conditions = conditions;
    parts.thresholds = draft
        .thresholds
        .into_iter()
        .map(|said| said.map(|_| ()))
        .collect();
    parts.time = time.map(|said| said.map(|(time, _)| time));
    parts.compare = compare.map(|said| said.map(|(compare, _)| compare));
    parts.figures = draft
        .figures
        .into_iter()
        .map(|said| said.map(|_| ()))
        .collect();
    parts.rank = draft.rank.map(|said| said.map(|_| ()));
    let chips = chips::chips(reader.question, &query, &parts, setting);
    for chip in &chips {
        if chip.certainty == super::Certainty::Remembered {
            let words = reader.text(&chip.range);
            notes.push(format!("'{words}' means {}, as chosen before", chip.text));
        }
    }
    notes.dedup();
    Ok(Reading {
        intent,
        chips,
        notes,
        is_follow_up,
    })
}

fn at(range: std::ops::Range<usize>) -> Said<()> {
    Said {
        what: (),
        range,
        similar: None,
        remembered: false,
    }
}

/// The condition that a dimension is one of some values, or none of them.
pub(super) fn values_filter(field: &str, values: Vec<String>, negated: bool) -> Filter {
    let field = field.to_owned();
    match <[String; 1]>::try_from(values) {
        Ok([value]) => Filter::Compare {
            field,
            op: if negated {
                CompareOp::Ne
            } else {
                CompareOp::Eq
            },
            value,
        },
        Err(values) => Filter::In {
            field,
            values,
            negated,
        },
    }
}

/// The values of a plain condition.
pub(super) fn values_of(filter: &Filter) -> Option<(Vec<String>, bool)> {
    match filter {
        Filter::Compare {
            op: op @ (CompareOp::Eq | CompareOp::Ne),
            value,
            ..
        } => Some((vec![value.clone()], *op == CompareOp::Ne)),
        Filter::In {
            values, negated, ..
        } => Some((values.clone(), *negated)),
        _ => None,
    }
}

/// Conditions on the same dimension become one where that is what is said, and are refused where it is not.
fn merge(conditions: Vec<Resolved>, draft: &Draft, reader: &Reader<'_>) -> Read<Vec<Resolved>> {
    let mut merged: Vec<Resolved> = Vec::new();
    for condition in conditions {
        let Some(known) = merged
            .iter_mut()
            .find(|known| known.field == condition.field)
        else {
            merged.push(condition);
            continue;
        };
        let (one, other) = (values_of(&known.filter), values_of(&condition.filter));
        let (Some((mut values, negated)), Some((more, also_negated))) = (one, other) else {
            return Err(twice(known, &condition, reader));
        };
        let is_same = values == more && negated == also_negated;
        let is_union = (negated && also_negated)
            || (draft.compare && draft.against.is_empty() && !negated && !also_negated);
        if is_same {
            continue;
        }
        if !is_union {
            return Err(twice(known, &condition, reader));
        }
        for value in more {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        known.filter = values_filter(&known.field, values, negated);
        known.versus |= condition.versus || (draft.compare && !negated);
        known.said.range.end = condition.said.range.end.max(known.said.range.end);
    }
    Ok(merged)
}

fn twice(one: &Resolved, other: &Resolved, reader: &Reader<'_>) -> Box<super::Understanding> {
    let words: Vec<_> = [one, other]
        .iter()
        .map(|condition| {
            let range = condition.said.range.clone();
            (reader.text(&range), range)
        })
        .collect();
    refuse(
        RefusalCode::NotAnswerable,
        format!("{} are two conditions on {}", quoted(&words), one.field),
        Some(
            "write 'ID and TH' for both together, 'ID vs TH' for one against the other".to_owned(),
        ),
        words,
    )
}

/// The grain of a trend: the metric's own, else by the length of the range.
fn trend_grain(query: &MetricQuery, reader: &Reader<'_>) -> Grain {
    let registry = reader.setting.registry;
    let metrics: Vec<_> = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name))
        .collect();
    let own = metrics.iter().flat_map(|metric| &metric.grain);
    let own = own.filter_map(|group| match group {
        GroupBy::Grain { grain, of: None } => Some(*grain),
        _ => None,
    });
    if let Some(grain) = own.max() {
        return grain;
    }
    let window = || metrics.first().and_then(|metric| metric.window);
    let time = query.time.or_else(window).unwrap_or(TimeRange::AllTime);
    let mut range = time.resolve(reader.setting.today, registry.calendar.week_start);
    if range.start.is_some() && range.end.is_none() {
        range.end = Some(reader.setting.today);
    }
    match range.days() {
        Some(..=31) => Grain::Day,
        Some(..=184) => Grain::Week,
        Some(..=1_827) | None => Grain::Month,
        Some(_) => Grain::Year,
    }
}

fn apply_thresholds(query: &mut MetricQuery, draft: &Draft, reader: &Reader<'_>) -> Read<()> {
    let registry = reader.setting.registry;
    let defaults = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name))
        .any(|metric| !metric.grain.is_empty());
    let grouped = match &query.group_by {
        Some(groups) => !groups.is_empty(),
        None => defaults,
    };
    for said in &draft.thresholds {
        let words = reader.text(&said.range);
        if !grouped {
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!(
                    "'{words}' is a condition on a metric: it needs groups that it can hold for"
                ),
                Some("say by what, such as: by market".to_owned()),
                vec![(words, said.range.clone())],
            ));
        }
        let field = said.what.metric.clone();
        let filter = match &said.what.test {
            Bounds::One(op, value) => Filter::Compare {
                field,
                op: *op,
                value: value.clone(),
            },
            Bounds::Two(low, high) => Filter::Between {
                field,
                low: low.clone(),
                high: high.clone(),
                negated: false,
            },
        };
        if !query.metrics.contains(&said.what.metric) {
            query.metrics.push(said.what.metric.clone());
        }
        query.filters = Some(match query.filters.take() {
            None => filter,
            Some(known) => known.and(filter),
        });
    }
    Ok(())
}

/// A value that the metric's own definition leaves out would answer with nothing, and look like an answer.
fn contradictions(query: &MetricQuery, conditions: &[Resolved], reader: &Reader<'_>) -> Read<()> {
    let setting = reader.setting;
    for condition in conditions {
        let Some((values, false)) = values_of(&condition.filter) else {
            continue;
        };
        for name in &query.metrics {
            let Some(value) = super::meanings::left_out(name, &condition.field, &values, setting)
            else {
                continue;
            };
            let range = condition.said.range.clone();
            let words = reader.text(&range);
            let message = format!(
                "{name} leaves out {} '{value}' by its definition, so '{words}' would find nothing",
                condition.field
            );
            let like = reader.metrics_like(&words, name);
            if like.is_empty() {
                return Err(refuse(
                    RefusalCode::NotAnswerable,
                    message,
                    Some(format!("metrex show {name} has the definition")),
                    vec![(words, range)],
                ));
            }
            return Err(ask(&words, range, message, like));
        }
    }
    Ok(())
}

/// A time range with what a reader should be told of it.
type SaidTime = Said<(TimeRange, Option<String>)>;

impl Reader<'_> {
    /// The one time range that is said.
    fn time_range(&self, draft: &Draft) -> Read<Option<SaidTime>> {
        let mut times = draft.times.iter();
        let Some(first) = times.next() else {
            return Ok(None);
        };
        if let Some(other) = times.find(|other| other.what.0 != first.what.0) {
            let words: Vec<_> = [first, other]
                .iter()
                .map(|said| (self.text(&said.range), said.range.clone()))
                .collect();
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("{} are two time ranges", quoted(&words)),
                Some("one range, or one against the other: October vs September".to_owned()),
                words,
            ));
        }
        let range = first.what.0.resolve(
            self.setting.today,
            self.setting.registry.calendar.week_start,
        );
        if range.start.is_some_and(|start| start > self.setting.today) {
            let words = self.text(&first.range);
            return Err(refuse(
                RefusalCode::OutOfScope,
                format!("'{words}' lies in the future ({range}): it does not look ahead"),
                None,
                vec![(words, first.range.clone())],
            ));
        }
        Ok(Some(first.clone()))
    }
}
