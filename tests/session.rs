//! The engine's door as programs use it: answers, cache, search, completion, reload, state.
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
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use jiff::civil::date;
use metrex::model::{ColumnState, MetricQuery};
use metrex::session::cell::raw_text;
use metrex::session::{
    Answer, Failure, Field, OpenOptions, Overrides, ReindexOptions, RunEvent, RunOptions, Session,
};
use project::{METRICS, shop};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn open(folder: &TempDir) -> Session {
    open_at(folder.path()).unwrap()
}

fn open_at(folder: &Path) -> Result<Session, metrex::session::SessionError> {
    Session::open(OpenOptions {
        project: Some(folder.to_owned()),
        state_dir: Some(folder.join(".state")),
        today: Some(date(2025, 11, 20)),
        ..OpenOptions::default()
    })
}

/// The rows of an answer, as texts.
fn rows(answer: &Answer) -> Vec<Vec<Option<String>>> {
    let rows = |batch: &arrow_array::RecordBatch| {
        let row = |row| {
            batch
                .columns()
                .iter()
                .map(|array| raw_text(array.as_ref(), row))
                .collect()
        };
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    };
    answer.batches.iter().flat_map(rows).collect()
}

async fn ask(session: &Session, line: &str, options: RunOptions) -> Answer {
    let query: MetricQuery = line.parse().unwrap();
    session
        .answer(&query, options, CancellationToken::new())
        .await
        .unwrap()
}

