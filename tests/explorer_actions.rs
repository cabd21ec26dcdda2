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
use metrex::tui::popup::Popup;
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
fn every_action_has_a_name_and_a_title() {
    for entry in actions() {
        let id = entry.id;
        assert!(!id.is_empty() && !entry.title.is_empty(), "{id}");
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_');
        assert!(
            id.chars().all(plain),
            "{id} has other signs than a to z and dots"
        );
        let first = entry.title.chars().next().unwrap();
        assert!(first.is_uppercase(), "{id}: {}", entry.title);
        assert!(!entry.title.ends_with('.'), "{id}: {}", entry.title);
    }
}

/// Names of the actions that the table gives a condition.
fn conditional() -> Vec<&'static str> {
    let table = include_str!("../src/tui/action/table.rs").lines();
    let rows =
        table.filter(|row| row.trim_start().starts_with("entry(A::") && row.contains(".when("));
    rows.map(|row| row.split('"').nth(1).unwrap()).collect()
}

/// Actions with a condition that holds although nothing is chosen: the metric under the cursor can be run, changed, traced and
/// asked about, and there is room for a tab.
const POSSIBLE: [&str; 10] = [
    "why",
    "spread",
    "graph",
    "run",
    "refresh",
    "author",
    "lineage",
    "tab.new",
    "tab.duplicate",
    "kept.tab",
];

#[test]
fn whatever_has_a_condition_says_why_it_cannot_be_done_where_nothing_is_chosen() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Esc>3");
    let conditional = conditional();
    assert!(conditional.len() > 20);
    let mut wrong = Vec::new();
    for id in conditional {
        let entry = actions().iter().find(|entry| entry.id == id).unwrap();
        match (entry.enabled)(&explorer.state) {
            Ok(()) if POSSIBLE.contains(&id) => {}
            Ok(()) => wrong.push(format!("{id} can be done where nothing is chosen")),
            // The footer has a sign before it, and 80 columns.
            Err(reason) if reason.trim().is_empty() || reason.chars().count() > 76 => {
                wrong.push(format!("{id} has no reason that fits: '{reason}'"));
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_of_actions_are_unique() {
    let names: HashSet<_> = actions().iter().map(|entry| entry.id).collect();
    assert_eq!(names.len(), actions().len());
}

/// States in which each context applies.
const STATES: [&str; 31] = [
    "gmv<Enter><F5>Q",
    "gmv<Enter><F5>S",
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
    "gmv<Enter>A",
    "gmv<Enter>A<Esc>",
    "gmv<Enter>2+",
    "gmv<Enter>2+Amount of orders<Down><Down><Down><Down><Down><Down>",
    "gmv<Enter>L",
    "aov<Enter>J",
    "aov<Enter>Jp",
    "gmv<Enter><F5>r",
    "gmv<Enter>H",
    "gmv<Enter>B",
    "gmv<Enter>gmarket<Enter><Esc><F5>W",
    "gmv<Enter>gmarket<Enter><Esc><F5>&",
    "gmv<Enter>gmarket<Enter><Esc><F5>r",
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
            let keymap = &explorer.state.setting.preferences.keymap;
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
    // These need a running query, a word with several meanings, a cell with JSON, a number of several parts.
    reached.extend([
        Action::Confirm,
        Action::FoldAll,
        Action::UnfoldAll,
        Action::NextPart,
    ]);
    reached.extend((0..5).map(Action::Candidate));
    let missing = actions()
        .iter()
        .filter(|entry| !reached.contains(&entry.action));
    let missing: Vec<_> = missing.map(|entry| entry.id).collect();
    assert!(missing.is_empty(), "{missing:?} cannot be reached");
}

#[test]
fn no_key_is_one_that_terminals_cannot_send_or_that_others_use() {
    let unsent = ["Ctrl+Enter", "Ctrl+Space", "Ctrl+S", "Ctrl+Q"].map(|key| key.parse().unwrap());
    for entry in actions() {
        for key in entry.keys {
            let keys: Keys = key.parse().unwrap();
            let sent = keys.chords().all(|chord| !unsent.contains(&chord));
            assert!(sent, "{} is on {key}", entry.id);
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
    let in_help: HashSet<String> = match explorer.state.popups.last() {
        Some(Popup::Picker(picker)) => {
            let items = picker.list.items().iter();
            items.map(|item| item.key.clone()).collect()
        }
        _ => panic!("the help is a list"),
    };
    for entry in actions().iter().filter(|entry| !entry.keys.is_empty()) {
        assert!(
            in_help.contains(entry.id),
            "{} is not in the help",
            entry.id
        );
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

/// What `metrex man` prints, for a user with this configuration.
fn man_page(config: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let config_folder = folder.path().join("config/metrex");
    std::fs::create_dir_all(&config_folder).unwrap();
    std::fs::write(config_folder.join("config.yaml"), config).unwrap();
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_metrex"))
        .arg("man")
        .current_dir(folder.path())
        .env("XDG_CONFIG_HOME", folder.path().join("config"))
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let page = String::from_utf8(printed.stdout).unwrap();
    page.replace("\\-", "-")
        .replace("\\&", "")
        .replace("\\e", "\\")
}

#[test]
fn the_man_page_lists_every_key_of_the_table() {
    let page = man_page("");
    for entry in actions().iter().filter(|entry| !entry.keys.is_empty()) {
        let keys = entry.keys.join(", ");
        let row = format!(
            "\\fB{keys}\\fR ({})\n{}",
            entry.context.title(),
            entry.title
        );
        assert!(page.contains(&row), "'{row}' is missing");
    }
}

#[test]
fn the_man_page_shows_the_keys_that_the_user_chose() {
    let page = man_page("keys: {run: [F7, Ctrl+G]}\n");
    assert!(page.contains("F7, Ctrl+G"), "{page}");
    assert!(!page.contains("F5, Ctrl+R (Everywhere)"));
}
