//! Canonical datasets: what people write of them, what is refused, what holds in the warehouse and what is promised.
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

use std::process::Command;
use std::time::Duration;

use metrex::govern::lineage::{Direction, Graph, NodeKind};
use metrex::model::{CanonicalKind, CanonicalOf, Grain, Status};
use metrex::registry::{Config, Loaded, Project, ProjectFile, ProjectFiles, load};
use metrex::session::{LiveOptions, OpenOptions, Session, lineage_json, lineage_outline};
use on_engine::{project, session};
use tokio_util::sync::CancellationToken;

const BASE: &str = "
datasets:
  orders:
    table: mart.orders
    key: order_id
    time: created_at
    dimensions: {market: {column: grass_region}, status: {}}
  people: {table: people_dim, key: person_id, dimensions: {team: {}}}
";

fn loaded_with(text: &str) -> Loaded {
    let file = |path: &str, text: &str| ProjectFile {
        path: path.into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file("metrics/a.yaml", BASE), file("metrics/b.yaml", text)],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

fn problems(text: &str) -> Vec<String> {
    let loaded = loaded_with(&format!("canonical_datasets:\n{text}"));
    loaded.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn a_canonical_dataset_is_a_dataset_or_a_table() {
    let loaded = loaded_with(
        "canonical_datasets:
  fct_orders:
    kind: fact
    dataset: orders
    sla: {fresh_within: 2 days, every: day, complete: 99.5%}
    attributes: {market: {not_null: true}, amount: {range: [0, null]}}
    lineage: {sources: [raw.orders]}
  dim_stores: {kind: dimension, table: mart.stores, grain: store_id, aliases: stores, status: certified}
",
    );
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let registry = &loaded.registry;
    let orders = registry.canonical_of("orders").unwrap();
    assert_eq!(
        (orders.kind, orders.status),
        (CanonicalKind::Fact, Status::Published)
    );
    assert_eq!(orders.grain, ["order_id"], "the dataset's key");
    assert_eq!(orders.table(registry), Some("mart.orders"));
    assert_eq!(orders.sla.fresh_within, Some((2, Grain::Day)));
    assert_eq!(orders.sla.complete, Some(0.995));
    assert_eq!(orders.attributes["amount"].range, (Some("0".into()), None));
    let stores = &registry.canonical["dim_stores"];
    assert_eq!(stores.of, CanonicalOf::Table("mart.stores".into()));
    assert_eq!(stores.table(registry), Some("mart.stores"));
    assert!(registry.canonical_of("people").is_none());
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let cases = [
        (
            "  a: {kind: fact}",
            "metrics/b.yaml:2:3: error: canonical dataset 'a' needs a dataset — add dataset: with the name of one, or table: for a table that is none",
        ),
        (
            "  a: {dataset: orders}",
            "metrics/b.yaml:2:3: error: canonical dataset 'a' needs a kind — add kind: dimension, fact or mart",
        ),
        (
            "  a: {kind: fact, dataset: order}",
            "metrics/b.yaml:2:28: error: unknown dataset 'order' — did you mean 'orders'?",
        ),
        (
            "  a: {kind: fact, dataset: orders, table: t}",
            "metrics/b.yaml:2:43: error: it is either a dataset of this project or a table — leave table out: the dataset says which it is",
        ),
        (
            "  a: {kind: fact, dataset: orders}\n  b: {kind: mart, dataset: orders}",
            "metrics/b.yaml:3:28: error: 'orders' is already 'a' (metrics/b.yaml:2) — one dataset is canonical once; aliases are other names of it",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {markt: {not_null: true}}}",
            "metrics/b.yaml:2:49: error: unknown dimension or column of orders: 'markt' — did you mean 'market'?",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {market: {not_null: true, optional: true}}}",
            "metrics/b.yaml:2:84: error: 'market' cannot be optional and never empty — leave one of the two out",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {amount: {range: [10, 1]}}}",
            "metrics/b.yaml:2:66: error: no value is between '10' and '1' — the smaller one comes first",
        ),
        (
            "  a: {kind: fact, dataset: orders, attributes: {amount: {range: 10}}}",
            "metrics/b.yaml:2:65: error: the range of 'amount' has two ends — write range: [0, 100], or [0, null]",
        ),
        (
            "  a: {kind: dimension, dataset: people, sla: {fresh_within: 1 day}}",
            "metrics/b.yaml:2:61: error: nothing says when a row of 'a' is from — add by: with the column of its time",
        ),
        (
            "  a: {kind: fact, dataset: orders, sla: {complete: 120%}, attributes: {market: {}}}",
            "metrics/b.yaml:2:52: error: '120%' is not a share of rows — write it like 99.5%",
        ),
        (
            "  a: {kind: fact, dataset: orders, sla: {complete: 99%}}",
            "metrics/b.yaml:2:52: error: no attribute says what a complete row has — list the core attributes under attributes:",
        ),
        (
            "  a: {kind: fact, dataset: orders, successor: b}\n  b: {kind: fact, table: t}",
            "metrics/b.yaml:2:47: error: only what is deprecated has a successor — say status: deprecated, or leave successor out",
        ),
        (
            "  a: {kind: fact, dataset: orders, status: deprecated, successor: fct}\n  fct_b: {kind: fact, table: t, aliases: [a]}",
            "metrics/b.yaml:2:67: error: unknown canonical dataset 'fct' — did you mean 'fct_b'?",
        ),
    ];
    for (text, expected) in cases {
        let found = problems(text);
        assert!(
            found.iter().any(|one| one == expected),
            "{text}\n{found:#?}"
        );
    }
    assert_eq!(
        problems("  a: {kind: fact, dataset: orders}\n  b: {kind: fact, table: t, aliases: [A]}"),
        [
            "metrics/b.yaml:3:39: error: 'A' is already the name of a canonical dataset (metrics/b.yaml:2)"
        ]
    );
}

