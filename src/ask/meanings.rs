//! What a value in a question may belong to, and which dimensions some metrics reach.

use std::collections::BTreeSet;

use super::Setting;
use super::values::{How, Link, Linker};
use crate::compile::leaf_metrics;
use crate::model::{Metric, MetricKind, Relation};

/// A value of a dimension that some words may mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueMeaning {
    /// The dimension's own name; as queries write it where a user chose it.
    pub(super) dimension: String,
    /// The value as it stands in the data.
    pub(super) value: String,
    /// 1 for the value itself, an alias or the name of a code.
    pub(super) similarity: f64,
    /// What the words were read as, where that is neither the words nor the value.
    pub(super) said_as: Option<String>,
    /// The words; empty where a user chose the meaning.
    pub(super) words: String,
}

impl ValueMeaning {
    pub(super) fn chosen(dimension: String, value: String) -> Self {
        Self {
            dimension,
            value,
            similarity: 1.0,
            said_as: None,
            words: String::new(),
        }
    }

    fn new(link: Link, words: &str) -> Self {
        let similarity = match link.how {
            How::Exact | How::Alias | How::Code => 1.0,
            How::Similar(similarity) | How::Perhaps(similarity) => similarity,
        };
        let is_other = !link.matched.eq_ignore_ascii_case(words) && link.matched != link.value;
        Self {
            dimension: link.dimension,
            value: link.value,
            similarity,
            said_as: is_other.then_some(link.matched),
            words: words.to_owned(),
        }
    }
}

/// Words -> values, for this setting.
fn linker<'a>(setting: &'a Setting<'a>) -> Linker<'a> {
    Linker {
        registry: setting.registry,
        reach: setting.reach,
        map: setting.lexicon.values(),
        values: setting.values,
    }
}

/// The values that `words` name as they stand.
pub(super) fn exact(words: &str, setting: &Setting<'_>) -> Vec<ValueMeaning> {
    let mut spelling = words.to_owned();
    let mut links = linker(setting).named(words, &[]);
    if links.is_empty() && words.contains(" and ") {
        spelling = words.replace(" and ", " & ");
        links = linker(setting).named(&spelling, &[]);
    }
    links
        .into_iter()
        .map(|link| ValueMeaning::new(link, &spelling))
        .collect()
}

/// Bytes of the longest words that are looked up for typos: the search takes longer the longer they are.
pub(super) const LONGEST_TYPO: usize = 128;

/// The values that a word may be a typo of, or that have it among their words; most similar first.
pub(super) fn similar(words: &str, setting: &Setting<'_>) -> Vec<ValueMeaning> {
    if words.len() > LONGEST_TYPO {
        return Vec::new();
    }
    let links = linker(setting).similar(words, &[]);
    links
        .into_iter()
        .map(|link| ValueMeaning::new(link, words))
        .collect()
}

/// Whether `words` name a value of a dimension that the metrics reach.
pub(super) fn is_reachable(words: &str, metrics: &[String], setting: &Setting<'_>) -> bool {
    let linker = linker(setting);
    !linker.named(words, metrics).is_empty()
        || (words.contains(" and ")
            && !linker
                .named(&words.replace(" and ", " & "), metrics)
                .is_empty())
}

/// The dimensions, as queries over the metrics write them, that have the value these meanings stand for; with the number
/// of joins that lead there.
pub(super) fn ways(
    meanings: &[ValueMeaning],
    metrics: &[String],
    setting: &Setting<'_>,
) -> Vec<(String, String, usize)> {
    let mut found: Vec<(String, String, usize)> = Vec::new();
    let Some(first) = meanings.first() else {
        return found;
    };
    if first.words.is_empty() {
        return vec![(first.dimension.clone(), first.value.clone(), 0)];
    }
    let values: BTreeSet<&str> = meanings.iter().map(|one| one.value.as_str()).collect();
    let linker = linker(setting);
    let links = if first.similarity < 1.0 {
        linker.similar(&first.words, metrics)
    } else {
        linker.named(&first.words, metrics)
    };
    for link in links {
        if values.contains(link.value.as_str())
            && let Some(reached) = reached(metrics, &link.dimension, setting)
            && !found
                .iter()
                .any(|(name, value, _)| *name == link.dimension && *value == link.value)
        {
            found.push((link.dimension, link.value, reached.hops));
        }
    }
    found
}

/// Where a dimension of some name leads from some metrics.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Joins on the way, at most.
    pub(super) hops: usize,
    /// The datasets that have it, with its name there.
    pub(super) found: Vec<(String, String)>,
}

