//! The readings of words as values: as they stand in the data, as codes of countries, as users chose once.

use super::Meaning;
use super::meanings::{self, ValueMeaning};
use super::scan::{Item, Kind, Named, Scanner, cost};
use super::vocabulary::{KEYWORDS, Keyword};
use super::words::Word;
use crate::model::time_phrase::{self, Phrase};

/// Most words of a value that are looked up together.
const VALUE_WORDS: usize = 5;

impl Scanner<'_, '_> {
    /// Whether a word is written as the code of a country: `IN`.
    pub(super) fn is_code(&self, at: usize) -> bool {
        self.words.get(at).filter(|_| at > 0).is_some_and(|word| {
            word.capitals
                && !self.shouting
                && word.folded.len() == 2
                && !["by", "or", "vs"].contains(&word.folded.as_str())
                && super::places::is_country_code(&word.folded)
        })
    }

    /// Whether a word of the grammar is a value here: beside its dimension ("the growth team"), or where it would say
    /// nothing otherwise ("display impressions"; not "display the impressions").
    pub(super) fn is_value(&self, at: usize) -> bool {
        const ARTICLES: [&str; 8] = [
            "the", "this", "that", "these", "those", "our", "here", "there",
        ];
        let Some(keyword) = self.keyword_at(at) else {
            return false;
        };
        let Some(word) = self.words.get(at) else {
            return false;
        };
        if word.folded.len() < 3 || ARTICLES.contains(&word.folded.as_str()) {
            return false;
        }
        let text = self.text(at, at + 1);
        let values = meanings::exact(&text, self.setting);
        let names = |beside: Option<usize>| {
            let beside = beside.and_then(|beside| self.words.get(beside));
            let names = beside.and_then(|word| self.setting.lexicon.phrase(&[word.stem.as_str()]));
            names.is_some_and(|names| {
                values
                    .iter()
                    .any(|value| names.dimensions.contains(&value.dimension))
            })
        };
        if values.is_empty() || names(at.checked_sub(1)) || names(Some(at + 1)) {
            return !values.is_empty();
        }
        let commands = at == 0
            && self.words.get(1).is_none_or(|next| {
                ["the", "a", "me", "us", "my", "our", "all", "how", "what"]
                    .contains(&next.folded.as_str())
            });
        keyword == Keyword::Noise
            && !commands
            && !self.metrics.is_empty()
            && meanings::is_reachable(&text, &self.metrics, self.setting)
    }

    /// Values, and what users chose for words before.
    pub(super) fn values(&self, start: usize, found: &mut Vec<(u32, Item)>) {
        for length in 1..=VALUE_WORDS {
            let end = start + length;
            let Some(words) = self.words.get(start..end) else {
                break;
            };
            if words.iter().skip(1).any(|word| word.after_comma) {
                break;
            }
            let (Some(first), Some(last)) = (words.first(), words.last()) else {
                break;
            };
            let grammar = |word: &Word| {
                KEYWORDS.contains_key(word.folded.as_str())
                    || !word.folded.starts_with(char::is_alphanumeric)
            };
            let is_code =
                length == 1 && first.capitals && !self.shouting && first.folded.len() <= 3;
            let is_value = length == 1 && grammar(first) && self.is_value(start);
            if (grammar(first) || grammar(last)) && !is_code && !is_value {
                continue;
            }
            let text = self.text(start, end);
            let values = meanings::exact(&text, self.setting);
            let is_number = text
                .chars()
                .all(|c| c.is_ascii_digit() || c == '.' || c == ',');
            if !values.is_empty() {
                let of_named_dimension = start > 0 && {
                    let before = self.words.get(start - 1).map(|word| word.stem.as_str());
                    let names = before.and_then(|stem| self.setting.lexicon.phrase(&[stem]));
                    names.is_some_and(|names| {
                        values
                            .iter()
                            .any(|value| names.dimensions.contains(&value.dimension))
                    })
                };
                // "top 5": a number is a value only beside its dimension.
                if is_number && !of_named_dimension {
                    continue;
                }
                let cost = if of_named_dimension {
                    cost::VALUE_OF_DIMENSION
                } else {
                    cost::NAME
                };
                let names = {
                    let stems: Vec<&str> = words.iter().map(|word| word.stem.as_str()).collect();
                    self.setting.lexicon.phrase(&stems).cloned()
                };
                let similar = values.first().and_then(|value| value.said_as.clone());
                let mut named = Named {
                    names: names.unwrap_or_default(),
                    values,
                    remembered: false,
                };
                let cost = cost + self.narrow(&mut named, &text);
                let mut item = self.item(start, end, Kind::Name(Box::new(named)), None);
                item.similar = item.similar.or(similar);
                // The value's own reading of the same words comes with their names, so it must win over them.
                found.push((cost - 1, item));
            }
            self.chosen(start, end, &text, found);
        }
    }

    pub(super) fn chosen(
        &self,
        start: usize,
        end: usize,
        text: &str,
        found: &mut Vec<(u32, Item)>,
    ) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(meaning) = self.setting.choices.chosen(&words.join(" ").to_lowercase()) else {
            return;
        };
        let mut named = Named {
            remembered: true,
            ..Named::default()
        };
        let kind = match meaning {
            Meaning::Metric(name) => {
                named.names.metrics.insert(name);
                Kind::Name(Box::new(named))
            }
            Meaning::Dimension(name) => {
                named.names.dimensions.insert(name);
                Kind::Name(Box::new(named))
            }
            Meaning::Value { dimension, value } => {
                named.values.push(ValueMeaning::chosen(dimension, value));
                Kind::Name(Box::new(named))
            }
            Meaning::Time(meaning) => Kind::Time(Phrase::Found(time_phrase::Found {
                meaning,
                used: end - start,
                note: None,
            })),
        };
        found.push((cost::NAME - 5, self.item(start, end, kind, None)));
    }
}
