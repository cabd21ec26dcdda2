//! Time to understand a question, in a catalog of 10,000 metrics with a million indexed values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs
)]

#[path = "support/million.rs"]
mod million;

use std::collections::HashSet;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use metrex::ask::{Lexicon, Setting, Understanding, understand};
use metrex::compile::Reachability;
use metrex::model::Registry;
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};
use million::{Random, filled, names, percentiles, values};

const METRICS: usize = 10_000;

const WORDS: [&str; 33] = [
    "revenue", "orders", "buyers", "sessions", "visits", "clicks", "cost", "margin", "refund",
    "churn", "signup", "trial", "renewal", "upgrade", "device", "product", "store", "search",
    "checkout", "basket", "payment", "voucher", "seller", "listing", "rating", "ticket", "agent",
    "call", "lead", "quote", "parcel", "stock", "loan",
];

/// Metrics of three words each, all from few: every word of a question is in hundreds of names.
fn registry(random: &mut Random) -> (Registry, Vec<String>) {
    let mut text = "datasets:\n  facts:\n    table: facts\n    time: at\n    dimensions:\n      at: {type: time}\n".to_owned();
    for (number, name) in names().enumerate() {
        writeln!(text, "      {name}: {{label: Attribute {number}}}").unwrap();
    }
    text.push_str("metrics:\n");
    let (mut labels, mut seen) = (Vec::new(), HashSet::new());
    while labels.len() < METRICS {
        let words = [random.of(&WORDS), random.of(&WORDS), random.of(&WORDS)];
        let label = words.join(" ");
        if !seen.insert(label.clone()) {
            continue;
        }
        let name = words.join("_");
        writeln!(
            text,
            "  {name}: {{label: {label}, base_table: facts, agg: count}}"
        )
        .unwrap();
        labels.push(label);
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
    assert_eq!(loaded.registry.metrics.len(), METRICS);
    (loaded.registry, labels)
}

/// A question of one of the usual shapes about a metric and a value.
fn question(shape: usize, metric: &str, value: &str) -> String {
    match shape % 8 {
        0 => format!("{metric} last week"),
        1 => format!("{metric} by attribute 7 last month"),
        2 => format!("how much {metric} did we have for {value} last quarter?"),
        3 => format!("top 5 attribute 12 by {metric} this year"),
        4 => format!("trend of {metric} since March excluding {value}"),
        5 => format!("{metric} by attribute 3 last month vs last year"),
        6 => format!("how are whales doing in {metric}"),
        // A typo in the last word but one.
        _ => format!("{} in {value} yesterday", metric.replacen('e', "ee", 1)),
    }
}

fn questions(criterion: &mut Criterion) {
    let index = filled();
    let mut random = Random::new();
    let values = values(&mut random);
    let (registry, metrics) = registry(&mut random);
    let reach = Reachability::new(&registry);
    let started = Instant::now();
    let lexicon = Lexicon::new(&registry, &reach);
    println!("names prepared in {:?}, once", started.elapsed());
    let setting = Setting {
        registry: &registry,
        reach: &reach,
        lexicon: &lexicon,
        values: index.as_ref(),
        choices: &(),
        today: date(2026, 11, 20),
        previous: None,
    };

    let (mut times, mut clear) = (Vec::new(), 0);
    for number in 0..2_000 {
        let metric = &metrics[random.below(metrics.len())];
        let value = &values[random.below(values.len())];
        let question = question(number, metric, value);
        let started = Instant::now();
        let understood = black_box(understand(&question, &setting));
        times.push(started.elapsed());
        clear += usize::from(matches!(understood, Understanding::Clear(_)));
    }
    println!("{clear} of {} questions understood", times.len());
    percentiles("understand", times);

    let mut group = criterion.benchmark_group("ask");
    for (shape, name) in [
        (0, "metric_and_time"),
        (2, "value"),
        (6, "unknown_word"),
        (7, "typo"),
    ] {
        let question = question(shape, &metrics[17], &values[23]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| understand(&question, &setting));
        });
    }
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
