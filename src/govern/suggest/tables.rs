//! Which table an idea is about: by the words of its name, columns and description, by values that rules name, by past use.

use std::collections::HashMap;

use super::rules::{self, values_named};
use super::source::Source;
use super::words::{listed, stems};
use super::{Ground, Idea, Offer, OfferKind};
use crate::model::{Metric, counted};

/// Most tables that are shown beside the first.
const OTHERS: usize = 3;
/// A table with less than this share of the best one's evidence is not shown.
const WEAK: f64 = 0.25;
/// What a value of the table that a rule names counts.
const VALUE: f64 = 9.0;
/// Words in a name that say that a table is not the one to measure.
const POOR: [&str; 10] = [
    "old",
    "tmp",
    "temp",
    "raw",
    "backup",
    "test",
    "staging",
    "stg",
    "adjustment",
    "archive",
];

/// A table with what speaks for it.
#[derive(Debug)]
pub(super) struct Ranked<'a> {
    pub source: Source<'a>,
    score: f64,
    /// Words that name it or its columns.
    words: Vec<String>,
    /// Values that rules name, each with its column.
    values: Vec<String>,
    metrics: usize,
    queries: u64,
    lacks: Vec<String>,
}

/// What one word is worth in one field of a table.
struct Page {
    fields: Vec<(f64, Vec<String>)>,
}

impl Page {
    fn of(source: &Source<'_>, metrics: &[&Metric]) -> Self {
        let mut fields = vec![(3.0, stems(&source.title()))];
        let columns: Vec<String> = source
            .columns()
            .into_iter()
            .map(|column| column.name)
            .collect();
        fields.push((2.0, stems(&columns.join(" "))));
        if let Some(dataset) = source.dataset {
            fields.push((
                2.0,
                stems(&format!("{} {}", dataset.label, dataset.description)),
            ));
            let dimensions = dataset.dimensions.values();
            let told: Vec<String> = dimensions
                .map(|one| format!("{} {} {}", one.name, one.label, one.aliases.join(" ")))
                .collect();
            fields.push((1.0, stems(&told.join(" "))));
        }
        let labels: Vec<&str> = metrics.iter().map(|metric| metric.label.as_str()).collect();
        fields.push((1.0, stems(&labels.join(" "))));
        Self { fields }
    }

    fn worth(&self, stem: &String) -> f64 {
        let found = self.fields.iter().filter(|(_, stems)| stems.contains(stem));
        found.map(|(weight, _)| *weight).fold(0.0, f64::max)
    }
}

/// The tables that have any of the words, best first.
pub(super) fn rank<'a>(idea: &Idea, ground: &Ground<'a>) -> Vec<Ranked<'a>> {
    let sources = Source::all(ground);
    let over: Vec<Vec<&Metric>> = sources
        .iter()
        .map(|one| metrics_over(one, ground))
        .collect();
    let pages: Vec<Page> = sources
        .iter()
        .zip(&over)
        .map(|(one, over)| Page::of(one, over))
        .collect();
    let wanted = wanted(idea);
    let rarity: HashMap<&String, f64> = wanted
        .keys()
        .map(|stem| {
            let having = pages.iter().filter(|page| page.worth(stem) > 0.0).count();
            (
                stem,
                (1.0 + pages.len() as f64 / (1.0 + having as f64)).ln(),
            )
        })
        .collect();
    let mut ranked: Vec<Ranked<'a>> = Vec::new();
    for ((source, page), over) in sources.into_iter().zip(&pages).zip(&over) {
        let mut found: Vec<(f64, &String)> = wanted
            .iter()
            .map(|(stem, weight)| {
                let rarity = rarity.get(stem).copied().unwrap_or_default();
                (weight * page.worth(stem) * rarity, stem)
            })
            .filter(|(score, _)| *score > 0.0)
            .collect();
        found.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        let values = values_named(&idea.rules, &source);
        let mut score: f64 = found.iter().map(|(score, _)| score).sum();
        score += VALUE * values.len() as f64;
        let queries = over
            .iter()
            .filter_map(|metric| ground.used.get(&metric.name))
            .sum();
        // What everybody uses is more likely meant than its copy; never more than what the words say.
        score *= 1.0 + (1.0 + queries as f64).ln() * 0.02;
        let mut lacks = Vec::new();
        if source.time().is_none() {
            score *= 0.5;
            lacks.push("has no time".to_owned());
        }
        let poor = stems(&source.dataset_name())
            .into_iter()
            .find(|word| POOR.contains(&word.as_str()));
        if let Some(word) = poor {
            score *= 0.5;
            lacks.push(format!("its name says '{word}'"));
        }
        if source.info.is_some() && source.amounts().is_empty() {
            score *= 0.8;
            lacks.push("has no amounts to add up".to_owned());
        }
        if score > 0.0 {
            ranked.push(Ranked {
                words: found.into_iter().map(|(_, stem)| stem.clone()).collect(),
                score,
                values,
                metrics: over.len(),
                queries,
                lacks,
                source,
            });
        }
    }
    ranked.sort_by(|one, other| {
        let names = one.source.name.cmp(&other.source.name);
        other.score.total_cmp(&one.score).then(names)
    });
    ranked
}

