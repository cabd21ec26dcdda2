//! Which dimensions each dataset can reach by many-to-one joins; computed once per dataset, never per query.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::OnceLock;

use super::{CompileError, ErrorCode};
use crate::model::{ConversionResult, Dataset, Dimension, Metric, MetricKind, Registry};
use crate::registry::nearest;

/// Longest join path that is considered.
const MAX_HOPS: usize = 6;

/// Most join paths that are followed from one dataset; only a graph where everything joins everything has more.
const MAX_PATHS: usize = 2_000;

/// A dimension and the joins that lead to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DimensionPath {
    /// Names of the joins, from the base dataset on; empty for the base's own dimension.
    pub joins: Vec<String>,
    /// The dataset that has the dimension.
    pub dataset: String,
    /// The dimension's name there.
    pub dimension: String,
}

impl DimensionPath {
    /// The dimension itself.
    pub fn resolve<'a>(&self, registry: &'a Registry) -> Option<(&'a Dataset, &'a Dimension)> {
        let dataset = registry.datasets.get(&self.dataset)?;
        Some((dataset, dataset.dimensions.get(&self.dimension)?))
    }

    /// The datasets of which it identifies a row: its own, where it is the key, and those it joins onto.
    pub(super) fn entities<'a>(&self, registry: &'a Registry) -> Vec<&'a str> {
        let Some((dataset, dimension)) = self.resolve(registry) else {
            return Vec::new();
        };
        let Some(column) = &dimension.column else {
            return Vec::new();
        };
        let own = (dataset.key.first() == Some(column)).then_some(dataset.name.as_str());
        let joined = dataset
            .joins
            .values()
            .filter(|join| join.on.first().is_some_and(|(here, _)| here == column))
            .map(|join| join.to.as_str());
        own.into_iter().chain(joined).collect()
    }

    /// `buyer.segment`
    pub fn qualified(&self) -> String {
        let mut parts: Vec<&str> = self.joins.iter().map(String::as_str).collect();
        parts.push(&self.dimension);
        parts.join(".")
    }
}

/// What one dataset reaches.
#[derive(Debug, Default)]
struct Reach {
    /// Every path, nearest first.
    paths: Vec<DimensionPath>,
    /// Lower-case name, alias or qualified name -> indexes into `paths`.
    names: HashMap<String, Vec<usize>>,
    /// Datasets on the way.
    datasets: HashSet<String>,
}

/// The dimensions every dataset reaches.
#[derive(Debug, Default)]
pub struct Reachability {
    datasets: HashMap<String, OnceLock<Reach>>,
}

impl Reachability {
    /// Prepares the matrix for a registry; each row is computed when it is first asked for.
    pub fn new(registry: &Registry) -> Self {
        let rows = registry
            .datasets
            .keys()
            .map(|name| (name.clone(), OnceLock::new()));
        Self {
            datasets: rows.collect(),
        }
    }

