//! Questions after a question: what they change, what stays, and when they stand alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/asking.rs"]
mod asking;

use asking::{Asking, clear, refused};
use metrex::ask::{Certainty, RefusalCode};

#[test]
fn a_follow_up_changes_one_part_and_keeps_the_others() {
    let demo = Asking::demo();
    let start = "gmv by market where channel = ads last month";
    let expected = [
        (
            "and for organic?",
            "gmv by market where channel = organic last month",
        ),
        (
            "what about Brazil?",
            "gmv by market where channel = ads and market = BR last month",
        ),
        (
            "excluding BR",
            "gmv by market where channel = ads and market != BR last month",
        ),
        (
            "by platform instead",
            "gmv by platform where channel = ads last month",
        ),
        (
            "also by platform",
            "gmv by market, platform where channel = ads last month",
        ),
        (
            "same for last week",
            "gmv by market where channel = ads last week",
        ),
        (
            "now weekly",
            "gmv by market, week where channel = ads last month",
        ),
        (
            "as a trend",
            "gmv by market, day where channel = ads last month",
        ),
        (
            "top 5",
            "gmv by market where channel = ads last month top 5 by gmv",
        ),
        (
            "compare with last year",
            "gmv by market where channel = ads last month vs previous year",
        ),
        (
            "what about orders?",
            "orders by market where channel = ads last month",
        ),
        (
            "also orders",
            "gmv, orders by market where channel = ads last month",
        ),
        ("remove the filter", "gmv by market last month"),
        ("drop the channel filter", "gmv by market last month"),
        ("all channels", "gmv by market last month"),
        ("all time", "gmv by market where channel = ads all time"),
    ];
    for (question, query) in expected {
        let reading = clear(&demo.after(start, question));
        assert_eq!(reading.query().to_string(), query, "{question}");
        assert!(reading.is_follow_up, "{question}");
    }
}

#[test]
fn a_follow_up_keeps_the_year_and_the_conditions_of_the_question_before() {
    let demo = Asking::demo();
    for (previous, question, query) in [
        ("gmv 2025Q1", "and Q2", "gmv 2025Q2"),
        ("gmv 2025-06", "and July", "gmv 2025-07"),
        (
            "gmv where market = VN last month",
            "compare with orders",
            "gmv, orders where market = VN last month",
        ),
        (
            "gmv where market = VN last month",
            "with orders",
            "gmv, orders where market = VN last month",
        ),
        (
            "gmv by market where gmv > 1000",
            "over 5000",
            "gmv by market where gmv > 5000",
        ),
    ] {
        let reading = clear(&demo.after(previous, question));
        assert_eq!(reading.query().to_string(), query, "{question}");
    }
    let refusal = refused(&demo.after("gmv 2026-06", "also July"));
    assert_eq!(refusal.words[0].0, "July");
}

#[test]
fn what_stays_is_marked_as_kept() {
    let demo = Asking::demo();
    let reading = clear(&demo.after("gmv by market last month", "only ads"));
    let certainties: Vec<_> = reading
        .chips
        .iter()
        .map(|chip| (chip.text.as_str(), chip.certainty))
        .collect();
    assert_eq!(
        certainties,
        [
            ("gmv", Certainty::Kept),
            ("market", Certainty::Kept),
            ("channel = ads", Certainty::Exact),
            ("last month", Certainty::Kept),
        ]
    );
}

#[test]
fn a_question_of_its_own_stands_alone() {
    let demo = Asking::demo();
    let reading = clear(&demo.after(
        "gmv by market where channel = ads last month",
        "orders in Vietnam last week",
    ));
    assert_eq!(
        reading.query().to_string(),
        "orders where market = VN last week"
    );
    assert!(!reading.is_follow_up);
}

#[test]
fn a_follow_up_without_a_question_before_it_is_refused() {
    let demo = Asking::demo();
    for question in ["and for TH?", "what about last week", "by channel"] {
        let refusal = refused(&demo.ask(question));
        assert_eq!(refusal.code, RefusalCode::NoMetric, "{question}");
        assert!(refusal.hint.is_some());
    }
}

#[test]
fn an_unknown_word_in_a_follow_up_is_named() {
    let demo = Asking::demo();
    let refusal = refused(&demo.after("gmv by market last month", "and for whales?"));
    assert_eq!(refusal.words, [("whales".to_owned(), 8..14)]);
}

#[test]
fn what_a_follow_up_takes_away_is_gone_and_no_change_is_refused() {
    let demo = Asking::demo();
    let line = |previous, question| {
        let reading = clear(&demo.after(previous, question));
        reading.query().to_string()
    };
    let start = "gmv by channel where market = BR last month";
    let total = "gmv by none where market = BR last month";
    assert_eq!(line(start, "remove channel"), total);
    assert_eq!(line(start, "total"), total);
    assert_eq!(
        line("gmv where market in (BR, MX) last month", "without MX"),
        "gmv where market = BR last month"
    );
    for question in ["last month", "the previous month", "sort by market"] {
        refused(&demo.after(start, question));
    }
}
