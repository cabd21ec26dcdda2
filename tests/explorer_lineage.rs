//! The lineage in the explorer: opened, folded, and left for what it names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use support::Explorer;

#[test]
fn the_lineage_of_a_metric_is_a_tree_that_leads_on() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Tab>L");
    assert_shows!(explorer, "Lineage", "metric", "▾ made from", "used by");
    // Space folds, as in every tree.
    explorer.keys("<Down><Space>");
    assert_shows!(explorer, "▸ made from");
    explorer.keys("<Space>");
    let screen = explorer.screen();
    let metric = screen
        .lines()
        .find(|line| line.contains("▾ ") && line.contains("  metric"))
        .unwrap_or_else(|| panic!("{screen}"))
        .to_owned();
    // A dataset has a lineage of its own, on top; a metric is gone to.
    explorer.keys("<Down><Enter>");
    assert_shows!(explorer, "  dataset");
    explorer.keys("<Esc>");
    assert!(explorer.screen().contains(metric.trim()), "{metric}");
    explorer.keys("<Home><Enter>");
    let screen = explorer.screen();
    assert!(!screen.contains("▾ made from"), "{screen}");
    assert_shows!(explorer, "Catalog");
}
