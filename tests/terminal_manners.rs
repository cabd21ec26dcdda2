//! Manners of the real program in a real terminal: slow lines, held keys, long pastes, odd sizes, clipboards, production.
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

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pty::{Line, Pty, command, count};
use tempfile::TempDir;

/// Metrics over rows that are made while they are read: some more than the connection's cap, and without an end.
const ROWS: &str = "
datasets:
  many:
    sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i FROM n
    dimensions: {i: {type: number}}
  endless:
    sql: WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000) SELECT i FROM n
    dimensions: {i: {type: number}}
metrics:
  lines: {label: Many rows, category: Load, base_table: many, agg: count}
  endless: {label: Rows without an end, category: Load, base_table: endless, agg: count}
";

/// A place for the program: a project, with more in its `metrex.yaml`, and the terminal's environment.
struct Place {
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Place {
    fn new(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let project = folder.path().join("shop");
        support::project(&project);
        let file = project.join("metrex.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}\n{config}\n")).unwrap();
        std::fs::write(project.join("metrics/load.yaml"), ROWS).unwrap();
        Self {
            folder,
            env: vec![],
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// A program of this name that comes before all others.
    fn program(self, name: &str, script: &str) -> Self {
        let bin = self.folder.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        self.with("PATH", &path)
    }

    fn open(self, line: Line, rows: u16, cols: u16) -> Pty {
        let env: Vec<(&str, &str)> = self
            .env
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let program = Path::new(env!("CARGO_BIN_EXE_metrex"));
        let (project, state) = (
            self.folder.path().join("shop"),
            self.folder.path().join("state"),
        );
        let command = command(program, &project, &state, &env);
        let pty = Pty::run_over(line, rows, cols, command, self.folder);
        pty.shows("Commerce");
        pty
    }
}

fn open(rows: u16, cols: u16) -> Pty {
    Place::new("").open(Line::default(), rows, cols)
}

/// A number that the kernel keeps about a process, in all its threads.
#[cfg(target_os = "linux")]
fn wakeups(id: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let of = |task: std::io::Result<std::fs::DirEntry>| {
        let status =
            std::fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        let lines = status
            .lines()
            .filter_map(|line| line.split_once("ctxt_switches:"));
        lines
            .map(|(_, count)| count.trim().parse::<u64>().unwrap())
            .sum::<u64>()
    };
    tasks.map(of).sum()
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_explorer_sleeps() {
    let pty = open(24, 80);
    pty.send("gmv\r\x1b[15~");
    pty.shows("rows 1–1 of 1");
    pty.settles(Duration::from_secs(2));
    let (bytes, before) = (pty.sent(), wakeups(pty.id()));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(pty.sent() - bytes, 0, "bytes");
    assert_eq!(wakeups(pty.id()) - before, 0, "wake-ups");
}

/// What a key sends until nothing more comes.
fn cost(pty: &Pty, key: &str) -> usize {
    let before = pty.sent();
    pty.send(key);
    std::thread::sleep(Duration::from_millis(100));
    pty.settles(Duration::from_millis(150));
    pty.sent() - before
}

#[test]
fn a_key_costs_a_slow_line_little() {
    let pty = Place::new("")
        .with("COLORTERM", "truecolor")
        .open(Line::default(), 24, 80);
    pty.settles(Duration::from_millis(300));
    let costs = |keys: &[&str]| {
        let mut costs: Vec<usize> = keys.iter().map(|key| cost(&pty, key)).collect();
        costs.sort_unstable();
        (costs[costs.len() / 2], costs[costs.len() - 1])
    };
    let within = |what: &str, keys: &[&str], (half, all): (usize, usize)| {
        let (median, most) = costs(keys);
        assert!(
            median <= half && most <= all,
            "{what}: median {median}, most {most} bytes"
        );
    };
    let typed = ["o", "r", "d", "\x7f", "\x7f", "\x7f", "v", "i", "\x15"];
    within("a search", &typed, (800, 1_400));
    within("steps in the catalog", &["\x1b[A"; 3], (800, 1_000));
    pty.send("\x1bOQ\x15gmv, orders, aov by market, week last 90 days\r");
    pty.shows("rows 1–");
    pty.settles(Duration::from_millis(300));
    within("steps down in the rows", &["\x1b[B"; 20], (250, 350));
    within(
        "steps aside in the rows",
        &["\x1b[C", "\x1b[D", "\x1b[C"],
        (200, 250),
    );
    let first = "\x1b[1~";
    assert!(cost(&pty, first) > 0);
    assert_eq!(cost(&pty, first), 0, "a key that changes nothing");
}

#[test]
fn what_is_typed_ahead_on_a_slow_line_is_all_done() {
    let mut pty = Place::new("")
        .with("SSH_CONNECTION", "1 2 3 4")
        .open(Line::SLOW, 24, 80);
    // Typed before anything of it can be seen.
    pty.send("gmv\r\x1b[15~");
    pty.shows("rows 1–1 of 1");
    let frames = pty.frames();
    pty.send("3i");
    let text = " by market where channel in (ads, organic) last 90 days";
    for letter in text.chars() {
        pty.send(&letter.to_string());
        std::thread::sleep(Duration::from_millis(15));
    }
    pty.shows("last 90 days");
    pty.send("\r");
    pty.shows("rows 1–");
    let drawn = pty.frames() - frames;
    assert!(
        drawn < text.len(),
        "{drawn} frames for {} letters: none is skipped",
        text.len()
    );
    pty.send("q");
    assert!(pty.ends().success());
    pty.assert_given_back();
}

#[test]
fn a_run_is_cancelled_over_a_slow_line_that_is_full() {
    let pty = Place::new("").open(Line::SLOW, 50, 200);
    pty.send("endless\r\x1b[15~");
    pty.shows("running");
    let start = Instant::now();
    // Enough to keep the line busy for a while.
    for _ in 0..5 {
        pty.send("\x0c");
    }
    pty.send("\x1b");
    pty.shows("the warehouse has stopped");
    assert!(
        start.elapsed() < Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_terminal_that_hardly_reads_does_not_keep_the_program() {
    // The line takes seconds for a frame.
    let line = Line {
        bytes_per_second: Some(2_000),
        ..Line::default()
    };
    let mut pty = Place::new("").open(line, 24, 80);
    for _ in 0..20 {
        pty.send("\x0c");
        std::thread::sleep(Duration::from_millis(40));
    }
    let start = Instant::now();
    pty.signal("-TERM");
    let ended = loop {
        if let Some(status) = pty.has_ended() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(8), "it still runs");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success());
}

#[test]
fn a_key_that_is_held_down_ends_when_it_is_let_go() {
    let pty = open(24, 80);
    pty.send("lines\r");
    pty.shows("COUNT(");
    pty.send("2");
    pty.settles(Duration::from_millis(300));
    let (frames, start) = (pty.frames(), Instant::now());
    for _ in 0..300 {
        pty.send(&"\x1b[B".repeat(10));
        std::thread::sleep(Duration::from_millis(2));
    }
    let held = start.elapsed();
    pty.send("\x1b[1~1");
    pty.settles(Duration::from_millis(400));
    assert!(
        start.elapsed() < held + Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let drawn = pty.frames() - frames;
    assert!(drawn < 600, "{drawn} frames for 3000 keys");
    pty.send("q");
}

#[test]
fn a_paste_of_100_kilobytes_is_taken_in() {
    let mut pty = open(24, 80);
    let words = "gmv by market where nobody knows what comes next ".repeat(2_100);
    let start = Instant::now();
    escape(&pty);
    pty.send(&format!("\x1b[200~{words}\x1b[201~"));
    pty.shows("comes next");
    pty.settles(Duration::from_millis(400));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    escape(&pty);
    escape(&pty);
    pty.send("1/gmv");
    pty.shows("Cancelled orders do not count");
    escape(&pty);
    escape(&pty);
    pty.send("q");
    assert!(pty.ends().success());
    pty.assert_given_back();
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    let mut pty = open(24, 80);
    for step in 0..200_u16 {
        pty.resize(1 + step * 7 % 60, 1 + step * 13 % 220);
        std::thread::sleep(Duration::from_millis(2));
    }
    pty.resize(1, 1);
    pty.settles(Duration::from_millis(200));
    pty.resize(24, 80);
    pty.shows("Commerce");
    pty.send("gmv");
    pty.shows("Cancelled orders do not count");
    escape(&pty);
    escape(&pty);
    pty.send("q");
    assert!(pty.ends().success());
    pty.assert_given_back();
}

#[test]
fn a_terminal_of_one_cell_can_be_left() {
    let folder = Place::new("").folder;
    let program = Path::new(env!("CARGO_BIN_EXE_metrex"));
    let command = command(
        program,
        &folder.path().join("shop"),
        &folder.path().join("state"),
        &[],
    );
    let mut pty = Pty::run(1, 1, command, folder);
    pty.until("a frame", |pty| pty.frames() > 0);
    pty.send("x\r\x1b[15~");
    pty.send("\x03\x03\x03");
    assert!(pty.ends().success());
}

#[test]
fn rows_past_the_cap_are_not_kept_and_the_explorer_answers_meanwhile() {
    let place = Place::new("");
    let file = place.folder.path().join("shop/metrex.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("path: shop.db", "path: shop.db, row_cap: 5000"),
    )
    .unwrap();
    let pty = place.open(Line::default(), 24, 80);
    escape(&pty);
    pty.send("ilines by i\r");
    pty.shows("5,000");
    pty.send("5\x1b[4~");
    pty.shows("of 5,000");
    pty.send("1");
    pty.shows("Load");
}

#[test]
fn the_background_is_asked_for_where_the_project_says_so() {
    for (answer, theme) in [("ffff/ffff/ffff", "light"), ("0000/0000/0000", "dark")] {
        let pty = Place::new("theme: auto")
            .with("COLORTERM", "truecolor")
            .open(Line::default(), 24, 80);
        pty.until("the question", |pty| {
            count(&pty.bytes(), "\x1b]11;?\x07") == 1
        });
        let bytes = pty.bytes();
        let at = |sequence: &str| {
            bytes
                .windows(sequence.len())
                .position(|window| window == sequence.as_bytes())
        };
        assert!(
            at("\x1b[?2026l") < at("\x1b]11;?"),
            "the first frame waits for no answer"
        );
        pty.send(&format!("\x1b]11;rgb:{answer}\x07gm"));
        pty.shows("/ gm");
        pty.send("\tT");
        pty.until("the theme in force", |pty| {
            pty.text()
                .lines()
                .any(|line| line.contains(&format!("{theme} ")) && line.contains("in use"))
        });
    }
    let pty = Place::new("theme: auto")
        .with("COLORFGBG", "0;15")
        .open(Line::default(), 24, 80);
    pty.settles(Duration::from_millis(200));
    assert_eq!(
        count(&pty.bytes(), "\x1b]11;?"),
        0,
        "the environment has said it"
    );
}

/// Esc by itself; with a key right behind it, it would be Alt and that key.
fn escape(pty: &Pty) {
    pty.send("\x1b");
    std::thread::sleep(Duration::from_millis(100));
}

/// Copies the query line `gmv`.
fn copy(pty: &Pty) {
    pty.send("gmv\r");
    pty.shows("SUM(");
    pty.send("yquery line\r");
}

#[test]
fn on_a_desktop_a_copy_goes_to_its_clipboard() {
    let place = Place::new("").with("WAYLAND_DISPLAY", "wayland-0");
    let file = place.folder.path().join("copied");
    let script = format!("cat > '{}'", file.display());
    let pty = place
        .program("wl-copy", &script)
        .open(Line::default(), 24, 80);
    copy(&pty);
    pty.shows("copied 3 bytes with wl-copy");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "gmv");
    assert_eq!(count(&pty.bytes(), "\x1b]52;"), 0);
}

#[test]
fn a_desktop_that_hangs_leaves_the_copy_to_the_terminal() {
    let place = Place::new("").with("WAYLAND_DISPLAY", "wayland-0");
    let pty = place
        .program("wl-copy", "exec sleep 60")
        .open(Line::default(), 24, 80);
    copy(&pty);
    // Nothing waits for it.
    pty.send("1");
    pty.shows("Commerce");
    pty.shows("wl-copy took longer than 2 s; copied 3 bytes via OSC 52");
    assert_eq!(count(&pty.bytes(), "\x1b]52;c;Z212\x07"), 1);
}

#[test]
fn a_copy_goes_only_where_the_project_allows() {
    for (config, said) in [
        ("clipboard: off", "metrex.yaml says `clipboard: off`"),
        (
            "clipboard: tools",
            "`clipboard: tools` without WAYLAND_DISPLAY and DISPLAY",
        ),
    ] {
        let pty = Place::new(config).open(Line::default(), 24, 80);
        copy(&pty);
        pty.shows(said);
        assert_eq!(count(&pty.bytes(), "\x1b]52;"), 0, "{config}");
    }
    let place = Place::new("clipboard: tools")
        .with("DISPLAY", ":0")
        .program("xclip", "exit 3");
    let pty = place
        .program("xsel", "exit 4")
        .open(Line::default(), 24, 120);
    copy(&pty);
    pty.shows("not copied: xclip ended with exit status: 3, xsel ended with exit status: 4");
}

#[test]
fn production_is_named_in_a_colour_of_its_own() {
    let place = Place::new("").with("COLORTERM", "truecolor");
    let file = place.folder.path().join("shop/metrex.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("path: archive.db", "path: archive.db, production: true"),
    )
    .unwrap();
    let pty = place.open(Line::default(), 24, 80);
    assert!(!pty.text().contains("production"));
    escape(&pty);
    pty.send("Carchive");
    pty.shows("sqlite · read-only file");
    pty.send("\r");
    pty.shows("connected to archive, production, read-only file");
    pty.shows("production: archive");
    assert!(count(&pty.bytes(), "48;2;179;38;30") > 0, "white on red");
}
