//! Questions in plain words, over the demo: what they are understood as, with chips that say where each part comes from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/asking.rs"]
mod asking;

use asking::{Asking, asks, clear, line, refused};
use metrex::ask::{Certainty, ChipKind, Meaning};
use metrex::model::IntentKind;

#[test]
fn the_questions_of_the_first_page_are_answered() {
    let demo = Asking::demo();
    let expected = [
        (
            "dau in Indonesia last week by module",
            "dau by module where market = ID last week",
        ),
        (
            "gmv by market this quarter vs last year",
            "gmv by market this quarter vs previous year",
        ),
        (
            "top 5 channels by ads revenue excluding BR",
            "ads_rev by ad_channel where market != BR top 5 by ads_rev",
        ),
        (
            "trend of take rate since March",
            "take_rate by month since 2026-03",
        ),
    ];
    for (question, query) in expected {
        assert_eq!(line(&demo, question), query, "{question}");
        let reading = clear(&demo.ask(question));
        let doubtful = |certainty| matches!(certainty, Certainty::Similar | Certainty::Model);
        let is_doubtful = reading.chips.iter().any(|chip| doubtful(chip.certainty));
        assert!(!is_doubtful, "{question} would not run at once");
    }
    let previous = line(&demo, "top 5 channels by ads revenue excluding BR");
    let after = clear(&demo.after(&previous, "and for Thailand?"));
    assert_eq!(
        after.query().to_string(),
        "ads_rev by ad_channel where market = TH top 5 by ads_rev"
    );
    assert!(after.is_follow_up);
    let whales = refused(&demo.ask("how are whales doing"));
    assert_eq!(whales.words, [("whales".to_owned(), 8..14)]);
    let unknown = refused(&demo.ask("orders in market XY"));
    assert_eq!(unknown.words, [("XY".to_owned(), 17..19)]);
    assert!(
        unknown
            .message
            .starts_with("Unknown market 'XY'. Valid markets: "),
        "{}",
        unknown.message
    );
    assert!(unknown.message.contains("ID"), "{}", unknown.message);
}

#[test]
fn a_query_line_is_taken_as_it_is() {
    let demo = Asking::demo();
    for text in [
        "gmv by market last 6 months",
        "gmv, orders by market where channel in (ads, organic) last month vs previous year",
        "orders by none",
    ] {
        assert_eq!(line(&demo, text), text);
    }
}

#[test]
fn the_same_thing_may_be_said_in_many_ways() {
    let demo = Asking::demo();
    let ways = [
        "gmv by market last month",
        "Show me the GMV per country for last month, please",
        "last month's sales for each region",
        "gmv last month, split by market",
        "what was our turnover in each market last month?",
        "market-wise gmv last month",
        "gmv last month broken down by market",
    ];
    for way in ways {
        assert_eq!(line(&demo, way), "gmv by market last month", "{way}");
    }
}

#[test]
fn figures_and_rankings_within_groups() {
    let demo = Asking::demo();
    for (question, expected) in [
        (
            "share of gmv by channel last month",
            "gmv, gmv share by channel last month",
        ),
        (
            "gmv by market last month and its share",
            "gmv, gmv share by market last month",
        ),
        (
            "share of gmv and orders by channel",
            "gmv, orders, gmv share, orders share by channel",
        ),
        (
            "gmv running total by month this year",
            "gmv, gmv running by month this year",
        ),
        (
            "7-day moving average of gmv last month",
            "gmv, gmv moving 7 by day last month",
        ),
        (
            "top 3 channels in each market by gmv last month",
            "gmv by market, channel last month top 3 by gmv per market",
        ),
        (
            "top 3 channels by gmv per market and the rest",
            "gmv by market, channel top 3 by gmv per market with others",
        ),
        ("orders by weekday last week", "orders by weekday last week"),
        (
            "which hour of the day has the most orders",
            "orders by hour_of_day top 1 by orders",
        ),
    ] {
        assert_eq!(line(&demo, question), expected, "{question}");
    }
    let follow_up = demo.after("gmv by month this year", "as a running total");
    assert_eq!(
        clear(&follow_up).query().to_string(),
        "gmv, gmv running by month this year"
    );
}

#[test]
fn a_typo_is_corrected_and_shown() {
    let demo = Asking::demo();
    let reading = clear(&demo.ask("ads reveneu by makret in Brasil last month"));
    assert_eq!(
        reading.query().to_string(),
        "ads_rev by market where market = BR last month"
    );
    let metric = &reading.chips[0];
    assert_eq!(metric.certainty, Certainty::Similar);
    assert_eq!(metric.detail.as_deref(), Some("ads reveneu -> ads revenue"));
    assert_eq!(metric.range, 0..11);
}

