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
use metrex::warehouse::{Dialect, Request, Warehouse};
use support::shop::{Engine, registry_of};
use tpch::{FROM_ROLLUPS, QUERIES, embed, materialize, options};

/// Each query is run so often in both forms by turns; the fastest run counts.
const RUNS: usize = 5;

async fn time(warehouse: &Warehouse, request: &Request) -> Duration {
    let start = Instant::now();
    support::collect(warehouse, request.clone()).await.unwrap();
    start.elapsed()
}

/// The fastest runs of two statements, each in its place, in milliseconds.
async fn race(runners: [(&Warehouse, String); 2]) -> [f64; 2] {
    let runners = runners.map(|(warehouse, sql)| {
        let request = Request {
            sql,
            ..Request::default()
        };
        (warehouse, request)
    });
    let mut best = [Duration::MAX; 2];
    for _ in 0..RUNS {
        for (best, (warehouse, request)) in best.iter_mut().zip(&runners) {
            *best = time(warehouse, request).await.min(*best);
        }
    }
    best.map(|best| best.as_secs_f64() * 1000.0)
}

async fn measure(loaded: &Loaded, scale: f64) {
    let (warehouse, name) = (&loaded.warehouse, loaded.name);
    let dialect = warehouse.dialect();
    let engine = Engine::new(registry_of(tpch::REGISTRY));
    let compiled = |line: &str, dialect, rollups: Option<&Rollups>| {
        let compiled = engine.compile_by(line, &options(dialect, rollups));
        compiled.unwrap().main.sql
    };
    println!("\n{name}, scale {scale}: milliseconds by hand, compiled, ratio");
    let mut product = 1.0;
    for query in QUERIES {
        let by_hand = (warehouse, query.sql(dialect));
        let ours = (warehouse, compiled(query.line, dialect, None));
        let [by_hand, ours] = race([by_hand, ours]).await;
        let ratio = ours / by_hand;
        product *= ratio;
        println!("{:>4} {by_hand:>9.1} {ours:>9.1} {ratio:>6.2}", query.name);
    }
    let mean = product.powf(1.0 / QUERIES.len() as f64);
    println!("geometric mean of the ratios: {mean:.2}");
    let rollups = materialize(&engine, loaded).await;
    let folder = tempfile::tempdir().unwrap();
    let (embedded, file) = embed(&engine, loaded, &folder.path().join("rollups.db")).await;
    println!(
        "\n{name}, scale {scale}: milliseconds by hand, from a rollup, times faster; the same from an embedded file"
    );
    for (query, line) in FROM_ROLLUPS {
        let plain = QUERIES.iter().find(|known| known.name == query).unwrap();
        let kept = [
            (warehouse, compiled(line, dialect, Some(&rollups))),
            (&file, compiled(line, Dialect::Sqlite, Some(&embedded))),
        ];
        print!("{query:>4}");
        for ours in kept {
            let by_hand = (warehouse, plain.sql(dialect));
            let [by_hand, ours] = race([by_hand, ours]).await;
            print!(" {by_hand:>9.1} {ours:>9.1} {:>6.0}", by_hand / ours);
        }
        println!();
    }
}

#[tokio::main]
async fn main() {
    let scale = std::env::var("METREX_TPCH_SCALE").map_or(0.1, |scale| scale.parse().unwrap());
    for loaded in everywhere_filled(|kind| tpch::fill(kind, scale)) {
        measure(&loaded, scale).await;
    }
}
