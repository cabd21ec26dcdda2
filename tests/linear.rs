//! The explorer line by line: a whole session through a pipe, as it is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/pty.rs"]
mod pty;
#[path = "support/explorer.rs"]
mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pty::Pty;
use tempfile::TempDir;

/// The program with these arguments, on the day of the other tests.
fn metrex(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command.args(arguments);
    command.args(["--today", "2026-11-20", "--project"]);
    command.arg(folder.join("shop"));
    command.arg("--state-dir").arg(folder.join("state"));
    command
}

/// What the program says to these lines in a project of its own.
fn transcript(folder: &Path, lines: &str) -> String {
    support::project(&folder.join("shop"));
    assert!(
        metrex(folder, &["reindex"])
            .output()
            .unwrap()
            .status
            .success()
    );
    said(folder, &["--linear"], lines)
}

/// What the program says to these lines.
fn said(folder: &Path, arguments: &[&str], lines: &str) -> String {
    let mut child = metrex(folder, arguments)
        .current_dir(folder)
        .env_remove("METREX_TODAY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let problems = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{problems}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.replace(&*folder.to_string_lossy(), "FOLDER")
}

#[test]
fn a_whole_session_reads_as_it_was_held() {
    let folder = TempDir::new().unwrap();
    let lines = "\
/value
1
F5
g
market
1
.
f
channel
1
1
ok
F5
2
y
all rows csv
1
gmv by market, month this year
W
orders.md
gmv by colour
w
n
gmv by market 2026
v
previous year
1
F5
c

K
4
gmv by market, month this year
//2026-10
n
&gmv > 10K
&

z p
z t
Right
Right
E
r
.
y
cell as query
1
?
text area
.
T
q
";
    insta::assert_snapshot!("linear_session", transcript(folder.path(), lines));
    let file = std::fs::read_to_string(folder.path().join("orders.md")).unwrap();
    assert!(file.contains("| market |"), "{file}");
}

#[test]
fn what_is_chosen_by_number_needs_no_key() {
    let lines =
        "/value\n1\ng\nmarket\n1\n.\ngmv by market\nf\nmarket\n1\n2\nok\n.\ngmv by nothing\n";
    let (plain, changed) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let expected = transcript(plain.path(), lines);
    transcript(changed.path(), "");
    let file = changed.path().join("shop/metrex.yaml");
    let config = std::fs::read_to_string(&file).unwrap();
    let keys = "keys: {back: F12, line.apply: F8, explore: F8, explore.tree: F8, choose: F7, dimension.choose: F7, values.apply: F7, values.include: Alt+v, interrupt: Alt+c}\n";
    std::fs::write(&file, format!("{config}{keys}")).unwrap();
    assert_eq!(said(changed.path(), &["--linear"], lines), expected);
    assert!(expected.contains("4 rows"), "{expected}");
}

#[test]
fn the_end_of_the_input_is_the_end() {
    let folder = TempDir::new().unwrap();
    let said = transcript(folder.path(), "");
    assert!(said.starts_with("metrex, project "), "{said}");
}

#[test]
fn nothing_but_text_is_written() {
    let folder = TempDir::new().unwrap();
    let said = transcript(folder.path(), "gmv by market\n?\n.\nq\n");
    let is_text = |c: char| c == '\n' || !c.is_control();
    assert!(said.chars().all(is_text), "{said:?}");
    assert!(said.contains("Commands: "), "{said}");
    assert!(
        !said.contains("Redraw"),
        "what is only about the screen is left out"
    );
}

#[test]
fn what_cannot_be_done_says_why() {
    let folder = TempDir::new().unwrap();
    let said = transcript(folder.path(), "v\nW\n7\nq\n");
    assert!(
        said.contains("Not possible: choose a metric first"),
        "{said}"
    );
    assert!(
        said.contains("Not possible: there is no result yet"),
        "{said}"
    );
    assert!(said.contains("There is no number 7 here."), "{said}");
}

#[test]
fn a_definition_is_changed_line_by_line() {
    let folder = TempDir::new().unwrap();
    let lines = "\
gmv by market
A
/expr: amount
46=    expr: amount / nothing_like_this
Ctrl+U
46=    expr: amount * 0.5
F6
F5
.
n
46+    unit: [
-47
F7
.
F5
q
";
    insta::assert_snapshot!("linear_author", transcript(folder.path(), lines));
    let file = folder.path().join("shop/metrics/shop.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("    expr: amount * 0.5\n"), "{text}");
}

#[test]
fn a_definition_can_be_where_it_begins() {
    let folder = TempDir::new().unwrap();
    transcript(folder.path(), "q\n");
    let said = said(folder.path(), &["--linear", "edit", "aov"], ".\nq\n");
    assert!(said.contains("aov is defined at line"), "{said}");
}

#[test]
fn what_was_open_is_opened_again() {
    let folder = TempDir::new().unwrap();
    transcript(folder.path(), "gmv by market\nw n\naov by month\nq\n");
    let said = said(folder.path(), &["--linear"], "w w\nF5\nq\n");
    assert!(
        said.contains("opened again: the 2 queries of the last time"),
        "{said}"
    );
    assert!(said.contains("Tab 2 of 2."), "{said}");
    assert!(said.contains("Tab 1 of 2.\nQuery: gmv by market"), "{said}");
    assert!(said.contains("4 rows."), "{said}");
}

#[test]
fn the_editor_has_the_terminal_and_the_definitions_follow_it() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    let editor = folder.path().join("editor");
    // It asks for a line, which metrex must not take.
    let script =
        "#!/bin/sh\necho your line\nread line\nsed -i \"s/expr: amount/expr: $line/\" \"$2\"\n";
    std::fs::write(&editor, script).unwrap();
    let executable = Command::new("chmod").arg("+x").arg(&editor).status();
    assert!(executable.unwrap().success());
    let state = folder.path().join("state");
    let env = [("EDITOR", editor.to_str().unwrap()), ("TERM", "dumb")];
    let program = Path::new(env!("CARGO_BIN_EXE_metrex"));
    let command = pty::command(program, &project, &state, &env);
    let mut pty = Pty::run(60, 120, command, folder);
    pty.shows("q quits");
    pty.send("gmv by market\r");
    pty.shows("4. market VN");
    pty.send("A\r");
    pty.shows("made of gmv");
    pty.send("F4\r");
    pty.shows("your line");
    pty.send("amount * 2\r");
    pty.shows("has ended.");
    pty.shows("  46      expr: amount * 2");
    pty.send(".\rF5\r");
    pty.shows("4. market VN, gmv $123,");
    pty.send("q\r");
    assert!(pty.ends().success());
}

#[test]
fn every_action_says_something() {
    let folder = TempDir::new().unwrap();
    let entries = metrex::tui::actions().iter();
    // Those that end the session, or what is typed, have no more to say.
    let entries = entries.filter(|entry| {
        !entry.keys.is_empty()
            && entry.context.in_palette()
            && !["quit", "interrupt", "back"].contains(&entry.id)
    });
    let mut lines = String::new();
    for entry in entries.clone() {
        let key = entry.keys[0];
        // Digits choose from lists here.
        if key.chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        lines.push_str("gmv by market, month last 3 months\n2\nRight\nRight\n");
        if entry.id == "column.last" {
            lines.push_str("Left\n");
        }
        lines.push_str(&format!("{key}\nEsc\nEsc\nEsc\nEsc\n"));
    }
    // What has no key is in the list of commands.
    let unbound = metrex::tui::actions().iter();
    let unbound: Vec<_> = unbound.filter(|entry| entry.keys.is_empty()).collect();
    for entry in &unbound {
        lines.push_str("gmv by market, month last 3 months\nc\n?\n");
        lines.push_str(&format!("{}\n1\nEsc\nEsc\nEsc\nEsc\n", entry.title));
    }
    let said = transcript(folder.path(), &format!("{lines}q\n"));
    let turns: Vec<&str> = said.split("\n> ").collect();
    for entry in entries {
        let key = entry.keys[0];
        let answers = turns.iter().filter_map(|turn| turn.split_once('\n'));
        let mut answers = answers
            .filter(|(asked, _)| *asked == key)
            .map(|(_, said)| said);
        let is_said = |said: &str| {
            let said = said.trim();
            !said.is_empty()
                && said != "Nothing has changed."
                && !said.contains("needs the explorer")
        };
        let is_choice = key.chars().all(|c| c.is_ascii_digit());
        assert!(
            is_choice || answers.any(is_said),
            "{} ({key}) says nothing",
            entry.id
        );
    }
}

#[test]
fn keys_work_on_the_entries_of_lists_and_fields_are_asked_for() {
    let folder = TempDir::new().unwrap();
    let lines = "\
gmv by market
B
by_market
GMV of each market
gmv by market, month
B
by_market
monthly
by_month

V
1 Ctrl+Y
1 Ctrl+T
F5
?
calendar
1
2026-10

F5
f
market
1 Right
-1
ok
5
X
q
";
    insta::assert_snapshot!("linear_lists", transcript(folder.path(), lines));
    let file = folder.path().join("shop/metrics/bookmarks.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(
        text.contains("GMV of each market") && text.contains("monthly"),
        "{text}"
    );
    let lines = "H\n1 Delete\n1 F5\nq\n";
    let said = said(folder.path(), &["--linear"], lines);
    assert!(
        said.contains("deleted from the history: gmv by market"),
        "{said}"
    );
    assert!(said.contains("4 rows."), "{said}");
}

#[test]
fn a_lost_line_keeps_what_was_open() {
    let folder = TempDir::new().unwrap();
    let (project, state) = (folder.path().join("shop"), folder.path().join("state"));
    support::project(&project);
    let program = Path::new(env!("CARGO_BIN_EXE_metrex"));
    let command = || pty::command(program, &project, &state, &[("TERM", "dumb")]);
    let mut pty = Pty::run(24, 80, command(), folder);
    pty.shows("q quits");
    // A query that was never run is kept only at the end.
    pty.send("/visits\r1\r");
    pty.shows("Query: visits");
    pty.signal("-HUP");
    pty.ends();
    let folder = std::mem::replace(&mut pty.folder, TempDir::new().unwrap());
    let again = Pty::run(24, 80, command(), folder);
    again.shows("opened again: the query of the last time");
    again.shows("Query: visits");
}
