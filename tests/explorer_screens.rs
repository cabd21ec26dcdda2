//! The screens as they are drawn, at the sizes people have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::Depth;
use support::Explorer;

const QUERY: &str = "gmv<Enter>gmarket<Enter><Esc>tlast 3 months<Enter><F5>";

fn shown(width: u16, height: u16, keys: &str) -> String {
    Explorer::new(width, height).keys(keys).screen()
}

#[test]
fn first_screen_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, ""));
}

#[test]
fn search_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "or"));
}

#[test]
fn sql_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "aov<Enter>gsegment<Enter><Esc>"));
}

#[test]
fn result_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, QUERY));
}

#[test]
fn dimensions_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "gmv<Enter>g"));
}

#[test]
fn values_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "gmv<Enter>fmarket<Enter><Space>-"));
}

#[test]
fn completions_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "<F2>gmv by "));
}

#[test]
fn a_mistake_in_the_line_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "<F2>gmv by market wehre x<Enter>"));
}

#[test]
fn a_definition_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "gmv<Enter>4d"));
}

#[test]
fn a_refusal_at_120x40() {
    insta::assert_snapshot!(shown(120, 40, "<F2>visits by market<Enter>"));
}

#[test]
fn everything_at_120x40() {
    insta::assert_snapshot!(shown(120, 40, QUERY));
}

#[test]
fn everything_at_200x50() {
    insta::assert_snapshot!(shown(200, 50, QUERY));
}

#[test]
fn help_at_120x40() {
    insta::assert_snapshot!(shown(120, 40, "<F1>"));
}

#[test]
fn a_terminal_that_is_too_small() {
    insta::assert_snapshot!(shown(40, 8, ""));
}

#[test]
fn styles_without_colours() {
    insta::assert_snapshot!(
        Explorer::themed(80, 24, Depth::None)
            .keys("gmv<Enter>")
            .styles()
    );
}

#[test]
fn styles_with_16_colours() {
    insta::assert_snapshot!(Explorer::themed(80, 24, Depth::Sixteen).keys("or").styles());
}

#[test]
fn styles_with_true_colour() {
    insta::assert_snapshot!(Explorer::themed(80, 24, Depth::True).keys(QUERY).styles());
}

const QUESTION: &str = "<F4>gmv in Thailand last month by channel";

#[test]
fn a_question_being_typed_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, QUESTION));
}

#[test]
fn an_answer_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, &format!("{QUESTION}<Enter>")));
}

#[test]
fn an_answer_at_120x40() {
    insta::assert_snapshot!(shown(120, 40, &format!("{QUESTION}<Enter>")));
}

#[test]
fn an_answer_at_200x50() {
    insta::assert_snapshot!(shown(200, 50, &format!("{QUESTION}<Enter>")));
}

#[test]
fn a_follow_up_at_80x24() {
    insta::assert_snapshot!(shown(
        80,
        24,
        &format!("{QUESTION}<Enter>aand for Vietnam?")
    ));
}

#[test]
fn a_refused_question_at_80x24() {
    insta::assert_snapshot!(shown(80, 24, "<F4>orders in market XY<Enter>"));
}

#[test]
fn styles_of_a_refused_question_without_colours() {
    insta::assert_snapshot!(
        Explorer::themed(80, 24, Depth::None)
            .keys("<F4>orders in market XY<Enter>")
            .styles()
    );
}
