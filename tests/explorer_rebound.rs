//! Keys that are changed: what the screen says of them, and configurations that are edited while the explorer runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::fmt::Write as _;
use std::path::Path;

use metrex::registry::UserConfig;
use metrex::tui::{Depth, Message, actions};
use regex::Regex;
use support::Explorer;

/// Every action on a key of its own that no action is delivered with; one of them on two keys.
fn everything_elsewhere() -> String {
    let mut keys = String::from("keys:\n");
    for (index, entry) in actions().iter().enumerate() {
        let letter = char::from_u32(0x4e00 + u32::try_from(index).unwrap()).unwrap();
        match entry.id {
            "column.hide" => writeln!(keys, "  {}: 数 {letter}", entry.id).unwrap(),
            id => writeln!(keys, "  {id}: Alt+{letter}").unwrap(),
        }
    }
    keys
}

/// What is left of a screen that names a key as it was delivered.
struct Names {
    words: Regex,
    letters: Regex,
}

impl Names {
    fn new() -> Self {
        let words = r"\b(F\d{1,2}|(Ctrl|Alt|Shift)\+[!-~]+|Esc|Enter|Tab|Space|Backspace|PageUp|PageDown|Insert)\b";
        // A letter by itself where a remark begins, and what it does: `V lists all`.
        let letters = r"(?:^|[·;:(] ?|│ )([!-~]|[wz] [!-~]) (lists|shows|takes|chooses|adds|ends|closes|opens|quits|forgets|runs|asks|comes|and|to)\b";
        Self {
            words: Regex::new(words).unwrap(),
            letters: Regex::new(letters).unwrap(),
        }
    }

    fn found(&self, text: &str) -> Vec<String> {
        let lines = text.lines();
        let named = lines.filter(|line| self.words.is_match(line) || self.letters.is_match(line));
        named.map(str::to_owned).collect()
    }
}

/// A walk through the layers, with the keys in force; what the screen, and the reasons against actions, say at each stop.
struct Walk {
    explorer: Explorer,
    seen: Vec<(String, String)>,
}

impl Walk {
    fn new(user: &str) -> Self {
        let explorer = Explorer::configured(120, 40, Depth::None, "", user);
        assert_eq!(explorer.state.setting.preferences.problems, []);
        Self {
            explorer,
            seen: Vec::new(),
        }
    }

    /// Presses the keys of an action.
    fn press(&mut self, id: &str) -> &mut Self {
        let keymap = &explorer_keymap(&self.explorer);
        let (_, keys) = keymap.iter().find(|(known, _)| known == id).unwrap();
        self.explorer.keys(&format!("<{keys}>"));
        self.look(id)
    }

    fn types(&mut self, text: &str) -> &mut Self {
        self.explorer.keys(text);
        self.look(text)
    }

    fn look(&mut self, after: &str) -> &mut Self {
        let mut text = self.explorer.screen();
        for entry in actions() {
            if let Err(reason) = (entry.enabled)(&self.explorer.state) {
                text.push('\n');
                text.push_str(&reason);
            }
        }
        self.seen.push((after.to_owned(), text));
        self
    }

    fn shows(&mut self, text: &str) -> &mut Self {
        let screen = self.explorer.screen();
        assert!(screen.contains(text), "'{text}' is not on\n{screen}");
        self
    }

