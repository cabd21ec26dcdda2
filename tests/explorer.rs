//! What a user of the explorer relies on, key by key.
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

fn at_80() -> Explorer {
    Explorer::new(80, 24)
}

#[test]
fn three_letters_find_the_metric_and_enter_explores_it() {
    let mut explorer = at_80();
    explorer.keys("gmv");
    assert_shows!(
        explorer,
        "Gross merchandise value",
        "✓ certified",
        "Cancelled orders do not count"
    );
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv");
    assert_shows!(explorer, "SUM(", "FROM orders");
}

#[test]
fn the_catalog_is_found_by_owner_tag_and_other_names_and_says_why() {
    let mut explorer = at_80();
    explorer.keys("sales");
    assert_shows!(explorer, "also sales");
    explorer.keys("<Ctrl+U>growth");
    assert_shows!(explorer, "owner Growth");
    explorer.keys("<Esc>");
    assert!(explorer.search().is_empty());
    assert_shows!(explorer, "Commerce", "Traffic");
}

#[test]
fn grouping_changes_the_query_line_and_brings_the_total_row() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter>");
    assert_eq!(explorer.line(), "gmv by market total");
    explorer.keys("gmonth<Space>");
    assert_eq!(explorer.line(), "gmv by market, month total");
    explorer.keys("<Space>market<Space>");
    assert_eq!(explorer.line(), "gmv by none");
}

#[test]
fn without_a_metric_groupings_list_distinct_values() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("<Esc>g");
    assert_shows!(explorer, "Distinct values of");
    explorer.keys("market<Enter><Esc>");
    assert_eq!(explorer.line(), "by market");
    assert_shows!(explorer, "none: distinct values", "F5 runs", "SELECT");
    explorer.keys("<F5>");
    assert_eq!(explorer.state.result.query.to_string(), "by market");
    explorer.keys("<F2><Ctrl+U>range of created_at<Enter>");
    assert_eq!(explorer.line(), "range of created_at");
    assert_shows!(explorer, "range of created_at");
}

#[test]
fn what_cannot_be_reached_is_listed_last_with_the_reason() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("visits<Enter>gmarket");
    assert_shows!(explorer, "market");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "visits");
    let notice = format!("{:?}", explorer.state.notice);
    assert!(notice.contains("visits"), "the reason is said: {notice}");
}

#[test]
fn values_are_included_and_excluded_from_the_index() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>fmarket<Enter>");
    assert_shows!(explorer, "Values of market", "4 values", "60");
    explorer.keys("TH<Space><Ctrl+U>SG<Space><Enter>");
    assert_eq!(explorer.line(), "gmv where market in (SG, TH)");
    explorer.keys("fmarket<Enter><Ctrl+U>SG-<Ctrl+U>TH<Space><Enter>");
    assert_eq!(explorer.line(), "gmv where market != SG");
    explorer.keys("fmarket<Enter>SG-<Enter>");
    assert_eq!(explorer.line(), "gmv");
}

#[test]
fn a_comparison_can_be_typed_for_numbers_and_for_values_that_are_not_listed() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>famount<Enter>>= 100<Enter>");
    assert_eq!(explorer.line(), "gmv where amount >= 100");
    explorer.keys("Xgmv");
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>femail<Enter>");
    assert_shows!(explorer, "personal data is never indexed");
    explorer.keys("someone@example.com<Enter>");
    assert_eq!(explorer.line(), "gmv where email = 'someone@example.com'");
}

#[test]
fn time_ranges_show_their_days_before_they_are_taken() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>t");
    assert_shows!(explorer, "last 7 days", "2026-11-13 to 2026-11-19");
    explorer.keys("2026Q3");
    assert_shows!(explorer, "2026Q3 · 2026-07-01 to 2026-09-30");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv 2026Q3");
}

#[test]
fn a_comparison_and_an_order_are_chosen_from_lists() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter><Esc>tlast month<Enter>vprevious year<Enter>");
    assert_eq!(
        explorer.line(),
        "gmv by market last month vs previous year total"
    );
    explorer.keys("o3<Enter>ogmv desc<Enter>");
    assert_eq!(
        explorer.line(),
        "gmv by market last month vs previous year top 3 by gmv total"
    );
}

