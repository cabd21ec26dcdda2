//! Comparing, regraining and shifting by one key; and from a cell down: drill, filter, explain, the rows behind a number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::look::LookNews;
use metrex::tui::{Effect, Message, Notice};
use support::Explorer;

/// An explorer with the rows of a line on the screen.
fn rows_of(line: &str) -> Explorer {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys(&format!("<F2>{line}<Enter>"));
    explorer
}

fn said(explorer: &Explorer) -> String {
    match &explorer.state.notice {
        Some(Notice::Info(text) | Notice::Error(text)) => text.clone(),
        None => String::new(),
    }
}

#[test]
fn a_key_compares_runs_and_sorts_by_change() {
    let mut explorer = rows_of("gmv by market last 3 months");
    explorer.keys("p");
    assert_eq!(
        explorer.line(),
        "gmv by market last 3 months vs previous period"
    );
    assert_shows!(explorer, "Δ", "Δ%");
    explorer.keys("D");
    assert!(
        explorer.line().ends_with("order by gmv_change desc"),
        "{}",
        explorer.line()
    );
    explorer.keys("D");
    assert!(
        explorer.line().ends_with("order by gmv_change"),
        "{}",
        explorer.line()
    );
    explorer.keys("D");
    assert!(
        explorer.line().ends_with("vs previous period"),
        "{}",
        explorer.line()
    );
    explorer.keys("p");
    assert!(said(&explorer).contains("already; 0 ends it"));
    explorer.keys("D0");
    assert_eq!(explorer.line(), "gmv by market last 3 months");
    explorer.keys("0");
    assert_eq!(said(&explorer), "nothing is compared");
    explorer.keys("D");
    assert!(said(&explorer).starts_with("nothing is compared: p takes"));
    explorer.keys("Y");
    assert!(
        explorer.line().ends_with("vs previous year"),
        "{}",
        explorer.line()
    );
}

#[test]
fn grains_and_windows_move_by_a_key() {
    let mut explorer = rows_of("gmv by month last 3 months");
    explorer.keys(",");
    assert_eq!(explorer.line(), "gmv by week last 3 months");
    explorer.keys("..");
    assert_eq!(explorer.line(), "gmv by quarter last 3 months");
    explorer.keys("[");
    assert_eq!(explorer.line(), "gmv by quarter 2026-05..2026-07");
    explorer.keys("]]");
    assert_eq!(explorer.line(), "gmv by quarter 2026-11..2027-01");
    explorer.keys("]");
    assert_eq!(said(&explorer), "the window would lie in the future");
}

#[test]
fn what_does_not_compile_is_taken_back_with_its_reason_and_the_rows_stay() {
    let mut explorer = rows_of("gmv by market all time");
    let before = explorer.screen();
    explorer.keys("p");
    assert!(
        said(&explorer).contains("a comparison needs a time range"),
        "{}",
        said(&explorer)
    );
    assert_eq!(explorer.line(), "gmv by market all time");
    explorer.state.notice = None;
    assert_eq!(explorer.screen(), before);
    explorer.keys("u");
    assert_ne!(explorer.line(), "gmv by market all time vs previous period");
}

#[test]
fn a_cell_leads_down_and_backspace_leads_up_again() {
    let mut explorer = rows_of("gmv by market, month last 3 months");
    explorer.keys("<Enter>");
    assert_shows!(
        explorer,
        "rows behind this number",
        "keep only market",
        "leave out market"
    );
    explorer.keys("by channel<Enter>");
    assert_eq!(explorer.line(), "gmv by channel where market = ID 2026-08");
    assert_shows!(explorer, "market ID, month 2026-08");
    explorer.keys("<Backspace>");
    assert_eq!(explorer.line(), "gmv by market, month last 3 months");
    assert_shows!(explorer, "2026-08");
    explorer.keys("<Backspace>");
    assert!(said(&explorer).starts_with("nothing was drilled into"));
}

#[test]
fn drilling_keeps_the_number_that_was_drilled_into() {
    for line in [
        "gmv by market last 3 months",
        "gmv by market, month last 3 months",
        "gmv by channel, week last 2 months",
        "aov, gmv by channel where gmv > 10 last 90 days top 3 by aov",
    ] {
        let mut explorer = rows_of(line);
        let first = explorer
            .screen()
            .lines()
            .find(|line| line.contains('$'))
            .unwrap()
            .to_owned();
        let number = first
            .split_whitespace()
            .find(|word| word.starts_with('$'))
            .unwrap()
            .to_owned();
        explorer.keys("<Enter>").keys("by segment<Enter>");
        let drilled = explorer.line();
        assert!(drilled.contains("by segment"), "{line}: {drilled}");
        explorer.keys("<F2><End> total<Enter>");
        let screen = explorer.screen();
        let total = screen
            .lines()
            .find(|line| line.contains("Total"))
            .unwrap_or_else(|| panic!("{drilled}\n{screen}"));
        assert!(
            total.contains(&number),
            "{line}: {number}\n{drilled}\n{screen}"
        );
    }
}

