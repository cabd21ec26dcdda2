//! How queries are answered by what was learned: as ever until there is enough, the SQL shown is the SQL run, and no answer changes.
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
use std::path::PathBuf;
use std::process::Command;

use jiff::{Timestamp, ToSpan};
use metrex::learn::policy::{Arms, Choice, Decision, Head};
use metrex::model::MetricQuery;
use metrex::session::{Answer, OpenOptions, RunOptions, Session};
use metrex::usage::{Facts, Logged, Outcome, QueryRecord, Thumb, Usage};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Two counts of the same rows, one of them under a condition: read in one scan, or in two.
const LINE: &str = "orders, ads_orders by market";

const APART: u8 = 0;

struct Shop(TempDir);

impl Shop {
    fn new(policy: &str) -> Self {
        let folder = project::shop();
        let more = "metrics:\n  ads_orders:\n    base_table: orders\n    agg: count\n    filters: [\"channel = 'ads'\"]\n";
        fs::write(folder.path().join("metrics/more.yaml"), more).unwrap();
        let file = folder.path().join("metrex.yaml");
        let config = fs::read_to_string(&file).unwrap() + policy;
        fs::write(file, config).unwrap();
        Self(folder)
    }

    fn state(&self) -> PathBuf {
        self.0.path().join(".state")
    }

    fn open(&self) -> Session {
        Session::open(OpenOptions {
            project: Some(self.0.path().to_owned()),
            state_dir: Some(self.state()),
            today: Some(project::TODAY.parse().unwrap()),
            user: Some("ana".to_owned()),
            ..OpenOptions::default()
        })
        .unwrap()
    }

    fn usage(&self) -> Usage {
        Usage::open(&self.open().state().path().join("usage.db")).unwrap()
    }

    fn log(&self) -> Vec<Logged> {
        let mut log = Vec::new();
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        self.usage()
            .logged(from, to, &mut |logged| log.push(logged))
            .unwrap();
        log
    }

    /// A log in which `LINE` was read in one scan and in two by turns, and how long each took.
    async fn lived(&self, usual_ms: u64, apart_ms: u64, deviates: bool) {
        run(&self.open()).await;
        let first = decision(&self.log()[0]);
        let usage = self.usage();
        for at in 0..640_u32 {
            let mut one = first.clone();
            one.context.mask = one.context.mask.with(Head::Optimisation, APART, true);
            let Arms([skill, join, _, kept]) = one.context.rule;
            one.choice = Choice {
                arms: match at % 2 {
                    0 => one.context.rule,
                    _ => Arms([skill, join, APART, kept]),
                },
                odds: [1.0, 1.0, 0.5, 1.0],
                joint: 0.5,
                is_trial: true,
            };
            one.deviates = deviates;
            one.own = f64::from(one.choice.arms != one.context.rule);
            usage.record(QueryRecord {
                at: Timestamp::now() - (i64::from(700 - at)).minutes(),
                user: "ana".to_owned(),
                session: "before".to_owned(),
                connection: "main".to_owned(),
                line: LINE.to_owned(),
                facts: Facts::default(),
                // Times are never quite the same.
                ms: if at % 2 == 0 { usual_ms } else { apart_ms } + u64::from(at % 7),
                rows: 3,
                outcome: Outcome::Ok,
                choice: Some(serde_json::to_string(&one).unwrap()),
                ..QueryRecord::default()
            });
        }
        usage.flush();
    }

