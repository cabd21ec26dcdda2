//! Measures the manners of the real program in a pseudo terminal, and prints them as Markdown: bytes, frames, waiting.
//!
//! `cargo build --release && cargo run --release --example terminal_report`; `METREX` names another program to measure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "../tests/support/pty.rs"]
mod pty;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pty::{Line, Pty, command};
use tempfile::TempDir;

/// Silence after which a key has had all its effects.
const QUIET: Duration = Duration::from_millis(120);
/// The end of a frame.
const FRAME_END: &[u8] = b"\x1b[?2026l";
/// Screens: rows and columns.
const SCREENS: [(u16, u16); 2] = [(24, 80), (50, 200)];

fn main() {
    let program = std::env::var_os("METREX").map_or_else(beside, PathBuf::from);
    println!(
        "`{}` on {}\n",
        program.file_name().unwrap().display(),
        machine()
    );
    let home = TempDir::new().unwrap();
    println!("| | 80x24 | 200x50 |\n|---|---|---|");
    let columns: Vec<Vec<(String, String)>> = SCREENS
        .iter()
        .map(|screen| screen_figures(&program, home.path(), *screen))
        .collect();
    for (one, other) in columns[0].iter().zip(&columns[1]) {
        println!("| {} | {} | {} |", one.0, one.1, other.1);
    }
    println!(
        "\n| metrics | first frame, p50 of 10 starts | key to frame, p50 | p99 | key to last frame, p50 | p99 | memory |"
    );
    println!("|---|---|---|---|---|---|---|");
    for metrics in [0, 10_000, 100_000] {
        println!("{}", size_figures(&program, home.path(), metrics));
    }
    println!("\n{}", slow_line(&program, home.path()));
}

/// The program that was built with this one.
fn beside() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().parent().unwrap().join("metrex");
    assert!(
        program.exists(),
        "there is no {}: cargo build --release",
        program.display()
    );
    program
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, name)| name);
    format!("{cores} cores of {model}")
}

/// The explorer on a project of this folder, or on the demo, ready for keys.
fn open(
    program: &Path,
    project: Option<&Path>,
    home: &Path,
    line: Line,
    screen: (u16, u16),
) -> Pty {
    let state = home
        .join(project.map_or("demo".as_ref(), |project| project.file_name().unwrap()))
        .join("state");
    let empty = home.join("nothing");
    std::fs::create_dir_all(&empty).unwrap();
    let mut command = match project {
        Some(project) => command(program, project, &state, &[]),
        None => command(program, &empty, &state, &[]),
    };
    if project.is_none() {
        // Without a project around it, the program explores its demo.
        command
            .get_argv_mut()
            .retain(|word| word != "--project" && word != empty.as_os_str());
        command.cwd(&empty);
    }
    command.env("COLORTERM", "truecolor");
    let pty = Pty::run_over(line, screen.0, screen.1, command, TempDir::new().unwrap());
    pty.until("the catalog", |pty| {
        let text = pty.text();
        text.contains("Catalog") && !text.contains("Making the demo")
    });
    pty.settles(QUIET);
    pty
}

/// What a key costs: bytes, and how long its first and its last frame took.
struct Key {
    bytes: usize,
    first: Duration,
    last: Duration,
}

fn press(pty: &Pty, key: &str) -> Key {
    let (before, start) = (pty.sent(), Instant::now());
    pty.send(key);
    let mut first = None;
    loop {
        pty.wait(Duration::from_millis(5));
        let seen = pty.seen();
        let is_drawn = seen.bytes[before..]
            .windows(FRAME_END.len())
            .any(|window| window == FRAME_END);
        if is_drawn && first.is_none() {
            first = Some(seen.at - start);
        }
        if seen.at.elapsed() > QUIET && start.elapsed() > QUIET {
            let nothing = Duration::ZERO;
            return Key {
                bytes: seen.bytes.len() - before,
                first: first.unwrap_or(nothing),
                last: if first.is_some() {
                    seen.at - start
                } else {
                    nothing
                },
            };
        }
    }
}

