//! Words that no metric has, and the ones that were likely meant.

use std::collections::BTreeSet;

use super::{Field, SearchIndex};
use crate::model::alike::{fold, is_typo, similarity};

impl SearchIndex {
    /// The words, with the nearest known one in place of each that no metric has; none where nothing is near.
    pub(in crate::session) fn corrected(&self, words: &str) -> Option<String> {
        let known = self.vocabulary.get_or_init(|| self.words());
        let mut is_changed = false;
        let mut correct = |word: &str| {
            // The names of fields are completed, and what is quoted is meant as it is.
            if word.starts_with(['%', '"', '!']) {
                return word.to_owned();
            }
            let folded = fold(word);
            if known.contains(&folded) {
                return word.to_owned();
            }
            let near = known.iter().filter(|known| is_typo(&folded, known));
            let rank = |near: &&String| similarity(&folded, near);
            let near = near.max_by(|one, other| rank(one).total_cmp(&rank(other)));
            is_changed |= near.is_some();
            near.map_or_else(|| word.to_owned(), Clone::clone)
        };
        let words: Vec<String> = words.split_whitespace().map(&mut correct).collect();
        is_changed.then(|| words.join(" "))
    }

    /// Every word of a name, a label, a synonym, an owner and a tag.
    fn words(&self) -> BTreeSet<String> {
        let is_named = |field| {
            matches!(
                field,
                Field::Name | Field::Label | Field::Alias | Field::Owner | Field::Tag
            )
        };
        let haystacks = self.entries.iter().flat_map(|entry| &entry.haystacks);
        let mut words = BTreeSet::new();
        for haystack in haystacks.filter(|haystack| is_named(haystack.field)) {
            let text = fold(&haystack.text.to_string());
            let parts = text.split(|c: char| !c.is_alphanumeric());
            words.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
        }
        words
    }
}
