//! Whatever is typed: it never breaks, and no word that means something is left out in silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/asking.rs"]
mod asking;

use asking::Asking;
use metrex::ask::Understanding;
use proptest::prelude::*;
use proptest::sample::select;

const METRICS: [&str; 8] = [
    "gmv",
    "orders",
    "aov",
    "ads revenue",
    "take rate",
    "buyers",
    "items sold",
    "churn rate",
];
const GROUPS: [&str; 4] = ["", "by market", "per market", "for each country"];
const CONDITIONS: [&str; 4] = ["", "in Brazil", "for TH", "excluding ID"];
const TIMES: [&str; 5] = [
    "",
    "last month",
    "ytd",
    "since March",
    "in the last 3 weeks",
];
const NONSENSE: [&str; 7] = [
    "zorblax",
    "quibbled",
    "ворона",
    "ไก่ทอด",
    "frobnicator",
    "xyzzy99",
    "wombats",
];

/// The parts of a question, in the order of the query line.
fn parts() -> impl Strategy<Value = Vec<String>> {
    (
        select(&METRICS[..]),
        select(&GROUPS[..]),
        select(&CONDITIONS[..]),
        select(&TIMES[..]),
    )
        .prop_map(|(metric, group, condition, time)| {
            [metric, group, condition, time]
                .into_iter()
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_breaking(text in any::<String>()) {
        check_ranges(&text, &Asking::demo().ask(&text));
    }

    #[test]
    fn any_words_are_read_without_breaking(
        words in prop::collection::vec(
            select(&[
                "gmv", "orders", "by", "market", "top", "5", "over", "between", "and", "or", "not", "in", "BR", "ads",
                "vs", "last", "year", "month", "2025", "which", "highest", "the", "compare", "trend", ",", "10%", "only",
                "same", "instead", "what about", "rank", "first", "all", "since", "🦀", "%", "<=", "(", "'", "remove", "filter",
            ][..]),
            0..14,
        )
    ) {
        let text = words.join(" ");
        let demo = Asking::demo();
        check_ranges(&text, &demo.ask(&text));
        check_ranges(&text, &demo.after("gmv by market where channel = ads last month top 5", &text));
    }

    #[test]
    fn a_word_that_means_nothing_is_always_named(
        parts in parts(),
        nonsense in select(&NONSENSE[..]),
        place in any::<prop::sample::Index>(),
    ) {
        let mut parts = parts;
        parts.insert(place.index(parts.len() + 1), nonsense.to_owned());
        let question = parts.join(" ");
        match Asking::demo().ask(&question) {
            Understanding::Refused(refusal) => prop_assert!(
                refusal.words.iter().any(|(word, _)| word.contains(nonsense)),
                "{question}: {refusal:?}"
            ),
            other => prop_assert!(false, "{question}: {other:?}"),
        }
    }

    #[test]
    fn a_negation_is_never_lost(
        metric in select(&METRICS[..7]),
        not in select(&["not", "excluding", "without", "except for", "but not in", "other than", "outside"][..]),
        time in select(&TIMES[..]),
    ) {
        let question = format!("{metric} {not} Brazil {time}");
        if let Understanding::Clear(reading) = Asking::demo().ask(&question) {
            prop_assert!(reading.query().to_string().contains("market != BR"), "{question}");
        }
    }

    #[test]
    fn a_number_is_never_lost(parts in parts(), number in 2_u32..5_000, place in any::<prop::sample::Index>()) {
        let mut parts = parts;
        parts.insert(place.index(parts.len() + 1), number.to_string());
        let question = parts.join(" ");
        if let Understanding::Clear(reading) = Asking::demo().ask(&question) {
            let query = reading.query().to_string();
            // 2026 is the year that `ytd` is about.
            prop_assert!(
                query.contains(&number.to_string()) || (number == 2026 && query.contains("ytd")),
                "{question}: {query}"
            );
        }
    }
}

#[test]
fn a_very_long_text_is_refused_and_not_read() {
    let text = "gmv by market last month and ".repeat(400);
    assert!(matches!(
        Asking::demo().ask(&text),
        Understanding::Refused(_)
    ));
}

#[test]
fn a_very_long_word_is_refused_and_not_looked_up() {
    let demo = Asking::demo();
    for length in [100, 1_900, 20_000, 100_000] {
        let question = format!("gmv {}", "x".repeat(length));
        let Understanding::Refused(refusal) = demo.ask(&question) else {
            panic!("{length} letters");
        };
        let is_too_long = question.len() > 2_000;
        assert_eq!(refusal.message.contains("2000 characters"), is_too_long);
    }
}

/// Every range that is handed out can be cut out of the question.
fn check_ranges(question: &str, understanding: &Understanding) {
    let ranges: Vec<_> = match understanding {
        Understanding::Clear(reading) => reading
            .chips
            .iter()
            .map(|chip| chip.range.clone())
            .collect(),
        Understanding::Unsure(clarification) => {
            assert!(
                (1..=5).contains(&clarification.candidates.len()),
                "{question}"
            );
            vec![clarification.range.clone()]
        }
        Understanding::Refused(refusal) => {
            assert!(!refusal.words.is_empty(), "{question}");
            let words = refusal.words.iter().map(|(_, range)| range.clone());
            words
                .chain(refusal.understood.iter().map(|chip| chip.range.clone()))
                .collect()
        }
    };
    for range in ranges {
        assert!(
            question.get(range.clone()).is_some(),
            "{question:?} {range:?}"
        );
    }
}
