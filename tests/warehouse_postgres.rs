//! PostgreSQL as a warehouse: read-only, exact types, announced caps, confirmed cancels, plain errors.
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

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use jiff::civil::{date, datetime};
use metrex::model::{ColumnType, Connection, PostgresSettings};
use metrex::warehouse::{
    Cell, ColumnSpec, Finished, Loader, Request, TableSpec, Warehouse, WarehouseError,
    WarehouseErrorKind,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use postgres::{Cluster, at, connection};
use support::{collect, column};

fn open(connection: &Connection) -> Warehouse {
    Warehouse::open(connection, "Asia/Jakarta").unwrap()
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

/// How many statements the server is working on, besides psql's own.
fn busy(cluster: &Cluster) -> String {
    cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = 'metrex'")
}

#[tokio::test]
async fn types_and_nulls_survive_loading_and_reading() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let connection = at(&cluster.url());
    let kind = connection.kind.clone();
    tokio::task::spawn_blocking(move || support::every_type(Loader::replacing(&kind).unwrap()))
        .await
        .unwrap();
    let warehouse = open(&connection);
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
async fn every_usual_type_is_read_exactly() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let sql = "SELECT true AS bool, 1::int2 AS int2, -2::int4 AS int4, 9007199254740993 AS int8, 0.1::float4 AS float4, \
               '550e8400-e29b-41d4-a716-446655440000'::uuid AS uuid, 'ab'::char(5) AS padded, 'x'::name AS name, \
               '{\"a\": 1}'::jsonb AS jsonb, '[1]'::json AS json, date '1999-12-31' AS day, \
               timestamp '2025-11-03 10:20:30.5' AS at, timestamptz '2025-11-03 20:00:00+00' AS instant, \
               NULL::numeric AS nothing";
    let (batches, _) = run(&warehouse, sql).await.unwrap();
    let row = &batches[0];
    let text = |name| column(row, name).as_string::<i32>().value(0).to_owned();
    let integer = |name| column(row, name).as_primitive::<Int64Type>().value(0);
    let time = |name| {
        column(row, name)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0)
    };
    assert!(column(row, "bool").as_boolean().value(0));
    assert_eq!(
        [integer("int2"), integer("int4"), integer("int8")],
        [1, -2, 9_007_199_254_740_993]
    );
    assert_eq!(
        column(row, "float4").as_primitive::<Float64Type>().value(0),
        0.1
    );
    assert_eq!(text("uuid"), "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(
        [text("padded"), text("name"), text("jsonb"), text("json")],
        ["ab", "x", "{\"a\": 1}", "[1]"]
    );
    let day = column(row, "day").as_primitive::<Date32Type>().value(0);
    assert_eq!(day, support::days(date(1999, 12, 31)));
    assert_eq!(
        time("at"),
        support::micros(datetime(2025, 11, 3, 10, 20, 30, 500_000_000))
    );
    // In the project's zone, which is seven hours ahead.
    assert_eq!(
        time("instant"),
        support::micros(datetime(2025, 11, 4, 3, 0, 0, 0))
    );
    assert!(column(row, "nothing").is_null(0));
}

#[tokio::test]
async fn numeric_is_decoded_to_the_last_digit() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let numbers = [
        "0",
        "0.1",
        "-0.00012",
        "1",
        "-1",
        "10000",
        "100000000",
        "12345678.9",
        "9999.9999",
        "1000000000000000000000",
        "0.0000000001",
        "-123456789012345678.25",
        "70000.00",
        "1.5e-7",
    ];
    for number in numbers {
        let sql = format!("SELECT ({number})::numeric AS n, ({number})::numeric::text AS t");
        let columns = [("n", ColumnType::Number), ("t", ColumnType::Text)];
        let (batches, _) = run_as(&warehouse, &sql, &columns).await.unwrap();
        let value = batches[0].column(0).as_primitive::<Float64Type>().value(0);
        assert_eq!(value, number.parse::<f64>().unwrap(), "{number}");
        let sql = format!("SELECT ({number})::numeric AS n, ({number})::numeric::text AS t");
        let columns = [("n", ColumnType::Text), ("t", ColumnType::Text)];
        let (batches, _) = run_as(&warehouse, &sql, &columns).await.unwrap();
        assert_eq!(
            batches[0].column(0).as_string::<i32>(),
            batches[0].column(1).as_string::<i32>()
        );
    }
    let big = "SELECT 9007199254740993::numeric(20, 2) AS n";
    let (batches, _) = run_as(&warehouse, big, &[("n", ColumnType::Integer)])
        .await
        .unwrap();
    assert_eq!(
        batches[0].column(0).as_primitive::<Int64Type>().value(0),
        9_007_199_254_740_993
    );
    let (batches, _) = run(&warehouse, "SELECT 'NaN'::numeric AS n").await.unwrap();
    assert!(
        batches[0]
            .column(0)
            .as_primitive::<Float64Type>()
            .value(0)
            .is_nan()
    );
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_and_named() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let columns = [("n", ColumnType::Integer)];
    let error = run_as(&warehouse, "SELECT 2.5::float8 AS n", &columns)
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Data);
    assert_eq!(
        error.message,
        "column \"n\" holds 2.5 in row 1, which cannot be read as an integer"
    );
    let error = run_as(&warehouse, "SELECT 2.5 AS n", &columns)
        .await
        .unwrap_err();
    assert!(error.message.starts_with("column \"n\" holds"), "{error}");
    let error = run(&warehouse, "SELECT date 'infinity' AS d")
        .await
        .unwrap_err();
    assert!(error.message.starts_with("column \"d\" holds"), "{error}");
    let error = run(&warehouse, "SELECT ARRAY[1, 2] AS list")
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "column \"list\" has the type _int4, which results cannot hold"
    );
    assert!(error.hint.unwrap().contains("::text"));
    // The connection is fit for use after each of them.
    assert_eq!(run(&warehouse, "SELECT 1").await.unwrap().1.rows, 1);
}

