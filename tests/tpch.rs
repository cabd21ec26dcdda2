//! The queries of TPC-H in metric form equal plain SQL written by hand, on every engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
mod support;
#[path = "support/tpch.rs"]
mod tpch;

use engines::{Loaded, everywhere_filled};
use metrex::compile::CompileOptions;
use metrex::model::NoValues;
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, registry_of, texts};
use tpch::{QUERIES, REGISTRY, TODAY};

/// 600 000 lines: every query has rows.
const SMALL: f64 = 0.1;

async fn answer(warehouse: &Warehouse, sql: String) -> Vec<String> {
    let request = Request {
        sql: sql.clone(),
        ..Request::default()
    };
    let (batches, _) = support::collect(warehouse, request)
        .await
        .unwrap_or_else(|error| panic!("{error}\n{sql}"));
    texts(&batches)
}

/// Engines add up in different orders; ten digits are the same.
fn same(ours: &str, theirs: &str) -> bool {
    let (ours, theirs): (Vec<_>, Vec<_>) =
        (ours.split(" | ").collect(), theirs.split(" | ").collect());
    ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(ours, theirs)| {
            ours == theirs
                || match (ours.parse::<f64>(), theirs.parse::<f64>()) {
                    (Ok(ours), Ok(theirs)) => (ours - theirs).abs() <= theirs.abs() * 1e-10,
                    _ => false,
                }
        })
}

async fn check(loaded: &Loaded) {
    let warehouse = &loaded.warehouse;
    let engine = Engine::new(registry_of(REGISTRY));
    let options = CompileOptions {
        dialect: warehouse.dialect(),
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let mut wrong = Vec::new();
    for query in QUERIES {
        let compiled = match engine.compile_by(query.line, &options) {
            Ok(compiled) => compiled,
            Err(error) => {
                wrong.push(format!("{}: {error} {:?}", query.name, error.hint));
                continue;
            }
        };
        let ours = support::shop::rows(warehouse, &compiled.main).await;
        let theirs = answer(warehouse, query.sql(warehouse.dialect())).await;
        assert!(!theirs.is_empty(), "{} has rows at this scale", query.name);
        let equal = ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(ours, theirs)| same(ours, theirs));
        if !equal {
            wrong.push(format!(
                "{}\n  ours   {:?}\n  theirs {:?}\n{}",
                query.name,
                &ours[..ours.len().min(4)],
                &theirs[..theirs.len().min(4)],
                compiled.main.sql
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn metrics_equal_plain_sql() {
    for loaded in everywhere_filled(|kind| tpch::fill(kind, SMALL)) {
        check(&loaded).await;
    }
}

#[tokio::test]
#[ignore = "some gigabytes"]
async fn metrics_equal_plain_sql_at_scale_1() {
    for loaded in everywhere_filled(|kind| tpch::fill(kind, 1.0)) {
        check(&loaded).await;
    }
}
