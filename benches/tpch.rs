//! The queries of TPC-H in metric form: time of the compiled SQL over that of plain SQL written by hand.
//!
//! `METREX_TPCH_SCALE` is the scale factor, 0.1 where it is not set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../tests/support/engines.rs"]
mod engines;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "../tests/support/tpch.rs"]
mod tpch;

use std::time::{Duration, Instant};

use engines::{Loaded, everywhere_filled};
use metrex::compile::Rollups;
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, registry_of};
use tpch::{FROM_ROLLUPS, QUERIES, materialize, options};

/// Each query is run so often in both forms by turns; the fastest run counts.
const RUNS: usize = 5;

async fn time(warehouse: &Warehouse, request: &Request) -> Duration {
    let start = Instant::now();
    support::collect(warehouse, request.clone()).await.unwrap();
    start.elapsed()
}

/// The fastest runs of two statements, in milliseconds.
async fn race(warehouse: &Warehouse, statements: [String; 2]) -> [f64; 2] {
    let requests = statements.map(|sql| Request {
        sql,
        ..Request::default()
    });
    let mut best = [Duration::MAX; 2];
    for _ in 0..RUNS {
        for (best, request) in best.iter_mut().zip(&requests) {
            *best = time(warehouse, request).await.min(*best);
        }
    }
    best.map(|best| best.as_secs_f64() * 1000.0)
}

async fn measure(loaded: &Loaded, scale: f64) {
    let (warehouse, name) = (&loaded.warehouse, loaded.name);
    let dialect = warehouse.dialect();
    let engine = Engine::new(registry_of(tpch::REGISTRY));
    let compiled = |line: &str, rollups: Option<&Rollups>| {
        let compiled = engine.compile_by(line, &options(dialect, rollups));
        compiled.unwrap().main.sql
    };
    println!("\n{name}, scale {scale}: milliseconds by hand, compiled, ratio");
    let mut product = 1.0;
    for query in QUERIES {
        let statements = [query.sql(dialect), compiled(query.line, None)];
        let [by_hand, ours] = race(warehouse, statements).await;
        let ratio = ours / by_hand;
        product *= ratio;
        println!("{:>4} {by_hand:>9.1} {ours:>9.1} {ratio:>6.2}", query.name);
    }
    let mean = product.powf(1.0 / QUERIES.len() as f64);
    println!("geometric mean of the ratios: {mean:.2}");
    let rollups = materialize(&engine, loaded).await;
    println!("\n{name}, scale {scale}: milliseconds by hand, from a rollup, times faster");
    for (query, line) in FROM_ROLLUPS {
        let by_hand = QUERIES.iter().find(|known| known.name == query).unwrap();
        let statements = [by_hand.sql(dialect), compiled(line, Some(&rollups))];
        let [by_hand, ours] = race(warehouse, statements).await;
        println!(
            "{query:>4} {by_hand:>9.1} {ours:>9.1} {:>6.0}",
            by_hand / ours
        );
    }
}

#[tokio::main]
async fn main() {
    let scale = std::env::var("METREX_TPCH_SCALE").map_or(0.1, |scale| scale.parse().unwrap());
    for loaded in everywhere_filled(|kind| tpch::fill(kind, scale)) {
        measure(&loaded, scale).await;
    }
}
