//! DuckDB as a warehouse, through its ADBC driver: read-only, exact types, announced caps, confirmed cancels, plain errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/duckdb.rs"]
mod duckdb;
mod support;

use std::path::Path;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use jiff::civil::datetime;
use metrex::model::{AdbcSettings, ColumnType, Connection, ConnectionKind, Dialect};
use metrex::warehouse::{Finished, Loader, Request, Warehouse, WarehouseError, WarehouseErrorKind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use support::{collect, column, every_type};

/// A file with one table of every column type, written by the loader; `None` where DuckDB is not here.
struct Typed {
    folder: tempfile::TempDir,
    warehouse: Warehouse,
}

fn typed() -> Option<Typed> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typed.duckdb");
    every_type(Loader::open(&duckdb::kind(&path)?).unwrap());
    let warehouse = open(&path);
    Some(Typed { folder, warehouse })
}

fn open(path: &Path) -> Warehouse {
    Warehouse::open(&duckdb::at(path).unwrap(), "UTC").unwrap()
}

async fn run(
    warehouse: &Warehouse,
    sql: &str,
) -> Result<(Vec<RecordBatch>, Finished), WarehouseError> {
    let request = Request {
        sql: sql.to_owned(),
        ..Request::default()
    };
    collect(warehouse, request).await
}

async fn run_as(
    warehouse: &Warehouse,
    sql: &str,
    columns: &[(&str, ColumnType)],
) -> Result<(Vec<RecordBatch>, Finished), WarehouseError> {
    let named = columns.iter().map(|(name, ty)| ((*name).to_owned(), *ty));
    let request = Request {
        sql: sql.to_owned(),
        columns: Some(named.collect()),
        row_cap: None,
    };
    collect(warehouse, request).await
}

#[tokio::test]
async fn types_and_nulls_survive_loading_and_reading() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let (batches, finished) = run(&warehouse, "SELECT * FROM every_type ORDER BY id")
        .await
        .unwrap();
    assert_eq!(finished.rows, 2);
    support::assert_every_type(&batches[0]);
}

