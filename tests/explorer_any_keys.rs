//! Whatever is pressed on whatever size of terminal, the explorer never crashes and always has a way back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use metrex::tui::{Message, actions};
use proptest::prelude::*;
use ratatui::layout::Size;
use support::Explorer;

#[derive(Debug, Clone)]
enum Step {
    Keys(String),
    Resize(u16, u16),
    Click(u16, u16),
    Wheel(u16, u16, bool),
    Paste(String),
}

fn key() -> impl Strategy<Value = String> {
    let keys: Vec<&str> = actions()
        .iter()
        .flat_map(|entry| entry.keys.iter().copied())
        .collect();
    prop_oneof![
        6 => proptest::sample::select(keys).prop_map(|key| if key.chars().count() == 1 { key.to_owned() } else { format!("<{key}>") }),
        2 => proptest::sample::select(vec![
            "gmv", "market", "<F2>gmv by market, month last 6 months<Enter>", "visits", "é", "数", "'", "<", "\u{301}", "<Ctrl+W>", "<Backspace>", "<Delete>",
        ])
        .prop_map(str::to_owned),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => key().prop_map(Step::Keys),
        2 => (1..200_u16, 1..60_u16).prop_map(|(width, height)| Step::Resize(width, height)),
        2 => (0..200_u16, 0..60_u16).prop_map(|(x, y)| Step::Click(x, y)),
        1 => (0..200_u16, 0..60_u16, any::<bool>()).prop_map(|(x, y, down)| Step::Wheel(x, y, down)),
        1 => "[a-z' ,=>\u{e9}\u{6570}\n]{0,20}".prop_map(Step::Paste),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_on_no_size_crash_it(
        width in 1..200_u16,
        height in 1..60_u16,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut explorer = Explorer::new(width, height);
        for step in steps {
            match step {
                Step::Keys(keys) => { explorer.keys(&keys); }
                Step::Resize(width, height) => { explorer.tell(Message::Resize(Size { width, height })); }
                Step::Click(x, y) => {
                    explorer.screen();
                    if let Some(target) = explorer.hits.at(x, y) {
                        explorer.tell(Message::Click(target));
                    }
                }
                Step::Wheel(x, y, down) => {
                    explorer.screen();
                    if let Some(target) = explorer.hits.at(x, y) {
                        explorer.tell(Message::Wheel(target, if down { 1 } else { -1 }));
                    }
                }
                Step::Paste(text) => { explorer.tell(Message::Paste(text)); }
            }
            explorer.screen();
            prop_assert!(!explorer.state.is_asking());
            let line = explorer.line();
            prop_assert_eq!(line.parse::<metrex::model::MetricQuery>().unwrap(), explorer.state.query.clone(), "the query has a line: {}", line);
        }
        explorer.keys("<Esc><Esc><Esc><Esc><Esc><Esc><Ctrl+C><Ctrl+C>");
        prop_assert!(explorer.ended);
    }
}
