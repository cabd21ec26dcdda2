//! The query log and its graph: nothing that was acknowledged is lost, and the graph is what the log says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use metrex::usage::{
    Face, Facts, FilterFact, Logged, Outcome, Purge, QueryRecord, Route, Thumb, Usage, Which,
};

/// The same numbers each time: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

/// Some query of somebody, at some time.
fn query(dice: &mut Dice, at: Timestamp) -> QueryRecord {
    let metric = format!("metric_{}", dice.below(6));
    let dimension = format!("dimension_{}", dice.below(4));
    let table = format!("table_{}", dice.below(3));
    let status = ["paid", "sent", "it's"][usize::try_from(dice.below(3)).unwrap()];
    let sql = format!(
        "SELECT {dimension}, SUM(amount) FROM {table} WHERE status = '{status}' AND day < '{at}'"
    );
    QueryRecord {
        at,
        user: format!("person {}", dice.below(3)),
        session: format!("session {}", dice.below(5)),
        face: Face::ALL[usize::try_from(dice.below(5)).unwrap()],
        connection: "main".to_owned(),
        question: (dice.below(3) == 0).then(|| format!("{metric} per {dimension}")),
        route: Route::ALL[usize::try_from(dice.below(5)).unwrap()],
        line: format!("{metric} by {dimension} where status = {status}"),
        intent: "{}".to_owned(),
        fingerprint: format!("SELECT {dimension}, sum(amount) FROM {table}"),
        sql,
        plan: format!("{metric} reads {table}"),
        ms: dice.below(900),
        rows: dice.below(50),
        outcome: match dice.below(7) {
            6 => Outcome::Refused("nobody understands this".to_owned()),
            0 => Outcome::Failed("no such column".to_owned()),
            1 => Outcome::Cancelled,
            _ => Outcome::Ok,
        },
        facts: Facts {
            columns: vec![format!("{table}.amount"), format!("{table}.status")],
            computed_from: vec![(metric.clone(), table.clone())],
            answered_by: vec![format!("dataset:{table}")],
            tables: vec![table],
            metrics: vec![metric],
            dimensions: vec![dimension],
            filters: vec![FilterFact {
                on: "status".to_owned(),
                op: "=".to_owned(),
                values: vec![status.to_owned()],
            }],
            ..Facts::default()
        },
        ..QueryRecord::default()
    }
}

fn all(usage: &Usage) -> Vec<Logged> {
    let mut all = Vec::new();
    let (first, last) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    usage.logged(first, last, &mut |one| all.push(one)).unwrap();
    all
}

/// An edge by the kinds and keys of its ends, with how often, how often answered, how long, when last.
type Edges = BTreeMap<(String, String, String), (i64, i64, i64, i64)>;

/// Nodes by kind and key, with the first and the last use.
type Nodes = Vec<(String, String, i64, i64)>;

/// The graph as the file has it, with the weights of its edges bit by bit.
fn graph(file: &Path) -> (Edges, Vec<u64>, Nodes) {
    let file = rusqlite::Connection::open(file).unwrap();
    let mut edges = Edges::new();
    let mut weights = Vec::new();
    let mut statement = file
        .prepare(
            "SELECT src.kind || ' ' || src.key, edges.kind, dst.kind || ' ' || dst.key, n, n_ok, ms, edges.last_seen, weight \
             FROM edges JOIN nodes AS src ON src.id = src JOIN nodes AS dst ON dst.id = dst ORDER BY 1, 2, 3",
        )
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let key = (row.get_unwrap(0), row.get_unwrap(1), row.get_unwrap(2));
        let value = (
            row.get_unwrap(3),
            row.get_unwrap(4),
            row.get_unwrap(5),
            row.get_unwrap(6),
        );
        assert!(edges.insert(key, value).is_none());
        weights.push(row.get_unwrap::<_, f64>(7).to_bits());
    }
    let mut statement = file
        .prepare("SELECT kind, key, first_seen, last_seen FROM nodes ORDER BY 1, 2")
        .unwrap();
    let nodes = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    let nodes = nodes.unwrap().map(Result::unwrap).collect();
    (edges, weights, nodes)
}

