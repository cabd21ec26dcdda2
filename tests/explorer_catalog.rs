//! Finding metrics in the explorer: fields in the search, why something was found, and what the query leaves out.
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

fn at_80() -> Explorer {
    Explorer::new(80, 24)
}

fn found(explorer: &Explorer) -> Vec<&str> {
    let hits = explorer.state.finder.hits.iter();
    hits.map(|hit| hit.metric.as_str()).collect()
}

#[test]
fn a_field_narrows_the_search_and_is_shown_as_the_reason() {
    let mut explorer = at_80();
    explorer.keys("%owner growth");
    assert_eq!(found(&explorer), ["visits"]);
    assert_shows!(explorer, "owner Growth");
    explorer.keys("<Ctrl+U>%status draft");
    assert_eq!(found(&explorer), ["aov"]);
    explorer.keys("<Ctrl+U>%tag finance gmv");
    assert_eq!(found(&explorer), ["gmv"]);
    assert_shows!(explorer, "tag finance");
    explorer.keys("<Ctrl+U>%unit usd aov");
    assert_eq!(found(&explorer), ["aov"]);
    explorer.keys("<Ctrl+U>%category traff");
    assert_shows!(explorer, "in Traffic");
}

#[test]
fn metrics_are_found_by_a_dimension_they_can_be_cut_by_also_over_joins() {
    let mut explorer = at_80();
    explorer.keys("%dim segment");
    assert_eq!(found(&explorer), ["gmv", "aov", "orders"]);
    assert_shows!(explorer, "by segment");
    explorer.keys("<Ctrl+U>%dim device");
    assert_eq!(found(&explorer), ["visits"]);
    explorer.keys("<Ctrl+U>%dim created_at %kind derived");
    assert_eq!(found(&explorer), ["aov"]);
}

#[test]
fn names_of_fields_and_their_values_are_completed() {
    let mut explorer = at_80();
    assert_shows!(explorer, "%owner %tag %status %dim %category");
    explorer.keys("%ow");
    assert_eq!(
        found(&explorer).len(),
        4,
        "what is being typed hides nothing"
    );
    explorer.keys("<Tab>");
    assert_eq!(explorer.search().text(), "%owner ");
    assert_shows!(explorer, "\"Commerce Analytics\" 3");
    explorer.keys("comm<Tab>");
    assert_eq!(explorer.search().text(), "%owner \"Commerce Analytics\" ");
    assert_eq!(found(&explorer), ["gmv", "aov", "orders"]);
    explorer.keys("<Tab>");
    assert_eq!(
        explorer.state.focus,
        metrex::tui::state::Focus::Details,
        "with nothing to complete, Tab goes on"
    );
}

#[test]
fn an_unknown_field_is_named() {
    let mut explorer = at_80();
    explorer.keys("%zone x");
    assert!(found(&explorer).is_empty());
    assert_shows!(explorer, "there is no %zone");
}

#[test]
fn what_was_used_lately_comes_first_among_equals() {
    let mut explorer = at_80();
    explorer.keys("commerce");
    assert_eq!(found(&explorer), ["gmv", "aov", "orders"]);
    explorer.keys("<Ctrl+U>orders<Enter><F5>");
    explorer.keys("<F3><Ctrl+U>commerce");
    assert_eq!(found(&explorer), ["orders", "gmv", "aov"]);
}

#[test]
fn a_grouping_greys_out_the_metrics_that_cannot_have_it_and_says_why() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>gmarket<Enter><Esc><F3><Ctrl+U>");
    assert_shows!(explorer, "not by market");
    explorer.keys("visits");
    assert_shows!(explorer, "does not fit the query", "no join leads");
    explorer.keys("<Insert>");
    assert_eq!(explorer.line(), "gmv by market total");
    assert!(format!("{:?}", explorer.state.notice).contains("not added: 'market'"));
    explorer.keys("<Enter>");
    assert_shows!(explorer, "orders, and no join leads there. Explore visits");
    explorer.keys("n");
    assert_eq!(explorer.line(), "gmv by market total");
    explorer.keys("<Enter>y");
    assert_eq!(explorer.line(), "visits by none total");
    explorer.keys("u");
    assert_eq!(explorer.line(), "gmv by market total");
}

#[test]
fn conditions_leave_out_metrics_too_and_letting_go_brings_them_back() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter><F2> where segment = SMB and gmv > 10<Enter><F3>");
    let misfits = explorer.state.finder.misfits.keys().collect::<Vec<_>>();
    assert_eq!(misfits, ["visits"]);
    explorer.keys("<Esc><Esc>X");
    assert!(explorer.state.finder.misfits.is_empty());
}

fn file(explorer: &Explorer) -> String {
    std::fs::read_to_string(explorer.folder.path().join("shop/metrics/shop.yaml")).unwrap()
}

/// Puts the cursor behind a text of the file and types.
fn change(explorer: &mut Explorer, from: &str, to: &str) {
    let text = file(explorer);
    let line = text.lines().position(|line| line.contains(from)).unwrap();
    let now = match explorer.state.popups.last() {
        Some(metrex::tui::popup::Popup::Author(author)) => author.cursor().0,
        _ => panic!("no file is open"),
    };
    let key = if line < now { "<Up>" } else { "<Down>" };
    explorer.keys(&key.repeat(line.abs_diff(now)));
    explorer.keys("<End>");
    explorer.keys(&"<Backspace>".repeat(from.chars().count()));
    explorer.keys(to);
}

