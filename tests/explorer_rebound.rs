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

    /// Steps after each other: an action by its name, or `=` and what is typed.
    fn go(&mut self, steps: &str) -> &mut Self {
        for step in steps.split_whitespace() {
            match step.strip_prefix('=') {
                Some(text) => self.types(&text.replace('_', " ")),
                None => self.press(step),
            };
        }
        self
    }

    /// The same, with nothing answered before the end of them.
    fn held(&mut self, steps: &str) {
        self.explorer.hold = true;
        self.go(steps);
        self.explorer.hold = false;
        self.explorer.release();
    }

    /// What a walk meets of windows, refusals, notices and progress.
    fn walk(&mut self) {
        self.look("start");
        self.go("=zzzz back =%o back back line.panes =gm line.complete back back");
        self.go("find =gmv metric.add metric.add explore")
            .shows("SUM(");
        self.go("help back palette =tab back menu menu.right menu.left back");
        self.go("window.earlier grain.finer sort.change step.back tab.next tab.share");
        self.go("group =market dimension.choose group =month dimension.choose group =zzzz back");
        self.go("filter =market choose values.include values.exclude values.back back");
        self.go("time =2026 choose dates dates.choose back compare back order =7 back");
        self.go("window.earlier window.later grain.finer grain.coarser");
        self.go("compare.previous compare.previous sort.change compare.none compare.none");
        self.held("run interrupt");
        self.go("run").shows("rows");
        self.go("cell.menu back");
        self.explorer.keys("数");
        self.look("the first of two keys");
        self.go("back cell back row back rows.filter =zz back result.find =ID find.next back");
        self.go("result.next mark mark chart chart chart.kind back chart");
        self.held("subtotals");
        self.held("rows back explain back");
        self.go("back rows rows.close explain reader.close file file.format.next back");
        self.go("query.save naming.save query.save naming.save back back");
        self.go("history back views back connection back theme back copy back definition back");
        self.go("tab.new tab.next tab.beside tab.beside tab.close query.undo query.redo");
        self.go("ask =gmv_in_quarter line.apply back back");
        self.go("author author.shows author.numbers =# author.editor author.interrupt");
        self.go("author.back author.back question.yes interrupt");
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
    // The walk has been where keys are named.
    let mut missing = Vec::new();
    for text in [
        " clears it",
        " closes the list",
        " shows the keys",
        " runs the query",
        " cancels",
        " takes it",
        " asks",
        " closes",
        " chooses one",
        " adds a grain",
        " ends it",
        " takes the previous period",
        " on a cell does",
        " shows it",
        " shows them so",
        " opens another one",
        " searches in the result",
        " lists all",
        " replaces it",
        " computes the numbers before and after",
        ": the editor opens the file as it is on disk",
        " again quits; the draft",
        " leave",
        " Catalog",
    ] {
        let named = Regex::new(&format!(r"Alt\+.{{1,3}}\)?{}", regex::escape(text))).unwrap();
        if !named.is_match(&all) {
            missing.push(text);
        }
    }
    assert_eq!(missing, Vec::<&str>::new(), "no key before these");
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
fn a_configuration_that_does_not_read_changes_nothing() {
    let mut explorer = Explorer::new(80, 24);
    edit(&mut explorer, "keys: {group: b}\n");
    edit(&mut explorer, "keys: {group: [\n");
    explorer.keys("gmv<Enter>");
    assert_shows!(explorer, "! metrex.yaml:", "P shows", "b group");
    explorer.keys("b");
    assert_shows!(explorer, "Group by");
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
