//! Every name of a registry, prepared for being found in a question.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::similar::Similar;
use super::values::ValueMap;
use super::vocabulary::CORRECTED;
use super::words::stems;
use crate::compile::Reachability;
use crate::model::{Dataset, Dimension, Grain, Metric, Registry};

/// What a name in a question may be. One name may be several things; its place in the question decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Metrics, by name.
    pub(super) metrics: BTreeSet<String>,
    /// Dimensions, as queries write them: `market`, `seller.market`.
    pub(super) dimensions: BTreeSet<String>,
    /// Datasets that the name of a join or of the dataset itself leads to: "sellers".
    pub(super) entities: BTreeSet<String>,
}

impl Names {
    fn merge(&mut self, other: &Self) {
        self.metrics.extend(other.metrics.iter().cloned());
        self.dimensions.extend(other.dimensions.iter().cloned());
        self.entities.extend(other.entities.iter().cloned());
    }
}

/// The names, labels and aliases of metrics and dimensions; made once per version of the registry.
#[derive(Debug, Default)]
pub struct Lexicon {
    /// Stems with single spaces -> what they name.
    phrases: HashMap<String, Names>,
    /// The stems of a metric's name in alphabetical order, for "revenue from ads"; only names of plain words.
    unordered: HashMap<String, BTreeSet<String>>,
    /// One stem -> metrics and dimensions that have it in one of their names.
    parts: HashMap<String, Names>,
    /// The last stems of a metric's names, two at least -> metrics, with what stands before.
    endings_of_metrics: HashMap<String, BTreeMap<String, String>>,
    /// The last stems of a dimension's names -> dimensions.
    endings: HashMap<String, BTreeSet<String>>,
    /// Whose values the columns of the value index are.
    values: ValueMap,
    /// Most words of a name.
    longest: usize,
    similar: Similar,
}

/// Most words of a name that are looked at.
const MOST_WORDS: usize = 8;

impl Lexicon {
    /// Prepares the names of a registry.
    pub fn new(registry: &Registry, _reach: &Reachability) -> Self {
        let mut lexicon = Self {
            values: ValueMap::new(registry),
            ..Self::default()
        };
        for metric in registry.metrics.values() {
            lexicon.add_metric(metric);
        }
        for dataset in registry.datasets.values() {
            lexicon.add_dataset(registry, dataset);
        }
        let words = lexicon.parts.keys().cloned();
        let whole = lexicon
            .phrases
            .keys()
            .filter(|phrase| phrase.contains(' '))
            .map(|phrase| phrase.replace(' ', ""));
        let grammar = CORRECTED.iter().map(|word| (*word).to_owned());
        lexicon.similar = Similar::new(words.chain(whole).chain(grammar));
        lexicon
    }

    fn add_metric(&mut self, metric: &Metric) {
        let names = [&metric.name, &metric.label];
        for name in names.into_iter().chain(&metric.aliases) {
            let stems = stems(name);
            self.file(&stems, |names| {
                names.metrics.insert(metric.name.clone());
            });
            for from in 1..stems.len().saturating_sub(1) {
                let ending = stems.get(from..).unwrap_or_default().join(" ");
                let before = stems.get(..from).unwrap_or_default().join(" ");
                self.endings_of_metrics
                    .entry(ending)
                    .or_default()
                    .insert(metric.name.clone(), before);
            }
            if stems.len() >= 2 && !stems.iter().any(|stem| is_relation(stem)) {
                let key = unordered(stems.iter().map(String::as_str));
                self.unordered
                    .entry(key)
                    .or_default()
                    .insert(metric.name.clone());
            }
        }
    }

    fn add_dataset(&mut self, registry: &Registry, dataset: &Dataset) {
        for dimension in dataset.dimensions.values() {
            for stems in names_of(dimension) {
                self.file(&stems, |names| {
                    names.dimensions.insert(dimension.name.clone());
                });
                for from in 1..stems.len() {
                    let ending = stems.get(from..).unwrap_or_default().join(" ");
                    self.endings
                        .entry(ending)
                        .or_default()
                        .insert(dimension.name.clone());
                }
            }
        }
        for name in [&dataset.name, &dataset.label] {
            self.file_entity(&stems(name), &dataset.name);
        }
        for join in dataset.joins.values() {
            self.file_entity(&stems(&join.name), &join.to);
            let Some(other) = registry.datasets.get(&join.to) else {
                continue;
            };
            let role = stems(&join.name);
            for dimension in other.dimensions.values() {
                for name in names_of(dimension) {
                    let phrase: Vec<String> = role.iter().chain(&name).cloned().collect();
                    let qualified = format!("{}.{}", join.name, dimension.name);
                    self.file(&phrase, |names| {
                        names.dimensions.insert(qualified.clone());
                    });
                }
            }
        }
    }

