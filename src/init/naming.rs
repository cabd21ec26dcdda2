//! Names for metrics that no other metric, no dimension and no word of the query line has.

use std::collections::{HashMap, HashSet};

use super::draft::{Dataset, Known};
use super::metrics::Metric;
use super::words;
use crate::model::Grain;
use crate::model::query_line::print_name;

/// What one row is called in names, by table: the lines of orders are `item` rather than `order_item`, where that is
/// clear.
pub(super) fn short_entities(known: &[Known<'_>]) -> Vec<String> {
    let full = |at: usize| {
        known
            .get(at)
            .map_or("", |known| known.table.entity.as_str())
    };
    let shorts: Vec<&str> = known
        .iter()
        .map(|table| {
            let entity = table.table.entity.as_str();
            let rest = table.joins.found.iter().find_map(|join| {
                entity
                    .strip_prefix(full(join.to))?
                    .strip_prefix('_')
                    .filter(|rest| !rest.is_empty())
            });
            rest.unwrap_or(entity)
        })
        .collect();
    let clear = |short: &str| {
        shorts.iter().filter(|other| **other == short).count() == 1
            && known.iter().all(|known| known.table.entity != short)
    };
    let entities = known.iter().map(|known| known.table.entity.as_str());
    entities
        .zip(&shorts)
        .map(|(entity, short)| {
            if clear(short) {
                (*short).to_owned()
            } else {
                entity.to_owned()
            }
        })
        .collect()
}

/// Gives every metric a name of its own, and the other names that are free.
pub(super) fn settle(all: &mut [Vec<Metric>], datasets: &[Dataset]) {
    let wishes = tally(all.iter().flatten().map(|metric| metric.name.as_str()));
    let wished_aliases = tally(
        all.iter()
            .flatten()
            .flat_map(|metric| &metric.aliases)
            .map(String::as_str),
    );
    let mut taken: HashSet<String> = datasets
        .iter()
        .flat_map(|dataset| &dataset.dimensions)
        .map(|dimension| dimension.name.clone())
        .collect();
    for metric in all.iter_mut().flatten() {
        let is_free = |name: &String| is_usable(name) && !taken.contains(name);
        let alone = wishes.get(&metric.name) == Some(&1);
        let wished = Some(metric.name.clone()).filter(|name| alone && is_free(name));
        let name = wished.unwrap_or_else(|| claim(&mut taken, metric.fallback.clone()));
        taken.insert(name.clone());
        if name != metric.name {
            metric.label = words::label(&name);
            metric.name = name;
        }
    }
    for metric in all.iter_mut().flatten() {
        let own = metric.name.clone();
        metric.aliases.retain(|alias| {
            *alias != own
                && wished_aliases.get(alias) == Some(&1)
                && is_usable(alias)
                && !taken.contains(alias)
        });
    }
}

fn tally<'n>(names: impl Iterator<Item = &'n str>) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for name in names {
        *times.entry(name.to_owned()).or_default() += 1;
    }
    times
}

/// The name, with a number behind it where it is taken.
pub(super) fn claim(taken: &mut HashSet<String>, name: String) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

/// Whether a query line can hold this name without quotes, and does not take it for a time grain.
pub(super) fn is_usable(name: &str) -> bool {
    Grain::from_word(name).is_none() && print_name(name) == name
}
