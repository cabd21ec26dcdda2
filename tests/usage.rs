//! The query log: counted, remembered, never lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use metrex::usage::{Facts, Outcome, QueryRecord, Usage};

fn record(line: &str, metrics: &[&str], outcome: Outcome) -> QueryRecord {
    QueryRecord {
        at: Timestamp::now(),
        line: line.to_owned(),
        facts: Facts {
            metrics: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
            ..Facts::default()
        },
        connection: "demo".to_owned(),
        ms: 12,
        rows: 3,
        outcome,
        ..QueryRecord::default()
    }
}

#[test]
fn answered_queries_of_the_last_90_days_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    usage.record(record("gmv by market", &["gmv"], Outcome::Ok));
    usage.record(record("gmv, aov", &["gmv", "aov"], Outcome::Ok));
    usage.record(record(
        "aov by nonsense",
        &["aov"],
        Outcome::Failed("no".to_owned()),
    ));
    let old = Timestamp::now() - (91 * 24).hours();
    usage.record(QueryRecord {
        at: old,
        ..record("orders", &["orders"], Outcome::Ok)
    });
    let counts = usage.counts(Timestamp::now()).unwrap();
    assert_eq!(
        (counts["gmv"], counts["aov"], counts.get("orders")),
        (2, 1, None)
    );
}

#[test]
fn what_was_used_lately_weighs_more_than_what_was_used_long_ago() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    let days_ago = |days: i64, metric: &str| QueryRecord {
        at: Timestamp::now() - (days * 24).hours(),
        ..record(metric, &[metric], Outcome::Ok)
    };
    usage.record(days_ago(0, "gmv"));
    usage.record(days_ago(40, "aov"));
    usage.record(days_ago(41, "aov"));
    usage.record(days_ago(91, "orders"));
    let weights = usage.frecency(Timestamp::now()).unwrap();
    assert!(weights["gmv"] > weights["aov"], "{weights:?}");
    assert!(weights["aov"] > 0 && !weights.contains_key("orders"));
    assert_eq!(usage.counts(Timestamp::now()).unwrap()["aov"], 2);
}

#[test]
fn history_has_every_line_once_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    usage.record(record("gmv", &["gmv"], Outcome::Failed("down".to_owned())));
    usage.record(record("aov", &["aov"], Outcome::Cancelled));
    usage.record(record("gmv", &["gmv"], Outcome::Ok));
    let history = usage.history(10).unwrap();
    let lines: Vec<_> = history
        .iter()
        .map(|entry| (entry.line.as_str(), &entry.outcome))
        .collect();
    assert_eq!(lines, [("gmv", &Outcome::Ok), ("aov", &Outcome::Cancelled)]);
    assert_eq!(
        (
            history[0].ms,
            history[0].rows,
            history[0].connection.as_str()
        ),
        (12, 3, "demo")
    );
    assert_eq!(usage.history(1).unwrap().len(), 1);
}

#[test]
fn what_was_recorded_is_there_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let usage = Usage::open(&file).unwrap();
    for number in 0..200 {
        usage.record(record(
            &format!("gmv limit {number}"),
            &["gmv"],
            Outcome::Ok,
        ));
    }
    drop(usage);
    assert_eq!(
        Usage::open(&file)
            .unwrap()
            .counts(Timestamp::now())
            .unwrap()["gmv"],
        200
    );
}

#[test]
fn a_killed_process_loses_nothing_that_was_written() {
    if let Some(file) = std::env::var_os("RECORD") {
        let usage = Usage::open(Path::new(&file)).unwrap();
        for number in 0.. {
            usage.record(record(
                &format!("gmv limit {number}"),
                &["gmv"],
                Outcome::Ok,
            ));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "a_killed_process_loses_nothing_that_was_written"])
        .env("RECORD", &file);
    let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
    let usage = Usage::open(&file).unwrap();
    let count = |usage: &Usage| {
        usage
            .counts(Timestamp::now())
            .unwrap()
            .get("gmv")
            .copied()
            .unwrap_or(0)
    };
    while count(&usage) < 20 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = count(&usage);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(usage);
    let usage = Usage::open(&file).unwrap();
    assert!(count(&usage) >= seen);
    assert_eq!(
        usage.history(usize::MAX).unwrap().len() as u64,
        count(&usage)
    );
}

