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

use metrex::tui::state::Phase;
use metrex::tui::{Effect, Message, RunNews, State, actions};
use metrex::warehouse::{WarehouseError, WarehouseErrorKind};
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

/// What happens between the keys, while answers are late.
#[derive(Debug, Clone)]
enum Late {
    Step(Step),
    /// So many answers come, in an order that the number decides; runs end well, or the connection is lost.
    Answers(usize, usize, bool),
}

fn late() -> impl Strategy<Value = Late> {
    let chord = |keys: &'static str| Just(Late::Step(Step::Keys(keys.to_owned())));
    prop_oneof![
        10 => step().prop_map(Late::Step),
        4 => (1..6_usize, any::<usize>(), proptest::bool::weighted(0.2))
            .prop_map(|(count, order, lost)| Late::Answers(count, order, lost)),
        2 => chord("<F5>"),
        1 => chord("<F2><Ctrl+U>gmv, aov by market, month last 6 months with total<Enter>"),
        1 => chord("<F2><Ctrl+U>gmv by channel, market with total<Enter>"),
        1 => chord("<z p>"),
        1 => chord("<z t>"),
        1 => chord("<z l>"),
        1 => chord("r"),
        1 => chord("A"),
        1 => chord("<Esc>"),
        1 => chord("<w d>"),
        1 => chord("<w x>"),
        1 => chord("<Ctrl+PageDown>"),
        1 => chord("c"),
    ]
}

fn take(explorer: &mut Explorer, step: Step) {
    match step {
        Step::Keys(keys) => {
            explorer.keys(&keys);
        }
        Step::Resize(width, height) => {
            explorer.tell(Message::Resize(Size { width, height }));
        }
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
        Step::Paste(text) => {
            explorer.tell(Message::Paste(text));
        }
    }
}

fn error(kind: WarehouseErrorKind) -> metrex::session::SessionError {
    let message = "it is gone".to_owned();
    let hint = None;
    WarehouseError {
        kind,
        message,
        hint,
    }
    .into()
}

/// One of the answers that are awaited comes.
fn answer_one(explorer: &mut Explorer, order: usize, lost: bool) {
    let Some(effect) = explorer.held.remove(order % explorer.held.len().max(1)) else {
        return;
    };
    if let Effect::Cancel(meant) = effect {
        let is_meant = |effect: &Effect| match effect {
            Effect::Run { generation, .. } | Effect::Beside { generation, .. } => {
                *generation == meant
            }
            _ => false,
        };
        let Some(at) = explorer.held.iter().position(is_meant) else {
            return;
        };
        let cancelled = error(WarehouseErrorKind::Cancelled);
        let message = match explorer.held.remove(at) {
            Some(Effect::Beside { generation, .. }) => Message::Beside {
                generation,
                outcome: Err(cancelled),
            },
            _ => Message::Run {
                generation: meant,
                news: RunNews::Ended(Err(cancelled)),
            },
        };
        explorer.tell(message);
        return;
    }
    let run = match &effect {
        Effect::Run { generation, .. } => Some(*generation),
        _ => None,
    };
    let mut messages = explorer.outcome(effect);
    if let Some(generation) = run.filter(|_| lost) {
        messages.truncate(messages.len() / 2);
        messages.push(Message::Run {
            generation,
            news: RunNews::Ended(Err(error(WarehouseErrorKind::Connection))),
        });
    }
    for message in messages {
        explorer.tell(message);
    }
}

fn waits(tab: &State) -> bool {
    let runs = matches!(tab.result.phase, Phase::Running(_) | Phase::Cancelling(_));
    tab.is_asking() || runs || tab.result.beside.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn late_and_lost_answers_leave_nothing_waiting(
        steps in proptest::collection::vec(late(), 1..60),
        order in any::<usize>(),
    ) {
        let mut explorer = Explorer::new(100, 24);
        explorer.keys("<F2>gmv by market, channel last 6 months<Enter>");
        explorer.hold = true;
        for step in steps {
            match step {
                Late::Step(step) => take(&mut explorer, step),
                Late::Answers(count, order, lost) => {
                    for at in 0..count {
                        answer_one(&mut explorer, order.wrapping_mul(at + 7), lost);
                    }
                }
            }
            explorer.screen();
        }
        let mut at = 0;
        while !explorer.held.is_empty() {
            answer_one(&mut explorer, order.wrapping_mul(at + 7), false);
            at += 1;
            prop_assert!(at < 10_000, "answers go on for ever");
        }
        explorer.screen();
        let waiting = explorer.state.find_tab(waits);
        prop_assert!(waiting.is_none(), "tab {waiting:?} waits:\n{}", explorer.screen());
        explorer.hold = false;
        explorer.keys("<Esc><Esc><Esc><Esc><Esc><Esc><Esc><Esc>");
        explorer.keys("<Ctrl+C><Ctrl+C>");
        prop_assert!(explorer.ended, "{}", explorer.screen());
    }
}
