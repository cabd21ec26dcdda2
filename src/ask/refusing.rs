//! Refusals that name the word, and questions back where a meaning is not certain.

use std::collections::BTreeSet;
use std::ops::Range;

use super::draft::{Draft, Said};
use super::reader::Reader;
use super::scan::Named;
use super::vocabulary::Keyword;
use super::{Candidate, Clarification, Meaning, Refusal, RefusalCode, Setting, Understanding};
use crate::model::{MetricQuery, TimeRange};

/// Most meanings that are offered.
pub(super) const OFFERED: usize = 5;

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

    pub(super) fn dimensions(&self, names: &BTreeSet<String>) -> Vec<Candidate> {
        // One thing under two names is one candidate.
        let mut places = Vec::new();
        let mut is_new = |name: &&String| {
            let reached = super::meanings::reached(&self.metrics, name, self.setting);
            let place = reached.map(|reached| reached.found);
            let is_new = place.is_some() && !places.contains(&place);
            places.push(place);
            is_new
        };
        let found = names.iter().filter(|name| is_new(name));
        found.map(|name| dimension(name, self.setting)).collect()
    }
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
