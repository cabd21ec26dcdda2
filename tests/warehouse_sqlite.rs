//! SQLite as a warehouse: read-only, exact types, announced caps, confirmed cancels, plain errors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::path::Path;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use jiff::civil::datetime;
use metrex::model::{ColumnType, ConnectionKind};
use metrex::warehouse::{
    Cell, ColumnSpec, Finished, Loader, Request, TableSpec, Warehouse, WarehouseError,
    WarehouseErrorKind,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use support::{collect, column, every_type, sqlite};

fn open(path: &Path) -> Warehouse {
    Warehouse::open(&sqlite(path), "UTC").unwrap()
}

async fn run(
    warehouse: &Warehouse,
    sql: &str,
) -> Result<(Vec<RecordBatch>, Finished), WarehouseError> {
    collect(
        warehouse,
        Request {
            sql: sql.to_owned(),
            columns: None,
            row_cap: None,
        },
    )
    .await
}

async fn run_as(
    warehouse: &Warehouse,
    sql: &str,
    columns: &[(&str, ColumnType)],
) -> Result<(Vec<RecordBatch>, Finished), WarehouseError> {
    let columns = columns
        .iter()
        .map(|(name, ty)| ((*name).to_owned(), *ty))
        .collect();
    collect(
        warehouse,
        Request {
            sql: sql.to_owned(),
            columns: Some(columns),
            row_cap: None,
        },
    )
    .await
}

/// A file with one table of every column type, written by the loader.
fn typed(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("typed.db");
    every_type(Loader::open(&ConnectionKind::Sqlite { path: path.clone() }).unwrap());
    path
}

#[tokio::test]
async fn types_and_nulls_survive_loading_and_reading() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let (batches, finished) = run(&warehouse, "SELECT * FROM every_type ORDER BY id")
        .await
        .unwrap();
    assert_eq!(
        finished,
        Finished {
            rows: 2,
            truncated: false
        }
    );
    support::assert_every_type(&batches[0]);
}

#[tokio::test]
async fn a_value_that_does_not_fit_its_type_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let sql = "SELECT 1.0 AS n UNION ALL SELECT 2.5";
    let error = run_as(&warehouse, sql, &[("n", ColumnType::Integer)])
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Data);
    assert_eq!(
        error.message,
        "column \"n\" holds 2.5 in row 2, which cannot be read as an integer"
    );

    let error = run_as(
        &warehouse,
        "SELECT '2025-02-30'",
        &[("d", ColumnType::Date)],
    )
    .await
    .unwrap_err();
    assert!(error.message.contains("the text \"2025-02-30\""), "{error}");
    let error = run_as(
        &warehouse,
        "SELECT 9007199254740993",
        &[("n", ColumnType::Number)],
    )
    .await
    .unwrap_err();
    assert!(error.message.contains("9007199254740993"), "{error}");
}

#[tokio::test]
async fn numbers_and_booleans_convert_where_that_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let columns = [
        ("a", ColumnType::Integer),
        ("b", ColumnType::Number),
        ("c", ColumnType::Boolean),
        ("d", ColumnType::Timestamp),
        ("e", ColumnType::Text),
    ];
    let (batches, _) = run_as(
        &warehouse,
        "SELECT 3.0, 4, 1, '2025-11-03T10:20:30.5Z', 7",
        &columns,
    )
    .await
    .unwrap();
    let batch = &batches[0];
    assert_eq!(column(batch, "a").as_primitive::<Int64Type>().value(0), 3);
    assert_eq!(
        column(batch, "b").as_primitive::<Float64Type>().value(0),
        4.0
    );
    assert!(column(batch, "c").as_boolean().value(0));
    let at = datetime(2025, 11, 3, 10, 20, 30, 500_000_000);
    assert_eq!(
        column(batch, "d")
            .as_primitive::<TimestampMicrosecondType>()
            .value(0),
        support::micros(at)
    );
    assert_eq!(column(batch, "e").as_string::<i32>().value(0), "7");
}

#[tokio::test]
async fn columns_without_hints_take_the_type_their_values_have() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let sql = "SELECT 1 AS i, 1 AS r, 'x' AS t, NULL AS n, date('2025-11-03') AS d \
               UNION ALL SELECT 2, 2.5, '7', NULL, NULL";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let types: Vec<_> = batches[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.data_type().to_string())
        .collect();
    assert_eq!(types, ["Int64", "Float64", "Utf8", "Utf8", "Utf8"]);
}

#[tokio::test]
async fn no_rows_still_tell_the_columns() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let (batches, finished) = run(&warehouse, "SELECT day FROM every_type WHERE 0")
        .await
        .unwrap();
    assert_eq!(finished.rows, 0);
    assert_eq!(batches[0].num_rows(), 0);
    assert_eq!(batches[0].schema().field(0).name(), "day");
}

const COUNT: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ";

