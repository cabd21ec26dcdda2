//! Time to compile one metric query, from the parsed query to SQL with reasons; also 80 metrics at once, and the spread over
//! every metric of the demo by every dimension it has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use metrex::compile::{CompileOptions, Reachability, Templates, compile, leaf_metrics};
use metrex::model::{MetricQuery, NoValues, Registry};
use metrex::registry::{Project, load};
use metrex::warehouse::Dialect;
use support::shop::registry_of;

fn options() -> CompileOptions<'static> {
    CompileOptions {
        dialect: Dialect::Sqlite,
        today: date(2026, 11, 20),
        values: &NoValues,
        passes: Default::default(),
    }
}

fn queries(criterion: &mut Criterion) {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    let options = options();
    let mut group = criterion.benchmark_group("compile");
    for (name, line) in [
        ("simple", "gmv by market last 6 months"),
        (
            "three_metrics",
            "gmv, orders, aov by market, month where channel = ads last 6 months",
        ),
        (
            "derived_compared",
            "take_rate by market, month last 6 months vs previous year",
        ),
    ] {
        let query: MetricQuery = line.parse().unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| compile(&registry, &reach, &templates, &query, &options).unwrap());
        });
    }
    group.finish();
}

/// Four facts, each with 20 metrics: sums under conditions, a distinct count, averages, ratios of them.
fn wide() -> (Registry, String) {
    let mut yaml = String::from("datasets:\n");
    let mut metrics = String::from("metrics:\n");
    let mut names = Vec::new();
    for fact in 0..4 {
        writeln!(
            yaml,
            "  f{fact}: {{table: f{fact}, key: id, time: at, dimensions: {{at: {{type: time}}, market: {{}}, channel: {{}}, buyer: {{}}}}}}"
        )
        .unwrap();
        for n in 0..20 {
            let name = format!("m{fact}_{n}");
            let definition = match n % 5 {
                0 => format!("base_table: f{fact}, agg: sum, expr: amount"),
                1 => format!("base_table: f{fact}, agg: count, filters: [\"channel = c{n}\"]"),
                2 => format!("base_table: f{fact}, agg: count_distinct, expr: buyer"),
                3 => format!("base_table: f{fact}, agg: avg, expr: amount"),
                _ => format!("expr: \"m{fact}_0 / m{fact}_{}\"", n - 3),
            };
            writeln!(metrics, "  {name}: {{{definition}}}").unwrap();
            names.push(name);
        }
    }
    (registry_of(&(yaml + &metrics)), names.join(", "))
}

fn eighty_metrics(criterion: &mut Criterion) {
    let (registry, names) = wide();
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    let line = format!("{names} by market, month where channel = ads last 6 months");
    for (id, line) in [
        ("compile/80_metrics", line.clone()),
        ("compile/80_metrics_with_total", format!("{line} total")),
    ] {
        let query: MetricQuery = line.parse().unwrap();
        criterion.bench_function(id, |bencher| {
            bencher.iter(|| compile(&registry, &reach, &templates, &query, &options()).unwrap());
        });
    }
}

/// Every metric of the demo by every dimension, plain and as a compared trend: the median and the 99th percentile of the
/// fastest of three runs of each.
fn spread(_: &mut Criterion) {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    let mut times: Vec<Duration> = Vec::new();
    for metric in registry.metrics.values() {
        let leaves = leaf_metrics(&registry, metric);
        let Some(measure) = leaves
            .first()
            .and_then(|leaf| leaf.kind.sources().first())
            .and_then(|source| source.measures.first())
        else {
            continue;
        };
        for dimension in reach.possible(&registry, &measure.dataset) {
            for line in [
                format!("{} by {dimension}", metric.name),
                format!(
                    "{} by {dimension}, month last 6 months vs previous year",
                    metric.name
                ),
            ] {
                let Ok(query) = line.parse::<MetricQuery>() else {
                    continue;
                };
                let runs = (0..3).filter_map(|_| {
                    let start = Instant::now();
                    let compiled = compile(&registry, &reach, &templates, &query, &options());
                    compiled.ok().map(|_| start.elapsed())
                });
                times.extend(runs.min());
            }
        }
    }
    times.sort();
    println!(
        "compile: {} queries, median {:?}, 99 % {:?}, longest {:?}",
        times.len(),
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        times[times.len() - 1],
    );
}

criterion_group!(benches, queries, eighty_metrics, spread);
criterion_main!(benches);
