//! Rollups: tables that would answer many queries of the month, with the arithmetic of whether they are worth it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, json};

use super::idea::{Change, Idea, Kind};
use super::tally::Tally;
use super::{Month, Shape};
use crate::learn::about;
use crate::model::{
    Aggregate, Filter, Grain, MetricKind, MetricQuery, Registry, counted, thousands,
};
use crate::registry::{LearnRules, edit};
use crate::usage::Route;

/// Dimensions that one rollup is kept by at most: with each one it has many times the rows.
const MOST_DIMENSIONS: usize = 4;

/// Rollups of a dataset whose size is counted, the most useful one first.
const TRIED: usize = 3;

/// A rollup that could answer queries of the month. Whether it is worth building takes its size to know.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The name it would have.
    pub name: String,
    /// The dataset whose rows it would add up.
    pub dataset: String,
    /// Its definition, as YAML.
    pub definition: String,
    id: String,
    title: String,
    tally: Tally,
}

/// What a rollup is worth, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worth {
    /// Queries of the month that it would have answered.
    pub queries: u64,
    /// Their median time.
    pub median_ms: f64,
    /// What they would take: as much less as there are fewer rows.
    pub estimated_ms: f64,
    /// What making it once costs: a query over all rows.
    pub build_ms: f64,
    /// How often it is made in a month.
    pub refreshes: u64,
    /// Its rows.
    pub rows_out: u64,
    /// The rows they are added up from.
    pub rows_in: u64,
}

impl Worth {
    /// Milliseconds saved in a month.
    pub fn saved(&self) -> f64 {
        self.queries as f64 * (self.median_ms - self.estimated_ms)
    }

    /// Milliseconds spent in a month.
    pub fn spent(&self) -> f64 {
        self.build_ms * self.refreshes as f64
    }

    /// Its rows as a share of those they are added up from.
    pub fn share(&self) -> f64 {
        self.rows_out as f64 / (self.rows_in.max(1)) as f64
    }

    /// Why it is not worth building; nothing where it is.
    pub fn against(&self, rules: &LearnRules) -> Option<String> {
        if self.share() >= rules.shrink {
            return Some(format!(
                "{} of {} are {:.2} of them, not below {}",
                counted(self.rows_out, "row"),
                thousands(self.rows_in),
                self.share(),
                rules.shrink
            ));
        }
        (self.saved() <= self.spent()).then(|| format!("{}: not worth it", self.arithmetic()))
    }

    /// The arithmetic: `120 queries x (310 ms - 12 ms) = 35.8 s saved > 0.3 s x 30 refreshes = 9.3 s; 1,200 of 96,000 rows`.
    pub fn arithmetic(&self) -> String {
        let sign = if self.saved() > self.spent() {
            ">"
        } else {
            "<="
        };
        format!(
            "{} queries x ({:.0} ms - {:.1} ms) = {:.2} s saved {sign} {:.0} ms x {} refreshes = {:.2} s; \
             rows out / rows in = {} / {} = {:.3}",
            thousands(self.queries),
            self.median_ms,
            self.estimated_ms,
            self.saved() / 1000.0,
            self.build_ms,
            self.refreshes,
            self.spent() / 1000.0,
            thousands(self.rows_out),
            thousands(self.rows_in),
            self.share()
        )
    }
}

impl Wish {
    /// What it is worth, by its size.
    pub fn worth(&self, rules: &LearnRules, rows_out: u64, rows_in: u64) -> Worth {
        let median_ms = self.tally.times.quantile(0.5).unwrap_or(0.0);
        let slow_ms = self.tally.times.quantile(0.9).unwrap_or(median_ms);
        Worth {
            queries: self.tally.succeeded,
            median_ms,
            // A scan takes time by its rows; sending the question takes some in any case.
            estimated_ms: (median_ms * rows_out as f64 / (rows_in.max(1)) as f64)
                .max(1.0)
                .min(median_ms),
            build_ms: slow_ms,
            refreshes: rules.refreshes,
            rows_out,
            rows_in,
        }
    }

