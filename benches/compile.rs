//! Time to compile one metric query, from the parsed query to SQL with reasons.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::date;
use metrex::compile::{CompileOptions, Reachability, Templates, compile};
use metrex::model::{MetricQuery, NoValues};
use metrex::registry::{Project, load};
use metrex::warehouse::Dialect;

fn queries(criterion: &mut Criterion) {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let reach = Reachability::new(&registry);
    let templates = Templates::builtin().unwrap();
    let options = CompileOptions {
        dialect: Dialect::Sqlite,
        today: date(2026, 11, 20),
        values: &NoValues,
        passes: Default::default(),
    };
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

criterion_group!(benches, queries);
criterion_main!(benches);
