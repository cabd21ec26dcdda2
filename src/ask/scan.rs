//! From words to items: the cheapest way to read every word as a name, a value, a time, a number or a word of the grammar.

use std::ops::Range;

use super::Setting;
use super::lexicon::Names;
use super::meanings::{self, ValueMeaning};
use super::typos::LONGEST_WORD;
use super::vocabulary::{KEYWORDS, Keyword, LONGEST};
use super::words::{Number, RANGE, Word, number, spelt};
use super::years::Years;
use crate::model::TimeRange;
use crate::model::time_phrase::{self, Phrase};

/// Some words that mean something together.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Which words.
    pub(super) words: Range<usize>,
    /// Their bytes in the question.
    pub(super) range: Range<usize>,
    /// What they mean.
    pub(super) kind: Kind,
    /// What they were read as, where they are misspelt or in another order.
    pub(super) similar: Option<String>,
}

/// What some words mean by themselves.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Names of the registry, or values of dimensions; which one, the grammar decides.
    Name(Box<Named>),
    /// A time range.
    Time(Phrase<TimeRange>),
    /// A word of the grammar.
    Keyword(Keyword),
    /// A number.
    Number(Number),
    /// Nothing.
    Unknown,
}

/// Everything that a name may stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub(super) names: Names,
    pub(super) values: Vec<ValueMeaning>,
    /// Whether a user chose this meaning.
    pub(super) remembered: bool,
}

impl Item {
    pub(super) fn keyword(&self) -> Option<Keyword> {
        match self.kind {
            Kind::Keyword(keyword) => Some(keyword),
            _ => None,
        }
    }

    pub(super) fn named(&self) -> Option<&Named> {
        match &self.kind {
            Kind::Name(named) => Some(named),
            _ => None,
        }
    }
}

/// Costs of reading words; the cheapest reading of the whole question is taken, so longer names win over their parts.
pub(super) mod cost {
    pub(in crate::ask) const NAME: u32 = 30;
    pub(in crate::ask) const REORDERED: u32 = 35;
    pub(in crate::ask) const TIME: u32 = 32;
    pub(in crate::ask) const VALUE_OF_DIMENSION: u32 = 28;
    pub(in crate::ask) const NUMBER: u32 = 45;
    pub(in crate::ask) const NOISE: u32 = 40;
    pub(in crate::ask) const KEYWORD: u32 = 50;
    /// Added where the metrics of the question cannot use any meaning.
    pub(in crate::ask) const UNREACHABLE: u32 = 45;
    /// Added to a name that says by what it is split, where its parts can be used, too.
    pub(in crate::ask) const SPLIT: u32 = 150;
    pub(in crate::ask) const UNKNOWN: u32 = 1_000;
}

/// Reads every word.
pub(super) fn scan(question: &str, words: &[Word], setting: &Setting<'_>) -> Vec<Item> {
    let mut scanner = Scanner {
        question,
        words: words.to_vec(),
        fixed: vec![None; words.len()],
        setting,
        shouting: !question.chars().any(char::is_lowercase),
        extra: Vec::new(),
        metrics: Vec::new(),
        comparing: words
            .iter()
            .any(|word| KEYWORDS.get(word.folded.as_str()) == Some(&Keyword::Compare)),
    };
    let mut items = scanner.cheapest();
    if scanner.correct(&items) {
        items = scanner.cheapest();
    }
    scanner.metrics = metrics(&items, setting);
    if !scanner.metrics.is_empty() {
        items = scanner.cheapest();
    }
    scanner.loose_symbols(&mut items);
    super::places::check(question, words, &mut items);
    items
}

pub(super) struct Scanner<'q, 's> {
    pub(super) question: &'q str,
    pub(super) words: Vec<Word>,
    /// What was typed, for words that were corrected.
    pub(super) fixed: Vec<Option<String>>,
    pub(super) setting: &'s Setting<'s>,
    /// No small letter at all: capital letters tell nothing.
    pub(super) shouting: bool,
    /// Values that misspelt words stand for.
    pub(super) extra: Vec<Item>,
    /// The metrics of the question, once they are known.
    pub(super) metrics: Vec<String>,
    /// "compare": the "and" between two times holds one against the other.
    pub(super) comparing: bool,
}

