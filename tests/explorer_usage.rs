//! How a metric is used, in the explorer: the tree around it, where its lines lead, and the counts in catalog and details.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;
#[path = "support/used.rs"]
mod used;

use jiff::civil::date;
use metrex::usage::{FilterFact, Outcome, Usage};
use support::Explorer;
use used::record;

/// An explorer whose project was used for some weeks.
fn explorer(width: u16, height: u16) -> Explorer {
    let explorer = Explorer::new(width, height);
    let usage = Usage::open(&explorer.session.state().path().join("usage.db")).unwrap();
    let today = date(2026, 11, 20);
    for days in 0..70_i64 {
        let asked = |line: &str, metrics: &[&str], user: &str| {
            let mut asked = record(line, today, days, |facts| {
                facts.metrics = metrics.iter().map(|metric| (*metric).to_owned()).collect();
                facts.tables = vec!["orders".to_owned()];
                facts.columns = vec!["orders.amount".to_owned()];
                facts.computed_from = metrics
                    .iter()
                    .map(|metric| ((*metric).to_owned(), "orders".to_owned()))
                    .collect();
            });
            asked.user = user.to_owned();
            asked
        };
        let mut by_market = asked(
            "gmv by market where channel = ads",
            &["gmv"],
            "Ada <ada@example.com>",
        );
        by_market.facts.dimensions = vec!["market".to_owned()];
        let value = if days % 3 == 0 { "ads" } else { "organic" };
        by_market.facts.filters = vec![FilterFact {
            on: "channel".to_owned(),
            op: "=".to_owned(),
            values: vec![value.to_owned()],
        }];
        let mut by_segment = asked("gmv, orders by segment", &["gmv", "orders"], "grace");
        by_segment.facts.dimensions = vec!["segment".to_owned()];
        by_segment.facts.tables.push("users".to_owned());
        by_segment.facts.joins = vec!["orders.buyer_id = users.user_id".to_owned()];
        by_segment.ms = 120;
        if days % 10 == 0 {
            by_segment.outcome = Outcome::Failed("down".to_owned());
        }
        usage.record(by_market);
        if days < 20 || days % 4 == 0 {
            usage.record(by_segment);
        }
    }
    usage.flush();
    drop(usage);
    explorer.start_again(width, height)
}

#[test]
fn the_usage_of_a_metric_is_a_tree_at_80x24() {
    let mut explorer = explorer(80, 24);
    explorer.keys("<Tab>O");
    insta::assert_snapshot!(explorer.screen());
}

#[test]
fn the_usage_of_a_metric_is_a_tree_at_200x50() {
    let mut explorer = explorer(200, 50);
    explorer.keys("<Tab>O");
    insta::assert_snapshot!(explorer.screen());
}

#[test]
fn uses_stand_in_the_catalog_and_in_the_details_at_200x50() {
    let mut explorer = explorer(200, 50);
    explorer.keys("<Tab>");
    insta::assert_snapshot!(explorer.screen());
}

#[test]
fn a_line_leads_to_the_use_of_what_it_names_and_back() {
    let mut explorer = explorer(120, 40);
    explorer.keys("<Tab>O");
    assert_shows!(
        explorer,
        "▾ gmv  metric",
        "asked together with",
        "Ada <ada@example.com>",
        "affected if it changes"
    );
    // `orders`, the first thing it was asked with.
    explorer.keys("<Down><Down><Enter>");
    assert_shows!(explorer, "▾ orders  metric", "part of", "aov");
    explorer.keys("<Esc>");
    let after = explorer.screen();
    assert!(
        after.contains("▾ gmv  metric") && !after.contains("▾ orders  metric"),
        "{after}"
    );
    explorer.keys("<Esc>");
    assert!(!explorer.screen().contains("╭ Usage"));
}

#[test]
fn a_query_becomes_the_query() {
    let mut explorer = explorer(200, 50);
    explorer.keys("<Tab>O");
    let screen = explorer.screen();
    let lines: Vec<&str> = screen
        .lines()
        .skip_while(|line| !line.contains("╭ Usage"))
        .collect();
    let at = lines
        .iter()
        .position(|line| line.contains("gmv, orders by segment"))
        .unwrap_or_else(|| panic!("{screen}"));
    explorer.keys(&"<Down>".repeat(at - 1));
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv, orders by segment");
    assert!(!explorer.screen().contains("╭ Usage"));
}
