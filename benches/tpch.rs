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
use metrex::compile::CompileOptions;
use metrex::model::NoValues;
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, registry_of};

/// Each query is run so often in both forms by turns; the fastest run counts.
const RUNS: usize = 5;

async fn time(warehouse: &Warehouse, request: &Request) -> Duration {
    let start = Instant::now();
    support::collect(warehouse, request.clone()).await.unwrap();
    start.elapsed()
}

async fn measure(loaded: &Loaded, scale: f64) {
    let warehouse = &loaded.warehouse;
    let engine = Engine::new(registry_of(tpch::REGISTRY));
    let options = CompileOptions {
        dialect: warehouse.dialect(),
        today: tpch::TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    println!(
        "\n{}, scale {scale}: milliseconds by hand, compiled, ratio",
        loaded.name
    );
    let mut product = 1.0;
    for query in tpch::QUERIES {
        let compiled = engine.compile_by(query.line, &options).unwrap();
        let request = |sql: String| Request {
            sql,
            ..Request::default()
        };
        let by_hand = request(query.sql(warehouse.dialect()));
        let compiled = request(compiled.main.sql);
        let mut best = [Duration::MAX; 2];
        for _ in 0..RUNS {
            for (best, request) in best.iter_mut().zip([&by_hand, &compiled]) {
                *best = time(warehouse, request).await.min(*best);
            }
        }
        let [by_hand, compiled] = best.map(|best| best.as_secs_f64() * 1000.0);
        let ratio = compiled / by_hand;
        product *= ratio;
        println!(
            "{:>4} {by_hand:>9.1} {compiled:>9.1} {ratio:>6.2}",
            query.name
        );
    }
    let mean = product.powf(1.0 / tpch::QUERIES.len() as f64);
    println!("geometric mean of the ratios: {mean:.2}");
}

#[tokio::main]
async fn main() {
    let scale = std::env::var("METREX_TPCH_SCALE").map_or(0.1, |scale| scale.parse().unwrap());
    for loaded in everywhere_filled(|kind| tpch::fill(kind, scale)) {
        measure(&loaded, scale).await;
    }
}
