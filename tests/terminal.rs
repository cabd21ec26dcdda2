//! The real program in a real terminal: what it sends, what it shows, and that the terminal is given back.
#![cfg(unix)]
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

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use portable_pty::CommandBuilder;
use pty::{Pty, command, count};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_metrex");

/// The program on the shop's project.
fn start(rows: u16, cols: u16, env: &[(&str, &str)]) -> Pty {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    let command = command(
        Path::new(PROGRAM),
        &project,
        &folder.path().join("state"),
        env,
    );
    Pty::run(rows, cols, command, folder)
}

#[test]
fn three_letters_a_run_and_out_again() {
    let mut pty = start(24, 80, &[]);
    pty.shows("Commerce");
    pty.send("gmv");
    pty.shows("Cancelled orders do not count");
    pty.send("\r");
    pty.shows("SUM(");
    pty.send("\x1b[15~");
    pty.shows("rows 1–1 of 1");
    // The rows are there before the run has ended.
    pty.shows(" ms ╮");
    pty.send("q");
    assert!(pty.ends().success());
    pty.assert_given_back();
}

#[test]
fn the_terminal_is_asked_nothing_and_each_frame_is_one_update() {
    let pty = start(24, 80, &[]);
    pty.shows("Commerce");
    let bytes = pty.bytes();
    for query in [
        "\x1b[6n",
        "\x1b[c",
        "\x1b[?u",
        "\x1b[>",
        "\x1b]10;?",
        "\x1b]11;?",
        "\x1bP",
        "\x1b[?996n",
        "\x1b[18t",
    ] {
        assert_eq!(count(&bytes, query), 0, "{query:?} is a question");
    }
    let begun = count(&bytes, "\x1b[?2026h");
    assert!(begun >= 1);
    assert!(
        begun - count(&bytes, "\x1b[?2026l") <= 1,
        "every update that begins ends"
    );
}

#[test]
fn nothing_is_sent_while_nothing_happens() {
    let pty = start(40, 120, &[]);
    pty.shows("Gross merchandise value");
    pty.send("gmv\r\x1b[15~");
    pty.shows("rows 1–1 of 1");
    std::thread::sleep(Duration::from_millis(500));
    let before = pty.sent();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(pty.sent(), before);
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in ["-TERM", "-HUP", "-INT"] {
        let mut pty = start(24, 80, &[]);
        pty.shows("Commerce");
        pty.signal(signal);
        pty.ends();
        pty.assert_given_back();
    }
}

#[test]
fn a_project_that_does_not_open_leaves_the_terminal_alone() {
    let folder = TempDir::new().unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["--project", "/nowhere/at/all"]);
    let mut pty = Pty::run(24, 80, command, folder);
    assert!(!pty.ends().success());
    assert_eq!(count(&pty.bytes(), "\x1b[?1049h"), 0);
    pty.shows("/nowhere/at/all");
}

#[test]
fn a_theme_that_does_not_read_says_so_before_the_terminal_is_taken() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    std::fs::create_dir_all(project.join("themes")).unwrap();
    std::fs::write(project.join("themes/dark.yaml"), "accent: sparkling\n").unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.env("METREX_STATE_DIR", folder.path().join("state"));
    command.arg("--project");
    command.arg(&project);
    let mut pty = Pty::run(24, 80, command, folder);
    assert!(!pty.ends().success());
    assert_eq!(count(&pty.bytes(), "\x1b[?1049h"), 0);
    pty.shows("sparkling");
}

#[test]
fn a_resize_is_followed() {
    let pty = start(24, 80, &[]);
    pty.shows("Commerce");
    pty.resize(40, 120);
    pty.until("the large layout", |pty| {
        let text = pty.text();
        text.contains("Result") && text.lines().any(|line| line.chars().count() > 110)
    });
    pty.resize(10, 40);
    pty.shows("terminal too small");
}

