//! The graph of use: what was asked with what, by whom and how often, held against the log it came from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;
#[path = "support/used.rs"]
mod used;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use metrex::session::{OpenOptions, RunOptions, Session};
use metrex::usage::graph::{EdgeKind, NodeKind, Thing, Way};
use metrex::usage::{Logged, Usage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use used::{Dice, Recount, record};

fn open(shop: &TempDir, user: &str, connection: Option<&str>, today: Date) -> Session {
    Session::open(OpenOptions {
        project: Some(shop.path().to_owned()),
        state_dir: Some(shop.path().join(".state")),
        connection: connection.map(str::to_owned),
        user: Some(user.to_owned()),
        today: Some(today),
        ..OpenOptions::default()
    })
    .unwrap()
}

/// The metrics of a query line as the test wrote it, and how it was asked.
struct Asked {
    metrics: Vec<&'static str>,
    by: Option<&'static str>,
    user: &'static str,
}

/// Four people ask some hundred queries on six days, some of which fail; what they asked is returned.
async fn simulated(shop: &TempDir) -> Vec<Asked> {
    let metrics: [&[&str]; 6] = [
        &["gmv"],
        &["orders"],
        &["aov"],
        &["gmv", "orders"],
        &["gmv", "aov"],
        &["gmv"],
    ];
    let groups = [
        None,
        Some("market"),
        Some("channel"),
        Some("segment"),
        Some("market"),
        Some("month"),
    ];
    let filters = [
        "",
        "",
        " where market = TH",
        " where market in (TH, VN)",
        " where channel = ads",
        " where segment = SMB",
        " where email = 'user1@example.com'",
        " where market != ID and channel = ads",
    ];
    let mut dice = Dice(7);
    let mut asked = Vec::new();
    for day in 0..6 {
        for user in ["ada", "grace", "joan", "mary"] {
            let today = date(2025, 11, 20).saturating_sub(jiff::Span::new().days(day * 9));
            let connection = (dice.below(8) == 0).then_some("gone");
            let session = open(shop, user, connection, today);
            for _ in 0..12 {
                let metrics = metrics[dice.below(metrics.len())].to_vec();
                let by = groups[dice.below(groups.len())];
                let filter = filters[dice.below(filters.len())];
                let by_words = by.map_or(String::new(), |by| format!(" by {by}"));
                let line = format!("{}{by_words}{filter} all time", metrics.join(", "));
                let query = line.parse().unwrap();
                let options = RunOptions {
                    fresh: true,
                    ..RunOptions::default()
                };
                let outcome = session
                    .answer(&query, options, CancellationToken::new())
                    .await;
                assert_eq!(outcome.is_err(), connection.is_some(), "{line}");
                asked.push(Asked { metrics, by, user });
            }
        }
    }
    asked
}

fn log(session: &Session) -> (Usage, Vec<Logged>) {
    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    let mut all = Vec::new();
    usage
        .logged(Timestamp::MIN, Timestamp::MAX, &mut |one| all.push(one))
        .unwrap();
    (usage, all)
}

#[tokio::test]
async fn what_the_graph_counts_is_what_was_asked() {
    let shop = project::shop();
    let asked = simulated(&shop).await;
    let session = open(&shop, "reader", None, date(2025, 11, 20));
    let (usage, all) = log(&session);
    assert_eq!(all.len(), asked.len());
    let recount = Recount::of(&all);

    // Every edge of the graph, and no other, as counted from the log by other code.
    let graph = usage.whole_graph().unwrap();
    let mut edges = BTreeMap::new();
    for edge in &graph.edges {
        let end = |at: usize| graph.vertices[at].thing.word();
        let counts = (
            edge.used.runs,
            edge.used.answered,
            edge.used.ms,
            edge.used.last,
        );
        edges.insert((end(edge.from), edge.kind.word(), end(edge.to)), counts);
    }
    assert_eq!(edges, recount.edges);
    for kind in [
        EdgeKind::Calculates,
        EdgeKind::Filters,
        EdgeKind::GroupsBy,
        EdgeKind::Derives,
        EdgeKind::ComputedFrom,
        EdgeKind::HasDimension,
        EdgeKind::Follows,
        EdgeKind::Asked,
    ] {
        assert!(
            graph.edges.iter().any(|edge| edge.kind == kind),
            "no {}",
            kind.word()
        );
    }

    // The log itself holds what the test asked for, by its own bookkeeping.
    for (metric, by) in [("gmv", "market"), ("aov", "channel"), ("orders", "segment")] {
        let around = usage
            .around(&Thing::new(NodeKind::Metric, metric), 100)
            .unwrap()
            .unwrap();
        let of = asked.iter().filter(|one| one.metrics.contains(&metric));
        assert_eq!(around.used.runs, of.clone().count() as u64, "{metric}");
        let dimensions = around.group(Way::GroupedBy).unwrap();
        let grouped = dimensions
            .near
            .iter()
            .find(|near| near.thing.key.ends_with(by))
            .unwrap();
        assert_eq!(
            grouped.used.runs,
            of.clone().filter(|one| one.by == Some(by)).count() as u64
        );
        let people = around.group(Way::Person).unwrap();
        for near in &people.near {
            assert_eq!(
                near.used.runs,
                of.clone().filter(|one| one.user == near.thing.key).count() as u64
            );
        }
        assert_eq!(people.total, 4);
    }
}

#[tokio::test]
async fn a_neighbourhood_is_what_the_queries_of_a_thing_touched() {
    let shop = project::shop();
    simulated(&shop).await;
    let session = open(&shop, "reader", None, date(2025, 11, 20));
    let (usage, all) = log(&session);
    let recount = Recount::of(&all);
    let mut compared = 0;
    for (kind, ways) in [
        (
            NodeKind::Metric,
            &[
                Way::AskedWith,
                Way::GroupedBy,
                Way::FilteredBy,
                Way::Value,
                Way::Person,
            ][..],
        ),
        (
            NodeKind::Dimension,
            &[Way::AskedWith, Way::Value, Way::Person],
        ),
        (NodeKind::Value, &[Way::AskedWith, Way::GroupedBy]),
        (
            NodeKind::Person,
            &[Way::AskedWith, Way::GroupedBy, Way::FilteredBy],
        ),
    ] {
        for key in usage.keys(kind).unwrap() {
            let thing = Thing::new(kind, key);
            let around = usage.around(&thing, 1_000).unwrap().unwrap();
            for way in ways {
                let group = around.group(*way);
                let near = group.into_iter().flat_map(|group| &group.near);
                let found: BTreeMap<String, (u64, u64)> = near
                    .map(|near| (near.thing.word(), (near.used.runs, near.used.answered)))
                    .collect();
                assert_eq!(
                    found,
                    recount.beside(&thing, *way),
                    "{} {way:?}",
                    thing.word()
                );
                compared += found.len();
            }
        }
    }
    assert!(compared > 80, "{compared}");
    // A person's values are in no answer: the graph does not know which of the runs were whose.
    let ada = usage
        .around(&Thing::new(NodeKind::Person, "ada"), 100)
        .unwrap()
        .unwrap();
    assert!(ada.group(Way::Value).is_none());
}

#[tokio::test]
async fn together_is_held_against_chance() {
    let shop = project::shop();
    simulated(&shop).await;
    let session = open(&shop, "reader", None, date(2025, 11, 20));
    let (_, all) = log(&session);
    let gmv = session.graph_thing("sales").unwrap();
    assert_eq!(gmv, Thing::new(NodeKind::Metric, "gmv"));
    let together = session.graph_together(&gmv, 100).unwrap();
    let has =
        |one: &Logged, metric: &str| one.record.facts.metrics.iter().any(|other| other == metric);
    let of_gmv = all.iter().filter(|one| has(one, "gmv")).count();
    assert_eq!(
        (together.runs, together.of),
        (of_gmv as u64, all.len() as u64)
    );
    let names: Vec<&str> = together
        .metrics
        .iter()
        .map(|pair| pair.thing.key.as_str())
        .collect();
    assert_eq!(
        names.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from(["aov", "orders"])
    );
    for pair in &together.metrics {
        let other = pair.thing.key.as_str();
        let alone = all.iter().filter(|one| has(one, other)).count();
        let both = all
            .iter()
            .filter(|one| has(one, "gmv") && has(one, other))
            .count();
        assert_eq!(
            (pair.used.runs, pair.runs),
            (both as u64, alone as u64),
            "{other}"
        );
        let lift = both as f64 * all.len() as f64 / (of_gmv as f64 * alone as f64);
        assert!((pair.lift.unwrap() - lift).abs() < 1e-9, "{other}");
    }
    for pair in &together.dimensions {
        let dimension = pair.thing.key.as_str();
        let touches = |one: &&Logged| {
            let facts = &one.record.facts;
            facts.dimensions.iter().any(|other| other == dimension)
                || facts.filters.iter().any(|filter| filter.on == dimension)
        };
        assert_eq!(
            pair.runs,
            all.iter().filter(touches).count() as u64,
            "{dimension}"
        );
    }
}

#[tokio::test]
async fn no_personal_value_is_in_the_graph() {
    let shop = project::shop();
    simulated(&shop).await;
    let session = open(&shop, "reader", None, date(2025, 11, 20));
    let graph = session.graph_for_export(None).unwrap();
    let email = graph
        .vertices
        .iter()
        .find(|vertex| vertex.thing.key.ends_with("email"));
    assert!(email.is_some(), "that somebody filters by it is known");
    for form in metrex::usage::graph::export::GraphForm::ALL {
        let mut text = Vec::new();
        metrex::usage::graph::export::write(&graph, form, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("user1"), "{}", form.word());
        assert!(text.contains("gmv"), "{}", form.word());
    }
}

#[test]
fn metrics_that_nobody_asked_for_are_there_with_zero() {
    let shop = project::shop();
    let today = date(2025, 11, 20);
    let session = open(&shop, "ada", None, today);
    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    let asked = |days: i64| {
        record("gmv by market", today, days, |facts| {
            facts.metrics = vec!["gmv".to_owned()];
            facts.dimensions = vec!["market".to_owned()];
        })
    };
    for days in [1, 2, 3, 40] {
        usage.record(asked(days));
    }
    usage.flush();
    let overview = session.graph_overview().unwrap();
    assert_eq!(
        (overview.metrics.len(), overview.metrics[0].trend.month),
        (1, 3)
    );
    assert_eq!(overview.never, ["orders", "aov", "old_gmv"]);
    let orders = session
        .graph_around(&session.graph_thing("orders").unwrap(), 10)
        .unwrap();
    assert_eq!((orders.thing.kind, orders.used.runs), (NodeKind::Metric, 0));
    let of = |way: Way| {
        let group = orders.near.iter().find(|group| group.way == way);
        group.map(|group| {
            group
                .near
                .iter()
                .map(|near| near.thing.key.as_str())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(of(Way::PartOf).unwrap(), ["aov"]);
    assert_eq!(of(Way::ComputedFrom).unwrap(), ["orders"]);
    assert!(
        orders.never_by.contains(&"market".to_owned()),
        "{:?}",
        orders.never_by
    );
    let graph = session.graph_for_export(None).unwrap();
    let metrics = graph
        .vertices
        .iter()
        .filter(|vertex| vertex.thing.kind == NodeKind::Metric);
    assert_eq!(metrics.count(), 4);
    let unused = graph.edges.iter().filter(|edge| edge.used.runs == 0);
    assert!(unused.clone().any(|edge| edge.kind == EdgeKind::Derives));
    assert!(
        unused
            .clone()
            .any(|edge| edge.kind == EdgeKind::ComputedFrom)
    );
}

#[test]
fn use_by_week_month_and_last_day_is_told() {
    let shop = project::shop();
    let today = date(2025, 11, 20);
    let session = open(&shop, "ada", None, today);
    assert_eq!(session.describe("gmv").unwrap().used, "never used");
    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    let days = [0, 1, 1, 6, 7, 13, 29, 30, 45, 59, 60, 83, 84, 200];
    for ago in days {
        usage.record(record("gmv", today, ago, |facts| {
            facts.metrics = vec!["gmv".to_owned()]
        }));
    }
    usage.flush();
    let session = open(&shop, "ada", None, today);
    let trend = session.trend("gmv");
    let within =
        |from: i64, to: i64| days.iter().filter(|ago| (from..to).contains(*ago)).count() as u64;
    assert_eq!((trend.month, trend.before), (within(0, 30), within(30, 60)));
    for (at, uses) in trend.weeks.iter().enumerate() {
        let ago = 7 * (11 - at as i64);
        assert_eq!(*uses, within(ago, ago + 7), "week {at}");
    }
    assert_eq!(trend.blocks().chars().count(), 12);
    let card = session.describe("gmv").unwrap();
    assert_eq!(card.used, "7 queries in 30 days, up 133 %, last used today");
    let hits = session.search("gross");
    let gmv = hits.iter().find(|hit| hit.metric == "gmv").unwrap();
    assert_eq!(gmv.used, (7, 3));
}

#[test]
fn who_would_be_affected_is_told_by_definitions_and_by_use() {
    let shop = project::shop();
    std::fs::write(
        shop.path().join("metrics/views.yaml"),
        "views:\n  worth: {query: aov by market last 30 days}\n  plain: {query: orders by channel}\nalerts:\n  worth_falls: {query: aov by month last 3 months, when: < 2, owner: Sales}\n",
    )
    .unwrap();
    let today = date(2025, 11, 20);
    let session = open(&shop, "ada", None, today);
    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    for (user, days) in [("ada", 3), ("ada", 2), ("grace", 9)] {
        let mut asked = record("aov by market", today, days, |facts| {
            facts.metrics = vec!["aov".to_owned()];
            facts.dimensions = vec!["market".to_owned()];
            facts.columns = vec!["orders.amount".to_owned(), "orders.market".to_owned()];
            facts.tables = vec!["orders".to_owned()];
            facts.derives = vec![
                ("aov".to_owned(), "gmv".to_owned()),
                ("aov".to_owned(), "orders".to_owned()),
            ];
        });
        asked.user = user.to_owned();
        usage.record(asked);
    }
    let mut other = record("orders by channel", today, 1, |facts| {
        facts.metrics = vec!["orders".to_owned()];
        facts.dimensions = vec!["channel".to_owned()];
        facts.columns = vec!["orders.channel".to_owned()];
        facts.tables = vec!["orders".to_owned()];
    });
    other.user = "joan".to_owned();
    usage.record(other);
    usage.flush();
    let affected = |word: &str| {
        let thing = session.graph_thing(word).unwrap();
        let found = session.graph_affected(&thing, 10).unwrap();
        let metrics: Vec<String> = found
            .metrics
            .iter()
            .map(|metric| metric.name.clone())
            .collect();
        let views: Vec<String> = found.views.iter().map(|view| view.name.clone()).collect();
        let people: Vec<(String, u64)> = found
            .people
            .iter()
            .map(|near| (near.thing.key.clone(), near.used.runs))
            .collect();
        (metrics, views, people)
    };
    let text = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let by_ada_and_grace = vec![("ada".to_owned(), 2), ("grace".to_owned(), 1)];
    assert_eq!(
        affected("gmv"),
        (text(&["aov"]), text(&["worth"]), by_ada_and_grace.clone())
    );
    let (metrics, views, people) = affected("table:orders");
    assert_eq!(metrics, text(&["orders", "gmv", "old_gmv", "aov"]));
    assert_eq!(views, text(&["plain", "worth"]));
    assert_eq!(people.len(), 3);
    // A column: the metrics whose every query read it, and the saved queries that name a dimension of it.
    assert_eq!(
        affected("orders.amount"),
        (text(&["aov"]), Vec::new(), by_ada_and_grace)
    );
    assert_eq!(affected("market").1, text(&["worth"]));
    let of_gmv = session
        .graph_affected(&Thing::new(NodeKind::Metric, "gmv"), 10)
        .unwrap();
    let alerts: Vec<&str> = of_gmv
        .alerts
        .iter()
        .map(|alert| alert.name.as_str())
        .collect();
    assert_eq!(alerts, ["worth_falls"]);
    let refused = session
        .graph_affected(&Thing::new(NodeKind::Person, "ada"), 10)
        .unwrap_err();
    assert_eq!(refused.code(), "not_changed");
}

#[test]
fn metrics_made_of_each_other_end_the_walk() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    let made = |from: &str, of: &str| {
        let (from, of) = (from.to_owned(), of.to_owned());
        let mut made = record(&format!("{from} of {of}"), date(2025, 11, 20), 1, |_| {});
        made.facts.metrics = vec![from.clone()];
        made.facts.derives = vec![(from, of)];
        made
    };
    for (from, of) in [
        ("b", "a"),
        ("c", "b"),
        ("a", "c"),
        ("d", "c"),
        ("e", "d"),
        ("f", "e"),
    ] {
        usage.record(made(from, of));
    }
    usage.flush();
    let found = usage
        .dependants(&[Thing::new(NodeKind::Metric, "a")], 10)
        .unwrap();
    let steps: Vec<(&str, u32)> = found
        .metrics
        .iter()
        .map(|(near, steps)| (near.thing.key.as_str(), *steps))
        .collect();
    // `f` is five steps away.
    assert_eq!(steps, [("b", 1), ("c", 2), ("d", 3), ("e", 4)]);
}

#[test]
fn a_word_means_one_thing_or_says_what_is_near() {
    let shop = project::shop();
    let session = open(&shop, "ada", None, date(2025, 11, 20));
    let thing = |word: &str| session.graph_thing(word).map(|thing| thing.word());
    assert_eq!(thing("turnover").unwrap(), "metric:gmv");
    assert_eq!(thing("orders").unwrap(), "metric:orders");
    assert_eq!(thing("table:orders").unwrap(), "table:orders");
    assert_eq!(thing("users").unwrap(), "table:users");
    assert_eq!(thing("country").unwrap(), "dimension:market");
    let error = session.graph_thing("gmw").unwrap_err();
    assert_eq!(
        (error.code(), error.hint()),
        ("unknown_name", Some("did you mean 'gmv'?"))
    );
}

/// Runs the program on a project.
fn metrex(shop: &TempDir, arguments: &[&str]) -> (String, String, bool) {
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(shop.path())
        .env("METREX_STATE_DIR", shop.path().join(".state"))
        .env("METREX_TODAY", "2025-11-20")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(run.stdout), text(run.stderr), run.status.success())
}

#[test]
fn the_command_tells_it_to_people_and_to_programs() {
    let shop = project::shop();
    let (empty, _, _) = metrex(&shop, &["graph"]);
    assert!(empty.starts_with("nothing was asked yet"), "{empty}");
    let today = date(2025, 11, 20);
    let session = open(&shop, "ada", None, today);
    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    for days in 0..8 {
        usage.record(record("gmv, orders by segment", today, days, |facts| {
            facts.metrics = vec!["gmv".to_owned(), "orders".to_owned()];
            facts.dimensions = vec!["segment".to_owned()];
            facts.joins = vec!["orders.user_id = users.user_id".to_owned()];
            facts.tables = vec!["orders".to_owned(), "users".to_owned()];
        }));
        usage.record(record("orders", today, days, |facts| {
            facts.metrics = vec!["orders".to_owned()];
            facts.tables = vec!["orders".to_owned()];
        }));
    }
    usage.flush();
    drop((usage, session));
    let text = |arguments: &[&str]| {
        let (out, err, ok) = metrex(&shop, arguments);
        assert!(ok, "{err}");
        out
    };
    insta::assert_snapshot!("graph_overview", text(&["graph"]));
    insta::assert_snapshot!("graph_of_a_metric", text(&["graph", "sales"]));
    insta::assert_snapshot!("graph_path", text(&["graph", "--path", "orders", "users"]));
    insta::assert_snapshot!("graph_together", text(&["graph", "--together", "gmv"]));
    insta::assert_snapshot!("graph_affected", text(&["graph", "--affected", "gmv"]));
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&text(&[arguments, &["--format", "json"]].concat())).unwrap()
    };
    assert_eq!(json(&["graph"])["metrics"][0]["month"], 16);
    assert_eq!(json(&["graph", "gmv"])["runs"], 8);
    assert_eq!(
        json(&["graph", "--path", "orders", "users"])["ways"][0]["used"]["runs"],
        8
    );
    assert_eq!(
        json(&["graph", "--together", "gmv"])["metrics"][0]["lift"],
        1.0
    );
    assert_eq!(
        json(&["graph", "--affected", "table:users"])["used"]["runs"],
        serde_json::Value::Null
    );
    assert_eq!(json(&["graph", "--affected", "table:users"])["runs"], 8);
    let file = shop.path().join("graph.xml");
    text(&[
        "graph",
        "gmv",
        "--export",
        "graphml",
        "--out",
        file.to_str().unwrap(),
    ]);
    let written = std::fs::read_to_string(&file).unwrap();
    resvg::usvg::roxmltree::Document::parse(&written).unwrap();
    assert!(text(&["graph", "--export", "dot"]).starts_with("digraph usage {"));
    let (_, error, ok) = metrex(&shop, &["graph", "gmw"]);
    assert!(!ok && error.contains("did you mean 'gmv'?"), "{error}");
    let (_, error, ok) = metrex(&shop, &["graph", "--path", "orders", "gmv"]);
    assert!(!ok && error.contains("joins are between tables"), "{error}");
    assert!(
        text(&["show", "gmv"]).contains("8 queries in 30 days, new, last used today  ▁▁▁▁▁▁▁▁▁▁▂█")
    );
    assert!(text(&["search", "gross"]).contains("8 queries in 30 days, new"));
}

#[test]
fn no_walk_over_the_graph_reads_all_of_it() {
    let shop = project::shop();
    let session = open(&shop, "ada", None, date(2025, 11, 20));
    let path = session.state().path().join("usage.db");
    drop(Usage::open(&path).unwrap());
    let file = metrex::store::Connection::open(&path).unwrap();
    for sql in metrex::usage::graph::WALKS {
        let mut statement = file.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing: Vec<Option<i64>> = vec![None; statement.parameter_count()];
        let steps: Vec<String> = statement
            .query_map(metrex::store::params_from_iter(nothing), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let of_edges: Vec<&String> = steps
            .iter()
            .filter(|step| {
                step.contains(" edges ") || step.contains(" e ") || step.contains(" days ")
            })
            .collect();
        assert!(!of_edges.is_empty(), "{sql}\n{steps:?}");
        for step in of_edges {
            assert!(
                step.starts_with("SEARCH") && step.contains("INDEX")
                    || step.contains("PRIMARY KEY"),
                "{sql}\n{step}"
            );
        }
    }
}
