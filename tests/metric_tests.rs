//! Tests that stand with metrics: what people write, what is refused, what fails and how it is told, on every engine.
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
use std::process::{Command, Output, Stdio};

use metrex::model::{Expectation, MetricQuery, Tolerance};
use metrex::registry::{Config, Loaded, Project, ProjectFile, ProjectFiles, load};
use metrex::session::meaning::{Touches, differences};
use metrex::session::{Pin, TestResult, Verdict};
use on_engine::{project, session};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

const ROWS: &str = "
CREATE TABLE orders (id integer, market text, amount double precision, placed_on date);
INSERT INTO orders VALUES
  (1, 'ID', 100.25, '2025-10-03'), (2, 'ID', 50, '2025-10-20'), (3, 'TH', 25, '2025-10-31'),
  (4, 'ID', 80, '2025-11-02'), (5, 'TH', NULL, '2025-11-15'), (6, 'TH', -5, '2025-11-15');
";

const BASE: &str = "
datasets:
  orders:
    table: orders
    key: id
    time: placed_on
    dimensions: {market: {}, placed_on: {type: date}}
metrics:
  orders: {base_table: orders, agg: count}
  last_order: {base_table: orders, agg: max, expr: placed_on}
  gmv:
    base_table: orders
    agg: sum
    expr: amount
    grain: [market]
    tests:
";

/// The base with these tests of `gmv`, one in each line.
fn with_tests(tests: &[&str]) -> String {
    let lines = tests.iter().map(|test| format!("      - {test}\n"));
    lines.fold(BASE.to_owned(), |text, line| text + &line)
}

fn loaded(text: &str) -> Loaded {
    let file = ProjectFile {
        path: "metrics/shop.yaml".into(),
        text: text.into(),
    };
    let files = ProjectFiles {
        metrics: vec![file],
        ..ProjectFiles::default()
    };
    load(&files, &Config::default(), None)
}