#[test]
fn the_demo_has_canonical_datasets_of_every_kind() {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let of_kind = |kind| {
        let all = registry.canonical.values();
        all.filter(|one| one.kind == kind).count()
    };
    for kind in [
        CanonicalKind::Dimension,
        CanonicalKind::Fact,
        CanonicalKind::Mart,
    ] {
        assert!(of_kind(kind) >= 2, "{}", kind.word());
    }
    let old = &registry.canonical["ads_server_old"];
    assert_eq!(old.successor.as_deref(), Some("fct_ads"));
}

const ROWS: &str = "
CREATE TABLE orders (id integer, line integer, status text, amount double precision, note text, email text, placed_on date, loaded_at timestamp);
INSERT INTO orders VALUES
  (1, 1, 'PAID', 10, NULL, 'a@b.c', '2025-11-15', '2025-11-15 08:00:00'),
  (1, 1, 'DONE', 20, 'x', NULL, '2025-11-16', '2025-11-16 08:00:00'),
  (2, 1, NULL, -5, 'x', NULL, '2025-11-19', '2025-11-19 09:30:00'),
  (3, 1, 'OPEN', 500, 'x', NULL, '2025-11-20', '2025-11-20 07:00:00');
CREATE TABLE people (id integer, born date);
INSERT INTO people VALUES (1, '1990-01-01'), (2, '2031-01-01');
";

const DEFINITIONS: &str = "
datasets:
  orders:
    table: orders
    key: id
    time: placed_on
    dimensions: {placed_on: {type: date}, state: {column: status}, email: {pii: true}, size: {type: number, expr: amount * 2}}
