//! Definitions held against a warehouse with planted faults, on every engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/engines.rs"]
mod engines;
#[path = "support/on_engine.rs"]
mod on_engine;
mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use metrex::registry::Severity;
use metrex::session::{LiveOptions, LiveReport};
use on_engine::{project, session};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const ROWS: &str = "
CREATE TABLE orders (id integer, user_id text, seller_id text, amount double precision, placed_on date);
INSERT INTO orders VALUES
  (1, 'u1', 's1', 10, '2025-08-03'), (2, 'u2', 's1', 20, '2025-09-03'), (3, 'u1', 's2', 30, '2025-10-03'),
  (4, 'u1', NULL, 5, '2025-10-04');
CREATE TABLE users (user_id text, segment text);
INSERT INTO users VALUES ('u1', 'SMB'), ('u2', 'ENT');
CREATE TABLE sellers (seller_id text, tier text, since date, until date);
INSERT INTO sellers VALUES
  ('s1', 'gold', '2025-01-01', '2025-09-01'), ('s1', 'plain', '2025-09-01', NULL), ('s2', 'plain', '2025-01-01', NULL);
CREATE TABLE orders_daily (placed_on date, amount double precision);
INSERT INTO orders_daily VALUES ('2025-08-03', 10), ('2025-09-03', 20), ('2025-10-03', 30), ('2025-10-04', 5);
";

const DEFINITIONS: &str = "
datasets:
  orders:
    table: orders
    key: id
    time: placed_on
    dimensions: {user_id: {}, placed_on: {type: date}}
    joins:
      buyer: {to: users, on: user_id}
      seller: {to: sellers, on: seller_id}
  users: {table: users, key: user_id, dimensions: {segment: {}}}
  sellers: {table: sellers, key: seller_id, valid: [since, until], dimensions: {tier: {}}}
  orders_daily: {table: orders_daily, time: placed_on, dimensions: {placed_on: {type: date}}}
metrics:
  gmv:
    agg: sum
    expr: amount
    sources:
      - {base_table: orders, use_when: uses(user_id)}
      - {base_table: orders_daily}
  orders: {base_table: orders, agg: count}
views:
  board: gmv by month
";

const OPTIONS: LiveOptions = LiveOptions {
    patience: Duration::from_secs(30),
    everything: false,
};

async fn check(folder: &Path) -> LiveReport {
    let session = session(folder);
    let cancel = CancellationToken::new();
    let mut shares = Vec::new();
    let progress = |at: metrex::session::LiveStep| shares.push(at.share);
    let report = session
        .check_live(OPTIONS, &cancel, progress)
        .await
        .unwrap();
    assert!(shares.is_sorted() && shares.iter().all(|share| *share < 1.0));
    report
}

fn told(report: &LiveReport) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_is_said_to_fit() {
    for engine in engines::everywhere(ROWS) {
        let folder = project(&engine, DEFINITIONS);
        let report = check(folder.path()).await;
        assert_eq!(told(&report), [""; 0], "{}", engine.name);
        assert_eq!(report.skipped, [], "{}", engine.name);
        // Four dimensions and two times, two metrics, a view, two joins, two keys, ranges, sources.
        assert!(report.checked >= 13, "{}", report.checked);
    }
}

