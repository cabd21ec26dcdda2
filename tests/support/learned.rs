//! A log of use, made by hand: who asked what on which days.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;
use metrex::usage::{Facts, FilterFact, Outcome, QueryRecord, Route, Usage};

/// The day that everything is asked on.
pub fn today() -> Date {
    "2026-11-20".parse().unwrap()
}

/// How often something was asked, and how it went.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// How many times.
    pub count: usize,
    /// On how many different days.
    pub days: usize,
    /// By how many people.
    pub people: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many milliseconds each took.
    pub ms: u64,
}

impl Uses {
    /// Enough for everything.
    pub const ENOUGH: Self = Self {
        count: 12,
        days: 4,
        people: 3,
        failed: 1,
        ms: 40,
    };
}

/// SQL that somebody wrote, with what it is about.
pub fn sql(text: &str, facts: Facts) -> QueryRecord {
    QueryRecord {
        route: Route::Sql,
        sql: text.to_owned(),
        fingerprint: text.to_owned(),
        facts,
        connection: "demo".to_owned(),
        rows: 3,
        ..QueryRecord::default()
    }
}

/// A query line, with what it is about.
pub fn line(text: &str, facts: Facts) -> QueryRecord {
    QueryRecord {
        route: Route::Line,
        line: text.to_owned(),
        facts,
        connection: "demo".to_owned(),
        rows: 3,
        ..QueryRecord::default()
    }
}

/// The facts of an aggregation over tables.
pub fn aggregation(of: &str, tables: &[&str]) -> Facts {
    Facts {
        tables: words(tables),
        aggregations: words(&[of]),
        ..Facts::default()
    }
}

pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub fn condition(on: &str, op: &str, values: &[&str]) -> FilterFact {
    FilterFact {
        on: on.to_owned(),
        op: op.to_owned(),
        values: words(values),
    }
}

/// Writes uses of a query into a log, on the days before [`today`], the last ones first.
pub fn used(usage: &Usage, record: &QueryRecord, uses: Uses) {
    for at in 0..uses.count {
        let day = today().saturating_sub((i64::try_from(at % uses.days).unwrap()).days());
        let minute = i8::try_from(at % 60).unwrap();
        let hour = i8::try_from(8 + at / 60 % 12).unwrap();
        let at_time = day.at(hour, minute, 0, 0).in_tz("UTC").unwrap().timestamp();
        usage.record(QueryRecord {
            at: at_time,
            user: format!("person {}", at % uses.people),
            session: format!("{day} {}", at % uses.people),
            ms: uses.ms,
            outcome: match at < uses.failed {
                true => Outcome::Failed("no such table".to_owned()),
                false => Outcome::Ok,
            },
            ..record.clone()
        });
    }
}

/// The log of the demo in a state folder.
pub fn log(state: &Path) -> Usage {
    std::fs::create_dir_all(state.join("demo")).unwrap();
    Usage::open(&state.join("demo/usage.db")).unwrap()
}
