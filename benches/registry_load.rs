//! Loading a registry of 100, 1,000 and 10,000 metrics: from YAML, and from the compiled cache.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use metrex::registry::{Config, ProjectFile, ProjectFiles, load};

fn project(metrics: usize) -> ProjectFiles {
    let datasets = "datasets:\n  orders: {table: orders, key: id, time: created_at, dimensions: {market: {}, channel: {}}}\n";
    let mut files = vec![ProjectFile {
        path: "metrics/datasets.yaml".into(),
        text: datasets.into(),
    }];
    for shelf in 0..metrics.div_ceil(100) {
        let mut text = String::from("metrics:\n");
        for at in shelf * 100..metrics.min(shelf * 100 + 100) {
            write!(
                text,
                "  metric_{at}:
    label: Metric number {at}
    category: Shelf {shelf}
    description: What metric number {at} means, in a sentence that a newcomer understands.
    business_rules:
      - Cancelled orders do not count
    owner: Team {}
    status: certified
    last_updated: 2025-10-01
    aliases: [number_{at}, figure_{at}]
    tags: [money, daily]
    format: {{kind: currency, currency: USD, decimals: 0}}
    base_table: orders
    agg: sum
    expr: coalesce(amount_{at}, 0) * rate
    filters:
      - status <> 'CANCELLED'
      - market in ('ID', 'TH', 'VN')
    grain: [market]
    window: last 30 days
",
                at % 7
            )
            .unwrap();
        }
        files.push(ProjectFile {
            path: format!("metrics/shelf_{shelf:03}.yaml"),
            text,
        });
    }
    ProjectFiles {
        metrics: files,
        ..ProjectFiles::default()
    }
}

fn registry_load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("registry_load");
    group.sample_size(10);
    let config = Config::default();
    for metrics in [100, 1_000, 10_000] {
        let files = project(metrics);
        assert!(load(&files, &config, None).diagnostics.is_empty());
        group.bench_with_input(BenchmarkId::new("yaml", metrics), &files, |bench, files| {
            bench.iter(|| load(black_box(files), &config, None));
        });
        let cache = tempfile::tempdir().unwrap();
        load(&files, &config, Some(cache.path()));
        group.bench_with_input(
            BenchmarkId::new("cache", metrics),
            &files,
            |bench, files| {
                bench.iter(|| load(black_box(files), &config, Some(cache.path())));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, registry_load);
criterion_main!(benches);
