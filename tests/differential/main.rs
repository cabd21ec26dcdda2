//! Random differential testing: random registries (as YAML), random data and random queries; the oracle that computes
//! from the definitions row by row and every engine must give the same rows, or all of them none.
//!
//! `cargo test --release --test differential -- --ignored` runs far more: METREX_CASES queries from METREX_SEED on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod check;
#[path = "../support/duckdb.rs"]
mod duckdb;
mod metrics;
mod model;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/postgres.rs"]
mod postgres;
mod queries;
mod random;
mod shrink;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use check::{Compiler, Engine, Expected, Verdict, check, expected};
use metrex::compile::Passes;
use metrex::model::MetricQuery;
use metrex::warehouse::Warehouse;
use model::{Model, model};
use random::Random;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Queries asked of one registry.
const QUERIES: usize = 40;

/// Seeds of models that failed once.
const KEPT: &str = include_str!("seeds.txt");

struct Bench {
    runtime: Runtime,
    folder: TempDir,
    cluster: Option<Arc<postgres::Cluster>>,
    loads: usize,
}

#[derive(Default)]
struct Count {
    answered: usize,
    refused: usize,
}

impl Bench {
    fn new() -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            cluster: postgres::Cluster::shared(),
            loads: 0,
        }
    }

    /// The engines with the data of a model; `only` one of them, where it is named.
    fn engines(&mut self, model: &Model, only: Option<&str>) -> Vec<Engine> {
        self.loads += 1;
        let path = self.folder.path().join(format!("{}.db", self.loads));
        let mut connections = vec![("sqlite", support::sqlite(&path))];
        if let Some(cluster) = &self.cluster {
            connections.push(("postgres", postgres::at(&cluster.url())));
        }
        let path = self.folder.path().join(format!("{}.duckdb", self.loads));
        connections.extend(duckdb::at(&path).map(|connection| ("duckdb", connection)));
        connections.retain(|(name, _)| only.is_none_or(|only| only == *name));
        let engines = connections.into_iter().map(|(name, connection)| {
            oracle::load(&connection.kind, &model.tables);
            let _runtime = self.runtime.enter();
            let warehouse = Warehouse::open(&connection, "UTC").unwrap();
            Engine { name, warehouse }
        });
        engines.collect()
    }

    /// All queries of one seed; the first failure, made small.
    fn run(&mut self, seed: u64, queries: usize, count: &mut Count) -> Result<(), String> {
        let mut random = Random::new(seed);
        let model = model(&mut random, &format!("t{seed}_"));
        let compiler = Compiler::new(&model);
        let engines = self.engines(&model, None);
        for _ in 0..queries {
            let (query, expected) = ask(&mut random, &compiler, &model);
            match expected.main {
                Ok(_) => count.answered += 1,
                Err(_) => count.refused += 1,
            }
            for engine in &engines {
                for passes in [Passes::default(), Passes::NONE] {
                    if passes == Passes::NONE && engine.name != "sqlite" {
                        continue;
                    }
                    let verdict = check(engine, &compiler, &model, &query, &expected, passes);
                    if let Verdict::Wrong(_) = self.runtime.block_on(verdict) {
                        return Err(self.report(seed, engine.name, &model, &query));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a case fails on an engine, and why. A registry that does not load any more is another fault.
    fn fails(&mut self, engine: &str, model: &Model, query: &MetricQuery) -> Option<String> {
        let compiler = std::panic::catch_unwind(|| Compiler::new(model)).ok()?;
        let engines = self.engines(model, Some(engine));
        let case = || expected(&compiler, model, query);
        let expected = std::panic::catch_unwind(std::panic::AssertUnwindSafe(case)).ok()?;
        [Passes::default(), Passes::NONE]
            .into_iter()
            .find_map(|passes| {
                let verdict = check(&engines[0], &compiler, model, query, &expected, passes);
                match self.runtime.block_on(verdict) {
                    Verdict::Wrong(why) => Some(format!("{passes:?}: {why}")),
                    Verdict::Same | Verdict::Refused => None,
                }
            })
    }

    fn report(&mut self, seed: u64, engine: &str, model: &Model, query: &MetricQuery) -> String {
        println!("seed {seed} on {engine}: {query}");
        // What is tried on the way must not fill the output.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let (model, query) = shrink::shrink(model.clone(), query.clone(), &mut |model, query| {
            self.fails(engine, model, query).is_some()
        });
        std::panic::set_hook(hook);
        let why = self.fails(engine, &model, &query).unwrap_or_default();
        let tables = model.tables.iter().map(|table| {
            let names: Vec<&str> = table
                .columns
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            format!(
                "{} ({})\n{}",
                table.name,
                names.join(", "),
                check::text(&table.rows)
            )
        });
        format!(
            "seed {seed} on {engine}, today {}\n{query}\n{why}\n{}\n{}",
            model.today,
            model.yaml(),
            tables.collect::<String>()
        )
    }

    fn run_all(&mut self, seeds: impl Iterator<Item = u64>, queries: usize) {
        let mut count = Count::default();
        let mut failures = Vec::new();
        for seed in seeds {
            if let Err(report) = self.run(seed, queries, &mut count) {
                keep(seed);
                println!("{report}\n----");
                failures.push(seed);
                if failures.len() == 3 {
                    break;
                }
            }
        }
        let asked = count.answered + count.refused;
        println!(
            "{asked} queries, {} answered, {} without an answer ({} %)",
            count.answered,
            count.refused,
            100 * count.refused / asked.max(1)
        );
        assert!(failures.is_empty(), "seeds {failures:?} fail, see above");
        assert!(
            10 * count.answered >= 6 * asked,
            "most of the queries should have an answer"
        );
    }
}

/// A query; of a few, the first that has an answer.
fn ask(random: &mut Random, compiler: &Compiler, model: &Model) -> (MetricQuery, Expected) {
    let mut last = None;
    for _ in 0..4 {
        let query = queries::query(random, model);
        let expected = expected(compiler, model, &query);
        let is_answered = expected.main.is_ok();
        last = Some((query, expected));
        if is_answered {
            break;
        }
    }
    last.unwrap()
}

/// Notes a failing seed, so that it is asked again for ever.
fn keep(seed: u64) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/seeds.txt");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if !kept.lines().any(|line| line == seed.to_string()) {
        let _ = std::fs::write(path, format!("{kept}{seed}\n"));
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_engine_gives_the_rows_of_the_oracle() {
    let kept = KEPT.lines().filter_map(|line| line.parse().ok());
    let mut bench = Bench::new();
    bench.run_all(kept.chain(1..=40), QUERIES);
}

#[test]
#[ignore = "on demand: METREX_CASES queries, from METREX_SEED"]
fn every_engine_gives_the_rows_of_the_oracle_in_many_cases() {
    let cases = setting("METREX_CASES").unwrap_or(20_000);
    let first = setting("METREX_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        now.as_secs()
    });
    println!("from seed {first} on");
    let mut bench = Bench::new();
    bench.run_all(first..first + cases / QUERIES as u64, QUERIES);
}