fn answered(facts: &Facts) -> Vec<String> {
    let answers = facts.answered_by.iter();
    answers.map(|answer| answer.replace(':', " ")).collect()
}

/// The edges again, counted from the log by hand.
fn recounted(log: &[Logged]) -> Edges {
    let mut edges = Edges::new();
    let mut add = |src: String, kind: &str, dst: String, one: &Logged| {
        let (at, ms) = (
            one.record.at.as_millisecond(),
            i64::try_from(one.record.ms).unwrap(),
        );
        let edge = edges
            .entry((src, kind.to_owned(), dst))
            .or_insert((0, 0, 0, at));
        edge.0 += 1;
        if one.record.outcome == Outcome::Ok {
            edge.1 += 1;
            edge.2 += ms;
        }
        edge.3 = edge.3.max(at);
    };
    let shape = |one: &Logged| format!("query {}", one.record.shape());
    let mut last: BTreeMap<&str, String> = BTreeMap::new();
    for one in log.iter().filter(|one| !one.record.outcome.is_refused()) {
        let (record, facts) = (&one.record, &one.record.facts);
        for table in &facts.tables {
            add(shape(one), "ACCESSES", format!("table {table}"), one);
        }
        for column in &facts.columns {
            add(shape(one), "ACCESSES", format!("column {column}"), one);
        }
        for metric in &facts.metrics {
            add(shape(one), "CALCULATES", format!("metric {metric}"), one);
            for dimension in &facts.dimensions {
                add(
                    format!("metric {metric}"),
                    "HAS_DIMENSION",
                    format!("dimension {dimension}"),
                    one,
                );
            }
        }
        for dimension in &facts.dimensions {
            add(
                shape(one),
                "GROUPS_BY",
                format!("dimension {dimension}"),
                one,
            );
        }
        for filter in &facts.filters {
            add(
                shape(one),
                "FILTERS",
                format!("dimension {}", filter.on),
                one,
            );
            for value in &filter.values {
                add(
                    shape(one),
                    "FILTERS",
                    format!("value {}={value}", filter.on),
                    one,
                );
            }
        }
        for (metric, table) in &facts.computed_from {
            add(
                format!("metric {metric}"),
                "COMPUTED_FROM",
                format!("table {table}"),
                one,
            );
        }
        for answer in answered(facts) {
            add(shape(one), "ANSWERED_BY", answer, one);
        }
        let person = format!("person {}", record.user);
        add(person.clone(), "ASKED", shape(one), one);
        let mut asked_for: Vec<String> = answered(facts);
        asked_for.extend(facts.tables.iter().map(|table| format!("table {table}")));
        asked_for.extend(
            facts
                .metrics
                .iter()
                .map(|metric| format!("metric {metric}")),
        );
        let filtered = facts.filters.iter().map(|filter| &filter.on);
        let dimensions = facts.dimensions.iter().chain(filtered);
        asked_for.extend(dimensions.map(|dimension| format!("dimension {dimension}")));
        asked_for.sort();
        asked_for.dedup();
        for thing in asked_for {
            add(person.clone(), "ASKED_FOR", thing, one);
        }
        if let Some(before) = last.insert(&record.session, shape(one))
            && before != shape(one)
        {
            add(shape(one), "FOLLOWS", before, one);
        }
    }
    for one in log {
        if let Some(by) = one.corrected_by {
            let by = log.iter().find(|other| other.id == by).unwrap();
            let at = by.record.at.as_millisecond();
            let edge = edges
                .entry((shape(by), "CORRECTS".to_owned(), shape(one)))
                .or_insert((0, 0, 0, at));
            edge.0 += 1;
            edge.3 = edge.3.max(at);
        }
    }
    edges
}

/// Has the graph made anew when the file is opened the next time.
fn make_anew(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let changed = connection.execute("DELETE FROM meta WHERE what = 'fold'", []);
    assert_eq!(changed.unwrap(), 1);
}