/// The tables that an idea may be about, best first, at most so many: those whose values are worth looking up.
pub fn likely(idea: &Idea, ground: &Ground<'_>, most: usize) -> Vec<String> {
    let ranked = rank(idea, ground).into_iter();
    let tables = ranked.filter_map(|one| one.source.table);
    let mut tables: Vec<String> = tables.take(most).collect();
    // The one that was chosen by hand, wherever it stands.
    if let Some(super::Decision::Text(chosen)) = idea.choices.get("table")
        && !tables.contains(chosen)
    {
        tables.push(chosen.clone());
    }
    tables
}

/// The stems of an idea with their weight.
fn wanted(idea: &Idea) -> HashMap<String, f64> {
    let rules = rules::content(&idea.rules);
    let name = format!("{} {}", idea.name, idea.short_name);
    let fields = [
        (&idea.category, 0.5),
        (&rules, 1.0),
        (&idea.definition, 1.0),
        (&name, 2.0),
    ];
    let mut wanted = HashMap::new();
    for (text, weight) in fields {
        wanted.extend(stems(text).into_iter().map(|stem| (stem, weight)));
    }
    wanted
}

/// The metrics that read a table.
fn metrics_over<'a>(source: &Source<'_>, ground: &Ground<'a>) -> Vec<&'a Metric> {
    let metrics = ground.registry.metrics.values();
    let reads = |metric: &&Metric| {
        let sources = metric.kind.sources().iter();
        let mut measures = sources.flat_map(|source| &source.measures);
        measures.any(|measure| measure.dataset == source.name)
    };
    metrics.filter(reads).collect()
}

/// The first table as what is measured, the next ones as alternatives, each with the reason.
pub(super) fn offers(idea: &Idea, ranked: &[Ranked<'_>]) -> Vec<Offer> {
    let Some(first) = ranked.first() else {
        return Vec::new();
    };
    let chosen = match idea.choices.get("table") {
        Some(super::Decision::Text(name)) => name.clone(),
        _ => first.source.name.clone(),
    };
    let shown = ranked.iter().enumerate().filter(|(at, one)| {
        *at == 0 || one.source.name == chosen || *at <= OTHERS && one.score >= WEAK * first.score
    });
    shown
        .map(|(at, one)| {
            let mut offer = Offer::known(
                OfferKind::Table,
                "table".to_owned(),
                one.source.name.clone(),
                match at {
                    0 => format!("primary: {}", one.why()),
                    _ => format!("alternative, {}", one.against(first)),
                },
            );
            offer.state = match one.source.name == chosen {
                true => super::State::Taken,
                false => super::State::Refused,
            };
            offer
        })
        .collect()
}

impl Ranked<'_> {
    /// What speaks for it.
    fn why(&self) -> String {
        let mut why = Vec::new();
        if !self.words.is_empty() {
            let words: Vec<&String> = self.words.iter().take(5).collect();
            why.push(format!("has {}", listed(&words)));
        }
        if !self.values.is_empty() {
            why.push(format!("its values: {}", listed(&self.values)));
        }
        match (self.metrics, self.source.dataset.is_some()) {
            (_, false) => why.push("a table that is no dataset yet".to_owned()),
            (0, true) => {}
            (1, true) => why.push("1 metric reads it".to_owned()),
            (count, true) => why.push(format!("{count} metrics read it")),
        }
        if self.queries > 0 {
            why.push(format!("asked {} lately", counted(self.queries, "time")));
        }
        why.extend(self.lacks.iter().cloned());
        why.join("; ")
    }

    /// What speaks for it, and what it lacks that the first one has.
    fn against(&self, first: &Self) -> String {
        let missing = |all: &[String], own: &[String]| -> Vec<String> {
            all.iter()
                .filter(|one| !own.contains(one))
                .take(4)
                .cloned()
                .collect()
        };
        let values = missing(&first.values, &self.values);
        let words = missing(&first.words, &self.words);
        let what = match (values.as_slice(), words.as_slice()) {
            ([], []) if self.score < first.score => {
                "the same words count for less there".to_owned()
            }
            ([], []) => "as good by its words".to_owned(),
            ([], words) => format!("has no {}", words.join(", no ")),
            (values, _) => format!("has no value {}", values.join(", none ")),
        };
        let lower = match self.score < first.score {
            true => "lower quality: ",
            false => "",
        };
        format!("{lower}{what}; {}", self.why())
    }
}
