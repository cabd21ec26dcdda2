//! From items to a draft: every item is given its part in the question, from the first to the last.

use std::collections::BTreeSet;
use std::ops::Range;

use super::draft::{Draft, Group, Removal, Said};
use super::scan::{Item, Kind, metrics};
use super::vocabulary::Keyword;
use super::words::Word;
use super::{Setting, Understanding};
use crate::model::GroupBy;
use crate::model::time_phrase::Phrase;

/// A step that may end in a question back or a refusal.
pub(super) type Read<T> = Result<T, Box<Understanding>>;

/// Reads items, one after the other.
pub(super) struct Reader<'a> {
    pub(super) question: &'a str,
    pub(super) words: &'a [Word],
    pub(super) items: &'a [Item],
    pub(super) setting: &'a Setting<'a>,
    /// Which items have found their part.
    pub(super) used: Vec<bool>,
    /// The metrics of the whole question, or of the query before it: what dimensions are looked at for.
    pub(super) metrics: Vec<String>,
    pub(super) draft: Draft,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        question: &'a str,
        words: &'a [Word],
        items: &'a [Item],
        setting: &'a Setting<'a>,
    ) -> Self {
        Self {
            question,
            words,
            items,
            setting,
            used: vec![false; items.len()],
            metrics: metrics(items, setting),
            draft: Draft::default(),
        }
    }

    /// Reads all items.
    pub(super) fn read(&mut self) -> Read<()> {
        let unclear = |item: &Item| matches!(item.kind, Kind::Number(number) if number.unclear);
        if let Some(at) = self.items.iter().position(unclear) {
            return Err(self.unclear(at));
        }
        let mut at = 0;
        while at < self.items.len() {
            let next = if self.is_used(at) {
                at + 1
            } else {
                self.step(at)?
            };
            at = next.max(at + 1);
        }
        self.draft.total = (0..self.items.len()).any(|at| self.is_total(at));
        Ok(())
    }

    /// "total" at the end, after a comma or after "and": a row, where the "total" of "total gmv" says nothing.
    fn is_total(&self, at: usize) -> bool {
        let is_word = self.keyword_at(at) == Some(Keyword::Noise)
            && self.stems(at).split(' ').next_back() == Some("total");
        let joined = at.checked_sub(1).is_some_and(|before| {
            matches!(
                self.keyword_at(before),
                Some(Keyword::And | Keyword::With | Keyword::WhatAbout)
            )
        });
        is_word
            && !self.is_metric(self.after_noise(at + 1))
            && (joined || self.after_comma(at) || at + 1 == self.items.len())
    }

    fn step(&mut self, at: usize) -> Read<usize> {
        let Some(item) = self.items.get(at) else {
            return Ok(at + 1);
        };
        match &item.kind {
            Kind::Name(_) => self.name(at),
            Kind::Time(_) => self.time(at),
            Kind::Number(_) => self.number(at),
            Kind::Unknown if self.currency(at) => Ok(at + 1),
            Kind::Unknown => Ok(self.comparison(at, false)),
            Kind::Keyword(keyword) => self.keyword(at, *keyword),
        }
    }

    fn keyword(&mut self, at: usize, keyword: Keyword) -> Read<usize> {
        match keyword {
            Keyword::By => self.grouping(at),
            Keyword::Rank(direction) => Ok(self.rank(at, at + 1, direction, None)),
            Keyword::Sorted => Ok(self.sorted(at)),
            Keyword::Order(direction) => Ok(self.order(at, direction)),
            Keyword::Not => self.negation(at),
            Keyword::Only => Ok(self.only(at)),
            Keyword::All => self.all(at),
            Keyword::Than(op) => self.threshold(at, op),
            Keyword::Between => self.between(at),
            Keyword::Versus => Ok(self.versus(at)),
            Keyword::With | Keyword::And if self.draft.compare && self.is_time(at + 1) => {
                Ok(self.comparison(at, true))
            }
            // "with orders", after another question
            Keyword::With
                if at == 0
                    && self.setting.previous.is_some()
                    && self.is_metric(self.after_noise(1)) =>
            {
                self.draft.also = true;
                self.draft.patch = true;
                Ok(self.take(at))
            }
            Keyword::Remove => Ok(self.removal(at)),
            Keyword::Every(grain) => {
                self.group(at, at + 1, Group::Grain(grain));
                Ok(at + 1)
            }
            Keyword::Figure(figure) => Ok(self.figure(at, figure)),
            Keyword::Others => {
                if self.draft.rank.is_some() {
                    self.draft.others = Some(item_range(self.items, at));
                    self.take(at);
                }
                Ok(at + 1)
            }
            Keyword::Unit(_) | Keyword::Part(_) => {
                // "days with more than 100 orders"
                let leads_on = matches!(
                    self.keyword_at(at + 1),
                    Some(Keyword::With | Keyword::Rank(_) | Keyword::Than(_))
                );
                let asked = at > 0 && self.before(at) == Some(Keyword::Which);
                if leads_on || asked {
                    self.group_at(at);
                }
                Ok(at + 1)
            }
            Keyword::Trend => {
                self.draft.trend = Some(item_range(self.items, at));
                Ok(self.take(at))
            }
            Keyword::Developed => {
                let asked = (0..at).any(|before| self.keyword_at(before) == Some(Keyword::How));
                if asked {
                    self.draft.trend = Some(item_range(self.items, at));
                    self.take(at);
                }
                Ok(at + 1)
            }
            Keyword::Growth => {
                self.draft.growth = Some(item_range(self.items, at));
                Ok(self.take(at))
            }
            Keyword::Compare => {
                self.draft.compare = true;
                Ok(self.take(at))
            }
            Keyword::Same => {
                let next = self.comparison(at, false);
                if next == at + 1 && !self.is_used(at) && self.setting.previous.is_some() {
                    self.draft.patch = true;
                    self.take(at);
                }
                Ok(next)
            }
            Keyword::Also => {
                if self.setting.previous.is_some() {
                    self.draft.also = true;
                    self.draft.patch = true;
                    self.take(at);
                }
                Ok(at + 1)
            }
            Keyword::Instead => {
                // "gmv instead of orders" says what goes as well as what comes.
                let of = self.item_words(at + 1).first();
                let of = of.is_some_and(|word| word.folded == "of");
                if self.setting.previous.is_some() && !of {
                    self.draft.patch = true;
                    self.take(at);
                }
                Ok(at + 1)
            }
            Keyword::WhatAbout | Keyword::Now => {
                if self.setting.previous.is_some() {
                    self.draft.patch = true;
                }
                Ok(self.take(at))
            }
            Keyword::And if at == 0 => {
                self.draft.patch = self.setting.previous.is_some();
                Ok(self.take(at))
            }
            Keyword::Exist if self.items.iter().any(is_metric) => Ok(self.take(at)),
            Keyword::Grouping if self.splits() => Ok(self.take(at)),
            // "in total" after another question: one number instead of its rows.
            Keyword::Noise
                if self.setting.previous.is_some()
                    && self
                        .item_words(at)
                        .last()
                        .is_some_and(|word| word.folded == "total")
                    && !self.items.iter().any(is_metric) =>
            {
                let said = self.said(at, at + 1, Removal::Grouping);
                self.draft.removals.push(said);
                Ok(self.take(at))
            }
            Keyword::Noise
            | Keyword::Our
            | Keyword::Lead
            | Keyword::With
            | Keyword::And
            | Keyword::Is
            | Keyword::Which
            | Keyword::How
            | Keyword::List => Ok(self.take(at)),
            _ => Ok(at + 1),
        }
    }

    /// Whether the question says by what it is split.
    fn splits(&self) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item.keyword(), Some(Keyword::By | Keyword::Every(_))))
    }

    fn name(&mut self, at: usize) -> Read<usize> {
        let Some(named) = self.items.get(at).and_then(Item::named) else {
            return Ok(at + 1);
        };
        let after_lead = at > 0
            && matches!(
                self.keyword_at(at - 1),
                Some(Keyword::Lead | Keyword::Not | Keyword::Only)
            );
        let names_metric = !named.names.metrics.is_empty();
        let names_value = !named.values.is_empty();
        if names_metric && (!after_lead || !names_value) {
            return self.metric(at);
        }
        if names_value {
            return Ok(self.values(at, at, false));
        }
        if !named.names.dimensions.is_empty() {
            return self.dimension(at, at, false);
        }
        Ok(at + 1)
    }

    fn metric(&mut self, at: usize) -> Read<usize> {
        let Some(named) = self.items.get(at).and_then(Item::named) else {
            return Ok(at + 1);
        };
        if named.names.metrics.len() > 1 {
            return Err(self.which_metric(at, named));
        }
        if let Some(metric) = named.names.metrics.first() {
            let said = self.said(at, at + 1, metric.clone());
            self.add_metric(said);
        }
        Ok(self.take(at))
    }

    pub(super) fn add_metric(&mut self, said: Said<String>) {
        if self
            .draft
            .metrics
            .iter()
            .all(|known| known.what != said.what)
        {
            self.draft.metrics.push(said);
        }
    }

    fn time(&mut self, at: usize) -> Read<usize> {
        let Some(Kind::Time(phrase)) = self.items.get(at).map(|item| &item.kind) else {
            return Ok(at + 1);
        };
        if self.draft.compare
            && !self.draft.times.is_empty()
            && self.draft.against.is_empty()
            && at > 0
            && matches!(self.keyword_at(at - 1), Some(Keyword::And | Keyword::With))
        {
            return Ok(self.comparison(at - 1, true));
        }
        match phrase {
            Phrase::Found(found) => {
                let said = self.said(at, at + 1, (found.meaning, found.note.clone()));
                self.draft.times.push(said);
                Ok(self.take(at))
            }
            Phrase::Ambiguous { readings, .. } => Err(self.which_time(at, readings)),
            Phrase::Impossible { reason, .. } => Err(self.no_such_time(at, reason)),
        }
    }

    fn only(&mut self, at: usize) -> usize {
        let next = self.after_noise(at + 1);
        let beside_value = (at > 0 && self.has_values(at - 1)) || self.has_values(next);
        let narrows = self.is_time(next)
            || self.is_metric(next)
            || matches!(self.keyword_at(next), Some(Keyword::Rank(_)))
            || self.is_dimension(next) && self.has_values(self.after_noise(next + 1));
        if beside_value || narrows {
            if at == 0 {
                self.draft.patch = self.setting.previous.is_some();
            }
            self.take(at);
        }
        at + 1
    }

    fn all(&mut self, at: usize) -> Read<usize> {
        let next = self.after_noise(at + 1);
        if self.is_metric(next) || self.is_time(next) {
            return Ok(self.take(at));
        }
        // "all markets but Indonesia"
        let but = next + 1;
        let leaves_out = matches!(self.keyword_at(but), Some(Keyword::Not | Keyword::Now));
        if self.is_dimension(next) && leaves_out && self.has_values(self.after_lead(but + 1)) {
            self.take(at);
            self.take(next);
            return self.negation(but);
        }
        if let Some(named) = self.items.get(next).and_then(Item::named)
            && !named.names.dimensions.is_empty()
        {
            let what = (named.names.dimensions.clone(), self.stems(next));
            let said = self.said(at, next + 1, what);
            self.draft.all_of.push(said);
            self.take(at);
            return Ok(self.take(next));
        }
        Ok(at + 1)
    }

    /// Adds a grouping, once.
    pub(super) fn group(&mut self, from: usize, to: usize, group: Group) {
        let said = self.said(from, to, group);
        let same = |known: &Said<Group>| match (&known.what, &said.what) {
            (Group::Grain(one), Group::Grain(other)) => one == other,
            (Group::Part(one), Group::Part(other)) => one == other,
            (Group::Dimension(one, _), Group::Dimension(other, _)) => one == other,
            _ => false,
        };
        if !self.draft.groups.iter().any(same) {
            self.draft.groups.push(said);
        }
        for at in from..to {
            self.take(at);
        }
    }

    pub(super) fn said<T>(&self, from: usize, to: usize, what: T) -> Said<T> {
        let items = self.items.get(from..to).unwrap_or_default();
        let similar: Vec<&str> = items
            .iter()
            .filter_map(|item| item.similar.as_deref())
            .collect();
        Said {
            what,
            range: span(items),
            similar: (!similar.is_empty()).then(|| similar.join(" ")),
            remembered: items
                .iter()
                .filter_map(Item::named)
                .any(|named| named.remembered),
        }
    }

    pub(super) fn take(&mut self, at: usize) -> usize {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
        at + 1
    }

    pub(super) fn is_used(&self, at: usize) -> bool {
        self.used.get(at).copied().unwrap_or(true)
    }

    pub(super) fn keyword_at(&self, at: usize) -> Option<Keyword> {
        self.items.get(at).and_then(Item::keyword)
    }

    /// The nearest word of the grammar before `at`, noise and numbers left out.
    pub(super) fn before(&self, at: usize) -> Option<Keyword> {
        let before = self.items.get(..at).unwrap_or_default().iter().rev();
        before
            .filter(|item| !matches!(item.kind, Kind::Number(_)))
            .find(|item| item.keyword() != Some(Keyword::Noise))
            .and_then(Item::keyword)
    }

    /// The first item from `at` on that says something.
    pub(super) fn after_noise(&self, at: usize) -> usize {
        let mut at = at;
        while matches!(self.keyword_at(at), Some(Keyword::Noise | Keyword::Our)) {
            at += 1;
        }
        at
    }

    /// The first item from `at` on that is neither noise nor leads in.
    pub(super) fn after_lead(&self, at: usize) -> usize {
        let mut at = at;
        while matches!(
            self.keyword_at(at),
            Some(Keyword::Noise | Keyword::Our | Keyword::Lead)
        ) {
            at += 1;
        }
        at
    }

    pub(super) fn is_time(&self, at: usize) -> bool {
        matches!(
            self.items.get(at).map(|item| &item.kind),
            Some(Kind::Time(_))
        )
    }

    pub(super) fn is_metric(&self, at: usize) -> bool {
        let named = self.items.get(at).and_then(Item::named);
        named.is_some_and(|named| !named.names.metrics.is_empty())
    }

    pub(super) fn is_dimension(&self, at: usize) -> bool {
        let named = self.items.get(at).and_then(Item::named);
        named.is_some_and(|named| !named.names.dimensions.is_empty())
    }

    pub(super) fn has_values(&self, at: usize) -> bool {
        let named = self.items.get(at).and_then(Item::named);
        named.is_some_and(|named| !named.values.is_empty())
    }

    pub(super) fn after_comma(&self, at: usize) -> bool {
        let item = self.items.get(at);
        let word = item.and_then(|item| self.words.get(item.words.start));
        word.is_some_and(|word| word.after_comma)
    }

    /// The stems of an item, with single spaces.
    pub(super) fn stems(&self, at: usize) -> String {
        let words = self.item_words(at);
        let stems: Vec<&str> = words.iter().map(|word| word.stem.as_str()).collect();
        stems.join(" ")
    }

    /// Whether the last word of an item is a plural.
    pub(super) fn is_plural(&self, at: usize) -> bool {
        let last = self.item_words(at).last();
        last.is_some_and(|word| word.folded != word.stem)
    }

    pub(super) fn item_words(&self, at: usize) -> &[Word] {
        let range = self.items.get(at).map(|item| item.words.clone());
        range
            .and_then(|range| self.words.get(range))
            .unwrap_or_default()
    }

    /// The words of some bytes as typed.
    pub(super) fn text(&self, range: &Range<usize>) -> String {
        self.question
            .get(range.clone())
            .unwrap_or_default()
            .to_owned()
    }

    pub(super) fn dimension_names(&self, at: usize) -> BTreeSet<String> {
        let named = self.items.get(at).and_then(Item::named);
        named
            .map(|named| named.names.dimensions.clone())
            .unwrap_or_default()
    }
}

/// The bytes from the first to the last item.
pub(super) fn span(items: &[Item]) -> Range<usize> {
    let start = items.first().map_or(0, |item| item.range.start);
    start..items.last().map_or(start, |item| item.range.end)
}

fn is_metric(item: &Item) -> bool {
    item.named()
        .is_some_and(|named| !named.names.metrics.is_empty())
}

fn item_range(items: &[Item], at: usize) -> Range<usize> {
    items.get(at).map_or(0..0, |item| item.range.clone())
}

/// Whether two groupings are the same one.
pub(super) fn is_grain(group: &GroupBy) -> bool {
    matches!(group, GroupBy::Grain { of: None, .. })
}