    /// What a walk meets of windows, refusals, notices and progress.
    fn walk(&mut self) {
        self.look("start");
        self.types("zzzz").press("back").types("%o").press("back");
        self.press("back").press("line.panes").types("gm");
        self.press("line.complete").press("back").press("back");
        self.press("find")
            .types("gmv")
            .press("metric.add")
            .press("metric.add");
        self.press("explore").shows("SUM(");
        self.press("help")
            .press("back")
            .press("palette")
            .types("tab")
            .press("back");
        self.press("menu")
            .press("menu.right")
            .press("menu.left")
            .press("back");
        self.press("group")
            .types("market")
            .press("dimension.choose");
        self.press("filter")
            .types("market")
            .press("dimension.values");
        self.press("values.include")
            .press("values.exclude")
            .press("values.back")
            .press("back");
        self.press("time").types("2026").press("back");
        self.press("dates").press("dates.choose").press("back");
        self.press("compare")
            .press("back")
            .press("order")
            .types("7")
            .press("back");
        self.press("window.earlier")
            .press("grain.finer")
            .press("sort.change");
        self.press("compare.previous")
            .press("compare.previous")
            .press("compare.none");
        self.explorer.hold = true;
        self.press("run").shows("running");
        self.press("interrupt");
        self.explorer.hold = false;
        self.explorer.release();
        self.press("run").shows("rows");
        self.press("cell.menu").press("back");
        self.explorer.keys("数");
        self.look("the first of two keys");
        self.press("back")
            .press("cell")
            .press("back")
            .press("row")
            .press("back");
        self.press("rows.filter")
            .types("zz")
            .press("back")
            .press("result.find")
            .types("ID");
        self.press("find.next").press("back").press("result.next");
        self.press("mark")
            .press("mark")
            .press("chart")
            .press("chart")
            .press("chart.kind");
        self.press("back").press("chart");
        self.explorer.hold = true;
        self.press("rows")
            .press("back")
            .press("explain")
            .press("back");
        self.press("subtotals");
        self.explorer.hold = false;
        self.explorer.release();
        self.press("back")
            .press("rows")
            .press("rows.close")
            .press("explain")
            .press("reader.close");
        self.press("file").press("file.format.next").press("back");
        self.press("query.save").types("one").press("naming.save");
        self.press("query.save")
            .types("one")
            .press("naming.save")
            .press("back");
        self.press("history")
            .press("back")
            .press("views")
            .press("back");
        self.press("connection")
            .press("back")
            .press("theme")
            .press("back");
        self.press("copy")
            .press("back")
            .press("definition")
            .press("back");
        self.press("tab.new")
            .press("tab.next")
            .press("tab.beside")
            .press("tab.beside");
        self.press("tab.close")
            .press("query.undo")
            .press("query.redo");
        self.press("ask")
            .types("gmv in quarter")
            .press("line.apply")
            .press("back")
            .press("back");
        self.press("author")
            .press("author.numbers")
            .press("author.shows")
            .types("#");
        self.press("author.editor")
            .press("author.back")
            .press("author.back")
            .press("question.yes");
        self.press("interrupt");
    }
}

/// The names of the actions with the first key of each.
fn explorer_keymap(explorer: &Explorer) -> Vec<(String, String)> {
    let rows = explorer.state.keymap().rows();
    let first =
        rows.filter_map(|(entry, keys)| Some((entry.id.to_owned(), keys.first()?.to_string())));
    first.collect()
}