#[test]
fn a_definition_is_changed_with_its_sql_beside_it_and_nothing_is_written_before_it_is_saved() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>A");
    assert_shows!(
        explorer,
        "metrics/shop.yaml",
        "saved",
        "label: Gross merchandise value"
    );
    assert_shows!(explorer, "the SQL is the saved one");
    let before = file(&explorer);
    change(&mut explorer, "expr: amount", "expr: amount * 2");
    assert_shows!(explorer, "not saved", "the SQL against the saved one", "+ ");
    assert_eq!(file(&explorer), before);
    change(&mut explorer, "base_table: orders", "base_table: nowhere");
    let problem = explorer.state.popups.last().unwrap();
    let metrex::tui::popup::Popup::Author(author) = problem else {
        panic!("it is closed")
    };
    let found = author.problems().first().unwrap().to_string();
    assert!(found.starts_with("metrics/shop.yaml:44:"), "{found}");
    assert_shows!(explorer, "What is wrong", "nowhere");
    explorer.keys("<Esc><Esc>");
    assert_shows!(explorer, "changed and not saved");
    explorer.keys("n<Esc>y");
    assert!(explorer.state.popups.is_empty());
    assert_eq!(file(&explorer), before);
}

#[test]
fn saving_keeps_the_rest_of_the_file_and_shows_what_the_change_did_to_the_numbers() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("gmv<Enter>A");
    let before = file(&explorer);
    change(&mut explorer, "expr: amount", "expr: amount * 2  # doubled");
    explorer.keys("<F7>");
    assert_eq!(
        file(&explorer),
        before.replace("expr: amount\n", "expr: amount * 2  # doubled\n")
    );
    assert_shows!(explorer, "Numbers before and after", "+100.0 %", "aov");
    let screen = explorer.screen();
    let of = |name: &str| screen.lines().filter(|line| line.contains(name)).count();
    assert!(of("TH") > 0 && of("VN") > 0, "by a dimension:\n{screen}");
    let is_computed = |line: &str| line.contains("visits") && line.contains('→');
    assert!(
        !screen.lines().any(is_computed),
        "what does not change is not listed:\n{screen}"
    );
    explorer.keys("<F9>");
    assert_shows!(explorer, "organic");
    explorer.keys("<Esc><Esc>");
    assert!(explorer.state.popups.is_empty());
    let sql = explorer.session.compile(&"gmv".parse().unwrap()).unwrap();
    assert!(sql.main.sql.contains("* 2"), "the explorer uses it at once");
}

#[test]
fn numbers_can_be_seen_before_anything_is_saved() {
    let mut explorer = Explorer::new(120, 40);
    explorer.keys("gmv<Enter>A");
    let before = file(&explorer);
    change(&mut explorer, "expr: amount", "expr: amount / 2");
    explorer.keys("<F5>");
    assert_shows!(explorer, "-50.0 %", "not saved");
    assert_eq!(file(&explorer), before);
    explorer.keys("<F6>");
    assert_shows!(explorer, "the SQL against the saved one");
    explorer.keys("<F6>");
    change(&mut explorer, "[finance]", "[money]");
    explorer.keys("<F6>");
    assert_shows!(explorer, "of the text as it was; F5 computes anew");
}

#[test]
fn a_file_that_somebody_else_changed_is_not_overwritten_without_a_yes() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>A");
    change(&mut explorer, "expr: amount", "expr: amount * 3");
    let path = explorer.folder.path().join("shop/metrics/shop.yaml");
    let other = file(&explorer).replace("Orders placed.", "Orders that were placed.");
    std::fs::write(&path, &other).unwrap();
    explorer.tell(metrex::tui::Message::FilesChanged);
    assert_shows!(explorer, "changed on disk meanwhile");
    explorer.keys("<F7>");
    assert_shows!(explorer, "Write over it?");
    assert_eq!(file(&explorer), other);
    explorer.keys("n");
    assert_shows!(explorer, "amount * 3");
    explorer.keys("<F7>y");
    assert!(file(&explorer).contains("amount * 3"));
}

#[test]
fn a_file_without_changes_follows_the_disk_and_opens_in_the_editor() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>A");
    let path = explorer.folder.path().join("shop/metrics/shop.yaml");
    let other = file(&explorer).replace("What buyers paid before", "What buyers pay before");
    std::fs::write(&path, &other).unwrap();
    explorer.tell(metrex::tui::Message::FilesChanged);
    assert_shows!(explorer, "What buyers pay before");
    explorer.keys("<Esc>e");
    assert_eq!(explorer.edited.len(), 1);
    explorer.keys("ix<F4>");
    assert_eq!(explorer.edited.len(), 1, "not while it is not saved");
    assert!(format!("{:?}", explorer.state.notice).contains("save first"));
}

#[test]
fn text_of_any_kind_is_pasted_and_undone() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>A");
    let before = file(&explorer);
    explorer.tell(metrex::tui::Message::Paste(
        "\u{1b}[31m\t漢字\r\nx: \u{202e}y".to_owned(),
    ));
    assert_shows!(explorer, "漢字", "not saved");
    assert!(!explorer.screen().contains('\u{1b}'));
    explorer.keys("<Ctrl+U>");
    assert_eq!(file(&explorer), before);
    assert_shows!(explorer, " saved ");
}

#[test]
fn quitting_says_what_would_be_lost() {
    let mut explorer = at_80();
    explorer.keys("gmv<Enter>Ax<Ctrl+C>");
    assert_shows!(explorer, "the draft of metrics/shop.yaml is kept");
    explorer.keys("y<Ctrl+C>");
    assert!(!explorer.ended, "another key in between calls it off");
    explorer.keys("<Ctrl+C>");
    assert!(explorer.ended);
}
