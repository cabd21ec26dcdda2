//! Which table an idea is about: by the words of its name, columns and description, by values that rules name, by past use.

use std::collections::HashMap;

use super::rules::{self, values_named};
use super::source::Source;
use super::words::{is_general, listed, stems, words};
use super::{Ground, Idea, Offer, OfferKind};
use crate::model::{Metric, counted};

/// Most tables that are shown beside the first.
const OTHERS: usize = 3;
/// A table with less than this share of the best one's evidence is not shown.
const WEAK: f64 = 0.25;
/// What a value of the table that a rule names counts.
const VALUE: f64 = 9.0;
/// What a word counts that says how a number is made, or how often: it decides between equals.
const GENERAL: f64 = 0.02;
/// What a word counts that the number is divided by: `per order`.
const DIVIDED: f64 = 0.5;
/// Stems of ideas for which rows are counted, so that no amounts are needed.
const COUNTED: [&str; 6] = [
    "count",
    "number",
    "percent",
    "percentage",
    "proportion",
    "share",
];
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

/// The stems of an idea, each with how much it says of what is measured.
type Said = HashMap<String, f64>;

/// What one word is worth in one field of a table.
struct Page {
    fields: Vec<(f64, Vec<String>)>,
    /// Whether its name, or what one row of it is, is said as a whole.
    is_named: bool,
}

/// Which part of a name is said.
fn part_said(name: &[String], said: &Said) -> f64 {
    let all: f64 = name.iter().filter_map(|stem| said.get(stem)).sum();
    all / name.len().max(1) as f64
}

/// What one row is, by the description of the dataset: `One row per registered customer.`
fn thing(description: &str) -> Vec<String> {
    let folded = description.to_lowercase();
    let told = folded
        .split_once("one row per ")
        .map_or("", |(_, told)| told);
    let ends = [
        ",", ".", ":", ";", " and ", " in ", " of ", " on ", " that ", " who ", " with ",
    ];
    let end = ends.iter().filter_map(|end| told.find(end)).min();
    stems(told.get(..end.unwrap_or(told.len())).unwrap_or_default())
}

impl Page {
    fn of(source: &Source<'_>, metrics: &[&Metric], said: &Said) -> Self {
        let mut fields = Vec::new();
        let title = stems(&source.title());
        let thing = source.dataset.map(|dataset| thing(&dataset.description));
        let thing = thing.unwrap_or_default();
        let is_named = [&title, &thing]
            .iter()
            .any(|name| part_said(name, said) >= 1.0);
        // What is named as a whole is more likely meant than what is named in passing.
        let mut named = |most: f64, least: f64, name: Vec<String>| {
            fields.push((least + (most - least) * part_said(&name, said), name));
        };
        named(3.0, 1.5, title);
        named(2.8, 1.5, thing);
        for metric in metrics {
            named(2.5, 1.0, stems(&metric.label));
        }
        let columns = source.columns().into_iter().map(|column| column.name);
        let mut columns: Vec<String> = columns.collect();
        // What a query hands on is known by what is made of it.
        if source.info.is_none() {
            let sources = metrics.iter().flat_map(|metric| metric.kind.sources());
            let measures = sources.flat_map(|one| &one.measures);
            let measures = measures.filter(|measure| measure.dataset == source.name);
            let exprs = measures.filter_map(|measure| measure.expr.as_ref());
            columns.extend(exprs.map(|expr| expr.text.clone()));
        }
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
        Self { fields, is_named }
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
    let (wanted, said) = wanted(idea);
    let pages: Vec<Page> = sources
        .iter()
        .zip(&over)
        .map(|(one, over)| Page::of(one, over, &said))
        .collect();
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
    let is_counted = COUNTED.iter().any(|word| said.contains_key(*word));
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
        // What is named is meant, whatever it lacks.
        let less = |score: &mut f64, share: f64| {
            *score *= if page.is_named { 1.0 } else { share };
        };
        if source.time().is_none() {
            less(&mut score, 0.5);
            lacks.push("has no time".to_owned());
        }
        let poor = stems(&source.dataset_name())
            .into_iter()
            .find(|word| POOR.contains(&word.as_str()));
        if let Some(word) = poor {
            less(&mut score, 0.5);
            lacks.push(format!("its name says '{word}'"));
        }
        if !is_counted && source.info.is_some() && source.amounts().is_empty() {
            less(&mut score, 0.8);
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
        let metrics = other.metrics.cmp(&one.metrics);
        other.score.total_cmp(&one.score).then(metrics).then(names)
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

/// The stems of an idea with their weight, and with how much each says of what is measured.
fn wanted(idea: &Idea) -> (HashMap<String, f64>, Said) {
    let rules = rules::content(&idea.rules);
    let name = format!("{} {}", idea.name, idea.short_name);
    let fields = [
        (&idea.category, 0.5),
        (&rules, 1.0),
        (&idea.definition, 1.0),
        (&name, 2.0),
    ];
    let (mut wanted, mut all) = (HashMap::new(), Said::new());
    for (text, weight) in fields {
        let said = said(text);
        wanted.extend(
            said.iter()
                .map(|(stem, said)| (stem.clone(), weight * said)),
        );
        for (stem, said) in said {
            let known = all.entry(stem).or_insert(said);
            *known = known.max(said);
        }
    }
    (wanted, all)
}

/// How much each word of a text says of what is measured: a general one little, and what it is divided by half.
fn said(text: &str) -> Said {
    let mut said = Said::new();
    let mut is_divided = false;
    for word in words(text) {
        let is_per = ["per", "each", "every"].contains(&word.folded.as_str());
        if word.is_content() {
            let own = match (is_general(&word.stem), is_divided) {
                (true, _) => GENERAL,
                (false, true) => DIVIDED,
                (false, false) => 1.0,
            };
            let known = said.entry(word.stem).or_insert(own);
            *known = known.max(own);
        }
        is_divided = is_per;
    }
    said
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
