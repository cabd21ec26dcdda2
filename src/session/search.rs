//! Fuzzy search over the catalog: every word must match somewhere, certified and often-used metrics come first.

use std::cmp::Reverse;
use std::collections::HashMap;

use nucleo::chars::normalize;
use nucleo::pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32String};

use crate::model::{Metric, Registry, Status};

/// Where a search word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The name used in query lines.
    Name,
    /// The name for people.
    Label,
    /// One of the other names.
    Alias,
    /// The description.
    Description,
    /// The owner.
    Owner,
    /// One of the tags.
    Tag,
}

impl Field {
    /// How much a match here counts.
    fn weight(self) -> u32 {
        match self {
            Self::Name | Self::Label => 4,
            Self::Alias => 3,
            Self::Tag => 2,
            Self::Owner | Self::Description => 1,
        }
    }

    /// Short fields match letter by letter; prose would match everything that way and matches by substring.
    fn is_fuzzy(self) -> bool {
        matches!(self, Self::Name | Self::Label | Self::Alias)
    }
}

/// Letters of one field that a search matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMatch {
    /// The field.
    pub field: Field,
    /// Its whole text.
    pub text: String,
    /// Matched characters, as ascending indices of grapheme clusters.
    pub indices: Vec<u32>,
}

/// One metric found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The metric's name.
    pub metric: String,
    /// Larger is better; 0 where nothing was searched for.
    pub score: u32,
    /// Where the words were found; empty beyond [`SearchIndex::MARKED`] hits.
    pub matches: Vec<FieldMatch>,
}

/// A text prepared for matching, with the letters it holds, by which most texts are dismissed at once.
struct Haystack {
    field: Field,
    text: Utf32String,
    letters: u64,
}

struct Entry {
    name: String,
    deprecated: bool,
    certified: bool,
    letters: u64,
    haystacks: Vec<Haystack>,
}

/// The texts of one registry, prepared once per catalog generation.
pub struct SearchIndex {
    entries: Vec<Entry>,
}

/// A search word in both readings.
struct Word {
    fuzzy: Atom,
    exact: Atom,
    text: String,
    letters: u64,
    /// Written without accents, and so meant to find letters with and without them.
    is_plain: bool,
}

/// Which characters occur, folded to 64 bits; a superset of what an equal or accented letter could match.
fn letters(text: &str) -> u64 {
    text.chars().fold(0, |set, c| match c.to_ascii_lowercase() {
        c @ 'a'..='z' => set | 1 << (u32::from(c) - u32::from('a')),
        c @ '0'..='9' => set | 1 << (26 + u32::from(c) - u32::from('0')),
        '_' => set | 1 << 36,
        ' ' => set | 1 << 37,
        c if c.is_ascii() => set | 1 << 38,
        // An accented letter also answers to its plain one, so nothing can be ruled out.
        _ => u64::MAX,
    })
}

impl SearchIndex {
    /// Hits beyond this many carry no matched letters: nobody reads that far, and finding them costs time per keystroke.
    pub const MARKED: usize = 300;

    /// Prepares the texts of `registry`.
    pub fn new(registry: &Registry) -> Self {
        Self {
            entries: registry.metrics.values().map(Entry::new).collect(),
        }
    }

    /// The metrics that match every word of `words`, best first; all of them when there is no word.
    ///
    /// Ties go to certified, then to often-used metrics (`usage` counts queries by metric); deprecated ones come last.
    pub fn search(&self, words: &str, usage: &HashMap<String, u64>) -> Vec<Hit> {
        let words = words_of(words);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut found: Vec<(u32, &Entry)> = self
            .entries
            .iter()
            .filter_map(|entry| Some((entry.score(&words, &mut matcher)?, entry)))
            .collect();
        found.sort_by_cached_key(|&(score, entry)| {
            let used = usage.get(&entry.name).copied().unwrap_or(0);
            (
                entry.deprecated,
                Reverse(score),
                !entry.certified,
                Reverse(used),
                entry.name.as_str(),
            )
        });
        let hit = |(rank, (score, entry)): (usize, (u32, &Entry))| Hit {
            metric: entry.name.clone(),
            score,
            matches: if rank < Self::MARKED {
                entry.matches(&words, &mut matcher)
            } else {
                Vec::new()
            },
        };
        found.into_iter().enumerate().map(hit).collect()
    }
}