#[test]
fn running_shows_rows_and_the_total_of_the_engine() {
    let mut explorer = at_80();
    explorer.keys("orders<Enter>gmarket<Enter><Esc><F5>");
    assert_eq!(explorer.state.focus, Focus::Result);
    assert_shows!(
        explorer,
        "Market",
        "SG",
        "60",
        "Total",
        "240",
        "rows 1–4 of 4"
    );
}

#[test]
fn an_answer_from_the_cache_says_so_and_f6_asks_again() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter><F5><F5>");
    assert_shows!(explorer, "from the cache, 3 min old · F6 asks again");
    explorer.keys("<F6>");
    assert!(!explorer.screen().contains("from the cache"));
}

#[test]
fn a_typed_line_becomes_the_query_and_runs() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv, orders by market last 6 months<Enter>");
    assert_eq!(explorer.line(), "gmv, orders by market last 6 months");
    assert_shows!(explorer, "gmv  orders", "TH");
}

#[test]
fn a_line_with_a_mistake_stays_says_where_and_esc_returns_to_the_query() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>i<Ctrl+U>gmv by market wehre x<Enter>");
    assert_eq!(explorer.line(), "gmv");
    assert_shows!(explorer, "gmv by market wehre x", "'wehre'");
    assert_eq!(explorer.state.prompt.error.as_ref().unwrap().range, 14..19);
    explorer.keys("<Esc>");
    assert_shows!(explorer, "› gmv");
    assert_eq!(explorer.line(), "gmv");
}

#[test]
fn words_are_completed_from_registry_and_index() {
    let mut explorer = at_80();
    explorer.keys("<F2>gm<Tab>by mar<Tab>where cha<Tab>= or<Tab>");
    assert_eq!(
        explorer.state.prompt.input.text().trim(),
        "gmv by market where channel = organic"
    );
}

#[test]
fn earlier_lines_come_back_with_up_and_by_search() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by market<Enter><F2><Ctrl+U>orders by month<Enter><F2><Ctrl+U><Up>");
    assert_eq!(
        explorer.state.prompt.input.text(),
        "orders by month all time"
    );
    explorer.keys("<Up>");
    assert_eq!(explorer.state.prompt.input.text(), "gmv by market all time");
    explorer.keys("<Down><Down>");
    assert_eq!(explorer.state.prompt.input.text(), "");
    explorer.keys("<Ctrl+R>market<Enter>");
    assert_eq!(explorer.state.prompt.input.text(), "gmv by market all time");
}

#[test]
fn a_refused_query_shows_the_reason_and_does_not_run() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("<F2>visits by market<Enter>");
    assert_shows!(explorer, "market", "device");
    assert!(explorer.state.result.grid.is_none());
}

#[test]
fn the_definition_behind_a_line_of_sql_is_shown_and_opened_in_the_editor() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>4<Down><Enter>");
    assert_shows!(explorer, "metrics/shop.yaml:", "base_table: orders");
    explorer.keys("e");
    let (file, line) = explorer.edited.pop().unwrap();
    assert!(file.ends_with("shop/metrics/shop.yaml"));
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.lines()
            .nth(usize::try_from(line).unwrap() - 1)
            .unwrap()
            .contains("gmv:")
    );
}

#[test]
fn rows_sort_by_the_column_under_the_cursor() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5><Right>s");
    let screen = explorer.screen();
    let order: Vec<usize> = ["VN", "TH", "SG", "ID"]
        .iter()
        .map(|market| screen.find(&format!("│ {market} ")).unwrap())
        .collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_ne!(
        order, sorted,
        "descending by value is not the order of arrival:\n{screen}"
    );
    explorer.keys("sss");
}

#[test]
fn a_result_that_was_cut_is_sorted_in_the_query_or_not_at_all() {
    let mut explorer = at_80();
    let config = explorer.folder.path().join("shop/metrex.yaml");
    assert!(config.exists());
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5><Right>");
    explorer
        .state
        .result
        .grid
        .as_mut()
        .unwrap()
        .set_progress(metrex::tui::widgets::grid::Progress::Cut);
    explorer.keys("s");
    assert_shows!(explorer, "Only a part of the rows is here");
    explorer.keys("y");
    assert_eq!(explorer.line(), "gmv by market order by gmv desc total");
    assert!(explorer.state.result.grid.is_some());
}

#[test]
fn a_cell_is_seen_whole_and_the_result_is_searched() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>/SG<Enter><Esc><Enter>whole<Enter>");
    assert_shows!(explorer, "╭ Market");
    explorer.keys("<Esc>");
}