    /// The wish as an idea, with what it is worth.
    pub fn idea(self, worth: &Worth) -> Idea {
        let evidence = self.tally.evidence();
        Idea {
            id: self.id,
            kind: Kind::Rollup,
            title: self.title,
            remark: format!("{}.", worth.arithmetic()),
            confidence: evidence.confidence(),
            evidence,
            change: Change::Rollup {
                name: self.name,
                definition: self.definition,
            },
        }
    }
}

/// Queries of one dataset that a rollup by these dimensions could answer.
#[derive(Default)]
struct Demand<'a> {
    metrics: BTreeSet<&'a str>,
    tally: Tally,
}

impl<'a> Month<'a> {
    /// For each dataset, the rollups that would have answered the most time of queries, the best first. One of them is
    /// enough, and what an existing one answers is not wished for.
    pub fn wishes(&self) -> Vec<Wish> {
        let mut demands: BTreeMap<&'a str, BTreeMap<BTreeSet<String>, Demand<'a>>> =
            BTreeMap::new();
        for shape in &self.gathered.shapes {
            if let Some((dataset, by)) = self.demanded(shape) {
                let known = demands.entry(dataset).or_default().entry(by).or_default();
                known.tally.merge(&shape.tally);
                known
                    .metrics
                    .extend(shape.facts.metrics.iter().map(String::as_str));
            }
        }
        let mut wishes = Vec::new();
        for (dataset, patterns) in demands {
            let mut worth: Vec<_> = patterns
                .keys()
                .filter_map(|by| {
                    let mut all = Demand::default();
                    for (of, demand) in &patterns {
                        if of.is_subset(by) {
                            all.tally.merge(&demand.tally);
                            all.metrics.extend(&demand.metrics);
                        }
                    }
                    let ms = all.tally.times.quantile(0.5)? * all.tally.succeeded as f64;
                    self.is_enough(&all.tally).then_some((ms, by, all))
                })
                .collect();
            worth.sort_by(|one, other| {
                let by_ms = other.0.total_cmp(&one.0);
                // Of two that answer the same, the one with fewer dimensions.
                by_ms.then_with(|| (one.1.len(), one.1).cmp(&(other.1.len(), other.1)))
            });
            let first = worth.into_iter().take(TRIED);
            wishes.extend(first.map(|(_, by, demand)| self.wish(dataset, by, demand)));
        }
        wishes
    }

    /// The dataset and the dimensions of a shape that a rollup could answer: simple sums over days of one dataset.
    fn demanded(&self, shape: &Shape) -> Option<(&'a str, BTreeSet<String>)> {
        let facts = &shape.facts;
        let is_line = shape.route != Route::Snippet && !shape.is_by_hand();
        let is_fast = facts
            .answered_by
            .iter()
            .any(|one| one.starts_with("rollup:"));
        if !is_line || is_fast || facts.metrics.is_empty() {
            return None;
        }
        let grain = facts.grain.as_deref().map(Grain::from_word);
        if grain.is_some_and(|grain| grain.is_none_or(Grain::is_sub_day)) {
            return None;
        }
        let mut dataset = None;
        for metric in &facts.metrics {
            let of = rolled_up(self.registry, metric)?;
            if *dataset.get_or_insert(of) != of {
                return None;
            }
        }
        let dataset = self.registry.datasets.get(dataset?)?;
        let is_time = |name: &str| {
            let known = dataset.dimension(name);
            known.is_some_and(|known| known.kind.is_time()) || Grain::from_word(name).is_some()
        };
        // The statement's own conditions are those of the definitions as well, which a rollup keeps.
        let query: MetricQuery = shape.line.parse().ok()?;
        let fields = query.filters.as_ref().map(Filter::fields);
        if fields
            .iter()
            .flatten()
            .any(|field| Filter::per(field).is_some())
        {
            return None;
        }
        let asked = about(self.registry, &query);
        let filters = asked.filters.iter().map(|filter| &filter.on);
        let by = facts.dimensions.iter().chain(filters);
        let by: BTreeSet<String> = by.filter(|name| !is_time(name)).cloned().collect();
        // A column is no dimension, and many dimensions are many rows.
        let is_dimension = |name: &String| match name.split_once('.') {
            None => dataset.dimension(name).is_some(),
            Some((join, _)) => dataset.joins.contains_key(join),
        };
        let is_kept =
            self.registry.rollups.values().any(|known| {
                known.of == dataset.name && by.iter().all(|name| known.by.contains(name))
            });
        let fits = by.len() <= MOST_DIMENSIONS && by.iter().all(is_dimension) && !is_kept;
        fits.then_some((dataset.name.as_str(), by))
    }

