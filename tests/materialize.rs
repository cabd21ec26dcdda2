//! `metrex materialize` as people use it: the plan first, then the table, then a refresh of the last days.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::process::{Command, Stdio};

use project::{METRICS, TODAY, shop};
use tempfile::TempDir;

const ROLLUPS: &str = "
rollups:
  orders_daily: {of: orders, grain: day, by: [market, buyer.segment], metrics: [gmv, aov]}
";

/// The shop with a rollup.
fn shop_with_a_rollup() -> TempDir {
    let shop = shop();
    let metrics = format!("{METRICS}{ROLLUPS}");
    fs::write(shop.path().join("metrics/shop.yaml"), metrics).unwrap();
    shop
}

/// Exit code, stdout and stderr of a command on a day.
fn run_on(day: &str, shop: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(shop.path())
        .env("METREX_STATE_DIR", shop.path().join(".state"))
        .env("METREX_TODAY", day)
        .env_remove("METREX_LOG")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn ok(shop: &TempDir, arguments: &[&str]) -> String {
    let (code, out, err) = run_on(TODAY, shop, arguments);
    assert_eq!(code, 0, "{err}");
    out
}

fn change(shop: &TempDir, sql: &str) {
    let database = rusqlite::Connection::open(shop.path().join("shop.db")).unwrap();
    database.execute_batch(sql).unwrap();
}

const LINE: &str = "aov by market 2025-10";

#[test]
fn a_rollup_is_planned_made_read_and_refreshed() {
    let shop = shop_with_a_rollup();
    let rows = ok(&shop, &["query", LINE, "--format", "csv"]);
    let plan = ok(&shop, &["materialize", "--plan"]);
    assert!(plan.starts_with("-- orders_daily: make all of it\n-- table orders_daily, rows of orders by day, market, buyer.segment\n-- 4 rows, made of 5\nCREATE TABLE orders_daily AS\n"), "{plan}");
    assert!(
        !ok(&shop, &["sql", LINE]).contains("orders_daily"),
        "a plan makes nothing"
    );

    let made = ok(&shop, &["materialize"]);
    assert_eq!(
        made,
        "orders_daily: 4 rows in orders_daily, complete before 2025-11-20\n"
    );
    let sql = ok(&shop, &["sql", "--explain", LINE]);
    assert!(sql.contains("FROM orders_daily"), "{sql}");
    assert!(
        sql.contains(
            "orders is read from the rollup orders_daily: 4 rows by day, market, buyer.segment"
        ),
        "{sql}"
    );
    assert_eq!(ok(&shop, &["query", LINE, "--format", "csv"]), rows);
    let plain = ok(&shop, &["sql", "--no-rollups", LINE]);
    assert!(!plain.contains("orders_daily"), "{plain}");

    // A late row of the last week, one of long ago, and new ones.
    change(
        &shop,
        "INSERT INTO orders VALUES (6, 1, 'TH', 'ads', NULL, 100, '2025-11-18 10:00:00'), (7, 1, 'TH', 'ads', NULL, 100, '2025-09-03 10:00:00'), \
         (8, 1, 'TH', 'ads', NULL, 100, '2025-11-21 10:00:00')",
    );
    let kept = |line: &str| run_on("2025-11-25", &shop, &["query", line, "--format", "csv"]);
    let (code, out, err) = run_on("2025-11-25", &shop, &["materialize", "orders_daily"]);
    assert_eq!(
        (code, out.as_str()),
        (
            0,
            "orders_daily: 6 rows in orders_daily, complete before 2025-11-25\n"
        ),
        "{err}"
    );
    assert!(
        err.contains("orders_daily: refresh the days since 2025-11-13"),
        "{err}"
    );
    assert_eq!(kept("gmv 2025-11-15..2025-11-21").1, "gmv\n200\n");
    assert_eq!(
        kept("gmv 2025-09").1,
        "gmv\n10\n",
        "a row older than a week needs --full"
    );
    let full = run_on("2025-11-25", &shop, &["materialize", "--full"]);
    assert!(
        full.2.contains("orders_daily: make all of it anew"),
        "{}",
        full.2
    );
    assert_eq!(kept("gmv 2025-09").1, "gmv\n110\n");
}

#[test]
fn a_changed_definition_is_said_and_made_anew() {
    let shop = shop_with_a_rollup();
    ok(&shop, &["materialize"]);
    let metrics = format!("{METRICS}{ROLLUPS}").replace("expr: amount\n", "expr: amount * 2\n");
    fs::write(shop.path().join("metrics/shop.yaml"), metrics).unwrap();
    let sql = ok(&shop, &["sql", "--explain", LINE]);
    assert!(!sql.contains("FROM orders_daily"), "{sql}");
    assert!(
        sql.contains("the rollup orders_daily is not used: its definition has changed"),
        "{sql}"
    );
    let (_, _, err) = run_on(TODAY, &shop, &["materialize"]);
    assert!(
        err.contains("make all of it anew: its definition has changed"),
        "{err}"
    );
    assert!(ok(&shop, &["sql", LINE]).contains("FROM orders_daily"));
}

#[test]
fn doctor_says_which_rollups_are_there_and_how_fresh() {
    let shop = shop_with_a_rollup();
    let doctor = |day: &str| {
        let (_, out, _) = run_on(day, &shop, &["doctor"]);
        let mut lines = out
            .lines()
            .skip_while(|line| !line.contains("rollup orders_daily main"));
        let line = lines.next().unwrap_or_else(|| panic!("{out}")).to_owned();
        let hint = lines.next().unwrap_or_default().trim().to_owned();
        (line, hint)
    };
    let (line, hint) = doctor(TODAY);
    assert!(
        line.starts_with("warning") && line.ends_with("not made: queries read the rows"),
        "{line}"
    );
    assert_eq!(hint, "metrex materialize orders_daily");
    ok(&shop, &["materialize"]);
    let (line, _) = doctor(TODAY);
    assert!(line.starts_with("ok"), "{line}");
    assert!(
        line.ends_with("4 rows in orders_daily, complete before 2025-11-20"),
        "{line}"
    );
    let (line, hint) = doctor("2025-11-23");
    assert!(line.starts_with("warning"), "{line}");
    assert!(
        line.ends_with("complete before 2025-11-20, 3 days ago: later days are read from the rows"),
        "{line}"
    );
    assert_eq!(hint, "metrex materialize orders_daily");
    let metrics = format!("{METRICS}{ROLLUPS}").replace("expr: amount\n", "expr: amount * 2\n");
    fs::write(shop.path().join("metrics/shop.yaml"), metrics).unwrap();
    let (line, _) = doctor(TODAY);
    assert!(line.contains("its definition has changed since "), "{line}");
    fs::write(
        shop.path().join("metrics/shop.yaml"),
        format!("{METRICS}{ROLLUPS}"),
    )
    .unwrap();
    change(&shop, "DROP TABLE orders_daily");
    let (line, hint) = doctor(TODAY);
    assert!(
        line.ends_with("the table orders_daily is not there any more"),
        "{line}"
    );
    assert_eq!(hint, "metrex materialize orders_daily --full");
    ok(&shop, &["materialize", "orders_daily", "--full"]);
    assert!(doctor(TODAY).0.starts_with("ok"));
}

#[test]
fn a_rollup_in_the_embedded_file_leaves_the_warehouse_as_it_is() {
    let shop = shop();
    let rollups = ROLLUPS.replace("metrics: [gmv, aov]}", "metrics: [gmv, aov], in: embedded}");
    fs::write(
        shop.path().join("metrics/shop.yaml"),
        format!("{METRICS}{rollups}"),
    )
    .unwrap();
    let before = fs::read(shop.path().join("shop.db")).unwrap();
    let rows = ok(&shop, &["query", LINE, "--format", "csv"]);
    let plan = ok(&shop, &["materialize", "--plan"]);
    assert!(plan.starts_with("-- orders_daily: make all of it\n-- the embedded file, rows of orders by day, market, buyer.segment\n-- 4 rows, made of 5\nSELECT\n"), "{plan}");
    assert_eq!(
        ok(&shop, &["materialize"]),
        "orders_daily: 4 rows in the embedded file, complete before 2025-11-20\n"
    );
    assert_eq!(fs::read(shop.path().join("shop.db")).unwrap(), before);
    let sql = ok(&shop, &["sql", "--explain", LINE]);
    assert!(
        sql.contains("orders is read from the rollup orders_daily in the embedded file"),
        "{sql}"
    );
    assert_eq!(ok(&shop, &["query", LINE, "--format", "csv"]), rows);
    let (_, doctor, _) = run_on(TODAY, &shop, &["doctor"]);
    assert!(
        doctor.contains("4 rows in the embedded file, complete before 2025-11-20"),
        "{doctor}"
    );
    let model = ok(&shop, &["materialize", "--dbt"]);
    assert!(
        model.contains("orders_daily is kept in the embedded file"),
        "{model}"
    );
}

#[test]
fn texts_that_the_warehouse_compares_otherwise_are_not_kept_in_a_file() {
    let shop = shop();
    change(
        &shop,
        "CREATE TABLE visits (kind text COLLATE NOCASE, at text); INSERT INTO visits VALUES ('a', '2025-01-01'), ('B', '2025-01-02')",
    );
    let visits = "datasets: {visits: {table: visits, time: at, dimensions: {kind: {}, at: {type: date}}}}\n\
        metrics: {visits: {base_table: visits, agg: count}}\n\
        rollups: {visits_daily: {of: visits, grain: day, by: [kind], metrics: [visits], in: embedded}}\n";
    fs::write(shop.path().join("metrics/visits.yaml"), visits).unwrap();
    let (code, _, err) = run_on(TODAY, &shop, &["materialize", "visits_daily"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains(
            "visits_daily cannot be kept in a file: texts of kind that differ count as the same"
        ),
        "{err}"
    );
    assert!(
        err.contains("leave kind out, or keep the rollup in the warehouse"),
        "{err}"
    );
}

#[test]
fn personal_data_is_kept_in_no_file() {
    let shop = shop();
    let rollups = "\nrollups:\n  by_email: {of: orders, grain: day, by: [buyer.email], metrics: [gmv], in: embedded}\n";
    fs::write(
        shop.path().join("metrics/shop.yaml"),
        format!("{METRICS}{rollups}"),
    )
    .unwrap();
    let (code, _, err) = run_on(TODAY, &shop, &["materialize"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("the rollup by_email cannot be kept: buyer.email is personal data, which is kept in no file"),
        "{err}"
    );
}

#[test]
fn a_table_that_metrex_did_not_make_is_left_alone() {
    let shop = shop_with_a_rollup();
    change(
        &shop,
        "CREATE TABLE orders_daily (mine text); INSERT INTO orders_daily VALUES ('yes')",
    );
    let (code, _, err) = run_on(TODAY, &shop, &["materialize"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("table orders_daily already exists"), "{err}");
    change(&shop, "UPDATE orders_daily SET mine = 'still'");
    assert!(!ok(&shop, &["sql", LINE]).contains("orders_daily"));
}

#[test]
fn a_rollup_is_a_model_of_dbt() {
    let shop = shop_with_a_rollup();
    let model = ok(&shop, &["materialize", "--dbt"]);
    assert!(model.starts_with("-- models/orders_daily.sql\n{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day', alias='orders_daily') }}\n"), "{model}");
    assert!(model.contains("{% if is_incremental() %}"), "{model}");
    assert!(
        model.contains("WHERE day >= date((SELECT MAX(day) FROM {{ this }}), '-7 days')"),
        "{model}"
    );
}

#[test]
fn an_unknown_rollup_is_named() {
    let shop = shop_with_a_rollup();
    let (code, _, err) = run_on(TODAY, &shop, &["materialize", "orders_dayly"]);
    assert_eq!(code, 2);
    assert!(err.contains("there is no rollup 'orders_dayly'"), "{err}");
    assert!(err.contains("did you mean 'orders_daily'?"), "{err}");
}
