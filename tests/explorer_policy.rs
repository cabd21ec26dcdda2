//! How the policy does, in the explorer: the curve with its band, the first queries beside the last, and what was chosen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/explorer.rs"]
mod support;

use jiff::{Timestamp, ToSpan};
use metrex::learn::policy::{Arms, Choice, Decision, Head};
use metrex::tui::popup::{Page, Popup};
use metrex::usage::{Logged, Outcome, QueryRecord, Usage};
use support::Explorer;

/// Reading each aggregation from a scan of its own.
const APART: u8 = 0;

/// Queries of the log.
const QUERIES: u32 = 640;

fn usage(explorer: &Explorer) -> Usage {
    Usage::open(&explorer.session.state().path().join("usage.db")).unwrap()
}

fn log(usage: &Usage) -> Vec<Logged> {
    let mut log = Vec::new();
    usage
        .logged(Timestamp::MIN, Timestamp::MAX, &mut |logged| {
            log.push(logged)
        })
        .unwrap();
    log
}

/// What is decided about a query.
fn decision() -> Decision {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<F2>gmv, orders by market 2026-10<Enter><F5>");
    let usage = usage(&explorer);
    explorer.session.policy_report().unwrap();
    serde_json::from_str(log(&usage)[0].record.choice.as_deref().unwrap()).unwrap()
}

/// An explorer over a log in which the usual way took two seconds and another one 300 milliseconds, and was taken more and more.
fn lived(width: u16, height: u16) -> Explorer {
    let explorer = Explorer::new(width, height);
    let (first, usage) = (decision(), usage(&explorer));
    for at in 0..QUERIES {
        let is_apart = at * at / QUERIES % 3 < at * 3 / QUERIES;
        let mut one = first.clone();
        one.context.mask = one.context.mask.with(Head::Optimisation, APART, true);
        let Arms([skill, join, _, kept]) = one.context.rule;
        one.choice = Choice {
            arms: match is_apart {
                false => one.context.rule,
                true => Arms([skill, join, APART, kept]),
            },
            odds: [1.0, 1.0, 0.5, 1.0],
            joint: 0.5,
            is_trial: true,
        };
        one.deviates = true;
        one.own = f64::from(is_apart);
        usage.record(QueryRecord {
            at: Timestamp::UNIX_EPOCH + (i64::from(at)).minutes(),
            user: "ana".to_owned(),
            session: "before".to_owned(),
            connection: "shop".to_owned(),
            line: "gmv, orders by market".to_owned(),
            ms: if is_apart { 300 } else { 2000 } + u64::from(at % 7),
            rows: 3,
            outcome: match at % 11 {
                0 => Outcome::Failed("down".to_owned()),
                _ => Outcome::Ok,
            },
            choice: Some(serde_json::to_string(&one).unwrap()),
            ..QueryRecord::default()
        });
    }
    usage.flush();
    explorer
}

#[test]
fn curve_table_choices_and_test_fit_on_small_and_large_screens() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut explorer = lived(width, height);
        explorer.keys("<Esc>*");
        insta::assert_snapshot!(format!("policy_{width}x{height}"), explorer.screen());
        explorer.keys("<End>");
        assert_shows!(explorer, "Verdict: ");
    }
}

#[test]
fn the_numbers_are_those_of_the_log() {
    let explorer = lived(80, 24);
    let report = explorer.session.policy_report().unwrap();
    let usage = usage(&explorer);
    explorer.session.train_policy().unwrap();
    let log = log(&usage);
    assert_eq!(
        (report.queries, log.len()),
        (QUERIES as usize, QUERIES as usize)
    );
    let mean =
        |log: &[Logged], of: fn(&Logged) -> f64| log.iter().map(of).sum::<f64>() / log.len() as f64;
    let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    let ends = [&log[..], &log[..100], &log[log.len() - 100..]];
    for (stretch, log) in report.stretches.iter().zip(ends) {
        assert_eq!(stretch.queries, log.len());
        close(stretch.reward, mean(log, |one| one.reward.unwrap()));
        close(stretch.ms, mean(log, |one| one.record.ms as f64));
        close(
            stretch.succeeded,
            mean(log, |one| {
                f64::from(u8::from(one.record.outcome == Outcome::Ok))
            }),
        );
    }
    for place in &report.curve {
        let last = &log[place.queries.saturating_sub(100)..place.queries];
        close(place.mean, mean(last, |one| one.reward.unwrap()));
        assert!(place.low <= place.mean && place.mean <= place.high);
    }
    assert_eq!(report.curve[0].queries, 20);
    assert_eq!(report.curve.last().unwrap().queries, log.len());
    for taken in &report.decisions {
        let all: f64 = taken.ways.iter().map(|(_, share)| share).sum();
        close(all, 1.0);
    }
}

#[test]
fn without_a_log_it_says_what_comes_of_asking() {
    let mut explorer = Explorer::new(80, 24);
    explorer.keys("<Esc>*");
    assert_shows!(explorer, "Nothing was decided yet");
    explorer.keys("q");
    assert!(explorer.state.popups.is_empty());
    explorer.hold = true;
    explorer.keys("*");
    assert_shows!(explorer, "reading the log");
    explorer.keys("<Esc>");
    explorer.release();
    assert!(explorer.state.popups.is_empty());
}

#[test]
fn it_is_filled_in_under_what_was_opened_over_it_meanwhile() {
    let mut explorer = lived(80, 24);
    explorer.keys("<Esc>");
    explorer.hold = true;
    explorer.keys("*<F1>");
    explorer.release();
    explorer.keys("<Esc>");
    assert_shows!(explorer, "How the policy does", "Algorithm");
}

#[test]
fn the_report_can_be_copied_as_it_is_printed() {
    let mut explorer = lived(80, 24);
    explorer.keys("<Esc>*y");
    let Some(Popup::Reader(reader)) = explorer.state.popups.last() else {
        panic!("the window is not open");
    };
    assert!(matches!(&reader.page, Page::Policy(Some(_))));
    let printed = explorer.session.policy_report().unwrap().markdown();
    assert!(explorer.copied.contains(&printed));
}