#[tokio::test]
async fn the_first_batch_is_small_and_a_cap_that_cuts_is_announced() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let sql = "SELECT i FROM generate_series(1, 10000) AS i".to_owned();
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
    // A result just above the cap ends by itself and keeps its connection.
    let pid = "SELECT pg_backend_pid()";
    let before = run(&warehouse, pid).await.unwrap().0;
    let request = Request {
        sql: "SELECT i FROM generate_series(1, 11) AS i".to_owned(),
        columns: None,
        row_cap: Some(10),
    };
    let (_, finished) = collect(&warehouse, request).await.unwrap();
    assert!(finished.truncated);
    assert_eq!(run(&warehouse, pid).await.unwrap().0, before);
    // A cap on an endless statement stops the server.
    let sql = "SELECT generate_series(1, 100000000000) AS i".to_owned();
    let request = Request {
        sql,
        columns: None,
        row_cap: Some(10),
    };
    let (_, finished) = collect(&warehouse, request).await.unwrap();
    assert_eq!(
        finished,
        Finished {
            rows: 10,
            truncated: true
        }
    );
    assert_eq!(busy(&cluster), "0");
    let (batches, _) = run(&warehouse, "SELECT 1::int8 AS one WHERE false")
        .await
        .unwrap();
    assert_eq!(
        (batches.len(), batches[0].schema().field(0).name().as_str()),
        (1, "one")
    );
}

#[tokio::test]
async fn cancel_stops_the_server() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    for sql in [
        "SELECT pg_sleep(600)",
        "SELECT generate_series(1, 100000000000) AS i",
    ] {
        let cancel = CancellationToken::new();
        // Nobody takes the rows.
        let (sink, _rows) = mpsc::channel(1);
        let request = Request {
            sql: sql.to_owned(),
            columns: Some(vec![("x".to_owned(), ColumnType::Integer)]),
            row_cap: None,
        };
        let request = if sql.contains("sleep") {
            Request {
                sql: "SELECT length(pg_sleep(600)::text)".to_owned(),
                ..request
            }
        } else {
            request
        };
        let stop = async {
            while busy(&cluster) == "0" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            cancel.cancel();
        };
        let (result, ()) = tokio::join!(warehouse.query(request, &cancel, &sink), stop);
        assert_eq!(
            result.unwrap_err().kind,
            WarehouseErrorKind::Cancelled,
            "{sql}"
        );
        assert_eq!(busy(&cluster), "0", "{sql}");
    }
    assert_eq!(run(&warehouse, "SELECT 1").await.unwrap().1.rows, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_stops_the_server() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let request = Request {
        sql: "SELECT 1 FROM pg_sleep(600)".to_owned(),
        ..Request::default()
    };
    let (sink, _rows) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let query = warehouse.query(request, &cancel, &sink);
    let gone = tokio::time::timeout(Duration::from_secs(1), query).await;
    assert!(gone.is_err());
    while busy(&cluster) != "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn nothing_can_be_written_and_only_one_statement_runs() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    cluster.psql("CREATE TABLE IF NOT EXISTS kept (a int)");
    let warehouse = open(&at(&cluster.url()));
    for sql in [
        "INSERT INTO kept VALUES (1) RETURNING a",
        "DELETE FROM kept",
        "CREATE TABLE written (a int)",
        "SELECT 1; INSERT INTO kept VALUES (2)",
        "COMMIT",
        "SET TRANSACTION READ WRITE",
        "WITH w AS (INSERT INTO kept VALUES (3) RETURNING a) SELECT a FROM w",
    ] {
        let error = run(&warehouse, sql).await.unwrap_err();
        assert_eq!(error.kind, WarehouseErrorKind::Query, "{sql}: {error}");
    }
    assert_eq!(cluster.psql("SELECT count(*) FROM kept"), "0");
}

