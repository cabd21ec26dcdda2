//! The table of actions: keys that contradict each other, or that a terminal cannot send, are caught here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::collections::{HashMap, HashSet};

use metrex::tui::action::{Action, Context, contexts};
use metrex::tui::{Found, Keys, actions, actions_markdown};
use support::Explorer;

#[test]
fn every_key_reads_back_as_it_is_written() {
    for entry in actions() {
        for key in entry.keys {
            let keys: Keys = key.parse().unwrap();
            assert_eq!(keys.to_string(), *key, "{}", entry.id);
        }
    }
}

#[test]
fn no_key_means_two_things_in_one_context() {
    let mut seen: HashMap<(Context, Keys), &str> = HashMap::new();
    for entry in actions() {
        for key in entry.keys {
            let keys = key.parse().unwrap();
            if let Some(other) = seen.insert((entry.context, keys), entry.id) {
                panic!("{key} is both {other} and {}", entry.id);
            }
        }
    }
    for ((context, keys), id) in &seen {
        let first = Keys::one(keys.first);
        if let (Some(other), true) = (seen.get(&(*context, first)), keys.second.is_some()) {
            panic!("{keys} of {id} begins with the key of {other}");
        }
    }
}

#[test]
fn names_of_actions_are_unique() {
    let names: HashSet<_> = actions().iter().map(|entry| entry.id).collect();
    assert_eq!(names.len(), actions().len());
}

/// States in which each context applies.
const STATES: [&str; 16] = [
    "",
    "<Esc>",
    "gmv<Enter>",
    "gmv<Enter>2",
    "<F2>",
    "gmv<Enter>4",
    "gmv<Enter><F5>",
    "gmv<Enter><F5>/",
    "gmv<Enter>g",
    "gmv<Enter>fmarket<Enter>",
    "gmv<Enter>t",
    "<F1>",
    "gmv<Enter>d",
    "gmv<Enter><Ctrl+P>",
    "gmv<Enter>gmarket<Enter><Esc><F5>",
    "gmv<Enter><F5>W",
];

#[test]
fn every_action_can_be_reached_by_a_key_or_from_the_palette() {
    let mut reached: HashSet<Action> = HashSet::new();
    for keys in STATES {
        let mut explorer = Explorer::new(80, 24);
        explorer.keys(keys);
        let open = contexts(&explorer.state);
        let shadowed = |entry: &metrex::tui::action::Entry, key: &str| {
            let keys: Keys = key.parse().unwrap();
            let (first, last) = match keys.second {
                None => (None, keys.first),
                Some(second) => (Some(keys.first), second),
            };
            let keymap = &explorer.state.setting.keymap;
            !matches!(keymap.find(open, first, last), Found::Entry(found) if found.id == entry.id)
        };
        for entry in actions()
            .iter()
            .filter(|entry| open.contains(&entry.context))
        {
            if entry.keys.iter().any(|key| !shadowed(entry, key)) {
                reached.insert(entry.action);
            }
        }
    }
    let in_palette = actions().iter().filter(|entry| entry.context.in_palette());
    reached.extend(in_palette.map(|entry| entry.action));
    // These need a running query, and a word with several meanings.
    reached.insert(Action::Confirm);
    reached.extend((0..5).map(Action::Candidate));
    for entry in actions() {
        assert!(
            reached.contains(&entry.action),
            "{} cannot be reached",
            entry.id
        );
    }
}

#[test]
fn no_key_is_one_that_terminals_cannot_send_or_that_others_use() {
    for entry in actions() {
        for key in entry.keys {
            assert!(
                !["Ctrl+Enter", "Ctrl+Space", "Ctrl+S", "Ctrl+Q"].contains(key),
                "{} is on {key}",
                entry.id
            );
        }
        if entry.action == Action::Quit {
            assert!(!entry.keys.contains(&"Esc"));
        }
    }
    let run: Vec<_> = actions()
        .iter()
        .filter(|entry| entry.action == Action::Run)
        .flat_map(|entry| entry.keys)
        .collect();
    assert!(run.len() >= 2, "running has two routes");
}

#[test]
fn the_footer_and_the_help_are_read_from_the_table() {
    let mut explorer = Explorer::new(120, 50);
    explorer.keys("<F1>");
    let help = explorer.screen();
    for title in [
        "Run the query",
        "Edit the query line",
        "Suspend to the shell",
    ] {
        assert!(help.contains(title), "{help}");
    }
    let markdown = actions_markdown();
    for entry in actions().iter().filter(|entry| !entry.keys.is_empty()) {
        assert!(markdown.contains(entry.title));
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Esc>v");
    assert_shows!(explorer, "choose a metric first");
    explorer.keys("5s");
    assert_shows!(explorer, "there is no result yet");
}

#[test]
fn titles_fit_into_the_help_at_80_columns() {
    for entry in actions() {
        assert!(entry.title.chars().count() <= 44, "{}", entry.title);
    }
}

#[test]
fn the_documented_keys_are_the_real_ones() {
    let documented = include_str!("../docs/keys.md");
    let table = documented
        .split_once("\n\n|")
        .map(|(_, table)| format!("|{table}"))
        .unwrap();
    assert_eq!(
        table,
        actions_markdown(),
        "docs/keys.md is `actions_markdown()` below its introduction"
    );
}