#[test]
fn no_color_means_no_colour() {
    let pty = start(24, 80, &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    pty.shows("Commerce");
    let bytes = pty.bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let coloured = text
        .split("\x1b[")
        .filter_map(|rest| rest.split_once('m'))
        .any(|(codes, _)| {
            codes.split(';').any(|code| {
                matches!(
                    code,
                    "31" | "32" | "33" | "34" | "35" | "36" | "90" | "38" | "48"
                )
            })
        });
    assert!(!coloured, "{text:?}");
}

#[test]
fn sixteen_colours_unless_the_terminal_says_more() {
    for (env, of_256, of_24_bits) in [
        (("TERM", "xterm"), false, false),
        (("TERM", "xterm-256color"), true, false),
        (("COLORTERM", "truecolor"), false, true),
    ] {
        let pty = start(24, 80, &[env]);
        pty.shows("Commerce");
        // The 16 are written as 38;5 too, by numbers of one or two digits.
        let text = String::from_utf8_lossy(&pty.bytes()).into_owned();
        let is_of_256 = |rest: &&str| rest.chars().take_while(char::is_ascii_digit).count() == 3;
        assert_eq!(
            text.split("38;5;").skip(1).any(|rest| is_of_256(&rest)),
            of_256,
            "{env:?}"
        );
        assert_eq!(text.contains("38;2;"), of_24_bits, "{env:?}");
    }
}

#[test]
fn a_copy_is_an_osc_52_of_the_text() {
    let pty = start(24, 80, &[("SSH_CONNECTION", "1 2 3 4")]);
    pty.shows("Commerce");
    pty.send("gmv\r");
    pty.shows("SUM(");
    pty.send("yquery line\r");
    pty.shows("copied 3 bytes via OSC 52");
    assert_eq!(count(&pty.bytes(), "\x1b]52;c;Z212\x07"), 1);
}

#[test]
fn the_editor_gets_the_terminal_and_gives_it_back() {
    let folder = TempDir::new().unwrap();
    let editor = folder.path().join("editor.sh");
    std::fs::write(&editor, "#!/bin/sh\necho \"editing $1 $2\"\nread line\n").unwrap();
    Command::new("chmod")
        .arg("+x")
        .arg(&editor)
        .status()
        .unwrap();
    let mut pty = start(24, 80, &[("EDITOR", editor.to_str().unwrap())]);
    pty.shows("Commerce");
    pty.send("gmv\r");
    pty.shows("SUM(");
    pty.send("e");
    pty.shows("editing +");
    assert!(pty.text().contains("shop.yaml"));
    assert!(!pty.seen().screen.screen().alternate_screen());
    pty.send("\r");
    pty.shows("SUM(");
    pty.send("q");
    assert!(pty.ends().success());
    pty.assert_given_back();
}

#[test]
fn suspending_gives_the_terminal_to_the_shell_until_it_continues() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    let mut command = CommandBuilder::new("sh");
    // The shell stays its parent and leads the session, as a login shell does.
    let line = format!(
        "'{}' --today 2026-11-20 --project '{}' --state-dir '{}'; echo over",
        PROGRAM,
        project.display(),
        folder.path().join("state").display()
    );
    command.args(["-c", &line]);
    command.env("TERM", "xterm-256color");
    let mut pty = Pty::run(24, 80, command, folder);
    pty.shows("Commerce");
    pty.send("\x1a");
    pty.until("the main screen", |pty| {
        !pty.seen().screen.screen().alternate_screen()
    });
    let group = format!("-{}", pty.id());
    // It may be stopped a moment after the screen is given back.
    pty.until("going on", |pty| {
        assert!(
            Command::new("kill")
                .args(["-CONT", "--", &group])
                .status()
                .unwrap()
                .success()
        );
        std::thread::sleep(Duration::from_millis(50));
        pty.text().contains("Commerce") && pty.seen().screen.screen().alternate_screen()
    });
    pty.send("\x03\x03");
    pty.ends();
    pty.assert_given_back();
    assert!(pty.folder.path().exists());
}

#[test]
fn an_edit_on_disk_shows_at_once() {
    let pty = start(24, 80, &[]);
    pty.shows("Gross merchandise value");
    let file = pty.folder.path().join("shop/metrics/shop.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("Gross merchandise value", "What was sold"),
    )
    .unwrap();
    pty.shows("What was sold");
}

#[test]
fn the_users_own_configuration_shows_as_soon_as_it_is_saved() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let state = folder.path().join("state");
    let env = [("XDG_CONFIG_HOME", home.to_str().unwrap())];
    let command = command(Path::new(PROGRAM), &project, &state, &env);
    let pty = Pty::run(24, 80, command, folder);
    pty.shows("Gross merchandise value");
    pty.send("gmv\r");
    pty.shows("g group");
    // Not even its folder was there.
    std::fs::create_dir(home.join("metrex")).unwrap();
    let file = home.join("metrex/config.yaml");
    std::fs::write(&file, "keys: {group: b}\n").unwrap();
    pty.shows("configuration read again: keys");
    pty.send("b");
    pty.shows("Group by");
    pty.send("\x1b");
    pty.shows("b group");
    std::fs::write(&file, "keys: {group: F12}\n").unwrap();
    pty.shows("configuration read again: keys");
}

#[test]
fn questions_are_typed_answered_and_continued() {
    let folder = TempDir::new().unwrap();
    let project = folder.path().join("shop");
    support::project(&project);
    let arguments: [&std::ffi::OsStr; 6] = [
        "--today".as_ref(),
        "2026-11-20".as_ref(),
        "--project".as_ref(),
        project.as_os_str(),
        "--state-dir".as_ref(),
        folder.path().as_os_str(),
    ];
    let indexed = Command::new(PROGRAM)
        .args(arguments)
        .arg("reindex")
        .output()
        .unwrap();
    assert!(indexed.status.success());
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(arguments);
    command.env("TERM", "xterm-256color");
    let mut pty = Pty::run(24, 80, command, folder);
    pty.shows("Commerce");
    // F4, as terminals send it.
    pty.send("\x1bOS");
    pty.shows("plain words");
    pty.send("gmv in Thailand last month by channel");
    pty.shows("2026-10-01 to 2026-10-31");
    pty.send("\r");
    pty.shows("organic");
    pty.shows("template");
    pty.send("a");
    pty.shows("goes on from the query");
    pty.send("and for Vietnam?\r");
    pty.shows("\"and for Vietnam?\"");
    pty.shows("rows 1");
    pty.send("a");
    pty.shows("goes on from the query");
    pty.send("how are whales doing\r");
    pty.shows("! 'whales'");
    pty.send("\x03\x03");
    pty.ends();
    pty.assert_given_back();
}
