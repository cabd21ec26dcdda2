//! Words -> values of dimensions: as they stand in the data, by an alias, by the name of a country or currency whose
//! code they are, or by a typo; each with the dimension as a query over the metrics at hand writes it.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::compile::{Reachability, leaf_metrics};
use crate::model::alike::{self, fold, is_typo, stands_out};
use crate::model::world::{self, NameKind};
use crate::model::{ColumnState, Metric, Registry, ValueHit, ValueLookup};

/// How words lead to a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum How {
    /// They are the value, but for case, accents and spaces.
    Exact,
    /// They are an alias of it.
    Alias,
    /// They name the country or currency whose code (or other name) it is.
    Code,
    /// They are a likely typo of the value, an alias or a name, and of nothing else: to be used, and shown. With the
    /// similarity, below 1.
    Similar(f64),
    /// They are somewhat like it, or some of its words, or as much like another one: to be asked about, never used.
    Perhaps(f64),
}

/// A value that words may mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The dimension, as a query over the metrics writes it.
    pub dimension: String,
    /// The value, as it stands in the data.
    pub value: String,
    /// How the words lead there.
    pub how: How,
    /// What the words were taken for: the value, an alias or a name (`Indonesia`, for `indonesa`, with the value `ID`).
    pub matched: String,
    /// Rows that have it.
    pub count: u64,
}

/// Which dimensions the columns of the value index belong to, and the aliases of values; made once per registry.
#[derive(Debug, Default)]
pub struct ValueMap {
    /// (table, column) -> what it is in datasets; the index of a column is its place in `owners`.
    columns: HashMap<(String, String), usize>,
    /// Names of the dimensions that are this column.
    owners: Vec<Vec<String>>,
    /// Per dataset, the ways from it to each column.
    ways: HashMap<String, OnceLock<HashMap<usize, Vec<Way>>>>,
    /// Folded alias -> the dimension and the values it means.
    aliases: HashMap<String, Vec<(String, String)>>,
}

/// How a dataset reaches a column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    /// As a query writes it.
    name: String,
    /// The dimension's own name.
    dimension: String,
    joins: usize,
}

impl ValueMap {
    /// Prepares the columns and aliases of a registry.
    pub fn new(registry: &Registry) -> Self {
        let mut map = Self::default();
        for dataset in registry.datasets.values() {
            map.ways.insert(dataset.name.clone(), OnceLock::new());
            for dimension in dataset.dimensions.values() {
                let key = (
                    dataset.index_table().into_owned(),
                    dimension.index_column().into_owned(),
                );
                for (value, aliases) in &dimension.value_aliases {
                    for alias in aliases {
                        let meanings = map.aliases.entry(fold(alias)).or_default();
                        let meaning = (dimension.name.clone(), value.clone());
                        if !meanings.contains(&meaning) {
                            meanings.push(meaning);
                        }
                    }
                }
                let next = map.owners.len();
                let column = *map.columns.entry(key).or_insert(next);
                if column == next {
                    map.owners.push(Vec::new());
                }
                if let Some(owners) = map.owners.get_mut(column)
                    && !owners.contains(&dimension.name)
                {
                    owners.push(dimension.name.clone());
                }
            }
        }
        map
    }

    fn ways<'a>(
        &'a self,
        registry: &Registry,
        reach: &Reachability,
        dataset: &str,
    ) -> Option<&'a HashMap<usize, Vec<Way>>> {
        let ways = self.ways.get(dataset)?;
        Some(ways.get_or_init(|| {
            let mut ways: HashMap<usize, Vec<Way>> = HashMap::new();
            for (name, path) in reach.named(registry, dataset) {
                let Some((owner, dimension)) = path.resolve(registry) else {
                    continue;
                };
                let key = (
                    owner.index_table().into_owned(),
                    dimension.index_column().into_owned(),
                );
                if let Some(column) = self.columns.get(&key) {
                    ways.entry(*column).or_default().push(Way {
                        name,
                        dimension: dimension.name.clone(),
                        joins: path.joins.len(),
                    });
                }
            }
            ways
        }))
    }
}