canonical_datasets:
  fct_orders:
    kind: fact
    dataset: orders
    grain: [id, line]
    sla: {fresh_within: 1 day, by: loaded_at, every: day, complete: 75%}
    attributes:
      state: {not_null: true, values: [PAID, OPEN]}
      size: {range: [0, 100]}
      id: {unique: true, optional: true}
      email: {optional: true, values: [nobody]}
      placed_on: {range: [2025-11-01, 2025-11-20]}
  dim_people:
    kind: dimension
    table: people
    grain: id
    sla: {fresh_within: 2 years, by: born}
    attributes: {born: {range: [null, 2025-12-31]}}
  dim_gone: {kind: dimension, table: gone, attributes: {x: {not_null: true}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn constraints_are_held_against_the_rows_of_every_engine() {
    for engine in engines::everywhere(ROWS) {
        let folder = project(&engine, DEFINITIONS);
        let session = session(folder.path());
        let nobody = CancellationToken::new();
        let patience = Duration::from_secs(60);
        let report = session.check_constraints(patience, &nobody, |_, _| ());
        let report = report.await.unwrap();
        let found = report.findings.iter().map(ToString::to_string);
        // DuckDB writes a whole number of double precision with its fraction.
        let found: Vec<_> = found.map(|one| one.replace("'-10.0'", "'-10'")).collect();
        assert_eq!(
            found,
            [
                "metrics/shop.yaml:9:3: error: fct_orders has several rows of one id, line: 1 — its grain is one row for each id, line",
                "metrics/shop.yaml:15:7: error: fct_orders has rows without state: 1 — it is declared not_null",
                "metrics/shop.yaml:15:7: error: fct_orders has rows with another state than is declared: 1, such as 'DONE' — values: PAID, OPEN",
                "metrics/shop.yaml:16:7: error: fct_orders has rows with a size beyond its range: 2, such as '-10' — range: 0 to 100",
                "metrics/shop.yaml:17:7: error: fct_orders has rows with the id of another row: 1 — it is declared unique",
                "metrics/shop.yaml:18:7: error: fct_orders has rows with another email than is declared: 1 — values: nobody",
                "metrics/shop.yaml:25:18: error: dim_people has rows with a born beyond its range: 1, such as '2031-01-01' — range: … to 2025-12-31",
            ],
            "{}",
            engine.name
        );
        let [(what, _)] = report.skipped.as_slice() else {
            panic!("{:?}", report.skipped)
        };
        assert_eq!(what, "dim_gone");
        // `metrex check --live` finds the same.
        let everything = LiveOptions {
            patience,
            everything: true,
        };
        let live = session
            .check_live(everything, &nobody, |_| ())
            .await
            .unwrap();
        let constraints = live.findings.iter().filter(|one| one.code == "constraint");
        assert_eq!(constraints.count(), found.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_are_measured_on_every_engine() {
    for engine in engines::everywhere(ROWS) {
        let folder = project(&engine, DEFINITIONS);
        let session = session(folder.path());
        let nobody = CancellationToken::new();
        let states = session.canonical_states(&[], &nobody, |_, _| ()).await;
        let states = states.unwrap();
        let told = |at: usize| {
            let promises = states[at].promises.iter();
            let told = promises.map(|one| format!("{} {}: {}", one.kept, one.promised, one.found));
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            told(0),
            [
                "true no older than 1 day: newest 2025-11-20 07:00:00",
                "false rows for every day: 2 without rows: 2025-11-17, 2025-11-18",
                "true 75% of rows complete: 75%",
            ],
            "{}",
            engine.name
        );
        assert_eq!(states[0].rows, Some(4));
        assert!(states[1].is_kept(), "{:?}", states[1]);
        assert!(states[2].error.is_some() && !states[2].is_kept());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_rows_or_times_keeps_no_promise_and_other_types_are_compared_as_such() {
    let rows = "
CREATE TABLE empty (id integer, day date);
CREATE TABLE timeless (id integer, day date, size double precision, fine boolean);
INSERT INTO timeless VALUES (1, NULL, 1, true), (2, NULL, 2, false), (3, NULL, 7, NULL);
";
    let definitions = "
datasets:
  empty: {table: empty, key: id, time: day, dimensions: {day: {type: date}}}
  timeless:
    table: timeless
    key: id
    time: day
    dimensions: {day: {type: date}, size: {type: number}, fine: {type: boolean}}
canonical_datasets:
  fct_empty:
    kind: fact
    dataset: empty
    sla: {fresh_within: 1 day, every: day, complete: 90%}
    attributes: {id: {not_null: true, unique: true, range: [0, 10]}}
  fct_timeless:
    kind: fact
    dataset: timeless
    sla: {fresh_within: 1 day, every: day}
    attributes: {size: {values: [1, 2]}, fine: {values: ['true', 'false']}}
";
    for engine in engines::everywhere(rows) {
        let folder = project(&engine, definitions);
        let session = session(folder.path());
        let nobody = CancellationToken::new();
        let states = session.canonical_states(&[], &nobody, |_, _| ()).await;
        let states = states.unwrap();
        let told = |at: usize| {
            let promises = states[at].promises.iter();
            let told = promises.map(|one| format!("{} {}: {}", one.kept, one.promised, one.found));
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            told(0),
            [
                "false no older than 1 day: no rows",
                "false rows for every day: no rows",
                "false 90% of rows complete: no rows",
            ],
            "{}",
            engine.name
        );
        assert_eq!(
            told(1),
            [
                "false no older than 1 day: no row has a time",
                "false rows for every day: no row has a time",
            ],
            "{}",
            engine.name
        );
        let patience = Duration::from_secs(60);
        let report = session.check_constraints(patience, &nobody, |_, _| ());
        let report = report.await.unwrap();
        let found: Vec<_> = report.findings.iter().map(|one| &one.message).collect();
        assert_eq!(found.len(), 1, "{}: {found:?}", engine.name);
        let start = "fct_timeless has rows with another size than is declared: 1, such as '7";
        assert!(found[0].starts_with(start), "{}: {found:?}", engine.name);
    }
}

#[test]
fn metrex_status_says_what_is_not_as_promised() {
    let engines = engines::everywhere(ROWS);
    let folder = project(&engines[0], DEFINITIONS);
    let status = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(["status", "--today", "2025-11-20"])
            .args(args)
            .current_dir(folder.path())
            .env("METREX_STATE_DIR", folder.path().join("state"))
            .output()
            .unwrap()
    };
    let all = status(&[]);
    assert_eq!(all.status.code(), Some(1));
    let out = String::from_utf8_lossy(&all.stdout).into_owned();
    assert!(
        out.starts_with(
            "broken   fct_orders  fact       published   4 rows  nobody answers for it\n"
        ),
        "{out}"
    );
    assert!(
        out.contains("\n         rows for every day: 2 without rows: 2025-11-17, 2025-11-18\n"),
        "{out}"
    );
    assert_eq!(
        String::from_utf8_lossy(&all.stderr),
        "3 canonical datasets: 2 datasets not as promised\n"
    );
    let people = status(&["dim_people", "--format", "json"]);
    assert_eq!(people.status.code(), Some(0), "{people:?}");
    let json: serde_json::Value = serde_json::from_slice(&people.stdout).unwrap();
    assert_eq!(json[0]["promises"][0]["kept"], true);
    let unknown = status(&["fct_order"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&unknown.stderr).contains("did you mean 'fct_orders'?"),
        "{unknown:?}"
    );
}

fn demo_session() -> (Session, tempfile::TempDir) {
    let state = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        state_dir: Some(state.path().to_owned()),
        today: Some(jiff::civil::date(2026, 11, 20)),
        ..OpenOptions::default()
    };
    (Session::open(options).unwrap(), state)
}

#[test]
fn an_intent_finds_the_datasets_that_speak_of_it() {
    let (session, _state) = demo_session();
    let found = session.suggest_datasets("marketing attribution");
    let first = &found.datasets[0];
    assert_eq!(
        (first.name.as_str(), first.reads.as_str()),
        ("fct_touchpoints", "touchpoints")
    );
    assert!(first.confidence > 0.9, "{first:?}");
    assert_eq!(
        first.reasons,
        [
            "its purpose: marketing, attribution",
            "certified; Marketing Analytics answers for it"
        ]
    );
    // What it joins is offered beside it, with less confidence.
    let customers = found
        .datasets
        .iter()
        .find(|one| one.name == "dim_customers");
    let customers = customers.unwrap();
    assert!(customers.confidence < first.confidence);
    assert_eq!(customers.reasons[0], "fct_touchpoints joins it on user_id");

    let best = |intent: &str| session.suggest_datasets(intent).datasets[0].name.clone();
    assert_eq!(best("churn of subscriptions"), "fct_subscription_months");
    assert_eq!(best("revenue by order status"), "fct_orders");
    assert_eq!(best("account managers closing deals"), "fct_initiatives");
    assert_eq!(best("customer segments"), "dim_customers");

    let nothing = session.suggest_datasets("quantum chromodynamics");
    assert!(nothing.datasets.is_empty());
    assert_eq!(nothing.unmatched, ["quantum", "chromodynamics"]);
}

#[test]
fn lineage_leads_from_sources_to_saved_queries() {
    let (session, _state) = demo_session();
    let outline = session.lineage_of("mrr").unwrap();
    assert_eq!(
        outline.lines(),
        [
            "mrr  metric · certified",
            "├─ made from",
            "│  └─ subscription_months  dataset · canonical as fct_subscription_months, certified",
            "│     └─ subscription_months  table",
            "│        └─ raw.subscription_events  source",
            "└─ used by",
            "   ├─ arr  metric · certified",
            "   └─ subscription_health  saved query",
        ]
    );
    // From a table down, over a dataset that is a query; and what is made elsewhere.
    let table = session
        .lineage_of("ads_daily_new")
        .unwrap()
        .lines()
        .join("\n");
    assert!(
        table.contains("ads_daily  dataset · canonical as fct_ads, certified"),
        "{table}"
    );
    assert!(table.contains("take_rate  metric"), "{table}");
    let orders = session.lineage_of("fct_orders").unwrap().lines().join("\n");
    assert!(
        orders.contains("Finance month-end close  downstream"),
        "{orders}"
    );
    let error = session.lineage_of("gmw").unwrap_err();
    assert_eq!(error.hint(), Some("did you mean 'gmv'?"));

    let graph = session.lineage();
    let around = graph.around(session.lineage_node(&graph, "metric:mrr").unwrap());
    assert_eq!(around.nodes.len(), 6);
    assert_eq!(around.edges.len(), 5);
    let dot = around.dot();
    assert!(
        dot.starts_with("digraph lineage {") && dot.matches(" -> ").count() == 5,
        "{dot}"
    );
    reads_as_dot(&dot, 6, 5);
    reads_as_dot(&graph.dot(), graph.nodes.len(), graph.edges.len());
    let mermaid = around.mermaid();
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.matches(" --> ").count() == 5);
    let json = lineage_json(&around);
    let nodes = json["nodes"].as_array().unwrap();
    let mrr = nodes.iter().find(|node| node["name"] == "mrr").unwrap();
    assert_eq!(
        (&mrr["kind"], &mrr["status"]),
        (&"metric".into(), &"certified".into())
    );
    for edge in json["edges"].as_array().unwrap() {
        assert!(edge["from"].as_u64().unwrap() < 6 && edge["to"].as_u64().unwrap() < 6);
    }
    // Every metric and dataset of the demo is in the whole of it, and nothing is lost in the tree.
    let all = lineage_outline(&graph)
        .iter()
        .flat_map(|one| one.lines())
        .collect::<Vec<_>>();
    for node in &graph.nodes {
        let is_there = all.iter().any(|line| line.contains(&node.name));
        assert!(is_there, "{}", node.name);
    }
}

/// Reads the subset of DOT that is written, letter by letter: statements of names, attributes and quoted texts.
fn reads_as_dot(text: &str, nodes: usize, edges: usize) {
    let body = text.strip_prefix("digraph lineage {").unwrap();
    let body = body.trim_end().strip_suffix('}').unwrap();
    let (mut statements, mut current, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = body.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => {
                let escaped = letters.next().unwrap();
                assert!(['"', '\\', 'n'].contains(&escaped), "{escaped}");
                continue;
            }
            '\n' => assert!(!quoted, "a text goes over a line: {current}"),
            ';' if !quoted => {
                statements.push(std::mem::take(&mut current).trim().to_owned());
                continue;
            }
            _ if quoted => continue,
            _ => {}
        }
        current.push(c);
    }
    assert!(!quoted && current.trim().is_empty(), "{current}");
    let number = |name: &str| name.trim().strip_prefix('n')?.parse::<usize>().ok();
    let mut found = (0, 0);
    for statement in statements {
        if let Some((from, to)) = statement.split_once("->") {
            assert!(number(from).unwrap() < nodes && number(to).unwrap() < nodes);
            found.1 += 1;
        } else if let Some((name, rest)) = statement.split_once('[')
            && number(name).is_some()
        {
            assert!(
                rest.starts_with("label=\"\"") && rest.ends_with(']'),
                "{rest}"
            );
            found.0 += 1;
        } else {
            assert!(["rankdir=LR", "node [shape=box]"].contains(&statement.as_str()));
        }
    }
    assert_eq!(found, (nodes, edges));
}

#[test]
fn names_of_any_letters_stay_names_in_graphs() {
    let loaded = loaded_with(
        "canonical_datasets:
  fct_a:
    kind: fact
    dataset: orders
    lineage: {sources: ['raw.\"x\\y\"', 'a]) --> b;<br>#1'], downstream: [\"it's `here`\"]}
",
    );
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let graph = Graph::new(&loaded.registry);
    reads_as_dot(&graph.dot(), graph.nodes.len(), graph.edges.len());
    let mermaid = graph.mermaid();
    assert_eq!(
        mermaid.lines().count(),
        1 + graph.nodes.len() + graph.edges.len()
    );
    for line in mermaid.lines().filter(|line| line.contains('"')) {
        let label = line.split('"').nth(1).unwrap();
        assert_eq!(line.matches('"').count(), 2, "{line}");
        let plain = label.replacen("<br/>", "", 1);
        assert!(!plain.contains(['<', '>', '`', '\\']), "{line}");
    }
    assert!(
        mermaid.contains("a]) --#62; b#59;#60;br#62;#35;1"),
        "{mermaid}"
    );
}

#[test]
fn a_dataset_that_is_a_query_comes_from_the_tables_that_it_reads() {
    let loaded = loaded_with(
        "datasets:
  both:
    sql: |
      WITH new AS (WITH old AS (SELECT * FROM lake.first) SELECT * FROM old)
      SELECT n.id::text FROM new n JOIN lake.second s USING (id) WHERE n.id IN (SELECT id FROM NEW)
    key: id
",
    );
    let graph = Graph::new(&loaded.registry);
    let node = graph.find(NodeKind::Dataset, "both").unwrap();
    let from = graph.beside(node, Direction::Up);
    let names: Vec<_> = from
        .iter()
        .map(|at| graph.nodes[*at].name.as_str())
        .collect();
    assert_eq!(names, ["lake.first", "lake.second"]);
}

#[test]
fn suggest_and_lineage_answer_on_the_command_line() {
    let state = tempfile::tempdir().unwrap();
    let metrex = |args: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(args)
            .current_dir(state.path())
            .env("METREX_STATE_DIR", state.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&run.stdout), text(&run.stderr), run.status.code())
    };
    let (out, _, code) = metrex(&["suggest", "marketing", "attribution", "--format", "json"]);
    assert_eq!(code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["datasets"][0]["name"], "fct_touchpoints");
    let (out, note, code) = metrex(&["suggest", "chromodynamics"]);
    assert_eq!((out.as_str(), code), ("", Some(1)));
    assert!(
        note.contains("no canonical dataset speaks of chromodynamics"),
        "{note}"
    );

    let (out, ..) = metrex(&["lineage", "mrr"]);
    assert!(
        out.starts_with("mrr  metric · certified\n├─ made from\n"),
        "{out}"
    );
    let (out, ..) = metrex(&["lineage", "table:orders", "--format", "dot"]);
    assert!(out.starts_with("digraph lineage {"), "{out}");
    let (out, ..) = metrex(&["lineage", "--format", "mermaid"]);
    assert!(out.starts_with("flowchart LR\n"), "{out}");
    let (_, error, code) = metrex(&["lineage", "gmw"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("did you mean 'gmv'?"), "{error}");
}

#[test]
fn a_metric_is_governed_as_it_is_computed() {
    let (session, _state) = demo_session();
    let gmv = session.govern_metric("gmv").unwrap();
    assert!(gmv.findings.is_empty(), "{:?}", gmv.findings);
    assert_eq!(gmv.reads[0].canonical.as_deref(), Some("fct_orders"));
    assert!(session.govern_metric("nothing").is_err());
}

#[test]
fn a_metric_says_whether_it_stands_on_canonical_datasets() {
    let (session, _state) = demo_session();
    let words = |metric: &str| {
        let card = session.describe(metric).unwrap();
        card.stands_on
            .iter()
            .map(|one| one.words())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words("take_rate"),
        [
            "fct_ads (canonical, certified)",
            "fct_orders (canonical, certified)"
        ]
    );
    assert_eq!(
        words("new_subscriptions"),
        ["subscriptions (not canonical)"]
    );
}
