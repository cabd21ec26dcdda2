//! Whether a model's query says what the question says: every part has words behind it, every word in doubt a part.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::data::{SHORT, harmless};
use crate::model::{Intent, MetricQuery};

/// Words of the question, and the part of the query they stand for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    /// A metric, a dimension, or time, grain, compare, order, limit, total.
    pub(super) part: String,
    /// Words copied from the question.
    pub(super) words: String,
}

/// The names of the parts of an intent, each once.
fn parts(intent: &Intent) -> Vec<String> {
    let mut parts = intent.metrics.clone();
    let groups = intent.group_by.iter().flatten().map(ToString::to_string);
    parts.extend(groups);
    let fields = intent.filters.iter().flat_map(|filter| filter.fields());
    parts.extend(fields.map(str::to_owned));
    let clauses = [
        ("time", intent.time.is_some()),
        ("grain", intent.grain.is_some()),
        ("compare", intent.compare.is_some()),
        ("order", !intent.order.is_empty()),
        ("limit", intent.limit.is_some()),
        ("total", intent.total),
    ];
    let clauses = clauses.into_iter().filter(|(_, is_there)| *is_there);
    parts.extend(clauses.map(|(name, _)| name.to_owned()));
    parts.dedup();
    parts
}

/// The parts that stand in the query before in the same way; a follow-up keeps them without a word.
fn kept(intent: &Intent, previous: Option<&MetricQuery>) -> Vec<String> {
    let Some(previous) = previous else {
        return Vec::new();
    };
    let mut kept: Vec<String> = intent
        .metrics
        .iter()
        .filter(|name| previous.metrics.contains(name))
        .cloned()
        .collect();
    let groups = intent.group_by.iter().flatten();
    let before = previous.group_by.as_deref().unwrap_or_default();
    kept.extend(
        groups
            .filter(|group| before.contains(group))
            .map(ToString::to_string),
    );
    if intent.filters == previous.filters {
        let fields = intent.filters.iter().flat_map(|filter| filter.fields());
        kept.extend(fields.map(str::to_owned));
    }
    let clauses = [
        ("time", intent.time == previous.time),
        ("compare", intent.compare == previous.compare),
        ("order", intent.order == previous.order),
        ("limit", intent.limit == previous.limit),
        ("total", intent.total == previous.total),
    ];
    let clauses = clauses.into_iter().filter(|(_, is_kept)| *is_kept);
    kept.extend(clauses.map(|(name, _)| name.to_owned()));
    kept
}

/// What is wrong with the evidence, in words for the model; nothing where every part and every word in doubt has some.
pub(super) fn problems(
    question: &str,
    doubtful: &[String],
    intent: &Intent,
    evidence: &[Evidence],
    previous: Option<&MetricQuery>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let quoted = |text: &str| harmless(text, SHORT);
    for piece in evidence {
        if words(&piece.words).is_empty() || place(question, &piece.words).is_none() {
            let words = quoted(&piece.words);
            problems.push(format!("the words '{words}' do not stand in the question"));
        }
    }
    let kept = kept(intent, previous);
    for part in parts(intent) {
        let has_evidence = evidence
            .iter()
            .any(|piece| piece.part.eq_ignore_ascii_case(&part));
        if !has_evidence && !kept.contains(&part) {
            let part = quoted(&part);
            problems.push(format!(
                "there is no evidence for '{part}': name the words of the question that ask for it, or leave it out"
            ));
        }
    }
    let parts = parts(intent);
    let explained: Vec<String> = evidence
        .iter()
        .filter(|piece| {
            parts
                .iter()
                .any(|part| piece.part.eq_ignore_ascii_case(part))
        })
        .flat_map(|piece| words(&piece.words))
        .collect();
    for word in doubtful.iter().flat_map(|text| words(text)) {
        if !explained.contains(&word) {
            problems.push(format!(
                "the word '{word}' is lost: say in evidence which part of the query it stands for, or put it into unmapped"
            ));
        }
    }
    problems
}

/// The words of a text, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The bytes of the question that these words are; an empty range where they all stand in it, but apart.
pub(super) fn place(question: &str, text: &str) -> Option<Range<usize>> {
    let starts = question.char_indices().map(|(at, _)| at);
    for start in starts {
        let mut rest = question.get(start..)?.char_indices();
        let mut wanted = text.trim().chars().flat_map(char::to_lowercase).peekable();
        let mut end = start;
        while wanted.peek().is_some() {
            let Some((at, found)) = rest.next() else {
                break;
            };
            if !found.to_lowercase().all(|c| wanted.next() == Some(c)) {
                end = start;
                break;
            }
            end = start + at + found.len_utf8();
        }
        if wanted.peek().is_none() && end > start {
            return Some(start..end);
        }
    }
    let own = words(question);
    words(text)
        .iter()
        .all(|word| own.contains(word))
        .then_some(0..0)
}