    fn reach<'a>(&'a self, registry: &Registry, dataset: &str) -> Option<&'a Reach> {
        Some(
            self.datasets
                .get(dataset)?
                .get_or_init(|| explore(registry, dataset)),
        )
    }

    /// The dimension that `name` means for a dataset: its own, else the nearest one that joins lead to.
    ///
    /// # Errors
    /// `UnknownDimension`, `UnreachableDimension` (no path, or it would multiply rows) or `AmbiguousDimension`.
    pub fn find(
        &self,
        registry: &Registry,
        dataset: &str,
        name: &str,
    ) -> Result<&DimensionPath, CompileError> {
        let reach = self.reach(registry, dataset).ok_or_else(|| {
            CompileError::new(
                ErrorCode::InvalidDefinition,
                format!("there is no dataset '{dataset}'"),
            )
        })?;
        let lower = name.to_lowercase();
        let found: Vec<&DimensionPath> = reach
            .names
            .get(&lower)
            .into_iter()
            .flatten()
            .filter_map(|&index| reach.paths.get(index))
            .collect();
        let Some(first) = found.first() else {
            return Err(self.why_not(registry, dataset, reach, name));
        };
        let rivals: Vec<&&DimensionPath> = found
            .iter()
            .filter(|path| path.joins.len() == first.joins.len())
            .collect();
        // A name beats an alias at the same distance.
        let exact: Vec<_> = rivals
            .iter()
            .filter(|path| {
                path.dimension.to_lowercase() == lower || path.qualified().to_lowercase() == lower
            })
            .collect();
        match (rivals.as_slice(), exact.as_slice()) {
            ([only], _) => Ok(**only),
            (_, [only]) => Ok(***only),
            _ => {
                let ways: Vec<String> = rivals.iter().map(|path| path.qualified()).collect();
                Err(CompileError::new(
                    ErrorCode::AmbiguousDimension,
                    format!(
                        "'{name}' is ambiguous for {dataset}: {} lead there",
                        ways.join(" and ")
                    ),
                )
                .hint(format!("write {}", ways.join(" or ")))
                .word(name))
            }
        }
    }

    fn why_not(
        &self,
        registry: &Registry,
        dataset: &str,
        reach: &Reach,
        name: &str,
    ) -> CompileError {
        let plain = name.rsplit('.').next().unwrap_or(name);
        let owners: Vec<&Dataset> = registry
            .datasets
            .values()
            .filter(|owner| owner.dimension(plain).is_some())
            .collect();
        let possible = self.possible(registry, dataset);
        let listed = list(&possible, 12);
        if owners.is_empty() && matches!(plain, "millisecond" | "microsecond" | "nanosecond") {
            return CompileError::new(
                ErrorCode::InvalidTime,
                format!("{name}: there is no grain finer than a second"),
            )
            .hint("group by second")
            .word(name);
        }
        if owners.is_empty() {
            let mut error = CompileError::new(
                ErrorCode::UnknownDimension,
                format!("unknown dimension '{name}'"),
            );
            let everywhere = registry
                .datasets
                .values()
                .flat_map(|dataset| dataset.dimensions.keys());
            let near = nearest(name, possible.iter().map(String::as_str))
                .or_else(|| nearest(name, everywhere.map(String::as_str)));
            error = match near {
                Some(near) => error.hint(format!(
                    "did you mean '{near}'? Dimensions of {dataset}: {listed}"
                )),
                None => error.hint(format!("dimensions of {dataset}: {listed}")),
            };
            return error.word(name);
        }
        let multiplied = owners.iter().find_map(|owner| {
            let back = self.reach(registry, &owner.name)?;
            let shared = if back.datasets.contains(dataset) {
                dataset
            } else {
                back.datasets
                    .iter()
                    .find(|middle| reach.datasets.contains(*middle))?
                    .as_str()
            };
            Some((owner.name.as_str(), shared))
        });
        let bridge = owners.iter().find_map(|owner| {
            let joins_both = |bridge: &&Dataset| {
                self.reach(registry, &bridge.name).is_some_and(|reach| {
                    reach.datasets.contains(dataset) && reach.datasets.contains(&owner.name)
                })
            };
            let bridge = registry.datasets.values().find(joins_both)?;
            Some((owner.name.as_str(), bridge.name.as_str()))
        });
        let reason = match (multiplied, bridge) {
            (Some((owner, shared)), _) => format!(
                "'{name}' cannot be used with {dataset}: it belongs to {owner}, which has many rows per row of {shared}, so joining it would multiply the rows being aggregated"
            ),
            (None, Some((owner, bridge))) => format!(
                "'{name}' cannot be used with {dataset}: it belongs to {owner}, which only {bridge} leads to, with many rows per row of {dataset}, so joining it would multiply the rows being aggregated"
            ),
            (None, None) => format!(
                "'{name}' cannot be used with {dataset}: it belongs to {}, and no join leads there",
                owners
                    .iter()
                    .map(|owner| owner.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        CompileError::new(ErrorCode::UnreachableDimension, reason)
            .hint(format!("dimensions of {dataset}: {listed}"))
            .word(name)
    }

    /// Everything a dataset reaches, nearest first, each under its shortest unambiguous name.
    pub fn named(&self, registry: &Registry, dataset: &str) -> Vec<(String, &DimensionPath)> {
        let paths = self
            .reach(registry, dataset)
            .map(|reach| reach.paths.as_slice());
        let named = paths.unwrap_or_default().iter();
        named
            .map(|path| (self.short_name(registry, dataset, path), path))
            .collect()
    }

    /// The shortest unambiguous names of everything a dataset reaches, nearest first.
    pub fn possible(&self, registry: &Registry, dataset: &str) -> Vec<String> {
        let named = self.named(registry, dataset);
        named.into_iter().map(|(name, _)| name).collect()
    }

    fn short_name(&self, registry: &Registry, dataset: &str, path: &DimensionPath) -> String {
        match self.find(registry, dataset, &path.dimension) {
            Ok(found) if found == path => path.dimension.clone(),
            _ => path.qualified(),
        }
    }
}

/// The simple and ratio metrics that a metric is made of, and complex ones with facets.
pub fn leaf_metrics<'a>(registry: &'a Registry, metric: &'a Metric) -> Vec<&'a Metric> {
    leaves(registry, metric, MetricKind::inputs)
}

/// Those of them whose numbers are in the metric's: what is converted from only says which conversions are counted.
pub(super) fn counted_metrics<'a>(registry: &'a Registry, metric: &'a Metric) -> Vec<&'a Metric> {
    leaves(registry, metric, |kind| match kind {
        MetricKind::Conversion(conversion) if conversion.result == ConversionResult::Count => {
            vec![&conversion.conversion]
        }
        kind => kind.inputs(),
    })
}

fn leaves<'a>(
    registry: &'a Registry,
    metric: &'a Metric,
    inputs: impl Fn(&MetricKind) -> Vec<&str>,
) -> Vec<&'a Metric> {
    let mut out: Vec<&Metric> = Vec::new();
    let mut left = vec![(metric, 0)];
    while let Some((metric, depth)) = left.pop() {
        let inputs = inputs(&metric.kind);
        if !inputs.is_empty() && depth < 32 {
            let inputs = inputs
                .iter()
                .rev()
                .filter_map(|input| registry.metric(input));
            left.extend(inputs.map(|input| (input, depth + 1)));
        } else if !metric.kind.sources().is_empty()
            && out.iter().all(|seen| seen.name != metric.name)
        {
            out.push(metric);
        }
    }
    out
}

