//! Views of the explorer: undo and redo, tabs, side by side, bookmarks, history, and the session of the last time.
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
fn undo_and_redo_go_through_groupings_filters_times_and_orders() {
    let mut explorer = Explorer::new(80, 24);
    explorer
        .keys("gmv<Enter>gmarket<Enter><Esc>fchannel<Enter>ads<Enter>tlast 7 days<Enter>o<Enter>");
    let whole = explorer.line();
    let mut lines = vec![whole.clone()];
    while !explorer.line().is_empty() {
        explorer.keys("u");
        lines.push(explorer.line());
    }
    lines.reverse();
    assert_eq!(
        lines,
        [
            "",
            "gmv",
            "gmv by market total",
            "gmv by market where channel = ads total",
            "gmv by market where channel = ads last 7 days total",
            &whole,
        ]
    );
    assert_shows!(explorer.keys("u"), "no earlier query");
    for line in &lines[1..] {
        explorer.keys("R");
        assert_eq!(explorer.line(), *line);
    }
    assert_shows!(explorer.keys("R"), "nothing was undone");
    // What was undone is given up when something else is done.
    explorer.keys("uuX");
    assert_shows!(explorer.keys("R"), "nothing was undone");
}

#[test]
fn undo_brings_the_question_back_that_a_query_came_from() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F4>how much gmv per market in the last 7 days<Enter>");
    assert!(explorer.state.origin().is_some(), "{}", explorer.screen());
    explorer.keys("<F2><Ctrl+U>visits<Enter>");
    assert!(explorer.state.origin().is_none());
    explorer.keys("u");
    assert!(explorer.state.origin().is_some());
    explorer.keys("R");
    assert!(explorer.state.origin().is_none());
}

fn tab_lines(explorer: &Explorer) -> Vec<String> {
    let state = &explorer.state;
    let tabs = (0..state.tabs.len()).map(|index| state.tab(index).unwrap());
    tabs.map(|tab| tab.query.to_string()).collect()
}

#[test]
fn every_tab_has_its_own_query_rows_and_way_back() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>");
    explorer
        .act("tab.new")
        .keys("visits<Enter>gdevice<Enter><Esc>");
    assert_eq!(
        tab_lines(&explorer),
        ["gmv by market total", "visits by device total"]
    );
    assert_shows!(explorer, "1 gmv by market", "2 visits by device", "F5 runs");
    explorer.keys("<F5>");
    assert_shows!(explorer, "desktop", "phone");
    // The first one is as it was left: with its rows, and with its own way back.
    explorer.act("tab.next");
    assert_shows!(explorer, "TH", "VN");
    explorer.keys("uu");
    assert_eq!(tab_lines(&explorer), ["", "visits by device total"]);
    explorer.act("tab.previous");
    assert_shows!(explorer, "desktop", "phone");
    assert!(!explorer.screen().contains("VN"));
}

#[test]
fn a_run_goes_on_while_another_tab_is_on_the_screen() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc>");
    explorer.hold = true;
    explorer.keys("<F5>");
    let run = std::mem::take(&mut explorer.held);
    explorer.hold = false;
    explorer.act("tab.new").keys("visits");
    assert_shows!(explorer, "1 …gmv by market");
    explorer.held = run;
    explorer.release();
    // What is typed here goes on being typed here.
    explorer.keys("<Backspace>");
    assert_eq!(explorer.search().text(), "visit");
    assert_shows!(explorer, "1 *gmv by market");
    explorer.keys("<Esc><Esc>");
    explorer.act("tab.next");
    assert_shows!(explorer, "VN", "1 gmv by market");
}

#[test]
fn a_tab_that_was_closed_can_be_opened_again() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>");
    assert_shows!(explorer.act("tab.close"), "this is the only tab");
    explorer.act("tab.duplicate").keys("x").act("tab.close");
    assert_eq!(tab_lines(&explorer), ["gmv by market total"]);
    assert!(
        !explorer.screen().contains(" 1 gmv by market"),
        "no bar for one tab"
    );
    explorer.act("tab.reopen");
    assert_eq!(tab_lines(&explorer).len(), 2);
    assert_shows!(explorer, "VN");
    for _ in 0..30 {
        explorer.act("tab.duplicate");
    }
    assert_shows!(explorer, "there are 20 tabs already", "20 gmv by");
}

