//! Misspelt words: corrected where it is certain what was meant, and left alone where it is not.

use super::meanings::{self, ValueMeaning};
use super::scan::{Item, Kind, Named, Scanner};
use super::similar::{is_sure_typo, is_swap, is_typo};
use super::vocabulary::{CORRECTED, KEYWORDS};
use super::words::Word;

/// Most misspelt words that are looked for among the values: each costs a search of the index.
const MOST_TYPOS: usize = 6;

/// Letters of the longest word that is taken for a typo.
pub(super) const LONGEST_WORD: usize = 64;

/// Two meanings closer than this (normalized Damerau-Levenshtein) are one too many.
const MARGIN: f64 = 0.15;

impl Scanner<'_, '_> {
    /// Corrects words that mean nothing, where it is certain what was meant; says whether anything changed.
    pub(super) fn correct(&mut self, items: &[Item]) -> bool {
        let mut changed = false;
        let unknown = items
            .iter()
            .filter(|item| matches!(item.kind, Kind::Unknown))
            .map(|item| item.words.start);
        for at in unknown.take(MOST_TYPOS).collect::<Vec<_>>() {
            changed |= self.correct_word(at)
                || self.correct_value(at, at + 2)
                || at
                    .checked_sub(1)
                    .is_some_and(|from| self.correct_value(from, at + 1));
        }
        changed
    }

    /// Two words that are a value, misspelt: "bnak transfer".
    fn correct_value(&mut self, from: usize, to: usize) -> bool {
        let Some([one, other]) = self.words.get(from..to) else {
            return false;
        };
        let is_grammar = |word: &Word| KEYWORDS.contains_key(word.folded.as_str());
        let is_long = |word: &Word| word.folded.chars().count() > LONGEST_WORD;
        if is_grammar(one)
            || is_grammar(other)
            || other.after_comma
            || is_long(one)
            || is_long(other)
        {
            return false;
        }
        let text = format!("{} {}", one.folded, other.folded);
        let mut values = meanings::similar(&text, self.setting);
        values.retain(|value| {
            let meant = value.said_as.as_deref().unwrap_or(&value.value);
            is_sure_typo(&text, &super::words::fold(meant))
        });
        self.add_value(from, to, values)
    }

    /// Adds the value that misspelt words stand for, where no other one is nearly as similar.
    fn add_value(&mut self, from: usize, to: usize, values: Vec<ValueMeaning>) -> bool {
        let Some(first) = values.first().cloned() else {
            return false;
        };
        let rival = values
            .iter()
            .find(|value| value.value != first.value)
            .map_or(0.0, |value| value.similarity);
        if first.similarity - rival < MARGIN {
            return false;
        }
        let said = first.said_as.unwrap_or_else(|| first.value.clone());
        let values = values
            .into_iter()
            .filter(|value| value.value == first.value)
            .collect();
        let named = Named {
            values,
            ..Named::default()
        };
        let item = self.item(from, to, Kind::Name(Box::new(named)), Some(said));
        self.extra.push(item);
        true
    }

    fn correct_word(&mut self, at: usize) -> bool {
        let Some(word) = self.words.get(at).cloned() else {
            return false;
        };
        if !(4..=LONGEST_WORD).contains(&word.folded.chars().count())
            || self.setting.lexicon.with_part(&word.stem).is_some()
            || is_english(&word.folded)
            || !crate::model::world::codes(&word.folded).is_empty()
        {
            return false;
        }
        let mut names: Vec<(String, f64)> = self
            .setting
            .lexicon
            .similar(&word.stem)
            .into_iter()
            .filter(|(name, _)| !CORRECTED.contains(name))
            .map(|(name, similarity)| (name.to_owned(), similarity))
            .collect();
        for known in CORRECTED.iter() {
            let is_short = known.len() < 5;
            let is_meant = if is_short {
                is_swap(&word.folded, known)
            } else {
                is_typo(&word.folded, known)
            };
            if is_meant {
                let similarity = strsim::normalized_damerau_levenshtein(&word.folded, known);
                names.push(((*known).to_owned(), similarity));
            }
        }
        names.sort_by(|one, other| other.1.total_cmp(&one.1));
        names.dedup_by(|one, other| {
            let keyword = |word: &str| KEYWORDS.get(word);
            super::words::stem(&one.0) == super::words::stem(&other.0)
                || keyword(&one.0).is_some_and(|known| keyword(&other.0) == Some(known))
        });
        let mut values = meanings::similar(&word.folded, self.setting);
        // The same word as a name and as a value is no rival of itself; "phone" is no "iphone".
        values.retain(|value| {
            let meant = value.said_as.as_deref().unwrap_or(&value.value);
            if !is_typo(&word.folded, &super::words::fold(meant)) {
                return false;
            }
            let stem = super::words::stem(&super::words::fold(&value.value));
            !names.iter().any(|(name, _)| *name == stem)
        });
        let best_value = values.first().map_or(0.0, |value| value.similarity);
        let best_name = names.first().map_or(0.0, |(_, similarity)| *similarity);
        let second = names.get(1).map_or(0.0, |(_, similarity)| *similarity);
        if best_value > 0.0 && best_value >= best_name + MARGIN {
            values.retain(|value| {
                let meant = value.said_as.as_deref().unwrap_or(&value.value);
                is_sure_typo(&word.folded, &super::words::fold(meant))
                    || value.similarity < best_value
            });
            if values
                .first()
                .is_none_or(|value| value.similarity < best_value)
            {
                return false;
            }
            return self.add_value(at, at + 1, values);
        }
        if best_name == 0.0 || best_name - second < MARGIN || best_name - best_value < MARGIN {
            return false;
        }
        let Some((meant, _)) = names.into_iter().next() else {
            return false;
        };
        if let (Some(word), Some(fixed)) = (self.words.get_mut(at), self.fixed.get_mut(at)) {
            *fixed = Some(std::mem::replace(&mut word.folded, meant.clone()));
            word.stem = super::words::stem(&meant);
        }
        true
    }
}

/// Words of plain English that look like typos of names, and are none; words of time and of the grammar are none either.
fn is_english(folded: &str) -> bool {
    const WORDS: [&str; 82] = [
        "mondays",
        "tuesdays",
        "wednesdays",
        "thursdays",
        "fridays",
        "saturdays",
        "sundays",
        "including",
        "includes",
        "include",
        "included",
        "inclusive",
        "incl",
        "plus",
        "pipeline",
        "mail",
        "male",
        "child",
        "than",
        "then",
        "them",
        "they",
        "their",
        "there",
        "these",
        "those",
        "some",
        "such",
        "same",
        "each",
        "more",
        "less",
        "most",
        "many",
        "much",
        "very",
        "even",
        "ever",
        "only",
        "back",
        "both",
        "because",
        "while",
        "about",
        "after",
        "before",
        "being",
        "below",
        "cost",
        "could",
        "down",
        "during",
        "ever",
        "first",
        "from",
        "have",
        "here",
        "into",
        "just",
        "last",
        "like",
        "next",
        "other",
        "over",
        "phone",
        "price",
        "second",
        "since",
        "still",
        "that",
        "third",
        "this",
        "under",
        "until",
        "upon",
        "were",
        "what",
        "when",
        "where",
        "which",
        "will",
        "women",
    ];
    WORDS.contains(&folded) || CORRECTED.contains(&folded) || KEYWORDS.contains_key(folded)
}
