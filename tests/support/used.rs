//! Records of use made by hand, and the graph counted from the log by other code than the program's.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use metrex::usage::graph::{NodeKind, Thing, Way};
use metrex::usage::{Facts, Logged, QueryRecord};

/// A seeded generator: splitmix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

/// A query that was answered in 40 ms so many days before a day, at noon.
pub fn record(line: &str, today: Date, days: i64, about: impl FnOnce(&mut Facts)) -> QueryRecord {
    let noon = today.at(12, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
    let mut record = QueryRecord {
        at: noon - SignedDuration::from_hours(24 * days),
        user: "ada".to_owned(),
        session: format!("s{days}"),
        connection: "main".to_owned(),
        line: line.to_owned(),
        ms: 40,
        rows: 3,
        ..QueryRecord::default()
    };
    about(&mut record.facts);
    record
}

/// Runs, answered ones, their milliseconds, and when the last one began.
type Counts = (u64, u64, u64, Option<Timestamp>);

/// Two things and what the one has to do with the other.
type Pair = (String, &'static str, String);

/// The graph as counted from the log.
pub struct Recount {
    pub edges: BTreeMap<Pair, Counts>,
    /// What each run touches, and whether it was answered.
    runs: Vec<(Vec<(Way, String)>, bool)>,
}

impl Recount {
    pub fn of(log: &[Logged]) -> Self {
        let mut edges: BTreeMap<Pair, Counts> = BTreeMap::new();
        let mut last_of_session: HashMap<&str, String> = HashMap::new();
        let shapes: HashMap<i64, String> = log
            .iter()
            .map(|one| (one.id, format!("query:{}", one.record.shape())))
            .collect();
        let mut runs = Vec::new();
        for one in log {
            let record = &one.record;
            let at = Timestamp::from_millisecond(record.at.as_millisecond()).unwrap();
            let is_ok = record.outcome.is_ok();
            let query = shapes[&one.id].clone();
            let mut seen: Vec<Pair> = Vec::new();
            for (way, kind, to) in touched(&record.facts) {
                let _ = way;
                seen.push((query.clone(), kind, to));
            }
            for metric in &record.facts.metrics {
                for dimension in &record.facts.dimensions {
                    seen.push((
                        format!("metric:{metric}"),
                        "HAS_DIMENSION",
                        format!("dimension:{dimension}"),
                    ));
                }
            }
            for (metric, part) in &record.facts.derives {
                seen.push((
                    format!("metric:{metric}"),
                    "DERIVES",
                    format!("metric:{part}"),
                ));
            }
            for (metric, table) in &record.facts.computed_from {
                seen.push((
                    format!("metric:{metric}"),
                    "COMPUTED_FROM",
                    format!("table:{table}"),
                ));
            }
            seen.push((format!("person:{}", record.user), "ASKED", query.clone()));
            let before = last_of_session.insert(&record.session, query.clone());
            if let Some(before) = before.filter(|before| *before != query) {
                seen.push((query.clone(), "FOLLOWS", before));
            }
            seen.sort();
            seen.dedup();
            for pair in seen {
                let counts = edges.entry(pair).or_default();
                counts.0 += 1;
                if is_ok {
                    counts.1 += 1;
                    counts.2 += record.ms;
                }
                counts.3 = counts.3.max(Some(at));
            }
            if let Some(by) = one.corrected_by {
                let counts = edges
                    .entry((shapes[&by].clone(), "CORRECTS", query.clone()))
                    .or_default();
                counts.0 += 1;
                let corrector = log.iter().find(|other| other.id == by).unwrap();
                let at = Timestamp::from_millisecond(corrector.record.at.as_millisecond()).unwrap();
                counts.3 = counts.3.max(Some(at));
            }
            let mut things: Vec<(Way, String)> = touched(&record.facts)
                .into_iter()
                .map(|(way, _, to)| (way, to))
                .collect();
            things.push((Way::Person, format!("person:{}", record.user)));
            things.sort();
            things.dedup();
            runs.push((things, is_ok));
        }
        Self { edges, runs }
    }

    /// The things that runs touched beside one, in a way, with their runs and the answered ones of these.
    pub fn beside(&self, thing: &Thing, way: Way) -> BTreeMap<String, (u64, u64)> {
        let here = thing.word();
        let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (things, is_ok) in &self.runs {
            if things.iter().any(|(_, other)| *other == here) {
                let beside = things
                    .iter()
                    .filter(|(of, other)| *of == way && *other != here);
                for (_, other) in beside {
                    let counts = found.entry(other.clone()).or_default();
                    counts.0 += 1;
                    counts.1 += u64::from(*is_ok);
                }
            }
        }
        found
    }
}

/// What a run touches: in which way, by which edge, and what.
fn touched(facts: &Facts) -> Vec<(Way, &'static str, String)> {
    let mut found = Vec::new();
    let named = |kind: NodeKind, key: &str| Thing::new(kind, key).word();
    for table in &facts.tables {
        found.push((Way::Table, "ACCESSES", named(NodeKind::Table, table)));
    }
    for column in &facts.columns {
        found.push((Way::Column, "ACCESSES", named(NodeKind::Column, column)));
    }
    for join in &facts.joins {
        found.push((Way::Join, "USES_JOIN_PATH", named(NodeKind::JoinPath, join)));
    }
    for metric in &facts.metrics {
        found.push((
            Way::AskedWith,
            "CALCULATES",
            named(NodeKind::Metric, metric),
        ));
    }
    for dimension in &facts.dimensions {
        found.push((
            Way::GroupedBy,
            "GROUPS_BY",
            named(NodeKind::Dimension, dimension),
        ));
    }
    for filter in &facts.filters {
        let kind = match facts.columns.contains(&filter.on) {
            true => NodeKind::Column,
            false => NodeKind::Dimension,
        };
        found.push((Way::FilteredBy, "FILTERS", named(kind, &filter.on)));
        for value in &filter.values {
            let key = format!("{}={value}", filter.on);
            found.push((Way::Value, "FILTERS", named(NodeKind::Value, &key)));
        }
    }
    for answer in &facts.answered_by {
        found.push((Way::AnsweredFrom, "ANSWERED_BY", answer.clone()));
    }
    found
}
