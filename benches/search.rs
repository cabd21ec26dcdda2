//! Time of one keystroke in the search box, in a catalog of 10,000 metrics.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use metrex::session::{Catalog, SearchIndex};

const WORDS: [&str; 20] = [
    "gross",
    "net",
    "orders",
    "revenue",
    "ads",
    "take",
    "rate",
    "buyers",
    "daily",
    "active",
    "users",
    "churn",
    "conversion",
    "market",
    "seller",
    "refund",
    "subscription",
    "workload",
    "pipeline",
    "cost",
];

/// Metrics whose words are drawn from few, so that most searches match thousands: harder than a real catalog.
fn catalog(metrics: usize) -> SearchIndex {
    let mut seed = 12_345_u64;
    let mut word = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        WORDS[usize::try_from(seed % 20).unwrap()]
    };
    let mut text = String::from("datasets:\n  facts: {table: facts, key: id}\nmetrics:\n");
    for number in 0..metrics {
        let name = format!("{}_{}_{number}", word(), word());
        let label = format!("{} {} {number}", word(), word());
        let description: Vec<_> = (0..15).map(|_| word()).collect();
        let (tag, owner) = (word(), word());
        writeln!(
            text,
            "  {name}: {{label: {label}, description: {}, tags: [{tag}], owner: {owner} team, base_table: facts, agg: count}}",
            description.join(" ")
        )
        .unwrap();
    }
    let file = ProjectFile {
        path: "metrics/all.yaml".to_owned(),
        text,
    };
    let files = ProjectFiles {
        metrics: vec![file],
        ..ProjectFiles::default()
    };
    let loaded = load(&files, &Config::default(), None);
    assert_eq!(
        loaded.registry.metrics.len(),
        metrics,
        "{:?}",
        loaded.diagnostics.first()
    );
    SearchIndex::new(Arc::new(Catalog::new(loaded.registry, Vec::new(), 1)))
}

fn keystrokes(criterion: &mut Criterion) {
    let index = catalog(10_000);
    let usage = HashMap::new();
    let mut group = criterion.benchmark_group("search");
    for words in ["", "e", "gros", "cnvrs", "gross revenue ads", "zzz"] {
        let name = if words.is_empty() { "no_words" } else { words };
        group.bench_function(name, |bencher| bencher.iter(|| index.search(words, &usage)));
    }
    group.finish();
}

criterion_group!(benches, keystrokes);
criterion_main!(benches);