    fn file_entity(&mut self, stems: &[String], dataset: &str) {
        self.file(stems, |names| {
            names.entities.insert(dataset.to_owned());
        });
    }

    fn file(&mut self, stems: &[String], add: impl Fn(&mut Names) + Clone) {
        if stems.is_empty() || stems.len() > MOST_WORDS {
            return;
        }
        self.longest = self.longest.max(stems.len());
        add(self.phrases.entry(stems.join(" ")).or_default());
        for stem in stems {
            add(self.parts.entry(stem.clone()).or_default());
        }
    }

    /// What stems in this order name.
    pub(super) fn phrase(&self, stems: &[&str]) -> Option<&Names> {
        self.phrases.get(&stems.join(" "))
    }

    /// What stems name when written as one word: "takerate". Only for words that name nothing themselves.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The one metric whose name says "average" or "total" before these stems, and that no other metric's name ends with.
    pub(super) fn but_for_average(&self, stems: &[&str]) -> Option<&str> {
        let found = self.endings_of_metrics.get(&stems.join(" "))?;
        let (metric, before) = found.iter().next().filter(|_| found.len() == 1)?;
        ["average", "mean", "total"]
            .contains(&before.as_str())
            .then_some(metric.as_str())
    }

    /// The one metric whose name has just these stems, in another order.
    pub(super) fn in_any_order<'a>(
        &self,
        stems: impl IntoIterator<Item = &'a str>,
    ) -> Option<&str> {
        let found = self.unordered.get(&unordered(stems))?;
        found
            .iter()
            .next()
            .filter(|_| found.len() == 1)
            .map(String::as_str)
    }

    /// Metrics and dimensions with this stem somewhere in their names.
    pub(super) fn with_part(&self, stem: &str) -> Option<&Names> {
        self.parts.get(stem)
    }

    /// Dimensions with a longer name that ends so.
    pub(super) fn ending(&self, stems: &str) -> impl Iterator<Item = &str> {
        self.endings
            .get(stems)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Whose values the columns of the value index are.
    pub(super) fn values(&self) -> &ValueMap {
        &self.values
    }

    /// Stems that a misspelt stem may mean.
    pub(super) fn similar(&self, stem: &str) -> Vec<(&str, f64)> {
        self.similar.of(stem)
    }

    /// The name that was written as one word: `takerate`.
    pub(super) fn written_together(&self, stem: &str) -> Option<(String, &Names)> {
        let length = stem.len();
        (2..length.saturating_sub(1)).find_map(|at| {
            let (left, right) = (stem.get(..at)?, stem.get(at..)?);
            let phrase = format!("{left} {right}");
            let names = self.phrases.get(&phrase)?;
            Some((phrase, names))
        })
    }

    /// Everything that the names of `stem` are part of, merged.
    pub(super) fn with_parts<'a>(&self, stems: impl IntoIterator<Item = &'a str>) -> Names {
        let mut all = Names::default();
        for names in stems.into_iter().filter_map(|stem| self.with_part(stem)) {
            all.merge(names);
        }
        all
    }
}

/// The names of a dimension, as stems; the name of a grain is never one, being a grain.
fn names_of(dimension: &Dimension) -> Vec<Vec<String>> {
    let mut seen = BTreeMap::new();
    let names = [&dimension.name, &dimension.label];
    for name in names.into_iter().chain(&dimension.aliases) {
        let stems = stems(name);
        let is_grain =
            stems.len() == 1 && stems.iter().any(|stem| Grain::from_word(stem).is_some());
        if !is_grain {
            seen.insert(stems.join(" "), stems);
        }
    }
    seen.into_values().collect()
}

/// Words that put an order into a name: "orders per buyer" is not "buyers per order".
fn is_relation(stem: &str) -> bool {
    ["per", "to", "by", "over", "from", "without", "not", "no"].contains(&stem)
}

fn unordered<'a>(stems: impl IntoIterator<Item = &'a str>) -> String {
    let mut stems: Vec<&str> = stems
        .into_iter()
        .filter(|stem| !["of", "the", "on", "a", "in", "for", "from"].contains(stem))
        .collect();
    stems.sort_unstable();
    stems.join(" ")
}