#[tokio::test]
async fn the_first_batch_is_small_and_a_cap_that_cuts_is_announced() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let sql = format!("{COUNT} 10000) SELECT i FROM n");
    let request = Request {
        sql: sql.clone(),
        columns: None,
        row_cap: Some(9_000),
    };
    let (batches, finished) = collect(&warehouse, request).await.unwrap();
    assert_eq!(
        finished,
        Finished {
            rows: 9_000,
            truncated: true
        }
    );
    let sizes: Vec<_> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [256, 8_192, 552]);

    let request = Request {
        sql,
        columns: None,
        row_cap: Some(10_000),
    };
    let (_, finished) = collect(&warehouse, request).await.unwrap();
    assert_eq!(
        finished,
        Finished {
            rows: 10_000,
            truncated: false
        }
    );
}

#[tokio::test]
async fn cancel_stops_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let cancel = CancellationToken::new();
    let (sink, _rows) = mpsc::channel(1);
    let request = Request {
        sql: format!("{COUNT} 1000000000000) SELECT count(*) FROM n"),
        ..Request::default()
    };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(warehouse.query(request, &cancel, &sink), stop);
    assert_eq!(result.unwrap_err().kind, WarehouseErrorKind::Cancelled);
}

#[tokio::test]
async fn cancel_works_while_nobody_takes_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let cancel = CancellationToken::new();
    let (sink, _rows) = mpsc::channel(1);
    let request = Request {
        sql: format!("{COUNT} 1000000000000) SELECT i FROM n"),
        ..Request::default()
    };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(warehouse.query(request, &cancel, &sink), stop);
    assert_eq!(result.unwrap_err().kind, WarehouseErrorKind::Cancelled);
}

#[tokio::test]
async fn nothing_can_be_written_and_only_one_statement_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = typed(folder.path());
    let warehouse = open(&path);
    for sql in [
        "DELETE FROM every_type",
        "CREATE TABLE x (a)",
        "INSERT INTO every_type (id) VALUES (9) RETURNING id",
        "SELECT 1; DELETE FROM every_type",
        "ATTACH 'other.db' AS other",
        "PRAGMA user_version = 3",
    ] {
        let error = run(&warehouse, sql).await.unwrap_err();
        assert_eq!(error.kind, WarehouseErrorKind::Query, "{sql}: {error}");
    }
    let (_, finished) = run(&warehouse, "SELECT * FROM every_type").await.unwrap();
    assert_eq!(finished.rows, 2);
}

#[tokio::test]
async fn a_mistake_in_the_sql_is_located() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let error = run(&warehouse, "SELECT id,\n  nonsense FROM every_type")
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "no such column: nonsense (line 2, column 3 of the SQL)"
    );
}

#[tokio::test]
async fn a_misspelt_column_in_quotes_is_an_error_and_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let error = run(&warehouse, "SELECT \"naem\" FROM every_type")
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Query);
    assert!(error.message.contains("naem"), "{}", error.message);
}

#[tokio::test]
async fn files_that_are_no_database_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.db");
    let error = open(&missing).ping().await.unwrap_err();
    assert!(
        error.message.starts_with("there is no database file"),
        "{error}"
    );
    assert!(!missing.exists(), "asking must not create a file");

    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but long enough to have a header of its own\n".repeat(20),
    )
    .unwrap();
    let error = open(&text).ping().await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert!(
        error.message.ends_with("is not an SQLite database"),
        "{error}"
    );

    let error = open(folder.path()).ping().await.unwrap_err();
    assert!(
        error.message.ends_with("is a folder, not a database file"),
        "{error}"
    );
}

#[tokio::test]
async fn percentiles_interpolate() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let sql = "WITH v(x) AS (VALUES (1), (2), (NULL), (3), (10)) \
               SELECT median(x), percentile(x, 75), percentile(x, 0), percentile(x, 100) FROM v";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let values: Vec<f64> = (0..4)
        .map(|index| {
            batches[0]
                .column(index)
                .as_primitive::<Float64Type>()
                .value(0)
        })
        .collect();
    assert_eq!(values, [2.5, 4.75, 1.0, 10.0]);
    let (batches, _) = run(&warehouse, "SELECT median(id) FROM every_type WHERE 0")
        .await
        .unwrap();
    assert!(batches[0].column(0).is_null(0));
    let error = run(&warehouse, "SELECT median(name) FROM every_type")
        .await
        .unwrap_err();
    assert!(error.message.contains("finite numbers"), "{error}");
}

