//! Ranks the canonical datasets for an intent in plain words, each with a confidence and its reasons.

use std::collections::HashMap;

use serde::Serialize;

use super::words::{Word, words};
use crate::model::{CanonicalDataset, CanonicalKind, Registry, Status};

/// Words that say nothing of what data is about.
const EMPTY: [&str; 14] = [
    "analyse", "analysis", "analyze", "come", "data", "dataset", "datasets", "get", "need",
    "report", "see", "show", "table", "where",
];
/// Share of the best score below which nothing is suggested.
const LEAST: f64 = 0.2;
/// How much a word counts that is only of the same stem: marketing, and market.
const SAME_STEM: f64 = 0.4;
/// How much of the confidence in a dataset goes over to one that it joins.
const OVER_A_JOIN: f64 = 0.5;

/// A canonical dataset for an intent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedDataset {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: CanonicalKind,
    /// How far it is agreed on.
    pub status: Status,
    /// What to read: the dataset, or the table.
    pub reads: String,
    /// 0 to 1: how much of the intent it speaks of, and how far it is agreed on.
    pub confidence: f64,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
}

/// What canonical datasets there are for an intent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ranking {
    /// The datasets, best first.
    pub datasets: Vec<RankedDataset>,
    /// Words of the intent that none of them speaks of.
    pub unmatched: Vec<String>,
}

/// A text of a dataset that may speak of an intent: its weight, what it is, and its words.
struct Said {
    weight: f64,
    what: String,
    words: Vec<Word>,
}

impl Said {
    /// How much of a word it says, 0 to 1.
    fn says(&self, wanted: &Word) -> f64 {
        let plain = |word: &Word| word.folded.trim_end_matches('s').to_owned();
        let mut words = self.words.iter();
        if words.any(|word| plain(word) == plain(wanted)) {
            return self.weight;
        }
        let mut words = self.words.iter();
        match words.any(|word| word.stem == wanted.stem) {
            true => self.weight * SAME_STEM,
            false => 0.0,
        }
    }
}

/// Ranks the canonical datasets of a registry; `used` is how often each metric was asked for.
pub fn canonical_for(intent: &str, registry: &Registry, used: &HashMap<String, u64>) -> Ranking {
    let mut wanted: Vec<Word> = Vec::new();
    for word in words(intent).into_iter().filter(Word::is_content) {
        if !wanted.contains(&word) && !EMPTY.contains(&word.folded.as_str()) {
            wanted.push(word);
        }
    }
    let all: Vec<(&CanonicalDataset, Vec<Said>)> = registry
        .canonical
        .values()
        .map(|one| (one, said(one, registry)))
        .collect();
    let speaks = |said: &[Said], word: &Word| said.iter().any(|one| one.says(word) > 0.0);
    // A word that all of them speak of tells none of them apart.
    let weight = |word: &Word| {
        let many = all.iter().filter(|(_, said)| speaks(said, word)).count();
        1.0 + (all.len().max(1) as f64 / many.max(1) as f64).ln()
    };
    let weights: Vec<(&Word, f64)> = wanted.iter().map(|word| (word, weight(word))).collect();
    let whole: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut datasets: Vec<RankedDataset> = all
        .iter()
        .filter_map(|(one, said)| {
            let best = |word: &Word| said.iter().map(|one| one.says(word)).fold(0.0, f64::max);
            let score: f64 = weights
                .iter()
                .map(|(word, weight)| weight * best(word))
                .sum();
            let score = score / whole.max(f64::MIN_POSITIVE);
            (score > 0.0).then(|| suggested(one, said, &wanted, score, registry, used))
        })
        .collect();
    beside(&mut datasets, registry);
    datasets.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let least = datasets.first().map_or(0.0, |best| best.confidence * LEAST);
    datasets.retain(|one| one.confidence >= least);
    let unmatched = wanted
        .iter()
        .filter(|word| !all.iter().any(|(_, said)| speaks(said, word)));
    Ranking {
        unmatched: unmatched.map(|word| word.folded.clone()).collect(),
        datasets,
    }
}