#[tokio::test]
async fn every_type_of_the_engine_is_read_or_refused() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let sql = "SELECT 170141183460469231731687303715884105727 AS huge, sum(7) AS summed, 12.34 AS exact, \
               CAST(0.1 AS float) AS single, CAST(250 AS utinyint) AS small, 'a'::ENUM('a', 'b') AS word, \
               uuid '00000000-0000-0000-0000-000000000001' AS id, TIMESTAMP_S '2025-11-03 10:20:30' AS seconds, \
               TIMESTAMP_NS '2025-11-03 10:20:30.000001' AS nanos, '{\"a\": 1}'::JSON AS json, NULL AS nothing";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let batch = &batches[0];
    let number = |name| column(batch, name).as_primitive::<Float64Type>().value(0);
    assert_eq!(
        number("huge"),
        170_141_183_460_469_231_731_687_303_715_884_105_727_f64
    );
    assert_eq!(number("summed"), 7.0);
    assert_eq!(number("exact"), 12.34);
    assert_eq!(number("single"), 0.1);
    assert_eq!(
        column(batch, "small").as_primitive::<Int64Type>().value(0),
        250
    );
    let text = |name| column(batch, name).as_string::<i32>().value(0);
    assert_eq!(text("word"), "a");
    assert_eq!(text("id"), "00000000-0000-0000-0000-000000000001");
    assert_eq!(text("json"), "{\"a\": 1}");
    let at = |name| {
        column(batch, name)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0)
    };
    assert_eq!(
        at("seconds"),
        support::micros(datetime(2025, 11, 3, 10, 20, 30, 0))
    );
    assert_eq!(
        at("nanos"),
        support::micros(datetime(2025, 11, 3, 10, 20, 30, 1_000))
    );
    for sql in [
        "SELECT [1, 2] AS l",
        "SELECT INTERVAL 1 DAY AS i",
        "SELECT 'x'::BLOB AS b",
    ] {
        let error = run(&warehouse, sql).await.unwrap_err();
        assert_eq!(error.kind, WarehouseErrorKind::Data, "{sql}");
        assert!(
            error.message.contains("which results cannot hold"),
            "{error}"
        );
    }
    for sql in [
        "SELECT 'infinity'::TIMESTAMP AS t",
        "SELECT '-infinity'::DATE AS d",
    ] {
        let error = run(&warehouse, sql).await.unwrap_err();
        assert!(
            error.message.contains("infinite or out of range"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_its_type_is_an_error_that_names_it() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let sql = "SELECT 1.0 AS n UNION ALL SELECT 2.5";
    let error = run_as(&warehouse, sql, &[("n", ColumnType::Integer)])
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Data);
    assert_eq!(
        error.message,
        "column \"n\" holds 2.5 in row 2, which cannot be read as an integer"
    );
    let columns = [("n", ColumnType::Number)];
    let error = run_as(&warehouse, "SELECT 9007199254740993", &columns)
        .await
        .unwrap_err();
    assert!(error.message.contains("9007199254740993"), "{error}");
    let columns = [("a", ColumnType::Integer), ("b", ColumnType::Integer)];
    let error = run_as(&warehouse, "SELECT 1", &columns).await.unwrap_err();
    assert_eq!(
        error.message,
        "the statement returns 1 columns where 2 were expected"
    );
}

#[tokio::test]
async fn points_in_time_are_shown_in_the_zone_of_the_project() {
    let Some(Typed { folder, .. }) = typed() else {
        return;
    };
    let connection = duckdb::at(&folder.path().join("typed.duckdb")).unwrap();
    let warehouse = Warehouse::open(&connection, "Asia/Jakarta").unwrap();
    let sql = "SELECT TIMESTAMPTZ '2025-01-06 23:59:59+00' AS t, \
               date_trunc('day', TIMESTAMPTZ '2025-01-06 23:59:59+00')::DATE AS d";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let at = column(&batches[0], "t").as_primitive::<TimestampMicrosecondType>();
    assert_eq!(
        at.value(0),
        support::micros(datetime(2025, 1, 7, 6, 59, 59, 0))
    );
    let (batches, _) = run_as(
        &warehouse,
        sql,
        &[("t", ColumnType::Text), ("d", ColumnType::Text)],
    )
    .await
    .unwrap();
    assert_eq!(
        column(&batches[0], "d").as_string::<i32>().value(0),
        "2025-01-07"
    );
}

#[tokio::test]
async fn no_rows_still_tell_the_columns() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let (batches, finished) = run(&warehouse, "SELECT day FROM every_type WHERE false")
        .await
        .unwrap();
    assert_eq!(finished.rows, 0);
    assert_eq!(batches[0].num_rows(), 0);
    assert_eq!(batches[0].schema().field(0).name(), "day");
}

#[tokio::test]
async fn the_first_batch_is_small_and_a_cap_that_cuts_is_announced() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let capped = |cap| Request {
        sql: "SELECT range AS i FROM range(10000) ORDER BY i".to_owned(),
        columns: None,
        row_cap: Some(cap),
    };
    let (batches, finished) = collect(&warehouse, capped(9_000)).await.unwrap();
    assert_eq!((finished.rows, finished.truncated), (9_000, true));
    assert_eq!(batches[0].num_rows(), 256);
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8_192));
    let last = batches
        .last()
        .unwrap()
        .column(0)
        .as_primitive::<Int64Type>();
    assert_eq!(last.values().last(), Some(&8_999));
    let (_, finished) = collect(&warehouse, capped(10_000)).await.unwrap();
    assert_eq!((finished.rows, finished.truncated), (10_000, false));
}

/// Statements that would go on for minutes: one that computes, one whose rows nobody takes.
const ENDLESS: [&str; 2] = [
    "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 7 = 3",
    "SELECT a.range FROM range(3000000) a, range(3000000) b",
];

