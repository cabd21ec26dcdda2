//! What the end of a search may become: the names of fields, and the values they have.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::grammar::{Asked, End, NAMES};
use super::{Field, SearchIndex};

/// Most values that are offered.
const MOST: usize = 50;

/// What to say about a search while it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchHint {
    /// The byte from which an offer takes the place of what is typed.
    pub from: usize,
    /// What the end may become, best first.
    pub offers: Vec<Completed>,
    /// Why nothing can be found.
    pub problem: Option<String>,
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// As it is written, with the blank after it.
    pub text: String,
    /// Metrics that have this value; none for the name of a field.
    pub metrics: Option<usize>,
}

impl SearchIndex {
    /// What the end of a search may become, and what is wrong with it.
    pub fn hint(&self, text: &str) -> SearchHint {
        let asked = Asked::read(text);
        let typed = |from: usize| text.get(from..).unwrap_or_default();
        let problem = asked.unknown.map(|name| {
            let known = NAMES.map(|(name, _)| format!("%{name}")).join(" ");
            format!("there is no %{name}; {known}")
        });
        match asked.end {
            End::Open => SearchHint {
                problem,
                ..SearchHint::default()
            },
            End::Name(from) => SearchHint {
                from,
                offers: names(typed(from)),
                problem,
            },
            End::Value(field, from) => SearchHint {
                from,
                offers: self.values(field, typed(from).trim_start_matches('"')),
                problem,
            },
        }
    }

    fn values(&self, field: Field, typed: &str) -> Vec<Completed> {
        // What hardly two metrics share is found by typing it.
        if matches!(
            field,
            Field::Name | Field::Label | Field::Alias | Field::Description
        ) {
            return Vec::new();
        }
        let mut counts: HashMap<String, usize> = HashMap::new();
        if field == Field::Dimension {
            let mut of_base: HashMap<usize, usize> = HashMap::new();
            for base in self.entries.iter().filter_map(|entry| entry.base) {
                *of_base.entry(base).or_default() += 1;
            }
            let catalog = &self.catalog;
            for (base, count) in of_base {
                let names = catalog
                    .bases()
                    .dimensions(&catalog.registry, &catalog.reach, base);
                for name in names {
                    *counts.entry(name.clone()).or_default() += count;
                }
            }
        } else {
            let haystacks = self.entries.iter().flat_map(|entry| &entry.haystacks);
            for haystack in haystacks.filter(|haystack| haystack.field == field) {
                *counts.entry(haystack.text.to_string()).or_default() += 1;
            }
        }
        let typed = typed.to_lowercase();
        let mut found: Vec<_> = counts
            .into_iter()
            .filter_map(|(value, count)| {
                let at = value.to_lowercase().find(&typed)?;
                Some((at > 0, Reverse(count), value))
            })
            .collect();
        found.sort_unstable();
        found.truncate(MOST);
        let offer = |(_, Reverse(count), value): (bool, Reverse<usize>, String)| Completed {
            text: written(&value),
            metrics: Some(count),
        };
        found.into_iter().map(offer).collect()
    }
}

fn names(typed: &str) -> Vec<Completed> {
    let typed = typed.trim_start_matches('%').to_lowercase();
    let offered = NAMES.iter().filter(|(name, _)| name.starts_with(&typed));
    offered
        .map(|(name, _)| Completed {
            text: format!("%{name} "),
            metrics: None,
        })
        .collect()
}

/// A value as a search takes it.
fn written(value: &str) -> String {
    if value.contains(char::is_whitespace) || value.starts_with(['%', '"']) {
        format!("\"{}\" ", value.replace('"', ""))
    } else {
        format!("{value} ")
    }
}
