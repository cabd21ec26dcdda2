//! A project made of dbt's semantic layer answers like the SQL one would write by hand, whichever form it was written in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use metrex::session::{Imported, OpenOptions, OtherTool, RunOptions, Session, import};
use support::shop::texts;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Queries, and the rows worked out by hand from `tests/fixtures/dbt/cafe.sql`.
const ANSWERS: &[(&str, &[&str])] = &[
    ("order_total", &["50"]),
    ("orders", &["4"]),
    ("guests", &["2"]),
    ("food_orders", &["2"]),
    ("first_orders", &["2"]),
    ("food_share", &["0.5"]),
    (
        "orders_of_regulars by location__location_name",
        &["Harbour | 1", "Market | 1"],
    ),
    // Each side by its own time and table: 50 of orders over 3 customers.
    ("order_total_per_customer", &["16.666666667"]),
    (
        "order_total_growth by metric_time__month 2025-02..2025-03",
        &["2025-02-01 | -14", "2025-03-01 | -12"],
    ),
    (
        "order_total_so_far by metric_time__month",
        &["2025-01-01 | 30", "2025-02-01 | 46", "2025-03-01 | 50"],
    ),
    // The names of dbt, and the column that an entity is.
    (
        "orders by customer__customer_type",
        &["new | 1", "returning | 2", "- | 1"],
    ),
    ("orders by customer", &["c1 | 2", "c2 | 1", "- | 1"]),
    (
        "orders by order_id__is_food_order",
        &["false | 1", "true | 2", "- | 1"],
    ),
    (
        "orders by metric_time where order_id__is_food_order = true",
        &["2025-01-31 | 1", "2025-02-28 | 1"],
    ),
    (
        "orders by metric_time__extract_month",
        &["1 | 1", "2 | 2", "3 | 1"],
    ),
    // Numbers are compared as numbers: 10 is not less than 2.
    ("orders where order_id__number_of_order >= 2", &["2"]),
    ("orders where metric_time__month = 2025-02-01", &["2"]),
    ("orders where metric_time__month >= 2025-02-02", &["1"]),
    // The range is widened to whole months.
    (
        "orders by metric_time__month 2025-02-10..2025-02-20",
        &["2025-02-01 | 2"],
    ),
    (
        "orders by metric_time__month order by metric_time__month desc limit 1",
        &["2025-03-01 | 1"],
    ),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/dbt")
        .join(name)
}

/// The café's data, and a project made of `source` beside it.
async fn cafe(source: &Path) -> (TempDir, Imported) {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("cafe.db");
    let sql = fs::read_to_string(fixture("cafe.sql")).unwrap();
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.execute_batch(&sql).unwrap();
    let url = format!("sqlite:{}", database.display());
    let target = folder.path().join("project");
    let made = import(OtherTool::Dbt, source, &target, Some(&url))
        .await
        .unwrap();
    (folder, made)
}

fn open(folder: &TempDir) -> Session {
    Session::open(OpenOptions {
        project: Some(folder.path().join("project")),
        today: Some(jiff::civil::date(2026, 11, 20)),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap()
}

async fn rows(session: &Session, line: &str) -> Vec<String> {
    let query = line.parse().unwrap();
    let answer = session
        .answer(&query, RunOptions::default(), CancellationToken::new())
        .await;
    let answer = answer.unwrap_or_else(|error| panic!("{line}: {error} {:?}", error.hint()));
    texts(&answer.batches)
}

#[tokio::test]
async fn both_forms_answer_like_sql_by_hand() {
    for form in ["measures", "latest"] {
        let (folder, made) = cafe(&fixture(form)).await;
        assert!(made.problems.is_empty(), "{form}: {:?}", made.problems);
        let session = open(&folder);
        for (line, expected) in ANSWERS {
            assert_eq!(rows(&session, line).await, *expected, "{form}: {line}");
        }
    }
}

#[tokio::test]
async fn columns_keep_the_name_they_were_asked_by() {
    let (folder, _) = cafe(&fixture("measures")).await;
    let session = open(&folder);
    let names = |line: &str| {
        let compiled = session.compile(&line.parse().unwrap()).unwrap();
        let columns = compiled.main.columns.into_iter();
        columns.map(|column| column.name).collect::<Vec<_>>()
    };
    assert_eq!(
        names("orders by metric_time__month, location__location_name"),
        ["metric_time__month", "location__location_name", "orders"]
    );
    // dbt calls a time after its grain.
    assert_eq!(
        names("orders by metric_time"),
        ["metric_time__day", "orders"]
    );
    assert_eq!(names("orders by month"), ["month", "orders"]);
}

#[tokio::test]
async fn what_is_not_carried_over_is_said_with_its_line() {
    let (_folder, made) = cafe(&fixture("measures")).await;
    let notes: Vec<String> = made.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "orders.yml:148: order_metrics: exports are not carried over; a view is run by `metrex query`"
        ]
    );
}

#[tokio::test]
async fn a_saved_query_is_a_view() {
    let (folder, _) = cafe(&fixture("measures")).await;
    let session = open(&folder);
    let catalog = session.catalog();
    let view = &catalog.registry.views["order_metrics"];
    assert_eq!(view.description, "Orders by month.");
    assert_eq!(
        view.query.to_string(),
        "orders, order_total by month, location.location_name where customer__customer_type = returning"
    );
    let line = view.query.to_string();
    assert_eq!(
        rows(&session, &line).await,
        [
            "2025-01-01 | Harbour | 1 | 30",
            "2025-02-01 | Market | 1 | 10"
        ]
    );
}

#[tokio::test]
async fn nothing_that_exists_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("project");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("metrex.yaml"), "theme: dusk\n").unwrap();
    let error = import(OtherTool::Dbt, &fixture("latest"), &target, None)
        .await
        .unwrap_err();
    assert!(
        error
            .message
            .contains("has metrex.yaml already; nothing was written"),
        "{error}"
    );
    assert!(!target.join("metrics").exists());
}

#[tokio::test]
async fn a_folder_without_a_semantic_layer_says_so() {
    let folder = TempDir::new().unwrap();
    let error = import(
        OtherTool::Dbt,
        folder.path(),
        &folder.path().join("project"),
        None,
    )
    .await
    .unwrap_err();
    assert!(
        error.message.ends_with("holds no semantic models"),
        "{error}"
    );
}
