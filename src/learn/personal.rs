//! What is personal never gets into the log: values that a query compares personal dimensions with are taken out of it,
//! and out of the words it was asked in.

use std::collections::HashSet;

use super::pattern::Pattern;
use crate::model::{Filter, MetricQuery, Registry};
use crate::usage::FilterFact;

/// Stands where a value was that is not kept. No query is answered that has it.
pub use crate::model::NOT_KEPT;

/// What a question has where a value was.
pub(crate) const GAP: &str = "…";

/// A query without what is personal in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Personal {
    /// The query, with [`NOT_KEPT`] in the place of each such value.
    pub query: MetricQuery,
    /// The values that were taken out.
    values: Vec<String>,
}

impl Personal {
    /// Takes out of a query what its conditions compare personal dimensions with.
    pub fn of(registry: &Registry, query: &MetricQuery) -> Self {
        let (mut query, mut values) = (query.clone(), Vec::new());
        if let Some(filter) = &mut query.filters {
            take(registry, filter, &mut values);
        }
        Self { query, values }
    }

    /// Whether there was anything.
    pub fn is_any(&self) -> bool {
        !self.values.is_empty()
    }

    /// A text that led to the query, without its personal values; nothing where these are not to be found in it, since then
    /// they stand in it in other words.
    pub fn without(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for value in &self.values {
            let mut found = value == GAP;
            for part in value
                .split(['%', '_'])
                .filter(|part| !matches!(part.trim(), "" | GAP))
            {
                while let Some((start, end)) = find(&text, part.trim()) {
                    text.replace_range(start..end, GAP);
                    found = true;
                }
            }
            if !found {
                return None;
            }
        }
        Some(text)
    }
}

/// Columns whose values are personal.
#[derive(Debug, Clone, Default)]
pub struct PersonalColumns {
    /// `table.column`, and `column` where its table is a query, in lower case.
    columns: HashSet<String>,
}

impl PersonalColumns {
    /// Those of a project: every column that a personal dimension is made of.
    pub fn of(registry: &Registry) -> Self {
        let mut columns = HashSet::new();
        for dataset in registry.datasets.values() {
            for dimension in dataset.dimensions.values().filter(|one| one.pii) {
                let words = dimension
                    .expr
                    .text
                    .split(|c: char| !c.is_alphanumeric() && c != '_');
                let words = words.chain(dimension.column.as_deref());
                for word in words.filter(|word| !word.is_empty()).map(str::to_lowercase) {
                    match dataset.table() {
                        Some(table) => columns.insert(format!("{}.{word}", table.to_lowercase())),
                        None => columns.insert(word),
                    };
                }
            }
        }
        Self { columns }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether a column is one of them.
    pub fn has(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        let name = column.rsplit('.').next().unwrap_or(&column);
        self.columns.contains(&column) || self.columns.contains(name)
    }

    /// A condition without its values, where it is on something personal.
    pub(super) fn harmless(&self, registry: &Registry, filter: &FilterFact) -> FilterFact {
        let mut filter = filter.clone();
        if self.has(&filter.on) || is_personal(registry, &filter.on) {
            filter.values.clear();
        }
        filter
    }

    /// Takes what is compared with them, or computed of them, out of what is known of a statement; whether it reads any.
    pub fn take_from(&self, pattern: &mut Pattern) -> bool {
        let reads = pattern.columns.iter().any(|column| self.has(column));
        for filter in &mut pattern.filters {
            if self.has(&filter.on) {
                filter.values.clear();
            }
        }
        if reads {
            let texts = pattern.aggregations.iter_mut().chain(&mut pattern.groups);
            texts.for_each(|text| *text = without_literals(text));
        }
        reads
    }
}

/// An expression with `?` in the place of its quoted texts and its numbers.
pub(super) fn without_literals(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut in_name = false;
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            while let Some(inside) = letters.next() {
                // A quote that is written twice is part of the text.
                if inside == '\'' && letters.next_if_eq(&'\'').is_none() {
                    break;
                }
            }
            plain.push('?');
        } else if letter.is_ascii_digit() && !in_name {
            while letters
                .next_if(|c| c.is_ascii_digit() || *c == '.')
                .is_some()
            {}
            plain.push('?');
        } else {
            plain.push(letter);
            in_name = letter.is_alphanumeric() || letter == '_';
            continue;
        }
        in_name = false;
    }
    plain
}

/// Whether values of a dimension are personal, by the name that a query has for it: where several have the name, it is
/// enough that one of them is.
pub(crate) fn is_personal(registry: &Registry, field: &str) -> bool {
    let last = field.rsplit('.').next().unwrap_or(field);
    let last = last.rsplit("__").next().unwrap_or(last);
    let mut datasets = registry.datasets.values();
    datasets.any(|dataset| {
        dataset
            .dimension(last)
            .is_some_and(|dimension| dimension.pii)
    })
}

fn take(registry: &Registry, filter: &mut Filter, values: &mut Vec<String>) {
    let mut hide = |field: &str, literals: &mut [&mut String]| {
        if Filter::per(field).is_some() || !is_personal(registry, field) {
            return;
        }
        for literal in literals {
            values.push(std::mem::replace(*literal, NOT_KEPT.to_owned()));
        }
    };
    match filter {
        Filter::Compare { field, value, .. } => hide(field, &mut [value]),
        Filter::In { field, values, .. } => {
            hide(field, &mut values.iter_mut().collect::<Vec<_>>());
            values.dedup();
        }
        Filter::Between {
            field, low, high, ..
        } => hide(field, &mut [low, high]),
        Filter::Like { field, pattern, .. } => hide(field, &mut [pattern]),
        Filter::IsNull { .. } => {}
        Filter::And(parts) | Filter::Or(parts) => {
            parts
                .iter_mut()
                .for_each(|part| take(registry, part, values));
        }
        Filter::Not(part) => take(registry, part, values),
    }
}

/// Where a text stands in another one, whatever its case.
fn find(text: &str, part: &str) -> Option<(usize, usize)> {
    let wanted: Vec<char> = part.chars().flat_map(char::to_lowercase).collect();
    for (start, _) in text.char_indices() {
        let mut left = wanted.as_slice();
        for (at, letter) in text.get(start..)?.char_indices() {
            let folded: Vec<char> = letter.to_lowercase().collect();
            let Some(rest) = left.strip_prefix(folded.as_slice()) else {
                break;
            };
            left = rest;
            if left.is_empty() {
                return Some((start, start + at + letter.len_utf8()));
            }
        }
    }
    None
}