async fn reindex(session: &Session) {
    session
        .reindex(&ReindexOptions::default(), |_| {}, CancellationToken::new())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn get_metric_is_one_call_from_name_to_rows() {
    let shop = shop();
    let overrides = Overrides {
        group_by: Some(vec!["market".parse().unwrap()]),
        filters: Some("channel = ads".parse().unwrap()),
        ..Overrides::default()
    };
    let answer = open(&shop).get_metric("turnover", overrides).await.unwrap();
    assert_eq!(answer.line, "gmv by market where channel = ads all time");
    let row = |market: &str, gmv: &str| vec![Some(market.to_owned()), Some(gmv.to_owned())];
    assert_eq!(
        rows(&answer),
        [row("ID", "2"), row("TH", "10"), row("VN", "6.24")]
    );
    assert_eq!(
        (answer.rows, answer.truncated, answer.cached),
        (3, false, None)
    );
    assert_eq!(answer.columns[1].label, "Gross merchandise value");
    assert!(answer.sql.contains("SELECT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_query_is_answered_from_memory_until_a_fresh_one_is_asked_for() {
    let shop = shop();
    let session = open(&shop);
    let first = ask(&session, "orders by market", RunOptions::default()).await;
    let again = ask(&session, "orders  by  market", RunOptions::default()).await;
    assert!(first.cached.is_none() && again.cached.is_some());
    assert_eq!(rows(&first), rows(&again));
    let fresh = ask(
        &session,
        "orders by market",
        RunOptions {
            fresh: true,
            row_cap: None,
        },
    )
    .await;
    assert!(fresh.cached.is_none());
    let shorter = ask(
        &session,
        "orders by market",
        RunOptions {
            fresh: false,
            row_cap: Some(1),
        },
    )
    .await;
    assert!(
        shorter.cached.is_none() && shorter.truncated,
        "another limit is another answer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_says_so_and_is_not_kept() {
    let shop = shop();
    let session = open(&shop);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let query: MetricQuery = "orders".parse().unwrap();
    let error = session
        .answer(&query, RunOptions::default(), cancel)
        .await
        .unwrap_err();
    assert_eq!(
        (error.failure, error.exit_code()),
        (Failure::Interrupted, 130)
    );
    assert!(
        ask(&session, "orders", RunOptions::default())
            .await
            .cached
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_is_in_the_history_and_counts() {
    let shop = shop();
    let session = open(&shop);
    ask(&session, "gmv, orders by market", RunOptions::default()).await;
    ask(&session, "gmv", RunOptions::default()).await;
    let lines: Vec<_> = session
        .history(10)
        .into_iter()
        .map(|entry| entry.line)
        .collect();
    assert_eq!(
        lines,
        ["gmv by none all time", "gmv, orders by market all time"]
    );
    assert_eq!(session.usage()["gmv"], 2);
    drop(session);
    let used = open(&shop).describe("gmv").unwrap().used;
    assert!(
        used.starts_with("2 queries in 30 days"),
        "it outlives the session: {used}"
    );
}

#[test]
fn search_wants_every_word_and_marks_the_letters() {
    let shop = shop();
    let session = open(&shop);
    let hits = session.search("gross comm");
    assert_eq!(
        hits.iter()
            .map(|hit| hit.metric.as_str())
            .collect::<Vec<_>>(),
        ["gmv"]
    );
    let label = hits[0]
        .matches
        .iter()
        .find(|found| found.field == Field::Label)
        .unwrap();
    assert_eq!(
        (label.text.as_str(), &label.indices[..5]),
        ("Gross merchandise value", &[0, 1, 2, 3, 4][..])
    );
    assert!(
        hits[0]
            .matches
            .iter()
            .any(|found| found.field == Field::Owner)
    );
    assert!(session.search("gross zebra").is_empty());
}

#[test]
fn search_lists_certified_metrics_first_and_deprecated_ones_last() {
    let all = open(&shop()).search("");
    let names: Vec<_> = all.iter().map(|hit| hit.metric.as_str()).collect();
    assert_eq!(names, ["gmv", "aov", "orders", "old_gmv"]);
    let gmv: Vec<_> = open(&shop())
        .search("gmv")
        .into_iter()
        .map(|hit| hit.metric)
        .collect();
    assert_eq!(
        (gmv.first().unwrap().as_str(), gmv.last().unwrap().as_str()),
        ("gmv", "old_gmv")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_offers_what_fits_at_the_cursor() {
    let shop = shop();
    let session = open(&shop);
    reindex(&session).await;
    let texts = |line: &str| -> Vec<String> {
        session
            .complete(line, line.len())
            .into_iter()
            .map(|completion| completion.text)
            .collect()
    };
    assert_eq!(texts("gm")[0], "gmv");
    assert_eq!(texts("gmv by mar")[0], "market");
    assert!(texts("gmv by ").contains(&"month".to_owned()));
    assert!(texts("gmv wh").contains(&"where".to_owned()));
    assert_eq!(texts("gmv where seg")[0], "segment");
    assert!(texts("gmv where market ").contains(&"not in (".to_owned()));
    assert_eq!(texts("gmv where market in (TH, "), ["TH", "VN", "ID"]);
    assert_eq!(texts("gmv where segment = enter"), ["Enterprise"]);
    assert_eq!(texts("gmv since ")[0], "2025-11");
    assert_eq!(texts("gmv by market order by g")[0], "gmv");
    let completion = &session.complete("gmv by mar where", 10)[0];
    assert_eq!(
        (completion.text.as_str(), completion.replace.clone()),
        ("market", 7..10)
    );
}

#[test]
fn completion_never_fails_on_odd_lines() {
    let shop = shop();
    let session = open(&shop);
    for line in [
        "",
        " ",
        "'",
        "gmv by \"",
        "gmv where market = 'T",
        "größe",
        "((((",
        "gmv,,",
        "gmv by ñandú where é = 'ü",
    ] {
        for cursor in 0..=line.len() + 1 {
            session.complete(line, cursor);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_say_what_is_known_of_them() {
    let shop = shop();
    let session = open(&shop);
    let metrics = ["gmv".to_owned()];
    assert_eq!(
        session.values(&metrics, "market", "", 10).state,
        ColumnState::Missing
    );
    reindex(&session).await;
    let markets = session.values(&metrics, "market", "", 2);
    assert_eq!(markets.state, ColumnState::Indexed { distinct: 3 });
    assert_eq!(markets.values, [("TH".to_owned(), 2), ("VN".to_owned(), 2)]);
    assert!(markets.updated_at.is_some());
    assert_eq!(
        session.values(&metrics, "segment", "smb", 10).values,
        [("SMB".to_owned(), 1)]
    );
    for name in ["Segment", "buyer.segment"] {
        assert_eq!(
            session.values(&metrics, name, "", 10).values.len(),
            2,
            "{name}"
        );
    }
    assert_eq!(
        session.values(&metrics, "country", "", 10).values.len(),
        3,
        "an alias"
    );
    for name in ["segment", "users.segment", "buyer.segment"] {
        assert_eq!(session.values(&[], name, "", 10).values.len(), 2, "{name}");
    }
    assert_eq!(
        session.values(&metrics, "email", "", 10).state,
        ColumnState::Pii
    );
}

#[test]
fn a_card_reaches_from_the_meaning_down_to_the_tables() {
    let card = open(&shop()).describe("aov").unwrap();
    assert_eq!(
        (card.label.as_str(), card.kind),
        ("Average order value", "derived")
    );
    let inputs: Vec<_> = card.lineage.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(inputs, ["gmv", "orders"]);
    let dataset = &card.lineage[0].from[0];
    assert_eq!(
        (dataset.name.as_str(), dataset.from[0].name.as_str()),
        ("orders", "orders")
    );
    assert!(
        card.dimensions
            .iter()
            .any(|choice| choice.name == "segment")
    );
    assert!(
        card.defined_at.starts_with("metrics/shop.yaml:"),
        "{}",
        card.defined_at
    );
    let unknown = open(&shop()).describe("aovv").unwrap_err();
    assert!(unknown.hint().unwrap().contains("'aov'"));
}

#[test]
fn a_file_that_got_worse_keeps_its_last_good_definitions() {
    let shop = shop();
    let session = open(&shop);
    let other = shop.path().join("metrics/other.yaml");
    fs::write(
        &other,
        "metrics:\n  returns: {base_table: orders, agg: count}\n",
    )
    .unwrap();
    let added = session.reload();
    assert!(added.changed && added.errors.is_empty());
    assert!(session.catalog().registry.metric("returns").is_some());

    fs::write(
        &other,
        "metrics:\n  returns: {base_table: ordrs, agg: count}\n",
    )
    .unwrap();
    let broken = session.reload();
    assert_eq!(broken.errors.len(), 1);
    assert_eq!(
        (broken.errors[0].file.as_str(), broken.errors[0].line),
        ("metrics/other.yaml", 2)
    );
    assert!(
        session.catalog().registry.metric("returns").is_some(),
        "the last good version stays"
    );
    assert_eq!(
        session.catalog().diagnostics.len(),
        1,
        "and what is wrong is known"
    );

    fs::write(
        shop.path().join("metrics/shop.yaml"),
        METRICS.replace("label: Orders", "label: All orders"),
    )
    .unwrap();
    session.reload();
    assert_eq!(
        session.catalog().registry.metric("orders").unwrap().label,
        "All orders",
        "sound files go on"
    );

    fs::write(
        &other,
        "metrics:\n  refunds: {base_table: orders, agg: count}\n",
    )
    .unwrap();
    let mended = session.reload();
    assert!(mended.changed && mended.errors.is_empty());
    assert!(
        session.catalog().registry.metric("returns").is_none(),
        "mended, what was removed is gone"
    );
}

#[test]
fn a_dataset_that_breaks_takes_no_metric_of_other_files_along() {
    let shop = shop();
    let other = shop.path().join("metrics/other.yaml");
    fs::write(
        &other,
        "metrics:\n  returns: {base_table: orders, agg: count}\n",
    )
    .unwrap();
    let session = open(&shop);
    fs::write(
        shop.path().join("metrics/shop.yaml"),
        METRICS.replace("table: orders\n", "tabel: orders\n"),
    )
    .unwrap();
    let broken = session.reload();
    assert!(!broken.errors.is_empty());
    assert!(session.catalog().registry.metric("returns").is_some());
    assert!(session.catalog().registry.metric("gmv").is_some());
}

#[test]
fn an_unchanged_project_is_not_a_new_generation() {
    let shop = shop();
    let session = open(&shop);
    let before = session.catalog().generation;
    assert!(!session.reload().changed);
    assert_eq!(session.catalog().generation, before);
}

#[test]
fn edits_on_disk_are_noticed() {
    let shop = shop();
    let session = open(&shop);
    let (sender, changes) = mpsc::channel();
    let watcher = session
        .watch(move || sender.send(()).unwrap_or_default())
        .unwrap();
    fs::write(shop.path().join("metrics/new.yaml"), "metrics: {}\n").unwrap();
    changes
        .recv_timeout(Duration::from_secs(20))
        .expect("the edit was not noticed");
    drop(watcher);
}

#[test]
fn a_folder_that_appears_later_is_watched_too() {
    let shop = shop();
    let session = open(&shop);
    let (sender, changes) = mpsc::channel();
    let _watcher = session
        .watch(move || sender.send(()).unwrap_or_default())
        .unwrap();
    let noticed = || {
        changes
            .recv_timeout(Duration::from_secs(20))
            .expect("the edit was not noticed");
        // Later reports of the same edit are not those of the next one.
        while changes.recv_timeout(Duration::from_millis(500)).is_ok() {}
    };
    fs::create_dir(shop.path().join("snippets")).unwrap();
    noticed();
    fs::write(shop.path().join("snippets/a.sql"), "select 1").unwrap();
    noticed();
}

#[test]
fn a_change_of_the_configuration_is_noticed_and_said() {
    let shop = shop();
    let session = open(&shop);
    let (sender, changes) = mpsc::channel();
    let _watcher = session
        .watch(move || sender.send(()).unwrap_or_default())
        .unwrap();
    let file = shop.path().join("metrex.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\ncache_ttl: 1h\n")).unwrap();
    changes
        .recv_timeout(Duration::from_secs(20))
        .expect("the edit was not noticed");
    assert!(session.reload().changed);
    let said = session.catalog().diagnostics[0].to_string();
    assert!(said.contains("restart to use"), "{said}");
    fs::write(&file, text).unwrap();
    session.reload();
    assert!(session.catalog().diagnostics.is_empty());
}

#[tokio::test]
async fn an_index_that_another_process_makes_anew_is_read_anew() {
    let shop = shop();
    let session = open(&shop);
    reindex(&session).await;
    let markets = |session: &Session| session.values(&[], "market", "", 9).values.len();
    let known = markets(&session);
    assert!(known > 0);
    let file = files_below(session.state().path())
        .into_iter()
        .find(|path| path.ends_with("value_index.db"))
        .unwrap();
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    assert_eq!(markets(&session), 0);
    reindex(&open(&shop)).await;
    assert_eq!(markets(&session), known);
}

#[tokio::test]
async fn a_connection_that_leads_elsewhere_has_no_values_of_before() {
    let shop = shop();
    reindex(&open(&shop)).await;
    let config = shop.path().join("metrex.yaml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("shop.db", "other.db")).unwrap();
    let values = open(&shop).values(&[], "market", "", 9);
    assert_eq!(values.state, ColumnState::Missing);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files_below(&path),
            path => vec![path],
        })
        .collect()
}

#[test]
fn connections_are_listed_without_secrets_and_switched_by_name() {
    let shop = shop();
    let config = "connections:\n  main: {type: sqlite, path: shop.db}\n  pg: {type: postgres, url: \"postgres://reader@db.example.com:5433/mart?sslmode=require\"}\n  later: {type: postgres, url: \"postgres://${METREX_TEST_USER_NOT_SET}@db/mart\"}\n";
    fs::write(shop.path().join("metrex.yaml"), config).unwrap();
    let session = open(&shop);
    let listed: Vec<_> = session
        .connections()
        .into_iter()
        .map(|info| (info.name, info.target))
        .collect();
    assert_eq!(
        listed[1],
        (
            "pg".to_owned(),
            "postgres://reader@db.example.com:5433/mart".to_owned()
        )
    );
    assert_eq!(session.connection(), "main");
    session.use_connection("pg").unwrap();
    let sql = session
        .compile(&"orders by month".parse().unwrap())
        .unwrap()
        .main
        .sql;
    assert!(sql.contains("date_trunc"), "{sql}");
    assert_eq!(
        session.use_connection("pgg").unwrap_err().hint(),
        Some("did you mean 'pg'?")
    );
    session.use_connection("later").unwrap();
    let unset = session.compile(&"orders".parse().unwrap());
    assert!(unset.is_ok(), "SQL can be seen without a connection");
}

#[tokio::test]
async fn a_run_ends_on_the_connection_it_began_on() {
    let shop = shop();
    let session = open(&shop);
    let query: MetricQuery = "orders by market".parse().unwrap();
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    // The run has to wait for a place before it can say that it started.
    let full = RecordBatch::new_empty(Arc::new(Schema::empty()));
    sender.send(RunEvent::Batch(full)).await.unwrap();
    let run = session.run(
        &query,
        RunOptions::default(),
        CancellationToken::new(),
        sender,
    );
    let switch = async {
        session.use_connection("gone").unwrap();
        while events.recv().await.is_some() {}
    };
    let (summary, ()) = tokio::join!(run, switch);
    assert!(summary.unwrap().rows > 0);
    assert_eq!(session.connection(), "gone");
}

#[test]
fn two_projects_never_share_their_state() {
    let (one, other) = (shop(), shop());
    let state = tempfile::tempdir().unwrap();
    let open = |project: &TempDir| {
        Session::open(OpenOptions {
            project: Some(project.path().to_owned()),
            state_dir: Some(state.path().to_owned()),
            ..OpenOptions::default()
        })
        .unwrap()
    };
    assert_ne!(open(&one).state().path(), open(&other).state().path());
    assert_eq!(open(&one).state().path(), open(&one).state().path());
}

#[test]
fn a_template_that_does_not_parse_is_refused_at_the_start_and_survived_later() {
    let shop = shop();
    fs::create_dir(shop.path().join("templates")).unwrap();
    let session = open(&shop);
    let path = shop.path().join("templates/simple_metric.sql.j2");
    fs::write(&path, "{% if %}").unwrap();
    let reload = session.reload();
    assert_eq!(reload.errors.len(), 1, "{:?}", reload.errors);
    assert!(
        session.compile(&"orders".parse().unwrap()).is_ok(),
        "the last good template stays"
    );
    assert_eq!(open_at(shop.path()).err().unwrap().exit_code(), 2);
}