fn problems(tests: &[&str]) -> Vec<String> {
    let loaded = loaded(&with_tests(tests));
    assert!(
        loaded.registry.metrics.contains_key("gmv"),
        "the metric stays"
    );
    loaded.diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn a_test_is_a_query_over_its_metric_and_what_must_be_so() {
    let loaded = loaded(&with_tests(&[
        "{name: October, query: 2025-10, expect: 175.25, tolerance: 0.5%}",
        "{query: by market where market = ID 2025-10, sums_to: gmv 2025-10, tolerance: 0.01}",
        "{at_least: 0, not_null: true, positive: true, fresh_within: 1 day}",
    ]));
    assert_eq!(loaded.diagnostics, []);
    let tests = &loaded.registry.metrics["gmv"].tests;
    let [october, sums, whole] = tests.as_slice() else {
        panic!("{tests:?}")
    };
    assert_eq!(october.title(), "October");
    let query = |line: &str| line.parse::<MetricQuery>().unwrap();
    // The default grouping is for readers.
    assert_eq!(october.query, query("gmv by none 2025-10"));
    let tolerance = Tolerance::Percent(0.5);
    let value = 175.25;
    assert_eq!(october.expected, [Expectation::Equals { value, tolerance }]);
    assert_eq!(
        sums.title(),
        "gmv by market where market = ID 2025-10 adds up to gmv by none 2025-10 (± 0.01)"
    );
    assert_eq!(
        whole.title(),
        "gmv by none is at least 0, is positive, is never empty, is at most 1 day old"
    );
    assert_eq!(loaded.registry.at(sums.place), "metrics/shop.yaml:18");
}

#[test]
fn what_says_nothing_or_cannot_be_told_is_refused_at_its_place() {
    let cases = [
        ("{query: by market}", "this test of 'gmv' expects nothing"),
        ("{expect: 5, tolerance: some}", "'some' is no tolerance"),
        (
            "{at_least: 5, tolerance: 1%}",
            "there is no number that the tolerance is for",
        ),
        (
            "{between: [1, 0]}",
            "between needs two numbers, the smaller one first",
        ),
        (
            "{query: by market vs previous year, not_null: true}",
            "a test is about one number",
        ),
        (
            "{query: \", orders 2025\", not_null: true}",
            "a test is about one number",
        ),
        ("{query: by marke where, not_null: true}", ""),
        (
            "{sums_to: gvm 2025-10}",
            "unknown metric 'gvm' — did you mean 'gmv'?",
        ),
        ("{fresh_within: 6 hours}", "'6 hours' is less than a day"),
        ("{fresh_within: soon}", "'soon' is not a length of time"),
        (
            "{at_least: 2, at_most: 1}",
            "no number is at least 2 and at most 1",
        ),
    ];
    for (test, message) in cases {
        let found = problems(&[test]);
        assert_eq!(found.len(), 1, "{test}: {found:?}");
        let is_here = found[0].starts_with("metrics/shop.yaml:17:");
        assert!(
            is_here && found[0].contains(message),
            "{test}: {}",
            found[0]
        );
    }
    let moving = problems(&["{query: last month, expect: 5}"]);
    assert_eq!(
        moving,
        [
            "metrics/shop.yaml:17:17: warning: the expected number is of 'last month', which moves with the day — write the \
          dates: 2026-10, or 2026-01..2026-03"
        ]
    );
}

async fn run(folder: &Path) -> Vec<TestResult> {
    let mut seen = 0;
    let progress = |done, _| seen = done;
    let session = session(folder);
    let cancel = CancellationToken::new();
    let results = session.test(&[], &cancel, progress).await.unwrap();
    assert_eq!(seen, results.len());
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_expected_passes_and_what_is_not_is_told_on_every_engine() {
    let cases: [(&str, &[&str]); 19] = [
        ("{query: 2025-10, expect: 175.25}", &[]),
        ("{query: 2025-10, expect: 176, tolerance: 0.5%}", &[]),
        (
            "{query: 2025-10, expect: 180, tolerance: 1}",
            &["is 175.25, expected 180 (-4.75, -2.64%)"],
        ),
        (
            "{query: by market 2025-10, expect: 1}",
            &["the query has 2 rows, and one number is expected"],
        ),
        (
            "{query: 2025-09, expect: 0}",
            &["there is no number, expected 0"],
        ),
        ("{query: by market 2025-10, between: [0, 200]}", &[]),
        (
            "{query: by day where market = TH 2025-11, at_least: 0}",
            &["not every number is at least 0: 2025-11-15 is -5"],
        ),
        (
            "{query: where market = TH 2025-11, positive: true}",
            &["is -5, expected positive"],
        ),
        (
            "{query: by market since 2025-10, at_most: 100}",
            &["not every number is at most 100: ID is 230.25"],
        ),
        (
            "{query: by market where market = NO, not_null: true}",
            &["the query has no rows"],
        ),
        (
            "{query: by day where amount is null 2025-11, not_null: true}",
            &["unknown dimension 'amount'"],
        ),
        ("{query: by market 2025-10, sums_to: gmv 2025-10}", &[]),
        (
            "{query: by market, sums_to: orders}",
            &["is 250.25, expected the 6 of orders by none (+244.25, +4070.83%)"],
        ),
        (
            "{query: 2025-10, sums_to: last_order 2025-10}",
            &["'2025-10-31' is no number"],
        ),
        ("{fresh_within: 5 days}", &[]),
        (
            "{query: where market = ID, fresh_within: 2 weeks}",
            &["the latest number is of 2025-11-02, expected 2025-11-06 or later"],
        ),
        (
            "{query: where market = NO, fresh_within: 1 day}",
            &["there is no number at all"],
        ),
        (
            "{query: 2025-10, expect: 175.25, at_least: 200}",
            &["is 175.25, expected at least 200"],
        ),
        ("{query: by colour, not_null: true}", &["colour"]),
    ];
    let tests: Vec<&str> = cases.iter().map(|(test, _)| *test).collect();
    for engine in engines::everywhere(ROWS) {
        let folder = project(&engine, &with_tests(&tests));
        let results = run(folder.path()).await;
        assert_eq!(results.len(), cases.len());
        for ((test, wanted), result) in cases.iter().zip(&results) {
            let reasons = result.reasons();
            assert_eq!(
                reasons.len(),
                wanted.len(),
                "{}: {test}: {reasons:?}",
                engine.name
            );
            for (reason, wanted) in reasons.iter().zip(*wanted) {
                assert!(reason.contains(wanted), "{}: {test}: {reason}", engine.name);
            }
            assert_eq!(result.passed(), wanted.is_empty());
            assert_eq!(result.metric, "gmv");
        }
        let cannot_run = results
            .iter()
            .filter(|one| matches!(one.verdict, Verdict::Error(_)));
        assert!(cannot_run.count() >= 2, "{results:#?}");
    }
}

fn metrex(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(folder)
        .env("METREX_STATE_DIR", folder.join(".state"))
        .env("METREX_TODAY", "2025-11-20")
        .env_remove("METREX_LOG")
        .stdin(Stdio::null());
    command.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_command_ends_with_one_where_a_number_is_not_as_expected() {
    let engine = engines::everywhere(ROWS).remove(0);
    let good = "{name: October & <all>, query: 2025-10, expect: 175.25}";
    let folder = project(&engine, &with_tests(&[good]));
    let passed = metrex(folder.path(), &["test"]);
    assert_eq!(passed.status.code(), Some(0), "{}", text(&passed.stderr));
    assert_eq!(text(&passed.stdout), "ok     gmv: October & <all>\n");
    assert!(text(&passed.stderr).contains("1 test of 1 metric: all as expected"));
    let none = metrex(folder.path(), &["test", "orders"]);
    assert_eq!(none.status.code(), Some(0));
    assert!(text(&none.stderr).contains("there are no tests"));

    let folder = project(
        &engine,
        &with_tests(&[
            good,
            "{query: 2025-10, expect: 9}",
            "{query: by colour, positive: true}",
        ]),
    );
    let arguments = ["test", "gmv", "--format", "json", "--junit", "out.xml"];
    let failed = metrex(folder.path(), &arguments);
    assert_eq!(failed.status.code(), Some(1));
    let results: Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(results[1]["outcome"], "failed");
    assert_eq!(results[1]["at"], "metrics/shop.yaml:18");
    assert_eq!(
        results[1]["reasons"][0],
        "is 175.25, expected 9 (+166.25, +1847.22%)"
    );
    assert_eq!(results[2]["outcome"], "error");
    let junit = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
    for part in [
        "<testsuites name=\"metrex\" tests=\"3\" failures=\"1\" errors=\"1\"",
        "<testsuite name=\"gmv\" tests=\"3\"",
        "name=\"October &amp; &lt;all&gt;\"",
        "<failure message=\"is 175.25, expected 9 (+166.25, +1847.22%)\">",
    ] {
        assert!(junit.contains(part), "{part}\n{junit}");
    }
    let unknown = metrex(folder.path(), &["test", "gvm"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("did you mean 'gmv'"));
}

#[test]
fn the_tests_of_the_demo_read() {
    let project = Project::demo().unwrap();
    let registry = load(&project.files(), &project.config, None).registry;
    let tested = registry
        .metrics
        .values()
        .filter(|metric| !metric.tests.is_empty());
    assert!(tested.count() >= 4);
}

/// What differs for a metric, as `numbers: …`.
fn told(before: &str, after: &str, metric: &str) -> Vec<String> {
    let (before, after) = (loaded(before), loaded(after));
    assert_eq!(
        (before.diagnostics.len(), after.diagnostics.len()),
        (0, 0),
        "{:?}",
        after.diagnostics
    );
    let found = differences(&before.registry, &after.registry, metric);
    let told = found.iter().map(|one| {
        let touches = match one.touches {
            Touches::Numbers => "numbers",
            Touches::Defaults => "defaults",
            Touches::Words => "words",
        };
        format!("{touches}: {}", one.text)
    });
    told.collect()
}

#[test]
fn what_a_change_means_is_told_in_words() {
    let before = "
datasets:
  orders: {table: orders, key: id, time: placed_on, dimensions: {market: {}, placed_on: {type: date}, paid_on: {type: date}}}
  new_orders: {table: new_orders, key: id, time: placed_on, dimensions: {market: {}, paid_on: {type: date}}}
metrics:
  orders: {base_table: orders, agg: count}
  gmv: {base_table: orders, agg: sum, expr: amount, filters: [\"status <> 'X'\", is_test = 0], window: last 6 months, owner: A}
  aov: {expr: gmv / orders}
  gmv_7d: {of: gmv, window: 7 days}
";
    let change = |from: &str, to: &str| {
        assert!(before.contains(from), "{from}");
        before.replace(from, to)
    };
    let cases = [
        (
            "expr: amount,",
            "expr: net,",
            "gmv",
            vec!["numbers: sum of net, no longer sum of amount"],
        ),
        (
            "agg: sum, expr: amount",
            "agg: avg, expr: amount",
            "gmv",
            vec!["numbers: average of amount, no longer sum of amount"],
        ),
        (
            "gmv: {base_table: orders",
            "gmv: {base_table: new_orders",
            "gmv",
            vec!["numbers: reads new_orders, no longer orders"],
        ),
        (
            "is_test = 0",
            "is_test < 1",
            "gmv",
            vec![
                "numbers: no longer only where is_test = 0",
                "numbers: now only where is_test < 1",
            ],
        ),
        (
            "window: last 6 months, owner: A",
            "window: last 12 months, time: paid_on, fill: 0, owner: B",
            "gmv",
            vec![
                "numbers: the time is paid_on, was none",
                "numbers: the value where there are no rows is 0, was none",
                "defaults: the default time range is last 12 months, was last 6 months",
                "words: the owner is B, was A",
            ],
        ),
        // What is made of it means something else, too.
        (
            "expr: amount,",
            "expr: net,",
            "aov",
            vec!["numbers: gmv: sum of net, no longer sum of amount"],
        ),
        (
            "gmv / orders",
            "gmv / orders + 0",
            "aov",
            vec!["numbers: the formula is gmv / orders + 0, was gmv / orders"],
        ),
        (
            "of: gmv, window: 7 days",
            "of: orders, window: 28 days",
            "gmv_7d",
            vec![
                "numbers: what is accumulated is orders, was gmv",
                "numbers: the window is 28 days, was 7 days",
            ],
        ),
        (
            "orders: {table: orders,",
            "orders: {table: mart.orders,",
            "aov",
            vec!["numbers: orders: the table is mart.orders, was orders"],
        ),
        (
            "owner: A",
            "owner: A, tests: [{at_least: 0}]",
            "gmv",
            vec!["words: is tested: gmv by none is at least 0"],
        ),
    ];
    for (from, to, metric, wanted) in cases {
        assert_eq!(told(before, &change(from, to), metric), wanted, "{to}");
    }
    assert!(told(before, before, "aov").is_empty());
    assert!(told(before, before, "nobody").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_pinned_where_its_metric_stands_if_it_is_so() {
    let engine = engines::everywhere(ROWS).remove(0);
    let text = BASE.replace("    tests:\n", "    # What buyers paid.\n") + "  # The end.\n";
    let folder = project(&engine, &text);
    let file = folder.path().join("metrics/shop.yaml");
    let session = session(folder.path());
    let cancel = CancellationToken::new();
    let pin = |value: f64, line: &str| Pin {
        metric: "gmv".to_owned(),
        query: line.parse().unwrap(),
        value,
        tolerance: Tolerance::Absolute(0.005),
    };
    let october = "gmv by none where market = ID 2025-10";
    let wrong = session.pin(&pin(9.0, october), &cancel).await.unwrap_err();
    assert_eq!(wrong.code, "failing_test");
    assert!(
        wrong.message.contains("is 150.25, expected 9"),
        "{}",
        wrong.message
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        text,
        "nothing was written"
    );
    let at = session.pin(&pin(150.25, october), &cancel).await.unwrap();
    let now = std::fs::read_to_string(&file).unwrap();
    assert!(
        now.contains("# What buyers paid.") && now.contains("# The end."),
        "{now}"
    );
    assert!(now.contains("where market = ID 2025-10"), "{now}");
    let (_, line) = at.rsplit_once(':').unwrap();
    let line: usize = line.parse().unwrap();
    let written = now.lines().nth(line - 1).unwrap();
    assert!(
        written.contains("query:") || written.contains("expect:"),
        "{at}: {written}"
    );
    let whole = pin(250.25, "gmv by none until 2025-11");
    session.pin(&whole, &cancel).await.unwrap();
    let results = session.test(&[], &cancel, |_, _| {}).await.unwrap();
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(TestResult::passed), "{results:?}");
    let again = session.pin(&whole, &cancel).await.unwrap_err();
    assert_eq!(again.code, "pinned");
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(folder)
        .args(["-c", "user.name=A", "-c", "user.email=a@b.c"]);
    let output = git.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn two_revisions_are_compared_in_words_and_in_numbers() {
    let engine = engines::everywhere(ROWS).remove(0);
    let before = BASE.replace(
        "    tests:\n",
        "  count: {expr: orders + 0}\n  old: {expr: gmv * 2}\n",
    );
    let folder = project(&engine, &before);
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "metrics", "metrex.yaml"]);
    git(folder.path(), &["commit", "--quiet", "--message", "one"]);
    let after = before
        .replace(
            "    expr: amount\n",
            "    expr: amount\n    filters: [\"market <> 'TH'\"]\n    owner: Finance\n",
        )
        .replace("  old: {expr: gmv * 2}\n", "  aov: {expr: gmv / orders}\n");
    std::fs::write(folder.path().join("metrics/shop.yaml"), &after).unwrap();

    let output = metrex(folder.path(), &["diff", "HEAD", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    let metrics: Vec<_> = diff["metrics"].as_array().unwrap().iter().collect();
    let named: Vec<_> = metrics
        .iter()
        .map(|one| (&one["metric"], &one["fate"]))
        .collect();
    assert_eq!(
        serde_json::to_value(named).unwrap(),
        serde_json::json!([["gmv", "changed"], ["aov", "new"], ["old", "gone"]])
    );
    let gmv = metrics[0];
    assert_eq!(
        gmv["differences"],
        serde_json::json!([
            {"touches": "numbers", "text": "now only where market <> 'TH'"},
            {"touches": "words", "text": "the owner is Finance, was none"},
        ])
    );
    let numbers = &gmv["numbers"];
    assert_eq!(
        (&numbers["before"], &numbers["after"]),
        (&250.25.into(), &230.25.into())
    );
    assert_eq!(numbers["by"], "market");
    assert_eq!(
        numbers["parts"],
        serde_json::json!([{"value": "TH", "before": 20.0, "after": null}])
    );
    assert_eq!(numbers["same"], 1);
    assert!(gmv["before"]["sql"].is_string() && gmv["before"] != gmv["after"]);

    // The other way round, from the commits; and folders.
    git(
        folder.path(),
        &["commit", "--quiet", "--all", "--message", "two"],
    );
    let told = metrex(folder.path(), &["diff", "HEAD", "HEAD~1", "--no-numbers"]);
    let told = text(&told.stdout);
    for part in [
        "changed gmv",
        "  numbers  no longer only where market <> 'TH'",
        "new     old",
        "gone    aov",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let other = project(&engine, &before);
    let here = folder.path().to_str().unwrap();
    let output = metrex(
        folder.path(),
        &["diff", other.path().to_str().unwrap(), here],
    );
    let told = text(&output.stdout);
    assert!(told.contains("250.25 → 230.25 (-8.0%)"), "{told}");
    assert!(told.contains("    market TH: 20.00 → none"), "{told}");
    let by = metrex(folder.path(), &["diff", "HEAD~1", "--by", "colour"]);
    assert!(text(&by.stderr).contains("no metric that differs can be compared by 'colour'"));
    let same = metrex(folder.path(), &["diff", "HEAD"]);
    assert_eq!(text(&same.stdout), "");
    assert!(text(&same.stderr).contains("every metric means the same"));

    // Another name is no other meaning, and what has an error is not gone.
    let broken = after
        .replace("  count: {", "  number: {")
        .replace("gmv / orders", "gmv / ordres");
    std::fs::write(folder.path().join("metrics/shop.yaml"), broken).unwrap();
    let output = metrex(folder.path(), &["diff", "HEAD"]);
    let told = text(&output.stdout);
    assert!(told.contains("renamed number, was count\n"), "{told}");
    assert!(told.contains("broken  aov\n"), "{told}");
    assert!(!told.contains("gone") && !told.contains("new"), "{told}");
    assert!(text(&output.stderr).contains("unknown metric 'ordres'"));
    let unknown = metrex(folder.path(), &["diff", "nowhere"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("neither a project's folder nor a revision"));
}