#[test]
fn cells_rows_lines_and_sql_are_copied() {
    let mut explorer = at_80();
    explorer.keys("orders<Enter>gmarket<Enter><Esc><F5>yall rows as csv<Enter>");
    assert_eq!(
        explorer.copied.pop().unwrap(),
        "market,orders\nID,60\nSG,60\nTH,60\nVN,60\n"
    );
    explorer.keys("yrow as markdown<Enter>");
    assert!(explorer.copied.pop().unwrap().contains("| ID | 60 |"));
    explorer.keys("yquery line<Enter>");
    assert_eq!(explorer.copied.pop().unwrap(), "orders by market total");
    explorer.keys("ysql<Enter>");
    assert!(explorer.copied.pop().unwrap().starts_with("SELECT"));
}

#[test]
fn parts_of_the_query_are_changed_and_removed_one_by_one() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by market where channel = ads last 6 months<Enter>3<Right><Right>x");
    assert_eq!(explorer.line(), "gmv by market last 6 months");
    explorer.keys("u");
    assert_eq!(
        explorer.line(),
        "gmv by market where channel = ads last 6 months"
    );
    explorer.keys("<Enter>");
    assert_shows!(explorer, "Values of channel");
    explorer.keys("<Esc>X");
    assert_eq!(explorer.line(), "");
}

#[test]
fn an_old_answer_never_overwrites_a_newer_question() {
    let mut explorer = at_80();
    explorer.hold = true;
    explorer.keys("v");
    let first = explorer.held.pop_back().unwrap();
    explorer.keys("<Backspace>gmv");
    explorer.release();
    assert_eq!(explorer.state.finder.metric(), Some("gmv"));
    explorer.held.push_back(first);
    explorer.release();
    assert_eq!(explorer.state.finder.metric(), Some("gmv"));
    assert!(!explorer.state.is_asking());
}

#[test]
fn esc_cancels_a_run_and_never_quits() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>");
    explorer.hold = true;
    explorer.keys("<F5>");
    assert_shows!(explorer, "running", "Esc cancels");
    explorer.keys("<Esc>");
    assert_shows!(explorer, "cancelling");
    explorer.hold = false;
    explorer.release();
    explorer.keys("<Esc><Esc><Esc><Esc>");
    assert!(!explorer.ended);
}

#[test]
fn leaving_during_a_run_asks_first() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>");
    explorer.hold = true;
    explorer.keys("<F5>q");
    assert_shows!(explorer, "A query is running. Cancel it and quit?");
    explorer.keys("n");
    assert!(explorer.state.popups.is_empty());
    explorer.keys("qy");
    explorer.hold = false;
    explorer.release();
    assert!(explorer.ended);
}

#[test]
fn ctrl_c_quits_only_when_pressed_twice() {
    let mut explorer = at_80();
    explorer.keys("<Ctrl+C>");
    assert!(!explorer.ended);
    assert_shows!(explorer, "Ctrl+C again quits");
    explorer.keys("g<Ctrl+C>");
    assert!(!explorer.ended);
    explorer.keys("<Ctrl+C>");
    assert!(explorer.ended);
}

#[test]
fn an_edit_on_disk_shows_at_once_and_a_broken_one_keeps_the_last_good_version() {
    let mut explorer = Explorer::new(120, 40);
    let file = explorer.folder.path().join("shop/metrics/shop.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    explorer.keys("gmv");
    std::fs::write(
        &file,
        text.replace("Gross merchandise value", "Sales value"),
    )
    .unwrap();
    explorer.tell(metrex::tui::Message::FilesChanged);
    assert_shows!(explorer, "Sales value");
    std::fs::write(&file, text.replace("agg: sum", "agg: summe")).unwrap();
    explorer.tell(metrex::tui::Message::FilesChanged);
    assert_shows!(
        explorer,
        "Sales value",
        "metrics/shop.yaml:",
        "summe",
        "P shows"
    );
    explorer.keys("<Esc><Esc>P");
    assert_shows!(explorer, "Problems in the registry");
    std::fs::write(&file, text).unwrap();
    explorer
        .keys("<Esc>")
        .tell(metrex::tui::Message::FilesChanged);
    assert_shows!(explorer, "Gross merchandise value");
    assert!(!explorer.screen().contains("P shows"));
}

#[test]
fn the_connection_is_switched_in_place() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>Carchive<Enter>");
    assert_eq!(explorer.session.connection(), "archive");
    assert_shows!(explorer, "connected to archive");
}