#[test]
fn a_value_is_kept_or_left_out_and_rows_without_one_stay() {
    let mut explorer = rows_of("orders by channel last 90 days");
    explorer.keys("<Enter>leave out<Enter>");
    let line = explorer.line();
    assert!(line.contains("!= ads or channel is null"), "{line}");
    explorer.keys("<Enter>leave out<Enter>");
    let line = explorer.line();
    assert!(
        line.contains("channel not in (ads, email) or channel is null"),
        "{line}"
    );
    let mut explorer = rows_of("orders by channel last 90 days");
    explorer.keys("<Enter>keep only<Enter>");
    assert_eq!(
        explorer.line(),
        "orders by channel where channel = ads last 90 days"
    );
}

#[test]
fn the_rows_behind_a_number_say_that_they_are_it() {
    let mut explorer = rows_of("gmv by market, month last 3 months");
    explorer.keys("r");
    assert_shows!(
        explorer,
        "Rows behind gmv · market ID · month 2026-08",
        "sum of amount over orders where status <> 'CANCELLED'",
        "order_id",
        "the number itself",
        "personal, not shown: email"
    );
    explorer.keys("y");
    let copied = explorer.copied.last().unwrap();
    assert!(copied.starts_with("order_id\tgmv\t"), "{copied}");
    assert!(!copied.contains("example.com"), "{copied}");
    explorer.keys("<Esc>");
    assert!(explorer.state.popups.is_empty());
    assert!(explorer.state.looks.is_empty());
}

#[test]
fn a_ratio_has_the_rows_of_each_of_its_parts() {
    let mut explorer = rows_of("aov by market last 3 months");
    explorer.keys("r");
    assert_shows!(explorer, "gmv (1 of 2, Tab)", "a part of the number");
    explorer.keys("<Tab>");
    assert_shows!(
        explorer,
        "orders (2 of 2, Tab)",
        "number of rows over orders"
    );
    explorer.keys("q");
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn a_number_is_explained() {
    let mut explorer = rows_of("gmv by market last 3 months");
    explorer.keys("E");
    assert_shows!(
        explorer,
        "Computed from",
        "gmv = $",
        "created_at from",
        "Meaning",
        "Cancelled orders do not count"
    );
    explorer.keys("y");
    let copied = explorer.copied.last().unwrap();
    assert!(copied.contains("SQL of gmv\nSELECT"), "{copied}");
    assert!(copied.contains("market = ID"), "{copied}");
    explorer.keys("<Esc>");
    explorer.keys("p<Right><Right><Right>E");
    assert_shows!(explorer, "is computed from two numbers");
}

#[test]
fn news_of_a_window_that_was_closed_are_dropped_and_the_look_is_stopped() {
    let mut explorer = rows_of("gmv by market last 3 months");
    explorer.hold = true;
    explorer.keys("E");
    let generation = explorer.held.iter().find_map(|effect| match effect {
        Effect::Look { generation, .. } => Some(*generation),
        _ => None,
    });
    explorer.keys("<Esc>");
    assert!(
        explorer
            .held
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(_)))
    );
    let generation = generation.unwrap();
    explorer.tell(Message::Look {
        generation,
        news: LookNews::Meaning(Ok(Vec::new())),
    });
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn without_rows_there_is_no_number() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Esc>r");
    assert_eq!(
        said(&explorer),
        "there is no number here; F5 runs the query"
    );
    explorer.keys("E");
    assert_eq!(
        said(&explorer),
        "there is no number here; F5 runs the query"
    );
}

#[test]
fn a_number_of_a_time_that_is_over_is_pinned_as_a_test_and_others_are_not() {
    let mut explorer = rows_of("gmv by market last 3 months");
    explorer.keys("5<Right>zn");
    assert_shows!(
        explorer,
        "Pin as a test in metrics/shop.yaml",
        "2026-08..2026-10"
    );
    explorer.keys("y");
    assert!(
        said(&explorer).starts_with("pinned as a test at metrics/shop.yaml:"),
        "{}",
        said(&explorer)
    );
    explorer.keys("zny");
    assert!(
        said(&explorer).contains("is pinned already"),
        "{}",
        said(&explorer)
    );

    let mut explorer = rows_of("gmv by market this month");
    explorer.keys("5<Right>zn");
    assert!(
        said(&explorer).contains("this month is not over"),
        "{}",
        said(&explorer)
    );
    let mut explorer = rows_of("gmv by market all time");
    explorer.keys("5<Right>zn");
    assert!(
        said(&explorer).contains("changes with every new row"),
        "{}",
        said(&explorer)
    );
    let mut explorer = rows_of("gmv by market last 3 months vs previous period");
    explorer.keys("5<Right><Right><Right>zn");
    assert!(
        said(&explorer).contains("not about one that is compared"),
        "{}",
        said(&explorer)
    );
}
