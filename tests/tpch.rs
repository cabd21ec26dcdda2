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
use metrex::warehouse::{Dialect, Request, Warehouse};
use support::shop::{Engine, registry_of, texts};
use tpch::{FROM_ROLLUPS, QUERIES, REGISTRY, embed, materialize, options};

/// 60 000 lines: every query has rows.
const SMALL: f64 = 0.01;

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

/// What is wrong with the rows of a line, from the engine or from an embedded file, which should be those of a query's plain
/// SQL.
async fn compare(
    loaded: &Loaded,
    file: Option<&Warehouse>,
    engine: &Engine,
    (name, line): (&str, &str),
    options: &CompileOptions<'_>,
) -> Option<String> {
    let compiled = match engine.compile_by(line, options) {
        Ok(compiled) => compiled,
        Err(error) => return Some(format!("{name}: {error} {:?}", error.hint)),
    };
    let ours = file.unwrap_or(&loaded.warehouse);
    let ours = support::shop::rows(ours, &compiled.main).await;
    let query = QUERIES.iter().find(|query| query.name == name).unwrap();
    let theirs = answer(&loaded.warehouse, query.sql(loaded.warehouse.dialect())).await;
    assert!(!theirs.is_empty(), "{name} has rows at this scale");
    let mut pairs = ours.iter().zip(&theirs);
    let equal = ours.len() == theirs.len() && pairs.all(|(ours, theirs)| same(ours, theirs));
    (!equal).then(|| {
        format!(
            "{}: {name}\n  ours   {:?}\n  theirs {:?}\n{}",
            loaded.name,
            &ours[..ours.len().min(4)],
            &theirs[..theirs.len().min(4)],
            compiled.main.sql
        )
    })
}

async fn check(loaded: &Loaded) {
    let engine = Engine::new(registry_of(REGISTRY));
    let dialect = loaded.warehouse.dialect();
    let mut wrong = Vec::new();
    for query in QUERIES {
        let asked = (query.name, query.line);
        wrong.extend(compare(loaded, None, &engine, asked, &options(dialect, None)).await);
    }
    let rollups = materialize(&engine, loaded).await;
    for asked in FROM_ROLLUPS {
        let options = options(dialect, Some(&rollups));
        let sql = engine.compile_by(asked.1, &options).unwrap().main.sql;
        assert!(
            !sql.contains("FROM lineitem"),
            "{} reads a rollup:\n{sql}",
            asked.0
        );
        wrong.extend(compare(loaded, None, &engine, asked, &options).await);
    }
    let folder = tempfile::tempdir().unwrap();
    let (rollups, file) = embed(&engine, loaded, &folder.path().join("rollups.db")).await;
    for asked in FROM_ROLLUPS {
        let options = options(Dialect::Sqlite, Some(&rollups));
        assert!(
            engine.compile_by(asked.1, &options).unwrap().embedded,
            "{}",
            asked.0
        );
        wrong.extend(compare(loaded, Some(&file), &engine, asked, &options).await);
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
