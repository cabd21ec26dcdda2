//! What was shown is recorded, however the program ends; and what is in the way of recording is in nobody else's way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use metrex::model::MetricQuery;
use metrex::session::{OpenOptions, RunEvent, RunOptions, Session};
use metrex::usage::{Face, Logged, Outcome, QueryRecord, Usage};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Longer than a transaction waits for another process, and shorter than the end of the program does.
const BUSY: Duration = Duration::from_millis(1_500);

fn command(shop: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(shop)
        .env("METREX_STATE_DIR", shop.join(".state"))
        .env("METREX_TODAY", project::TODAY)
        .env("USER", "ada")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .args(arguments);
    command
}

fn run(shop: &Path, arguments: &[&str]) -> Output {
    command(shop, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn start(shop: &Path, arguments: &[&str], input: &str) -> Child {
    let mut child = command(shop, arguments).spawn().unwrap();
    // All of it at once, and then there is nobody any more.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    child
}

fn explore(shop: &Path, lines: &str) -> Output {
    start(shop, &["--linear"], lines)
        .wait_with_output()
        .unwrap()
}

fn open(shop: &Path) -> Session {
    Session::open(OpenOptions {
        project: Some(shop.to_owned()),
        state_dir: Some(shop.join(".state")),
        today: Some(project::TODAY.parse().unwrap()),
        user: Some("ada".to_owned()),
        ..OpenOptions::default()
    })
    .unwrap()
}

fn file(shop: &Path) -> PathBuf {
    open(shop).state().usage()
}

fn log(shop: &Path) -> Vec<Logged> {
    let usage = Usage::open(&file(shop)).unwrap();
    let mut all = Vec::new();
    let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    usage.logged(first, last, &mut |one| all.push(one)).unwrap();
    all
}

fn lines(shop: &Path) -> Vec<String> {
    log(shop).into_iter().map(|one| one.record.line).collect()
}

/// Another program that writes into the history.
struct Other(rusqlite::Connection);

impl Other {
    fn begin(shop: &Path) -> Self {
        drop(Usage::open(&file(shop)).unwrap());
        let other = rusqlite::Connection::open(file(shop)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(other)
    }

    fn end(self) {
        self.0.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn what_was_shown_is_recorded_also_where_the_history_is_in_use_at_the_end() {
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "query_metric", "arguments": {"metric_name": "orders"}}});
    let faces: [(&[&str], &str, &str, Face); 3] = [
        (&["query", "gmv"], "", "gmv by none all time", Face::Command),
        (
            &["--linear"],
            "aov by market\nq\n",
            "aov by market all time",
            Face::Explorer,
        ),
        (
            &["mcp"],
            &format!("{hello}\n{ready}\n{call}\n"),
            "orders by none all time",
            Face::Agent,
        ),
    ];
    for (arguments, input, line, face) in faces {
        let shop = project::shop();
        let shop = shop.path();
        let other = Other::begin(shop);
        let child = start(shop, arguments, input);
        std::thread::sleep(BUSY);
        other.end();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let log = log(shop);
        let kept: Vec<_> = log.iter().map(|one| one.record.line.as_str()).collect();
        assert_eq!(kept, [line], "{}", said(&output));
        assert_eq!(log[0].record.face, face);
    }
}

#[test]
fn what_is_lost_to_another_program_that_does_not_end_is_said() {
    let shop = project::shop();
    let shop = shop.path();
    let other = Other::begin(shop);
    let output = run(shop, &["query", "gmv by market"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("TH"));
    let said = said(&output);
    assert!(
        said.contains("not in the history: 1 query") && said.contains("locked"),
        "{said}"
    );
    other.end();
    assert!(log(shop).is_empty());
}

#[test]
fn whoever_quits_at_once_is_recorded_each_time() {
    let shop = project::shop();
    let shop = shop.path();
    let asked = [
        "gmv",
        "aov by market",
        "orders by segment",
        "gmv by channel",
    ];
    for line in asked.iter().cycle().take(16) {
        assert!(explore(shop, &format!("{line}\nq\n")).status.success());
    }
    assert_eq!(log(shop).len(), 16);
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_any_more_is_recorded_as_cancelled() {
    let shop = project::shop();
    let session = open(shop.path());
    let query = MetricQuery {
        total: true,
        ..("gmv by market".parse().unwrap())
    };
    // Rows and total do not both find room, so that it cannot end.
    let (sender, mut events) = mpsc::channel(1);
    let token = CancellationToken::new();
    let mut running = Box::pin(session.run(&query, RunOptions::default(), token, sender));
    let mut has_started = false;
    while !has_started || events.is_empty() {
        tokio::select! {
            event = events.recv(), if !has_started => has_started = event.is_some(),
            () = tokio::time::sleep(Duration::from_millis(1)) => {}
            _ = &mut running => panic!("it ended before all was taken"),
        }
    }
    drop(running);
    drop(session);
    let log = log(shop.path());
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].record.facts.metrics, ["gmv"]);
    assert_eq!(log[0].record.outcome, Outcome::Cancelled);
    assert_eq!(log[0].record.choice, None);
}

#[tokio::test]
async fn at_the_end_of_the_program_what_is_still_under_way_is_recorded_once() {
    let shop = project::shop();
    let session = open(shop.path());
    let (sender, mut events) = mpsc::channel(1);
    let runs = session.clone();
    let run = tokio::spawn(async move {
        let query = "gmv by market".parse().unwrap();
        let token = CancellationToken::new();
        runs.run(&query, RunOptions::default(), token, sender).await
    });
    while !matches!(events.recv().await, Some(RunEvent::Batch(_))) {}
    assert_eq!(session.settle(), None);
    while events.recv().await.is_some() {}
    run.await.unwrap().unwrap();
    drop(session);
    assert_eq!(log(shop.path()).len(), 1);
}

/// What is said of something in the way of the history, and what puts it there.
type Way = (&'static str, fn(&Path));

fn ways_to_break() -> [Way; 3] {
    [
        ("is damaged", |file| {
            fs::write(
                file,
                "this is no database, and long enough to be none for sure",
            )
            .unwrap();
        }),
        ("was written by a newer metrex", |file| {
            let newer = rusqlite::Connection::open(file).unwrap();
            newer.pragma_update(None, "user_version", 999).unwrap();
        }),
        ("cannot use", |file| fs::create_dir(file).unwrap()),
    ]
}

#[test]
fn a_history_that_cannot_be_used_is_said_once_and_queries_go_on() {
    for (why, break_it) in ways_to_break() {
        let shop = project::shop();
        let shop = shop.path();
        let file = file(shop);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        break_it(&file);
        let before = fs::read(&file).ok();

        let output = run(shop, &["query", "gmv by market"]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("TH"));
        let said = said(&output);
        assert_eq!(said.matches(why).count(), 1, "{said}");

        let output = explore(shop, "gmv by market\naov by market\norders by channel\nq\n");
        assert!(output.status.success());
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(told.matches(why).count(), 1, "{told}");
        assert!(told.contains("organic"), "{told}");

        let refused = run(shop, &["usage"]);
        assert!(!refused.status.success());
        // It holds what cannot be made again.
        assert!(fs::read(&file).ok() == before, "{why}: it was changed");
    }
}

/// The shell's limit is the size that no file may grow beyond, which is what a full disk is to this program.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_once_and_what_was_recorded_before_is_kept() {
    let shop = project::shop();
    let shop = shop.path();
    // The definitions are read once before there is no room to keep what was read.
    assert!(run(shop, &["query", "gmv"]).status.success());
    let program = env!("CARGO_BIN_EXE_metrex");
    let limited = |arguments: &str, input: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 100; exec {program} {arguments}");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .current_dir(shop)
            .env("METREX_STATE_DIR", shop.join(".state"))
            .env("METREX_TODAY", project::TODAY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    let output = limited("query 'gmv by market'", "");
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("TH"));
    let told = said(&output);
    assert_eq!(told.matches("not in the history").count(), 1, "{told}");
    let output = limited(
        "--linear",
        "gmv by market\naov by market\norders by channel\nq\n",
    );
    assert!(output.status.success(), "{}", said(&output));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("organic"), "{told}");
    let at_the_end = said(&output);
    assert!(
        at_the_end.contains("not in the history: 3 queries"),
        "{at_the_end}"
    );
    assert_eq!(lines(shop), ["gmv by none all time"]);
}

#[test]
fn what_waits_for_another_program_is_written_when_that_has_ended() {
    let shop = project::shop();
    let shop = shop.path();
    let other = Other::begin(shop);
    let usage = Usage::open(&file(shop)).unwrap();
    for line in ["gmv", "aov", "orders"] {
        usage.record(QueryRecord {
            line: line.to_owned(),
            ..QueryRecord::default()
        });
    }
    std::thread::sleep(BUSY);
    assert!(usage.trouble().unwrap().contains("locked"));
    // That is nothing to speak of.
    assert_eq!(usage.failure(), None);
    other.end();
    assert!(usage.flush());
    assert_eq!(usage.trouble(), None);
    assert_eq!(lines(shop), ["gmv", "aov", "orders"]);
}

#[test]
fn feedback_that_cannot_be_kept_is_an_error() {
    let shop = project::shop();
    let shop = shop.path();
    assert!(run(shop, &["query", "gmv"]).status.success());
    let file = rusqlite::Connection::open(file(shop)).unwrap();
    file.execute_batch(
        "CREATE TRIGGER full BEFORE UPDATE ON queries BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .unwrap();
    let output = run(shop, &["usage", "feedback", "1", "down", "late"]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(
        said.contains("not kept") && said.contains("no room"),
        "{said}"
    );
}

#[test]
fn whoever_only_reads_does_not_wait_for_another_program() {
    let shop = project::shop();
    let shop = shop.path();
    assert!(run(shop, &["query", "gmv"]).status.success());
    let other = Other::begin(shop);
    // They come to their end while the other one goes on.
    for arguments in [
        &["search", "gmv"][..],
        &["usage"],
        &["policy"],
        &["sql", "gmv"],
    ] {
        let output = run(shop, arguments);
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("history"), "{}", said(&output));
    }
    other.end();
}

fn ask_agent(shop: &Path, calls: &[Value]) {
    let mut input = vec![
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
    ];
    for (at, call) in calls.iter().enumerate() {
        input.push(json!({"jsonrpc": "2.0", "id": at + 1, "method": "tools/call", "params": call}));
    }
    let input: Vec<String> = input.iter().map(ToString::to_string).collect();
    let output = start(shop, &["mcp"], &(input.join("\n") + "\n"))
        .wait_with_output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn what_is_refused_is_recorded_with_its_kind_and_is_no_use() {
    let shop = project::shop();
    let shop = shop.path();
    let definitions = shop.join("metrics/shop.yaml");
    let open = fs::read_to_string(&definitions).unwrap();
    fs::write(&definitions, open.replace("{pii: true}", "{}")).unwrap();
    assert!(run(shop, &["query", "gmv by market"]).status.success());
    for refused in [
        run(shop, &["ask", "--run", "gmv by flavour of the month"]),
        run(shop, &["query", "gmv by flavour"]),
    ] {
        assert!(!refused.status.success());
    }
    explore(shop, "orders per planet\nq\n");
    let call = json!({"name": "query_metric", "arguments": {"metric_name": "gmv", "group_by": ["flavour"]}});
    ask_agent(shop, &[call]);
    let log = log(shop);
    let refused: Vec<_> = log
        .iter()
        .filter(|one| one.record.outcome.is_refused())
        .map(|one| {
            let record = &one.record;
            (
                record.face,
                record.question.as_deref().unwrap_or_default(),
                record.line.as_str(),
                record.error_kind.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (
                Face::Command,
                "gmv by flavour of the month",
                "",
                "unknown_words"
            ),
            (Face::Command, "", "gmv by flavour", "unknown_dimension"),
            (Face::Explorer, "orders per planet", "", "unknown_words"),
            (Face::Agent, "", "gmv by flavour", "unknown_dimension"),
        ]
    );
    let first = &log[1].record;
    assert_eq!(first.facts.metrics, ["gmv"]);
    assert!(matches!(&first.outcome, Outcome::Refused(why) if why.contains("flavour")));
    // Nobody used gmv by asking for it in vain.
    let session = self::open(shop);
    assert_eq!(session.usage()["gmv"], 1);
    let figures = session.usage_figures().unwrap();
    assert_eq!(figures.queries, 1);
    assert_eq!(
        figures.refused,
        [
            ("unknown_dimension".to_owned(), 2),
            ("unknown_words".to_owned(), 2)
        ]
    );
    assert_eq!(session.history(9).len(), 1);
    assert_eq!(session.graph_overview().unwrap().size.queries, 1);
    let shown = run(shop, &["usage"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("refused     unknown_dimension 2, unknown_words 2"),
        "{shown}"
    );
}

#[test]
fn of_what_is_refused_nothing_is_kept_that_could_be_personal() {
    let shop = project::shop();
    let shop = shop.path();
    for arguments in [
        ["query", "gmv where emial = 'zora@example.com'"],
        ["query", "gmv by zora"],
        ["query", "zora by market"],
        ["ask", "gmv of zora by market"],
        ["ask", "how much did zora@example.com buy"],
    ] {
        assert!(!run(shop, &arguments).status.success());
    }
    let log = log(shop);
    assert_eq!(log.len(), 5);
    assert!(log.iter().all(|one| one.record.outcome.is_refused()));
    assert!(log.iter().all(|one| one.record.error_kind.is_some()));
    assert_eq!(log[0].record.facts.metrics, ["gmv"]);
    let file = file(shop);
    for suffix in ["", "-wal"] {
        let mut path = file.clone().into_os_string();
        path.push(suffix);
        let bytes = fs::read(path).unwrap_or_default().to_ascii_lowercase();
        assert!(!bytes.windows(4).any(|part| part == b"zora"));
    }
}

#[test]
fn metrics_of_one_sql_are_two_queries_and_values_make_none() {
    let shop = project::shop();
    let shop = shop.path();
    for line in [
        "gmv by market where channel = ads",
        "gmv by market where channel = organic",
        "gmv by market where channel in (ads, organic)",
        "old_gmv by market where channel = ads",
    ] {
        assert!(run(shop, &["query", line]).status.success());
    }
    let log = log(shop);
    let shapes: Vec<_> = log.iter().map(|one| one.record.shape()).collect();
    assert_eq!(log[0].record.fingerprint, log[3].record.fingerprint);
    assert_eq!(shapes[0], shapes[1]);
    assert_ne!(shapes[0], shapes[2]);
    assert_ne!(shapes[0], shapes[3]);
    let graph = open(shop).graph_overview().unwrap();
    assert_eq!(graph.size.queries, 4);
}