#[test]
fn what_was_recorded_is_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    let mut dice = Dice(1);
    let records: Vec<_> = (0..300)
        .map(|number| query(&mut dice, start() + (number * 40).seconds()))
        .collect();
    for record in &records {
        usage.record(record.clone());
    }
    usage.flush();
    let read: Vec<_> = all(&usage).into_iter().map(|one| one.record).collect();
    assert_eq!(read, records);
    let (since, until) = (records[10].at, records[20].at);
    let mut some = Vec::new();
    usage
        .logged(since, until, &mut |one| some.push(one.id))
        .unwrap();
    assert_eq!(some, (11..=20).collect::<Vec<_>>());
}

#[test]
fn the_graph_is_a_fold_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let mut dice = Dice(2);
    // Several processes, one after the other, some of them with a clock that is behind.
    for round in 0..6 {
        let usage = Usage::open(&file).unwrap();
        for number in 0..100 {
            let at = start() + (number * 35 - round * 3_000).seconds();
            usage.record(query(&mut dice, at));
            if dice.below(10) == 0 {
                usage.flush();
                let id = all(&usage).last().unwrap().id - i64::try_from(dice.below(2)).unwrap();
                usage.say(
                    id,
                    if dice.below(2) == 0 {
                        Thumb::Up
                    } else {
                        Thumb::Down
                    },
                    None,
                    at,
                );
            }
        }
    }
    let usage = Usage::open(&file).unwrap();
    usage.flush();
    let log = all(&usage);
    assert_eq!(log.len(), 600);
    assert!(log.iter().any(|one| one.corrected_by.is_some()));
    assert!(log.iter().any(|one| one.reused));
    let (edges, weights, nodes) = graph(&file);
    let counted = recounted(&log);
    for (key, value) in &counted {
        assert_eq!(edges.get(key), Some(value), "{key:?}");
    }
    assert_eq!(edges.len(), counted.len());
    let counts = usage.counts(start() + 48.hours()).unwrap();
    for (metric, count) in counts {
        let has = |one: &&Logged| {
            one.record.outcome == Outcome::Ok && one.record.facts.metrics.contains(&metric)
        };
        assert_eq!(count, log.iter().filter(has).count() as u64, "{metric}");
    }
    drop(usage);
    make_anew(&file);
    Usage::open(&file).unwrap().flush();
    assert!(
        (edges, weights, nodes) == graph(&file),
        "made anew, it is another graph"
    );
}

#[test]
fn a_log_of_an_earlier_version_is_taken_over_with_its_graph() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let mut dice = Dice(3);
    let mut record = |count: i64| {
        let usage = Usage::open(&file).unwrap();
        for number in 0..count {
            usage.record(query(&mut dice, start() + (number * 40).seconds()));
        }
        assert!(usage.flush());
        all(&usage).len()
    };
    assert_eq!(record(50), 50);
    let now = graph(&file);
    // As version 9 had it, with a graph that was folded otherwise.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE old (src INTEGER NOT NULL, dst INTEGER NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL,
                 n_ok INTEGER NOT NULL, weight REAL NOT NULL, ms INTEGER NOT NULL, last_seen INTEGER NOT NULL,
                 PRIMARY KEY (src, dst, kind)) WITHOUT ROWID;
             INSERT INTO old SELECT * FROM edges; DROP TABLE edges; ALTER TABLE old RENAME TO edges; CREATE INDEX edges_by_dst ON edges (dst, kind, src);
             DROP INDEX queries_refused; UPDATE meta SET value = 1 WHERE what = 'fold'; PRAGMA user_version = 9;",
        )
        .unwrap();
    drop(connection);
    drop(Usage::open(&file).unwrap());
    assert!(
        graph(&file) == now,
        "before it is folded anew, it is another graph"
    );
    assert!(Usage::open(&file).unwrap().flush());
    assert!(graph(&file) == now, "taken over, it is another graph");
    assert_eq!(record(10), 60);
    let usage = Usage::open(&file).unwrap();
    assert_eq!(usage.purge(Purge::All).unwrap(), 60);
}

