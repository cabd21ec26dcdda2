//! Metrics that are alike, so that nobody defines the same thing again, and hand-written SQL over the same table.

use std::collections::HashMap;

use super::source::Source;
use super::words::{listed, stems};
use super::{Ground, Idea, Offer, OfferKind};
use crate::model::{Metric, Status};

/// Most metrics that are shown.
const MOST: usize = 3;
/// The share of an idea's words, weighed by how rare they are, that a metric must have.
const ALIKE: f64 = 0.3;

/// The metrics that are most alike, best first.
pub(super) fn offers(idea: &Idea, source: Option<&Source<'_>>, ground: &Ground<'_>) -> Vec<Offer> {
    let wanted = stems(&idea.words());
    let texts: Vec<(&Metric, Vec<String>)> = ground
        .registry
        .metrics
        .values()
        .filter(|metric| metric.name != idea.metric_name())
        .map(|metric| {
            let text = format!(
                "{} {} {} {}",
                metric.name,
                metric.label,
                metric.aliases.join(" "),
                metric.description
            );
            (metric, stems(&text))
        })
        .collect();
    let rarity: HashMap<&String, f64> = wanted
        .iter()
        .map(|stem| {
            let having = texts
                .iter()
                .filter(|(_, stems)| stems.contains(stem))
                .count();
            (
                stem,
                (1.0 + texts.len() as f64 / (1.0 + having as f64)).ln(),
            )
        })
        .collect();
    let all: f64 = rarity.values().sum();
    let mut found: Vec<(f64, &Metric, Vec<&String>)> = texts
        .iter()
        .map(|(metric, stems)| {
            let mut common: Vec<&String> =
                wanted.iter().filter(|stem| stems.contains(stem)).collect();
            let rare = |stem: &&String| rarity.get(*stem).copied().unwrap_or_default();
            let share: f64 = common.iter().map(rare).sum::<f64>() / all.max(f64::MIN_POSITIVE);
            common.sort_by(|one, other| rare(other).total_cmp(&rare(one)));
            let same = if reads(metric, source) { 0.2 } else { 0.0 };
            (share + same, *metric, common)
        })
        .filter(|(score, _, common)| *score >= ALIKE && !common.is_empty())
        .collect();
    found.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then_with(|| is_certified(other.1).cmp(&is_certified(one.1)))
            .then_with(|| one.1.name.cmp(&other.1.name))
    });
    found.truncate(MOST);
    let offers = found.into_iter().map(|(_, metric, common)| {
        let common: Vec<&String> = common.into_iter().take(5).collect();
        let over = if reads(metric, source) {
            ", over the same rows"
        } else {
            ""
        };
        let why = format!(
            "{} ({}): says {}{over}",
            metric.label,
            metric.status.word(),
            listed(&common)
        );
        Offer::known(
            OfferKind::Similar,
            format!("similar: {}", metric.name),
            metric.name.clone(),
            why,
        )
    });
    offers.collect()
}

fn is_certified(metric: &Metric) -> bool {
    metric.status == Status::Certified
}

fn reads(metric: &Metric, source: Option<&Source<'_>>) -> bool {
    let measures = metric
        .kind
        .sources()
        .iter()
        .flat_map(|source| &source.measures);
    let mut datasets = measures.map(|measure| measure.dataset.as_str());
    source.is_some_and(|source| datasets.any(|dataset| dataset == source.name))
}

/// Snippets that read the table, with the parts they are made of.
pub(super) fn skills(source: &Source<'_>, ground: &Ground<'_>) -> Vec<Offer> {
    let Some(table) = &source.table else {
        return Vec::new();
    };
    let table = table.to_lowercase();
    let reading = ground.registry.snippets.values().filter(|snippet| {
        let text = snippet.text.to_lowercase();
        let mut names = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
        names.any(|name| name == table)
    });
    let offers = reading.map(|snippet| {
        let parts = parts(&snippet.text);
        let made = match parts.is_empty() {
            true => String::new(),
            false => format!(", with the parts {}", listed(&parts)),
        };
        let why = format!("reads {table}{made}; see snippets/{}", snippet.name);
        Offer::known(
            OfferKind::Skill,
            format!("skill: {}", snippet.name),
            snippet.name.clone(),
            why,
        )
    });
    offers.collect()
}

/// The names that a snippet gives to its parts: `WITH name AS (`.
fn parts(sql: &str) -> Vec<String> {
    let code = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    let code: Vec<&str> = code.collect();
    let code = code.join(" ").replace('(', " ( ");
    let words: Vec<&str> = code
        .split([' ', '\t', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let triples = words.windows(3);
    let named = triples.filter_map(|three| match three {
        [name, verb, "("] if verb.eq_ignore_ascii_case("as") && *name != ")" => {
            Some((*name).to_owned())
        }
        _ => None,
    });
    named.collect()
}
