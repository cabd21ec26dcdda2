//! The neighbourhood of a thing: everything it was used with, by what the two have to do with each other.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use jiff::Timestamp;
use serde::Serialize;

use super::{EdgeKind, NodeKind, Thing, Used, node, sql, thing_at};
use crate::store::{Connection, SqlError};
use crate::usage::{Usage, UsageError};

/// What a thing has to do with the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A metric that was asked for in the same query.
    AskedWith,
    /// A dimension that a query was grouped by.
    GroupedBy,
    /// A dimension or a column that a query was filtered by.
    FilteredBy,
    /// A value that it was filtered by.
    Value,
    /// A metric it is made of.
    MadeOf,
    /// A metric that is made of it.
    PartOf,
    /// A table it is computed from.
    ComputedFrom,
    /// A metric that is computed from it.
    Computes,
    /// A table that was read.
    Table,
    /// A column that was read.
    Column,
    /// A pair of columns that rows were joined on.
    Join,
    /// What a query was answered from: a canonical dataset, a saved query, a rollup, a skill.
    AnsweredFrom,
    /// Somebody who asked.
    Person,
    /// A query, of the shape that is shown.
    Query,
    /// A query that was asked next.
    Next,
    /// A query that was asked before.
    Before,
    /// A query that was asked in its place.
    CorrectedBy,
    /// A query in whose place it was asked.
    Corrects,
}

/// A thing near to another one, and how often the two were used together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Near {
    /// The thing.
    #[serde(flatten)]
    pub thing: Thing,
    /// The text it is shown by.
    pub label: String,
    /// The runs that both had a part in.
    #[serde(flatten)]
    pub used: Used,
}

/// The things that have the same to do with one, the most used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What that is.
    pub way: Way,
    /// How many there are, more than are listed where there are many.
    pub total: usize,
    /// The most used of them.
    pub near: Vec<Near>,
}

/// A thing with everything around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    /// The thing.
    pub thing: Thing,
    /// The text it is shown by.
    pub label: String,
    /// The queries that it had a part in.
    pub used: Used,
    /// When it was first seen.
    pub first: Option<Timestamp>,
    /// What is around it.
    pub groups: Vec<Group>,
}

impl Around {
    /// The group of a way, where there is one.
    pub fn group(&self, way: Way) -> Option<&Group> {
        self.groups.iter().find(|group| group.way == way)
    }
}

/// Things near to one, by number in the file.
type Found = HashMap<(Way, i64), Used, BuildHasherDefault<Quick>>;

/// Mixes what a place in [`Found`] is known by: two numbers that nobody chooses, and a hundred thousand times for one answer.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.cast_unsigned() as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Usage {
    /// What a thing was used with, at most `limit` of each way; `None` where it was never used.
    ///
    /// Two things were used together in as many runs as the shapes of queries that touch both had. Which person asked for
    /// which value is not in the graph, and not in what this returns.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn around(&self, thing: &Thing, limit: usize) -> Result<Option<Around>, UsageError> {
        self.read(|file| {
            let Some(node) = node(file, thing)? else {
                return Ok(None);
            };
            let mut found = Found::default();
            let used = match thing.kind {
                NodeKind::Query => of_query(file, node.id, &mut found)?,
                kind => {
                    let known = match kind {
                        NodeKind::Person => queries(file, kind, node.id)?,
                        _ => BTreeMap::new(),
                    };
                    let queries = over_queries(file, (kind, node.id), known, &mut found)?;
                    direct(file, kind, node.id, &mut found)?;
                    let mut used = Used::default();
                    queries.values().for_each(|of| used.add(*of));
                    for (query, of) in queries {
                        found.insert((Way::Query, query), of);
                    }
                    used
                }
            };
            let mut groups = groups(file, found, limit)?;
            if !knows_runs(thing.kind) {
                groups.retain(|group| group.way != Way::Value);
            }
            Ok(Some(Around {
                thing: thing.clone(),
                label: node.label,
                used,
                first: Timestamp::from_millisecond(node.first_seen).ok(),
                groups,
            }))
        })
    }
}

