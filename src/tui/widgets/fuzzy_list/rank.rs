//! Which items match the words typed, best first, and with which letters.

use std::cmp::Reverse;

use nucleo::pattern::{CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32String};

use super::Item;

/// A match within the label alone counts this much more than one that needs the detail.
const LABEL_BONUS: u32 = 1_000;

/// An item prepared for matching: its label, and all its words in one, so that those searched may be spread over them.
#[derive(Debug, Clone)]
pub(super) struct Haystack {
    label: Utf32String,
    all: Utf32String,
}

impl Haystack {
    pub(super) fn new(item: &Item) -> Self {
        Self {
            label: characters(&item.label),
            all: characters(&format!("{} {} {}", item.label, item.detail, item.also)),
        }
    }
}

/// One character for each grapheme, so that the matcher's indices are those of graphemes.
fn characters(text: &str) -> Utf32String {
    if text.is_ascii() {
        Utf32String::Ascii(text.into())
    } else {
        Utf32String::Unicode(nucleo::chars::graphemes(text).collect())
    }
}

fn pattern(query: &str) -> Pattern {
    Pattern::parse(query, CaseMatching::Smart, Normalization::Smart)
}

/// The indices of matching items: possible ones first, then by score, then in the order given.
pub(super) fn rank(query: &str, items: &[Item], haystacks: &[Haystack]) -> Vec<usize> {
    let pattern = pattern(query);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut ranked: Vec<_> = items
        .iter()
        .zip(haystacks)
        .enumerate()
        .filter_map(|(index, (item, haystack))| {
            let score = match pattern.score(haystack.label.slice(..), &mut matcher) {
                Some(score) => score + LABEL_BONUS,
                None => pattern.score(haystack.all.slice(..), &mut matcher)?,
            };
            Some((item.disabled.is_some(), Reverse(score), index))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, _, index)| index).collect()
}

/// Finds the letters to mark.
pub(super) struct Letters {
    pattern: Pattern,
    matcher: Matcher,
}

impl Letters {
    /// `None` if nothing is searched.
    pub(super) fn new(query: &str) -> Option<Self> {
        let is_search = !query.trim().is_empty();
        is_search.then(|| Self {
            pattern: pattern(query),
            matcher: Matcher::new(Config::DEFAULT),
        })
    }

    /// The matched graphemes of the label and of the detail.
    pub(super) fn of(&mut self, haystack: &Haystack) -> (Vec<usize>, Vec<usize>) {
        let mut found = Vec::new();
        if self
            .pattern
            .indices(haystack.label.slice(..), &mut self.matcher, &mut found)
            .is_none()
        {
            found.clear();
            self.pattern
                .indices(haystack.all.slice(..), &mut self.matcher, &mut found);
        }
        let detail = haystack.label.len() + 1;
        let (label, rest): (Vec<usize>, Vec<usize>) = found
            .into_iter()
            .map(|index| index as usize)
            .partition(|&index| index < detail);
        (
            label,
            rest.into_iter().map(|index| index - detail).collect(),
        )
    }
}
