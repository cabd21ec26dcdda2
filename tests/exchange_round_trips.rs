//! What is written for another tool and read back means what it did, and what cannot be said there is reported.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;
#[path = "support/exchange.rs"]
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use metrex::govern::fingerprint;
use metrex::model::Relation;
use metrex::session::{Judgement, Judging, OpenOptions, OtherTool, Session, import};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tools::{Shop, answer, fixture, notes};

const TABLES: [(OtherTool, &str); 5] = [
    (OtherTool::Cube, "cube"),
    (OtherTool::Snowflake, "snowflake"),
    (OtherTool::Databricks, "databricks"),
    (OtherTool::Lightdash, "lightdash"),
    (OtherTool::Lookml, "lookml"),
];

/// Queries of `ours.yaml`, with the metric that each is about.
const OURS: &[(&str, &str)] = &[
    ("revenue", "revenue by channel"),
    ("revenue", "turnover by month 2025-01..2025-04"),
    ("orders_made", "orders_made by buyer.segment"),
    (
        "orders_made",
        "orders_made by seller.first_name where status <> 'cancelled'",
    ),
    ("buyers", "buyers by status"),
    ("large_orders", "large_orders"),
    ("ads_orders", "ads_orders by month 2025-01..2025-04"),
    ("web_or_shop", "web_or_shop"),
    ("austrian_orders", "austrian_orders by channel"),
    ("biggest", "biggest by is_large"),
    ("typical", "typical by channel"),
    ("mean_tax", "mean_tax"),
    ("items", "items by product, channel"),
    ("tax_rate", "tax_rate by channel"),
    ("ads_share", "ads_share by month 2025-01..2025-04"),
    ("per_buyer", "per_buyer"),
    ("web_share", "web_share by seller.segment"),
    ("items_per_order", "items_per_order by channel"),
    ("revenue_before", "revenue_before by month 2025-02..2025-04"),
    ("growth", "growth by month 2025-02..2025-04"),
    ("revenue_so_far", "revenue_so_far by month 2025-01..2025-04"),
    ("orders_40d", "orders_40d by day 2025-02-01..2025-02-12"),
    ("revenue_ytd", "revenue_ytd by month 2025-01..2025-04"),
    ("balance", "balance by month 2025-01..2025-02"),
];

