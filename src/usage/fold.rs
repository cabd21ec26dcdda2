//! The graph is a fold of the log: what each query adds to its nodes, edges and days. Folded query by query or all over
//! again, it comes out the same.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::record::{Facts, shape};
use super::schema::EDGE_INDEXES;
use crate::store::{Connection, OptionalExtension, Row, SqlError, params};

/// Goes up by one with every change of what is folded: the graph of an older one is made anew.
const VERSION: i64 = 2;
/// An edge loses half of its weight in this time, in milliseconds.
const HALF_LIFE: f64 = 30.0 * 86_400_000.0;
pub(super) const DAY: i64 = 86_400_000;
/// What is remembered of texts and statements; beyond that, all of it is read again.
const MOST: usize = 50_000;

/// What `latest` keeps the last query of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// A query line, by its text.
    Line = 0,
    /// A shape of SQL, by its node.
    Shape = 1,
    /// A session, by its text.
    Session = 2,
}

/// A query as the fold sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) id: i64,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) sitting: i64,
    pub(super) statement: i64,
    pub(super) is_ok: bool,
    pub(super) ms: i64,
}

/// What each run of a statement touches.
#[derive(Debug)]
struct Touched {
    query: i64,
    line: Option<i64>,
    nodes: Vec<i64>,
    edges: Vec<(i64, i64, &'static str)>,
    /// Nodes whose use is counted by day.
    daily: Vec<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    n: i64,
    n_ok: i64,
    weight: f64,
    ms: i64,
    last_seen: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Day {
    n: i64,
    n_ok: i64,
    ms: i64,
}

/// What is known of the file, and what was folded but is not written yet.
#[derive(Debug, Default)]
pub(super) struct Fold {
    nodes: HashMap<(&'static str, String), i64>,
    statements: HashMap<i64, Arc<Touched>>,
    sittings: HashMap<i64, (i64, Option<i64>)>,
    /// The shape that each session ended with.
    ends: HashMap<i64, i64>,
    seen: HashMap<i64, (i64, i64)>,
    edges: HashMap<(i64, i64, &'static str), Edge>,
    days: HashMap<(i64, i64), Day>,
    latest: HashMap<(Of, i64), i64>,
    /// Whether the file has nothing that is not here: it is being folded anew.
    is_all: bool,
}

impl Fold {
    /// Adds a query that the log has.
    pub(super) fn add(&mut self, file: &Connection, step: Step) -> Result<(), SqlError> {
        let touched = self.touched(file, step)?;
        let (session, person) = self.sitting(file, step)?;
        for node in touched.nodes.iter().chain(&person) {
            self.see(*node, step.at);
        }
        for edge in &touched.edges {
            self.count(file, *edge, step)?;
        }
        if let Some(person) = person {
            self.count(file, (person, touched.query, "ASKED"), step)?;
            for node in &touched.daily {
                self.count(file, (person, *node, "ASKED_FOR"), step)?;
            }
        }
        for node in &touched.daily {
            self.count_day(file, *node, step)?;
        }
        if let Some(before) = self.end_of(file, session)?
            && before != touched.query
        {
            self.count(file, (touched.query, before, "FOLLOWS"), step)?;
        }
        self.ends.insert(session, touched.query);
        self.latest.insert((Of::Session, session), step.id);
        self.latest.insert((Of::Shape, touched.query), step.id);
        if let Some(line) = touched.line {
            self.latest.insert((Of::Line, line), step.id);
        }
        Ok(())
    }

    /// Notes that a query was asked in the place of another one; both are folded.
    pub(super) fn correct(
        &mut self,
        file: &Connection,
        corrector: i64,
        corrected: i64,
    ) -> Result<(), SqlError> {
        let mut ends = Vec::new();
        for query in [corrector, corrected] {
            if let Some((kind, key)) = shape_of(file, query)? {
                ends.extend(self.node_at(file, kind, key)?);
            }
        }
        let at = file.query_row("SELECT at FROM queries WHERE id = ?", [corrector], |row| {
            row.get(0)
        })?;
        if let [from, to] = ends[..] {
            let edge = self.edge(file, (from, to, "CORRECTS"))?;
            edge.n += 1;
            // It may be noted late: what does not depend on the order comes out the same when all is folded anew.
            edge.weight += 1.0;
            edge.last_seen = edge.last_seen.max(at);
        }
        Ok(())
    }

    /// The shape of a session's last query.
    fn end_of(&mut self, file: &Connection, session: i64) -> Result<Option<i64>, SqlError> {
        if let Some(known) = self.ends.get(&session) {
            return Ok(Some(*known));
        }
        let Some(before) = self.latest(file, Of::Session, session)? else {
            return Ok(None);
        };
        match shape_of(file, before)? {
            Some((kind, key)) => self.node_at(file, kind, key),
            None => Ok(None),
        }
    }

    /// The last query of something.
    pub(super) fn latest(
        &mut self,
        file: &Connection,
        what: Of,
        of: i64,
    ) -> Result<Option<i64>, SqlError> {
        let known = self.latest.get(&(what, of)).copied();
        if known.is_some() || self.is_all {
            return Ok(known);
        }
        let mut statement =
            file.prepare_cached("SELECT query FROM latest WHERE what = ? AND of = ?")?;
        let found = statement.query_row(params![what as i64, of], |row| row.get(0));
        found.optional()
    }

    /// The node of a statement's shape.
    pub(super) fn query_node(&mut self, file: &Connection, step: Step) -> Result<i64, SqlError> {
        Ok(self.touched(file, step)?.query)
    }

    /// Writes what was folded.
    pub(super) fn write(&mut self, file: &Connection) -> Result<(), SqlError> {
        let mut statement = file.prepare_cached(
            "UPDATE nodes SET first_seen = min(first_seen, ?2), last_seen = max(last_seen, ?3) WHERE id = ?1",
        )?;
        for (node, (first, last)) in self.seen.drain() {
            statement.execute([node, first, last])?;
        }
        // In the order of the file, which writes each page once.
        let mut edges: Vec<_> = self.edges.drain().collect();
        edges.sort_unstable_by_key(|((src, dst, kind), _)| (*src, *kind, *dst));
        let mut statement =
            file.prepare_cached("REPLACE INTO edges VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
        for ((src, dst, kind), edge) in edges {
            let Edge {
                n,
                n_ok,
                weight,
                ms,
                last_seen,
            } = edge;
            statement.execute(params![src, dst, kind, n, n_ok, weight, ms, last_seen])?;
        }
        let mut days: Vec<_> = self.days.drain().collect();
        days.sort_unstable_by_key(|(key, _)| *key);
        let mut statement = file.prepare_cached("REPLACE INTO days VALUES (?, ?, ?, ?, ?)")?;
        for ((node, day), Day { n, n_ok, ms }) in days {
            statement.execute([node, day, n, n_ok, ms])?;
        }
        let mut statement = file.prepare_cached("REPLACE INTO latest VALUES (?, ?, ?)")?;
        for ((what, of), query) in self.latest.drain() {
            statement.execute([what as i64, of, query])?;
        }
        if [self.nodes.len(), self.statements.len(), self.sittings.len()]
            .into_iter()
            .any(|known| known > MOST)
        {
            self.forget();
        }
        Ok(())
    }

    /// Forgets what it knows of the file: somebody else has written it, or what was written was taken back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Folds the whole log anew.
    pub(super) fn rebuild(&mut self, file: &Connection) -> Result<(), SqlError> {
        self.forget();
        self.is_all = true;
        file.execute_batch(
            "DELETE FROM nodes; DELETE FROM edges; DELETE FROM days; DELETE FROM latest;
             DROP INDEX IF EXISTS edges_by_dst; DROP INDEX IF EXISTS edges_asked; DROP INDEX IF EXISTS edges_touched;
             UPDATE queries SET corrected_by = NULL WHERE corrected_by NOT IN (SELECT id FROM queries)",
        )?;
        let mut statement = file.prepare(
            "SELECT id, at, sitting, statement, outcome, ms, corrected_by FROM queries \
             WHERE outcome < 3 ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut corrections: Vec<(i64, i64)> = Vec::new();
        while let Some(row) = rows.next()? {
            let step = Step::read(row)?;
            match self.add(file, step) {
                // A text of it is gone, as where a disk has lost some of the file: it cannot be read either.
                Err(SqlError::QueryReturnedNoRows) => {
                    tracing::warn!(query = step.id, "a damaged row of the log is left out");
                    continue;
                }
                added => added?,
            }
            if let Some(by) = row.get::<_, Option<i64>>(6)? {
                corrections.push((by, step.id));
            }
        }
        for (by, corrected) in corrections {
            self.correct(file, by, corrected)?;
        }
        self.write(file)?;
        self.is_all = false;
        // Made from all edges at once, they are written once too.
        file.execute_batch(EDGE_INDEXES)?;
        file.execute("REPLACE INTO meta VALUES ('fold', ?)", [VERSION])?;
        Ok(())
    }

    /// Whether the graph of the file was folded otherwise, or not yet.
    pub(super) fn is_old(file: &Connection) -> Result<bool, SqlError> {
        let version = file.query_row("SELECT value FROM meta WHERE what = 'fold'", [], |row| {
            row.get::<_, i64>(0)
        });
        Ok(version.optional()? != Some(VERSION))
    }

    fn touched(&mut self, file: &Connection, step: Step) -> Result<Arc<Touched>, SqlError> {
        if let Some(known) = self.statements.get(&step.statement) {
            return Ok(known.clone());
        }
        let mut statement = file.prepare_cached(
            "SELECT s.line, line.text, print.text, facts.text FROM statements AS s JOIN texts AS line ON line.id = s.line \
             JOIN texts AS print ON print.id = s.fingerprint JOIN texts AS facts ON facts.id = s.facts WHERE s.id = ?",
        )?;
        let (line_id, line, print, facts): (i64, String, String, String) = statement
            .query_row([step.statement], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
        // Only this room writes facts.
        let facts: Facts = serde_json::from_str(&facts).unwrap_or_default();
        let label = if line.is_empty() { &print } else { &line };
        let query = self.node(file, "query", &shape(&facts, &print, &line), label, step.at)?;
        let mut touched = Touched {
            query,
            line: (!line.is_empty()).then_some(line_id),
            nodes: vec![query],
            edges: Vec::new(),
            daily: vec![],
        };
        self.about(file, &facts, step.at, &mut touched)?;
        touched.nodes.sort_unstable();
        touched.nodes.dedup();
        touched.edges.sort_unstable();
        touched.edges.dedup();
        touched.daily.sort_unstable();
        touched.daily.dedup();
        let touched = Arc::new(touched);
        self.statements.insert(step.statement, touched.clone());
        Ok(touched)
    }

    /// The nodes and edges of what a statement is about.
    fn about(
        &mut self,
        file: &Connection,
        facts: &Facts,
        at: i64,
        touched: &mut Touched,
    ) -> Result<(), SqlError> {
        let query = touched.query;
        let mut node = |kind: &'static str, key: &str, label: &str| -> Result<i64, SqlError> {
            let id = self.node(file, kind, key, label, at)?;
            touched.nodes.push(id);
            if !matches!(kind, "column" | "value" | "join_path") {
                touched.daily.push(id);
            }
            Ok(id)
        };
        let mut edges = Vec::new();
        for table in &facts.tables {
            edges.push((query, node("table", table, table)?, "ACCESSES"));
        }
        for column in &facts.columns {
            edges.push((query, node("column", column, column)?, "ACCESSES"));
        }
        for join in &facts.joins {
            edges.push((query, node("join_path", join, join)?, "USES_JOIN_PATH"));
        }
        for metric in &facts.metrics {
            let metric = node("metric", metric, metric)?;
            edges.push((query, metric, "CALCULATES"));
            for dimension in &facts.dimensions {
                edges.push((
                    metric,
                    node("dimension", dimension, dimension)?,
                    "HAS_DIMENSION",
                ));
            }
        }
        for dimension in &facts.dimensions {
            edges.push((query, node("dimension", dimension, dimension)?, "GROUPS_BY"));
        }
        for filter in &facts.filters {
            let is_column = facts.columns.contains(&filter.on);
            let kind = if is_column { "column" } else { "dimension" };
            edges.push((query, node(kind, &filter.on, &filter.on)?, "FILTERS"));
            for value in &filter.values {
                let key = format!("{}={value}", filter.on);
                edges.push((query, node("value", &key, value)?, "FILTERS"));
            }
        }
        for (metric, part) in &facts.derives {
            let metric = node("metric", metric, metric)?;
            edges.push((metric, node("metric", part, part)?, "DERIVES"));
        }
        for (metric, table) in &facts.computed_from {
            let metric = node("metric", metric, metric)?;
            edges.push((metric, node("table", table, table)?, "COMPUTED_FROM"));
        }
        for answer in &facts.answered_by {
            let (kind, name) = answered_by(answer);
            edges.push((query, node(kind, name, name)?, "ANSWERED_BY"));
        }
        touched.edges = edges;
        // What a metric is made of was not asked for; its days count only where it was.
        let asked = |node: &i64| {
            touched
                .edges
                .iter()
                .any(|(src, dst, _)| *src == query && dst == node)
        };
        touched.daily.retain(asked);
        Ok(())
    }

    fn node(
        &mut self,
        file: &Connection,
        kind: &'static str,
        key: &str,
        label: &str,
        at: i64,
    ) -> Result<i64, SqlError> {
        if let Some(known) = self.node_at(file, kind, key.to_owned())? {
            return Ok(known);
        }
        let mut statement = file.prepare_cached(
            "INSERT INTO nodes (kind, key, label, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?4)",
        )?;
        let id = statement.insert(params![kind, key, label, at])?;
        self.nodes.insert((kind, key.to_owned()), id);
        Ok(id)
    }

    fn node_at(
        &mut self,
        file: &Connection,
        kind: &'static str,
        key: String,
    ) -> Result<Option<i64>, SqlError> {
        let key = (kind, key);
        let known = self.nodes.get(&key).copied();
        if known.is_some() || self.is_all {
            return Ok(known);
        }
        let mut statement =
            file.prepare_cached("SELECT id FROM nodes WHERE kind = ? AND key = ?")?;
        let found: Option<i64> = statement
            .query_row(params![key.0, key.1], |row| row.get(0))
            .optional()?;
        if let Some(id) = found {
            self.nodes.insert(key, id);
        }
        Ok(found)
    }

    /// The session's text and the person of a sitting.
    fn sitting(&mut self, file: &Connection, step: Step) -> Result<(i64, Option<i64>), SqlError> {
        if let Some(known) = self.sittings.get(&step.sitting) {
            return Ok(*known);
        }
        let mut statement = file.prepare_cached(
            "SELECT session, text FROM sittings JOIN texts ON texts.id = user WHERE sittings.id = ?",
        )?;
        let (session, user): (i64, String) =
            statement.query_row([step.sitting], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let person = match user.as_str() {
            "" => None,
            user => Some(self.node(file, "person", user, user, step.at)?),
        };
        self.sittings.insert(step.sitting, (session, person));
        Ok((session, person))
    }

    fn see(&mut self, node: i64, at: i64) {
        let seen = self.seen.entry(node).or_insert((at, at));
        *seen = (seen.0.min(at), seen.1.max(at));
    }

    fn edge(
        &mut self,
        file: &Connection,
        key: (i64, i64, &'static str),
    ) -> Result<&mut Edge, SqlError> {
        Ok(match self.edges.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) if self.is_all => empty.insert(Edge::default()),
            Entry::Vacant(empty) => {
                let mut statement = file.prepare_cached(
                    "SELECT n, n_ok, weight, ms, last_seen FROM edges WHERE src = ? AND dst = ? AND kind = ?",
                )?;
                let found = statement.query_row(params![key.0, key.1, key.2], |row| {
                    Ok(Edge {
                        n: row.get(0)?,
                        n_ok: row.get(1)?,
                        weight: row.get(2)?,
                        ms: row.get(3)?,
                        last_seen: row.get(4)?,
                    })
                });
                empty.insert(found.optional()?.unwrap_or_default())
            }
        })
    }

    fn count(
        &mut self,
        file: &Connection,
        key: (i64, i64, &'static str),
        step: Step,
    ) -> Result<(), SqlError> {
        let edge = self.edge(file, key)?;
        edge.weight = match edge.n {
            0 => 1.0,
            _ if step.at >= edge.last_seen => edge.weight * fade(step.at - edge.last_seen) + 1.0,
            _ => edge.weight + fade(edge.last_seen - step.at),
        };
        edge.last_seen = if edge.n == 0 {
            step.at
        } else {
            edge.last_seen.max(step.at)
        };
        edge.n += 1;
        if step.is_ok {
            edge.n_ok += 1;
            edge.ms += step.ms;
        }
        Ok(())
    }

    fn count_day(&mut self, file: &Connection, node: i64, step: Step) -> Result<(), SqlError> {
        let key = (node, step.at.div_euclid(DAY));
        let day = match self.days.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) if self.is_all => empty.insert(Day::default()),
            Entry::Vacant(empty) => {
                let mut statement =
                    file.prepare_cached("SELECT n, n_ok, ms FROM days WHERE node = ? AND day = ?")?;
                let found = statement.query_row([key.0, key.1], |row| {
                    Ok(Day {
                        n: row.get(0)?,
                        n_ok: row.get(1)?,
                        ms: row.get(2)?,
                    })
                });
                empty.insert(found.optional()?.unwrap_or_default())
            }
        };
        day.n += 1;
        if step.is_ok {
            day.n_ok += 1;
            day.ms += step.ms;
        }
        Ok(())
    }
}

impl Step {
    /// The columns `id, at, sitting, statement, outcome, ms` of a query.
    fn read(row: &Row<'_>) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            sitting: row.get(2)?,
            statement: row.get(3)?,
            is_ok: row.get::<_, i64>(4)? == 0,
            ms: row.get(5)?,
        })
    }
}

/// What is left of a weight of 1 after so many milliseconds.
fn fade(ms: i64) -> f64 {
    (-(ms as f64) / HALF_LIFE).exp2()
}

/// The kind and the name of what answered.
fn answered_by(answer: &str) -> (&'static str, &str) {
    let (kind, name) = answer.split_once(':').unwrap_or(("dataset", answer));
    let kinds = ["skill", "view", "rollup", "dataset"];
    let kind = kinds.into_iter().find(|known| *known == kind);
    (kind.unwrap_or("dataset"), name)
}

/// The kind and key of the node that a query of the log belongs to.
fn shape_of(file: &Connection, query: i64) -> Result<Option<(&'static str, String)>, SqlError> {
    let mut statement = file.prepare_cached(
        "SELECT facts.text, print.text, line.text FROM queries JOIN statements ON statements.id = statement \
         JOIN texts AS print ON print.id = fingerprint JOIN texts AS line ON line.id = line \
         JOIN texts AS facts ON facts.id = facts WHERE queries.id = ?",
    )?;
    let found = statement.query_row([query], |row| {
        let (facts, print, line): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let facts: Facts = serde_json::from_str(&facts).unwrap_or_default();
        Ok(("query", shape(&facts, &print, &line)))
    });
    found.optional()
}
