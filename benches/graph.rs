//! Time to read the graph of use over a log of a million queries, which is made by the real recorder and kept for the next run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use metrex::usage::graph::{NodeKind, Thing};
use metrex::usage::{Facts, FilterFact, Outcome, QueryRecord, Usage};

const QUERIES: usize = 1_000_000;
/// Queries that differ in more than the values they are filtered by.
const SHAPES: usize = 20_000;
const METRICS: usize = 300;
const DIMENSIONS: usize = 60;
const TABLES: usize = 40;
const VALUES: usize = 30;
const PEOPLE: usize = 200;
const DAYS: i64 = 365;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// Small numbers are drawn much more often than large ones, as a few metrics are asked for more than all others.
    fn uneven(&mut self, end: usize) -> usize {
        let share = self.next() as f64 / u64::MAX as f64;
        ((end as f64).powf(share) as usize).min(end) - 1
    }
}

/// What the queries of one shape have in common.
struct Shape {
    facts: Facts,
    fingerprint: String,
    line: String,
    filtered: Vec<usize>,
}

fn shape(dice: &mut Dice, number: usize) -> Shape {
    let mut facts = Facts::default();
    let count = [1, 1, 1, 2, 3][dice.below(5)];
    facts.metrics = (0..count)
        .map(|_| format!("metric_{}", dice.uneven(METRICS)))
        .collect();
    let count = [0, 1, 1, 2, 2, 3][dice.below(6)];
    facts.dimensions = (0..count)
        .map(|_| format!("dimension_{}", dice.uneven(DIMENSIONS)))
        .collect();
    let filtered: Vec<usize> = (0..[0, 1, 1, 2][dice.below(4)])
        .map(|_| dice.uneven(DIMENSIONS))
        .collect();
    let tables: Vec<usize> = (0..1 + dice.below(3))
        .map(|_| dice.uneven(TABLES))
        .collect();
    facts.tables = tables
        .iter()
        .map(|table| format!("table_{table}"))
        .collect();
    for table in &tables {
        let columns = (0..2 + dice.below(3)).map(|_| dice.below(12));
        facts
            .columns
            .extend(columns.map(|column| format!("table_{table}.column_{column}")));
    }
    facts.joins = tables
        .windows(2)
        .map(|pair| format!("table_{}.id = table_{}.key", pair[0], pair[1]))
        .collect();
    for metric in &facts.metrics {
        facts
            .computed_from
            .push((metric.clone(), facts.tables[0].clone()));
    }
    for list in [
        &mut facts.metrics,
        &mut facts.dimensions,
        &mut facts.tables,
        &mut facts.columns,
        &mut facts.joins,
    ] {
        list.sort();
        list.dedup();
    }
    let line = format!(
        "{} by {}",
        facts.metrics.join(", "),
        facts.dimensions.join(", ")
    );
    Shape {
        fingerprint: format!("SELECT {line} OF SHAPE {number}"),
        facts,
        line,
        filtered,
    }
}

fn fill(path: &Path) {
    let began = Instant::now();
    let usage = Usage::open(path).unwrap();
    let mut dice = Dice(42);
    let shapes: Vec<Shape> = (0..SHAPES).map(|number| shape(&mut dice, number)).collect();
    let first = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000);
    let step = SignedDuration::from_millis(DAYS * 86_400_000 / QUERIES as i64);
    for query in 0..QUERIES {
        let shape = &shapes[dice.uneven(SHAPES)];
        let mut facts = shape.facts.clone();
        let mut line = shape.line.clone();
        let mut sql = shape.fingerprint.clone();
        for dimension in &shape.filtered {
            // Whoever asks something asks it of the same few things again and again.
            let value = format!("value {}", (dimension * 7 + dice.uneven(3)) % VALUES);
            line.push_str(&format!(" where dimension_{dimension} = {value}"));
            sql.push_str(&format!(" AND dimension_{dimension} = '{value}'"));
            facts.filters.push(FilterFact {
                on: format!("dimension_{dimension}"),
                op: "=".to_owned(),
                values: vec![value],
            });
        }
        facts.filters.sort();
        let user = dice.uneven(PEOPLE);
        usage.record(QueryRecord {
            at: first + step * i32::try_from(query).unwrap(),
            user: format!("person {user}"),
            session: format!("session {user} {}", query / 5_000),
            connection: "main".to_owned(),
            sql,
            fingerprint: shape.fingerprint.clone(),
            line,
            facts,
            ms: 20 + dice.below(200) as u64,
            rows: dice.below(500) as u64,
            outcome: match dice.below(40) {
                0 => Outcome::Failed("the connection was lost".to_owned()),
                _ => Outcome::Ok,
            },
            ..QueryRecord::default()
        });
    }
    usage.flush();
    println!("recorded {QUERIES} queries in {:.0?}", began.elapsed());
}

fn log() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("graph-of-a-million.db");
    if !path.exists() {
        let making = path.with_extension("making");
        for suffix in ["", "-wal", "-shm"] {
            let mut file = making.clone().into_os_string();
            file.push(suffix);
            let _ = std::fs::remove_file(file);
        }
        fill(&making);
        std::fs::rename(&making, &path).unwrap();
    }
    path
}

fn reading(criterion: &mut Criterion) {
    let path = log();
    let size = std::fs::metadata(&path).unwrap().len();
    let usage = Usage::open(&path).unwrap();
    let graph = usage.graph_size().unwrap();
    println!(
        "{} queries, {} edges, {:?}, {} MB",
        graph.queries,
        graph.edges,
        graph.nodes,
        size / 1_000_000
    );
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * (20_000 + DAYS));
    let mut group = criterion.benchmark_group("graph");
    group.sample_size(10);
    for (name, thing) in [
        ("most_used_metric", Thing::new(NodeKind::Metric, "metric_0")),
        ("usual_metric", Thing::new(NodeKind::Metric, "metric_20")),
        ("most_used_table", Thing::new(NodeKind::Table, "table_0")),
        ("usual_table", Thing::new(NodeKind::Table, "table_10")),
    ] {
        let around = usage.around(&thing, 12).unwrap().unwrap();
        let shapes = around
            .group(metrex::usage::graph::Way::Query)
            .unwrap()
            .total;
        println!("{name}: {} queries of {shapes} shapes", around.used.runs);
        let measured = |call: &str| format!("{call}/{name}");
        group.bench_function(measured("neighbourhood"), |bencher| {
            bencher.iter(|| usage.around(&thing, 12).unwrap());
        });
        group.bench_function(measured("together"), |bencher| {
            bencher.iter(|| usage.together(&thing, 12).unwrap());
        });
        let things = [thing.clone()];
        group.bench_function(measured("affected"), |bencher| {
            bencher.iter(|| usage.dependants(&things, 12).unwrap());
        });
    }
    group.bench_function("join_path_measured", |bencher| {
        bencher.iter(|| {
            usage
                .measured(&["table_0.id = table_1.key", "table_1.id = table_2.key"])
                .unwrap()
        });
    });
    group.bench_function("trends_of_all_metrics", |bencher| {
        bencher.iter(|| usage.trends(NodeKind::Metric, now).unwrap());
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