    fn wish(&self, dataset: &str, by: &BTreeSet<String>, demand: Demand<'_>) -> Wish {
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let words: Vec<String> = by.iter().map(|name| name.replace('.', "_")).collect();
        let mut name = format!("{dataset}_by_day");
        if !words.is_empty() {
            name = format!("{name}_{}", words.join("_"));
        }
        let mut keys = Map::new();
        keys.insert("of".to_owned(), json!(dataset));
        keys.insert("grain".to_owned(), json!("day"));
        if !by.is_empty() {
            keys.insert("by".to_owned(), json!(by));
        }
        keys.insert("metrics".to_owned(), json!(demand.metrics));
        let of = match by.is_empty() {
            true => String::new(),
            false => format!(" and {}", by.join(", ")),
        };
        Wish {
            name: self.free_name(&name, &[]),
            dataset: dataset.to_owned(),
            definition: edit::fields(&keys),
            id: format!("rollup:{dataset}/day/{}", by.join(",")),
            title: format!("{dataset} by day{of}, kept"),
            tally: demand.tally,
        }
    }
}

/// The dataset whose rows a metric adds up, where all its parts are of one and can be put together from parts.
fn rolled_up<'r>(registry: &'r Registry, metric: &str) -> Option<&'r str> {
    let metric = registry.metrics.get(metric)?;
    match &metric.kind {
        MetricKind::Simple(sources) | MetricKind::Ratio(sources) => {
            let mut measures = sources.iter().flat_map(|source| &source.measures);
            let first = measures.next()?;
            let is_kept = |agg: Aggregate| agg.of_parts().is_some() || agg == Aggregate::Avg;
            let mut all = std::iter::once(first).chain(measures);
            let fits = all.all(|measure| {
                measure.dataset == first.dataset
                    && measure.over_time.is_none()
                    && is_kept(measure.agg)
            });
            let dataset = registry.datasets.get(&first.dataset)?;
            (fits && dataset.time.is_some() && dataset.valid.is_none())
                .then_some(dataset.name.as_str())
        }
        MetricKind::Derived { inputs, .. } => {
            let mut found = None;
            for input in inputs {
                let of = rolled_up(registry, &input.metric)?;
                if *found.get_or_insert(of) != of {
                    return None;
                }
            }
            found
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(queries: u64, rows_out: u64) -> Worth {
        Worth {
            queries,
            median_ms: 310.0,
            estimated_ms: 10.0,
            build_ms: 300.0,
            refreshes: 30,
            rows_out,
            rows_in: 96_000,
        }
    }

    #[test]
    fn a_rollup_has_to_save_more_than_it_costs_and_be_small() {
        let rules = LearnRules::default();
        // 31 x 300 ms are 9.3 s, and 30 x 300 ms are 9 s.
        assert_eq!(worth(31, 1_200).against(&rules), None);
        assert!(worth(30, 1_200).against(&rules).is_some());
        assert!(
            worth(31, 9_600)
                .against(&rules)
                .is_some_and(|why| why.contains("0.10 of them"))
        );
    }
}
