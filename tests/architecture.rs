//! The rules of the house, read from the source tree: see `docs/ARCHITECTURE.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms by floor, from the ground up. A room may use rooms below it, and rooms beside it where that makes no circle.
const FLOORS: [&[&str]; 9] = [
    &["model", "store", "llm"],
    &["usage", "registry", "warehouse"],
    &["compile", "learn", "exchange", "index"],
    &["investigate", "generate", "validate"],
    &["govern", "ask"],
    &["init", "demo"],
    &["session"],
    &["tui", "mcp"],
    &["cli"],
];

struct Source {
    room: String,
    path: PathBuf,
    /// Without comments.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let source = |path: PathBuf| {
        let inside = path.strip_prefix(&root).unwrap();
        let first = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let room = first.strip_suffix(".rs").unwrap_or(first).to_owned();
        Source {
            room,
            code: without_comments(&fs::read_to_string(&path).unwrap()),
            path,
        }
    };
    files.into_iter().map(source).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.trim_start().starts_with("//") {
        true => String::new(),
        false => line.split(" // ").next().unwrap_or_default().to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

fn floor(room: &str) -> usize {
    let found = FLOORS.iter().position(|rooms| rooms.contains(&room));
    found.unwrap_or_else(|| {
        panic!("{room} is on no floor: add it to FLOORS and to docs/ARCHITECTURE.md")
    })
}

/// The rooms a text names as `crate::room` or in `crate::{room::…, other}`.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            rooms.insert(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut starts = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => starts = true,
                c if starts && c.is_alphabetic() => {
                    rooms.insert(word(&list[at..]));
                    starts = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    rooms
}

/// Which room uses which others, with one file as the witness.
fn uses() -> BTreeMap<(String, String), PathBuf> {
    let mut uses = BTreeMap::new();
    for source in sources()
        .into_iter()
        .filter(|source| !["main", "lib"].contains(&source.room.as_str()))
    {
        for target in imports(&source.code)
            .into_iter()
            .filter(|target| *target != source.room)
        {
            uses.entry((source.room.clone(), target))
                .or_insert(source.path.clone());
        }
    }
    uses
}

/// The files that name a crate, outside of the rooms that may.
fn offenders(crates: &[&str], allowed: &[&str]) -> Vec<PathBuf> {
    let names = |code: &str| {
        crates
            .iter()
            .any(|name| code.contains(&format!("{name}::")))
    };
    let is_offender =
        |source: &Source| !allowed.contains(&source.room.as_str()) && names(&source.code);
    sources()
        .into_iter()
        .filter(is_offender)
        .map(|source| source.path)
        .collect()
}

#[test]
fn imports_run_downward() {
    for ((room, target), path) in uses() {
        assert!(
            floor(&target) <= floor(&room),
            "{} lets {room} use {target}, which is above it",
            path.display()
        );
    }
}

#[test]
fn there_are_no_circles_between_rooms() {
    let uses = uses();
    let mut left: BTreeSet<&str> = FLOORS.iter().copied().flatten().copied().collect();
    // A room that uses no room still left is done; what remains in the end goes round in circles.
    loop {
        let is_free = |room: &&str| {
            !uses
                .keys()
                .any(|(from, to)| from == room && left.contains(to.as_str()))
        };
        let free: Vec<&str> = left.iter().copied().filter(is_free).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|room| !free.contains(room));
    }
    assert!(
        left.is_empty(),
        "these rooms use each other in circles: {left:?}"
    );
}

#[test]
fn every_room_is_on_a_floor() {
    for source in sources()
        .iter()
        .filter(|source| !["main", "lib"].contains(&source.room.as_str()))
    {
        floor(&source.room);
    }
}

#[test]
fn only_the_explorer_names_the_terminal() {
    let found = offenders(&["ratatui", "crossterm", "tui_textarea"], &["tui"]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn only_the_warehouse_names_database_drivers() {
    assert!(offenders(&["tokio_postgres", "tokio_postgres_rustls"], &["warehouse"]).is_empty());
    let sqlite = offenders(&["rusqlite"], &["warehouse", "store"]);
    assert!(sqlite.is_empty(), "{sqlite:?}");
}

#[test]
fn only_the_store_opens_state_files() {
    // The warehouse opens what metrex.yaml names; state files are SQLite files too, and have one door.
    for source in sources().iter().filter(|source| source.room != "store") {
        let names_state = ["usage.db", "value_index.db"]
            .iter()
            .any(|name| source.code.contains(name));
        assert!(
            !names_state || !source.code.contains("rusqlite"),
            "{}",
            source.path.display()
        );
    }
}

#[test]
fn nothing_speaks_to_a_model_provider_or_to_agents_outside_of_its_room() {
    let providers = offenders(
        &["reqwest", "hyper", "ureq", "genai", "async_openai"],
        &["llm"],
    );
    assert!(providers.is_empty(), "{providers:?}");
    assert!(offenders(&["rmcp", "axum"], &["mcp"]).is_empty());
}

#[test]
fn faces_hold_no_sql() {
    for source in sources()
        .iter()
        .filter(|source| ["cli", "tui", "mcp"].contains(&source.room.as_str()))
    {
        let literals = source.code.match_indices("SELECT ").filter(|(at, found)| {
            source.code[at + found.len()..]
                .starts_with(|c: char| c.is_ascii_lowercase() || c == '*' || c == '"')
        });
        assert_eq!(literals.count(), 0, "{} holds SQL", source.path.display());
    }
}

#[test]
fn the_program_is_the_library() {
    let main = sources()
        .into_iter()
        .find(|source| source.room == "main")
        .unwrap();
    assert!(
        main.code.contains("metrex::cli::main()"),
        "main.rs only calls the command line"
    );
}

/// The files that have a text, with how often.
fn places(text: &str) -> BTreeMap<String, usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places = BTreeMap::new();
    for source in sources() {
        let count = source.code.matches(text).count();
        let path = source.path.strip_prefix(&root).unwrap();
        if count > 0 {
            places.insert(path.to_str().unwrap().to_owned(), count);
        }
    }
    places
}

#[test]
fn what_the_explorer_sends_to_a_warehouse_passes_one_fence() {
    let of = |places: &[(&str, usize)]| -> BTreeMap<String, usize> {
        let owned = places
            .iter()
            .map(|(path, count)| ((*path).to_owned(), *count));
        owned.collect()
    };
    // Statements reach a driver in one function, which two call: the one asks the plan, the other asks for no rows.
    assert_eq!(places("self.send(request"), of(&[("warehouse/mod.rs", 2)]));
    // A session has one way to a warehouse, and puts the fence before it.
    let opened = places("open_warehouse(");
    assert_eq!(opened, of(&[("session/connections.rs", 2)]));
    let opened: Vec<_> = places("Warehouse::open(").into_keys().collect();
    let session: Vec<_> = opened
        .iter()
        .filter(|path| path.starts_with("session") || path.starts_with("tui"))
        .collect();
    // The others are a project that is read from the command line, and a file that metrex made itself.
    assert_eq!(
        session,
        [
            "session/connections.rs",
            "session/exchange.rs",
            "session/rollups/file.rs"
        ]
    );
    // The explorer's session asks, but for what somebody said yes to.
    assert_eq!(places("session.asking()"), of(&[("tui/engine/mod.rs", 1)]));
    let anyway = places(".anyway()");
    assert_eq!(
        anyway,
        of(&[("session/rollups/known.rs", 1), ("tui/engine/mod.rs", 1)])
    );
}