impl Usage {
    /// The runs of the queries that touch a thing, or that a person asked; none where it was never used.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn runs(&self, thing: &Thing) -> Result<Used, UsageError> {
        self.read(|file| {
            let mut used = Used::default();
            if let Some(node) = node(file, thing)? {
                let queries = queries(file, thing.kind, node.id)?;
                queries.values().for_each(|of| used.add(*of));
            }
            Ok(used)
        })
    }
}

/// The queries that touch a thing, or that a person asked. One that does so in two ways counts once. They are in the
/// order of the file, in which reading on from each takes a fraction of the time.
pub(super) fn queries(
    file: &Connection,
    kind: NodeKind,
    id: i64,
) -> Result<BTreeMap<i64, Used>, SqlError> {
    let mut statement = file.prepare_cached(sql::queries(kind))?;
    let rows = statement.query_map([id], |row| Ok((row.get(0)?, Used::read(row, 1)?)))?;
    rows.collect()
}

/// Of a value and of a person the graph knows how many runs of a query they had a part in, but not which: two of them may
/// have none in common.
fn knows_runs(kind: NodeKind) -> bool {
    !matches!(kind, NodeKind::Value | NodeKind::Person)
}

/// What the queries of a thing touch beside it, and who asked them; the queries.
///
/// How often a query touches the thing itself is among what is read of each query; of a person and of a query, it has to be
/// known before.
fn over_queries(
    file: &Connection,
    (kind, id): (NodeKind, i64),
    known: BTreeMap<i64, Used>,
    found: &mut Found,
) -> Result<BTreeMap<i64, Used>, SqlError> {
    let mut queries = known;
    let mut held: Vec<(Way, i64, Used)> = Vec::new();
    let mut statement = file.prepare_cached(sql::touched(kind))?;
    let mut rows = statement.query([id])?;
    let (mut here, mut via) = (None, Used::default());
    loop {
        let row = rows.next()?;
        let next = row.map(|row| row.get::<_, i64>(0)).transpose()?;
        if next != here {
            for (way, other, used) in held.drain(..) {
                found
                    .entry((way, other))
                    .or_default()
                    .add(via.at_most(used));
            }
            if let Some(query) = here {
                queries.insert(query, via);
            }
            via = next
                .and_then(|query| queries.get(&query))
                .copied()
                .unwrap_or_default();
            here = next;
        }
        let Some(row) = row else { break };
        let other = row.get(1)?;
        if let Some(way) = way_of(row.get_ref(2)?.as_str()?) {
            let used = Used::read(row, 3)?;
            if other != id {
                held.push((way, other, used));
            } else if used.runs > via.runs {
                via = used;
            }
        }
    }
    if knows_runs(kind) {
        let mut statement = file.prepare_cached(sql::asked(kind))?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            let used = Used::read(row, 1)?;
            found
                .entry((Way::Person, row.get(0)?))
                .or_default()
                .add(used);
        }
    }
    Ok(queries)
}

/// What a query has to do with what it touches. Values are told from dimensions by their nodes, see [`groups`].
fn way_of(kind: &str) -> Option<Way> {
    const WAYS: [(EdgeKind, Way); 6] = [
        (EdgeKind::Accesses, Way::Table),
        (EdgeKind::Calculates, Way::AskedWith),
        (EdgeKind::GroupsBy, Way::GroupedBy),
        (EdgeKind::Filters, Way::FilteredBy),
        (EdgeKind::UsesJoinPath, Way::Join),
        (EdgeKind::AnsweredBy, Way::AnsweredFrom),
    ];
    let found = WAYS.iter().find(|(known, _)| known.word() == kind);
    found.map(|(_, way)| *way)
}

