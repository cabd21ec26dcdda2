//! `metrex ask` and `metrex eval` as people and programs use them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::process::{Command, Stdio};

use project::{TODAY, shop};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Run {
    code: i32,
    out: String,
    err: String,
}

/// The program in the shop's folder, with its state inside the folder and the clock pinned.
fn run(folder: &TempDir, arguments: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .current_dir(folder.path())
        .env("METREX_STATE_DIR", folder.path().join(".state"))
        .env("METREX_TODAY", TODAY)
        .env_remove("METREX_LOG")
        .stdin(Stdio::null())
        .args(arguments)
        .output()
        .unwrap();
    Run {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The shop with its values indexed.
fn indexed() -> TempDir {
    let shop = shop();
    assert_eq!(run(&shop, &["reindex"]).code, 0);
    shop
}

fn json_of(folder: &TempDir, arguments: &[&str]) -> Value {
    let mut all = vec!["ask", "--format", "json"];
    all.extend(arguments);
    serde_json::from_str(&run(folder, &all).out).unwrap()
}

#[test]
fn rows_go_to_stdout_and_what_was_understood_to_stderr() {
    let shop = indexed();
    let asked = run(
        &shop,
        &[
            "ask", "--format", "csv", "how", "many", "orders", "by", "market", "last", "month?",
        ],
    );
    assert_eq!(asked.code, 0, "{}", asked.err);
    assert_eq!(asked.out, "market,orders\nTH,1\nVN,2\n");
    assert!(
        asked.err.contains("query: orders by market last month"),
        "{}",
        asked.err
    );
    assert!(
        asked.err.contains("2025-10-01 to 2025-10-31"),
        "{}",
        asked.err
    );
}

#[test]
fn a_dry_run_prints_the_query_line_and_sql_the_sql() {
    let shop = indexed();
    let question = "gmv from ads in Thailand this year";
    let line = run(&shop, &["ask", "--dry-run", question]);
    let answer: metrex::model::MetricQuery = line.out.trim().parse().unwrap();
    assert_eq!(answer.metrics, ["gmv"], "{}", line.err);
    let sql = run(&shop, &["ask", "--sql", question]);
    let compiled = run(&shop, &["sql", line.out.trim()]);
    assert_eq!(sql.out.trim(), compiled.out.trim());
}

#[test]
fn a_refusal_marks_the_word_and_fails() {
    let shop = indexed();
    let asked = run(&shop, &["ask", "orders of whales last month"]);
    assert_eq!((asked.code, asked.out.as_str()), (1, ""));
    assert!(
        asked
            .err
            .contains("  orders of whales last month\n            ^^^^^^\n"),
        "{}",
        asked.err
    );
}

#[test]
fn a_question_may_follow_another() {
    let shop = indexed();
    let asked = run(
        &shop,
        &[
            "ask",
            "--dry-run",
            "--previous",
            "orders by channel where market = TH this year",
            "and for Vietnam?",
        ],
    );
    assert_eq!(
        asked.out.trim(),
        "orders by channel where market = VN this year",
        "{}",
        asked.err
    );
}

#[test]
fn lists_and_explanations_are_answers_too() {
    let shop = indexed();
    let markets = run(&shop, &["ask", "which markets are there?"]);
    assert_eq!(markets.out, run(&shop, &["values", "market"]).out);
    let metrics = run(&shop, &["ask", "which metrics are there?"]);
    assert_eq!(metrics.out, run(&shop, &["search"]).out);
    let meaning = run(&shop, &["ask", "what does gmv mean?"]);
    assert_eq!(meaning.out, run(&shop, &["show", "gmv"]).out);
}

#[test]
fn causes_are_asked_for_in_plain_words() {
    let shop = indexed();
    let question = "why did orders fall in Thailand this month";
    let asked = run(&shop, &["ask", question]);
    assert_eq!(asked.code, 0, "{}", asked.err);
    let why = run(&shop, &["why", "orders where market = TH this month"]);
    assert!(why.out.contains("against"), "{}", why.out);
    assert_eq!(asked.out, why.out);
    let line = run(&shop, &["ask", "--dry-run", question]);
    assert_eq!(
        line.out,
        "orders where market = TH this month vs previous period\n"
    );
    let reply = json_of(&shop, &[question]);
    assert_eq!(reply["outcome"], "why");
    assert_eq!(reply["result"]["metric"], "orders");
    let many = run(&shop, &["ask", "why did orders by market fall this month"]);
    assert_eq!(many.code, 1);
    assert!(many.err.contains("of one number"), "{}", many.err);
}

#[test]
fn programs_get_every_outcome_as_one_object() {
    let shop = indexed();
    let answer = json_of(&shop, &["orders by market last month"]);
    assert_eq!(answer["outcome"], "answer");
    assert_eq!(answer["query"], "orders by market last month");
    assert_eq!(answer["path"], "template");
    assert_eq!(answer["chips"][0]["kind"], "metric");
    assert_eq!(
        answer["result"]["rows"],
        json!([{"market": "TH", "orders": 1}, {"market": "VN", "orders": 2}])
    );
    let refused = json_of(&shop, &["orders of whales"]);
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(
        refused["refusal"]["words"],
        json!([["whales", {"start": 10, "end": 16}]])
    );
    let list = json_of(&shop, &["list markets"]);
    assert_eq!(list["values"][0], json!({"value": "TH", "rows": 2}));
    let meaning = json_of(&shop, &["what is aov"]);
    assert_eq!(meaning["metric"], "aov");
}

#[test]
fn a_previous_query_that_is_none_is_refused_as_a_query_line() {
    let asked = run(
        &shop(),
        &["ask", "--previous", "orders by by", "and last week"],
    );
    assert_eq!(asked.code, 1);
    assert!(asked.err.contains("orders by by"), "{}", asked.err);
}

/// Runs a set of one right, one wrong and one refused question.
fn eval(shop: &TempDir, arguments: &[&str]) -> Run {
    let line = |id: &str, question: &str, expect: Value| {
        json!({"id": id, "project": ".", "today": TODAY, "question": question, "expect": expect, "tags": ["all"]})
            .to_string()
    };
    let set = [
        line(
            "one",
            "orders last month",
            json!({"query": "orders 2025-10"}),
        ),
        line(
            "two",
            "orders by market",
            json!({"query": "orders by channel"}),
        ),
        line("three", "orders of whales", json!({"refuse": ["whales"]})),
    ];
    std::fs::write(shop.path().join("set.jsonl"), set.join("\n")).unwrap();
    let mut all = vec!["eval", "set.jsonl"];
    all.extend(arguments);
    run(shop, &all)
}

#[test]
fn eval_lists_what_is_wrong_and_fails_below_its_thresholds() {
    let shop = shop();
    let strict = eval(&shop, &[]);
    assert_eq!(strict.code, 1, "{}", strict.err);
    assert!(
        strict.out.contains("wrong two orders by market"),
        "{}",
        strict.out
    );
    assert!(
        strict.out.contains("differs   dimensions"),
        "{}",
        strict.out
    );
    assert!(
        strict.err.contains("1 silently wrong, at most 0 wanted"),
        "{}",
        strict.err
    );
    let lenient = eval(&shop, &["--max-wrong", "1", "--min-right", "0.5"]);
    assert_eq!(lenient.code, 0, "{}", lenient.err);
}

#[test]
fn eval_reports_to_programs_too() {
    let shop = shop();
    let report = eval(&shop, &["--format", "json"]);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["answerable"]["right"], 1);
    assert_eq!(report["answerable"]["wrong"], 1);
    assert_eq!(report["out_of_scope"]["right"], 1);
    assert_eq!(report["parts"]["dimensions"], 0.5);
    assert_eq!(report["failures"][0]["id"], "two");
}