fn part<T: Ord + Copy>(values: &mut [T], percent: usize) -> T {
    values.sort_unstable();
    values[(values.len() * percent / 100).min(values.len() - 1)]
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Bytes of each key: half of them and all of them stay below these.
fn bytes(pty: &Pty, keys: &[&str]) -> String {
    let mut bytes: Vec<usize> = keys.iter().map(|key| press(pty, key).bytes).collect();
    format!("{} (most {})", part(&mut bytes, 50), part(&mut bytes, 100))
}

const SEARCH: [&str; 24] = [
    "g", "m", "v", "\x7f", "\x7f", "\x7f", "c", "o", "n", "v", "e", "r", "\x7f", "\x7f", "\x7f",
    "\x7f", "\x7f", "\x7f", "o", "r", "d", "e", "r", "s",
];

fn screen_figures(program: &Path, home: &Path, screen: (u16, u16)) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    let mut say = |what: &str, figure: String| figures.push((what.to_owned(), figure));
    let pty = open(program, None, home, Line::default(), screen);
    say("bytes of the first frames", pty.sent().to_string());
    say("bytes per key of a search", bytes(&pty, &SEARCH));
    press(&pty, "\x15");
    say(
        "bytes per step in the catalog",
        bytes(&pty, &["\x1b[B"; 20]),
    );
    // F2, and an empty line.
    pty.send("\x1bOQ");
    pty.send("\x15");
    pty.send("gmv, orders, aov by market, week last 90 days\r");
    pty.shows("rows 1–");
    pty.settles(QUIET);
    say(
        "bytes per step down in the rows",
        bytes(&pty, &["\x1b[B"; 40]),
    );
    say(
        "bytes per step right in the rows",
        bytes(&pty, &["\x1b[C", "\x1b[C", "\x1b[D", "\x1b[D"]),
    );
    say("bytes per page of rows", bytes(&pty, &["\x1b[6~"; 4]));
    press(&pty, "3");
    say(
        "bytes per run, from F5 to the last row",
        press(&pty, "\x1b[17~").bytes.to_string(),
    );
    // Threads that have nothing to do end after ten seconds, and take their count along.
    std::thread::sleep(Duration::from_secs(12));
    let (before, woken) = (pty.sent(), switches(pty.id()));
    std::thread::sleep(Duration::from_secs(10));
    say(
        "bytes in 10 idle seconds",
        (pty.sent() - before).to_string(),
    );
    say(
        "wake-ups of all threads in 10 idle seconds",
        switches(pty.id()).saturating_sub(woken).to_string(),
    );
    let (frames, before, start) = (pty.frames(), pty.sent(), Instant::now());
    // Down, and up again.
    for key in [["\x1b[B"; 75], ["\x1b[A"; 75]].concat() {
        pty.send(key);
        std::thread::sleep(Duration::from_millis(33));
    }
    let held = start.elapsed().as_secs_f64();
    pty.settles(QUIET);
    let (frames, bytes) = (pty.frames() - frames, pty.sent() - before);
    say(
        "a key held for 5 s (30 a second)",
        format!("{frames} frames, {:.0} bytes a second", bytes as f64 / held),
    );
    figures
}

fn switches(id: u32) -> u64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else {
        return 0;
    };
    let of = |task: std::fs::DirEntry| {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let lines = status
            .lines()
            .filter_map(|line| line.split_once("ctxt_switches:"));
        lines
            .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
            .sum::<u64>()
    };
    tasks.flatten().map(of).sum()
}

/// Resident memory.
fn memory(id: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().split(' ').next()?.parse().ok())
        .unwrap_or(0);
    format!("{} MB", kilobytes / 1024)
}

const NOUNS: [&str; 20] = [
    "revenue",
    "orders",
    "refunds",
    "visits",
    "signups",
    "shipments",
    "returns",
    "invoices",
    "leads",
    "tickets",
    "sessions",
    "clicks",
    "coupons",
    "margins",
    "vouchers",
    "payments",
    "sellers",
    "buyers",
    "carts",
    "disputes",
];
const KINDS: [&str; 12] = [
    "gross",
    "net",
    "new",
    "repeat",
    "average",
    "median",
    "failed",
    "pending",
    "certified",
    "monthly",
    "weekly",
    "daily",
];
const PLACES: [&str; 10] = [
    "web", "app", "store", "partner", "europe", "asia", "ads", "email", "search", "social",
];