/// Ours, written for a format and read back, but for some metrics. `rename` says how a query is written there. What is
/// `reworded` answers the same, in other words; every other metric has the very meaning that it had.
async fn assert_ours(
    shop: &Shop,
    tool: OtherTool,
    without: &[&str],
    reworded: &[&str],
    rename: impl Fn(&str) -> String,
) -> Vec<String> {
    let before = shop.ours();
    let written = shop.at("ours_written");
    let export = before.export(tool);
    export.write(&written).unwrap();
    shop.import(tool, &written, "ours_again").await;
    let after = shop.open("ours_again");
    let mut wrong = Vec::new();
    let (ours, theirs) = (before.catalog(), after.catalog());
    for (name, metric) in &ours.registry.metrics {
        if let Some(other) = theirs.registry.metrics.get(name) {
            let is_same =
                fingerprint(&ours.registry, metric) == fingerprint(&theirs.registry, other);
            if is_same == reworded.contains(&name.as_str()) {
                wrong.push(format!("{name}: the same meaning: {is_same}"));
            }
        }
    }
    for (metric, line) in OURS {
        let there = after.catalog().registry.metrics.contains_key(*metric);
        if there == without.contains(metric) {
            wrong.push(format!("{metric}: {there}"));
        }
        if there {
            let (mut theirs, mut ours) = (
                answer(&after, &rename(line)).await,
                answer(&before, line).await,
            );
            theirs.sort();
            ours.sort();
            if theirs != ours {
                wrong.push(format!("{line}: {theirs:?} and not {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    notes(&export.notes)
}

#[tokio::test]
async fn what_cube_can_say_comes_back() {
    let shop = Shop::new();
    let notes = assert_ours(
        &shop,
        OtherTool::Cube,
        &["balance"],
        &["web_or_shop", "tax_rate", "web_share", "growth"],
        str::to_owned,
    )
    .await;
    assert_eq!(
        notes,
        ["metrics/all.yaml:69: the metric balance is left out: Cube adds up snapshots",]
    );
}

#[tokio::test]
async fn what_a_semantic_view_can_say_comes_back() {
    let shop = Shop::new();
    let without = [
        "austrian_orders",
        "revenue_before",
        "growth",
        "revenue_so_far",
        "orders_40d",
        "revenue_ytd",
    ];
    let notes = assert_ours(
        &shop,
        OtherTool::Snowflake,
        &without,
        &["large_orders", "web_or_shop", "web_share"],
        str::to_owned,
    )
    .await;
    assert_eq!(
        notes,
        [
            "metrics/all.yaml:50: the metric austrian_orders is left out: a semantic view has one way from orders to buyer.city",
            "metrics/all.yaml:64: the metric revenue_before is left out: a semantic view has no metric of some time ago",
            "metrics/all.yaml:65: the metric growth is left out: a semantic view has no metric of some time ago",
            "metrics/all.yaml:66: the metric revenue_so_far is left out: a semantic view accumulates only in its queries",
            "metrics/all.yaml:67: the metric orders_40d is left out: a semantic view accumulates only in its queries",
            "metrics/all.yaml:68: the metric revenue_ytd is left out: a semantic view accumulates only in its queries",
            "metrics/all.yaml:33: revenue: label, format, owner, category, tags not carried over",
            "metrics/all.yaml:55: tax_rate: format not carried over",
            "metrics/all.yaml:10: orders.channel: label not carried over",
            "metrics/all.yaml:3: orders: its database is to be added to base_table",
            "metrics/all.yaml:17: customers: its database is to be added to base_table",
            "metrics/all.yaml:22: cities: its database is to be added to base_table",
            "metrics/all.yaml:23: line_items: its database is to be added to base_table",
            "metrics/all.yaml:28: balances: its database is to be added to base_table",
        ]
    );
}

#[tokio::test]
async fn what_metric_views_can_say_comes_back() {
    let shop = Shop::new();
    let rename = |line: &str| {
        let line = line.replace("buyer.segment", "buyer_segment");
        let line = line.replace("seller.segment", "seller_segment");
        line.replace("seller.first_name", "seller_first_name")
    };
    let without = ["items_per_order"];
    // A metric view names no key of its source, and its dimensions are those of all that it joins.
    let all: Vec<&str> = OURS.iter().map(|(metric, _)| *metric).collect();
    let all: Vec<&str> = all
        .into_iter()
        .filter(|metric| *metric != "balance")
        .collect();
    let notes = assert_ours(&shop, OtherTool::Databricks, &without, &all, rename).await;
    assert_eq!(
        notes,
        [
            "metrics/all.yaml:63: the metric items_per_order is left out: it is over several tables, and a metric view over one",
            "metrics/all.yaml:33: revenue: owner, category, tags not carried over",
        ]
    );
}

#[tokio::test]
async fn what_lightdash_can_say_comes_back() {
    let shop = Shop::new();
    let without = [
        "balance",
        "revenue_before",
        "growth",
        "revenue_so_far",
        "orders_40d",
        "revenue_ytd",
    ];
    let rename = |line: &str| line.replace("turnover", "revenue");
    let notes = assert_ours(
        &shop,
        OtherTool::Lightdash,
        &without,
        &[
            "revenue",
            "buyers",
            "large_orders",
            "web_or_shop",
            "biggest",
            "typical",
            "tax_rate",
            "per_buyer",
            "web_share",
        ],
        rename,
    )
    .await;
    assert_eq!(
        notes,
        [
            "metrics/all.yaml:64: the metric revenue_before is left out: Lightdash has no metric of some time ago",
            "metrics/all.yaml:65: the metric growth is left out: Lightdash has no metric of some time ago",
            "metrics/all.yaml:66: the metric revenue_so_far is left out: Lightdash accumulates what a result shows",
            "metrics/all.yaml:67: the metric orders_40d is left out: Lightdash accumulates what a result shows",
            "metrics/all.yaml:68: the metric revenue_ytd is left out: Lightdash accumulates what a result shows",
            "metrics/all.yaml:69: the metric balance is left out: Lightdash adds up snapshots",
            "metrics/all.yaml:33: revenue: other names, category, tags not carried over",
            "metrics/all.yaml:10: orders.channel: other names not carried over",
        ]
    );
}

#[tokio::test]
async fn what_lookml_can_say_comes_back() {
    let shop = Shop::new();
    let without = ["balance", "revenue_so_far", "orders_40d", "revenue_ytd"];
    let notes = assert_ours(
        &shop,
        OtherTool::Lookml,
        &without,
        &[
            "buyers",
            "large_orders",
            "web_or_shop",
            "austrian_orders",
            "tax_rate",
            "per_buyer",
            "web_share",
        ],
        str::to_owned,
    )
    .await;
    assert_eq!(
        notes,
        [
            "metrics/all.yaml:66: the metric revenue_so_far is left out: Looker accumulates what a result shows",
            "metrics/all.yaml:67: the metric orders_40d is left out: Looker accumulates what a result shows",
            "metrics/all.yaml:68: the metric revenue_ytd is left out: Looker accumulates what a result shows",
            "metrics/all.yaml:69: the metric balance is left out: Looker adds up snapshots",
            "metrics/all.yaml:33: revenue: owner, category, tags not carried over",
        ]
    );
}

/// Every definition of a project is there again after the way through a format, or a note names it.
async fn assert_accounted_for(session: &Session, tool: OtherTool, folder: &Path) -> Vec<String> {
    let export = session.export(tool);
    let (written, target) = (folder.join("written"), folder.join("again"));
    export.write(&written).unwrap();
    let made = import(tool, &written, &target, None).await.unwrap();
    let again = Session::open(OpenOptions {
        project: Some(target),
        ..OpenOptions::default()
    })
    .unwrap();
    let said: Vec<String> = [notes(&export.notes), notes(&made.notes)].concat();
    let is_said = |name: &str| {
        let is_word = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
        let mut words = said.iter().flat_map(|note| note.split(is_word));
        words.any(|word| word == name)
    };
    let (before, after) = (session.catalog(), again.catalog());
    let mut lost = made.problems.clone();
    for note in notes(&made.notes) {
        let is_one = ["the metric ", "the measure ", "the join "];
        let is_lost = is_one.iter().any(|word| note.contains(word));
        if is_lost && note.contains(" is left out: ") {
            lost.push(note);
        }
    }
    for (name, metric) in &before.registry.metrics {
        let Some(other) = after.registry.metrics.get(name) else {
            if !is_said(name) {
                lost.push(format!("the metric {name}"));
            }
            continue;
        };
        for (what, is_kept) in [
            ("description", metric.description == other.description),
            ("label", metric.label == other.label),
            ("format", metric.format.kind == other.format.kind),
            ("tests", metric.tests.len() == other.tests.len()),
        ] {
            let note = |note: &String| note.contains(&format!(": {name}: ")) && note.contains(what);
            if !is_kept && !said.iter().any(note) {
                lost.push(format!("{what} of {name}"));
            }
        }
    }
    let is_snippet = |name: &String| {
        let metric = before.registry.metrics.get(name);
        metric.is_some_and(|metric| metric.kind.word() == "complex")
    };
    for (name, dataset) in &before.registry.datasets {
        let mut all = after.registry.datasets.values();
        let is_there = match tool {
            // Views are called by the joins that lead there, and those without metrics by none.
            OtherTool::Databricks => all.any(|one| match (&one.relation, &dataset.relation) {
                (Relation::Sql(one), Relation::Sql(other)) => one.trim() == other.trim(),
                (one, other) => one == other,
            }),
            _ => after.registry.datasets.contains_key(name),
        };
        if !is_there && !is_said(name) && !is_snippet(name) {
            lost.push(format!("the dataset {name}"));
        }
    }
    for name in before.registry.views.keys() {
        if !is_said(name) && !after.registry.views.contains_key(name) {
            lost.push(format!("the saved query {name}"));
        }
    }
    for name in before.registry.analyses.keys() {
        if !is_said(name) {
            lost.push(format!("the analysis {name}"));
        }
    }
    assert_eq!(lost, [""; 0], "{tool:?}");
    said
}

#[tokio::test]
async fn nothing_of_the_demo_is_lost_in_silence() {
    let folder = TempDir::new().unwrap();
    let demo = Session::open(OpenOptions {
        project: Some(env!("CARGO_MANIFEST_DIR").into()),
        state_dir: Some(folder.path().join("state")),
        ..OpenOptions::default()
    })
    .unwrap();
    for (tool, name) in TABLES {
        assert_accounted_for(&demo, tool, &folder.path().join(name)).await;
    }
    for (tool, name) in [(OtherTool::Dbt, "dbt"), (OtherTool::Ossie, "ossie")] {
        assert_accounted_for(&demo, tool, &folder.path().join(name)).await;
    }
}

/// What stands in a project beside the numbers, and what no other tool has words for.
const RARE: &str = r#"
datasets:
  days:
    table: days
    key: day
    entity: daily
    time: taken_on
    stored_in: Europe/Vienna
    partition: loaded
    dimensions:
      taken_on: {column: day, type: date, time_grain: month}
      taken_at: {type: time}
      loaded: {type: date}
      who: {pii: true, format: {kind: duration}}
      place: {value_aliases: {AT: [Austria]}}
  query: {sql: "SELECT * FROM days", key: day, time: taken_on, dimensions: {taken_on: {column: day, type: date}}}
metrics:
  old:
    base_table: days
    agg: count
    status: deprecated
    successor: new
    history: [{step: deprecated, by: Ada, on: 2026-11-01, why: Counted twice.}]
    fill: 0
    tests: [{query: "", at_least: 1}]
  new: {base_table: query, agg: count}
  newer: {expr: new * 2}
views: {weekly: "old by week"}
canonical_datasets: {days: {kind: fact, dataset: days, grain: day}}
calendar: {week_start: sunday}
"#;

#[tokio::test]
async fn what_no_other_tool_has_words_for_is_said() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("rare");
    fs::create_dir_all(root.join("metrics")).unwrap();
    let (metrics, config) = RARE.split_once("calendar:").unwrap();
    fs::write(root.join("metrics/all.yaml"), metrics).unwrap();
    fs::write(root.join("metrex.yaml"), format!("calendar:{config}")).unwrap();
    let session = Session::open(OpenOptions {
        project: Some(root),
        ..OpenOptions::default()
    })
    .unwrap();
    assert!(
        session.catalog().diagnostics.is_empty(),
        "{:?}",
        session.catalog().diagnostics
    );
    for (tool, name) in TABLES {
        let said = assert_accounted_for(&session, tool, &folder.path().join(name)).await;
        for word in [
            "days: entity, partition, the time zone of its times not carried over",
            "other names of its values",
            "that it is personal",
            "format",
            "successor",
            "history",
            "tests",
            "the value without rows",
            "the saved query weekly is left out",
            "what is canonical about days is left out",
            "the day that a week starts on",
        ] {
            assert!(
                said.iter().any(|note| note.contains(word)),
                "{tool:?} {word}: {said:#?}"
            );
        }
        let needs_tables = matches!(tool, OtherTool::Snowflake | OtherTool::Lightdash);
        let is_left_out = |name: &str| {
            let text = format!("the metric {name} is left out");
            said.iter().any(|note| note.contains(&text))
        };
        assert_eq!(is_left_out("new"), needs_tables, "{said:#?}");
        assert_eq!(is_left_out("newer"), needs_tables, "{said:#?}");
    }
}

/// A project that is there already stays as it is.
#[tokio::test]
async fn nothing_is_written_over() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("project");
    fs::create_dir_all(target.join("metrics")).unwrap();
    let kept = "metrics: {}\n# mine\n";
    fs::write(target.join("metrics/orders.yaml"), kept).unwrap();
    for (tool, name) in TABLES {
        let made = import(tool, &fixture(name), &target, None).await;
        let error = made.unwrap_err().to_string();
        assert!(
            error.contains("metrics/orders.yaml already; nothing was written"),
            "{error}"
        );
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
        assert_eq!(fs::read_dir(target.join("metrics")).unwrap().count(), 1);
    }
    assert_eq!(
        fs::read_to_string(target.join("metrics/orders.yaml")).unwrap(),
        kept
    );
    let ours = Shop::new().ours();
    let written = folder.path().join("written");
    ours.export(OtherTool::Lookml).write(&written).unwrap();
    let error = ours.export(OtherTool::Lookml).write(&written).unwrap_err();
    assert!(error.to_string().contains("nothing was written"), "{error}");
}

/// Whatever a file holds: it is read, noted, or refused with its place; nothing is half-written.
#[tokio::test]
async fn broken_files_are_refused_with_their_place() {
    let folder = TempDir::new().unwrap();
    let deep = format!("cubes: {}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_sql = format!(
        "view: a {{ dimension: b {{ sql: {}1{} ;; }} }}",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("broken.yml", b"cubes:\n  - name: a\n   joins: [".to_vec()),
        ("bytes.yml", vec![0xff, 0xfe, 0x00, b'a']),
        ("scalar.yml", b"42".to_vec()),
        ("types.yml", b"cubes: 7\ntables: {a: 1}\nmodels: [1, [2], null]\nsource: [1]\nmeasures: {}".to_vec()),
        ("wrong.yml", b"cubes:\n  - name: [a]\n    measures: {x: 1}\n    dimensions: 4\n    joins: no\n".to_vec()),
        ("deep.yml", deep.into_bytes()),
        ("empty.yml", Vec::new()),
        ("broken.view.lkml", b"view: a {\n  dimension: }".to_vec()),
        ("bytes.view.lkml", vec![b'v', 0xff, 0xfe]),
        ("deep.view.lkml", deep_sql.into_bytes()),
        ("odd.view.lkml", b"view: { dimension: [a] measure: \"x\" } view: b { extends: [b] measure: c { type: sum sql: ${c} ;; } dimension: d { sql: ${e} ;; } dimension: e { sql: ${d} ;; } }".to_vec()),
        ("empty.view.lkml", Vec::new()),
    ];
    for (name, text) in cases {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        for (tool, word) in TABLES {
            let target = folder.path().join(format!("{name}-{word}"));
            match import(tool, &file, &target, None).await {
                Ok(made) => assert_eq!(made.problems, [""; 0], "{name} {word}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains(name), "{word}: {error}");
                    assert!(!target.exists(), "{name} {word}");
                }
            }
        }
    }
}

/// What another tool means otherwise is proposed in its own words for the numbers and in ours for people; nothing is
/// written over.
#[tokio::test]
async fn an_import_into_a_project_is_proposed() {
    let shop = Shop::new();
    let ours = shop.ours();
    let definitions = shop.at("ours/metrics/all.yaml");
    let kept = fs::read_to_string(&definitions).unwrap();
    let written = shop.at("theirs");
    ours.export(OtherTool::Cube).write(&written).unwrap();
    let by = || "dana".to_owned();
    let propose = |from: OtherTool| {
        let written = written.clone();
        let ours = ours.clone();
        async move {
            ours.propose_import(from, &written, by(), CancellationToken::new())
                .await
        }
    };

    let before = propose(OtherTool::Cube).await.unwrap();
    assert!(
        !before.files.contains(&"proposals/revenue.yaml".to_owned()),
        "{before:?}"
    );
    assert!(before.same > 10, "{before:?}");
    let _ = fs::remove_dir_all(shop.at("ours/proposals"));

    let mut changed = 0;
    for file in walk(&written) {
        let text = fs::read_to_string(&file).unwrap();
        let other = text.replace("<> 'cancelled'", "<> 'returned'");
        changed += usize::from(other != text);
        fs::write(&file, other).unwrap();
    }
    assert!(changed > 0);
    let strange = "cubes:\n  - name: nowhere\n    sql_table: nowhere\n    measures:\n      - {name: visits, type: count}\n";
    fs::write(written.join("nowhere.yml"), strange).unwrap();
    let done = propose(OtherTool::Cube).await.unwrap();
    assert!(
        done.files.contains(&"proposals/revenue.yaml".to_owned()),
        "{done:?}"
    );
    let (_, reason) = done
        .left_out
        .iter()
        .find(|(metric, _)| metric == "visits")
        .unwrap();
    assert!(reason.contains("nowhere"), "{reason}");
    assert_eq!(fs::read_to_string(&definitions).unwrap(), kept);

    let review = ours.review("revenue").unwrap();
    assert_eq!(
        review.from.and_then(|from| from.words()),
        Some("from an import")
    );
    let after = review.definition.after.unwrap();
    assert!(after.contains("<> 'returned'"), "{after}");
    assert!(
        after.contains("owner: Finance") && after.contains("aliases: [turnover]"),
        "{after}"
    );
    let again = propose(OtherTool::Cube).await.unwrap();
    assert!(again.files.is_empty(), "{again:?}");
    let (_, reason) = again
        .left_out
        .iter()
        .find(|(metric, _)| metric == "revenue")
        .unwrap();
    assert!(
        reason.contains("there is a proposal for 'revenue' already"),
        "{reason}"
    );
}

/// What an import would get wrong in silence is said, with what to do about it.
#[tokio::test]
async fn an_import_proposes_nothing_that_means_something_else_here() {
    let shop = Shop::new();
    let ours = shop.ours();
    let theirs = shop.at("theirs");
    fs::create_dir_all(&theirs).unwrap();
    let cube = "\
cubes:
  - name: orders
    sql_table: orders_v2
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: created_at, sql: shipped_on, type: time}
    measures:
      - {name: revenue, type: sum, sql: amount}
      - {name: turnover, type: sum, sql: amount * 2}
      - {name: paid, type: sum, sql: amount * 3}
      - {name: paid_share, type: number, sql: \"{paid} / {revenue}\"}
";
    fs::write(theirs.join("orders.yml"), cube).unwrap();
    let propose = async || {
        let importing = ours.propose_import(
            OtherTool::Cube,
            &theirs,
            "dana".to_owned(),
            CancellationToken::new(),
        );
        importing.await.unwrap()
    };
    let reason = |done: &metrex::session::ImportProposed, metric: &str| {
        let mut left_out = done.left_out.iter();
        let found = left_out.find(|(name, _)| name == metric);
        found.map_or_else(|| format!("{done:?}"), |(_, reason)| reason.clone())
    };
    let done = propose().await;
    let mut files = done.files.clone();
    files.sort();
    assert_eq!(files, ["proposals/paid.yaml", "proposals/revenue.yaml"]);
    // Another name of a metric here is no other definition of it.
    let turnover = reason(&done, "turnover");
    assert!(
        turnover.contains("another name of revenue here"),
        "{turnover}"
    );
    let text = fs::read_to_string(shop.at("ours/proposals/revenue.yaml")).unwrap();
    assert!(!text.contains("* 2"), "{text}");
    // What it stands on is ours, and the reviewer is told how that differs.
    let why = ours.review("revenue").unwrap().why;
    assert!(
        why.contains("orders: the table") && why.contains("orders_v2"),
        "{why}"
    );
    let share = reason(&done, "paid_share");
    assert!(
        share.contains("made of paid: once that is published, import again"),
        "{share}"
    );

    let judge = async |metric: &str, judgement, why: &str| {
        let judging = Judging {
            name: metric.to_owned(),
            judgement,
            seen: None,
            by: Some("erin".to_owned()),
            why: why.to_owned(),
            commit: None,
        };
        let judged = ours.pass_judgement(&judging, CancellationToken::new());
        judged.await.unwrap();
    };
    judge("revenue", Judgement::Reject, "Refunds count here").await;
    judge("paid", Judgement::Publish, "").await;
    let again = propose().await;
    assert_eq!(again.files, ["proposals/paid_share.yaml"], "{again:?}");
    let revenue = reason(&again, "revenue");
    assert!(
        revenue.contains("rejected by erin: Refunds count here"),
        "{revenue}"
    );
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| walk(folder)));
    files
}
