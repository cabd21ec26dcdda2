//! Every word of a question is used or reported: what has found no part, by name.

use std::collections::BTreeSet;
use std::ops::Range;

use super::lexicon::Names;
use super::reader::Reader;
use super::refusing::{OFFERED, ask, metrics, quoted, refuse};
use super::scan::{Item, Kind};
use super::similar::is_typo;
use super::vocabulary::{Keyword, out_of_scope};
use super::{Candidate, Meaning, RefusalCode, Understanding};
use crate::registry::nearest;

impl Reader<'_> {
    /// Every word must have found its part: what has none is reported, by name.
    pub(super) fn left_over(&self) -> Option<Box<Understanding>> {
        if let Some(rows) = self.rows() {
            return Some(rows);
        }
        let unread: Vec<(usize, &Item)> =
            self.unread().filter(|(_, item)| !is_silent(item)).collect();
        if unread.is_empty() {
            return None;
        }
        if let Some(personal) = self.names_personal_data() {
            return Some(personal);
        }
        let out: Vec<(&Item, &str)> = unread
            .iter()
            .filter_map(|(at, item)| {
                // A figure that finds no metric is no other aggregate.
                if matches!(item.keyword(), Some(Keyword::Figure(_))) && !self.metrics.is_empty() {
                    return None;
                }
                let words = self.item_words(*at);
                let reason = words.iter().find_map(|word| out_of_scope(&word.folded))?;
                Some((*item, reason))
            })
            .collect();
        if let Some((_, reason)) = out.first() {
            let unknown = unread.iter().filter(|(at, item)| {
                let is_out = out.iter().any(|(out, _)| out.range == item.range);
                is_out || (matches!(item.kind, Kind::Unknown) && self.parts(*at).is_none())
            });
            let words = self.merged(unknown.map(|(_, item)| *item));
            let message = format!(
                "{} asks for something that is not done here: {reason}",
                quoted(&words)
            );
            let hint =
                "ask for a metric, by dimensions, under conditions, in a time range".to_owned();
            return Some(refuse(RefusalCode::OutOfScope, message, Some(hint), words));
        }
        let unknown: Vec<&Item> = unread
            .iter()
            .filter(|(at, item)| matches!(item.kind, Kind::Unknown) && self.parts(*at).is_none())
            .map(|(_, item)| *item)
            .collect();
        if !unknown.is_empty() {
            if let Some(unsure) = self.part_of_a_value(&unknown) {
                return Some(unsure);
            }
            let words = self.merged(unknown.into_iter());
            return Some(self.unknown(words));
        }
        if let Some(unsure) = self.part_of_a_name(&unread) {
            return Some(unsure);
        }
        let words = self.merged(unread.into_iter().map(|(_, item)| item));
        let message = format!("{} cannot be placed in the question", quoted(&words));
        let hint = self.dangling_hint(&words);
        Some(refuse(RefusalCode::UnknownWords, message, hint, words))
    }

    /// "list orders": a list of the things that a metric counts, which is rows, and no number.
    pub(super) fn rows(&self) -> Option<Box<Understanding>> {
        let draft = &self.draft;
        if !draft.groups.is_empty() || draft.rank.is_some() || draft.trend.is_some() {
            return None;
        }
        let list = (0..self.items.len()).find(|at| {
            self.keyword_at(*at) == Some(Keyword::List) && self.is_metric(self.after_noise(at + 1))
        })?;
        let metric = self.after_noise(list + 1);
        let named = self.items.get(metric).and_then(Item::named)?;
        let metric_name = named.names.metrics.first()?;
        let found = self.setting.registry.metric(metric_name)?;
        if !found.grain.is_empty() || !self.is_plural(metric) {
            return None;
        }
        let range = super::reader::span(self.items.get(list..=metric)?);
        let words = self.text(&range);
        Some(refuse(
            RefusalCode::OutOfScope,
            format!("'{words}' asks for rows: it answers with metrics, never with raw rows"),
            Some(format!("say by what, such as: {} by month", found.name)),
            vec![(words, range)],
        ))
    }

    /// Words that name personal data and nothing else, in a question that could not be read.
    pub(super) fn names_personal_data(&self) -> Option<Box<Understanding>> {
        let at = (0..self.items.len()).find(|at| {
            let named = self.items.get(*at).and_then(Item::named);
            named.is_some_and(|named| {
                let names = &named.names;
                let is_pii = |name: &String| {
                    let plain = name.rsplit('.').next().unwrap_or(name);
                    let mut datasets = self.setting.registry.datasets.values();
                    datasets.any(|dataset| {
                        let dimension = dataset.dimensions.get(plain);
                        dimension.is_some_and(|dimension| dimension.pii)
                    })
                };
                names.metrics.is_empty()
                    && named.values.is_empty()
                    && !names.dimensions.is_empty()
                    && names.dimensions.iter().all(is_pii)
            })
        })?;
        let range = self.items.get(at)?.range.clone();
        let words = self.text(&range);
        Some(refuse(
            RefusalCode::OutOfScope,
            format!("'{words}' is personal data, which no answer shows"),
            None,
            vec![(words, range)],
        ))
    }

    /// What the names of the registry have of an item that names nothing as a whole.
    pub(super) fn parts(&self, at: usize) -> Option<Names> {
        let words = self.item_words(at);
        if words.is_empty() {
            return None;
        }
        let names = self
            .setting
            .lexicon
            .with_parts(words.iter().map(|word| word.stem.as_str()));
        let is_any = !names.metrics.is_empty() || !names.dimensions.is_empty();
        is_any.then_some(names)
    }

    /// One word that is part of some values or nearly one, and the whole of none: "Grace", of several account managers.
    pub(super) fn part_of_a_value(&self, unknown: &[&Item]) -> Option<Box<Understanding>> {
        let [item] = unknown else {
            return None;
        };
        let words = self.text(&item.range);
        let folded = super::words::fold(&words);
        let mut candidates: Vec<Candidate> = Vec::new();
        for value in super::meanings::similar(&folded, self.setting) {
            let has_word = super::words::split(&value.value)
                .iter()
                .any(|word| word.folded == folded);
            let meant = value.said_as.as_deref().unwrap_or(&value.value);
            let is_near = is_typo(&folded, &super::words::fold(meant))
                && crate::model::world::codes(&folded).is_empty();
            if !has_word && !is_near {
                continue;
            }
            let ways =
                super::meanings::ways(std::slice::from_ref(&value), &self.metrics, self.setting);
            for (dimension, value, _) in ways {
                let candidate = Candidate {
                    label: format!("{value} ({dimension})"),
                    detail: String::new(),
                    meaning: Meaning::Value { dimension, value },
                };
                if !candidates.contains(&candidate) {
                    candidates.push(candidate);
                }
            }
        }
        let message = format!("'{words}' is no value, but these are like it");
        (!candidates.is_empty()).then(|| ask(&words, item.range.clone(), message, candidates))
    }

    /// Words that are part of names, and the whole of none: which one is meant?
    pub(super) fn part_of_a_name(&self, unread: &[(usize, &Item)]) -> Option<Box<Understanding>> {
        let (at, first) = unread
            .iter()
            .find(|(at, _)| self.parts(*at).is_some() && self.is_nameable(*at))?;
        let names = self.parts(*at)?;
        let mut range = first.range.clone();
        let mut found = names.metrics.clone();
        let mut dimensions = names.dimensions.clone();
        // "order value": the metric that was found in it is part of the name, too.
        for (from, to) in [(at.checked_sub(1), *at), (Some(*at), at + 1)] {
            let other = if from == Some(*at) { Some(to) } else { from };
            let Some(other) = other.filter(|other| {
                *other != *at
                    && (self.is_metric(*other) || unread.iter().any(|(unread, _)| unread == other))
            }) else {
                continue;
            };
            let Some(more) = self.parts(other) else {
                continue;
            };
            let both: BTreeSet<String> = found.intersection(&more.metrics).cloned().collect();
            if !both.is_empty() {
                found = both;
                dimensions = dimensions.intersection(&more.dimensions).cloned().collect();
                let beside = self.items.get(other)?;
                range = range.start.min(beside.range.start)..range.end.max(beside.range.end);
            }
        }
        let words = self.text(&range);
        let has_metric = !self.draft.metrics.is_empty() && found == names.metrics;
        let led_by = at.checked_sub(1).and_then(|before| self.before(before + 1));
        // "top 3 sellers": what of them is ranked?
        let ranked = matches!(led_by, Some(Keyword::Rank(_)));
        let grouped = ranked || matches!(led_by, Some(Keyword::By | Keyword::Which));
        if has_metric && !grouped {
            return None;
        }
        let mut candidates = Vec::new();
        if !has_metric && !ranked {
            candidates.extend(metrics(&found, self.setting));
        }
        if candidates.len() < OFFERED {
            candidates.extend(self.dimensions(&dimensions));
        }
        if candidates.is_empty() {
            candidates.extend(metrics(&found, self.setting));
        }
        let message = if candidates.len() == 1 {
            format!("'{words}' is only part of a name")
        } else {
            format!("'{words}' may be several things")
        };
        (!candidates.is_empty()).then(|| ask(&words, range, message, candidates))
    }

    /// Whether an item may be asked about as a name: words of the grammar are not.
    pub(super) fn is_nameable(&self, at: usize) -> bool {
        self.keyword_at(at).is_none()
    }

    pub(super) fn unknown(&self, words: Vec<(String, Range<usize>)>) -> Box<Understanding> {
        let means = if words.len() == 1 { "means" } else { "mean" };
        let message = format!("{} {means} nothing here", quoted(&words));
        let near = words.iter().find_map(|(word, _)| {
            (word.len() <= super::meanings::LONGEST_TYPO).then_some(())?;
            let names = self
                .setting
                .registry
                .metric_names
                .keys()
                .map(String::as_str);
            let near = nearest(
                word,
                names.filter(|_| self.setting.registry.metrics.len() <= 500),
            )?;
            Some(format!("did you mean '{near}'?"))
        });
        let values = words.iter().find_map(|(word, _)| {
            let found = super::meanings::similar(&word.to_lowercase(), self.setting);
            let mut near: Vec<String> = Vec::new();
            for value in found {
                let label = format!("{} ({})", value.value, value.dimension);
                if !near.contains(&label) && near.len() < OFFERED {
                    near.push(label);
                }
            }
            (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
        });
        let hint = near
            .or(values)
            .unwrap_or_else(|| "leave it out, or say it in the words of the metrics".to_owned());
        refuse(RefusalCode::UnknownWords, message, Some(hint), words)
    }

    /// Items as typed; those that touch each other as one word.
    pub(super) fn merged<'i>(
        &self,
        items: impl Iterator<Item = &'i Item>,
    ) -> Vec<(String, Range<usize>)> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for item in items {
            match ranges.last_mut() {
                Some(last)
                    if item.range.start <= last.end + 1
                        && self.touches(last.end, item.range.start) =>
                {
                    last.end = item.range.end.max(last.end);
                }
                _ => ranges.push(item.range.clone()),
            }
        }
        ranges
            .into_iter()
            .map(|range| (self.text(&range), range))
            .collect()
    }

    pub(super) fn touches(&self, end: usize, start: usize) -> bool {
        let between = self.question.get(end..start).unwrap_or_default();
        !between.contains(char::is_whitespace) && !between.contains(',')
    }

    pub(super) fn dangling_hint(&self, words: &[(String, Range<usize>)]) -> Option<String> {
        let (word, _) = words.first()?;
        let at = self.unread().find(|(_, item)| !is_silent(item))?.0;
        match self.keyword_at(at)? {
            Keyword::By | Keyword::Wise => Some(format!(
                "'{word}' needs a dimension beside it, such as: by market"
            )),
            Keyword::Rank(_) => Some(format!(
                "'{word}' needs what is to be ranked: top 5 markets by gmv"
            )),
            Keyword::Not | Keyword::Only => Some(format!("'{word}' needs a value beside it")),
            Keyword::Than(_) | Keyword::OrThan(_) | Keyword::Between => Some(format!(
                "'{word}' needs a metric and a number: gmv over 1000"
            )),
            Keyword::Versus => Some(format!(
                "'{word}' needs a time or a value: vs last year, ID vs TH"
            )),
            Keyword::Part(_) => Some(format!("say 'by {word}'")),
            Keyword::Figure(_) => Some(format!(
                "'{word}' needs a metric beside it, such as: share of gmv by market, running total of gmv by month"
            )),
            Keyword::Others => Some(format!(
                "'{word}' needs a ranking: top 5 markets by gmv with others"
            )),
            Keyword::Unit(_) => Some(format!(
                "say 'by {word}', or a time range such as 'last {word}'"
            )),
            Keyword::Same | Keyword::Instead | Keyword::Also => {
                Some("there is no question before this one".to_owned())
            }
            _ => None,
        }
    }
}

/// Whether an item may stay unread: it adds nothing to what is asked.
fn is_silent(item: &Item) -> bool {
    matches!(
        item.keyword(),
        Some(
            Keyword::Noise
                | Keyword::Our
                | Keyword::Lead
                | Keyword::With
                | Keyword::And
                | Keyword::Is
                | Keyword::Which
                | Keyword::How
                | Keyword::List
                | Keyword::Now
                | Keyword::WhatAbout
                | Keyword::Compare
        )
    )
}