/// Where `name` leads for every one of `metrics`, by the source each would use; `None` where one of them cannot use it.
pub(super) fn reached(metrics: &[String], name: &str, setting: &Setting<'_>) -> Option<Reached> {
    let registry = setting.registry;
    let mut all = Reached::default();
    for metric in metrics.iter().filter_map(|name| registry.metric(name)) {
        if matches!(metric.kind, MetricKind::Complex { .. }) {
            let declared = metric.kind.facets().and_then(|facets| {
                let path = setting.reach.find(registry, &facets.dataset, name).ok()?;
                Some((path.dataset.clone(), path.dimension.clone()))
            });
            match declared {
                Some(place) => all.found.push(place),
                None => all.found.extend(in_snippet(metric, name, setting)?),
            }
            continue;
        }
        for leaf in leaf_metrics(registry, metric) {
            let source = leaf.kind.sources().iter().find_map(|source| {
                source
                    .measures
                    .iter()
                    .map(|measure| setting.reach.find(registry, &measure.dataset, name).ok())
                    .collect::<Option<Vec<_>>>()
            });
            for path in source? {
                all.hops = all.hops.max(path.joins.len());
                let place = (path.dataset.clone(), path.dimension.clone());
                if !all.found.contains(&place) {
                    all.found.push(place);
                }
            }
        }
    }
    Some(all)
}

/// The dimensions of this name in the datasets that read a table of a snippet.
fn in_snippet(metric: &Metric, name: &str, setting: &Setting<'_>) -> Option<Vec<(String, String)>> {
    let MetricKind::Complex { tables, .. } = &metric.kind else {
        return None;
    };
    let datasets = setting.registry.datasets.values();
    let found: Vec<(String, String)> = datasets
        .filter(|dataset| match &dataset.relation {
            Relation::Table(table) => tables.contains(table),
            Relation::Sql(sql) => tables.iter().any(|table| sql.contains(table.as_str())),
        })
        .filter_map(|dataset| {
            let dimension = dataset.dimension(name)?;
            Some((dataset.name.clone(), dimension.name.clone()))
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

/// Why the metrics cannot use a dimension, in the compiler's words.
pub(super) fn why_not(
    metrics: &[String],
    name: &str,
    setting: &Setting<'_>,
) -> (String, Option<String>) {
    let registry = setting.registry;
    let metrics = metrics.iter().filter_map(|name| registry.metric(name));
    for leaf in metrics.flat_map(|metric| leaf_metrics(registry, metric)) {
        let measures = leaf.kind.sources().last().map(|source| &source.measures);
        for measure in measures.into_iter().flatten() {
            if let Err(error) = setting.reach.find(registry, &measure.dataset, name) {
                return (error.message, error.hint);
            }
        }
    }
    (format!("'{name}' cannot be used with these metrics"), None)
}

/// The first of some values that a metric leaves out by its own conditions: orders leave out `status <> 'CANCELLED'`.
pub(super) fn left_out(
    metric: &str,
    dimension: &str,
    values: &[String],
    setting: &Setting<'_>,
) -> Option<String> {
    let registry = setting.registry;
    let metric = registry.metric(metric)?;
    for leaf in leaf_metrics(registry, metric) {
        for measure in leaf
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures)
        {
            let Ok(path) = setting.reach.find(registry, &measure.dataset, dimension) else {
                continue;
            };
            let Some((_, found)) = path.resolve(registry) else {
                continue;
            };
            let column = found
                .column
                .as_deref()
                .unwrap_or(&found.name)
                .to_lowercase();
            for filter in &measure.filters {
                let text = filter.text.to_lowercase();
                let excludes = ["<>", "!=", "not in"]
                    .iter()
                    .any(|sign| text.contains(sign));
                let about = text
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .any(|word| word == column);
                let out = values.iter().find(|value| {
                    let is_named = text.contains(&format!("'{}'", value.to_lowercase()));
                    is_named == excludes
                });
                let is_simple = excludes || text.contains('=') || text.contains(" in ");
                if about
                    && is_simple
                    && let Some(value) = out
                {
                    return Some(value.clone());
                }
            }
        }
    }
    None
}

/// Whether a dimension is personal data for one of the metrics.
pub(super) fn is_personal(metrics: &[String], name: &str, setting: &Setting<'_>) -> bool {
    let found = reached(metrics, name, setting).map(|reached| reached.found);
    found.into_iter().flatten().any(|(dataset, dimension)| {
        let dataset = setting.registry.datasets.get(&dataset);
        let dimension = dataset.and_then(|dataset| dataset.dimensions.get(&dimension));
        dimension.is_some_and(|dimension| dimension.pii)
    })
}