#[tokio::test]
async fn cancel_stops_the_engine() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    for sql in ENDLESS {
        let cancel = CancellationToken::new();
        let (sink, _rows) = mpsc::channel(1);
        let request = Request {
            sql: sql.to_owned(),
            ..Request::default()
        };
        let stop = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        };
        let (result, ()) = tokio::join!(warehouse.query(request, &cancel, &sink), stop);
        assert_eq!(
            result.unwrap_err().kind,
            WarehouseErrorKind::Cancelled,
            "{sql}"
        );
    }
    let (_, finished) = run(&warehouse, "SELECT 1").await.unwrap();
    assert_eq!(finished.rows, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_stops_the_engine() {
    let Some(Typed { folder, warehouse }) = typed() else {
        return;
    };
    let (sink, _rows) = mpsc::channel(1);
    let request = Request {
        sql: ENDLESS[0].to_owned(),
        ..Request::default()
    };
    let cancel = CancellationToken::new();
    let patience = Duration::from_millis(200);
    let given_up = tokio::time::timeout(patience, warehouse.query(request, &cancel, &sink)).await;
    assert!(given_up.is_err());
    // The file is closed when its last statement has ended; only then can somebody write to it.
    let path = folder.path().join("typed.duckdb");
    let written = tokio::task::spawn_blocking(move || {
        for _ in 0..200 {
            if std::panic::catch_unwind(|| duckdb::execute(&path, "CREATE TABLE t (x int)")).is_ok()
            {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    });
    assert!(written.await.unwrap(), "the statement goes on");
}

#[tokio::test]
async fn nothing_can_be_written_and_only_one_statement_runs() {
    let Some(Typed { folder, warehouse }) = typed() else {
        return;
    };
    let out = folder.path().join("out.csv");
    let copy = format!("COPY every_type TO '{}'", out.display());
    let read = format!(
        "SELECT * FROM read_csv('{}')",
        folder.path().join("x.csv").display()
    );
    std::fs::write(folder.path().join("x.csv"), "a\n1\n").unwrap();
    for sql in [
        "DELETE FROM every_type",
        "CREATE TABLE x (a int)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "INSERT INTO every_type (id) VALUES (9) RETURNING id",
        "SELECT 1; DELETE FROM every_type",
        "SELECT 1; SELECT 2",
        "ATTACH ':memory:' AS other",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COMMIT",
        "PRAGMA version",
        "CHECKPOINT",
        "",
        &copy,
        &read,
    ] {
        let error = run(&warehouse, sql).await.unwrap_err();
        assert_eq!(error.kind, WarehouseErrorKind::Query, "{sql}: {error}");
        let error = warehouse.explain(sql, &CancellationToken::new()).await;
        assert!(error.is_err(), "{sql} is explained");
    }
    assert!(!out.exists());
    let (_, finished) = run(&warehouse, "SELECT * FROM every_type").await.unwrap();
    assert_eq!(finished.rows, 2);
}

#[tokio::test]
async fn a_mistake_in_the_sql_is_located() {
    let Some(Typed {
        folder: _folder,
        warehouse,
    }) = typed()
    else {
        return;
    };
    let error = run(&warehouse, "SELECT id,\n  nonsense FROM every_type")
        .await
        .unwrap_err();
    assert!(
        error
            .message
            .starts_with("Referenced column \"nonsense\" not found")
            && error.message.ends_with("(line 2, column 3 of the SQL)"),
        "{error}"
    );
    let error = run(&warehouse, "SELECT id\nFORM every_type")
        .await
        .unwrap_err();
    assert!(
        error.message.ends_with("(line 2, column 6 of the SQL)"),
        "{error}"
    );
    let filler = "x".repeat(200);
    let long = format!("SELECT '{filler}' AS a, nonsense, '{filler}' AS b FROM every_type");
    let error = run(&warehouse, &long).await.unwrap_err();
    assert!(
        error.message.ends_with("(line 1, column 217 of the SQL)"),
        "{error}"
    );
}

#[tokio::test]
async fn files_that_are_no_database_are_told_apart() {
    let Some(Typed { folder, .. }) = typed() else {
        return;
    };
    let missing = folder.path().join("missing.duckdb");
    let error = open(&missing).ping().await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert!(error.message.starts_with("there is no "), "{error}");
    assert!(!missing.exists(), "asking must not create a file");
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "no database, but long enough for a header\n".repeat(200),
    )
    .unwrap();
    let error = open(&text).ping().await.unwrap_err();
    assert!(
        error.message.ends_with("is not a DuckDB database"),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_library_or_driver_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.duckdb");
    std::fs::write(&path, "").unwrap();
    let missing = folder.path().join("libduckdb.so");
    let open = |kind| {
        let connection = Connection {
            name: "test".to_owned(),
            kind,
            row_cap: 1,
        };
        Warehouse::open(&connection, "UTC").unwrap()
    };
    let library = Some(missing.clone());
    let error = open(ConnectionKind::Duckdb { path, library }).ping().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Settings);
    assert!(
        error.message.contains("libduckdb.so cannot be used"),
        "{error}"
    );
    let settings = AdbcSettings {
        driver: "no_such_driver".to_owned(),
        entrypoint: None,
        dialect: Dialect::Postgres,
        options: Vec::new(),
    };
    let error = open(ConnectionKind::Adbc(settings)).ping().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Settings);
    assert!(error.message.contains("no_such_driver"), "{error}");
    assert!(error.hint.is_some());
}

#[tokio::test]
async fn tables_tell_columns_and_keys() {
    if duckdb::library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.duckdb");
    duckdb::execute(
        &path,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR UNIQUE, born DATE);
         CREATE TABLE orders (user_id INTEGER REFERENCES users (id), line INT, amount DECIMAL(10, 2) NOT NULL,
             placed TIMESTAMP, photo BLOB, PRIMARY KEY (user_id, line));
         CREATE VIEW big AS SELECT * FROM orders WHERE amount > 10;
         CREATE SCHEMA other; CREATE TABLE other.t (x HUGEINT, l INT[]);
         INSERT INTO users VALUES (1, 'a', NULL), (2, 'b', NULL);",
    );
    let warehouse = open(&path);
    let tables = warehouse.tables().await.unwrap();
    let names: Vec<_> = tables
        .iter()
        .map(|table| (table.name.as_str(), table.view))
        .collect();
    assert_eq!(
        names,
        [
            ("big", true),
            ("orders", false),
            ("other.t", false),
            ("users", false)
        ]
    );
    let orders = &tables[1];
    let columns: Vec<_> = orders
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.ty, column.nullable))
        .collect();
    assert_eq!(
        columns,
        [
            ("user_id", Some(ColumnType::Integer), false),
            ("line", Some(ColumnType::Integer), false),
            ("amount", Some(ColumnType::Number), false),
            ("placed", Some(ColumnType::Timestamp), true),
            ("photo", None, true),
        ]
    );
    assert_eq!(orders.primary_key, ["user_id", "line"]);
    assert_eq!(orders.foreign_keys[0].table, "users");
    assert_eq!(orders.foreign_keys[0].references, ["id"]);
    assert_eq!(tables[3].unique_keys, [["email"]]);
    assert_eq!(tables[3].row_estimate, Some(2));
    assert_eq!(tables[2].columns[0].ty, Some(ColumnType::Number));
    let plan = warehouse
        .explain("SELECT * FROM users", &CancellationToken::new())
        .await
        .unwrap();
    assert!(plan.iter().any(|line| line.contains("users")), "{plan:?}");
    assert!(warehouse.ping().await.unwrap().starts_with("DuckDB 1."));
}

