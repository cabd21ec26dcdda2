//! The guard: what a model (or a person) wrote in SQL is parsed, and only what is known to be harmless, true to the
//! definitions and true to the data is let through. See `docs/validator.md`.

mod allowed;
mod calls;
mod emit;
mod expr;
mod filters;
mod finding;
mod joins;
mod known;
mod meaning;
mod names;
mod numbers;
mod parse;
mod personal;
mod recursion;
mod select;
mod tables;
mod text;
mod values;
mod walk;

pub use filters::{RequiredFilter, required_filters};
pub use finding::{Code, Finding, Report, Severity};

use known::Known;
use walk::Walk;

use crate::model::{Registry, ValueLookup};
use crate::warehouse::{Dialect, TableInfo};

/// Stack of the thread that walks the tree. The text is bounded so that no tree needs more.
const STACK: usize = 64 << 20;

/// What SQL is held against.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The definitions: tables, columns and joins.
    pub registry: &'a Registry,
    /// The engine it is for.
    pub dialect: Dialect,
    /// Known values.
    pub values: &'a dyn ValueLookup,
    /// The tables it may read; `None` stands for every table of the definitions.
    pub tables: Option<&'a [String]>,
    /// The snippet it was made from: joins, columns and functions of the snippet are accepted.
    pub snippet: Option<&'a str>,
    /// Conditions that must be there, see [`required_filters`].
    pub required: &'a [RequiredFilter],
    /// The warehouse's own tables, where they are known; columns are then held against these.
    pub schema: Option<&'a [TableInfo]>,
    /// Most rows it may return. Where a reader shows `n` rows, `n + 1` lets it see that there are more.
    pub row_cap: u64,
}

impl<'a> Rules<'a> {
    /// Rules for any query over the definitions.
    pub fn new(
        registry: &'a Registry,
        dialect: Dialect,
        values: &'a dyn ValueLookup,
        row_cap: u64,
    ) -> Self {
        Self {
            registry,
            dialect,
            values,
            tables: None,
            snippet: None,
            required: &[],
            schema: None,
            row_cap,
        }
    }
}

/// Checks SQL: one query that reads known tables by known joins, calls harmless functions, compares columns with values
/// that occur, keeps the conditions it must keep, and ends.
///
/// It never fails and never panics: what cannot be understood is blocked.
pub fn validate(sql: &str, rules: &Rules<'_>) -> Report {
    let check = || check(sql, rules);
    let unchecked = || {
        Report::default().refused_by_engine("the SQL could not be checked: no thread for it", None)
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("validate".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, check)
            .ok()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_else(unchecked)
    })
}

fn check(sql: &str, rules: &Rules<'_>) -> Report {
    let query = match parse::query(sql, rules.dialect) {
        Ok(query) => query,
        Err(finding) => {
            return Report {
                findings: vec![*finding],
                sql: None,
            };
        }
    };
    let mut walk = Walk::new(Known::collect(rules), rules.dialect);
    walk.statement(&query);
    values::check(&mut walk, rules.values);
    filters::check(&mut walk, rules.required);
    let mut findings = walk.findings;
    findings.sort_by_key(|finding| (finding.line, finding.column, finding.severity, finding.code));
    let blocks = |finding: &Finding| finding.severity == Severity::Block;
    if findings.iter().any(blocks) {
        return Report {
            findings,
            sql: None,
        };
    }
    match emit::sql(query, walk.stars, rules) {
        Ok(sql) => Report {
            findings,
            sql: Some(sql),
        },
        Err(finding) => {
            findings.push(*finding);
            Report {
                findings,
                sql: None,
            }
        }
    }
}
