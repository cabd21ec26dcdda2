//! Search over the catalog: every word must match somewhere, what is certified and used lately comes first.

mod complete;
mod grammar;
mod typo;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use nucleo::chars::normalize;
use nucleo::pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32String};

use super::Catalog;
use crate::model::{Metric, Status};
pub use complete::{Completed, SearchHint};
use grammar::Asked;

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
    /// The life-cycle state.
    Status,
    /// The shelf in the catalog.
    Category,
    /// The currency or unit of its figures.
    Unit,
    /// `simple`, `ratio` and so on; only where it is asked for.
    Kind,
    /// A dataset it reads; only where it is asked for.
    Dataset,
    /// A dimension it can be cut by; only where it is asked for.
    Dimension,
}

impl Field {
    /// How much a match here counts.
    fn weight(self) -> u32 {
        match self {
            Self::Name | Self::Label => 4,
            Self::Alias => 3,
            Self::Tag => 2,
            _ => 1,
        }
    }

    /// Short fields match letter by letter; prose would match everything that way and matches by substring.
    fn is_fuzzy(self) -> bool {
        matches!(self, Self::Name | Self::Label | Self::Alias)
    }

    /// Whether a plain word looks here.
    fn is_plain(self) -> bool {
        !matches!(self, Self::Kind | Self::Dataset | Self::Dimension)
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
    /// Whether the search named the field.
    pub asked: bool,
}

/// One metric found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The metric's name.
    pub metric: String,
    /// Larger is better; 0 where nothing was searched for.
    pub score: u32,
    /// Where the words were found, named fields first; empty beyond [`SearchIndex::MARKED`] hits.
    pub matches: Vec<FieldMatch>,
    /// Answered queries of it in the last 30 days, and in the 30 before.
    pub used: (u64, u64),
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
    /// What it stands on, which decides about its dimensions.
    base: Option<usize>,
}

/// The texts of one catalog, prepared once per generation.
pub struct SearchIndex {
    catalog: Arc<Catalog>,
    entries: Vec<Entry>,
    /// Words that names are made of; looked at only where nothing is found.
    vocabulary: OnceLock<BTreeSet<String>>,
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

    /// Prepares the texts of a catalog.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        let metrics = catalog.registry.metrics.values();
        let entries = metrics.map(|metric| Entry::new(metric, &catalog)).collect();
        Self {
            catalog,
            entries,
            vocabulary: OnceLock::new(),
        }
    }

    /// The metrics that match every word and every named field, best first; all of them when nothing is asked for.
    ///
    /// What was used much and lately (`frecency`, by metric) goes before what matches about as well; ties go to
    /// certified metrics, and deprecated ones come last.
    pub fn search(&self, words: &str, frecency: &HashMap<String, u64>) -> Vec<Hit> {
        let asked = Asked::read(words);
        if asked.unknown.is_some() {
            return Vec::new();
        }
        let words = words_of(&asked.words);
        let fields: Vec<Wanted> = asked.fields.iter().map(Wanted::new).collect();
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut search = Search {
            index: self,
            words,
            fields,
            by_base: HashMap::new(),
        };
        let is_ranked = !asked.is_empty();
        let mut found: Vec<(u32, u64, &Entry)> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let score = search.score(entry, &mut matcher)?;
                let used = frecency.get(&entry.name).copied().unwrap_or(0);
                let bonus = if is_ranked { bonus(used) } else { 0 };
                Some((score + bonus, used, entry))
            })
            .collect();
        found.sort_by_key(|&(score, used, entry)| {
            (
                entry.deprecated,
                Reverse(score),
                !entry.certified,
                Reverse(used),
                entry.name.as_str(),
            )
        });
        let hit = |(rank, (score, _, entry)): (usize, (u32, u64, &Entry))| Hit {
            metric: entry.name.clone(),
            score,
            matches: if is_ranked && rank < Self::MARKED {
                search.matches(entry, &mut matcher)
            } else {
                Vec::new()
            },
            used: (0, 0),
        };
        found.into_iter().enumerate().map(hit).collect()
    }
}

/// What use adds to a score: each doubling the same, and never so much that a word in a name gives way to it.
fn bonus(used: u64) -> u32 {
    (4 * (used / 10 + 1).ilog2()).min(48)
}

/// A search on its way through the entries.
struct Search<'a> {
    index: &'a SearchIndex,
    words: Vec<Word>,
    fields: Vec<Wanted>,
    /// What was found among the dimensions of a base, by its index and that of the field.
    by_base: HashMap<(usize, usize), Option<Haystack>>,
}

/// A named field with the words it must hold.
struct Wanted {
    field: Field,
    words: Vec<Word>,
    /// Whether the field must not hold the words.
    not: bool,
}

impl Wanted {
    fn new((field, words): &(Field, String)) -> Self {
        let without = words.strip_prefix('!').filter(|words| !words.is_empty());
        Self {
            field: *field,
            words: words_of(without.unwrap_or(words)),
            not: without.is_some(),
        }
    }

    /// The score of a text of the field that holds all the words.
    fn score(&self, haystack: &Haystack, matcher: &mut Matcher) -> Option<u32> {
        self.words
            .iter()
            .try_fold(1, |sum, word| Some(sum + haystack.score(word, matcher)?))
    }
}