#[tokio::test]
async fn a_folder_of_data_files_has_a_table_per_file() {
    let Some(Typed { folder, .. }) = typed() else {
        return;
    };
    let data = folder.path().join("data");
    let parts = data.join("visits/year=2025");
    std::fs::create_dir_all(&parts).unwrap();
    std::fs::write(
        data.join("Orders.csv"),
        "id,amount,day\n1,2.5,2025-11-03\n2,3.5,2025-11-04\n",
    )
    .unwrap();
    std::fs::write(data.join("notes.txt"), "no data").unwrap();
    let copy = |sql: &str, path: &Path| {
        let sql = format!("COPY ({sql}) TO '{}'", path.display());
        duckdb::execute(&folder.path().join("scratch.duckdb"), &sql);
    };
    copy("SELECT 7 AS n", &parts.join("a.parquet"));
    copy("SELECT 8 AS n", &parts.join("b.parquet"));
    let warehouse = open(&data);
    let tables = warehouse.tables().await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["orders", "visits"]);
    let sql = "SELECT (SELECT sum(amount) FROM orders) AS a, \
               (SELECT CAST(sum(n) AS DOUBLE) FROM visits WHERE year = 2025) AS n";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let number = |name| {
        column(&batches[0], name)
            .as_primitive::<Float64Type>()
            .value(0)
    };
    assert_eq!((number("a"), number("n")), (6.0, 15.0));
    let other = format!("SELECT * FROM '{}'", folder.path().join("x.csv").display());
    std::fs::write(folder.path().join("x.csv"), "a\n1\n").unwrap();
    assert!(
        run(&warehouse, &other).await.is_err(),
        "a file beside the data is read"
    );
    // One file is a folder of one.
    let warehouse = open(&data.join("Orders.csv"));
    let (_, finished) = run(&warehouse, "SELECT * FROM orders").await.unwrap();
    assert_eq!(finished.rows, 2);
    // Two files for one table, and none at all.
    std::fs::write(data.join("orders.tsv"), "id\n1\n").unwrap();
    let error = open(&data).ping().await.unwrap_err();
    assert!(error.message.contains("could be either"), "{error}");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let error = open(&empty).ping().await.unwrap_err();
    assert!(
        error
            .message
            .starts_with("there are no .parquet, .csv or .tsv files"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_can_be_written_by_others_between_statements() {
    let Some(Typed { folder, warehouse }) = typed() else {
        return;
    };
    run(&warehouse, "SELECT * FROM every_type").await.unwrap();
    let path = folder.path().join("typed.duckdb");
    duckdb::execute(&path, "DELETE FROM every_type WHERE id = 2").unwrap();
    let (_, finished) = run(&warehouse, "SELECT * FROM every_type").await.unwrap();
    assert_eq!(finished.rows, 1);
}

#[test]
fn loading_leaves_what_exists_alone_unless_it_is_to_be_replaced() {
    let Some(Typed { folder, .. }) = typed() else {
        return;
    };
    let path = folder.path().join("typed.duckdb");
    let kind = duckdb::kind(&path).unwrap();
    let error = Loader::open(&kind).unwrap_err();
    assert!(
        error.message.ends_with("exists already and is left alone"),
        "{error}"
    );
    every_type(Loader::replacing(&kind).unwrap());
    // A load that is given up leaves no trace.
    drop(Loader::replacing(&kind).unwrap());
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1);
}

/// DuckDB's own library is also a driver like any other.
#[tokio::test]
async fn an_engine_with_a_driver_of_its_own_is_asked_through_it() {
    let Some(Typed { folder, .. }) = typed() else {
        return;
    };
    let settings = AdbcSettings {
        driver: duckdb::library().unwrap().display().to_string(),
        entrypoint: Some("duckdb_adbc_init".to_owned()),
        dialect: Dialect::Duckdb,
        options: vec![(
            "path".to_owned(),
            folder.path().join("typed.duckdb").display().to_string(),
        )],
    };
    let connection = Connection {
        name: "test".to_owned(),
        kind: ConnectionKind::Adbc(settings),
        row_cap: 1,
    };
    let warehouse = Warehouse::open(&connection, "UTC").unwrap();
    let (batches, _) = run(&warehouse, "SELECT * FROM every_type ORDER BY id")
        .await
        .unwrap();
    support::assert_every_type(&batches[0]);
    let error = run(&warehouse, "DELETE FROM every_type").await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Query);
}