#[test]
fn a_damaged_row_is_left_out_of_the_graph_and_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let usage = Usage::open(&file).unwrap();
    let mut dice = Dice(4);
    for number in 0..20 {
        usage.record(query(&mut dice, start() + (number * 40).seconds()));
    }
    assert!(usage.flush());
    drop(usage);
    let connection = rusqlite::Connection::open(&file).unwrap();
    let lost = connection.execute(
        "DELETE FROM texts WHERE id = (SELECT facts FROM statements ORDER BY id LIMIT 1)",
        [],
    );
    assert_eq!(lost.unwrap(), 1);
    drop(connection);
    make_anew(&file);
    let usage = Usage::open(&file).unwrap();
    usage.record(query(&mut dice, start() + 2_000.seconds()));
    assert!(usage.flush());
    assert!(usage.purge(Purge::Before(start() + 60.seconds())).unwrap() > 0);
}

#[test]
fn what_is_dropped_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let usage = Usage::open(&file).unwrap();
    let mut dice = Dice(3);
    for number in 0..200 {
        let mut record = query(&mut dice, start() + (number * 3_600).seconds());
        if record.user == "person 1" {
            record.line.push_str(" and secret = xyzzy");
            record.sql.push_str(" AND secret = 'xyzzy'");
        }
        usage.record(record);
    }
    usage.flush();
    let before = all(&usage);
    let theirs = before
        .iter()
        .filter(|one| one.record.user == "person 1")
        .count();
    assert_eq!(
        usage.purge(Purge::Person("person 1".to_owned())).unwrap(),
        theirs
    );
    let stay: Vec<_> = all(&usage);
    assert_eq!(stay.len(), 200 - theirs);
    assert!(stay.iter().all(|one| one.record.user != "person 1"));
    let (edges, _, _) = graph(&file);
    assert_eq!(edges, recounted(&stay));
    let day = start() + 100.hours();
    let old = stay.iter().filter(|one| one.record.at < day).count();
    assert_eq!(usage.purge(Purge::Before(day)).unwrap(), old);
    assert_eq!(graph(&file).0, recounted(&all(&usage)));
    // Numbers of queries are not given twice.
    let last = stay.last().unwrap().id;
    assert_eq!(usage.purge(Purge::All).unwrap(), stay.len() - old);
    usage.record(query(&mut dice, start()));
    usage.flush();
    assert!(all(&usage)[0].id > last);
    drop(usage);
    for name in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(name.unwrap().path()).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"xyzzy"));
    }
}

#[test]
fn asking_again_soon_in_other_words_is_a_correction_and_a_next_step_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let usage = Usage::open(&folder.path().join("usage.db")).unwrap();
    let asked =
        |seconds: i64, session: &str, question: Option<&str>, line: &str, dimensions: &[&str]| {
            let facts = Facts {
                metrics: vec!["gmv".to_owned()],
                dimensions: dimensions.iter().map(|one| (*one).to_owned()).collect(),
                ..Facts::default()
            };
            usage.record(QueryRecord {
                at: start() + seconds.seconds(),
                session: session.to_owned(),
                question: question.map(str::to_owned),
                line: line.to_owned(),
                facts,
                ..QueryRecord::default()
            });
        };
    asked(
        0,
        "a",
        Some("gmv per country"),
        "gmv by country",
        &["country"],
    );
    // 2: what was meant.
    asked(
        50,
        "a",
        Some("gmv per market"),
        "gmv by market",
        &["market"],
    );
    // 3: one grouping more.
    asked(
        60,
        "a",
        None,
        "gmv by market, channel",
        &["channel", "market"],
    );
    // 4 and 5: somebody else; and too late.
    asked(
        70,
        "b",
        Some("gmv per region"),
        "gmv by region",
        &["region"],
    );
    asked(
        400,
        "b",
        Some("gmv per seller"),
        "gmv by seller",
        &["seller"],
    );
    // 6: picked, not asked; 7: after it was called wrong.
    asked(500, "c", None, "gmv by day", &["day"]);
    usage.flush();
    usage.say(
        6,
        Thumb::Down,
        Some("weeks".to_owned()),
        start() + 510.seconds(),
    );
    asked(520, "c", None, "gmv by week", &["week"]);
    usage.flush();
    let corrected: Vec<_> = all(&usage)
        .iter()
        .filter_map(|one| Some((one.id, one.corrected_by?)))
        .collect();
    assert_eq!(corrected, [(1, 2), (6, 7)]);
    let said = usage.query(6).unwrap().unwrap().feedback.unwrap();
    assert_eq!(
        (said.thumb, said.words.as_deref()),
        (Thumb::Down, Some("weeks"))
    );
    // Calling it wrong afterwards is as good; and a thumb may be turned.
    asked(600, "d", None, "gmv by day", &["day"]);
    asked(610, "d", None, "gmv by hour", &["hour"]);
    usage.flush();
    usage.say(8, Thumb::Up, None, start() + 615.seconds());
    usage.say(8, Thumb::Down, None, start() + 620.seconds());
    usage.flush();
    let eighth = usage.query(8).unwrap().unwrap();
    assert_eq!(
        (eighth.corrected_by, eighth.feedback.unwrap().thumb),
        (Some(9), Thumb::Down)
    );
    // The first one with that shape was used again in another session, and was not what was meant.
    let reused: Vec<_> = all(&usage)
        .iter()
        .filter(|one| one.reused)
        .map(|one| one.id)
        .collect();
    assert_eq!(reused, Vec::<i64>::new());
    asked(10_000, "e", None, "gmv by market", &["market"]);
    usage.flush();
    let reused: Vec<_> = all(&usage)
        .iter()
        .filter(|one| one.reused)
        .map(|one| one.id)
        .collect();
    assert_eq!(reused, [2]);
    assert_eq!(usage.find(&Which::LastOf("a".to_owned())).unwrap(), Some(3));
    let line = Which::Line {
        session: "d".to_owned(),
        line: "gmv by day".to_owned(),
    };
    assert_eq!(usage.find(&line).unwrap(), Some(8));
}