/// The metrics that items name, or those of the query before where they name none.
pub(super) fn metrics(items: &[Item], setting: &Setting<'_>) -> Vec<String> {
    let named = items.iter().filter_map(Item::named);
    let mut metrics: Vec<String> = Vec::new();
    for named in named.filter(|named| named.names.metrics.len() == 1) {
        for metric in &named.names.metrics {
            if !metrics.contains(metric) {
                metrics.push(metric.clone());
            }
        }
    }
    match setting.previous {
        Some(previous) if metrics.is_empty() => previous.metrics.clone(),
        _ => metrics,
    }
}

impl Scanner<'_, '_> {
    /// The cheapest reading, from the end to the start.
    fn cheapest(&self) -> Vec<Item> {
        let n = self.words.len();
        let mut best: Vec<(u32, Option<Item>)> = vec![(0, None); n + 1];
        for start in (0..n).rev() {
            let rest = |end: usize| best.get(end).map_or(0, |(cost, _)| *cost);
            let cheapest = self
                .readings(start)
                .into_iter()
                .map(|(cost, item)| (cost + rest(item.words.end), item))
                .min_by(|one, other| {
                    one.0
                        .cmp(&other.0)
                        .then(other.1.words.len().cmp(&one.1.words.len()))
                });
            if let (Some((cost, item)), Some(slot)) = (cheapest, best.get_mut(start)) {
                *slot = (cost, Some(item));
            }
        }
        let mut items = Vec::new();
        let mut at = 0;
        while let Some((_, Some(item))) = best.get_mut(at).map(std::mem::take) {
            at = item.words.end.max(at + 1);
            items.push(item);
        }
        items
    }

    /// Everything that words from `start` on may mean, with its cost.
    fn readings(&self, start: usize) -> Vec<(u32, Item)> {
        let mut found = vec![(
            cost::UNKNOWN,
            self.item(start, start + 1, Kind::Unknown, None),
        )];
        self.keywords(start, &mut found);
        self.names(start, &mut found);
        self.values(start, &mut found);
        self.time(start, &mut found);
        if let Some(word) = self.words.get(start)
            && let Some(number) = number(&word.folded).or_else(|| spelt(&word.folded))
        {
            found.push((
                cost::NUMBER,
                self.item(start, start + 1, Kind::Number(number), None),
            ));
        }
        let extra = self.extra.iter().filter(|item| item.words.start == start);
        found.extend(extra.map(|item| (cost::NAME + 5, item.clone())));
        found
    }

    /// Leaves the meanings that the metrics of the question can use, where there are any; otherwise its cost goes up, so
    /// that another way to read the words comes first.
    pub(super) fn narrow(&self, named: &mut Named, text: &str) -> u32 {
        if self.metrics.is_empty() || !named.names.metrics.is_empty() || named.remembered {
            return 0;
        }
        let reaches =
            |name: &String| meanings::reached(&self.metrics, name, self.setting).is_some();
        let values =
            !named.values.is_empty() && meanings::is_reachable(text, &self.metrics, self.setting);
        let own = named.names.dimensions.iter().any(reaches);
        let by_ending = || {
            let stems = super::words::stems(text).join(" ");
            let mut endings = self.setting.lexicon.ending(&stems);
            endings.any(|name| meanings::reached(&self.metrics, name, self.setting).is_some())
        };
        match (values, own) {
            (true, false) => named.names.dimensions.clear(),
            (false, true) => named.values.clear(),
            (true, true) => {}
            (false, false) if !named.names.dimensions.is_empty() && by_ending() => {
                named.values.clear();
            }
            (false, false) => return cost::UNREACHABLE,
        }
        0
    }

    /// Whether a name is another metric "by" a dimension of that metric: better read as the two.
    pub(super) fn is_split(&self, stems: &[&str]) -> bool {
        let Some(by) = stems.iter().position(|stem| *stem == "by") else {
            return false;
        };
        let (Some(left), Some(right)) = (stems.get(..by), stems.get(by + 1..)) else {
            return false;
        };
        let lexicon = self.setting.lexicon;
        let Some(names) = lexicon
            .phrase(left)
            .filter(|names| names.metrics.len() == 1)
        else {
            return false;
        };
        let metrics: Vec<String> = names.metrics.iter().cloned().collect();
        let reaches = |name: &str| meanings::reached(&metrics, name, self.setting).is_some();
        let own = lexicon.phrase(right);
        let own = own.is_some_and(|names| names.dimensions.iter().any(|name| reaches(name)));
        own || lexicon.ending(&right.join(" ")).any(reaches)
    }

