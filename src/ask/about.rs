//! "what is gmv", "which markets are there": questions about the definitions and the values, which need no query.

use super::reader::Reader;
use super::scan::{Item, Kind};
use super::vocabulary::Keyword;
use super::{Certainty, Chip, ChipKind, Reading};
use crate::model::{GroupBy, Intent, IntentKind};

/// The reading of a question about definitions or values; `None` where it asks for numbers.
pub(super) fn about(reader: &Reader<'_>) -> Option<Reading> {
    explained(reader).or_else(|| listed(reader))
}

/// One metric, and words that ask what it means.
fn explained(reader: &Reader<'_>) -> Option<Reading> {
    let mut metric: Option<(usize, &str)> = None;
    let mut asked = false;
    let mut defined = false;
    let mut how = false;
    let mut total = false;
    for (at, item) in reader.items.iter().enumerate() {
        match &item.kind {
            Kind::Name(named) if named.names.metrics.len() == 1 && metric.is_none() => {
                metric = named
                    .names
                    .metrics
                    .first()
                    .map(|metric| (at, metric.as_str()));
            }
            Kind::Keyword(keyword) => match keyword {
                Keyword::Define => defined = true,
                Keyword::Calculated => defined |= how || reader.items.len() <= 3,
                Keyword::How => how = true,
                Keyword::Is => {
                    let text = reader.text(&item.range).to_lowercase();
                    let now = ["what is", "what are", "what's", "whats", "is", "are"];
                    asked |= now.contains(&text.replace('’', "'").as_str());
                    if text.contains("was") || text.contains("were") || text.contains("will") {
                        return None;
                    }
                }
                Keyword::Which => {}
                Keyword::Our => total = true,
                Keyword::Noise => {
                    total |= reader.text(&item.range).to_lowercase().contains("total");
                    let text = reader.text(&item.range).to_lowercase();
                    total |= text.contains("many") || text.contains("much");
                    total |= text.contains("show") || text.contains("give");
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    let (at, metric) = metric?;
    let first_is_question = matches!(reader.keyword_at(0), Some(Keyword::Is | Keyword::Which))
        && reader
            .text(&reader.items.first()?.range)
            .to_lowercase()
            .starts_with("what");
    let is_what = asked && first_is_question && !total;
    (defined || is_what).then(|| Reading {
        intent: Intent {
            intent: IntentKind::Explain,
            metrics: vec![metric.to_owned()],
            ..Intent::default()
        },
        chips: vec![chip(reader, ChipKind::Metric, metric, at)],
        notes: Vec::new(),
        is_follow_up: false,
    })
}

/// The metrics there are, or the values of a dimension: "list", "which … are there", or "show the markets" and nothing else.
fn listed(reader: &Reader<'_>) -> Option<Reading> {
    let mut dimension: Option<usize> = None;
    let mut metrics: Vec<(usize, String)> = Vec::new();
    let mut asked = false;
    let mut of_metrics: Option<usize> = None;
    let mut topic: Vec<usize> = Vec::new();
    for (at, item) in reader.items.iter().enumerate() {
        match &item.kind {
            Kind::Name(named) if !named.names.metrics.is_empty() && of_metrics.is_none() => {
                dimension?;
                metrics.extend(named.names.metrics.iter().map(|name| (at, name.clone())));
            }
            Kind::Name(named)
                if !named.names.dimensions.is_empty()
                    && dimension.is_none()
                    && of_metrics.is_none() =>
            {
                dimension = Some(at);
            }
            Kind::Keyword(keyword) => match keyword {
                Keyword::List | Keyword::Exist | Keyword::Which => asked = true,
                Keyword::Metrics if of_metrics.is_none() => of_metrics = Some(at),
                Keyword::All | Keyword::Noise | Keyword::Is | Keyword::Our | Keyword::Lead => {
                    let text = reader.text(&item.range).to_lowercase();
                    asked |= ["show", "show me", "how many", "give me"].contains(&text.as_str());
                    // After another question, "all markets" takes its condition away.
                    asked |= *keyword == Keyword::All && reader.setting.previous.is_none();
                }
                Keyword::About | Keyword::WhatAbout if of_metrics.is_some() => {}
                Keyword::Unit(_) => return None,
                _ => return None,
            },
            _ if of_metrics.is_some() => topic.push(at),
            _ => return None,
        }
    }
    if let Some(at) = of_metrics {
        let named: Vec<String> = if topic.is_empty() {
            Vec::new()
        } else {
            about_topic(reader, &topic)?
        };
        let can_ask = asked || topic.is_empty();
        return can_ask.then(|| Reading {
            intent: Intent {
                intent: IntentKind::List,
                metrics: named,
                ..Intent::default()
            },
            chips: vec![chip(reader, ChipKind::Metric, "metrics", at)],
            notes: Vec::new(),
            is_follow_up: false,
        });
    }
    let at = dimension?;
    if !asked {
        return None;
    }
    let names = reader.dimension_names(at);
    let stems = reader.stems(at);
    let name = names
        .iter()
        .find(|name| super::words::stems(name).join(" ") == stems)
        .or_else(|| names.iter().find(|name| !name.contains('.')))
        .or_else(|| names.first())?
        .clone();
    if metrics.is_empty() && names.len() > 1 && names.iter().all(|name| name.contains('.')) {
        return None;
    }
    let mut chips: Vec<Chip> = metrics
        .iter()
        .map(|(at, metric)| chip(reader, ChipKind::Metric, metric, *at))
        .collect();
    chips.push(chip(reader, ChipKind::Group, &name, at));
    Some(Reading {
        intent: Intent {
            intent: IntentKind::List,
            metrics: metrics.into_iter().map(|(_, name)| name).collect(),
            group_by: Some(vec![GroupBy::Dimension(name)]),
            ..Intent::default()
        },
        chips,
        notes: Vec::new(),
        is_follow_up: false,
    })
}

/// The metrics that have all words of a topic in their names, shelf, tags or description; `None` where there are none.
fn about_topic(reader: &Reader<'_>, topic: &[usize]) -> Option<Vec<String>> {
    let words: Vec<&str> = topic
        .iter()
        .flat_map(|at| reader.item_words(*at))
        .map(|word| word.stem.as_str())
        .collect();
    let found: Vec<String> = reader
        .setting
        .registry
        .metrics
        .values()
        .filter(|metric| {
            let texts = [
                &metric.name,
                &metric.label,
                &metric.category,
                &metric.description,
            ];
            let all = texts
                .into_iter()
                .chain(&metric.tags)
                .chain(&metric.aliases)
                .flat_map(|text| super::words::stems(text))
                .collect::<Vec<_>>();
            words.iter().all(|word| all.iter().any(|stem| stem == word))
        })
        .map(|metric| metric.name.clone())
        .collect();
    (!found.is_empty()).then_some(found)
}

fn chip(reader: &Reader<'_>, kind: ChipKind, text: &str, at: usize) -> Chip {
    let item: Option<&Item> = reader.items.get(at);
    Chip {
        kind,
        text: text.to_owned(),
        detail: item.and_then(|item| item.similar.clone()),
        certainty: if item.is_some_and(|item| item.similar.is_some()) {
            Certainty::Similar
        } else {
            Certainty::Exact
        },
        range: item.map_or(0..0, |item| item.range.clone()),
    }
}