#[test]
fn chips_say_where_each_part_stands_and_what_is_a_default() {
    let demo = Asking::demo();
    let question = "très bien: churn rate für BR";
    assert!(matches!(
        demo.ask(question),
        metrex::ask::Understanding::Refused(_)
    ));
    let question = "¿ churn rate in BR ?";
    let reading = clear(&demo.ask(question));
    let texts: Vec<(ChipKind, &str, Certainty, &str)> = reading
        .chips
        .iter()
        .map(|chip| {
            (
                chip.kind,
                chip.text.as_str(),
                chip.certainty,
                &question[chip.range.clone()],
            )
        })
        .collect();
    assert_eq!(
        texts,
        [
            (
                ChipKind::Metric,
                "churn_rate",
                Certainty::Exact,
                "churn rate"
            ),
            (ChipKind::Group, "month", Certainty::Default, ""),
            (ChipKind::Filter, "market = BR", Certainty::Exact, "BR"),
            (ChipKind::Time, "last 12 months", Certainty::Default, ""),
        ]
    );
}

#[test]
fn conditions_rankings_and_comparisons_are_understood() {
    let demo = Asking::demo();
    let expected = [
        (
            "orders from ads or organic in Indonesia ytd",
            "orders where channel in (ads, organic) and market = ID ytd",
        ),
        (
            "gmv by market and channel excluding BR and ads last month",
            "gmv by market, channel where market != BR and channel != ads last month",
        ),
        (
            "markets with gmv over 1m and orders under 1,000",
            "gmv, orders by market where gmv > 1000000 and orders < 1000",
        ),
        (
            "markets with a cancellation rate above 10% last month",
            "cancellation_rate by market where cancellation_rate > 0.1 last month",
        ),
        (
            "which market has the lowest conversion rate",
            "conversion_rate by market bottom 1 by conversion_rate",
        ),
        (
            "which 3 markets have the highest gmv",
            "gmv by market top 3 by gmv",
        ),
        (
            "top channels by orders last month",
            "orders by channel last month top 10 by orders",
        ),
        (
            "compare gmv in ID and TH last month",
            "gmv by market where market in (ID, TH) last month",
        ),
        (
            "ads vs organic orders, year to date",
            "orders by channel where channel in (ads, organic) ytd",
        ),
        ("cross-border orders", "orders where cross_border = true"),
        ("gmv by seller market", "gmv by seller.market"),
        (
            "gmv from Brazilian sellers last month",
            "gmv where seller.market = BR last month",
        ),
        ("gmv vs last year", "gmv ytd vs previous year"),
        ("revenue from ads by market", "ads_rev by market"),
        // A number after a word that compares is no year.
        (
            "orders over 2000 by market",
            "orders by market where orders > 2000",
        ),
        (
            "markets with more than 2000 orders",
            "orders by market where orders > 2000",
        ),
        (
            "gmv between 2024 and 2025 by market",
            "gmv by market 2024..2025",
        ),
        (
            "gmv excluding ads, TH and ios",
            "gmv where channel != ads and market != TH and platform != ios",
        ),
        ("gmv of all markets but Indonesia", "gmv where market != ID"),
        ("gmv everywhere except ID", "gmv where market != ID"),
        ("gmv in both TH and ID", "gmv where market in (TH, ID)"),
        ("gmv in TH/ID", "gmv where market in (TH, ID)"),
        ("seller market TH gmv", "gmv where seller.market = TH"),
        (
            "gmv where buyer market is TH and seller market is ID",
            "gmv where buyer.market = TH and seller.market = ID",
        ),
        ("compare gmv 2026 with 2025", "gmv 2026 vs 2025"),
        ("gmv by market, total", "gmv by market total"),
        (
            "gmv by market and in total last month",
            "gmv by market last month total",
        ),
        ("total gmv by market", "gmv by market"),
        ("ads revenue by channel", "ads_rev by ad_channel"),
    ];
    for (question, query) in expected {
        assert_eq!(line(&demo, question), query, "{question}");
    }
}

#[test]
fn definitions_and_lists_need_no_query() {
    let demo = Asking::demo();
    for question in ["what is gmv", "define gmv", "how is gmv calculated?"] {
        let reading = clear(&demo.ask(question));
        assert_eq!(reading.intent.intent, IntentKind::Explain, "{question}");
        assert_eq!(reading.intent.metrics, ["gmv"]);
    }
    let number = clear(&demo.ask("what is gmv in Brazil"));
    assert_eq!(number.query().to_string(), "gmv where market = BR");
    for question in [
        "which markets are there",
        "list all markets",
        "how many markets are there",
    ] {
        let reading = clear(&demo.ask(question));
        assert_eq!(reading.intent.intent, IntentKind::List, "{question}");
        assert_eq!(reading.query().group_by.unwrap()[0].to_string(), "market");
    }
    let metrics = clear(&demo.ask("which metrics are there"));
    assert_eq!(metrics.intent.intent, IntentKind::List);
    assert!(metrics.intent.group_by.is_none());
    let ads = clear(&demo.ask("what metrics do we have about ads"));
    assert!(ads.intent.metrics.contains(&"ads_rev".to_owned()));
}

