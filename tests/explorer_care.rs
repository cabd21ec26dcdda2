//! Care: connections are named and their guard is said, what looks expensive is asked about, and keys wait for answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/duckdb.rs"]
mod duckdb;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/explorer.rs"]
mod support;

use std::path::Path;

use jiff::civil::date;
use metrex::model::Guard;
use metrex::registry::{Care, Config};
use metrex::session::{Failure, OpenOptions, RunOptions, Session};
use metrex::tui::{Effect, Message, RunNews};
use metrex::warehouse::{WarehouseError, WarehouseErrorKind};
use support::Explorer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn config(connections: &str) -> Result<Config, String> {
    let read = Config::read(&format!("connections:\n{connections}"), Path::new("/p"));
    read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn production_asks_above_ten_million_rows_unless_it_says_otherwise() {
    let config = config(
        "  plain: {type: postgres}
  prod: {type: postgres, production: true}
  careful: {type: duckdb, path: x, production: true, ask_above_rows: 5}
  asked: {type: duckdb, path: x, ask_above_rows: 7}
  file: {type: sqlite, path: x, production: true}",
    )
    .unwrap();
    let care = |name: &str| config.care[name];
    let of = |production, ask_above_rows| Care {
        production,
        ask_above_rows,
    };
    assert_eq!(care("plain"), of(false, None));
    assert_eq!(care("prod"), of(true, Some(10_000_000)));
    assert_eq!(care("careful"), of(true, Some(5)));
    assert_eq!(care("asked"), of(false, Some(7)));
    assert_eq!(
        care("file"),
        of(true, None),
        "SQLite's plans have no numbers"
    );
}

#[test]
fn a_limit_that_could_not_be_kept_is_refused() {
    let said = config("  file: {type: sqlite, path: x, ask_above_rows: 5}").unwrap_err();
    assert!(said.contains("'ask_above_rows' does not belong"), "{said}");
    assert!(
        said.contains("SQLite's plans say nothing about rows"),
        "{said}"
    );
}

#[test]
fn what_guards_a_connection_is_said_as_it_is() {
    let config = config(
        "  file: {type: sqlite, path: x}
  pg: {type: postgres}
  duck: {type: duckdb, path: x}
  cloud: {type: adbc, driver: flightsql, dialect: spark}
  alloy: {type: adbc, driver: postgresql, dialect: postgres}",
    )
    .unwrap();
    let guard = |name: &str| config.connections[name].kind.guard();
    assert_eq!(guard("file"), Guard::File);
    assert_eq!(guard("pg"), Guard::Transaction);
    assert_eq!(guard("duck"), Guard::Transaction);
    assert_eq!(guard("alloy"), Guard::Transaction);
    assert_eq!(guard("cloud"), Guard::Nothing);
    assert_eq!(Guard::Nothing.word(), "NOT guarded by the engine");
}

const METRICS: &str = "
datasets:
  facts: {table: facts, dimensions: {kind: {}}}
metrics:
  facts: {label: Facts, base_table: facts, agg: count}
";

/// A session on one connection, called `prod`.
fn session(folder: &TempDir, connection: &str) -> Session {
    let project = folder.path().join("project");
    std::fs::create_dir_all(project.join("metrics")).unwrap();
    std::fs::write(
        project.join("metrex.yaml"),
        format!("connections:\n  prod: {connection}\n"),
    )
    .unwrap();
    std::fs::write(project.join("metrics/facts.yaml"), METRICS).unwrap();
    Session::open(OpenOptions {
        project: Some(project),
        today: Some(date(2026, 11, 20)),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// How many rows there are, or why nothing has run.
async fn run(session: &Session, line: &str) -> Result<u64, String> {
    let (options, cancel) = (RunOptions::default(), CancellationToken::new());
    let query = line.parse().unwrap();
    match session.answer(&query, options, cancel).await {
        Ok(answer) => Ok(answer.rows),
        Err(error) => {
            assert_eq!(error.failure, Failure::Expensive, "{error}");
            Err(error.message)
        }
    }
}

/// Plans of 30,000 rows, against limits on both sides of that.
async fn assert_asks(folder: &TempDir, connection: impl Fn(&str) -> String) {
    let asks = session(folder, &connection("ask_above_rows: 5000")).asking();
    let found = run(&asks, "facts by kind").await.expect_err("it asks");
    let about = found.split("about ").nth(1).unwrap();
    let rows: String = about.chars().take_while(|c| *c != ' ').collect();
    let rows: u64 = rows.replace(',', "").parse().unwrap();
    assert!((20_000..=40_000).contains(&rows), "{rows}");
    let said = "more than the 5,000 that prod asks above";
    assert!(found.contains(said), "{found}");

    // Whoever cannot be asked is not; and what is kept costs nothing.
    assert_eq!(run(&asks.anyway(), "facts by kind").await, Ok(3));
    assert_eq!(run(&asks, "facts by kind").await, Ok(3));

    let runs = session(folder, &connection("ask_above_rows: 100000")).asking();
    assert_eq!(run(&runs, "facts by kind").await, Ok(3));
    let never = session(folder, &connection("row_cap: 100")).asking();
    assert_eq!(run(&never, "facts by kind").await, Ok(3));
}

const ROWS: &str =
    "CREATE TABLE facts AS SELECT i % 3 AS kind FROM generate_series(1, 30000) AS s(i)";

#[tokio::test]
async fn the_plan_of_duckdb_is_asked_first() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("facts.duckdb");
    let Some(library) = duckdb::library() else {
        return;
    };
    duckdb::execute(&path, ROWS);
    let (path, library) = (path.display(), library.display());
    assert_asks(&folder, |key| {
        format!("{{type: duckdb, path: {path}, library: {library}, {key}}}")
    })
    .await;
}

#[tokio::test]
async fn the_plan_of_postgresql_is_asked_first() {
    let Some(server) = postgres::Cluster::shared() else {
        return;
    };
    let url = server.url();
    server.psql(&format!(
        "DROP TABLE IF EXISTS facts; {ROWS}; ANALYZE facts"
    ));
    let folder = TempDir::new().unwrap();
    assert_asks(&folder, |key| {
        format!("{{type: postgres, url: '{url}', {key}}}")
    })
    .await;
}

/// An explorer whose run was found to be expensive.
fn asked(explorer: &mut Explorer) {
    explorer.hold = true;
    explorer.keys("gmv");
    explorer.hold = false;
    explorer.release();
    explorer.keys("<Enter>");
    explorer.hold = true;
    explorer.keys("<F5>");
    let run = explorer.held.iter().find_map(|effect| match effect {
        Effect::Run {
            generation, anyway, ..
        } => Some((*generation, *anyway)),
        _ => None,
    });
    let (generation, anyway) = run.expect("it is run");
    assert!(!anyway);
    explorer.held.clear();
    let error = WarehouseError {
        kind: WarehouseErrorKind::Expensive,
        message: "A step of the plan handles about 120,000,000 rows.".to_owned(),
        hint: None,
    };
    explorer.tell(Message::Run {
        generation,
        news: RunNews::Ended(Err(error.into())),
    });
}

#[test]
fn what_looks_expensive_runs_after_a_yes() {
    let mut explorer = Explorer::new(80, 24);
    asked(&mut explorer);
    assert_shows!(explorer, "handles about 120,000,000 rows", "y yes");
    explorer.keys("y");
    let anyway = explorer
        .held
        .iter()
        .any(|effect| matches!(effect, Effect::Run { anyway: true, .. }));
    assert!(anyway);

    let mut explorer = Explorer::new(80, 24);
    asked(&mut explorer);
    explorer.keys("n");
    assert!(explorer.held.is_empty(), "nothing runs");
    assert_shows!(explorer, "F5 runs");
}

#[test]
fn keys_that_come_before_the_answer_wait_for_it() {
    let mut explorer = Explorer::new(80, 24);
    explorer.hold = true;
    // The list still has all metrics, another one first.
    explorer.keys("visits<Enter><F5>");
    assert_eq!(explorer.line(), "");
    explorer.release();
    assert_eq!(explorer.line(), "visits");
    let runs = explorer.state.result.query.to_string();
    assert_eq!(runs, "visits");

    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>");
    explorer.hold = true;
    explorer.keys("gmarket<Enter><Esc>");
    explorer.release();
    assert!(explorer.line().contains("by market"), "{}", explorer.line());
    assert!(explorer.state.popups.is_empty());
}
