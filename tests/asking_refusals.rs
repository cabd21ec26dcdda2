//! What is not answered, and that the refusal names the word that is in the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/asking.rs"]
mod asking;

use asking::{Asking, refused};
use metrex::ask::{RefusalCode, Understanding};

fn named(demo: &Asking, question: &str) -> (RefusalCode, Vec<String>) {
    let Understanding::Refused(refusal) = demo.ask(question) else {
        panic!("{question}: {:?}", demo.ask(question));
    };
    for (word, range) in &refusal.words {
        assert_eq!(word, &question[range.clone()], "{question}");
    }
    let words = refusal.words.into_iter().map(|(word, _)| word).collect();
    (refusal.code, words)
}

#[test]
fn words_that_mean_nothing_are_named_and_no_others() {
    let demo = Asking::demo();
    let expected: [(&str, &[&str]); 8] = [
        ("gmv of whales last month", &["whales"]),
        ("orders from unicorns in Brazil", &["unicorns"]),
        ("profit by market last month", &["profit"]),
        ("mobile orders last month", &["mobile"]),
        ("gmv by market and blockchain last month", &["blockchain"]),
        ("orders für Könige in BR", &["für", "Könige"]),
        ("gmv in Japan last month", &["Japan"]),
        ("net gmv by market", &["net"]),
    ];
    for (question, words) in expected {
        assert_eq!(
            named(&demo, question),
            (
                RefusalCode::UnknownWords,
                words.iter().map(ToString::to_string).collect()
            ),
            "{question}"
        );
    }
}

#[test]
fn what_the_engine_does_not_do_is_said() {
    let demo = Asking::demo();
    for (question, word) in [
        ("gmv because of ads", "because"),
        ("forecast orders", "forecast"),
        ("average gmv by market", "average"),
        ("drop table orders", "drop"),
        ("update the gmv of last month", "update"),
        ("correlation of gmv and orders", "correlation"),
        ("gmv vs target", "target"),
        ("gmv next month", "next month"),
        ("buyers by email", "email"),
    ] {
        let (code, words) = named(&demo, question);
        assert_eq!(code, RefusalCode::OutOfScope, "{question}");
        assert!(words.contains(&word.to_owned()), "{question}: {words:?}");
    }
}

#[test]
fn words_of_the_grammar_need_their_other_half() {
    let demo = Asking::demo();
    for (question, word) in [
        ("gmv by", "by"),
        ("gmv without", "without"),
        ("gmv over", "over"),
        ("top gmv", "top gmv"),
        ("orders on weekdays", "weekdays"),
        ("gmv in ID or ads", "or"),
        ("gmv/orders", "/"),
        ("gmv -BR", "-"),
        ("gmv last week in March", "last week"),
        ("orders over 100", "over 100"),
        ("markets with 2000 orders", "2000"),
        ("orders 1000 by market", "1000"),
        ("gmv 2050", "2050"),
        ("orders up to 2000 by market", "up to 2000"),
        ("gmv excluding TH and in ads", "excluding TH and in ads"),
        ("gmv last month. orders by market.", "orders by market"),
    ] {
        let (_, words) = named(&demo, question);
        assert!(words.contains(&word.to_owned()), "{question}: {words:?}");
    }
}

#[test]
fn what_a_metric_cannot_be_split_by_is_named() {
    let demo = Asking::demo();
    for (question, word) in [
        ("gmv by category last month", "category"),
        ("gmv in Fashion last month", "Fashion"),
        ("dau by channel last week", "channel"),
        ("search visits", "search"),
    ] {
        let (code, words) = named(&demo, question);
        assert_eq!(code, RefusalCode::NotAnswerable, "{question}");
        assert_eq!(words, [word], "{question}");
    }
}

