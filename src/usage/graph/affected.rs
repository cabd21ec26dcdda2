//! Who would notice if something changed: the metrics that stand on it, the queries that touch it, and who asked them.

use std::collections::{BTreeMap, HashMap};

use super::around::queries;
use super::{Near, NodeKind, Thing, Used, node, sql, thing_at};
use crate::store::{Connection, SqlError, params};
use crate::usage::{Usage, UsageError};

/// How far metrics are followed that are made of metrics that are made of …
const DEEPEST: u32 = 4;

/// Everything that was made from a thing, or made use of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependants {
    /// The runs that would have been affected.
    pub used: Used,
    /// Metrics that stand on it, with the steps in between: 1 is computed from it directly.
    pub metrics: Vec<(Near, u32)>,
    /// Queries by shape, the most used first.
    pub queries: Vec<Near>,
    /// How many shapes there are, more than are listed where there are many.
    pub shapes: usize,
    /// What queries of it were answered from: saved queries, rollups, skills, canonical datasets.
    pub answers: Vec<Near>,
    /// Who asked, by runs.
    pub people: Vec<Near>,
}

impl Usage {
    /// What was made from any of these things, or made use of it; at most `limit` queries are listed.
    ///
    /// Metrics are followed over what they are made of and computed from, `DEEPEST` steps at most. A column has no such
    /// edges: on it stand the metrics of which every run read it.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn dependants(&self, things: &[Thing], limit: usize) -> Result<Dependants, UsageError> {
        self.read(|file| {
            let mut ids = Vec::new();
            for thing in things {
                if let Some(node) = node(file, thing)? {
                    ids.push((node.id, thing.kind));
                }
            }
            let mut touching: BTreeMap<i64, Used> = BTreeMap::new();
            for (id, kind) in &ids {
                runs(file, (*id, *kind), &mut touching)?;
            }
            let mut standing = standing_on(file, &ids)?;
            for (id, kind) in &ids {
                if *kind == NodeKind::Column {
                    standing.extend(always_with(file, *id)?);
                }
            }
            let mut metrics = Vec::new();
            for (id, steps) in standing {
                let used = runs(file, (id, NodeKind::Metric), &mut touching)?;
                if let Some((thing, label)) = thing_at(file, id)? {
                    metrics.push((Near { thing, label, used }, steps));
                }
            }
            metrics.sort_by(|(a, one), (b, other)| {
                let nearest = one.cmp(other).then(b.used.runs.cmp(&a.used.runs));
                nearest.then_with(|| a.thing.cmp(&b.thing))
            });
            let (mut people, mut answers) = (HashMap::new(), HashMap::new());
            let mut used = Used::default();
            for (query, of) in &touching {
                used.add(*of);
                ends(file, *query, &mut people, &mut answers)?;
            }
            let shapes = touching.len();
            Ok(Dependants {
                used,
                metrics,
                queries: most_used(file, touching, limit)?,
                shapes,
                answers: most_used(file, answers, usize::MAX)?,
                people: most_used(file, people, usize::MAX)?,
            })
        })
    }
}

/// The runs of a thing; its queries are added to those of others, each once.
fn runs(
    file: &Connection,
    (id, kind): (i64, NodeKind),
    touching: &mut BTreeMap<i64, Used>,
) -> Result<Used, SqlError> {
    let mut all = Used::default();
    for (query, used) in queries(file, kind, id)? {
        all.add(used);
        let known = touching.entry(query).or_default();
        if used.runs > known.runs {
            *known = used;
        }
    }
    Ok(all)
}

/// The metrics that are computed from the things, and those that are made of these, each with its fewest steps.
fn standing_on(file: &Connection, things: &[(i64, NodeKind)]) -> Result<Vec<(i64, u32)>, SqlError> {
    let ids: Vec<String> = things.iter().map(|(id, _)| id.to_string()).collect();
    let mut statement = file.prepare_cached(sql::STANDING_ON)?;
    let rows = statement.query_map(params![ids.join(","), DEEPEST], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}

/// The metrics of which every run read a column.
fn always_with(file: &Connection, column: i64) -> Result<Vec<(i64, u32)>, SqlError> {
    let mut statement = file.prepare_cached(sql::ALWAYS_WITH)?;
    let rows = statement.query_map([column], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Who asked a query, and what it was answered from.
fn ends(
    file: &Connection,
    query: i64,
    people: &mut HashMap<i64, Used>,
    answers: &mut HashMap<i64, Used>,
) -> Result<(), SqlError> {
    let sides = [(people, sql::WHO), (answers, sql::ANSWERS)];
    for (found, sql) in sides {
        let mut statement = file.prepare_cached(sql)?;
        let mut rows = statement.query([query])?;
        while let Some(row) = rows.next()? {
            found
                .entry(row.get(0)?)
                .or_default()
                .add(Used::read(row, 1)?);
        }
    }
    Ok(())
}

fn most_used(
    file: &Connection,
    found: impl IntoIterator<Item = (i64, Used)>,
    limit: usize,
) -> Result<Vec<Near>, SqlError> {
    let mut all: Vec<(i64, Used)> = found.into_iter().collect();
    all.sort_by_key(|(id, used)| (std::cmp::Reverse(used.runs), *id));
    let mut near = Vec::new();
    for (id, used) in all.into_iter().take(limit) {
        if let Some((thing, label)) = thing_at(file, id)? {
            near.push(Near { thing, label, used });
        }
    }
    Ok(near)
}