#[test]
fn a_tab_is_chosen_by_the_mouse() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>");
    explorer.act("tab.new").keys("visits<Enter>");
    explorer.click("1 gmv");
    assert_eq!(explorer.line(), "gmv");
    explorer.click("2 visits");
    assert_eq!(explorer.line(), "visits");
}

#[test]
fn two_results_stand_side_by_side_and_filter_alike_on_request() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>");
    explorer
        .act("tab.new")
        .keys("orders<Enter>gmarket<Enter><Esc><F5>");
    assert_shows!(
        explorer.act("tab.share"),
        "there are not two tabs side by side"
    );
    explorer.act("tab.beside");
    let screen = explorer.screen();
    let row = screen.lines().find(|line| line.contains("VN")).unwrap();
    assert_eq!(row.matches("VN").count(), 2, "{screen}");
    insta::assert_snapshot!("views_side_by_side_80x24", screen);

    explorer.act("tab.share");
    assert_shows!(explorer, "same filters");
    explorer.keys("fchannel<Enter>ads<Enter>");
    assert_eq!(
        tab_lines(&explorer),
        [
            "gmv by market where channel = ads total",
            "orders by market where channel = ads total"
        ]
    );
    explorer.keys("<F5>");
    for index in 0..2 {
        let ran = &explorer.state.tab(index).unwrap().result.query;
        assert!(ran.to_string().contains("channel = ads"), "{ran}");
    }
    // Undoing goes to both too; and each has its own again.
    explorer.keys("u");
    assert_eq!(tab_lines(&explorer)[0], "gmv by market total");
    explorer
        .act("tab.share")
        .keys("fchannel<Enter>email<Enter>");
    assert_eq!(tab_lines(&explorer)[0], "gmv by market total");
    // The keys go to the other side, and back.
    explorer.keys("5").act("tab.next");
    assert_eq!(explorer.line(), "gmv by market total");
    explorer.act("tab.beside");
    assert_eq!(explorer.screen().matches("VN").count(), 1);
}

#[test]
fn a_filter_that_the_other_side_cannot_have_is_refused_there_with_the_reason() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("visits<Enter>gdevice<Enter><Esc>");
    explorer
        .act("tab.new")
        .keys("gmv<Enter>gmarket<Enter><Esc>");
    explorer.act("tab.beside").act("tab.share");
    explorer.keys("fchannel<Enter>ads<Enter><F5>");
    assert_shows!(explorer, "channel", "VN");
    let beside = explorer.state.beside().unwrap();
    assert!(
        matches!(&beside.result.phase, metrex::tui::state::Phase::Failed(error) if error.message.contains("channel")),
    );
}

#[test]
fn one_tab_alone_is_put_beside_its_copy() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>");
    explorer.act("tab.beside");
    assert_eq!(explorer.screen().matches("VN").count(), 2);
}

#[test]
fn what_was_open_is_open_again_at_the_next_start_and_nothing_is_run() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>");
    explorer
        .act("tab.new")
        .keys("visits<Enter>gdevice<Enter><Esc>");
    explorer.act("tab.beside").act("tab.share");
    explorer.end();

    let mut again = explorer.start_again(80, 24);
    assert_shows!(
        again,
        "1 gmv by market",
        "2 visits by device",
        "opened again: the 2 queries"
    );
    assert_eq!(
        tab_lines(&again),
        ["gmv by market total", "visits by device total"]
    );
    assert_eq!(
        (again.state.tabs.at(), again.state.tabs.pair()),
        (1, Some((0, 1)))
    );
    assert!(again.state.tabs.shared.is_some());
    assert!(
        again.state.result.grid.is_none(),
        "nothing is run by itself"
    );
    // Keys go where they go at any start.
    again.keys("orders");
    assert_eq!(again.search().text(), "orders");
    again.keys("<Esc><Esc><F5>");
    assert_shows!(again, "desktop");
}

#[test]
fn what_was_open_stands_behind_what_was_begun_before_it_is_known() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc>");
    explorer.end();
    let mut again = explorer.start_again_held(80, 24);
    // Ended before it is known what was open: that is not lost.
    assert!(again.state.workspace().is_none());
    again.hold = false;
    let held = std::mem::take(&mut again.held);
    again.state.query = "visits".parse().unwrap();
    again.held = held;
    again.release();
    assert_eq!(tab_lines(&again), ["visits", "gmv by market total"]);
    assert_eq!(again.state.tabs.at(), 0);
}

