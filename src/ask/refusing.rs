//! Words that were left over, and meanings that are not certain: refusals that name the word, and questions back.

use std::collections::BTreeSet;
use std::ops::Range;

use super::draft::{Draft, Said};
use super::lexicon::Names;
use super::reader::Reader;
use super::scan::{Item, Kind, Named};
use super::similar::is_typo;
use super::vocabulary::{Keyword, out_of_scope};
use super::{Candidate, Clarification, Meaning, Refusal, RefusalCode, Setting, Understanding};
use crate::model::{MetricQuery, TimeRange};
use crate::registry::nearest;

/// Most meanings that are offered.
const OFFERED: usize = 5;

/// A refusal; what the rest was understood as is filled in at the end.
pub(super) fn refuse(
    code: RefusalCode,
    message: impl Into<String>,
    hint: Option<String>,
    words: Vec<(String, Range<usize>)>,
) -> Box<Understanding> {
    Box::new(Understanding::Refused(Box::new(Refusal {
        code,
        message: message.into(),
        hint,
        words,
        understood: Vec::new(),
    })))
}

/// A question back.
pub(super) fn ask(
    words: &str,
    range: Range<usize>,
    message: String,
    mut candidates: Vec<Candidate>,
) -> Box<Understanding> {
    candidates.truncate(OFFERED);
    Box::new(Understanding::Unsure(Box::new(Clarification {
        words: words.to_owned(),
        range,
        message,
        candidates,
    })))
}