fn words_of(words: &str) -> Vec<Word> {
    let pattern =
        |kind| Pattern::new(words, CaseMatching::Ignore, Normalization::Smart, kind).atoms;
    pattern(AtomKind::Fuzzy)
        .into_iter()
        .zip(pattern(AtomKind::Substring))
        .map(|(fuzzy, exact)| {
            let text = fuzzy.needle_text().to_string();
            Word {
                fuzzy,
                exact,
                letters: letters(&text),
                is_plain: text.chars().all(|c| normalize(c) == c),
                text,
            }
        })
        .collect()
}

impl Entry {
    fn new(metric: &Metric) -> Self {
        let mut haystacks = Vec::new();
        let mut add = |field, text: &str| {
            if !text.is_empty() {
                haystacks.push(Haystack {
                    field,
                    text: text.into(),
                    letters: letters(text),
                });
            }
        };
        add(Field::Name, &metric.name);
        if metric.label != metric.name {
            add(Field::Label, &metric.label);
        }
        metric
            .aliases
            .iter()
            .for_each(|alias| add(Field::Alias, alias));
        metric.tags.iter().for_each(|tag| add(Field::Tag, tag));
        metric
            .owner
            .iter()
            .for_each(|owner| add(Field::Owner, owner));
        add(Field::Description, &metric.description);
        Self {
            name: metric.name.clone(),
            deprecated: metric.status == Status::Deprecated,
            certified: metric.status == Status::Certified,
            letters: haystacks
                .iter()
                .fold(0, |set, haystack| set | haystack.letters),
            haystacks,
        }
    }

    /// The sum over the words of each word's best field; `None` where a word is found nowhere. Prose is only looked at
    /// for words that no name holds: it counts so little that it would not change the order, and takes most of the time.
    fn score(&self, words: &[Word], matcher: &mut Matcher) -> Option<u32> {
        words.iter().try_fold(0, |sum, word| {
            if word.letters & !self.letters != 0 {
                return None;
            }
            let mut best_of = |names: bool| {
                let haystacks = self
                    .haystacks
                    .iter()
                    .filter(|haystack| haystack.field.is_fuzzy() == names);
                haystacks
                    .filter_map(|haystack| haystack.score(word, matcher))
                    .max()
            };
            Some(sum + best_of(true).or_else(|| best_of(false))?)
        })
    }

    fn matches(&self, words: &[Word], matcher: &mut Matcher) -> Vec<FieldMatch> {
        let mut matches = Vec::new();
        for haystack in &self.haystacks {
            let mut indices = Vec::new();
            for word in words.iter().filter(|word| haystack.may_hold(word)) {
                haystack
                    .atom(word)
                    .indices(haystack.text.slice(..), matcher, &mut indices);
            }
            if !indices.is_empty() {
                indices.sort_unstable();
                indices.dedup();
                matches.push(FieldMatch {
                    field: haystack.field,
                    text: haystack.text.to_string(),
                    indices,
                });
            }
        }
        matches
    }
}

impl Haystack {
    fn atom<'a>(&self, word: &'a Word) -> &'a Atom {
        if self.field.is_fuzzy() {
            &word.fuzzy
        } else {
            &word.exact
        }
    }

    fn may_hold(&self, word: &Word) -> bool {
        word.letters & !self.letters == 0
    }

    fn score(&self, word: &Word, matcher: &mut Matcher) -> Option<u32> {
        if !self.may_hold(word) {
            return None;
        }
        let text = self.text.slice(..);
        let score = if self.field.is_fuzzy() {
            // Several times as fast as the best alignment, and on short names nearly always the same.
            matcher.config.normalize = word.is_plain;
            matcher.fuzzy_match_greedy(text, word.fuzzy.needle_text())
        } else {
            word.exact.score(text, matcher)
        };
        let score = u32::from(score?);
        // A name written out in full beats every longer name that merely starts with it.
        let whole = self.field.is_fuzzy()
            && text.len() == word.text.len()
            && self.text.to_string().eq_ignore_ascii_case(&word.text);
        Some((score + if whole { 100 } else { 0 }) * self.field.weight())
    }
}