/// A project with so many metrics, whose names are words.
fn project(folder: &Path, metrics: usize) {
    std::fs::create_dir_all(folder.join("metrics")).unwrap();
    std::fs::write(
        folder.join("metrex.yaml"),
        "connections: {none: {type: sqlite, path: none.db}}\n",
    )
    .unwrap();
    let datasets = "datasets:\n  facts: {table: facts, key: id, time: created_at, dimensions: {market: {}, channel: {}, created_at: {type: time}}}\n";
    std::fs::write(folder.join("metrics/facts.yaml"), datasets).unwrap();
    for shelf in 0..metrics.div_ceil(500) {
        let mut text = String::from("metrics:\n");
        for at in shelf * 500..metrics.min(shelf * 500 + 500) {
            let (kind, noun, place) = (KINDS[at % 12], NOUNS[at / 12 % 20], PLACES[at / 240 % 10]);
            writeln!(
                text,
                "  {kind}_{noun}_{place}_{at}:\n    label: {kind} {noun} by {place} {at}\n    category: {noun} {}\n    \
                 description: The {kind} {noun} that came by {place}, of cohort {at}.\n    owner: Team {}\n    \
                 base_table: facts\n    agg: sum\n    expr: amount",
                at / 2400,
                at % 7,
            )
            .unwrap();
        }
        std::fs::write(folder.join(format!("metrics/shelf_{shelf:03}.yaml")), text).unwrap();
    }
}

const WORDS: [&str; 8] = [
    "gross revenue",
    "conv",
    "refunds asia",
    "median",
    "repeat orders ads",
    "tickets",
    "net margins app",
    "signups",
];

fn size_figures(program: &Path, home: &Path, metrics: usize) -> String {
    let folder = home.join(format!("of_{metrics}"));
    let place = (metrics > 0).then(|| {
        project(&folder, metrics);
        folder.as_path()
    });
    // The first start reads every file; the later ones what it has kept.
    drop(open(program, place, home, Line::default(), SCREENS[0]));
    let mut starts: Vec<Duration> = (0..10)
        .map(|_| {
            let start = Instant::now();
            let pty = open(program, place, home, Line::default(), SCREENS[0]);
            first_frame(&pty, start)
        })
        .collect();
    let pty = open(program, place, home, Line::default(), SCREENS[0]);
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for words in WORDS.iter().cycle().take(16) {
        for letter in words.chars() {
            let key = press(&pty, &letter.to_string());
            first.push(key.first);
            last.push(key.last);
        }
        press(&pty, "\x15");
    }
    let name = if metrics == 0 {
        "the demo's".to_owned()
    } else {
        metrics.to_string()
    };
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} |",
        ms(part(&mut starts, 50)),
        ms(part(&mut first, 50)),
        ms(part(&mut first, 99)),
        ms(part(&mut last, 50)),
        ms(part(&mut last, 99)),
        memory(pty.id()),
    )
}

/// When the first frame was there.
fn first_frame(pty: &Pty, start: Instant) -> Duration {
    pty.seen().frame.map_or(Duration::ZERO, |at| at - start)
}

/// Type-ahead over 64 kbit/s with 200 ms there and back.
fn slow_line(program: &Path, home: &Path) -> String {
    let pty = open(program, None, home, Line::SLOW, SCREENS[0]);
    let (frames, before, start) = (pty.frames(), pty.sent(), Instant::now());
    let text = "gmv by market, week where channel in (ads, organic) last 90 days";
    // F2, and an empty line.
    pty.send("\x1bOQ");
    pty.send("\x15");
    for letter in text.chars() {
        pty.send(&letter.to_string());
        std::thread::sleep(Duration::from_millis(30));
    }
    pty.send("\r");
    let typed = start.elapsed();
    pty.shows("rows 1–");
    let shown = start.elapsed().saturating_sub(typed);
    format!(
        "64 kbit/s, 200 ms there and back, at 80x24: {} keys in {}, then Enter: the rows {} later; {} frames, {} bytes.",
        text.len(),
        ms(typed),
        ms(shown),
        pty.frames() - frames,
        pty.sent() - before,
    )
}
