//! Analyses in the explorer and on the command line: what can be run and why the rest cannot, run with the fitting look.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::process::Command;

use support::Explorer;

const ANALYSES: &str = "
analyses:
  comeback:
    {kind: retention, label: Comeback, description: Who buys again., activity: gmv, who: buyer_id, by: [market]}
  path:
    {kind: funnel, label: Way to a second order, who: buyer_id, steps: {ordered: orders, ordered_again: orders}}
  credit:
    {kind: attribution, label: Credit, touches: orders, conversions: gmv, cost: orders, channel: channel, who: buyer_id}
";

/// The shop with analyses.
fn shop(width: u16, height: u16) -> Explorer {
    let explorer = Explorer::new(width, height);
    let file = explorer.folder.path().join("shop/metrics/analyses.yaml");
    std::fs::write(file, ANALYSES).unwrap();
    explorer.start_again(width, height)
}

#[test]
fn a_project_without_analyses_says_so() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Tab>I");
    assert_shows!(explorer, "the project declares no analyses (analyses:)");
}

#[test]
fn the_triangle_is_a_heat_map() {
    let mut explorer = shop(80, 24);
    explorer.keys("<Tab>I");
    assert_shows!(explorer, "Comeback", "Triangle", "comeback by month, age");
    explorer.keys("triangle<Enter>");
    assert_eq!(explorer.line(), "comeback by month, age");
    let screen = explorer.screen();
    assert!(
        screen.contains("100.0%█") || screen.contains("100.0% █"),
        "a shade beside each number\n{screen}"
    );
    // The ages are columns, in order.
    let header = screen.lines().find(|line| line.contains("month")).unwrap();
    assert!(header.contains('0') || screen.contains("  0 "), "{screen}");
    explorer.keys("<z p>");
    assert_shows!(explorer, "age");
}

#[test]
fn a_funnel_has_bars_and_a_kind_that_is_not_there_a_reason() {
    let mut explorer = shop(200, 50);
    explorer.keys("<Tab>Isteps<Enter>");
    assert_shows!(explorer, "1 ordered", "2 ordered_again", "██████");
    explorer.keys("Ilifecycle<Enter>");
    assert_shows!(
        explorer,
        "the project declares none: analyses: with kind: lifecycle"
    );
}

fn metrex(explorer: &Explorer, args: &[&str]) -> (String, String, i32) {
    let root = explorer.folder.path();
    let ran = Command::new(env!("CARGO_BIN_EXE_metrex"))
        .args(["--project", root.join("shop").to_str().unwrap()])
        .args(["--state-dir", root.join("state").to_str().unwrap()])
        .args(["--today", "2026-11-20"])
        .args(args)
        .env("HOME", root)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        text(&ran.stdout),
        text(&ran.stderr),
        ran.status.code().unwrap(),
    )
}

#[test]
fn the_command_lists_and_runs_them() {
    let explorer = shop(80, 24);
    let (list, _, code) = metrex(&explorer, &["analyse"]);
    assert_eq!(code, 0);
    assert!(
        list.contains("comeback  Comeback · cohort retention of gmv\n  comeback by month, age"),
        "{list}"
    );
    let (shown, errors, code) = metrex(&explorer, &["analyse", "comeback", "--time", "all time"]);
    assert_eq!(code, 0, "{errors}");
    assert!(
        shown.contains("Triangle\ncomeback by month, age all time"),
        "{shown}"
    );
    assert!(shown.contains("100.0% █"), "{shown}");
    let (json, _, _) = metrex(&explorer, &["analyse", "path", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["views"][0]["rows"][0]["step"], "1 ordered");
    let (table, errors, code) = metrex(&explorer, &["analyse", "credit", "--coalitions"]);
    assert_eq!(code, 0, "{errors}");
    assert!(
        table.starts_with("Shapley values: exact, over all 8 coalitions of 3 channels"),
        "{table}"
    );
    for row in table.lines().skip(2) {
        let cells: Vec<_> = row.split_whitespace().collect();
        assert_eq!(
            cells[1], cells[3],
            "the SQL has what all coalitions give: {row}"
        );
    }
    let (lineage, _, _) = metrex(&explorer, &["lineage", "comeback"]);
    assert!(lineage.contains("gmv  metric"), "{lineage}");
    // In plain words, what does not add up is shown apart.
    let (asked, errors, code) = metrex(&explorer, &["ask", "credit by channel all time"]);
    assert_eq!(code, 0, "{errors}");
    let said = format!("{asked}{errors}");
    assert!(
        said.contains("query: credit by channel, method all time")
            && said.contains("by method too: credit does not add up over several of them"),
        "{said}"
    );
    let (_, errors, code) = metrex(&explorer, &["analyse", "comebakc"]);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("did you mean 'comeback'?"), "{errors}");
    let (_, errors, code) = metrex(&explorer, &["analyse", "path", "--coalitions"]);
    assert_eq!(code, 2, "{errors}");
}
