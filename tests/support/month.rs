//! A month of twenty simulated users on the demo, through the real faces: one process per user and day.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};

/// The last day of the month.
pub const TODAY: &str = "2026-11-20";

/// Days of the month.
pub const DAYS: i64 = 30;

/// How a user works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Batch,
    Command,
    Words,
    Agent,
    Linear,
}

/// Numbers that look random and are the same each time.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// What one user does on one day.
#[derive(Debug, Clone)]
pub struct Sitting {
    pub user: usize,
    pub day: Date,
    pub face: Face,
    /// Query lines, or questions with the metrics that answer them.
    pub asked: Vec<(String, Vec<&'static str>)>,
}

/// No dataset but that of orders is asked for often enough to keep anything of it.
const METRICS: [&str; 22] = [
    "gmv",
    "orders",
    "buyers",
    "aov",
    "cancellation_rate",
    "return_rate",
    "voucher_rate",
    "cross_border_share",
    "median_order_value",
    "gmv_per_buyer",
    "take_rate",
    "visits",
    "conversion_rate",
    "mrr",
    "shared_cost_credits",
    "workload_per_am",
    "dau",
    "cli_count",
    "items_sold",
    "touches",
    "new_customers",
    "new_subscriptions",
];

/// Times of a line; each is asked once in a sitting, since an answer that is known already is no query.
const TIMES: [&str; 5] = [
    "last month",
    "last 3 months",
    "last 7 days",
    "ytd",
    "2026-09",
];

fn name_of(metric: &str) -> &'static str {
    METRICS.iter().find(|known| **known == metric).unwrap()
}

/// Everything that the twenty do, day by day.
pub fn sittings() -> Vec<Sitting> {
    let today: Date = TODAY.parse().unwrap();
    let mut random = Random::new(20_261_120);
    let mut sittings = Vec::new();
    for user in 0..20 {
        let face = match user {
            0..=9 => Face::Batch,
            10..=12 => Face::Command,
            13..=14 => Face::Words,
            15..=17 => Face::Agent,
            _ => Face::Linear,
        };
        for back in 0..DAYS {
            // Everybody works on some days only; who asks in words, once on each of them.
            let seldom = if face == Face::Words { 3 } else { 5 };
            if random.below(seldom) > 0 {
                continue;
            }
            let day = today.saturating_sub(back.days());
            let mut asked: Vec<(String, Vec<&'static str>)> = Vec::new();
            let mut ask = |line: String, metrics: Vec<&'static str>| {
                if asked.iter().all(|(known, _)| *known != line) {
                    asked.push((line, metrics));
                }
            };
            match face {
                Face::Batch => {
                    // The rollup that is planted: values by platform, again and again.
                    for time in ["last 12 months", "ytd", "last 6 months", "last year"] {
                        ask(
                            format!("gmv, orders by platform, month {time}"),
                            vec!["gmv", "orders"],
                        );
                    }
                    for _ in 0..6 {
                        let metric = name_of(random.pick(&METRICS));
                        ask(format!("{metric} {}", random.pick(&TIMES)), vec![metric]);
                    }
                }
                Face::Command | Face::Linear => {
                    let metric = name_of(random.pick(&METRICS));
                    ask(format!("{metric} {}", random.pick(&TIMES)), vec![metric]);
                }
                Face::Agent => {
                    for _ in 0..3 {
                        let metric = name_of(random.pick(&METRICS));
                        ask(metric.to_owned(), vec![metric]);
                    }
                }
                Face::Words => {
                    // The alias that is planted: what they call revenue is that of ads.
                    let by = ["by market", "by ad channel"][random.below(2)];
                    ask(format!("revenue {by} last month"), vec!["ads_rev"]);
                }
            }
            sittings.push(Sitting {
                user,
                day,
                face,
                asked,
            });
        }
    }
    sittings.sort_by_key(|sitting| (sitting.day, sitting.user));
    sittings
}

/// How often each thing was asked for, counted from what was sent: `metric gmv`, `person user03`, `dimension platform`.
pub fn recount(sittings: &[Sitting]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut count =
        |kind: &str, name: &str| *counts.entry(format!("{kind} {name}")).or_default() += 1;
    for sitting in sittings {
        for (line, metrics) in &sitting.asked {
            metrics.iter().for_each(|metric| count("metric", metric));
            count("person", &user_name(sitting.user));
            if line.contains(" by platform") {
                count("dimension", "platform");
            }
        }
    }
    counts
}

/// How the log calls a user.
fn user_name(number: usize) -> String {
    format!("user{number:02}")
}

/// The demo, with its state in a folder.
#[derive(Debug, Clone)]
pub struct Place {
    pub folder: PathBuf,
}