#[test]
fn the_palette_finds_and_does_everything() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter><Ctrl+P>clear the query<Enter>");
    assert_eq!(explorer.line(), "");
}

#[test]
fn clicks_find_what_they_point_at() {
    let mut explorer = Explorer::new(120, 40);
    explorer.click("Visits").click("Visits");
    assert_eq!(explorer.line(), "visits");
    explorer.click("5 Result");
    assert_eq!(explorer.state.focus, Focus::Result);
    explorer.click("F1 help");
    assert_shows!(explorer, "╭ Help");
}

#[test]
fn a_pasted_query_line_is_typed_into_the_prompt() {
    let mut explorer = at_80();
    explorer.keys("<Esc>").tell(metrex::tui::Message::Paste(
        "gmv by market\nlast 6 months\n".to_owned(),
    ));
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv by market last 6 months");
}

#[test]
fn a_run_asked_for_while_the_demo_is_made_starts_when_it_is_ready() {
    let mut explorer = at_80();
    explorer.tell(metrex::tui::Message::Preparing(
        "Making the demo: orders 10%".to_owned(),
    ));
    explorer.keys("orders<Enter><F5>");
    assert!(explorer.state.result.grid.is_none());
    assert_shows!(explorer, "Making the demo: orders 10%");
    explorer.tell(metrex::tui::Message::Prepared(Ok(())));
    assert_shows!(explorer, "240");
    assert!(explorer.state.notice.is_none());
}

#[test]
fn a_small_terminal_says_what_it_needs_and_still_quits() {
    for (width, height) in [(59, 14), (20, 5)] {
        let mut explorer = Explorer::new(width, height);
        let size = format!("this is {width}x{height}");
        assert_shows!(explorer, "terminal too small", "60x15 needed", &size);
        // A letter goes into the search box.
        assert_shows!(explorer, "Ctrl+C twice quits");
        explorer.keys("<Esc>");
        assert_shows!(explorer, "q quits");
        explorer.keys("q");
        assert!(explorer.ended);
    }
}

#[test]
fn a_saved_query_is_taken_from_the_list() {
    let mut explorer = at_80();
    let file = explorer.folder.path().join("shop/metrics/views.yaml");
    let text = "views:\n  by_market: {description: Sales of each market, query: gmv by market last month}\n";
    std::fs::write(file, text).unwrap();
    explorer.tell(metrex::tui::Message::FilesChanged);
    explorer.keys("<Esc>V");
    assert_shows!(explorer, "Sales of each market");
    explorer.keys("<Enter>");
    assert_eq!(explorer.line(), "gmv by market last month");
}

#[test]
fn f5_in_the_catalog_explores_and_runs_the_metric_under_the_cursor() {
    let mut explorer = at_80();
    explorer.keys("orders<F5>");
    assert_eq!(explorer.line(), "orders");
    assert_shows!(explorer, "240");
}

#[test]
fn a_row_that_is_not_possible_says_why_when_it_is_selected() {
    let mut explorer = at_80();
    explorer.keys("visits<Enter>gmarket");
    assert_shows!(explorer, "not possible: with visits");
}

#[test]
fn what_is_typed_ahead_of_the_answers_chooses_what_they_bring() {
    let mut explorer = at_80();
    explorer.hold = true;
    explorer.keys("visits<Enter>gdevice<Enter><Esc>");
    explorer.hold = false;
    explorer.release();
    assert_eq!(explorer.line(), "visits by device total");
    explorer.hold = true;
    explorer.keys("fdevice<Enter><Space><Enter>");
    explorer.hold = false;
    explorer.release();
    assert_shows!(explorer, "device = ");
    explorer.hold = true;
    explorer.keys("<F3>gmv<Enter><Ctrl+C>");
    explorer.hold = false;
    explorer.release();
    assert!(
        explorer.line().starts_with("visits"),
        "Ctrl+C takes it back"
    );
}

#[test]
fn a_long_query_that_has_run_shows_its_beginning() {
    let mut explorer = at_80();
    explorer.keys("<F2>gmv by market, channel where market in (ID, SG, TH, VN) last 12 months vs previous year<Enter>");
    assert_shows!(explorer, "› gmv by market, channel where market in");
}
