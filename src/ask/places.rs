//! What stands in the place of a value is no noise, and a sign between two things is no pause: such words are reported
//! instead of being passed over, which would answer something wider than what was asked.

use std::ops::Range;

use super::scan::{Item, Kind};
use super::vocabulary::{Keyword, out_of_scope};
use super::words::Word;
use crate::model::world;

/// Whether a folded word is the code of a country: `us`, `my`, `in`.
pub(super) fn is_country_code(folded: &str) -> bool {
    folded.len() == 2 && !world::codes(&folded.to_uppercase()).is_empty()
}

/// Makes unknown words of those that were read as nothing, or as something else, in a place where they mean something.
pub(super) fn check(question: &str, words: &[Word], items: &mut Vec<Item>) {
    let places = Places {
        question,
        words,
        items,
    };
    let unknown: Vec<usize> = (0..items.len())
        .filter(|at| places.stands_for_a_value(*at) || places.is_a_command(*at))
        .collect();
    let plus: Vec<usize> = (0..items.len()).filter(|at| places.is_plus(*at)).collect();
    let dashes: Vec<(usize, Range<usize>)> = (1..items.len())
        .filter_map(|at| Some((at, places.dash_before(at)?)))
        .collect();
    for at in unknown {
        if let Some(item) = items.get_mut(at) {
            item.kind = Kind::Unknown;
        }
    }
    for at in plus {
        if let Some(item) = items.get_mut(at) {
            item.kind = Kind::Keyword(Keyword::And);
        }
    }
    for (at, range) in dashes.into_iter().rev() {
        let start = items.get(at).map_or(0, |item| item.words.start);
        let dash = Item {
            words: start..start,
            range,
            kind: Kind::Unknown,
            similar: None,
        };
        items.insert(at, dash);
    }
}

struct Places<'a> {
    question: &'a str,
    words: &'a [Word],
    items: &'a [Item],
}

impl Places<'_> {
    fn keyword(&self, at: usize) -> Option<Keyword> {
        self.items.get(at).and_then(Item::keyword)
    }

    fn folded(&self, at: usize) -> String {
        let words = self.items.get(at).map(|item| item.words.clone());
        let words = words.and_then(|range| self.words.get(range));
        let words: Vec<&str> = words
            .unwrap_or_default()
            .iter()
            .map(|word| word.folded.as_str())
            .collect();
        words.join(" ")
    }

    fn after_comma(&self, at: usize) -> bool {
        let word = self.items.get(at).map(|item| item.words.start);
        let word = word.and_then(|word| self.words.get(word));
        word.is_some_and(|word| word.after_comma)
    }

    fn has_values(&self, at: usize) -> bool {
        let named = self.items.get(at).and_then(Item::named);
        named.is_some_and(|named| !named.values.is_empty())
    }

    fn is_metric(&self, at: usize) -> bool {
        let named = self.items.get(at).and_then(Item::named);
        named.is_some_and(|named| !named.names.metrics.is_empty())
    }

    fn is_noise(&self, at: usize) -> bool {
        matches!(self.keyword(at), Some(Keyword::Noise | Keyword::Our))
    }

    /// Whether a phrase ends before the item at `at`, so that what led in is followed by nothing but what was read.
    fn ends_before(&self, at: usize) -> bool {
        let joins = matches!(
            self.keyword(at),
            Some(
                Keyword::Lead
                    | Keyword::With
                    | Keyword::By
                    | Keyword::And
                    | Keyword::Or
                    | Keyword::Versus
                    | Keyword::Not
                    | Keyword::Than(_)
                    | Keyword::Every(_)
            )
        );
        let is_time = |item: &Item| matches!(item.kind, Kind::Time(_));
        joins || self.after_comma(at) || self.items.get(at).is_none_or(is_time)
    }

    /// "in us", "for it", "TH and my": a word that says nothing elsewhere.
    fn stands_for_a_value(&self, at: usize) -> bool {
        const ARTICLES: [&str; 3] = ["the", "a", "an"];
        if !self.is_noise(at) {
            return false;
        }
        let folded = self.folded(at);
        let is_code = is_country_code(&folded);
        if folded == "for me" && !(at > 0 && self.is_noise(at - 1)) {
            let is_shouted = self.words.iter().all(|word| word.capitals);
            let range = self.items.get(at).map(|item| item.range.clone());
            let text = range.and_then(|range| self.question.get(range));
            return !is_shouted && text.is_some_and(|text| text.ends_with("ME"));
        }
        let mut before = at;
        while before > 0 && self.is_noise(before - 1) && !self.after_comma(before) {
            before -= 1;
        }
        let lead = before.checked_sub(1).map(|lead| self.folded(lead));
        let led = lead.is_some_and(|lead| {
            ["in", "for", "from", "at", "on", "within"].contains(&lead.as_str())
        });
        if led && self.ends_before(at + 1) && !ARTICLES.contains(&folded.as_str()) {
            return true;
        }
        if !is_code {
            return false;
        }
        // "MY GMV": capitals tell nothing, and Malaysia is as likely.
        if folded == "my" && self.words.iter().all(|word| word.capitals) {
            return true;
        }
        let link = |at: usize| matches!(self.keyword(at), Some(Keyword::And | Keyword::Or));
        let behind_a_value = at
            .checked_sub(if at > 0 && link(at - 1) { 2 } else { 1 })
            .is_some_and(|value| self.has_values(value))
            && (link(at - 1) || self.after_comma(at));
        let before_a_value = (link(at + 1) && self.has_values(at + 2))
            || (self.has_values(at + 1) && self.after_comma(at + 1));
        (behind_a_value && self.ends_before(at + 1)) || before_a_value
    }

    /// "email gmv last month" is something to be done, not the channel.
    fn is_a_command(&self, at: usize) -> bool {
        let is_first = (0..at).all(|before| self.is_noise(before));
        let is_verb = out_of_scope(&self.folded(at))
            .is_some_and(|reason| reason == super::vocabulary::DOES_NOTHING);
        let next = at + 1;
        is_first
            && is_verb
            && self.has_values(at)
            && !self.is_metric(at)
            && (self.is_metric(next) || self.is_noise(next))
    }

    /// "mrr plus arr": both, not the plan of that name.
    fn is_plus(&self, at: usize) -> bool {
        self.folded(at) == "plus"
            && !matches!(
                at.checked_sub(1).and_then(|before| self.keyword(before)),
                Some(Keyword::Lead | Keyword::And | Keyword::Or | Keyword::Not)
            )
            && at > 0
            && self.is_metric(at + 1)
    }

    /// The dash between two metrics, or between two values, which may be a minus.
    fn dash_before(&self, at: usize) -> Option<Range<usize>> {
        let (one, other) = (at.checked_sub(1)?, at);
        let alike = (self.is_metric(one) && self.is_metric(other))
            || (self.has_values(one) && self.has_values(other));
        let range = self.items.get(one)?.range.end..self.items.get(other)?.range.start;
        let between = self.question.get(range.clone())?;
        let dash = between.trim();
        let start = range.start + (between.len() - between.trim_start().len());
        (alike && ["-", "–", "—", "−"].contains(&dash)).then(|| start..start + dash.len())
    }
}
