//! The queries of TPC-H in metric form equal plain SQL written by hand, on every engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/postgres.rs"]
mod postgres;
mod support;
#[path = "support/tpch.rs"]
mod tpch;

use metrex::compile::CompileOptions;
use metrex::model::{ConnectionKind, NoValues};
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, connection, registry_of, texts};
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

async fn check(kind: ConnectionKind, scale: f64) {
    let filled = kind.clone();
    tokio::task::spawn_blocking(move || tpch::fill(&filled, scale))
        .await
        .unwrap();
    let warehouse = Warehouse::open(&connection(kind), "UTC").unwrap();
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
        let ours = support::shop::rows(&warehouse, &compiled.main).await;
        let theirs = answer(&warehouse, query.sql(warehouse.dialect())).await;
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

fn sqlite(folder: &tempfile::TempDir) -> ConnectionKind {
    ConnectionKind::Sqlite {
        path: folder.path().join("tpch.db"),
    }
}

#[tokio::test]
async fn metrics_equal_plain_sql_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    check(sqlite(&folder), SMALL).await;
}

#[tokio::test]
async fn metrics_equal_plain_sql_on_postgres() {
    let Some(cluster) = postgres::Cluster::shared() else {
        return;
    };
    check(postgres::at(&cluster.url()).kind, SMALL).await;
}

#[tokio::test]
#[ignore = "half a gigabyte per engine"]
async fn metrics_equal_plain_sql_at_scale_1() {
    let folder = tempfile::tempdir().unwrap();
    check(sqlite(&folder), 1.0).await;
    if let Some(cluster) = postgres::Cluster::shared() {
        check(postgres::at(&cluster.url()).kind, 1.0).await;
    }
}