#[tokio::test]
async fn a_mistake_in_the_sql_is_located() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    cluster.psql("CREATE TABLE IF NOT EXISTS located (amount int)");
    let error = run(&warehouse, "SELECT 'ไทย',\n  amuont FROM located")
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Query);
    assert_eq!(
        error.message,
        "column \"amuont\" does not exist (line 2, column 3 of the SQL)"
    );
    assert!(error.hint.unwrap().contains("located.amount"));
}

#[tokio::test]
async fn the_statement_timeout_is_told_from_a_cancel() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let warehouse = open(&connection(PostgresSettings {
        url: Some(cluster.url()),
        statement_timeout: Some(Duration::from_millis(50)),
        ..PostgresSettings::default()
    }));
    let error = run(&warehouse, "SELECT 1 FROM pg_sleep(600)")
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_server_that_is_down_or_unknown_is_told() {
    let unreachable = |url: &str| {
        let warehouse = open(&at(url));
        async move { warehouse.ping().await.unwrap_err() }
    };
    let error = unreachable("postgres://metrex@127.0.0.1:1/postgres").await;
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert_eq!(
        error.message,
        "cannot reach PostgreSQL at metrex@127.0.0.1:1/postgres: the connection was refused"
    );
    let error = unreachable("host=/nowhere/at/all user=metrex dbname=postgres").await;
    assert!(
        error.message.ends_with("there is no server socket"),
        "{error}"
    );
    let error = unreachable("postgres://metrex@no-such-host.invalid/postgres").await;
    assert!(
        error.message.ends_with("the name of the host is unknown"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_dies_in_mid_query_is_told_and_found_again() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    let warehouse = open(&at(&cluster.url()));
    let die = async {
        while busy(&cluster) == "0" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cluster.kill();
    };
    let (result, ()) = tokio::join!(run(&warehouse, "SELECT 1 FROM pg_sleep(600)"), die);
    let error = result.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert!(error.message.contains("was lost"), "{error}");
    let error = run(&warehouse, "SELECT 1").await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection, "{error}");
    cluster.boot();
    assert_eq!(run(&warehouse, "SELECT 1").await.unwrap().1.rows, 1);
    // A connection that died while nobody used it is replaced without a word.
    cluster.kill();
    cluster.boot();
    assert_eq!(run(&warehouse, "SELECT 1").await.unwrap().1.rows, 1);
}

#[tokio::test]
async fn passwords_come_from_a_command_a_url_or_a_file_that_nobody_else_can_read() {
    let Some(cluster) = Cluster::start(true) else {
        return;
    };
    let ping = |settings: PostgresSettings| async move { open(&connection(settings)).ping().await };
    let url = |password: &str| {
        format!(
            "postgres://metrex:{password}@127.0.0.1:{}/postgres",
            cluster.port
        )
    };

    let error = ping(PostgresSettings {
        url: Some(url("wrong")),
        ..PostgresSettings::default()
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Auth);
    assert!(
        error
            .message
            .contains("password authentication failed for user \"metrex\""),
        "{error}"
    );
    assert_eq!(
        error.hint.as_deref(),
        Some("the password came from the url")
    );
    assert!(!error.message.contains("wrong"));

    let right = PostgresSettings {
        url: Some(url("correct%20horse")),
        ..PostgresSettings::default()
    };
    assert!(ping(right).await.unwrap().starts_with("PostgreSQL "));

    let command = |command: &str| PostgresSettings {
        url: Some(cluster.url()),
        password_command: Some(command.to_owned()),
        ..PostgresSettings::default()
    };
    ping(command("printf 'correct horse\\nsecond line'"))
        .await
        .unwrap();
    ping(command("echo correct horse")).await.unwrap();
    let error = ping(command("echo no token for hunter2 >&2; exit 3"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Auth);
    assert_eq!(
        error.message,
        "password_command `echo …` failed (exit status: 3)"
    );
    assert_eq!(error.hint.as_deref(), Some("it said: no token for hunter2"));
    let error = ping(command("TOKEN='hunter2 !' false")).await.unwrap_err();
    assert_eq!(error.message, "password_command failed (exit status: 1)");
    let error = ping(command("no-such-program-here")).await.unwrap_err();
    assert!(error.message.contains("cannot be run"), "{error}");

    let error = ping(PostgresSettings {
        url: Some(cluster.url()),
        ..PostgresSettings::default()
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Auth, "{error}");
}

#[tokio::test]
async fn tls_checks_what_sslmode_says_and_cancels_too() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem");
    let at = |host: &str, mode: &str, trusted: bool| {
        open(&connection(PostgresSettings {
            url: Some(format!(
                "postgres://metrex@{host}:{}/postgres?sslmode={mode}",
                cluster.port
            )),
            ssl_root_cert: trusted.then(|| authority.clone()),
            ..PostgresSettings::default()
        }))
    };
    let error = at("localhost", "require", false).ping().await.unwrap_err();
    assert_eq!(error.kind, WarehouseErrorKind::Connection);
    assert!(
        error.message.ends_with("server does not support TLS"),
        "{error}"
    );
    at("localhost", "prefer", false).ping().await.unwrap();

    cluster.use_tls();
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (host, mode, trusted, works) in [
        ("localhost", "disable", false, true),
        ("localhost", "prefer", false, true),
        ("localhost", "require", false, true),
        ("127.0.0.1", "require", false, true),
        ("127.0.0.1", "verify-ca", true, true),
        ("localhost", "verify-ca", false, false),
        ("localhost", "verify-full", true, true),
        ("localhost", "verify-full", false, false),
        ("127.0.0.1", "verify-full", true, false),
    ] {
        let result = run(&at(host, mode, trusted), encrypted).await;
        assert_eq!(result.is_ok(), works, "{host} {mode} {trusted}: {result:?}");
        match result {
            Ok((batches, _)) => {
                let encrypted = batches[0].column(0).as_boolean().value(0);
                assert_eq!(encrypted, mode != "disable", "{mode}");
            }
            Err(error) => assert!(error.message.starts_with("no TLS connection to"), "{error}"),
        }
    }

    let warehouse = at("localhost", "verify-full", true);
    let cancel = CancellationToken::new();
    let (sink, _rows) = mpsc::channel(1);
    let sleep = Request {
        sql: "SELECT 1 FROM pg_sleep(600)".to_owned(),
        ..Request::default()
    };
    let stop = async {
        while busy(&cluster) == "0" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(warehouse.query(sleep, &cancel, &sink), stop);
    assert_eq!(result.unwrap_err().kind, WarehouseErrorKind::Cancelled);
    assert_eq!(busy(&cluster), "0");
}

/// The environment of a process cannot be changed safely while it runs, so these tests run themselves again in it.
fn again_with(test: &str, environment: &[(&str, &str)]) {
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(program);
    command
        .args(["--exact", test, "--nocapture"])
        .env("AGAIN", "1");
    let output = command.envs(environment.iter().copied()).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn what_the_url_does_not_say_comes_from_the_environment() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if std::env::var_os("AGAIN").is_some() {
        let warehouse = open(&connection(PostgresSettings::default()));
        let version = runtime.block_on(warehouse.ping());
        if std::env::var_os("REFUSED").is_some() {
            let error = version.unwrap_err();
            assert_eq!(error.kind, WarehouseErrorKind::Auth);
            assert!(
                error.hint.unwrap().contains("chmod 600"),
                "{}",
                error.message
            );
        } else {
            version.unwrap();
        }
        return;
    }
    let Some(cluster) = Cluster::start(true) else {
        return;
    };
    let port = cluster.port.to_string();
    let file = cluster.socket().join("passwords");
    std::fs::write(
        &file,
        format!("# comment\nelsewhere:*:*:*:no\n*:{port}:postgres:met\\rex:correct horse\n"),
    )
    .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let socket = cluster.socket().to_str().unwrap();
    let file = file.to_str().unwrap();
    let test = "what_the_url_does_not_say_comes_from_the_environment";
    let common = [
        ("PGHOST", socket),
        ("PGPORT", &port),
        ("PGUSER", "metrex"),
        ("PGDATABASE", "postgres"),
    ];
    again_with(
        test,
        &[&common[..], &[("PGPASSWORD", postgres::PASSWORD)]].concat(),
    );
    again_with(test, &[&common[..], &[("PGPASSFILE", file)]].concat());
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
    again_with(
        test,
        &[&common[..], &[("PGPASSFILE", file), ("REFUSED", "1")]].concat(),
    );
}

#[test]
fn settings_that_make_no_sense_are_refused_at_once() {
    let refused = |url: &str| Warehouse::open(&at(url), "UTC").unwrap_err();
    let error = refused("postgres://h/d?sslmode=maybe");
    assert_eq!(error.kind, WarehouseErrorKind::Settings);
    assert_eq!(error.message, "unknown sslmode \"maybe\"");
    let error = refused("postgres://me:secret@h:port/d");
    assert!(
        error.message.contains("port") && !error.message.contains("secret"),
        "{error}"
    );
    assert!(Warehouse::open(&at("host=a sslmode='verify-full' sslrootcert=/x"), "UTC").is_ok());
    assert!(
        Warehouse::open(&at("postgres://h"), "Atlantis/Capital")
            .unwrap_err()
            .message
            .contains("time zone")
    );
}

#[tokio::test]
async fn tables_tell_columns_and_keys() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    cluster.psql(
        "CREATE SCHEMA mart;
         CREATE TYPE size AS ENUM ('s', 'm');
         CREATE DOMAIN money_amount AS numeric(12, 2);
         CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE, born date, size size, photo bytea);
         CREATE TABLE mart.orders (user_id bigint REFERENCES users, line int, amount money_amount NOT NULL,
             at timestamptz, PRIMARY KEY (user_id, line));
         CREATE UNIQUE INDEX ON mart.orders (line) WHERE line > 0;
         CREATE VIEW big AS SELECT * FROM mart.orders WHERE amount > 10;
         INSERT INTO users SELECT i, i::text FROM generate_series(1, 50) AS i;
         ANALYZE users;",
    );
    let warehouse = open(&at(&cluster.url()));
    let tables = warehouse.tables().await.unwrap();
    let names: Vec<_> = tables
        .iter()
        .map(|table| (table.name.as_str(), table.view))
        .collect();
    assert_eq!(
        names,
        [("big", true), ("users", false), ("mart.orders", false)]
    );
    let users = &tables[1];
    assert_eq!((users.row_estimate, users.unique_keys.len()), (Some(50), 1));
    let types: Vec<_> = users
        .columns
        .iter()
        .map(|column| (column.ty, column.nullable))
        .collect();
    assert_eq!(
        types,
        [
            (Some(ColumnType::Integer), false),
            (Some(ColumnType::Text), true),
            (Some(ColumnType::Date), true),
            (Some(ColumnType::Text), true),
            (None, true),
        ]
    );
    let orders = &tables[2];
    assert_eq!(orders.primary_key, ["user_id", "line"]);
    assert!(orders.unique_keys.is_empty());
    assert_eq!(orders.foreign_keys[0].table, "users");
    assert_eq!(orders.foreign_keys[0].columns, ["user_id"]);
    assert_eq!(orders.foreign_keys[0].references, ["id"]);
    assert_eq!(orders.columns[2].ty, Some(ColumnType::Number));
    // Values of an enum are text.
    let (batches, _) = run(&warehouse, "SELECT 's'::size AS size").await.unwrap();
    assert_eq!(batches[0].column(0).as_string::<i32>().value(0), "s");
}

#[test]
fn a_load_that_is_not_finished_leaves_nothing_behind() {
    let Some(cluster) = Cluster::start(false) else {
        return;
    };
    let kind = at(&cluster.url()).kind;
    let table = TableSpec {
        name: "mart.new".to_owned(),
        columns: vec![ColumnSpec {
            name: "a".to_owned(),
            ty: ColumnType::Integer,
            nullable: false,
        }],
        primary_key: vec!["a".to_owned()],
        indexes: vec![vec!["a".to_owned()]],
    };
    let count = || cluster.psql("SELECT count(*) FROM pg_class WHERE relname = 'new'");
    let mut loader = Loader::open(&kind).unwrap();
    loader.create(&table).unwrap();
    loader.append(&[Cell::Integer(1)]).unwrap();
    drop(loader);
    assert_eq!(count(), "0");

    let mut loader = Loader::open(&kind).unwrap();
    loader.create(&table).unwrap();
    loader.append(&[Cell::Null]).unwrap();
    let error = loader.finish().unwrap_err();
    assert!(
        error.message.contains("null value in column \"a\""),
        "{error}"
    );
    assert_eq!(count(), "0");

    for (replace, works) in [(false, true), (false, false), (true, true)] {
        let open = if replace {
            Loader::replacing
        } else {
            Loader::open
        };
        let mut loader = open(&kind).unwrap();
        let created = loader.create(&table);
        assert_eq!(created.is_ok(), works, "{created:?}");
        if works {
            loader.append(&[Cell::Integer(7)]).unwrap();
            loader.finish().unwrap();
        }
    }
    assert_eq!(cluster.psql("SELECT sum(a) FROM mart.new"), "7");
}
