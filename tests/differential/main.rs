//! Random differential testing: random registries (as YAML), random data and random queries; the oracle that computes
//! from the definitions row by row and every engine, with the optimiser and without, must give the same rows, or all of
//! them none.
//!
//! `cargo test --release --test differential -- --ignored` runs far more: METREX_CASES queries from METREX_SEED on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod bench;
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
mod shapes;
mod shrink;
#[path = "../support/mod.rs"]
mod support;

/// Seeds of models that failed once.
const KEPT: &str = include_str!("seeds.txt");

#[test]
fn every_engine_gives_the_rows_of_the_oracle() {
    let kept = KEPT.lines().filter_map(|line| line.parse().ok());
    bench::run(&kept.chain(1..=110).collect::<Vec<u64>>());
}

#[test]
#[ignore = "on demand: METREX_CASES queries, from METREX_SEED"]
fn every_engine_gives_the_rows_of_the_oracle_in_many_cases() {
    let setting = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let cases = setting("METREX_CASES").unwrap_or(20_000);
    let first = setting("METREX_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        now.as_secs()
    });
    println!("from seed {first} on");
    let seeds = first..first + cases.div_ceil(bench::QUERIES as u64);
    bench::run(&seeds.collect::<Vec<u64>>());
}