#[test]
fn a_refusal_keeps_what_was_understood() {
    let demo = Asking::demo();
    let refusal = refused(&demo.ask("gmv of whales in Brazil last month"));
    let understood: Vec<&str> = refusal
        .understood
        .iter()
        .map(|chip| chip.text.as_str())
        .collect();
    assert_eq!(understood, ["gmv", "Brazil", "last month"]);
}

#[test]
fn a_word_in_the_place_of_a_value_is_never_passed_over() {
    let demo = Asking::demo();
    for (question, word) in [
        ("gmv in US last month", "US"),
        ("gmv in us", "us"),
        ("gmv in IN last month", "IN"),
        ("gmv in my last month", "my"),
        ("gmv in TH, IN and BR last month", "IN"),
        ("gmv sg, my last month", "my"),
        ("gmv in TH and my last month", "my"),
        ("MY GMV LAST MONTH", "MY"),
    ] {
        let (_, words) = named(&demo, question);
        assert!(words.contains(&word.to_owned()), "{question}: {words:?}");
    }
}

#[test]
fn nothing_is_split_by_a_value_nor_taken_from_another_by_a_dash() {
    let demo = Asking::demo();
    for (question, word) in [
        ("gmv by id last month", "id"),
        ("gmv by ads last month", "ads"),
        ("gmv by cash and card last month", "cash"),
        ("gmv by market by th", "th"),
        ("gmv - ads revenue last month", "-"),
        ("gmv TH - ID last month", "-"),
    ] {
        let (_, words) = named(&demo, question);
        assert!(words.contains(&word.to_owned()), "{question}: {words:?}");
    }
}

#[test]
fn a_word_that_turns_a_meaning_round_is_no_typo() {
    let demo = Asking::demo();
    for question in [
        "gmv including Thailand last month",
        "gmv included Thailand",
        "uncompleted orders last month",
        "unreturned orders last month",
        "unpreferred sellers gmv last month",
        "gmv excluding organic but including ads last month",
    ] {
        let understanding = demo.ask(question);
        assert!(
            !matches!(understanding, Understanding::Clear(_)),
            "{question}: {understanding:?}"
        );
    }
}

#[test]
fn a_short_word_is_not_stretched_to_a_value() {
    let demo = Asking::demo();
    for question in [
        "gmv in Mali last month",
        "gmv from mail last month",
        "gmv cars",
        "gmv crash",
        "gmv skipped",
        "gmv in Chine last month",
        "gmv in Brasília last month",
        "dau in love last week",
        "dau in chart last week",
        "sales pipeline last month",
    ] {
        let understanding = demo.ask(question);
        assert!(
            !matches!(understanding, Understanding::Clear(_)),
            "{question}: {understanding:?}"
        );
    }
}

#[test]
fn what_asks_for_rows_or_for_letters_is_refused() {
    let demo = Asking::demo();
    for (question, word) in [
        ("list orders", "list orders"),
        ("list emails of customers", "emails"),
        ("email gmv last month", "email"),
    ] {
        let (_, words) = named(&demo, question);
        assert!(words.contains(&word.to_owned()), "{question}: {words:?}");
    }
}

#[test]
fn what_could_be_read_wrongly_is_refused() {
    let demo = Asking::demo();
    for question in [
        "markets with gmv over 20% last month",
        "gmv by market per order last month",
        "gmv by market where gmv over ¥1000",
        "markets with gmv !> 1000",
        "markets with gmv over 1.000",
        "markets with take rate over 3",
        "which market has the highest gmv and the lowest orders last month",
        "top 3 channels by gmv and market last month",
        "gmv share of Brazil",
        "share of gmv last month",
        "share of gmv by market in Brazil",
        "cumulative gmv this year",
        "moving average of gmv by day last month",
        "5-week moving average of gmv by day last month",
        "gmv by market with others",
        "compare gmv in TH with orders in ID last month",
        "gmv by market sorted by channel",
        "gmv over 100 orders by market",
        "gmv on mondays",
    ] {
        refused(&demo.ask(question));
    }
}