#[test]
fn where_every_key_is_changed_no_text_names_an_old_one() {
    let names = Names::new();
    let mut walk = Walk::new(&everything_elsewhere());
    walk.walk();
    let mut wrong = Vec::new();
    for (after, text) in &walk.seen {
        for line in names.found(text) {
            wrong.push(format!("after {after}: {line}"));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: String = walk.seen.iter().map(|(_, text)| text.as_str()).collect();
    assert!(all.matches("Alt+").count() > 500);
    assert!(all.contains("again quits"));
}

#[test]
fn keys_as_they_are_delivered_are_found_by_the_same_looks() {
    let names = Names::new();
    let mut walk = Walk::new("");
    // Without a key as delivered there is nothing to press.
    for keys in [
        "gmv<Enter><F5>",
        "B",
        "one<Enter>",
        "0",
        "<Ctrl+P>",
        "<Esc>w",
    ] {
        walk.types(keys);
    }
    let found: Vec<String> = walk
        .seen
        .iter()
        .flat_map(|(_, text)| names.found(text))
        .collect();
    let found = found.join("\n");
    for text in [
        "V lists all",
        "F5",
        "Ctrl+P",
        "Esc closes",
        "w n opens another one",
    ] {
        assert!(found.contains(text), "{text} is not among\n{found}");
    }
}

/// Writes more into the project's configuration, and tells that a file has changed.
fn edit(explorer: &mut Explorer, more: &str) {
    let file = explorer.folder.path().join("shop/metrex.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}{more}")).unwrap();
    explorer.tell(Message::FilesChanged);
}

#[test]
fn keys_are_those_of_the_configuration_as_soon_as_it_is_saved() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("gmv<Enter>");
    edit(&mut explorer, "keys: {group: b, time: b}\n");
    assert_shows!(
        explorer,
        "configuration read again: keys; 1 problem, P lists them"
    );
    explorer.keys("P");
    assert_shows!(explorer, "b is the key of 'group' (metrex.yaml:");
    explorer.keys("<Esc>b");
    assert_shows!(explorer, "Group by");
    explorer.keys("<Esc>");
    assert_shows!(explorer, "b group");
    explorer.keys("g");
    assert!(explorer.state.popups.is_empty(), "g is no key any more");
}

#[test]
fn the_users_configuration_is_read_again_too() {
    let mut explorer = Explorer::new(80, 24);
    explorer.user = UserConfig::read(
        "{theme: light, clipboard: off, keys: {group: b}}",
        Path::new("config.yaml"),
    );
    explorer.tell(Message::FilesChanged);
    assert_shows!(explorer, "configuration read again: keys, clipboard, theme");
    assert_eq!(explorer.state.theme.name, "light");
    // What was chosen by hand stays while something else changes.
    explorer.keys("<Esc>Tmono<Enter>");
    explorer.user = UserConfig::read("{theme: light}", Path::new("config.yaml"));
    explorer.tell(Message::FilesChanged);
    assert_eq!(explorer.state.theme.name, "mono");
    explorer.user = UserConfig::read("{theme: sepia}", Path::new("config.yaml"));
    explorer.tell(Message::FilesChanged);
    assert_shows!(explorer, "no theme 'sepia'");
    assert_eq!(explorer.state.theme.name, "mono");
    explorer.user = UserConfig::default();
    explorer.tell(Message::FilesChanged);
    assert_eq!(explorer.state.theme.name, "dark", "what fits the terminal");
}

#[test]
fn a_theme_that_is_edited_shows_at_once() {
    let mut explorer = Explorer::themed(80, 24, Depth::True);
    let themes = explorer.folder.path().join("shop/themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join("dark.yaml"), "accent: \"#112233\"\n").unwrap();
    explorer.tell(Message::FilesChanged);
    assert_shows!(explorer, "configuration read again: theme");
    let accent = explorer.state.theme.accent;
    assert_eq!(
        accent.fg,
        Some(ratatui::style::Color::Rgb(0x11, 0x22, 0x33))
    );
    std::fs::write(themes.join("dark.yaml"), "axent: \"#112233\"\n").unwrap();
    explorer.tell(Message::FilesChanged);
    assert_shows!(explorer, "unknown role 'axent'");
    assert_eq!(
        explorer.state.theme.accent, accent,
        "the last good one stays"
    );
}

#[test]
fn what_needs_a_restart_is_said() {
    let mut explorer = Explorer::new(80, 24);
    edit(&mut explorer, "cache_ttl: 1h\nkeys: {group: b}\n");
    assert_shows!(
        explorer,
        "configuration read again: keys; metrex.yaml: restart to use cache_ttl"
    );
    explorer.keys("<Esc><Esc>P");
    assert_shows!(explorer, "restart to use cache_ttl");
    // Once is enough.
    explorer.keys("<Esc>").tell(Message::FilesChanged);
    assert!(!explorer.screen().contains("restart"));
}
