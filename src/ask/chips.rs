//! What was understood, part by part, in the order of the query line.

use std::ops::Range;

use super::draft::Said;
use super::follow_up::conditions;
use super::reader::Reader;
use super::resolve::Resolved;
use super::scan::Kind;
use super::{Certainty, Chip, ChipKind, Setting};
use crate::model::{Comparison, Filter, GroupBy, Metric, MetricQuery, TimeRange};

/// Where the parts of a query come from.
#[derive(Default)]
pub(super) struct Part {
    pub(super) metrics: Vec<Said<String>>,
    pub(super) groups: Vec<(GroupBy, Said<()>)>,
    pub(super) conditions: Vec<Resolved>,
    pub(super) thresholds: Vec<Said<()>>,
    pub(super) time: Option<Said<TimeRange>>,
    pub(super) compare: Option<Said<Comparison>>,
    pub(super) figures: Vec<Said<()>>,
    pub(super) rank: Option<Said<()>>,
}

/// The chips of a query.
pub(super) fn chips(
    question: &str,
    query: &MetricQuery,
    parts: &Part,
    setting: &Setting<'_>,
) -> Vec<Chip> {
    let mut chips = Vec::new();
    let registry = setting.registry;
    let metrics: Vec<&Metric> = query
        .metrics
        .iter()
        .filter_map(|name| registry.metric(name))
        .collect();
    for name in &query.metrics {
        let said = parts.metrics.iter().find(|said| said.what == *name);
        let label = registry.metric(name).map(|metric| metric.label.clone());
        chips.push(chip(ChipKind::Metric, name.clone(), said, label));
    }
    for (at, shown) in query.show.iter().enumerate() {
        let said = parts.figures.get(at);
        chips.push(chip(ChipKind::Metric, shown.to_string(), said, None));
    }
    match &query.group_by {
        Some(groups) => {
            for group in groups {
                let said = parts.groups.iter().find(|(known, _)| known == group);
                let said = said.map(|(_, said)| said);
                chips.push(chip(ChipKind::Group, group.to_string(), said, None));
            }
        }
        None => {
            let shared = metrics
                .first()
                .filter(|first| metrics.iter().all(|metric| metric.grain == first.grain));
            for group in shared.into_iter().flat_map(|first| &first.grain) {
                chips.push(default(ChipKind::Group, group.to_string(), "by default"));
            }
        }
    }
    for filter in conditions(query.filters.clone()) {
        chips.push(filter_chip(&filter, parts, &query.metrics));
    }
    let days = |time: TimeRange| {
        time.resolve(setting.today, registry.calendar.week_start)
            .to_string()
    };
    match query.time {
        Some(time) => chips.push(chip(
            ChipKind::Time,
            time.to_string(),
            parts.time.as_ref(),
            Some(days(time)),
        )),
        None => {
            let shared = metrics
                .first()
                .filter(|first| metrics.iter().all(|metric| metric.window == first.window));
            let time = shared.map(|first| first.window.unwrap_or(TimeRange::AllTime));
            if let Some(time) = time {
                chips.push(default(ChipKind::Time, time.to_string(), &days(time)));
            }
        }
    }
    if let Some(compare) = query.compare {
        let said = parts.compare.as_ref();
        chips.push(chip(ChipKind::Compare, format!("vs {compare}"), said, None));
    }
    if !query.order.is_empty() || query.limit.is_some() {
        let text = MetricQuery {
            order: query.order.clone(),
            limit: query.limit,
            limit_per: query.limit_per.clone(),
            others: query.others,
            metrics: query.metrics.clone(),
            ..MetricQuery::default()
        }
        .to_string();
        let metrics = MetricQuery {
            metrics: query.metrics.clone(),
            ..MetricQuery::default()
        }
        .to_string();
        let text = text.strip_prefix(&metrics).unwrap_or(&text).trim();
        let said = parts.rank.as_ref();
        chips.push(chip(ChipKind::Order, text.to_owned(), said, None));
    }
    for chip in &mut chips {
        if chip.certainty == Certainty::Similar
            && let (Some(typed), Some(meant)) = (question.get(chip.range.clone()), &chip.detail)
        {
            chip.detail = Some(format!("{typed} -> {meant}"));
        }
    }
    chips
}

fn filter_chip(filter: &Filter, parts: &Part, metrics: &[String]) -> Chip {
    let text = filter.to_string();
    let condition = parts
        .conditions
        .iter()
        .find(|condition| filter.fields().contains(&condition.field.as_str()));
    if let Some(condition) = condition {
        return chip(ChipKind::Filter, text, Some(&condition.said), None);
    }
    let on_metric = filter
        .fields()
        .iter()
        .any(|field| metrics.iter().any(|metric| metric == field));
    let said = parts.thresholds.first().filter(|_| on_metric);
    chip(ChipKind::Filter, text, said, None)
}

fn chip<T>(kind: ChipKind, text: String, said: Option<&Said<T>>, detail: Option<String>) -> Chip {
    let Some(said) = said else {
        return Chip {
            kind,
            text,
            detail,
            certainty: Certainty::Kept,
            range: 0..0,
        };
    };
    let certainty = if said.remembered {
        Certainty::Remembered
    } else if said.similar.is_some() {
        Certainty::Similar
    } else {
        Certainty::Exact
    };
    Chip {
        kind,
        text,
        detail: said.similar.clone().or(detail),
        certainty,
        range: said.range.clone(),
    }
}

fn default(kind: ChipKind, text: String, detail: &str) -> Chip {
    Chip {
        kind,
        text,
        detail: Some(detail.to_owned()),
        certainty: Certainty::Default,
        range: Range::default(),
    }
}

impl Reader<'_> {
    /// What was read so far, before it is known whether it can be answered.
    pub(super) fn chips(&self) -> Vec<Chip> {
        let mut chips: Vec<Chip> = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let text = self.text(&item.range);
            let kind = match &item.kind {
                _ if !self.is_used(at) => continue,
                Kind::Time(_) => ChipKind::Time,
                Kind::Name(named) if !named.names.metrics.is_empty() => ChipKind::Metric,
                Kind::Name(named) if !named.values.is_empty() => ChipKind::Filter,
                Kind::Name(_) => ChipKind::Group,
                _ => continue,
            };
            chips.push(Chip {
                kind,
                detail: item
                    .similar
                    .as_ref()
                    .map(|meant| format!("{text} -> {meant}")),
                certainty: if item.similar.is_some() {
                    Certainty::Similar
                } else {
                    Certainty::Exact
                },
                text,
                range: item.range.clone(),
            });
        }
        chips
    }
}