/// Everything that is said of a dataset.
fn said(one: &CanonicalDataset, registry: &Registry) -> Vec<Said> {
    let mut all = Vec::new();
    let mut add = |weight, what: &str, text: &str| {
        let words = words(text);
        if !words.is_empty() {
            all.push(Said {
                weight,
                what: what.to_owned(),
                words,
            });
        }
    };
    add(1.0, "its name", &one.name);
    add(1.0, "its other names", &one.aliases.join(" "));
    add(1.0, "its purpose", &one.purpose);
    add(0.7, "how it is used", &one.usage.join(" "));
    add(0.4, "what it is made from", &one.lineage.transformation);
    add(
        0.6,
        "what is made from it",
        &one.lineage.downstream.join(" "),
    );
    for attribute in one.attributes.values() {
        let text = format!("{} {}", attribute.name, attribute.description);
        add(0.6, &format!("its attribute {}", attribute.name), &text);
    }
    let Some(dataset) = one.dataset().and_then(|name| registry.datasets.get(name)) else {
        return all;
    };
    add(
        0.9,
        "the dataset",
        &format!("{} {}", dataset.label, dataset.description),
    );
    for dimension in dataset.dimensions.values() {
        let text = [&dimension.name, &dimension.label, &dimension.description];
        let text = text.map(String::as_str).join(" ");
        let what = format!("its dimension {}", dimension.name);
        add(
            0.6,
            &what,
            &format!("{text} {}", dimension.aliases.join(" ")),
        );
    }
    for metric in registry.metrics.values() {
        let mut measures = metric
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures);
        if measures.any(|measure| measure.dataset == dataset.name) {
            let text = [
                &metric.name,
                &metric.label,
                &metric.category,
                &metric.description,
            ];
            let text = text.map(String::as_str).join(" ");
            let what = format!("the metric {}", metric.name);
            add(0.8, &what, &format!("{text} {}", metric.aliases.join(" ")));
        }
    }
    all
}

fn suggested(
    one: &CanonicalDataset,
    said: &[Said],
    wanted: &[Word],
    score: f64,
    registry: &Registry,
    used: &HashMap<String, u64>,
) -> RankedDataset {
    // The text that says most of each word; texts that say several come first.
    let mut told: Vec<(&Said, Vec<&str>)> = Vec::new();
    for word in wanted {
        let says = said.iter().filter(|text| text.says(word) > 0.0);
        let best = says.max_by(|a, b| {
            let by = |text: &Said| wanted.iter().map(|word| text.says(word)).sum::<f64>();
            let of = |text: &Said| (text.says(word), by(text));
            of(a)
                .partial_cmp(&of(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        let Some(best) = best else { continue };
        match told.iter_mut().find(|(text, _)| std::ptr::eq(*text, best)) {
            Some((_, words)) => words.push(&word.folded),
            None => told.push((best, vec![&word.folded])),
        }
    }
    told.sort_by_key(|(_, words)| std::cmp::Reverse(words.len()));
    let speaks =
        |(text, words): &(&Said, Vec<&str>)| format!("{}: {}", text.what, words.join(", "));
    let mut reasons: Vec<String> = told.iter().map(speaks).collect();
    let dataset = one.dataset();
    let is_of = |name: &&String| {
        let metric = registry.metrics.get(*name);
        let sources = metric
            .map(|metric| metric.kind.sources())
            .unwrap_or_default();
        let mut measures = sources.iter().flat_map(|source| &source.measures);
        measures.any(|measure| Some(measure.dataset.as_str()) == dataset)
    };
    let queries: u64 = used
        .iter()
        .filter(|(name, _)| is_of(name))
        .map(|(_, times)| times)
        .sum();
    if queries > 0 {
        reasons.push(match queries {
            1 => "asked once in the last 90 days".to_owned(),
            many => format!("asked {many} times in the last 90 days"),
        });
    }
    let factor = match one.status {
        Status::Certified => 1.0,
        Status::Published => 0.9,
        Status::Draft => 0.6,
        Status::Deprecated => 0.3,
    };
    reasons.push(match (one.status, &one.owner, &one.successor) {
        (Status::Deprecated, _, Some(successor)) => format!("but deprecated: use {successor}"),
        (status, Some(owner), _) => format!("{}; {owner} answers for it", status.word()),
        (status, None, _) => format!("{}; nobody answers for it", status.word()),
    });
    RankedDataset {
        name: one.name.clone(),
        kind: one.kind,
        status: one.status,
        reads: dataset
            .or(one.table(registry))
            .unwrap_or_default()
            .to_owned(),
        confidence: (score * factor * 100.0).round() / 100.0,
        reasons,
    }
}

/// Datasets that the suggested ones join, which the intent may need as well.
fn beside(datasets: &mut Vec<RankedDataset>, registry: &Registry) {
    let first = datasets
        .iter()
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let Some((best, of)) = first.map(|first| (first.confidence, first.name.clone())) else {
        return;
    };
    let dataset = registry
        .canonical
        .get(&of)
        .and_then(|one| registry.datasets.get(one.dataset()?));
    for join in dataset.iter().flat_map(|dataset| dataset.joins.values()) {
        let Some(other) = registry.canonical_of(&join.to) else {
            continue;
        };
        let on: Vec<&str> = join.on.iter().map(|(here, _)| here.as_str()).collect();
        let reason = format!("{of} joins it on {}", on.join(", "));
        let confidence = (best * OVER_A_JOIN * 100.0).round() / 100.0;
        match datasets.iter_mut().find(|one| one.name == other.name) {
            Some(known) => {
                known.confidence = known.confidence.max(confidence);
                if !known.reasons.contains(&reason) {
                    known.reasons.insert(0, reason);
                }
            }
            None => datasets.push(RankedDataset {
                name: other.name.clone(),
                kind: other.kind,
                status: other.status,
                reads: join.to.clone(),
                confidence,
                reasons: vec![reason],
            }),
        }
    }
}
