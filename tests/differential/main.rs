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
mod kinds;
mod metrics;
mod model;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "../support/postgres.rs"]
mod postgres;
mod queries;
mod random;
mod rollups;
mod shapes;
mod shrink;
#[path = "../support/mod.rs"]
mod support;

use metrex::model::MetricQuery;
use model::Model;
use random::Random;

/// A family of random registries, with the questions asked of them and the seeds that failed once.
struct Family {
    /// What the names of its tables begin with: families share a database.
    prefix: &'static str,
    model: fn(&mut Random, &str) -> Model,
    query: fn(&mut Random, &Model) -> MetricQuery,
    seeds: &'static str,
    kept: &'static str,
}

/// Facts that are joined over several hops and in several roles.
static FACTS: Family = Family {
    prefix: "t",
    model: model::model,
    query: queries::query,
    seeds: "seeds.txt",
    kept: include_str!("seeds.txt"),
};

/// Conversions, validity, balances, time zones and periods of a calendar table.
static KINDS: Family = Family {
    prefix: "k",
    model: kinds::model,
    query: kinds::query,
    seeds: "kinds/seeds.txt",
    kept: include_str!("kinds/seeds.txt"),
};

fn few(family: &'static Family, seeds: u64) {
    let kept = family.kept.lines().filter_map(|line| line.parse().ok());
    let kept = kept.filter(|seed| *seed > seeds);
    bench::run(family, &kept.chain(1..=seeds).collect::<Vec<u64>>());
}

fn many(family: &'static Family) {
    let setting = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let cases = setting("METREX_CASES").unwrap_or(20_000);
    let first = setting("METREX_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        now.as_secs()
    });
    println!("from seed {first} on");
    let seeds = first..first + cases.div_ceil(bench::QUERIES as u64);
    bench::run(family, &seeds.collect::<Vec<u64>>());
}

#[test]
fn every_engine_gives_the_rows_of_the_oracle() {
    few(&FACTS, 70);
}

#[test]
fn every_engine_gives_the_rows_of_the_oracle_for_what_happens_over_time() {
    few(&KINDS, 40);
}

#[test]
#[ignore = "on demand: METREX_CASES queries, from METREX_SEED"]
fn every_engine_gives_the_rows_of_the_oracle_in_many_cases() {
    many(&FACTS);
}

#[test]
#[ignore = "on demand: METREX_CASES queries, from METREX_SEED"]
fn every_engine_gives_the_rows_of_the_oracle_for_what_happens_over_time_in_many_cases() {
    many(&KINDS);
}