/// A fault, and the code, severity and words of what is found, with its line.
type Fault = (&'static str, &'static str, Severity, u32, &'static str);

const FAULTS: [Fault; 6] = [
    (
        "INSERT INTO orders VALUES (5, 'u9', 's1', 0, '2025-10-05'), (6, 'u9', 's1', 0, '2025-10-05'), (7, 'u8', 's1', 0, '2025-10-05')",
        "orphans",
        Severity::Warning,
        9,
        "3 rows of orders lead to no row of users by user_id: u9 (2 rows), u8 (1 row)",
    ),
    (
        "INSERT INTO users VALUES ('u2', 'SMB')",
        "duplicates",
        Severity::Error,
        11,
        "user_id is no key of users, it stands in several rows: u2 (2 rows)",
    ),
    (
        "INSERT INTO sellers VALUES ('s1', 'gold', '2025-10-01', NULL)",
        "overlaps",
        Severity::Error,
        12,
        "rows of sellers with the same seller_id hold at the same time (since to until): s1 (1 row)",
    ),
    // An order before its seller was one.
    (
        "INSERT INTO orders VALUES (5, 'u1', 's2', 0, '2024-05-05')",
        "orphans",
        Severity::Warning,
        10,
        "1 row of orders leads to no row of sellers by seller_id: s2 (1 row)",
    ),
    (
        "INSERT INTO orders_daily VALUES ('2025-10-20', 65)",
        "sources",
        Severity::Error,
        15,
        "gmv is 35 from orders and 100 from orders_daily in 2025-10, 65.00% apart",
    ),
    (
        "INSERT INTO orders_daily VALUES ('2025-09-20', 0.5)",
        "sources",
        Severity::Warning,
        15,
        "gmv is 20 from orders and 20.5 from orders_daily in 2025-09, 2.44% apart",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn planted_faults_are_found_at_their_definitions() {
    for (fault, code, severity, line, words) in FAULTS {
        for engine in engines::everywhere(&format!("{ROWS};{fault}")) {
            let folder = project(&engine, DEFINITIONS);
            let report = check(folder.path()).await;
            let about = format!("{}: {fault}: {:?}", engine.name, told(&report));
            let [found] = report.findings.as_slice() else {
                panic!("{about}")
            };
            assert_eq!((found.code, found.severity), (code, severity), "{about}");
            assert_eq!(
                (found.file.as_str(), found.line),
                ("metrics/shop.yaml", line),
                "{about}"
            );
            assert!(found.message.contains(words), "{about}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_cannot_plan_is_found() {
    let definitions = DEFINITIONS
        .replace("{segment: {}}", "{segment: {column: segmnt}}")
        .replace(
            "orders: {base_table: orders, agg: count}",
            "orders: {base_table: orders, agg: sum, expr: amuont}",
        );
    for engine in engines::everywhere(ROWS) {
        let folder = project(&engine, &definitions);
        let report = check(folder.path()).await;
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|one| (one.code, one.line))
            .collect();
        assert_eq!(
            found,
            [("dry_run", 11), ("dry_run", 21)],
            "{}: {:?}",
            engine.name,
            told(&report)
        );
        assert!(
            report.findings[0].message.contains("segmnt"),
            "{:?}",
            told(&report)
        );
        assert!(
            report.findings[1].message.contains("amuont"),
            "{:?}",
            told(&report)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_no_example() {
    let definitions = DEFINITIONS.replace(
        "{user_id: {}, placed_on",
        "{user_id: {pii: true}, placed_on",
    );
    let rows = format!("{ROWS};{}", FAULTS[0].0);
    let engine = engines::everywhere(&rows).remove(0);
    let report = check(project(&engine, &definitions).path()).await;
    let [orphans] = report.findings.as_slice() else {
        panic!("{:?}", told(&report))
    };
    assert!(
        orphans.message.ends_with("by user_id"),
        "{}",
        orphans.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_cancelled() {
    let engine = engines::everywhere(ROWS).remove(0);
    let folder = project(&engine, DEFINITIONS);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let stopped = session(folder.path())
        .check_live(OPTIONS, &cancel, |_| {})
        .await;
    assert_eq!(stopped.unwrap_err().code(), "cancelled");
}

#[test]
fn the_command_prints_what_is_wrong_and_ends_with_two() {
    let rows = format!("{ROWS};{};{}", FAULTS[0].0, FAULTS[1].0);
    let engine = engines::everywhere(&rows).remove(0);
    let folder = project(&engine, DEFINITIONS);
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_metrex"))
            .current_dir(folder.path())
            .env("METREX_STATE_DIR", folder.path().join(".state"))
            .env("METREX_TODAY", "2025-11-20")
            .stdin(Stdio::null())
            .args(arguments)
            .output()
            .unwrap()
    };
    assert_eq!(
        run(&["check"]).status.code(),
        Some(0),
        "nothing is wrong in the files"
    );
    let output = run(&["check", "--live", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["code"])
        .collect();
    assert_eq!(codes, ["orphans", "duplicates"]);
    assert_eq!(found[1]["line"], 11);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("checked on main"), "{told}");
}