#[tokio::test]
async fn deviations_and_discrete_percentiles_are_those_of_standard_sql() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    // A thousand million apart from zero: sums of squares would lose every digit of the variance.
    let sql = "WITH v(x) AS (VALUES (1e9 + 4), (1e9 + 7), (NULL), (1e9 + 13), (1e9 + 16)) \
               SELECT var_samp(x), var_pop(x), stddev_samp(x), stddev_pop(x), percentile_disc(x, 0.5) - 1e9, \
               percentile_disc(x, 0.51) - 1e9, percentile_disc(x, 0) - 1e9, percentile_disc(x, 1) - 1e9 FROM v";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let values: Vec<f64> = (0..8)
        .map(|index| {
            batches[0]
                .column(index)
                .as_primitive::<Float64Type>()
                .value(0)
        })
        .collect();
    let expected = [
        30.0,
        22.5,
        30_f64.sqrt(),
        22.5_f64.sqrt(),
        7.0,
        13.0,
        4.0,
        16.0,
    ];
    assert_eq!(values, expected);
    let one = "SELECT var_samp(1), stddev_samp(1), var_pop(1), percentile_disc(5, 0.9)";
    let (batches, _) = run(&warehouse, one).await.unwrap();
    assert!(batches[0].column(0).is_null(0) && batches[0].column(1).is_null(0));
    let zero = batches[0].column(2).as_primitive::<Float64Type>().value(0);
    assert_eq!(zero, 0.0);
    let none = "SELECT var_pop(id), percentile_disc(id, 0.5) FROM every_type WHERE 0";
    let (batches, _) = run(&warehouse, none).await.unwrap();
    assert!(batches[0].column(0).is_null(0) && batches[0].column(1).is_null(0));
}

#[tokio::test]
async fn tables_tell_columns_and_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80) UNIQUE, born DATE);
             CREATE TABLE orders (user_id INTEGER REFERENCES users, line INT, amount NUMERIC(10,2) NOT NULL,
                 at DATETIME, photo BLOB, PRIMARY KEY (user_id, line));
             CREATE VIEW big AS SELECT * FROM orders WHERE amount > 10;
             INSERT INTO users VALUES (1, 'a', NULL), (2, 'b', NULL);",
        )
        .unwrap();
    let tables = open(&path).tables().await.unwrap();
    let names: Vec<_> = tables
        .iter()
        .map(|table| (table.name.as_str(), table.view))
        .collect();
    assert_eq!(names, [("big", true), ("orders", false), ("users", false)]);
    let orders = &tables[1];
    assert_eq!(orders.primary_key, ["user_id", "line"]);
    assert_eq!(orders.foreign_keys[0].table, "users");
    assert_eq!(orders.foreign_keys[0].references, ["id"]);
    let types: Vec<_> = orders
        .columns
        .iter()
        .map(|column| (column.ty, column.nullable))
        .collect();
    assert_eq!(
        types,
        [
            (Some(ColumnType::Integer), false),
            (Some(ColumnType::Integer), false),
            (Some(ColumnType::Number), false),
            (Some(ColumnType::Timestamp), true),
            (None, true),
        ]
    );
    assert_eq!(tables[2].unique_keys, [["email"]]);
    assert_eq!(tables[2].row_estimate, Some(2));
}

#[test]
fn a_load_that_is_not_finished_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let kind = ConnectionKind::Sqlite {
        path: folder.path().join("new.db"),
    };
    let table = TableSpec {
        name: "t".to_owned(),
        columns: vec![ColumnSpec {
            name: "a".to_owned(),
            ty: ColumnType::Integer,
            nullable: true,
        }],
        primary_key: Vec::new(),
        indexes: vec![vec!["a".to_owned()]],
    };
    let mut loader = Loader::open(&kind).unwrap();
    loader.create(&table).unwrap();
    loader.append(&[Cell::Integer(1)]).unwrap();
    assert!(
        loader
            .append(&[Cell::Text("x")])
            .unwrap_err()
            .message
            .contains("Integer")
    );
    drop(loader);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let mut loader = Loader::open(&kind).unwrap();
    loader.create(&table).unwrap();
    loader.finish().unwrap();
    let error = Loader::open(&kind).unwrap_err();
    assert!(
        error.message.ends_with("exists already and is left alone"),
        "{error}"
    );
    Loader::replacing(&kind).unwrap().finish().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn dates_are_kept_as_iso_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = typed(folder.path());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let row: (String, String, i64) = connection
        .query_row(
            "SELECT day, at, flag FROM every_type WHERE id = 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(
        row,
        ("2025-11-03".to_owned(), "2025-11-03 10:20:30".to_owned(), 1)
    );
}

#[tokio::test]
async fn a_file_that_another_program_locks_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = typed(folder.path());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = open(&path).ping().await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert!(
        error.message.ends_with("is locked by another program"),
        "{error}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    open(&path).ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_stops_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let warehouse = open(&typed(folder.path()));
    let (sink, mut rows) = mpsc::channel(1);
    let request = Request {
        sql: format!("{COUNT} 1000000000000) SELECT count(*) FROM n"),
        ..Request::default()
    };
    let cancel = CancellationToken::new();
    let query = warehouse.query(request, &cancel, &sink);
    assert!(
        tokio::time::timeout(Duration::from_millis(50), query)
            .await
            .is_err()
    );
    // The engine's thread holds the other end of the channel until it has stopped.
    drop(sink);
    assert!(rows.recv().await.is_none());
}