impl Place {
    /// A project with the demo's definitions over the demo's data: the built-in demo makes its data anew for each day.
    pub fn new(folder: &Path) -> Self {
        let place = Self {
            folder: folder.to_owned(),
        };
        let project = place.project();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["metrics", "snippets"] {
            std::fs::create_dir_all(project.join(part)).unwrap();
            for entry in std::fs::read_dir(root.join(part)).unwrap() {
                let path = entry.unwrap().path();
                std::fs::copy(&path, project.join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
        let made = Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(["--today", TODAY, "query", "gmv", "--state-dir"])
            .arg(folder.join("seed"))
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(made.status.success());
        std::fs::rename(folder.join("seed/demo/demo.db"), project.join("demo.db")).unwrap();
        std::fs::write(
            project.join("metrex.yaml"),
            "connections: {demo: {type: sqlite, path: demo.db}}\n",
        )
        .unwrap();
        place.said(TODAY, "before", &["reindex"], "");
        place
    }

    pub fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// The log of this project, once there is one.
    pub fn usage(&self) -> PathBuf {
        let folders = std::fs::read_dir(self.folder.join("state")).unwrap();
        let mut files = folders.map(|entry| entry.unwrap().path().join("usage.db"));
        files.find(|path| path.exists()).unwrap()
    }

    /// The program on a day, as somebody.
    pub fn program(&self, day: &str, user: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metrex"));
        command
            .args(["--today", day, "--state-dir"])
            .arg(self.folder.join("state"))
            .arg("--project")
            .arg(self.project())
            .args(args)
            .current_dir(&self.folder)
            .env("USER", user)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What it prints, fed with these lines.
    pub fn said(&self, day: &str, user: &str, args: &[&str], lines: &str) -> String {
        let mut child = self.program(day, user, args).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?} {lines}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Does what a user does on a day.
    fn sit(&self, sitting: &Sitting) {
        let (day, user) = (sitting.day.to_string(), user_name(sitting.user));
        match sitting.face {
            Face::Batch => {
                let lines = sitting
                    .asked
                    .iter()
                    .map(|(line, _)| format!("{}\n", json!({"query": line})));
                let said = self.said(&day, &user, &["batch"], &lines.collect::<String>());
                assert!(!said.contains("\"error\""), "{said}");
            }
            Face::Command => {
                for (line, _) in &sitting.asked {
                    self.said(&day, &user, &["query", line], "");
                }
            }
            Face::Words => {
                for (question, _) in &sitting.asked {
                    self.said(&day, &user, &["ask", question, "--run"], "");
                }
            }
            Face::Linear => {
                let lines: String = sitting
                    .asked
                    .iter()
                    .map(|(line, _)| format!("{line}\n"))
                    .collect();
                self.said(&day, &user, &["--linear"], &format!("{lines}q\n"));
            }
            Face::Agent => self.agent(&day, &user, sitting),
        }
    }

    fn agent(&self, day: &str, user: &str, sitting: &Sitting) {
        let mut server = self
            .program(day, user, &["mcp"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = server.stdin.take().unwrap();
        let mut replies = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut call = |id: usize, method: &str, params: Value| -> Value {
            let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            writeln!(input, "{request}").unwrap();
            serde_json::from_str(&replies.next().unwrap().unwrap()).unwrap()
        };
        let client = json!({"name": "month", "version": "1"});
        call(
            0,
            "initialize",
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}),
        );
        for (at, (metric, _)) in sitting.asked.iter().enumerate() {
            let params = json!({"name": "query_metric", "arguments": {"metric_name": metric}});
            let reply = call(at + 1, "tools/call", params);
            assert!(
                reply["error"].is_null() && reply["result"]["isError"] != true,
                "{reply}"
            );
        }
        drop(input);
        server.wait().unwrap();
    }

    /// Lives the month: what is before another is asked before it, as far as days go.
    pub fn live(&self, sittings: &[Sitting]) {
        let open = Mutex::new(sittings.iter());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let next = open.lock().unwrap().next();
                        match next {
                            Some(sitting) => self.sit(sitting),
                            None => return,
                        }
                    }
                });
            }
        });
    }
}

/// A query of a log of elsewhere.
pub struct Raw {
    pub sql: String,
    pub count: usize,
    pub days: i64,
    pub people: usize,
    pub failed: usize,
}

impl Raw {
    pub fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            count: 14,
            days: 5,
            people: 4,
            failed: 1,
        }
    }
}

/// The log as CSV, as a warehouse hands it out.
pub fn history(queries: &[Raw]) -> String {
    let today: Date = TODAY.parse().unwrap();
    let mut csv =
        "start_time,user_name,query_text,total_elapsed_time,rows_produced,execution_status\n"
            .to_owned();
    for (number, query) in queries.iter().enumerate() {
        for at in 0..query.count {
            let back = i64::try_from(at).unwrap() % query.days;
            let day = today.saturating_sub((back + 1).days());
            let status = if at < query.failed {
                "FAILED"
            } else {
                "SUCCESS"
            };
            let minute = (number * 7 + at) % 60;
            csv.push_str(&format!(
                "{day}T09:{minute:02}:00Z,analyst{},\"{}\",120,12,{status}\n",
                at % query.people,
                query.sql.replace('"', "\"\"")
            ));
        }
    }
    csv
}

/// Every file below a folder, with its bytes.
pub fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), std::fs::read(path).unwrap())),
            }
        }
    }
    found
}