    pub(super) fn item(
        &self,
        start: usize,
        end: usize,
        kind: Kind,
        similar: Option<String>,
    ) -> Item {
        let from = self.words.get(start).map_or(0, |word| word.range.start);
        let to = self
            .words
            .get(end.saturating_sub(1))
            .map_or(from, |word| word.range.end);
        let typo = self
            .fixed
            .get(start..end)
            .is_some_and(|fixed| fixed.iter().any(Option::is_some));
        let similar = similar.or_else(|| {
            typo.then(|| {
                let words = self.words.get(start..end).unwrap_or_default();
                let words: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
                words.join(" ")
            })
        });
        Item {
            words: start..end,
            range: from..to,
            kind,
            similar,
        }
    }

    pub(super) fn keyword_at(&self, at: usize) -> Option<Keyword> {
        let word = self.words.get(at)?;
        KEYWORDS.get(word.folded.as_str()).copied()
    }

    fn keywords(&self, start: usize, found: &mut Vec<(u32, Item)>) {
        let mut text = String::new();
        for (offset, word) in self.words.iter().skip(start).take(LONGEST).enumerate() {
            if offset > 0 {
                if word.after_comma {
                    break;
                }
                text.push(' ');
            }
            text.push_str(&word.folded);
            // "gmv in IN" is about India.
            if offset == 0 && self.is_code(start) {
                continue;
            }
            if let Some(keyword) = KEYWORDS.get(text.as_str()) {
                let cost = if *keyword == Keyword::Noise {
                    cost::NOISE
                } else {
                    cost::KEYWORD
                };
                let item = self.item(start, start + offset + 1, Kind::Keyword(*keyword), None);
                found.push((cost, item));
            }
        }
    }

    fn names(&self, start: usize, found: &mut Vec<(u32, Item)>) {
        let lexicon = self.setting.lexicon;
        let mut stems: Vec<&str> = Vec::new();
        let mut plain: Vec<&str> = Vec::new();
        let mut commas = false;
        let longest = lexicon.longest();
        for (offset, word) in self.words.iter().skip(start).enumerate() {
            if stems.len() >= longest + 2 {
                break;
            }
            commas |= offset > 0 && word.after_comma;
            stems.push(&word.stem);
            let is_noise = matches!(
                self.keyword_at(start + offset),
                Some(Keyword::Noise | Keyword::Is | Keyword::Our)
            );
            if offset == 0 && is_noise {
                plain.clear();
            }
            if !is_noise || lexicon.with_part(&word.stem).is_some() {
                plain.push(&word.stem);
            }
            let end = start + offset + 1;
            if let Some(names) = lexicon.phrase(&stems) {
                let mut named = Named {
                    names: names.clone(),
                    ..Named::default()
                };
                let mut more = self.narrow(&mut named, &self.text(start, end));
                if self.is_split(&stems) {
                    more += cost::SPLIT;
                }
                found.push((
                    cost::NAME + more,
                    self.item(start, end, Kind::Name(Box::new(named)), None),
                ));
                continue;
            }
            let leads = |at: usize| {
                matches!(
                    self.keyword_at(at),
                    Some(Keyword::Lead | Keyword::With | Keyword::And | Keyword::By)
                )
            };
            if commas || offset == 0 || is_noise || leads(start) || leads(start + offset) {
                continue;
            }
            // "units were sold", "revenue from ads"
            let skipped = (!self.is_value(start) && plain.len() < stems.len() && plain.len() >= 2)
                .then(|| lexicon.phrase(&plain))
                .flatten()
                .and_then(|names| (names.metrics.len() == 1).then(|| names.metrics.first())?)
                .map(String::as_str);
            let metric = skipped
                .or_else(|| lexicon.in_any_order(stems.iter().copied()))
                .or_else(|| lexicon.but_for_average(&stems));
            if let Some(metric) = metric {
                let mut named = Named::default();
                named.names.metrics.insert(metric.to_owned());
                let label = self
                    .setting
                    .registry
                    .metric(metric)
                    .map_or_else(|| metric.to_owned(), |metric| metric.label.to_lowercase());
                let item = self.item(start, end, Kind::Name(Box::new(named)), Some(label));
                found.push((cost::REORDERED, item));
            }
        }
        // "takerate"
        if let Some(word) = self.words.get(start)
            && (6..=LONGEST_WORD).contains(&word.stem.len())
            && lexicon.with_part(&word.stem).is_none()
            && let Some((phrase, names)) = lexicon.written_together(&word.stem)
        {
            let named = Named {
                names: names.clone(),
                ..Named::default()
            };
            let item = self.item(start, start + 1, Kind::Name(Box::new(named)), Some(phrase));
            found.push((cost::REORDERED, item));
        }
    }

