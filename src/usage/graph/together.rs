//! What is used together more than chance would have it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::around::queries;
use super::{NodeKind, Thing, Used, node, thing_at};
use crate::store::{Connection, SqlError};
use crate::usage::schema::RUNS;
use crate::usage::{Usage, UsageError};

/// Fewer runs than this say nothing about chance.
const ENOUGH: u64 = 5;

/// A thing that was used together with another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The thing.
    #[serde(flatten)]
    pub thing: Thing,
    /// The runs that both had a part in.
    #[serde(rename = "together")]
    pub used: Used,
    /// The runs that it had a part in, with the other one or without.
    pub runs: u64,
    /// How many times as often as chance would have it: 1 is chance. `None` where there are too few runs to say.
    pub lift: Option<f64>,
}

/// What was used together with a metric or a dimension, by count.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Together {
    /// Runs of the thing itself.
    pub runs: u64,
    /// All runs of the log.
    pub of: u64,
    /// Metrics in the same query.
    pub metrics: Vec<Pair>,
    /// Dimensions that the same query was grouped or filtered by.
    pub dimensions: Vec<Pair>,
}

impl Usage {
    /// The metrics and dimensions that a thing was used together with, at most `limit` of each.
    ///
    /// The lift of a pair is n(both) · n(all) / (n(one) · n(other)), each n being runs.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn together(&self, thing: &Thing, limit: usize) -> Result<Together, UsageError> {
        self.read(|file| {
            let of = file.query_row(RUNS, [], |row| row.get(0))?;
            let Some(node) = node(file, thing)? else {
                return Ok(Together {
                    of,
                    ..Together::default()
                });
            };
            let queries = queries(file, thing.kind, node.id)?;
            let runs = queries.values().map(|used| used.runs).sum();
            let mut pairs = pairs(file, node.id, &queries)?;
            pairs.sort_by(|a, b| {
                let by_runs = b.used.runs.cmp(&a.used.runs);
                by_runs.then_with(|| a.thing.cmp(&b.thing))
            });
            let mut together = Together {
                runs,
                of,
                ..Together::default()
            };
            for mut pair in pairs {
                let list = match pair.thing.kind {
                    NodeKind::Metric => &mut together.metrics,
                    NodeKind::Dimension => &mut together.dimensions,
                    _ => continue,
                };
                if list.len() < limit {
                    pair.lift = lift(pair.used.runs, (runs, pair.runs), of);
                    list.push(pair);
                }
            }
            Ok(together)
        })
    }
}

fn lift(both: u64, (one, other): (u64, u64), all: u64) -> Option<f64> {
    let by_chance = one as f64 * other as f64 / all as f64;
    (both >= ENOUGH && by_chance > 0.0).then(|| both as f64 / by_chance)
}

/// The things that the queries touch beside one; a query that does so in two ways counts once.
fn pairs(file: &Connection, id: i64, queries: &BTreeMap<i64, Used>) -> Result<Vec<Pair>, SqlError> {
    let mut touched = file.prepare_cached(super::sql::ABOUT)?;
    let mut found: HashMap<i64, Used> = HashMap::new();
    for (query, via) in queries {
        let mut rows = touched.query([query])?;
        while let Some(row) = rows.next()? {
            let other: i64 = row.get(0)?;
            if other != id {
                let both = via.at_most(Used::read(row, 1)?);
                found.entry(other).or_default().add(both);
            }
        }
    }
    let mut runs = file.prepare_cached("SELECT coalesce(sum(n), 0) FROM days WHERE node = ?")?;
    let mut pairs = Vec::new();
    for (other, used) in found {
        let Some((thing, _)) = thing_at(file, other)? else {
            continue;
        };
        if matches!(thing.kind, NodeKind::Metric | NodeKind::Dimension) {
            pairs.push(Pair {
                thing,
                used,
                runs: runs.query_row([other], |row| row.get(0))?,
                lift: None,
            });
        }
    }
    Ok(pairs)
}
