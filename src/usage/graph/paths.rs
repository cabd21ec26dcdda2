//! Ways from one table to another over declared joins, and how fast queries were that went them.

use serde::Serialize;

use super::Used;
use crate::store::{Connection, SqlError, params};
use crate::usage::{Usage, UsageError};

/// The longest way that is looked for, in joins.
const LONGEST: usize = 4;

/// A declared join: rows of one table to at most one row each of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct JoinHop {
    /// The table with many rows.
    pub from: String,
    /// The table with one row for each of them.
    pub to: String,
    /// The pairs of columns, as the graph has them: `orders.buyer_id = users.user_id`.
    pub on: Vec<String>,
}

/// A way from one table to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinPath {
    /// The joins, and whether each goes from one row to many, which multiplies rows.
    pub hops: Vec<(JoinHop, bool)>,
}

impl JoinPath {
    /// Whether rows are multiplied on the way.
    pub fn multiplies(&self) -> bool {
        self.hops.iter().any(|(_, is_back)| *is_back)
    }

    /// All its pairs of columns, each once.
    pub fn pairs(&self) -> Vec<&str> {
        let mut pairs: Vec<&str> = self
            .hops
            .iter()
            .flat_map(|(hop, _)| hop.on.iter().map(String::as_str))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The tables on the way, both ends included.
    pub fn tables(&self) -> Vec<&str> {
        let first = self.hops.first().map(|(hop, is_back)| start(hop, *is_back));
        let rest = self.hops.iter().map(|(hop, is_back)| end(hop, *is_back));
        first.into_iter().chain(rest).collect()
    }
}

fn start(hop: &JoinHop, is_back: bool) -> &str {
    if is_back { &hop.to } else { &hop.from }
}

fn end(hop: &JoinHop, is_back: bool) -> &str {
    if is_back { &hop.from } else { &hop.to }
}

/// Every way between two tables of at most four joins that passes no table twice: the shortest first, of equal ones those that
/// multiply no rows first.
pub fn paths_between(joins: &[JoinHop], from: &str, to: &str) -> Vec<JoinPath> {
    let mut found = Vec::new();
    let mut way = Vec::new();
    walk(
        joins,
        (from, to),
        &mut vec![from.to_owned()],
        &mut way,
        &mut found,
    );
    found.sort_by(|a, b| {
        let key = |path: &JoinPath| (path.hops.len(), path.multiplies());
        key(a).cmp(&key(b)).then_with(|| a.hops.cmp(&b.hops))
    });
    found.dedup();
    found
}

fn walk(
    joins: &[JoinHop],
    (here, to): (&str, &str),
    passed: &mut Vec<String>,
    way: &mut Vec<(JoinHop, bool)>,
    found: &mut Vec<JoinPath>,
) {
    if here == to {
        if !way.is_empty() {
            found.push(JoinPath { hops: way.clone() });
        }
        return;
    }
    if way.len() == LONGEST {
        return;
    }
    for hop in joins {
        for is_back in [false, true] {
            let next = end(hop, is_back);
            if start(hop, is_back) != here || passed.iter().any(|table| table == next) {
                continue;
            }
            passed.push(next.to_owned());
            way.push((hop.clone(), is_back));
            walk(joins, (next, to), passed, way, found);
            way.pop();
            passed.pop();
        }
    }
}

/// How queries did that used all of some joins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// Their runs; none where the way was never gone.
    #[serde(flatten)]
    pub used: Used,
    /// Shapes of queries.
    pub shapes: u64,
}

impl Usage {
    /// How the queries did that joined on all of these pairs of columns, whatever else they joined.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn measured(&self, pairs: &[&str]) -> Result<Measured, UsageError> {
        self.read(|file| measured(file, pairs))
    }

    /// The pairs of columns that queries joined two tables on, with their use, the most used first.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn joined(&self, one: &str, other: &str) -> Result<Vec<(String, Used)>, UsageError> {
        self.read(|file| {
            let mut statement = file.prepare_cached(
                "SELECT id, key FROM nodes WHERE kind = 'join_path' \
                 AND (key LIKE ?1 || '.%' OR key LIKE '% = ' || ?1 || '.%')",
            )?;
            let rows = statement.query_map([one], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut found = Vec::new();
            for row in rows {
                let (id, key): (i64, String) = row?;
                if ends_of(&key).is_some_and(|ends| is_pair(ends, one, other)) {
                    let mut used = Used::default();
                    let queries = super::around::queries(file, super::NodeKind::JoinPath, id)?;
                    queries.values().for_each(|of| used.add(*of));
                    found.push((key, used));
                }
            }
            found.sort_by(|(a, one), (b, other)| other.runs.cmp(&one.runs).then(a.cmp(b)));
            Ok(found)
        })
    }
}

/// The tables of a pair of columns.
fn ends_of(pair: &str) -> Option<(&str, &str)> {
    let (left, right) = pair.split_once(" = ")?;
    Some((left.rsplit_once('.')?.0, right.rsplit_once('.')?.0))
}

fn is_pair(ends: (&str, &str), one: &str, other: &str) -> bool {
    ends == (one, other) || ends == (other, one)
}

fn measured(file: &Connection, pairs: &[&str]) -> Result<Measured, SqlError> {
    let wanted = serde_json::Value::from(pairs).to_string();
    let mut statement = file.prepare_cached(super::sql::JOINED_ON_ALL)?;
    let mut rows = statement.query(params![wanted, pairs.len()])?;
    let mut measured = Measured::default();
    while let Some(row) = rows.next()? {
        measured.used.add(Used::read(row, 0)?);
        measured.shapes += 1;
    }
    Ok(measured)
}