impl Reader<'_> {
    /// A refusal, with what the rest of the question was understood as.
    pub(super) fn with_chips(&self, mut stop: Box<Understanding>) -> Box<Understanding> {
        if let Understanding::Refused(refusal) = stop.as_mut() {
            refusal.understood = self.chips();
        }
        stop
    }

    /// Which of several metrics a name means.
    pub(super) fn which_metric(&self, at: usize, named: &Named) -> Box<Understanding> {
        let range = self.items.get(at).map_or(0..0, |item| item.range.clone());
        let words = self.text(&range);
        ask(
            &words,
            range,
            format!("'{words}' names several metrics"),
            metrics(&named.names.metrics, self.setting),
        )
    }

    /// Which of several times some words mean.
    pub(super) fn which_time(
        &self,
        at: usize,
        readings: &[(TimeRange, String)],
    ) -> Box<Understanding> {
        let range = self.items.get(at).map_or(0..0, |item| item.range.clone());
        let words = self.text(&range);
        let week_start = self.setting.registry.calendar.week_start;
        let candidates = readings
            .iter()
            .map(|(time, name)| Candidate {
                meaning: Meaning::Time(*time),
                label: name.clone(),
                detail: time.resolve(self.setting.today, week_start).to_string(),
            })
            .collect();
        ask(
            &words,
            range,
            format!("'{words}' may be several times"),
            candidates,
        )
    }

    /// A time that does not exist.
    pub(super) fn no_such_time(&self, at: usize, reason: &str) -> Box<Understanding> {
        let range = self.items.get(at).map_or(0..0, |item| item.range.clone());
        let words = self.text(&range);
        refuse(
            RefusalCode::NotAnswerable,
            reason.to_owned(),
            None,
            vec![(words, range)],
        )
    }

    /// A number whose point may separate thousands or decimals.
    pub(super) fn unclear(&self, at: usize) -> Box<Understanding> {
        let range = self.items.get(at).map_or(0..0, |item| item.range.clone());
        let words = self.text(&range);
        let thousands = words.replace('.', ",");
        refuse(
            RefusalCode::NotAnswerable,
            format!("the point of '{words}' may separate thousands or decimals"),
            Some(format!(
                "for thousands write {thousands}; for decimals say more or fewer than three"
            )),
            vec![(words, range)],
        )
    }

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
    fn rows(&self) -> Option<Box<Understanding>> {
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
    fn names_personal_data(&self) -> Option<Box<Understanding>> {
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
    fn parts(&self, at: usize) -> Option<Names> {
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
    fn part_of_a_value(&self, unknown: &[&Item]) -> Option<Box<Understanding>> {
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
    fn part_of_a_name(&self, unread: &[(usize, &Item)]) -> Option<Box<Understanding>> {
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
        let grouped = at.checked_sub(1).is_some_and(|before| {
            matches!(self.before(before + 1), Some(Keyword::By | Keyword::Which))
        });
        if has_metric && !grouped {
            return None;
        }
        let mut candidates = Vec::new();
        if !has_metric {
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

    /// Without a metric: a word that is part of the names of metrics may stand for one of them.
    pub(super) fn asks_for_a_metric(&self, draft: &Draft) -> Option<Box<Understanding>> {
        let said = draft.conditions.iter().find_map(|condition| {
            let at = self.items.iter().position(|item| {
                condition.range.contains(&item.range.start) && item.named().is_some()
            })?;
            let names = self.parts(at)?;
            (!names.metrics.is_empty()).then_some((at, names.metrics))
        });
        let (at, found) = said?;
        let range = self.items.get(at)?.range.clone();
        let words = self.text(&range);
        let message = format!("'{words}' is part of the names of several metrics");
        Some(ask(&words, range, message, metrics(&found, self.setting)))
    }

    /// Metrics that begin a word of their names like one of these words: "cancellation rate" for "cancelled".
    pub(super) fn metrics_like(&self, words: &str, but: &str) -> Vec<Candidate> {
        let starts: Vec<String> = super::words::split(words)
            .into_iter()
            .filter_map(|word| {
                let start: String = word.folded.chars().take(6).collect();
                (start.chars().count() == 6).then_some(start)
            })
            .collect();
        let all = self.setting.registry.metrics.values();
        let like: BTreeSet<String> = all
            .filter(|metric| metric.name != but)
            .filter(|metric| {
                let label = metric.label.to_lowercase();
                label
                    .split_whitespace()
                    .any(|word| starts.iter().any(|start| word.starts_with(start.as_str())))
            })
            .map(|metric| metric.name.clone())
            .collect();
        metrics(&like, self.setting)
    }

    /// Two sentences that both ask for a metric are two questions.
    pub(super) fn two_sentences(&self) -> Result<(), Box<Understanding>> {
        for (at, pair) in self.items.windows(2).enumerate() {
            let [one, other] = pair else {
                continue;
            };
            let between = self.question.get(one.range.end..other.range.start);
            let ends = between.is_some_and(|text| {
                let end = text.find(['.', '?', '!', ';', '\n']);
                end.is_some_and(|end| {
                    text.get(end..)
                        .unwrap_or_default()
                        .contains(char::is_whitespace)
                })
            });
            let abbreviates = matches!(
                one.keyword(),
                Some(Keyword::Versus | Keyword::Not | Keyword::With | Keyword::And)
            );
            if !ends || abbreviates {
                continue;
            }
            let asks = |mut at: std::ops::Range<usize>| at.any(|at| self.is_metric(at));
            if asks(0..at + 1)
                && asks(at + 1..self.items.len())
                && self.keyword_at(at + 1) != Some(Keyword::And)
            {
                let range = other.range.start..self.items.last().map_or(0, |item| item.range.end);
                let words = self.text(&range);
                return Err(refuse(
                    RefusalCode::NotAnswerable,
                    format!("'{words}' is a second question"),
                    Some("ask one thing at a time".to_owned()),
                    vec![(words, range)],
                ));
            }
        }
        Ok(())
    }

    /// Two metrics with nothing between them are mostly one thing that has another name.
    pub(super) fn side_by_side(&self) -> Result<(), Box<Understanding>> {
        let mut last: Option<(usize, &str)> = None;
        for (at, item) in self.items.iter().enumerate() {
            let metric = item
                .named()
                .filter(|_| self.is_used(at))
                .and_then(|named| named.names.metrics.first());
            if let (Some(metric), Some((before, other))) = (metric, last)
                && before + 1 == at
                && metric != other
                && !self.after_comma(at)
            {
                let from = self.items.get(before).map_or(0, |item| item.range.start);
                let range = from..item.range.end;
                let words = self.text(&range);
                let names = [metric.clone(), other.to_owned()].into_iter().collect();
                let message = format!(
                    "'{words}' are two metrics side by side: write 'and' between them for both"
                );
                return Err(ask(&words, range, message, metrics(&names, self.setting)));
            }
            last = metric.map(|metric| (at, metric.as_str()));
        }
        Ok(())
    }

    /// Whether an item may be asked about as a name: words of the grammar are not.
    fn is_nameable(&self, at: usize) -> bool {
        self.keyword_at(at).is_none()
    }

    fn dimensions(&self, names: &BTreeSet<String>) -> Vec<Candidate> {
        let metrics = &self.metrics;
        names
            .iter()
            .filter(|name| super::meanings::reached(metrics, name, self.setting).is_some())
            .map(|name| dimension(name, self.setting))
            .collect()
    }

    fn unknown(&self, words: Vec<(String, Range<usize>)>) -> Box<Understanding> {
        let message = format!("{} means nothing here", quoted(&words));
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
    fn merged<'i>(&self, items: impl Iterator<Item = &'i Item>) -> Vec<(String, Range<usize>)> {
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

    fn touches(&self, end: usize, start: usize) -> bool {
        let between = self.question.get(end..start).unwrap_or_default();
        !between.contains(char::is_whitespace) && !between.contains(',')
    }

    fn dangling_hint(&self, words: &[(String, Range<usize>)]) -> Option<String> {
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

/// `'whales' and 'unicorns'`
pub(super) fn quoted(words: &[(String, Range<usize>)]) -> String {
    let words: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
    words.join(" and ")
}

/// Metrics to choose from: certified ones first.
pub(super) fn metrics(names: &BTreeSet<String>, setting: &Setting<'_>) -> Vec<Candidate> {
    let mut found: Vec<_> = names
        .iter()
        .filter_map(|name| setting.registry.metric(name))
        .collect();
    found.sort_by(|one, other| {
        other
            .status
            .eq(&crate::model::Status::Certified)
            .cmp(&one.status.eq(&crate::model::Status::Certified))
            .then(one.name.len().cmp(&other.name.len()))
            .then(one.name.cmp(&other.name))
    });
    found
        .into_iter()
        .map(|metric| Candidate {
            meaning: Meaning::Metric(metric.name.clone()),
            label: metric.label.clone(),
            detail: metric.description.clone(),
        })
        .collect()
}

/// A dimension to choose.
pub(super) fn dimension(name: &str, setting: &Setting<'_>) -> Candidate {
    let plain = name.rsplit('.').next().unwrap_or(name);
    let found = setting
        .registry
        .datasets
        .values()
        .find_map(|dataset| dataset.dimensions.get(plain));
    Candidate {
        meaning: Meaning::Dimension(name.to_owned()),
        label: found.map_or_else(|| name.to_owned(), |found| found.label.clone()),
        detail: found
            .map(|found| found.description.clone())
            .unwrap_or_default(),
    }
}

/// No metric is asked for.
pub(super) fn no_metric<T>(
    question: &str,
    said: Option<&Said<T>>,
    previous: Option<&MetricQuery>,
) -> Box<Understanding> {
    let words = said.map_or_else(
        || (question.trim().to_owned(), 0..question.len()),
        |said| {
            let text = question.get(said.range.clone()).unwrap_or_default();
            (text.to_owned(), said.range.clone())
        },
    );
    let hint = if previous.is_none() {
        "name a metric; there is no question before this one that could be changed"
    } else {
        "name a metric"
    };
    refuse(
        RefusalCode::NoMetric,
        format!("'{}' asks for no metric", words.0),
        Some(hint.to_owned()),
        vec![words],
    )
}