/// Everything words are linked to.
#[derive(Clone, Copy)]
pub struct Linker<'a> {
    /// The definitions.
    pub registry: &'a Registry,
    /// Which metric reaches which dimension.
    pub reach: &'a Reachability,
    /// The columns and aliases of the definitions.
    pub map: &'a ValueMap,
    /// The values in the data.
    pub values: &'a dyn ValueLookup,
}

impl Linker<'_> {
    /// The values that `words` name: as they stand, by an alias, or by the name of a country or currency; for queries
    /// over `metrics`, without any for all. The likeliest first.
    pub fn named(&self, words: &str, metrics: &[String]) -> Vec<Link> {
        let mut found = Found::new(self, metrics);
        let mut exact = self.values.exact(words);
        // Where values differ only in case, the one that was typed is meant.
        if exact.iter().any(|hit| hit.value == words) {
            exact.retain(|hit| hit.value == words);
        }
        found.add(exact, None, How::Exact, words);
        for (dimension, value) in self.map.aliases.get(&fold(words)).into_iter().flatten() {
            found.add(self.values_of(value), Some(dimension), How::Alias, words);
        }
        for name in world::codes(words) {
            // A code that is a value is that value.
            if found.links.is_empty() || !world::is_code(name.kind, words) {
                self.add_name(&name, How::Code, name.name, &mut found);
            }
        }
        found.sorted()
    }

    /// The values that `words` may be a typo of, or that have them among their words: one to use, or some to ask about.
    pub fn similar(&self, words: &str, metrics: &[String]) -> Vec<Link> {
        const CANDIDATES: usize = 20;
        let typed = fold(words);
        let mut found = Found::new(self, metrics);
        let mut hits = self.values.similar(words, CANDIDATES);
        while let Some(first) = hits.first() {
            let (how, value) = (How::Perhaps(first.similarity), first.value.clone());
            let (same, others) = hits.into_iter().partition(|hit| hit.value == value);
            found.add(same, None, how, &value);
            hits = others;
        }
        for (alias, meanings) in &self.map.aliases {
            if is_typo(&typed, alias) {
                let how = How::Perhaps(alike::similarity(&typed, alias));
                for (dimension, value) in meanings {
                    found.add(self.values_of(value), Some(dimension), how, alias);
                }
            }
        }
        for (name, spelling, similarity) in world::similar(words) {
            self.add_name(&name, How::Perhaps(similarity), spelling, &mut found);
        }
        let mut links = found.sorted();
        let similarity = |link: &Link| match link.how {
            How::Perhaps(similarity) => similarity,
            _ => 1.0,
        };
        let next = links.get(1).map(similarity);
        if let Some(best) = links.first_mut()
            && is_typo(&typed, &fold(&best.matched))
            && stands_out(similarity(best), next)
        {
            best.how = How::Similar(similarity(best));
            links.truncate(1);
        }
        links
    }

    /// Where exactly this value occurs.
    fn values_of(&self, value: &str) -> Vec<ValueHit> {
        let mut hits = self.values.exact(value);
        hits.retain(|hit| hit.value == value);
        hits
    }

    /// Adds the values that are this country or currency, however the data writes it.
    fn add_name(&self, name: &world::Name, how: How, matched: &str, found: &mut Found<'_>) {
        for spelling in name.spellings() {
            let mut hits = self.values.exact(spelling);
            if spelling.len() <= 3 {
                hits.retain(|hit| self.has_codes(name.kind, hit));
            }
            found.add(hits, None, how, matched);
        }
    }

    /// Whether a column holds codes of this kind, which are also words: `IN` beside `OUT` is not India.
    fn has_codes(&self, kind: NameKind, hit: &ValueHit) -> bool {
        const LOOKED_AT: usize = 50;
        const MOST: u64 = 400;
        let state = self.values.state(&hit.table, &hit.column);
        if !matches!(state, ColumnState::Indexed { distinct } if distinct <= MOST) {
            return false;
        }
        let some = self.values.nearest(&hit.table, &hit.column, "", LOOKED_AT);
        let codes = some
            .iter()
            .filter(|value| world::is_code(kind, &value.to_uppercase()));
        codes.count() * 2 > some.len()
    }
}

