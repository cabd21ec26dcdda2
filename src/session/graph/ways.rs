//! Join paths between two tables: the definitions say which there are, use says how fast they were.

use std::cmp::Ordering;

use serde::Serialize;

use super::defined;
use crate::session::{Session, SessionError};
use crate::usage::graph::{JoinPath, Measured, NodeKind, Thing, Used, paths_between};

/// One way from a table to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinWay {
    /// The tables on it, both ends included.
    pub tables: Vec<String>,
    /// The pairs of columns, join by join.
    pub on: Vec<String>,
    /// How many joins it has.
    pub joins: usize,
    /// Whether a row of the first table may meet many of the last one.
    pub multiplies_rows: bool,
    /// How the queries did that went this way; nothing where none ever did.
    pub used: Option<Measured>,
}

/// The ways between two tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinWays {
    /// Where they start.
    pub from: String,
    /// Where they end.
    pub to: String,
    /// All ways of at most four joins that are declared, the shortest first.
    pub ways: Vec<JoinWay>,
    /// The place of the one with the fewest joins; of equal ones that which multiplies no rows, then the most used one.
    pub shortest: usize,
    /// The place of the one whose queries took the least time on average; none where no way was ever used.
    pub fastest: Option<usize>,
    /// Pairs of columns that queries joined the two tables on and that no definition declares.
    pub undeclared: Vec<(String, Used)>,
}

impl JoinWays {
    /// The one with the fewest joins.
    pub fn shortest(&self) -> Option<&JoinWay> {
        self.ways.get(self.shortest)
    }

    /// The one that was fastest.
    pub fn fastest(&self) -> Option<&JoinWay> {
        self.ways.get(self.fastest?)
    }
}

impl Session {
    /// The join paths between two tables or datasets.
    ///
    /// A time is that of the whole queries that used all joins of a path: it is measured, and it is more than that of the
    /// joins alone.
    ///
    /// # Errors
    /// One of the words is no table, no declared path leads from one to the other, or the graph cannot be read.
    pub fn graph_ways(&self, from: &str, to: &str) -> Result<JoinWays, SessionError> {
        let (from, to) = (self.joined_table(from)?, self.joined_table(to)?);
        if from == to {
            let message = format!("'{from}' needs no join to itself");
            return Err(
                SessionError::usage("no_path", message).with_hint("name two different tables")
            );
        }
        let graph = self.used_graph()?;
        let joins = defined::joins(&self.catalog().registry);
        let mut ways = Vec::new();
        for path in paths_between(&joins, &from, &to) {
            let measured = graph.measured(&path.pairs()).map_err(super::unreadable)?;
            ways.push(JoinWay::new(&path, measured));
        }
        let declared: Vec<&String> = joins.iter().flat_map(|join| &join.on).collect();
        let mut undeclared = graph.joined(&from, &to).map_err(super::unreadable)?;
        undeclared.retain(|(pair, _)| !declared.contains(&pair));
        if ways.is_empty() {
            let message = format!("no declared joins lead from '{from}' to '{to}' in four steps");
            let hint = match undeclared.first() {
                Some((pair, used)) => format!(
                    "{} queries joined them on {pair}, which no definition declares",
                    used.runs
                ),
                None => "joins are declared under `joins:` of a dataset".to_owned(),
            };
            return Err(SessionError::usage("no_path", message).with_hint(hint));
        }
        ways.sort_by(|a, b| {
            let key = |way: &JoinWay| (way.joins, way.multiplies_rows);
            key(a).cmp(&key(b)).then(b.runs().cmp(&a.runs()))
        });
        let used = ways
            .iter()
            .enumerate()
            .filter_map(|(at, way)| Some((at, way.mean_ms()?)));
        let fastest = used.min_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        Ok(JoinWays {
            from,
            to,
            fastest: fastest.map(|(at, _)| at),
            ways,
            shortest: 0,
            undeclared,
        })
    }

    /// The table that a word means; of a canonical dataset, what it is of.
    fn joined_table(&self, word: &str) -> Result<String, SessionError> {
        let thing = match self.graph_thing(word) {
            Ok(thing) if thing.kind == NodeKind::Table => return Ok(thing.key),
            Ok(thing) => thing,
            Err(error) => return Err(error),
        };
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let dataset = registry
            .canonical
            .get(&thing.key)
            .filter(|_| thing.kind == NodeKind::Dataset);
        let table = dataset.and_then(|one| one.table(registry));
        let table = table.map(str::to_owned).or_else(|| {
            // A metric may have the name of a dataset.
            let dataset = registry.datasets.get(word)?;
            Some(defined::table_of(dataset).to_owned())
        });
        table.ok_or_else(|| {
            let message = format!(
                "'{word}' is a {}, and joins are between tables",
                thing.kind.said()
            );
            let hint = format!(
                "`{}` would be the table",
                Thing::new(NodeKind::Table, word).word()
            );
            SessionError::usage("no_table", message).with_hint(hint)
        })
    }
}

impl JoinWay {
    fn new(path: &JoinPath, measured: Measured) -> Self {
        Self {
            tables: path.tables().into_iter().map(str::to_owned).collect(),
            on: path
                .hops
                .iter()
                .flat_map(|(hop, _)| hop.on.clone())
                .collect(),
            joins: path.hops.len(),
            multiplies_rows: path.multiplies(),
            used: (measured.used.runs > 0).then_some(measured),
        }
    }

    fn runs(&self) -> u64 {
        self.used.map_or(0, |measured| measured.used.runs)
    }

    fn mean_ms(&self) -> Option<f64> {
        self.used.and_then(|measured| measured.used.mean_ms())
    }
}
