//! What is recorded of use: every face says where a query came from and what it is about, and nothing personal is kept.
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
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::{Timestamp, ToSpan};
use metrex::session::{Answered, OpenOptions, Overrides, Session, Thumb};
use metrex::usage::{Face, Logged, Outcome, Route, Usage};
use serde_json::{Value, json};
use tempfile::TempDir;

fn command(shop: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
    command
        .current_dir(shop)
        .env("METREX_STATE_DIR", shop.join(".state"))
        .env("METREX_TODAY", project::TODAY)
        .env("USER", "ada")
        .args(arguments);
    command
}

fn metrex(shop: &Path, arguments: &[&str]) -> Output {
    command(shop, arguments).output().unwrap()
}

fn ok(shop: &Path, arguments: &[&str]) -> String {
    let output = metrex(shop, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What lines typed into the explorer say.
fn explore(shop: &Path, lines: &str) -> String {
    let mut child = command(shop, &["--linear"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// What an agent is told that calls these tools one after the other.
fn agent(shop: &Path, calls: &[(&str, Value)]) -> Vec<Value> {
    let mut child = command(shop, &["mcp"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut reply = |id: usize| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["id"] == id {
            return line["result"].clone();
        }
    };
    let client = json!({"name": "test", "version": "1"});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello});
    writeln!(stdin, "{hello}").unwrap();
    reply(0);
    writeln!(
        stdin,
        "{}",
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
    )
    .unwrap();
    let replies = calls
        .iter()
        .enumerate()
        .map(|(at, (name, arguments))| {
            let params = json!({"name": name, "arguments": arguments});
            let call =
                json!({"jsonrpc": "2.0", "id": at + 1, "method": "tools/call", "params": params});
            writeln!(stdin, "{call}").unwrap();
            reply(at + 1)
        })
        .collect();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    replies
}

fn session(shop: &Path, user: &str) -> Session {
    Session::open(OpenOptions {
        project: Some(shop.to_owned()),
        state_dir: Some(shop.join(".state")),
        today: Some(project::TODAY.parse().unwrap()),
        user: Some(user.to_owned()),
        ..OpenOptions::default()
    })
    .unwrap()
}

fn log(shop: &Path) -> Vec<Logged> {
    let usage = Usage::open(&session(shop, "nobody").state().usage()).unwrap();
    usage.flush();
    let mut all = Vec::new();
    let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    usage.logged(first, last, &mut |one| all.push(one)).unwrap();
    all
}

/// Every byte of the state that is kept of use.
fn bytes(shop: &Path) -> Vec<u8> {
    let file = session(shop, "nobody").state().usage();
    let mut all = Vec::new();
    for suffix in ["", "-wal"] {
        let mut path = file.clone().into_os_string();
        path.push(suffix);
        all.extend(fs::read(path).unwrap_or_default());
    }
    assert!(!all.is_empty());
    all
}

fn has(bytes: &[u8], text: &str) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    let text = text.to_ascii_lowercase();
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[tokio::test]
async fn every_face_records_what_was_asked_and_what_it_is_about() {
    let shop = project::shop();
    let shop = shop.path();
    ok(shop, &["reindex", "--dimension", "market"]);
    ok(
        shop,
        &[
            "query",
            "gmv by market, month where channel = ads last 12 months",
        ],
    );
    ok(shop, &["ask", "--run", "gmv by market last 12 months"]);
    explore(shop, "aov by market\nq\n");
    agent(
        shop,
        &[(
            "query_metric",
            json!({"metric_name": "orders", "group_by": ["segment"]}),
        )],
    );
    let program = session(shop, "grace");
    program
        .get_metric("gmv", Overrides::default())
        .await
        .unwrap();
    drop(program);
    let failed = metrex(shop, &["--connection", "gone", "query", "gmv"]);
    assert!(!failed.status.success());

    let log = log(shop);
    let told: Vec<_> = log
        .iter()
        .map(|one| {
            (
                one.record.face,
                one.record.route,
                one.record.user.as_str(),
                one.record.facts.metrics.join("+"),
            )
        })
        .collect();
    let is = |metric: &str| metric.to_owned();
    assert_eq!(
        told,
        [
            (Face::Command, Route::Line, "ada", is("gmv")),
            (Face::Command, Route::Words, "ada", is("gmv")),
            (Face::Explorer, Route::Line, "ada", is("aov")),
            (Face::Agent, Route::Line, "ada", is("orders")),
            (Face::Program, Route::Line, "grace", is("gmv")),
            (Face::Command, Route::Line, "ada", is("gmv")),
        ]
    );
    let first = &log[0].record;
    assert_eq!(
        first.line,
        "gmv by market, month where channel = ads last 12 months"
    );
    assert_eq!(first.connection, "main");
    assert_eq!(
        first.at.to_string().split_once('T').unwrap().0,
        project::TODAY
    );
    assert!(
        first.sql.contains("'ads'") && !first.fingerprint.contains("ads"),
        "{}",
        first.fingerprint
    );
    let intent: Value = serde_json::from_str(&first.intent).unwrap();
    assert_eq!(intent["metrics"], json!(["gmv"]));
    let facts = &first.facts;
    assert_eq!(facts.tables, ["orders"]);
    assert_eq!(facts.dimensions, ["market"]);
    assert_eq!(facts.grain.as_deref(), Some("month"));
    assert_eq!(facts.aggregations, ["sum(orders.amount)"]);
    assert_eq!(
        facts.computed_from,
        [("gmv".to_owned(), "orders".to_owned())]
    );
    for column in [
        "orders.amount",
        "orders.channel",
        "orders.created_at",
        "orders.market",
    ] {
        assert!(
            facts.columns.contains(&column.to_owned()),
            "{column}: {:?}",
            facts.columns
        );
    }
    let channel = facts
        .filters
        .iter()
        .find(|filter| filter.on == "channel")
        .unwrap();
    assert_eq!(
        (channel.op.as_str(), channel.values.concat()),
        ("=", "ads".to_owned())
    );
    assert_eq!(
        log[1].record.question.as_deref(),
        Some("gmv by market last 12 months")
    );
    let derives = [("aov", "gmv"), ("aov", "orders")]
        .map(|(metric, part)| (metric.to_owned(), part.to_owned()));
    assert_eq!(log[2].record.facts.derives, derives);
    let joined = &log[3].record.facts;
    assert_eq!(joined.joins, ["orders.user_id = users.user_id"]);
    assert_eq!(joined.dimensions, ["segment"]);
    assert_eq!(log[5].record.connection, "gone");
    assert!(matches!(log[5].record.outcome, Outcome::Failed(_)));
    assert!(log[5].record.error_kind.is_some());
    // Each run of metrex is a session of its own.
    let mut sessions: Vec<_> = log.iter().map(|one| &one.record.session).collect();
    sessions.dedup();
    assert_eq!(sessions.len(), 6);
}

const SECRET: &str = "Zora-77@example.com";

#[tokio::test]
async fn nothing_personal_is_ever_kept() {
    let shop = project::shop();
    let shop = shop.path();
    ok(shop, &["reindex", "--dimension", "market"]);
    let lines = [
        format!("gmv by market where email = '{SECRET}'"),
        "gmv where email like '%Zora-77%'".to_owned(),
        format!("gmv where buyer.email in ('a@example.com', '{SECRET}') and market != ID"),
        format!("orders where not (email = '{SECRET}' or email is null)"),
        format!("gmv where email between '{SECRET}' and 'zzz'"),
    ];
    for line in &lines {
        ok(shop, &["query", line]);
        metrex(shop, &["--connection", "gone", "query", line]);
    }
    for question in [
        format!("gmv where email is {SECRET}"),
        format!("gmv for {SECRET} by market"),
        format!("gmv where email = '{SECRET}'"),
        format!("how much did {SECRET} buy"),
    ] {
        metrex(shop, &["ask", "--run", &question]);
        explore(shop, &format!("{question}\nq\n"));
    }
    // Left open, and found again at the next start.
    explore(shop, &format!("{}\n{}\nq\n", lines[0], lines[1]));
    explore(shop, "H\n.\nq\n");
    agent(
        shop,
        &[
            (
                "query_metric",
                json!({"metric_name": "gmv", "filters": format!("email = '{SECRET}'")}),
            ),
            (
                "query_metric",
                json!({"metric_name": "gmv", "email": SECRET}),
            ),
            (
                "ask",
                json!({"question": format!("gmv where email is {SECRET}")}),
            ),
            (
                "give_feedback",
                json!({"right": false, "words": "another metric was meant"}),
            ),
        ],
    );
    let program = session(shop, "grace");
    program.keep_question(&format!("orders of {SECRET}"));
    let query = lines[0].parse().unwrap();
    program
        .answer(
            &query,
            metrex::session::RunOptions::default(),
            tokio_util::sync::CancellationToken::new(),
        )
        .await
        .unwrap();
    program
        .feedback(&Answered::Line(query.to_string()), Thumb::Up, None)
        .unwrap();
    drop(program);

    let bytes = bytes(shop);
    for text in [SECRET, "zora", "77@", "-77", "a@example"] {
        assert!(!has(&bytes, text), "{text} is kept");
    }
    let log = log(shop);
    assert!(log.len() > 12);
    let kept = &log[0].record;
    assert_eq!(
        kept.line,
        "gmv by market where email = '(not kept)' all time"
    );
    assert_eq!(kept.sql, kept.fingerprint);
    assert!(kept.sql.contains("users.email = ?"), "{}", kept.sql);
    let email = kept
        .facts
        .filters
        .iter()
        .find(|filter| filter.on == "email")
        .unwrap();
    assert!(email.values.is_empty());
    // Conditions that are not personal stay as they are, beside one that is.
    assert!(
        log.iter()
            .any(|one| one.record.line.contains("market != ID"))
    );
}

#[test]
fn a_line_whose_personal_value_was_not_kept_is_not_answered() {
    let shop = project::shop();
    let refused = metrex(shop.path(), &["query", "gmv where email = '(not kept)'"]);
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("a personal value of this query was not kept"),
        "{said}"
    );
}

#[test]
fn what_is_not_to_be_recorded_is_not() {
    let shop = project::shop();
    let shop = shop.path();
    let file = shop.join("metrex.yaml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}usage: {{track: false}}\n")).unwrap();
    ok(shop, &["query", "gmv by market"]);
    explore(shop, "aov\ngmv by market\nq\n");
    agent(shop, &[("query_metric", json!({"metric_name": "gmv"}))]);
    assert!(log(shop).is_empty());
    assert!(session(shop, "ada").questions(9).is_empty());
    assert!(ok(shop, &["usage"]).contains("recording   off"));
    let refused = metrex(shop, &["usage", "feedback", "last", "up"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("queries are not recorded in this project"),
        "{said}"
    );
    fs::write(&file, format!("{config}usage: {{keep: often}}\n")).unwrap();
    let refused = metrex(shop, &["usage"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("'often' is no time to keep queries for"),
        "{said}"
    );
}

#[tokio::test]
async fn old_queries_are_dropped_when_their_time_has_come() {
    let shop = project::shop();
    let path = shop.path();
    let file = path.join("metrex.yaml");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{config}usage: {{keep: 30 days}}\n")).unwrap();
    let on = |day: &str| {
        let options = OpenOptions {
            project: Some(path.to_owned()),
            state_dir: Some(path.join(".state")),
            today: Some(day.parse().unwrap()),
            ..OpenOptions::default()
        };
        Session::open(options).unwrap()
    };
    for day in ["2025-09-01", "2025-11-01", "2025-11-20"] {
        on(day)
            .get_metric("gmv", Overrides::default())
            .await
            .unwrap();
    }
    let days: Vec<String> = log(path)
        .iter()
        .map(|one| one.record.at.to_string()[..10].to_owned())
        .collect();
    assert_eq!(days, ["2025-11-01", "2025-11-20"]);
    assert_eq!(on("2025-11-20").usage()["gmv"], 2);
    // Whole days are dropped.
    assert_eq!(on("2025-12-21").usage().get("gmv"), None);
}

#[test]
fn an_answer_is_called_right_or_wrong_from_every_face() {
    let shop = project::shop();
    let shop = shop.path();
    ok(shop, &["query", "gmv"]);
    ok(shop, &["query", "gmv by market"]);
    ok(
        shop,
        &["usage", "feedback", "1", "down", "this", "is", "gross"],
    );
    ok(shop, &["usage", "feedback", "last", "up"]);
    explore(shop, "aov by market\n!\nno taxes in it\n0\nq\n");
    let replies = agent(
        shop,
        &[
            ("query_metric", json!({"metric_name": "orders"})),
            (
                "give_feedback",
                json!({"right": true, "words": "as in the report"}),
            ),
        ],
    );
    assert_eq!(
        replies[1]["structuredContent"]["query"],
        "orders by none all time"
    );
    let said: Vec<_> = log(shop)
        .iter()
        .map(|one| {
            let feedback = one.feedback.clone().unwrap();
            (one.record.line.clone(), feedback.thumb, feedback.words)
        })
        .collect();
    let told =
        |line: &str, thumb, words: Option<&str>| (line.to_owned(), thumb, words.map(str::to_owned));
    assert_eq!(
        said,
        [
            told("gmv by none all time", Thumb::Down, Some("this is gross")),
            told("gmv by market all time", Thumb::Up, None),
            told(
                "aov by market all time",
                Thumb::Down,
                Some("no taxes in it")
            ),
            told(
                "orders by none all time",
                Thumb::Up,
                Some("as in the report")
            ),
        ]
    );
    let shown = ok(shop, &["usage"]);
    assert!(shown.contains("2 up, 2 down"), "{shown}");
    let json: Value = serde_json::from_str(&ok(shop, &["usage", "--json"])).unwrap();
    assert_eq!(json["queries"], 4);
    assert_eq!(json["metrics"][0], json!(["gmv", 2]));
    assert_eq!(json["people"], json!([["ada", 4]]));
    let refused = metrex(shop, &["usage", "feedback", "99", "up"]);
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("there is no query 99")
    );
}

#[test]
fn the_log_is_dropped_in_parts_and_as_a_whole() {
    let shop = project::shop();
    let shop = shop.path();
    ok(shop, &["query", "gmv"]);
    let asks = metrex(shop, &["usage", "--purge", "--all"]);
    assert!(!asks.status.success());
    assert!(
        String::from_utf8(asks.stderr)
            .unwrap()
            .contains("--yes drops it")
    );
    ok(
        shop,
        &["usage", "--purge", "--before", "2025-11-20", "--yes"],
    );
    assert_eq!(log(shop).len(), 1);
    ok(shop, &["usage", "--purge", "--person", "grace", "--yes"]);
    assert_eq!(log(shop).len(), 1);
    ok(shop, &["usage", "--purge", "--person", "ada", "--yes"]);
    assert_eq!(log(shop).len(), 0);
    ok(shop, &["query", "gmv by market"]);
    ok(shop, &["usage", "--purge", "--all", "--yes"]);
    assert_eq!(log(shop).len(), 0);
    assert!(!has(&bytes(shop), "gmv by market"));
}

#[test]
fn now_is_the_pinned_day_at_this_time_of_day() {
    let shop = project::shop();
    let session = session(shop.path(), "ada");
    let now = session.now();
    assert_eq!(now.to_string()[..10], *project::TODAY);
    let clock = Timestamp::now();
    let of_day = |time: Timestamp| time.as_second().rem_euclid(86_400);
    let apart = (of_day(now) - of_day(clock)).rem_euclid(86_400);
    assert!(!(5..=86_395).contains(&apart), "{now} at {clock}");
    let free = Session::open(OpenOptions {
        project: Some(shop.path().to_owned()),
        state_dir: Some(shop.path().join(".state")),
        ..OpenOptions::default()
    });
    assert!(free.unwrap().now() >= clock - 1.second());
}

#[test]
fn a_saved_query_is_known_by_its_name() {
    let shop: TempDir = project::shop();
    let shop = shop.path();
    let views = "views:\n  weekly:\n    query: gmv by market last 8 weeks\n";
    fs::write(shop.join("metrics/views.yaml"), views).unwrap();
    ok(shop, &["query", "weekly"]);
    let log = log(shop);
    assert!(
        log[0]
            .record
            .facts
            .answered_by
            .contains(&"view:weekly".to_owned()),
        "{:?}",
        log[0].record.facts
    );
}