impl Search<'_> {
    fn score(&mut self, entry: &Entry, matcher: &mut Matcher) -> Option<u32> {
        let mut score = entry.score(&self.words, matcher)?;
        for at in 0..self.fields.len() {
            let found = self.field_score(entry, at, matcher);
            let not = self.fields.get(at).is_some_and(|wanted| wanted.not);
            score += match (found, not) {
                (Some(found), false) => found,
                (None, true) => 1,
                _ => return None,
            };
        }
        Some(score)
    }

    fn field_score(&mut self, entry: &Entry, at: usize, matcher: &mut Matcher) -> Option<u32> {
        let wanted = self.fields.get(at)?;
        if wanted.field != Field::Dimension {
            return entry.best(wanted, matcher).map(|(score, _)| score);
        }
        let base = entry.base?;
        let catalog = &self.index.catalog;
        let found = self.by_base.entry((base, at)).or_insert_with(|| {
            let names = catalog
                .bases()
                .dimensions(&catalog.registry, &catalog.reach, base);
            let haystacks = names
                .iter()
                .map(|name| Haystack::new(Field::Dimension, name));
            // Of two names that hold the words, the shorter one is closer to what was typed.
            haystacks
                .filter(|haystack| wanted.score(haystack, matcher).is_some())
                .min_by_key(|haystack| haystack.text.len())
        });
        found.as_ref().map(|_| 1)
    }

    fn matches(&self, entry: &Entry, matcher: &mut Matcher) -> Vec<FieldMatch> {
        let mut matches = Vec::new();
        for (at, wanted) in self.fields.iter().enumerate() {
            if wanted.not {
                // What it has instead.
                let instead = entry.haystacks.iter();
                let instead = instead
                    .filter(|haystack| haystack.field == wanted.field)
                    .take(1);
                matches.extend(instead.map(|haystack| FieldMatch {
                    asked: true,
                    ..haystack.marked(&[], matcher)
                }));
                continue;
            }
            let haystack = match (wanted.field, entry.base) {
                (Field::Dimension, Some(base)) => {
                    self.by_base.get(&(base, at)).and_then(Option::as_ref)
                }
                _ => entry.best(wanted, matcher).map(|(_, haystack)| haystack),
            };
            matches.extend(haystack.map(|haystack| FieldMatch {
                asked: true,
                ..haystack.marked(&wanted.words, matcher)
            }));
        }
        let plain = entry
            .haystacks
            .iter()
            .filter(|haystack| haystack.field.is_plain())
            .map(|haystack| haystack.marked(&self.words, matcher))
            .filter(|found| !found.indices.is_empty());
        matches.extend(plain);
        matches
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
    fn new(metric: &Metric, catalog: &Catalog) -> Self {
        let mut haystacks = Vec::new();
        let mut add = |field, text: &str| {
            if !text.is_empty() {
                haystacks.push(Haystack::new(field, text));
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
        add(Field::Category, &metric.category);
        add(Field::Status, metric.status.word());
        let units = [&metric.format.currency, &metric.format.unit];
        units
            .into_iter()
            .flatten()
            .for_each(|unit| add(Field::Unit, unit));
        add(Field::Description, &metric.description);
        add(Field::Kind, metric.kind.word());
        for measure in metric
            .kind
            .sources()
            .iter()
            .flat_map(|source| &source.measures)
        {
            add(Field::Dataset, &measure.dataset);
        }
        Self {
            name: metric.name.clone(),
            deprecated: metric.status == Status::Deprecated,
            certified: metric.status == Status::Certified,
            letters: haystacks
                .iter()
                .filter(|haystack| haystack.field.is_plain())
                .fold(0, |set, haystack| set | haystack.letters),
            haystacks,
            base: catalog.bases().of(&metric.name),
        }
    }

    /// The best text of a named field, with its score.
    fn best(&self, wanted: &Wanted, matcher: &mut Matcher) -> Option<(u32, &Haystack)> {
        self.haystacks
            .iter()
            .filter(|haystack| haystack.field == wanted.field)
            .filter_map(|haystack| Some((wanted.score(haystack, matcher)?, haystack)))
            .max_by_key(|(score, _)| *score)
    }

    /// The sum over the words of each word's best field; `None` where a word is found nowhere. Prose is only looked at
    /// for words that no name holds: it counts so little that it would not change the order, and takes most of the time.
    fn score(&self, words: &[Word], matcher: &mut Matcher) -> Option<u32> {
        words.iter().try_fold(0, |sum, word| {
            if word.letters & !self.letters != 0 {
                return None;
            }
            let mut best_of = |names: bool| {
                let haystacks = self.haystacks.iter().filter(|haystack| {
                    haystack.field.is_fuzzy() == names && haystack.field.is_plain()
                });
                haystacks
                    .filter_map(|haystack| haystack.score(word, matcher))
                    .max()
            };
            Some(sum + best_of(true).or_else(|| best_of(false))?)
        })
    }
}

impl Haystack {
    fn new(field: Field, text: &str) -> Self {
        Self {
            field,
            text: text.into(),
            letters: letters(text),
        }
    }

    /// The letters that some words match, where they do.
    fn marked(&self, words: &[Word], matcher: &mut Matcher) -> FieldMatch {
        let mut indices = Vec::new();
        for word in words.iter().filter(|word| self.may_hold(word)) {
            self.atom(word)
                .indices(self.text.slice(..), matcher, &mut indices);
        }
        indices.sort_unstable();
        indices.dedup();
        FieldMatch {
            field: self.field,
            text: self.text.to_string(),
            indices,
            asked: false,
        }
    }

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
