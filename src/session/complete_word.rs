//! Completion of a word in a question: names of metrics and dimensions, and values, that begin with it.

use super::{Completion, Session};
use crate::model::{ColumnState, ValueLookup};

/// Most completions offered at once.
const LIMIT: usize = 20;

/// Letters from which on a word is completed; before, nearly everything would do.
const LETTERS: usize = 2;

/// Dimensions with more values than this are left to the question itself: looking through them takes too long for a key.
const FEW: u64 = 1_000;

impl Session {
    /// Names that begin with the word before byte `cursor` of a question, metrics first.
    pub fn complete_word(&self, question: &str, cursor: usize) -> Vec<Completion> {
        let before = question.get(..cursor).unwrap_or_default();
        let is_end = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let typed = before.rsplit(is_end).next().unwrap_or_default();
        if typed.chars().count() < LETTERS {
            return Vec::new();
        }
        let start = typed.to_lowercase();
        let begins = |name: &str| name.to_lowercase().starts_with(&start);
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |text: &str, detail: &str| {
            let is_new = found.iter().all(|(there, _)| there != text);
            if is_new && text != typed {
                found.push((text.to_owned(), detail.to_owned()));
            }
        };
        let catalog = self.catalog();
        let registry = &catalog.registry;
        for metric in registry.metrics.values() {
            let names = [&metric.name, &metric.label]
                .into_iter()
                .chain(&metric.aliases);
            if names.into_iter().any(|name| begins(name)) {
                add(&metric.name, &metric.label);
            }
        }
        let dimensions = || {
            let datasets = registry.datasets.values();
            datasets.flat_map(|dataset| {
                dataset
                    .dimensions
                    .values()
                    .map(move |dimension| (dataset, dimension))
            })
        };
        for (_, dimension) in dimensions() {
            let names = [&dimension.name, &dimension.label]
                .into_iter()
                .chain(&dimension.aliases);
            if names.into_iter().any(|name| begins(name)) {
                add(&dimension.name, "dimension");
            }
        }
        if let Some(index) = self.index(&self.connection()) {
            for (dataset, dimension) in dimensions().filter(|(_, dimension)| !dimension.pii) {
                let (table, column) = (dataset.index_table(), dimension.index_column());
                let few = matches!(
                    index.state(&table, &column),
                    ColumnState::Indexed { distinct } if distinct <= FEW
                );
                if few {
                    let values = index.values(&table, &column, typed, LIMIT);
                    for (value, _) in values.unwrap_or_default() {
                        add(&value, &dimension.name);
                    }
                }
            }
        }
        found
            .into_iter()
            .take(LIMIT)
            .map(|(text, detail)| Completion {
                label: text.clone(),
                text,
                detail,
                replace: cursor - typed.len()..cursor,
            })
            .collect()
    }
}
