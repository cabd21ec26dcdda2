//! What whoever sees the explorer for the first time does: nothing is silent, nothing is undone by surprise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::state::Focus;
use support::Explorer;

const BY_MARKET: &str = "<F2>gmv by market<Enter>";

fn at_80() -> Explorer {
    Explorer::new(80, 24)
}

fn line(explorer: &Explorer) -> String {
    explorer.state.query.to_string()
}

#[test]
fn enter_groups_and_closes_the_list() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter>");
    assert!(explorer.state.popups.is_empty());
    assert_eq!(line(&explorer), "gmv by market total");
}

#[test]
fn what_was_marked_with_space_stays_when_enter_closes_the_list() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Space>channel<Space><Enter>");
    assert!(explorer.state.popups.is_empty());
    assert_eq!(line(&explorer), "gmv by market, channel total");
    explorer.keys("gmarket<Space>month<Enter>");
    assert_eq!(
        line(&explorer),
        "gmv by channel, month total",
        "what was searched last is meant too"
    );
}

#[test]
fn values_are_marked_one_search_after_the_other() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>fmarket<Enter>id<Space>th<Enter>");
    assert_eq!(line(&explorer), "gmv where market in (ID, TH)");
}

#[test]
fn a_country_is_found_by_its_name_where_the_data_has_its_code() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>fmarket<Enter>");
    assert_shows!(explorer, "Indonesia");
    explorer.keys("thailand<Enter>");
    assert_eq!(line(&explorer), "gmv where market = TH");
}

#[test]
fn a_list_in_which_nothing_is_found_says_so() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>fbrazil");
    assert_shows!(
        explorer,
        "no such dimension; choose one, then search its values"
    );
    explorer.keys("<Esc>gzzz");
    assert_shows!(explorer, "nothing matches; Esc closes the list");
    explorer.keys("<Esc>/zzz");
    assert_shows!(explorer, "nothing matches; Esc clears it");
}

#[test]
fn a_key_without_a_meaning_says_so() {
    let mut explorer = at_80();
    explorer.keys(&format!("{BY_MARKET}Z"));
    assert_shows!(explorer, "Z means nothing here; F1 shows the keys");
    explorer.keys("<Enter>whole<Enter>Z");
    assert_shows!(explorer, "Z means nothing here; F1 shows the keys");
}

#[test]
fn keys_of_vi_lead_to_the_ends_and_by_pages() {
    let mut explorer = at_80();
    let place = |explorer: &Explorer| {
        let grid = explorer.state.result.grid.as_ref();
        grid.and_then(|grid| grid.selected()).unwrap()
    };
    explorer.keys("<F2>gmv by day, channel<Enter>G$");
    let (last, column) = place(&explorer);
    assert!(last > 100);
    assert_eq!(column, 2);
    explorer.keys("^<Ctrl+U>");
    let (row, column) = place(&explorer);
    assert!(row < last);
    assert_eq!(column, 0);
    explorer.keys("<Ctrl+D>");
    assert_eq!(place(&explorer).0, last);
}

#[test]
fn what_is_said_is_never_cut() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by month vs previous year<Enter><F5>");
    assert_shows!(
        explorer,
        "not run: a comparison needs a time range with a start"
    );
    assert_shows!(explorer, "not all time");
    assert_shows!(explorer, "cannot run · 4 says why");
}

#[test]
fn a_window_names_the_way_out_and_the_commands_are_always_in_sight() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>g");
    assert_shows!(explorer, "Esc close");
    for keys in ["", "<Esc>", "<F5>", "1", "2", "4"] {
        explorer.keys(keys);
        assert_shows!(explorer, "Ctrl+P more  F1 help");
    }
}

#[test]
fn the_steps_down_are_named_only_while_they_hold() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by market, month last 6 months<Enter><Enter>by channel<Enter>");
    assert_shows!(explorer, "Result › market ID, month 2026-05");
    explorer.keys("o2<Enter>");
    assert_shows!(explorer, "Result › market ID, month 2026-05");
    explorer.keys("<F2><Ctrl+U>gmv by channel where market = TH<Enter>");
    assert_lacks(&mut explorer, "Result ›");
    explorer.keys("u");
    assert_shows!(explorer, "Result › market ID, month 2026-05");
}

fn assert_lacks(explorer: &mut Explorer, text: &str) {
    let screen = explorer.screen();
    assert!(!screen.contains(text), "{screen}");
}

#[test]
fn a_column_has_room_for_its_subtotals() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by market, week<Enter>");
    assert_lacks(&mut explorer, "###");
    explorer.keys("<z t>");
    assert_shows!(explorer, "subtotals");
    assert_lacks(&mut explorer, "###");
}

#[test]
fn the_owner_is_seen_at_once_and_enter_explores_from_the_details_too() {
    let mut explorer = at_80();
    explorer.keys("sales");
    assert_shows!(explorer, "owner Commerce Analytics");
    explorer.keys("<Tab><Enter>");
    assert_eq!(explorer.state.focus, Focus::Query);
    assert_eq!(line(&explorer), "gmv");
}

#[test]
fn what_a_field_does_not_hold_is_found_too() {
    let mut explorer = at_80();
    let found = |explorer: &Explorer| {
        let hits = explorer.state.finder.hits.iter();
        hits.map(|hit| hit.metric.clone()).collect::<Vec<_>>()
    };
    explorer.keys("%status !certified");
    let mut names = found(&explorer);
    names.sort();
    assert_eq!(names, ["aov", "orders", "visits"]);
    explorer.keys("<Ctrl+U>%status !cert<Tab>");
    assert_eq!(found(&explorer).len(), 3);
    explorer.keys("<Ctrl+U>%dim !market");
    assert_eq!(found(&explorer), ["visits"]);
}

#[test]
fn a_word_with_swapped_letters_is_put_right_and_that_is_said() {
    let mut explorer = at_80();
    explorer.keys("slaes");
    assert_shows!(explorer, "shown for 'sales'", "also sales");
    explorer.keys("<Ctrl+U>zzzz");
    assert_shows!(explorer, "nothing matches");
}

#[test]
fn the_catalog_stands_at_the_query_that_is_opened_again() {
    let mut explorer = at_80();
    explorer.keys("<F2>visits by month<Enter>");
    explorer.end();
    let explorer = explorer.start_again(80, 24);
    assert_eq!(explorer.state.finder.metric(), Some("visits"));
}
