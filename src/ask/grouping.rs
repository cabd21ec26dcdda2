//! "by market and month", "per channel", "market-wise": what the answer is split by.

use super::draft::Group;
use super::reader::{Read, Reader};
use super::refusing::refuse;
use super::scan::{Item, Kind};
use super::vocabulary::Keyword;
use super::{RefusalCode, Understanding};

impl Reader<'_> {
    /// The groupings after a word such as "by", at `at`. "by" before a metric says what is ranked by.
    pub(super) fn grouping(&mut self, at: usize) -> Read<usize> {
        let first = self.after_lead(at + 1);
        if !self.is_groupable(first) {
            if self.has_values(first) {
                return Err(self.by_a_value(at, first));
            }
            let compares = self.draft.compare && !self.draft.conditions.is_empty();
            let ranks = self
                .draft
                .rank
                .as_ref()
                .is_some_and(|rank| rank.what.by.is_none());
            // "gmv by market per order" asks for a ratio, which is no metric here.
            let divides = self
                .item_words(at)
                .first()
                .is_none_or(|word| word.folded == "per");
            if self.is_metric(first) && !divides && (ranks || compares) {
                self.take(at);
                return Ok(self.rank_by(first));
            }
            return Ok(at + 1);
        }
        let mut next = first;
        let mut end = at + 1;
        let each = self.is_each(at);
        while self.is_groupable(next) {
            self.group_at(next);
            if each && let Some(item) = self.items.get(next) {
                self.draft.each.push(item.range.clone());
            }
            end = next + 1;
            let mut following = self.after_noise(end);
            let comma = self.after_comma(following);
            let joined = matches!(
                self.keyword_at(following),
                Some(Keyword::And | Keyword::Now)
            );
            if !(comma || joined) {
                break;
            }
            if joined {
                following = self.after_noise(following + 1);
            }
            if self.keyword_at(following) == Some(Keyword::By) {
                following = self.after_noise(following + 1);
            }
            if !self.is_groupable(following) {
                break;
            }
            for between in end..following {
                self.take(between);
            }
            next = following;
        }
        self.take(at);
        for between in at + 1..first {
            self.take(between);
        }
        Ok(end)
    }

    /// "by ads": a value, where only a dimension can be split by.
    fn by_a_value(&self, by: usize, at: usize) -> Box<Understanding> {
        let range = self.items.get(at).map_or(0..0, |item| item.range.clone());
        let words = self.text(&range);
        let by = self.items.get(by).map(|item| self.text(&item.range));
        let by = by.unwrap_or_else(|| "by".to_owned());
        let named = self.items.get(at).and_then(Item::named);
        let first = named.and_then(|named| named.values.first());
        let hint = first.map(|value| {
            format!(
                "for {words} alone: 'for {words}'; split: 'by {}'",
                value.dimension
            )
        });
        refuse(
            RefusalCode::NotAnswerable,
            format!("'{by} {words}': {words} is a value, which nothing can be split by"),
            hint,
            vec![(words, range)],
        )
    }

    /// Whether an item can be grouped by: a dimension, a grain, or the end of a dimension's name.
    fn is_groupable(&self, at: usize) -> bool {
        match self.items.get(at).map(|item| &item.kind) {
            Some(Kind::Name(named)) => !named.names.dimensions.is_empty() || self.ends_a_name(at),
            Some(Kind::Keyword(Keyword::Unit(_) | Keyword::Part(_) | Keyword::Every(_))) => true,
            Some(Kind::Unknown) => self.ends_a_name(at),
            _ => false,
        }
    }

    /// Whether an item that names no dimension ends the name of one, and is no metric or value.
    pub(super) fn ends_a_name(&self, at: usize) -> bool {
        let stems = self.stems(at);
        !stems.is_empty()
            && !self.is_metric(at)
            && !self.has_values(at)
            && self.setting.lexicon.ending(&stems).next().is_some()
    }

    /// Whether the words at `at` lead in what has a ranking each: "per market", "in each market", and not "by market".
    fn is_each(&self, at: usize) -> bool {
        let words = self.item_words(at);
        let each = ["per", "each", "every", "within"];
        words
            .iter()
            .any(|word| each.contains(&word.folded.as_str()))
    }

    /// Whether an item is a unit of time, or a part of a date.
    pub(super) fn is_period(&self, at: usize) -> bool {
        matches!(
            self.keyword_at(at),
            Some(Keyword::Unit(_) | Keyword::Part(_))
        )
    }

    /// Groups by the item at `at`.
    pub(super) fn group_at(&mut self, at: usize) {
        let group = match self.keyword_at(at) {
            Some(Keyword::Unit(grain) | Keyword::Every(grain)) => Group::Grain(grain),
            Some(Keyword::Part(part)) => Group::Part(part),
            _ => Group::Dimension(self.dimension_names(at), self.stems(at)),
        };
        self.group(at, at + 1, group);
    }
}
