//! Join paths: the shortest and the fastest, held against trying all of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "support/used.rs"]
mod used;

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::civil::date;
use metrex::session::{OpenOptions, Session};
use metrex::usage::{Outcome, QueryRecord, Usage};
use proptest::prelude::*;
use tempfile::TempDir;
use used::{Dice, record};

const TABLES: usize = 6;

/// A join of the random project: from, to, and the column it is on.
type Joined = (usize, usize, usize);

/// A project of six tables with random joins.
fn project(joins: &[Joined]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("metrics")).unwrap();
    std::fs::write(
        folder.path().join("metrex.yaml"),
        "connections:\n  main: {type: sqlite, path: x.db}\n",
    )
    .unwrap();
    let mut text = "datasets:\n".to_owned();
    for table in 0..TABLES {
        write!(text, "  t{table}:\n    table: t{table}\n    key: id\n").unwrap();
        let own: Vec<&Joined> = joins.iter().filter(|(from, ..)| *from == table).collect();
        if !own.is_empty() {
            text.push_str("    joins:\n");
        }
        for (_, to, column) in own {
            writeln!(
                text,
                "      j{to}_{column}: {{to: t{to}, on: {{c{column}: id}}}}"
            )
            .unwrap();
        }
    }
    text.push_str("metrics:\n  rows: {base_table: t0, agg: count}\n");
    std::fs::write(folder.path().join("metrics/all.yaml"), text).unwrap();
    folder
}

fn pair((from, to, column): &Joined) -> String {
    let (here, there) = (format!("t{from}.c{column}"), format!("t{to}.id"));
    if here <= there {
        format!("{here} = {there}")
    } else {
        format!("{there} = {here}")
    }
}

/// Every way from the first table to the last one of at most four joins, by trying all sequences of joins.
fn all_ways(joins: &[Joined]) -> Vec<Vec<Joined>> {
    let mut found = Vec::new();
    let mut open: Vec<(Vec<usize>, Vec<Joined>)> = vec![(vec![0], Vec::new())];
    while let Some((tables, way)) = open.pop() {
        let here = *tables.last().unwrap();
        if here == TABLES - 1 {
            found.push(way);
            continue;
        }
        if way.len() == 4 {
            continue;
        }
        for join in joins {
            let next = match (join.0 == here, join.1 == here) {
                (true, _) => join.1,
                (_, true) => join.0,
                _ => continue,
            };
            if !tables.contains(&next) {
                let (mut tables, mut way) = (tables.clone(), way.clone());
                tables.push(next);
                way.push(*join);
                open.push((tables, way));
            }
        }
    }
    found
}

/// Runs and mean milliseconds of the answered queries that joined on all of these pairs.
fn measured(log: &[QueryRecord], way: &[Joined]) -> (usize, Option<f64>) {
    let pairs: BTreeSet<String> = way.iter().map(pair).collect();
    let went = |record: &&QueryRecord| pairs.iter().all(|pair| record.facts.joins.contains(pair));
    let runs: Vec<&QueryRecord> = log.iter().filter(went).collect();
    let answered: Vec<u64> = runs
        .iter()
        .filter(|record| record.outcome.is_ok())
        .map(|record| record.ms)
        .collect();
    let mean =
        (!answered.is_empty()).then(|| answered.iter().sum::<u64>() as f64 / answered.len() as f64);
    (runs.len(), mean)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_shortest_and_the_fastest_path_are_those_of_trying_all(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let mut joins = BTreeSet::new();
        for _ in 0..5 + dice.below(5) {
            let (from, to) = (dice.below(TABLES), dice.below(TABLES));
            if from != to {
                joins.insert((from, to, dice.below(2)));
            }
        }
        let joins: Vec<Joined> = joins.into_iter().collect();
        let folder = project(&joins);
        let session = Session::open(OpenOptions {
            project: Some(folder.path().to_owned()),
            state_dir: Some(folder.path().join(".state")),
            today: Some(date(2025, 11, 20)),
            ..OpenOptions::default()
        }).unwrap();
        let mut log = Vec::new();
        for run in 0..30 {
            let mut pairs: Vec<String> = joins.iter().filter(|_| dice.below(2) == 0).map(pair).collect();
            pairs.sort();
            // Runs of equal joins are of one shape, as they are in a log.
            let mut one = record(&pairs.join(" "), date(2025, 11, 20), 1 + run % 9, |facts| facts.joins = pairs);
            one.ms = 10 + dice.below(500) as u64;
            if dice.below(6) == 0 {
                one.outcome = Outcome::Failed("down".to_owned());
            }
            log.push(one);
        }
        let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
        log.iter().cloned().for_each(|one| usage.record(one));
        usage.flush();

        let tried = all_ways(&joins);
        let last = format!("t{}", TABLES - 1);
        let found = session.graph_ways("t0", &last);
        let Some(fewest) = tried.iter().map(Vec::len).min() else {
            prop_assert_eq!(found.unwrap_err().code(), "no_path");
            return Ok(());
        };
        let found = found.unwrap();
        prop_assert_eq!(found.ways.len(), tried.len());
        prop_assert_eq!(found.shortest().unwrap().joins, fewest);
        for way in &found.ways {
            let same = tried.iter().find(|other| {
                let pairs: Vec<String> = other.iter().map(pair).collect();
                pairs == way.on
            });
            let (runs, mean) = measured(&log, same.unwrap());
            prop_assert_eq!(way.used.map_or(0, |used| used.used.runs), runs as u64);
            prop_assert_eq!(way.used.and_then(|used| used.used.mean_ms()), mean);
        }
        let best = tried.iter().filter_map(|way| measured(&log, way).1).min_by(f64::total_cmp);
        let fastest = found.fastest().and_then(|way| way.used).and_then(|used| used.used.mean_ms());
        prop_assert_eq!(fastest, best);
    }
}

#[test]
fn a_path_nobody_went_is_said_to_be_so_and_one_nobody_declared_is_shown() {
    let folder = project(&[(0, 1, 0), (1, 5, 0)]);
    let session = Session::open(OpenOptions {
        project: Some(folder.path().to_owned()),
        state_dir: Some(folder.path().join(".state")),
        today: Some(date(2025, 11, 20)),
        ..OpenOptions::default()
    })
    .unwrap();
    let ways = session.graph_ways("t0", "t5").unwrap();
    assert_eq!((ways.fastest, ways.shortest().unwrap().used), (None, None));
    let said = session.ways_outline(&ways).lines().join("\n");
    assert!(
        said.contains("t0 → t1 → t5  2 joins · never used"),
        "{said}"
    );
    assert!(said.contains("fastest: not known"), "{said}");

    let usage = Usage::open(&session.state().path().join("usage.db")).unwrap();
    usage.record(record("", date(2025, 11, 20), 1, |facts| {
        facts.joins = vec!["t0.z = t5.id".to_owned()]
    }));
    usage.flush();
    let ways = session.graph_ways("t5", "t0").unwrap();
    assert_eq!(ways.undeclared[0].0, "t0.z = t5.id");
    // The other way round, each step leads from one row to many.
    assert!(ways.shortest().unwrap().multiplies_rows);
    let none = session.graph_ways("t0", "t3").unwrap_err();
    assert_eq!(none.code(), "no_path");
    let same = session.graph_ways("t0", "t0").unwrap_err();
    assert_eq!(same.code(), "no_path");
}
