//! TPC-H on an engine of several machines, reached through its ADBC driver: the answers are those of DuckDB on the same
//! files. Needs a running engine, see docs/scale.md; says plainly when there is none.
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

use std::path::Path;

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Statement as _};
use adbc_driver_manager::ManagedDriver;
use engines::duckdb;
use metrex::compile::CompileOptions;
use metrex::model::{AdbcSettings, Connection, ConnectionKind, Dialect, NoValues};
use metrex::warehouse::{Request, Warehouse};
use support::shop::{Engine, registry_of, rows, texts};
use tpch::{QUERIES, REGISTRY, TODAY};

const TABLES: [&str; 8] = [
    "customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier",
];

/// The tables as Parquet, in a folder of their own.
fn parquet(folder: &Path, scale: f64) {
    let file = folder.join("tpch.duckdb");
    tpch::fill(&duckdb::kind(&file).unwrap(), scale);
    for table in TABLES {
        let to = folder.join(format!("parquet/{table}"));
        std::fs::create_dir_all(&to).unwrap();
        // Several files, so that several workers have something to do.
        for part in 0..4 {
            let sql = format!(
                "COPY (SELECT * FROM {table} WHERE rowid % 4 = {part}) TO '{}/{part}.parquet'",
                to.display()
            );
            duckdb::execute(&file, &sql).unwrap();
        }
    }
}

/// Tells the engine of the files, outside of what is tested.
fn declare(settings: &AdbcSettings, folder: &Path) {
    let mut driver =
        ManagedDriver::load_dynamic_from_filename(&settings.driver, None, AdbcVersion::V110)
            .unwrap();
    let options = settings.options.iter();
    let options = options.map(|(key, value)| {
        (
            OptionDatabase::from(key.as_str()),
            OptionValue::from(value.as_str()),
        )
    });
    let database = driver.new_database_with_opts(options).unwrap();
    let mut connection = database.new_connection().unwrap();
    for table in TABLES {
        for sql in [
            format!("DROP TABLE IF EXISTS {table}"),
            format!(
                "CREATE TABLE {table} USING parquet LOCATION '{}/parquet/{table}'",
                folder.display()
            ),
        ] {
            let mut statement = connection.new_statement().unwrap();
            statement.set_sql_query(&sql).unwrap();
            statement.execute().unwrap().for_each(|batch| {
                batch.unwrap();
            });
        }
    }
}

/// Numbers are added up in different orders; ten digits are the same.
fn same(ours: &str, theirs: &str) -> bool {
    let cells = |row: &str| row.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (cells(ours), cells(theirs));
    ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(ours, theirs)| {
            match (ours.parse::<f64>(), theirs.parse::<f64>()) {
                (Ok(ours), Ok(theirs)) => (ours - theirs).abs() <= theirs.abs() * 1e-10,
                _ => ours == theirs,
            }
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn tpch_on_a_cluster_equals_plain_sql_on_one_machine() {
    let variable = |name| std::env::var(name).ok();
    let (Some(driver), Some(uri)) = (
        variable("METREX_CLUSTER_DRIVER"),
        variable("METREX_CLUSTER_URI"),
    ) else {
        println!("SKIPPED: METREX_CLUSTER_DRIVER and METREX_CLUSTER_URI name no cluster");
        return;
    };
    let scale = variable("METREX_CLUSTER_SCALE").map_or(0.01, |scale| scale.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    parquet(folder.path(), scale);
    let settings = AdbcSettings {
        driver,
        entrypoint: None,
        dialect: Dialect::Spark,
        options: vec![("uri".to_owned(), uri)],
    };
    declare(&settings, folder.path());
    let connection = Connection {
        name: "cluster".to_owned(),
        kind: ConnectionKind::Adbc(settings),
        row_cap: 1_000_000,
    };
    let cluster = Warehouse::open(&connection, "UTC").unwrap();
    let machine = duckdb::at(&folder.path().join("tpch.duckdb")).unwrap();
    let machine = Warehouse::open(&machine, "UTC").unwrap();
    let engine = Engine::new(registry_of(REGISTRY));
    let options = CompileOptions {
        dialect: Dialect::Spark,
        today: TODAY,
        values: &NoValues,
        passes: Default::default(),
    };
    let mut wrong = Vec::new();
    for query in QUERIES {
        let compiled = engine.compile_by(query.line, &options).unwrap();
        let began = std::time::Instant::now();
        let ours = rows(&cluster, &compiled.main).await;
        let took = began.elapsed();
        let request = Request {
            sql: query.sql(Dialect::Duckdb),
            ..Request::default()
        };
        let (batches, _) = support::collect(&machine, request).await.unwrap();
        let theirs = texts(&batches);
        println!("{}: {} rows, {took:?}", query.name, ours.len());
        let is_same = ours.len() == theirs.len()
            && ours
                .iter()
                .zip(&theirs)
                .all(|(ours, theirs)| same(ours, theirs));
        if !is_same {
            wrong.push(format!(
                "{}\n  cluster {:?}\n  machine {:?}\n{}",
                query.name,
                &ours[..ours.len().min(3)],
                &theirs[..theirs.len().min(3)],
                compiled.main.sql
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