/// Links as they are found: one per value of a dimension, by the surest way.
struct Found<'a> {
    linker: &'a Linker<'a>,
    leaves: Vec<&'a Metric>,
    links: Vec<Link>,
}

impl<'a> Found<'a> {
    fn new(linker: &'a Linker<'a>, metrics: &[String]) -> Self {
        let registry = linker.registry;
        let metrics = metrics.iter().filter_map(|name| registry.metric(name));
        Self {
            linker,
            leaves: metrics
                .flat_map(|metric| leaf_metrics(registry, metric))
                .collect(),
            links: Vec::new(),
        }
    }

    /// Adds the dimensions that these hits are values of, only those called `dimension` where that is given.
    fn add(&mut self, hits: Vec<ValueHit>, dimension: Option<&str>, how: How, matched: &str) {
        let known = self.links.len();
        for (name, hit) in self.dimensions(hits, dimension) {
            let is_same = |link: &Link| link.dimension == name && link.value == hit.value;
            match self.links.iter().position(is_same) {
                // The same value in another table; one that was there before was found by a surer way.
                Some(at) => {
                    if let Some(link) = self.links.get_mut(at).filter(|_| at >= known) {
                        link.count += hit.count;
                    }
                }
                None => self.links.push(Link {
                    dimension: name,
                    value: hit.value,
                    how,
                    matched: matched.to_owned(),
                    count: hit.count,
                }),
            }
        }
    }

    /// Each hit with its dimension as a query writes it; of several dimensions of one name, the nearest that has the value.
    fn dimensions(&self, hits: Vec<ValueHit>, wanted: Option<&str>) -> Vec<(String, ValueHit)> {
        let Linker {
            registry,
            reach,
            map,
            ..
        } = *self.linker;
        let columns: Vec<(usize, ValueHit)> = hits
            .into_iter()
            .filter_map(|hit| {
                let key = (hit.table.clone(), hit.column.clone());
                Some((*map.columns.get(&key)?, hit))
            })
            .collect();
        let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
        let mut found = Vec::new();
        if self.leaves.is_empty() {
            for (column, hit) in columns {
                for name in map.owners.get(column).into_iter().flatten() {
                    if is_wanted(name) {
                        found.push((name.clone(), hit.clone()));
                    }
                }
            }
            return found;
        }
        let measures = self.leaves.iter().flat_map(|leaf| leaf.kind.sources());
        let mut bases: Vec<&str> = measures
            .flat_map(|source| &source.measures)
            .map(|measure| measure.dataset.as_str())
            .collect();
        bases.sort_unstable();
        bases.dedup();
        for base in bases {
            let Some(ways) = map.ways(registry, reach, base) else {
                continue;
            };
            let mut ways: Vec<(&Way, &ValueHit)> = columns
                .iter()
                .flat_map(|(column, hit)| {
                    ways.get(column)
                        .into_iter()
                        .flatten()
                        .map(move |way| (way, hit))
                })
                .filter(|(way, _)| is_wanted(&way.dimension))
                .collect();
            ways.sort_by_key(|(way, _)| way.joins);
            let mut nearest: Vec<(&Way, &ValueHit)> = Vec::new();
            for (way, hit) in ways {
                let is_farther = nearest.iter().any(|(other, known)| {
                    other.dimension == way.dimension
                        && known.value == hit.value
                        && other.joins < way.joins
                });
                if !is_farther && reach.reachable(registry, &self.leaves, &way.name).is_ok() {
                    nearest.push((way, hit));
                }
            }
            for (way, hit) in nearest {
                let again = (way.name.clone(), hit.clone());
                if !found.contains(&again) {
                    found.push(again);
                }
            }
        }
        found
    }

    /// The surest first, then the most frequent.
    fn sorted(mut self) -> Vec<Link> {
        let rank = |how: How| match how {
            How::Exact => 4.0,
            How::Alias => 3.0,
            How::Code => 2.0,
            How::Similar(similarity) | How::Perhaps(similarity) => similarity,
        };
        self.links.sort_by(|a, b| {
            rank(b.how)
                .total_cmp(&rank(a.how))
                .then(b.count.cmp(&a.count))
                .then_with(|| (&a.dimension, &a.value).cmp(&(&b.dimension, &b.value)))
        });
        self.links
    }
}