    /// The question's own text from word to word.
    pub(super) fn text(&self, start: usize, end: usize) -> String {
        let words = self.words.get(start..end).unwrap_or_default();
        if self
            .fixed
            .get(start..end)
            .is_some_and(|fixed| fixed.iter().any(Option::is_some))
        {
            let words: Vec<&str> = words.iter().map(|word| word.folded.as_str()).collect();
            return words.join(" ");
        }
        let from = words.first().map_or(0, |word| word.range.start);
        let to = words.last().map_or(from, |word| word.range.end);
        let text = self.question.get(from..to).unwrap_or_default();
        text.strip_suffix("'s")
            .or(text.strip_suffix("’s"))
            .unwrap_or(text)
            .to_owned()
    }

    fn time(&self, start: usize, found: &mut Vec<(u32, Item)>) {
        if self
            .words
            .get(start)
            .is_none_or(|word| word.joint.is_some())
            || self.is_code(start)
        {
            return;
        }
        let (mut texts, ends) = time_words(&self.words, start);
        if self.comparing && !texts.iter().any(|text| text == "between") {
            let and = texts.iter().position(|text| text == "and");
            texts.truncate(and.unwrap_or(texts.len()));
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let today = time_phrase::TimeSetting {
            today: self.setting.today,
            calendar: &self.setting.registry.calendar,
        };
        let Some(mut phrase) = time_phrase::range(&texts, &today) else {
            return;
        };
        let used = phrase.used();
        match self.years_or_numbers(start, texts.get(..used).unwrap_or_default()) {
            Years::Meant => {}
            Years::Numbers => return,
            Years::Unsure(reason) => phrase = Phrase::Impossible { used, reason },
        }
        if let Some(end) = used.checked_sub(1).and_then(|last| ends.get(last)) {
            let item = self.item(start, *end, Kind::Time(phrase), None);
            // A phrase that leads in with a preposition has said that, too.
            found.push((cost::TIME, item));
        }
    }

    /// A slash or a plus between two items is an operation that nobody does here: it is reported as a word of its own.
    fn loose_symbols(&self, items: &mut Vec<Item>) {
        let mut at = 0;
        while let Some(item) = items.get(at) {
            let word = self.words.get(item.words.start);
            let joint = word.and_then(|word| word.joint.filter(|joint| matches!(joint, '/' | '+')));
            if let (Some(joint), Some(word)) = (joint, word) {
                let end = word.range.start;
                let symbol = Item {
                    words: item.words.start..item.words.start,
                    range: end.saturating_sub(joint.len_utf8())..end,
                    kind: Kind::Unknown,
                    similar: None,
                };
                items.insert(at, symbol);
                at += 1;
            }
            at += 1;
        }
    }
}

/// The words from `start` on as a time is written, tied words together, with the word after each of them; at most 14.
pub(super) fn time_words(words: &[Word], start: usize) -> (Vec<String>, Vec<usize>) {
    let mut texts: Vec<String> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    for (offset, word) in words.iter().skip(start).enumerate() {
        match word.joint {
            Some(joint) if offset > 0 => {
                if let (Some(text), Some(end)) = (texts.last_mut(), ends.last_mut()) {
                    match joint {
                        RANGE => text.push_str(".."),
                        joint => text.push(joint),
                    }
                    text.push_str(&word.folded);
                    *end = start + offset + 1;
                }
            }
            _ => {
                // "Nov 3, 2025" goes on after its comma, "gmv in March, April" does not.
                let is_year =
                    word.folded.len() == 4 && word.folded.bytes().all(|b| b.is_ascii_digit());
                if texts.len() == 14 || (offset > 0 && word.after_comma && !is_year) {
                    break;
                }
                texts.push(word.folded.clone());
                ends.push(start + offset + 1);
            }
        }
    }
    (texts, ends)
}
