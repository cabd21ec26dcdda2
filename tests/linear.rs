//! The explorer line by line: a whole session through a pipe, as it is read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What the program says to these lines, on the day of the other tests.
fn transcript(folder: &Path, lines: &str) -> String {
    let shop = folder.join("shop");
    support::project(&shop);
    let metrex = |what: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
        command.args([what, "--today", "2026-11-20", "--project"]);
        command
            .arg(&shop)
            .arg("--state-dir")
            .arg(folder.join("state"));
        command
    };
    assert!(metrex("reindex").output().unwrap().status.success());
    let mut child = metrex("--linear")
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
q
";
    insta::assert_snapshot!("linear_session", transcript(folder.path(), lines));
    let file = std::fs::read_to_string(folder.path().join("orders.md")).unwrap();
    assert!(file.contains("| market |"), "{file}");
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
