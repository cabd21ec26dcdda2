//! Joins: pairs of columns that people join on and no dataset declares, and which of several ways is preferred.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::idea::{Change, Idea, Kind};
use super::tally::{Evidence, Tally};
use super::{Month, best_first};
use crate::learn::tables::{dataset_of, split};
use crate::model::Dataset;
use crate::registry::edit;

/// Which of several ways between two tables people take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preferred {
    /// The two tables.
    pub tables: (String, String),
    /// The way most of them take: pairs of columns.
    pub on: String,
    /// What speaks for it.
    pub evidence: Evidence,
    /// The other ways, with their uses and their median milliseconds.
    pub others: Vec<(String, u64, Option<f64>)>,
}

impl<'a> Month<'a> {
    /// Joins onto the key of a dataset that are used enough and not declared.
    pub(super) fn new_joins(&self) -> Vec<Idea> {
        let mut pairs: BTreeMap<(&'a str, String, &'a str), Tally> = BTreeMap::new();
        for shape in self
            .gathered
            .shapes
            .iter()
            .filter(|shape| shape.is_by_hand())
        {
            for pair in &shape.facts.joins {
                if let Some(pair) = self.undeclared(pair) {
                    pairs.entry(pair).or_default().merge(&shape.tally);
                }
            }
        }
        let enough = pairs.into_iter().filter(|(_, tally)| self.is_enough(tally));
        let ideas = enough.filter_map(|((from, column, to), tally)| {
            let from = self.registry.datasets.get(from)?;
            let name = role(&column, to, from)?;
            let mut keys = Map::new();
            keys.insert("to".to_owned(), json!(to));
            keys.insert("on".to_owned(), self.on(&column, to)?);
            let evidence = tally.evidence();
            Some(Idea {
                id: format!("join:{}.{}={to}", from.name, column.to_lowercase()),
                kind: Kind::Join,
                title: format!("{} join {} on {column}", from.name, to),
                remark: String::new(),
                confidence: evidence.confidence(),
                evidence,
                change: Change::Join {
                    dataset: from.name.clone(),
                    name,
                    definition: edit::fields(&keys),
                },
            })
        });
        best_first(ideas.collect())
    }

    /// A pair of columns as dataset, column and the dataset whose key it leads to, where no join says so yet.
    fn undeclared(&self, pair: &str) -> Option<(&'a str, String, &'a str)> {
        let (left, right) = pair.split_once('=')?;
        let sides = [(left.trim(), right.trim()), (right.trim(), left.trim())];
        let side = |side: &str| -> Option<(&'a Dataset, String)> {
            let (table, column) = split(side)?;
            Some((dataset_of(self.registry, table)?, column.to_owned()))
        };
        sides.into_iter().find_map(|(from, to)| {
            let ((from, column), (to, key)) = (side(from)?, side(to)?);
            let is_key = |dataset: &Dataset, column: &str| {
                matches!(dataset.key.as_slice(), [only] if only.eq_ignore_ascii_case(column))
            };
            let is_declared = from.joins.values().any(|join| {
                let mut on = join.on.iter();
                join.to == to.name && on.any(|(here, _)| here.eq_ignore_ascii_case(&column))
            });
            let is_new = is_key(to, &key) && !is_key(from, &column) && !is_declared;
            (is_new && from.name != to.name).then_some((from.name.as_str(), column, to.name.as_str()))
        })
    }

    /// `on:` of a join: the column, or the column and the key where they are called differently.
    fn on(&self, column: &str, to: &str) -> Option<Value> {
        let key = self.registry.datasets.get(to)?.key.first()?;
        Some(match key.eq_ignore_ascii_case(column) {
            true => json!(column),
            false => json!({ column: key }),
        })
    }

    /// Which of several ways between two tables people take, where they take several.
    pub fn preferred_joins(&self) -> Vec<Preferred> {
        let mut ways: BTreeMap<(String, String), BTreeMap<String, Tally>> = BTreeMap::new();
        for shape in &self.gathered.shapes {
            let mut between: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
            for pair in &shape.facts.joins {
                let sides = pair.split_once('=');
                let sides = sides.and_then(|(left, right)| {
                    Some((split(left.trim())?.0, split(right.trim())?.0))
                });
                if let Some((left, right)) = sides {
                    let tables = (left.to_owned(), right.to_owned());
                    between.entry(tables).or_default().insert(pair);
                }
            }
            for (tables, pairs) in between {
                let way: Vec<&str> = pairs.into_iter().collect();
                let known = ways.entry(tables).or_default();
                known
                    .entry(way.join(" and "))
                    .or_default()
                    .merge(&shape.tally);
            }
        }
        let several = ways.into_iter().filter(|(_, ways)| ways.len() > 1);
        let preferred = several.filter_map(|(tables, ways)| {
            let mut ways: Vec<(String, Tally)> = ways.into_iter().collect();
            ways.sort_by(|one, other| {
                let by_uses = other.1.succeeded.cmp(&one.1.succeeded);
                by_uses.then_with(|| one.0.cmp(&other.0))
            });
            let mut ways = ways.into_iter();
            let (on, tally) = ways.next().filter(|(_, tally)| self.is_enough(tally))?;
            Some(Preferred {
                tables,
                on,
                evidence: tally.evidence(),
                others: ways
                    .map(|(on, tally)| (on, tally.uses, tally.times.quantile(0.5).map(f64::round)))
                    .collect(),
            })
        });
        preferred.collect()
    }
}

/// What the join is called: the column without its `_id`, else the dataset it leads to.
fn role(column: &str, to: &str, from: &Dataset) -> Option<String> {
    let column = column.to_lowercase();
    let short = column.strip_suffix("_id").unwrap_or(&column).to_owned();
    let is_free = |name: &String| !from.joins.contains_key(name) && from.dimension(name).is_none();
    [short, to.to_owned(), format!("{to}_by_{column}")]
        .into_iter()
        .find(is_free)
}
