//! Why a number moved, in the explorer: the tree beside its evidence, into the query of a hypothesis and back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::popup::Popup;
use support::Explorer;

fn opened(width: u16, height: u16, line: &str) -> Explorer {
    let mut explorer = Explorer::new(width, height);
    explorer.keys(&format!("<F2>{line}<Enter>"));
    explorer.keys("Q");
    explorer
}

fn selected(explorer: &Explorer) -> usize {
    match explorer.state.popups.last() {
        Some(Popup::Why(open)) => open.selected,
        _ => panic!("the window is not open"),
    }
}

#[test]
fn the_tree_and_the_evidence_of_a_cell_fit_on_small_and_large_screens() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = opened(width, height, "orders by market, month last 3 months");
        assert_shows!(
            explorer,
            "Why Orders",
            "Evidence",
            "Orders has moved.",
            "before",
            "after"
        );
        // The number's own market and month, against the month before.
        let screen = explorer.screen();
        assert!(screen.contains("where market ="), "{screen}");
        explorer.keys("<End>");
        assert!(selected(&explorer) > 3);
        explorer.keys("<Home><Down>");
        assert_eq!(selected(&explorer), 1);
        assert_shows!(explorer, "means something else than it did");
    }
}

#[test]
fn enter_runs_the_query_of_a_hypothesis_and_the_tree_opens_again_as_it_was_left() {
    let mut explorer = opened(120, 40, "orders 2026-10");
    explorer.keys("<Down><Down><Down>");
    let left = selected(&explorer);
    assert!(left > 0);
    explorer.keys("<Enter>");
    assert!(explorer.state.popups.is_empty());
    let line = explorer.line();
    assert!(
        line.starts_with("orders by") && line.contains("2026-10 vs"),
        "{line}"
    );
    // One step back, and the same question is as it was.
    explorer.keys("<Backspace>");
    assert_eq!(explorer.line(), "orders 2026-10");
    explorer.keys("Q");
    assert_eq!(selected(&explorer), left);
    explorer.keys("<Esc>");
    assert!(explorer.state.popups.is_empty());
    assert_eq!(explorer.line(), "orders 2026-10");
}

#[test]
fn nothing_waits_for_it_and_closing_it_ends_it() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>orders 2026-10<Enter>");
    explorer.hold = true;
    explorer.keys("Q");
    assert_shows!(explorer, "asking the warehouse");
    explorer.keys("<Esc>");
    assert!(explorer.state.popups.is_empty());
    assert!(explorer.state.looks.is_empty());
}

#[test]
fn the_menu_of_a_cell_leads_there_and_so_does_a_metric_without_rows() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("<F2>gmv by market 2026-10<Enter><Enter>");
    assert_shows!(explorer, "why did this number move");
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("<F3>orders<Esc>");
    explorer.act("why");
    assert_shows!(explorer, "Why ");
}

#[test]
fn a_question_that_cannot_be_asked_says_why() {
    let explorer = &mut opened(120, 40, "orders since 2026-06");
    assert_shows!(explorer, "start and an end");
}

#[test]
fn all_time_is_asked_as_the_last_whole_period_and_that_is_said() {
    for (width, height) in [(80, 24), (200, 50)] {
        let explorer = &mut opened(width, height, "orders all time");
        assert_shows!(explorer, "Why Orders, last month vs previous period");
        explorer.keys("<PageDown><PageDown><PageDown>");
        assert_shows!(
            explorer,
            "All time has nothing before it: this is about last month."
        );
    }
}