fn explore(registry: &Registry, base: &str) -> Reach {
    let mut reach = Reach::default();
    let mut queue: VecDeque<(String, Vec<String>, Vec<String>)> = VecDeque::new();
    queue.push_back((base.to_owned(), vec![], vec![base.to_owned()]));
    let mut followed = 0;
    while let Some((name, joins, visited)) = queue.pop_front() {
        followed += 1;
        if followed > MAX_PATHS {
            break;
        }
        let Some(dataset) = registry.datasets.get(&name) else {
            continue;
        };
        reach.datasets.insert(name.clone());
        for dimension in dataset.dimensions.values() {
            let index = reach.paths.len();
            for word in std::iter::once(&dimension.name).chain(&dimension.aliases) {
                let mut qualified = word.clone();
                let mut file = |key: &str| {
                    let entry = reach.names.entry(key.to_lowercase()).or_default();
                    if !entry.contains(&index) {
                        entry.push(index);
                    }
                };
                file(&qualified);
                file(&format!("{name}.{word}"));
                if let Some(entity) = &dataset.entity {
                    file(&format!("{entity}.{word}"));
                }
                for join in joins.iter().rev() {
                    qualified = format!("{join}.{qualified}");
                    file(&qualified);
                }
                let mut by_role = word.clone();
                for join in joins.iter().rev() {
                    by_role = format!("{}.{by_role}", role(join));
                    file(&by_role);
                }
            }
            reach.paths.push(DimensionPath {
                joins: joins.clone(),
                dataset: name.clone(),
                dimension: dimension.name.clone(),
            });
        }
        if joins.len() == MAX_HOPS {
            continue;
        }
        for join in dataset
            .joins
            .values()
            .filter(|join| !visited.contains(&join.to))
        {
            let mut joins = joins.clone();
            joins.push(join.name.clone());
            let mut visited = visited.clone();
            visited.push(join.to.clone());
            queue.push_back((join.to.clone(), joins, visited));
        }
    }
    reach
}

/// What a join leads to; `user__companies` is a second join in the role `user`.
pub(super) fn role(join: &str) -> &str {
    join.split_once("__").map_or(join, |(role, _)| role)
}

/// Up to `limit` words in a row, with `…` where there are more.
pub(super) fn list(words: &[String], limit: usize) -> String {
    let mut text = words
        .iter()
        .take(limit)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if words.len() > limit {
        text.push_str(", …");
    }
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}