const ROUNDS: u64 = 200;

/// Records until it is killed, and says what is written.
fn record_until_killed(file: &Path, round: u64) -> ! {
    let mut dice = Dice(round);
    let usage = Usage::open(file).unwrap();
    let mut number = 0;
    loop {
        for _ in 0..=dice.below(6) {
            number += 1;
            let at = start() + i64::try_from(round * 1_000 + number).unwrap().seconds();
            usage.record(QueryRecord {
                rows: number,
                session: format!("round {round}"),
                ..query(&mut dice, at)
            });
        }
        usage.flush();
        let mut out = std::io::stdout();
        writeln!(out, "written {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn killed_200_times_it_loses_nothing_that_was_acknowledged() {
    if let (Some(file), Ok(round)) = (
        std::env::var_os("METREX_TEST_LOG"),
        std::env::var("METREX_TEST_ROUND"),
    ) {
        record_until_killed(Path::new(&file), round.parse().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage.db");
    let mut dice = Dice(11);
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "killed_200_times_it_loses_nothing_that_was_acknowledged",
            ])
            .env("METREX_TEST_LOG", &file)
            .env("METREX_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let lines = out.lines().map_while(Result::ok);
            let written =
                lines.filter_map(|line| line.strip_prefix("written ")?.parse::<u64>().ok());
            written.last().unwrap_or(0)
        });
        std::thread::sleep(Duration::from_micros(dice.below(60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.push(reader.join().unwrap());
    }
    let usage = Usage::open(&file).unwrap();
    usage.flush();
    let log = all(&usage);
    for (round, written) in acknowledged.iter().enumerate() {
        let session = format!("round {round}");
        let found: Vec<u64> = log
            .iter()
            .filter(|one| one.record.session == session)
            .map(|one| one.record.rows)
            .collect();
        // In order, without a hole, and none of them half.
        assert_eq!(
            found,
            (1..=found.len() as u64).collect::<Vec<_>>(),
            "{session}"
        );
        assert!(
            found.len() as u64 >= *written,
            "{session}: {} of {written}",
            found.len()
        );
    }
    assert!(
        acknowledged.iter().any(|written| *written > 0),
        "no child came to write"
    );
    let whole = rusqlite::Connection::open(&file).unwrap();
    let check: String = whole
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let (edges, weights, nodes) = graph(&file);
    assert_eq!(edges, recounted(&log));
    drop(usage);
    make_anew(&file);
    Usage::open(&file).unwrap().flush();
    assert!(
        (edges, weights, nodes) == graph(&file),
        "made anew, it is another graph"
    );
}