    fn said(&self, args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_metrex"))
            .args(["--today", project::TODAY, "--project"])
            .arg(self.0.path())
            .arg("--state-dir")
            .arg(self.state())
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn query() -> MetricQuery {
    LINE.parse().unwrap()
}

async fn run(session: &Session) -> Answer {
    let options = RunOptions::default();
    session
        .answer(&query(), options, CancellationToken::new())
        .await
        .unwrap()
}

fn decision(logged: &Logged) -> Decision {
    serde_json::from_str(logged.record.choice.as_deref().unwrap()).unwrap()
}

fn arm(decision: &Decision) -> u8 {
    decision.choice.arms.of(Head::Optimisation)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_evidence_everything_is_answered_as_ever_and_what_was_known_is_logged() {
    let shop = Shop::new("");
    let session = shop.open();
    let usual = session.compile(&query()).unwrap();
    let answer = run(&session).await;
    assert_eq!(answer.sql, usual.main.sql);
    // Answered from memory: that says nothing of how rows are read.
    assert!(run(&session).await.cached.is_some());
    drop(session);
    let log = shop.log();
    let decision = decision(&log[0]);
    assert_eq!(decision.choice.arms, decision.context.rule);
    assert_eq!((decision.choice.joint, decision.deviates), (1.0, false));
    assert_eq!(log[1].record.choice, None);
    let trained = shop.said(&["policy", "train"]);
    assert!(
        trained.contains("answered as usual until there are 64"),
        "{trained}"
    );
    assert_eq!(shop.log()[0].reward, Some(17.0));
    assert_eq!(
        shop.open().compile(&query()).unwrap().main.sql,
        usual.main.sql
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_is_likely_to_be_better_is_taken_and_gives_the_same_rows() {
    let shop = Shop::new("policy: {explore: false}\n");
    let usual = shop.open().compile(&query()).unwrap();
    shop.lived(3000, 300, false).await;
    let report = shop.said(&["policy", "train"]);
    assert!(
        report.contains("partition_filter") && report.contains(LINE),
        "{report}"
    );
    assert!(report.contains("Verdict: none yet"), "{report}");
    let (mut taken, mut kept) = (0, 0);
    let mut rows = Vec::new();
    for _ in 0..30 {
        let session = shop.open();
        let shown = session.compile(&query()).unwrap();
        let again = session.compile(&query()).unwrap();
        assert_eq!(shown.main.sql, again.main.sql);
        let answer = run(&session).await;
        assert_eq!(
            answer.sql, shown.main.sql,
            "the SQL that is shown is the SQL that runs"
        );
        rows.push(format!("{:?}", answer.batches));
        drop(session);
        let decision = decision(shop.log().last().unwrap());
        assert!(decision.deviates && decision.learned_from >= 64);
        match answer.sql == usual.main.sql {
            true => kept += 1,
            false => taken += 1,
        }
        assert_eq!(arm(&decision) == APART, answer.sql != usual.main.sql);
    }
    assert!(rows.iter().all(|one| *one == rows[0]));
    // Half of them go on as the control of the A/B test.
    assert!(taken > 3 && kept > 3, "{taken} {kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_did_worse_falls_back_to_the_rule() {
    let shop = Shop::new("policy: {explore: false}\n");
    let usual = shop.open().compile(&query()).unwrap();
    shop.lived(300, 70_000, true).await;
    let report = shop.said(&["policy", "train"]);
    assert!(report.contains("the hand rule is better"), "{report}");
    for _ in 0..10 {
        assert_eq!(
            shop.open().compile(&query()).unwrap().main.sql,
            usual.main.sql
        );
    }
    assert_eq!(
        shop.said(&["policy"]),
        report,
        "looking at it is no training"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_wrong_is_a_failure_and_training_twice_changes_nothing() {
    let shop = Shop::new("");
    run(&shop.open()).await;
    run(&shop.open()).await;
    let usage = shop.usage();
    let log = shop.log();
    usage.say(log[1].id, Thumb::Down, None, Timestamp::now());
    usage.flush();
    let session = shop.open();
    session.train_policy().unwrap();
    let rewards = || {
        shop.log()
            .iter()
            .map(|logged| logged.reward)
            .collect::<Vec<_>>()
    };
    let first = rewards();
    assert_eq!(first[1], Some(-5.0));
    let lesson = usage.lesson().unwrap();
    session.train_policy().unwrap();
    assert_eq!((rewards(), usage.lesson().unwrap()), (first, lesson));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_of_a_person_goes_with_their_queries() {
    let shop = Shop::new("");
    run(&shop.open()).await;
    shop.open().train_policy().unwrap();
    let usage = shop.usage();
    assert!(usage.lesson().unwrap().is_some());
    usage
        .purge(metrex::usage::Purge::Person("ana".to_owned()))
        .unwrap();
    assert_eq!(usage.lesson().unwrap(), None);
}