#[test]
fn why_asks_for_the_causes_of_one_number() {
    let demo = Asking::demo();
    // Nobody said "all time", and it is not what is looked at.
    let chips = clear(&demo.ask("how come gmv fell")).chips;
    let chips: Vec<_> = chips.iter().map(|chip| chip.text.as_str()).collect();
    assert_eq!(chips, ["gmv"]);
    for (question, query) in [
        (
            "why did gmv fall in Brazil last month?",
            "gmv where market = BR last month",
        ),
        ("Why is GMV down?", "gmv"),
        (
            "why gmv where market = ID last month vs previous year",
            "gmv where market = ID last month vs previous year",
        ),
        (
            "what caused the drop in orders last week",
            "orders last week",
        ),
        (
            "can you tell me why are orders in Brazil so low",
            "orders where market = BR",
        ),
        ("how come aov went up in october", "aov 2026-10"),
        (
            "what is the reason for the rise of the return rate in Thailand",
            "return_rate where market = TH",
        ),
        (
            "what's behind the decline in visits last week",
            "visits last week",
        ),
        (
            "why was gmv lower than last year in october",
            "gmv 2026-10 vs previous year",
        ),
        ("why has gmv of ads dropped", "gmv where channel = ads"),
        // The name of a metric stays whole.
        (
            "why did the churn rate increase last month",
            "churn_rate last month",
        ),
    ] {
        let reading = clear(&demo.ask(question));
        assert_eq!(reading.intent.intent, IntentKind::Why, "{question}");
        assert_eq!(reading.query().to_string(), query, "{question}");
    }
    // After a query, the number that its rows are made of.
    let before = "gmv by market where channel = ads last month top 5 by gmv";
    for (question, query) in [
        ("why?", "gmv where channel = ads last month"),
        ("why did it fall", "gmv where channel = ads last month"),
        (
            "why did it fall in Brazil",
            "gmv where channel = ads and market = BR last month",
        ),
    ] {
        let reading = clear(&demo.after(before, question));
        assert_eq!(reading.intent.intent, IntentKind::Why, "{question}");
        assert_eq!(reading.query().to_string(), query, "{question}");
    }
    let this = clear(&demo.ask("why is gmv down this month"));
    assert_eq!(this.query().to_string(), "gmv this month");
    // No word is dropped, and a condition stays one.
    for (question, words) in [
        ("why did US gmv fall", "US"),
        ("why did high gmv shops leave", "high"),
        ("why did gmv fall by 10%", "10%"),
        ("why did gmv fall in Atlantis", "Atlantis"),
        ("why", "why"),
        ("why did it fall", "why did it fall"),
        ("why which markets are there", "why which markets are there"),
    ] {
        let refusal = refused(&demo.ask(question));
        assert!(
            refusal.words.iter().any(|(word, _)| word == words),
            "{question}: {refusal:?}"
        );
    }
    for question in [
        "which markets have more than 5000 orders",
        "shared-cost credits by reason",
    ] {
        let reading = clear(&demo.ask(question));
        assert_ne!(reading.intent.intent, IntentKind::Why, "{question}");
    }
}

#[test]
fn what_may_mean_several_things_is_asked_and_a_choice_settles_it() {
    let demo = Asking::demo();
    let question = asks(&demo.ask("revenue by market"));
    assert_eq!(question.words, "revenue");
    assert_eq!(question.range, 0..7);
    assert!((2..=5).contains(&question.candidates.len()));
    let chosen = demo.chosen("revenue", Meaning::Metric("ads_rev".to_owned()));
    let reading = clear(&chosen.ask("revenue by market"));
    assert_eq!(reading.query().to_string(), "ads_rev by market");
    assert_eq!(reading.chips[0].certainty, Certainty::Remembered);
    let value = asks(&demo.ask("cancelled orders last month"));
    assert_eq!(value.words, "cancelled");
    let time = asks(&demo.ask("orders 5/6/2026"));
    assert_eq!(time.words, "5/6/2026");
}

#[test]
fn a_hand_written_metric_is_asked_for_like_any_other() {
    let demo = Asking::demo();
    assert_eq!(
        line(&demo, "net ads revenue by channel in BR last month"),
        "net_ads_rev by ad_channel where market = BR last month"
    );
}

#[test]
fn words_of_the_grammar_that_are_values_are_those_where_they_mean_them() {
    let demo = Asking::demo();
    for (question, query) in [
        (
            "ctr of display last month",
            "ctr where ad_channel = display last month",
        ),
        (
            "display impressions last month",
            "ad_impressions where ad_channel = display last month",
        ),
        (
            "win rate of the growth team last quarter",
            "closed_won_pct where team = Growth last quarter",
        ),
        ("mrr plus arr last month", "mrr, arr last month"),
        ("display gmv by market", "gmv by market"),
        ("give us the gmv last month", "gmv last month"),
    ] {
        assert_eq!(line(&demo, question), query, "{question}");
    }
}
