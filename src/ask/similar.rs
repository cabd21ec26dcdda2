//! Typos: the words of the definitions that a misspelt word may mean, found by shared letter groups and never by a scan.

use std::collections::HashMap;

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};

use crate::model::alike::is_negation;

/// Words indexed by their letter groups.
#[derive(Debug, Default)]
pub(super) struct Similar {
    words: Vec<String>,
    groups: HashMap<[char; 3], Vec<u32>>,
}

/// Words that share a letter group with more than this many others are not looked at for that group alone.
const COMMON: usize = 4_000;

impl Similar {
    pub(super) fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut words: Vec<String> = words
            .into_iter()
            .filter(|word| word.chars().count() >= 4)
            .collect();
        words.sort_unstable();
        words.dedup();
        let mut groups: HashMap<[char; 3], Vec<u32>> = HashMap::new();
        for (index, word) in (0_u32..).zip(&words) {
            let mut own = letter_groups(word);
            own.sort_unstable();
            own.dedup();
            for group in own {
                groups.entry(group).or_default().push(index);
            }
        }
        Self { words, groups }
    }

    /// Words that `word` is likely a typo of, with the similarity of each, the most similar first; at most three.
    ///
    /// At least four letters, one edit, two from eight letters on (Damerau: a swap of two letters is one edit). The first
    /// letter must be right in words shorter than seven letters, where another one mostly makes another word.
    pub(super) fn of(&self, word: &str) -> Vec<(&str, f64)> {
        let length = word.chars().count();
        if !(4..=40).contains(&length) || word.chars().any(|c| c.is_ascii_digit()) {
            return Vec::new();
        }
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for group in letter_groups(word) {
            let known = self.groups.get(&group).map(Vec::as_slice);
            for index in known.unwrap_or_default().iter().take(COMMON) {
                *shared.entry(*index).or_default() += 1;
            }
        }
        let mut found: Vec<(&str, f64)> = shared
            .into_keys()
            .filter_map(|index| {
                let candidate = self.words.get(index as usize)?.as_str();
                is_typo(word, candidate)
                    .then(|| (candidate, normalized_damerau_levenshtein(word, candidate)))
            })
            .collect();
        found.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(other.0)));
        found.truncate(3);
        found
    }
}

/// Whether `word` is likely `meant`, misspelt.
pub(super) fn is_typo(word: &str, meant: &str) -> bool {
    let (length, other) = (word.chars().count(), meant.chars().count());
    if length < 4
        || other < 4
        || word == meant
        || length.abs_diff(other) > 2
        || is_negation(word, meant)
    {
        return false;
    }
    let same_start = word.chars().next() == meant.chars().next();
    let swapped_start =
        word.chars()
            .take(2)
            .eq(meant.chars().take(2).collect::<Vec<_>>().into_iter().rev());
    match damerau_levenshtein(word, meant) {
        1 => same_start || swapped_start || length.min(other) >= 7,
        2 => same_start && length.min(other) >= 8,
        _ => false,
    }
}

/// Whether a typo of a value is beyond doubt: among the many values there are, another letter or a letter more soon makes
/// another word ("skipped" for "shipped", "crash" for "cash"), two letters in the wrong order hardly ever do.
pub(super) fn is_sure_typo(word: &str, meant: &str) -> bool {
    let (length, other) = (word.chars().count(), meant.chars().count());
    is_typo(word, meant)
        && (is_swap(word, meant)
            || match damerau_levenshtein(word, meant) {
                1 if length == other => length >= 8,
                1 => length >= 6,
                _ => length >= 10,
            })
}

/// Whether two words differ by two neighbouring letters in the wrong order: the one typo that hardly ever makes another word.
pub(super) fn is_swap(word: &str, meant: &str) -> bool {
    word.len() == meant.len() && word != meant && damerau_levenshtein(word, meant) == 1 && {
        let (mut one, mut other): (Vec<char>, Vec<char>) =
            (word.chars().collect(), meant.chars().collect());
        one.sort_unstable();
        other.sort_unstable();
        one == other
    }
}

/// Every three letters in a row, with a mark before and after the word.
fn letter_groups(word: &str) -> Vec<[char; 3]> {
    let marked: Vec<char> = ['^', '^']
        .into_iter()
        .chain(word.chars())
        .chain(['$'])
        .collect();
    marked
        .windows(3)
        .filter_map(|group| group.try_into().ok())
        .collect()
}