/// What a thing has to do with others that no query stands between.
fn direct(file: &Connection, kind: NodeKind, id: i64, found: &mut Found) -> Result<(), SqlError> {
    let ways: &[(EdgeKind, Way, Way)] = match kind {
        NodeKind::Metric => &[
            (EdgeKind::Derives, Way::MadeOf, Way::PartOf),
            (EdgeKind::ComputedFrom, Way::ComputedFrom, Way::Computes),
        ],
        NodeKind::Table => &[(EdgeKind::ComputedFrom, Way::ComputedFrom, Way::Computes)],
        _ => &[],
    };
    for (kind, out, back) in ways {
        beside(file, id, *kind, (*out, *back), found)?;
    }
    Ok(())
}

/// The ends of edges of a kind, from a node and to it.
fn beside(
    file: &Connection,
    id: i64,
    kind: EdgeKind,
    (out, back): (Way, Way),
    found: &mut Found,
) -> Result<(), SqlError> {
    for (way, sql) in [(out, sql::FROM), (back, sql::TO)] {
        let mut statement = file.prepare_cached(sql)?;
        let mut rows = statement.query(crate::store::params![id, kind.word()])?;
        while let Some(row) = rows.next()? {
            found.insert((way, row.get(0)?), Used::read(row, 1)?);
        }
    }
    Ok(())
}

/// What is around a query, and its own runs: those of its widest edge.
fn of_query(file: &Connection, id: i64, found: &mut Found) -> Result<Used, SqlError> {
    let itself = BTreeMap::from([(
        id,
        Used {
            runs: u64::MAX,
            ..Used::default()
        },
    )]);
    over_queries(file, (NodeKind::Query, id), itself, found)?;
    beside(file, id, EdgeKind::Follows, (Way::Before, Way::Next), found)?;
    beside(
        file,
        id,
        EdgeKind::Corrects,
        (Way::Corrects, Way::CorrectedBy),
        found,
    )?;
    let of_edges = found.iter().filter(|((way, _), _)| *way < Way::Person);
    let widest = of_edges.map(|(_, used)| *used).max_by_key(|used| used.runs);
    let asked = found.iter().filter(|((way, _), _)| *way == Way::Person);
    let mut by_people = Used::default();
    asked.for_each(|(_, used)| by_people.add(*used));
    Ok(widest.unwrap_or(by_people))
}

/// The things by way, the most used first; equal ones by name.
fn groups(file: &Connection, found: Found, limit: usize) -> Result<Vec<Group>, SqlError> {
    let mut by_way: HashMap<Way, Vec<(i64, Used)>> = HashMap::new();
    let mut kinds = file.prepare_cached("SELECT kind FROM nodes WHERE id = ?")?;
    for ((way, id), used) in found {
        // What an edge leads to says more than the edge.
        let way = match way {
            Way::FilteredBy | Way::Table => {
                let kind: String = kinds.query_row([id], |row| row.get(0))?;
                match NodeKind::of_word(&kind) {
                    Some(NodeKind::Value) => Way::Value,
                    Some(NodeKind::Column) if way == Way::Table => Way::Column,
                    _ => way,
                }
            }
            way => way,
        };
        by_way.entry(way).or_default().push((id, used));
    }
    let mut groups = Vec::new();
    for (way, mut all) in by_way {
        all.sort_by_key(|(id, used)| (std::cmp::Reverse(used.runs), *id));
        let total = all.len();
        // Equal counts are put in order by name, which the last ones listed may share with the first ones that are not.
        let least = all
            .get(limit.saturating_sub(1))
            .map_or(0, |(_, used)| used.runs);
        all.retain(|(_, used)| used.runs >= least);
        let ties = all.len().min(limit.saturating_mul(4));
        let mut near = Vec::new();
        for (id, used) in all.into_iter().take(ties.max(limit)) {
            if let Some((thing, label)) = thing_at(file, id)? {
                near.push(Near { thing, label, used });
            }
        }
        near.sort_by(|a, b| {
            let by_runs = b.used.runs.cmp(&a.used.runs);
            by_runs.then_with(|| a.thing.cmp(&b.thing))
        });
        near.truncate(limit);
        groups.push(Group { way, total, near });
    }
    groups.sort_by_key(|group| group.way);
    Ok(groups)
}
