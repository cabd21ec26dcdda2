//! `metrex validate-sql`: files and stdin, findings with their place, exit codes, the engine's dry run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use project::{TODAY, shop};
use serde_json::Value;

struct Run {
    code: i32,
    out: String,
    err: String,
}

/// Runs `validate-sql` in a folder on a text from stdin.
fn validate(folder: &Path, sql: &[u8], arguments: &[&str]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join(".state"))
        .env("METREX_TODAY", TODAY)
        .args(["validate-sql", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(sql).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn good_sql_ends_with_0_and_says_nothing_on_stdout() {
    let folder = shop();
    let run = validate(
        folder.path(),
        b"SELECT market, SUM(amount) FROM orders GROUP BY market",
        &[],
    );
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.contains("0 notes"), "{}", run.err);
}

#[test]
fn a_finding_has_its_place_and_ends_with_1() {
    let folder = shop();
    let run = validate(folder.path(), b"SELECT market,\n  gmv\nFROM orders", &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.out
            .starts_with("stdin:2:3: error: unknown column 'gmv' of orders"),
        "{}",
        run.out
    );
}

#[test]
fn a_file_is_named_in_its_findings() {
    let folder = shop();
    std::fs::write(folder.path().join("draft.sql"), "DELETE FROM orders").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(folder.path())
        .env("METREX_STATE_DIR", folder.path().join(".state"))
        .args(["validate-sql", "draft.sql", "--offline"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        out,
        "draft.sql:1:1: error: DELETE is no query — write one SELECT\n"
    );
}

#[test]
fn json_has_the_findings_and_the_sql_that_would_run() {
    let folder = shop();
    let run = validate(
        folder.path(),
        b"SELECT * FROM orders -- all",
        &["--format", "json"],
    );
    assert_eq!(run.code, 0, "{}", run.out);
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(json["findings"][0]["code"], "star_expanded");
    let sql = json["sql"].as_str().unwrap();
    assert!(
        sql.contains("orders.market") && sql.contains("LIMIT"),
        "{sql}"
    );
}

#[test]
fn what_only_the_engine_knows_is_found_by_its_dry_run() {
    let folder = shop();
    // The definitions know the columns, SQLite knows that an aggregate cannot stand in an aggregate.
    let sql = b"SELECT SUM(COUNT(*)) FROM orders";
    let run = validate(folder.path(), sql, &[]);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.out.contains("misuse of aggregate"), "{}", run.out);
    assert_eq!(validate(folder.path(), sql, &["--offline"]).code, 0);
}

#[test]
fn columns_are_those_of_the_warehouse_where_it_answers() {
    let folder = shop();
    // No definition names it, but it is a column of the database.
    std::fs::write(
        folder.path().join("metrics/shop.yaml"),
        project::METRICS.replace("      note: {}\n", ""),
    )
    .unwrap();
    let sql = b"SELECT note, COUNT(*) FROM orders GROUP BY note";
    let run = validate(folder.path(), sql, &[]);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(validate(folder.path(), sql, &["--offline"]).code, 1);
}

#[test]
fn a_warehouse_that_is_not_there_is_a_note() {
    let folder = shop();
    let run = validate(
        folder.path(),
        b"SELECT COUNT(*) FROM orders",
        &["--connection", "gone"],
    );
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert!(
        run.out.contains("note: the warehouse was not asked"),
        "{}",
        run.out
    );
}

#[test]
fn text_that_is_no_text_is_refused_and_shown_safely() {
    let folder = shop();
    let run = validate(
        folder.path(),
        b"SELECT '\x1b]0;owned\x07', \xff\xfe FROM orders",
        &[],
    );
    assert_eq!(run.code, 1);
    assert!(!run.out.contains('\u{1b}'), "{:?}", run.out);
}

#[test]
fn a_metric_without_a_snippet_is_told() {
    let folder = shop();
    let run = validate(folder.path(), b"SELECT 1", &["--metric", "gmv"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("gmv has no snippet"), "{}", run.err);
    let run = validate(folder.path(), b"SELECT 1", &["--metric", "gmw"]);
    assert!(run.err.contains("did you mean 'gmv'"), "{}", run.err);
}
