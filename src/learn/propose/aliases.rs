//! Aliases: words that people took for a metric, a dimension or a value, and that mean nothing yet.

use std::collections::BTreeMap;

use super::idea::{Change, Idea, Kind};
use super::tally::Tally;
use super::{Month, Question, best_first};
use crate::model::alike::fold;

/// What words were taken for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// A metric, by its canonical name.
    Metric(String),
    /// A dimension.
    Dimension {
        /// The dataset that declares it.
        dataset: String,
        /// Its name.
        name: String,
    },
    /// A value.
    Value {
        /// The dataset that declares the dimension.
        dataset: String,
        /// The dimension's name.
        dimension: String,
        /// The value as it stands in the data.
        value: String,
    },
}

/// Words that somebody took for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The words.
    pub words: String,
    /// What they were taken for.
    pub means: Means,
    /// Whether somebody chose it when asked; otherwise the words are similar to its name, and nobody objected.
    pub chosen: bool,
    /// Why it cannot be an alias: what the words mean already.
    pub taken: Option<String>,
}

impl<'a> Month<'a> {
    /// Links that are used enough, and whose words mean nothing else.
    pub(super) fn new_aliases(&self, passed_over: &mut Vec<String>) -> Vec<Idea> {
        let mut by_words: BTreeMap<String, Vec<&'a Link>> = BTreeMap::new();
        for link in self.links {
            by_words.entry(fold(&link.words)).or_default().push(link);
        }
        let mut ideas = Vec::new();
        for (words, links) in by_words {
            let Some(first) = links.first() else {
                continue;
            };
            let tally = self.asked_with(&words, &first.means);
            if !self.is_enough(&tally) {
                continue;
            }
            if links.iter().any(|link| link.means != first.means) {
                passed_over.push(format!("alias '{words}': people mean several things by it"));
                continue;
            }
            let taken = links.iter().find_map(|link| link.taken.as_ref());
            if let Some(taken) = taken {
                passed_over.push(format!("alias '{words}': {taken}"));
                continue;
            }
            ideas.push(alias(
                &words,
                links.iter().any(|link| link.chosen),
                &first.means,
                &tally,
            ));
        }
        best_first(ideas)
    }

    /// The questions with these words that were answered with what they mean.
    fn asked_with(&self, words: &str, means: &Means) -> Tally {
        let mut tally = Tally::default();
        let questions: BTreeMap<&String, &Question> = self.gathered.questions.iter().collect();
        for (folded, question) in questions {
            let is_answered = question
                .shape
                .and_then(|at| self.gathered.shapes.get(at))
                .is_some_and(|shape| match means {
                    Means::Metric(name) => shape.facts.metrics.contains(name),
                    Means::Dimension { name, .. } => {
                        shape.facts.dimensions.iter().any(|one| is_named(one, name))
                    }
                    Means::Value {
                        dimension, value, ..
                    } => shape
                        .conditions
                        .keys()
                        .any(|one| is_named(&one.on, dimension) && one.values.contains(value)),
                });
            if is_answered && has_words(folded, words) {
                tally.merge(&question.tally);
            }
        }
        tally
    }
}

/// Whether a dimension is of this name, whichever join leads to it.
fn is_named(written: &str, name: &str) -> bool {
    written.rsplit('.').next().is_some_and(|last| last == name)
}

/// Whether a question has these words, as words.
fn has_words(question: &str, words: &str) -> bool {
    question.match_indices(words).any(|(at, found)| {
        let before = question.get(..at).and_then(|text| text.chars().next_back());
        let after = question
            .get(at + found.len()..)
            .and_then(|text| text.chars().next());
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        is_edge(before) && is_edge(after)
    })
}

fn alias(words: &str, chosen: bool, means: &Means, tally: &Tally) -> Idea {
    let alias = words.to_owned();
    let (target, change) = match means {
        Means::Metric(metric) => (
            metric.clone(),
            Change::MetricAlias {
                metric: metric.clone(),
                alias,
            },
        ),
        Means::Dimension { dataset, name } => (
            format!("{dataset}.{name}"),
            Change::DimensionAlias {
                dataset: dataset.clone(),
                dimension: name.clone(),
                alias,
            },
        ),
        Means::Value {
            dataset,
            dimension,
            value,
        } => (
            format!("{dataset}.{dimension}={value}"),
            Change::ValueAlias {
                dataset: dataset.clone(),
                dimension: dimension.clone(),
                value: value.clone(),
                alias,
            },
        ),
    };
    let evidence = tally.evidence();
    let how = match chosen {
        true => "People chose it when they were asked what they mean.",
        false => "The words are similar to its name, and nobody objected.",
    };
    Idea {
        id: format!("alias:{target}:{words}"),
        kind: Kind::Alias,
        title: format!("'{words}' for {target}"),
        remark: how.to_owned(),
        confidence: evidence.confidence(),
        evidence,
        change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_words() {
        assert!(has_words("takings by market", "takings"));
        assert!(has_words("show the net takings", "net takings"));
        assert!(!has_words("undertakings", "takings"));
    }
}