#[test]
fn a_project_may_not_want_its_queries_opened_again() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>");
    explorer.end();
    let config = explorer.folder.path().join("shop/metrex.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text + "\nrestore_session: false\n").unwrap();
    let again = explorer.start_again(80, 24);
    assert_eq!(again.line(), "");
}

fn bookmarks(explorer: &Explorer) -> String {
    let path = explorer.folder.path().join("shop/metrics/bookmarks.yaml");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_query_is_saved_in_the_project_and_found_again() {
    let mut explorer = Explorer::new(80, 24);
    assert_shows!(explorer.keys("<Esc>B"), "choose a metric");
    explorer.keys("/gmv<Enter>gmarket<Enter><Esc>fchannel<Enter>ads<Enter>B");
    assert_shows!(explorer, "Save this query in the project", "gmv_by_market");
    insta::assert_snapshot!("views_naming_80x24", explorer.screen());
    explorer.keys("<Ctrl+U>ads<Tab>Orders from ads: by market.<Enter>");
    assert_shows!(explorer, "saved as ads in metrics/bookmarks.yaml");
    assert_eq!(
        bookmarks(&explorer),
        "views:\n  ads:\n    description: \"Orders from ads: by market.\"\n    query: gmv by market where channel = ads total\n"
    );
    // A remark of a person, in the same file, is there for good.
    let path = explorer.folder.path().join("shop/metrics/bookmarks.yaml");
    std::fs::write(&path, format!("# Ours.\n{}", bookmarks(&explorer))).unwrap();
    explorer.keys("X/<Ctrl+U>visits<Enter>B<Ctrl+U>all_visits<Enter>");
    let text = bookmarks(&explorer);
    assert!(
        text.starts_with("# Ours.\nviews:\n  ads:")
            && text.ends_with("  all_visits:\n    query: visits\n"),
        "{text}"
    );
    explorer.keys("XVads<Enter>");
    assert_eq!(explorer.line(), "gmv by market where channel = ads total");
    // Its name comes with it.
    assert_shows!(explorer.keys("B"), "Orders from ads: by market.");
}

#[test]
fn a_name_that_is_taken_is_replaced_only_when_told_so() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>B<Ctrl+U>mine<Enter>");
    explorer.keys("gmarket<Enter><Esc>B<Ctrl+U>mine<Enter>");
    assert_shows!(
        explorer,
        "'mine' is saved already (metrics/bookmarks.yaml:2): gmv",
        "Enter replaces it"
    );
    assert!(bookmarks(&explorer).contains("query: gmv\n"));
    explorer.keys("<Enter>");
    assert!(bookmarks(&explorer).contains("query: gmv by market total\n"));
    for (name, why) in [
        ("gmv", "'gmv' is the name of a metric"),
        ("two words", "'two words' cannot name a view"),
    ] {
        explorer.keys("B<Ctrl+U>").keys(name).keys("<Enter>");
        assert_shows!(explorer, why);
        explorer.keys("<Esc>");
    }
    assert_eq!(bookmarks(&explorer).matches("query").count(), 1);
}

#[test]
fn a_saved_query_is_deleted_after_a_question() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>B<Enter>Bother<Enter>V<Delete>");
    assert_shows!(
        explorer,
        "Delete the saved query 'gmv_view'",
        "(metrics/bookmarks.yaml:2)?"
    );
    explorer.keys("n<Delete>y");
    assert_eq!(
        bookmarks(&explorer),
        "views:\n  gmv_viewother:\n    query: gmv\n"
    );
    assert_shows!(explorer, "1 of 1", "gmv_viewother");
}

#[test]
fn the_history_is_searched_run_again_copied_and_deleted() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F5>X<F3><Ctrl+U>visits<Enter><F5>X");
    explorer.keys("Hmarket");
    assert_shows!(explorer, "1 of 2", "4 rows");
    explorer.keys("<Ctrl+Y><F5>");
    assert_eq!(explorer.copied, ["gmv by market all time total"]);
    assert_eq!(explorer.line(), "gmv by market all time total");
    assert_shows!(explorer, "VN");
    explorer.keys("Hvisits<Ctrl+T>");
    assert_eq!(
        tab_lines(&explorer),
        ["gmv by market all time total", "visits by none all time"]
    );
    explorer.keys("H<Delete>");
    assert_shows!(
        explorer,
        "1 of 1",
        "deleted from the history: gmv by market all time total"
    );
    explorer.keys("<Esc>H");
    assert_shows!(explorer, "1 of 1", "visits");
}