#[test]
fn a_damaged_log_is_left_alone_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let text = "this was a database once ".repeat(100);
    std::fs::write(&file, &text).unwrap();
    let error = Usage::open(&file).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("usage.db is damaged and is left alone"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_log_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    drop(Usage::open(&file).unwrap());
    rusqlite::Connection::open(&file)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = Usage::open(&file).unwrap_err();
    assert!(error.to_string().contains("newer metrex"), "{error}");
}

/// The tables as they were before queries were recorded with what they are about.
const BEFORE: &str = "
CREATE TABLE queries (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL, line TEXT NOT NULL, connection TEXT NOT NULL,
    ms INTEGER NOT NULL, rows INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT);
CREATE INDEX queries_by_line ON queries (line, at);
CREATE TABLE query_metrics (query_id INTEGER NOT NULL REFERENCES queries (id) ON DELETE CASCADE, metric TEXT NOT NULL,
    PRIMARY KEY (query_id, metric)) WITHOUT ROWID;
CREATE INDEX query_metrics_by_metric ON query_metrics (metric);
CREATE TABLE model_calls (day DATE NOT NULL, model TEXT NOT NULL, calls INTEGER NOT NULL, tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL, cost REAL NOT NULL, PRIMARY KEY (day, model)) WITHOUT ROWID;
CREATE TABLE choices (words TEXT PRIMARY KEY, meaning TEXT NOT NULL, at TIMESTAMP NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE questions (question TEXT PRIMARY KEY, at TIMESTAMP NOT NULL) WITHOUT ROWID;
CREATE TABLE workspace (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
PRAGMA user_version = 5;
INSERT INTO queries VALUES (1, '2026-09-01T10:00:00.123456789Z', 'gmv by market', 'demo', 12, 6, 'ok', NULL),
    (4, '2026-09-01T10:01:00Z', 'gmv, aov', 'demo', 30, 1, 'ok', NULL), (5, '2026-09-02T10:00:00Z', 'gmv by market', 'live', 9, 0, 'failed', 'no such table');
INSERT INTO query_metrics VALUES (1, 'gmv'), (4, 'aov'), (4, 'gmv'), (5, 'gmv');
";

#[test]
fn a_log_of_an_older_version_is_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    rusqlite::Connection::open(&file)
        .unwrap()
        .execute_batch(BEFORE)
        .unwrap();
    let usage = Usage::open(&file).unwrap();
    usage.flush();
    let mut all = Vec::new();
    let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    usage.logged(first, last, &mut |one| all.push(one)).unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|one| {
            let record = &one.record;
            let metrics = record.facts.metrics.join("+");
            (
                one.id,
                record.at.to_string(),
                record.line.as_str(),
                metrics,
                record.connection.as_str(),
            )
        })
        .collect();
    let at = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (
                1,
                at("2026-09-01T10:00:00.123Z"),
                "gmv by market",
                at("gmv"),
                "demo"
            ),
            (
                4,
                at("2026-09-01T10:01:00Z"),
                "gmv, aov",
                at("aov+gmv"),
                "demo"
            ),
            (
                5,
                at("2026-09-02T10:00:00Z"),
                "gmv by market",
                at("gmv"),
                "live"
            ),
        ]
    );
    assert_eq!(
        all[2].record.outcome,
        Outcome::Failed("no such table".to_owned())
    );
    let counts = usage
        .counts("2026-09-03T00:00:00Z".parse().unwrap())
        .unwrap();
    assert_eq!((counts["gmv"], counts["aov"]), (2, 1));
    let lines: Vec<_> = usage
        .history(9)
        .unwrap()
        .into_iter()
        .map(|entry| entry.line)
        .collect();
    assert_eq!(lines, ["gmv by market", "gmv, aov"]);
}
