//! "in Indonesia", "from ads or organic", "excluding BR", "market XY": conditions on dimensions.

use std::collections::BTreeSet;

use super::draft::{Condition, Group, Literal, Said, Test};
use super::meanings;
use super::reader::{Read, Reader, span};
use super::scan::{Item, Kind};
use super::vocabulary::{Keyword, out_of_scope};
use crate::model::DimensionType;

impl Reader<'_> {
    /// The values from `first` on, as one condition that begins at `from`.
    pub(super) fn values(&mut self, from: usize, first: usize, negated: bool) -> usize {
        let mut literals: Vec<Said<Literal>> = Vec::new();
        let mut at = first;
        let mut end = first;
        let mut versus = false;
        while let Some(named) = self.items.get(at).and_then(Item::named) {
            if named.values.is_empty() || !self.shares_dimension(&literals, at) {
                break;
            }
            let literal = Literal::Known(named.values.clone());
            literals.push(self.said(at, at + 1, literal));
            end = at + 1;
            let mut next = self.after_noise(end);
            let comma = self.after_comma(next);
            let link = self.keyword_at(next);
            let slash = self
                .items
                .get(next)
                .is_some_and(|item| item.words.is_empty() && self.text(&item.range) == "/");
            let joined =
                slash || matches!(link, Some(Keyword::And | Keyword::Or | Keyword::Versus));
            if !joined && !comma {
                break;
            }
            if joined {
                next = self.after_lead(next + 1);
            }
            if !self.has_values(next)
                || self.is_metric(next)
                || !self.shares_dimension(&literals, next)
            {
                break;
            }
            versus |= link == Some(Keyword::Versus);
            for between in end..next {
                self.take(between);
            }
            at = next;
        }
        for literal in first..end {
            self.take(literal);
        }
        let (dimension, entity, end) = self.qualifier(&literals, from, end);
        let only = self.after_noise(end);
        if self.keyword_at(only) == Some(Keyword::Only) {
            self.take(only);
        }
        self.draft.conditions.push(Condition {
            dimension,
            entity,
            test: Test::Values(literals),
            negated,
            versus,
            range: span(self.items.get(from..end).unwrap_or_default()),
        });
        end
    }

    /// Whether the values at `at` may be of the same dimension as those before it.
    fn shares_dimension(&self, literals: &[Said<Literal>], at: usize) -> bool {
        let Some(named) = self.items.get(at).and_then(Item::named) else {
            return false;
        };
        literals.iter().all(|literal| match &literal.what {
            Literal::Other => true,
            Literal::Known(known) => known.iter().any(|one| {
                named
                    .values
                    .iter()
                    .any(|other| other.dimension == one.dimension)
            }),
        })
    }

    /// What follows values and says what they are values of: "the ads channel", "Brazilian sellers", "video ads".
    #[allow(
        clippy::type_complexity,
        reason = "the two kinds of qualifiers and where they end"
    )]
    fn qualifier(
        &mut self,
        literals: &[Said<Literal>],
        from: usize,
        end: usize,
    ) -> (
        Option<Said<(BTreeSet<String>, String)>>,
        Option<BTreeSet<String>>,
        usize,
    ) {
        let next = end;
        if self.after_comma(next) {
            return (None, None, end);
        }
        let dimensions: BTreeSet<&str> = literals
            .iter()
            .filter_map(|literal| match &literal.what {
                Literal::Known(known) => Some(known),
                Literal::Other => None,
            })
            .flatten()
            .map(|value| value.dimension.as_str())
            .collect();
        if let Some(named) = self.items.get(next).and_then(Item::named) {
            let names = &named.names;
            let of_these = |name: &String| {
                let plain = name.rsplit('.').next().unwrap_or(name);
                dimensions.contains(plain)
            };
            if names.metrics.is_empty() && names.dimensions.iter().any(of_these) {
                let what = (names.dimensions.clone(), self.stems(next));
                let said = self.said(next, next + 1, what);
                return (Some(said), None, self.take(next));
            }
            let led = from < next
                && (matches!(
                    self.keyword_at(from),
                    Some(Keyword::By | Keyword::Not | Keyword::Only)
                ) || (from > 0 && self.before_is_lead(from)));
            let another_metric = self
                .metrics
                .iter()
                .any(|metric| !names.metrics.contains(metric));
            if !names.entities.is_empty() && (names.metrics.is_empty() || (led && another_metric)) {
                let entity = names.entities.clone();
                return (None, Some(entity), self.take(next));
            }
        }
        if self.is_head_noun(&dimensions, next) {
            return (None, None, self.take(next));
        }
        (None, None, end)
    }

    fn before_is_lead(&self, at: usize) -> bool {
        matches!(
            self.before(at),
            Some(Keyword::Lead | Keyword::By | Keyword::Not | Keyword::Only)
        ) || self
            .items
            .get(at.saturating_sub(1))
            .is_some_and(|item| self.text(&item.range).eq_ignore_ascii_case("of"))
    }

    /// Whether a word repeats a part of the dimension's name, and means nothing else that could be meant: the "ads" of
    /// "video ads", where the dimension is the ad format.
    fn is_head_noun(&self, dimensions: &BTreeSet<&str>, at: usize) -> bool {
        let [word] = self.item_words(at) else {
            return false;
        };
        let names_part = dimensions.iter().any(|dimension| {
            dimension.contains('_')
                && dimension
                    .split('_')
                    .any(|part| super::words::stem(part) == word.stem)
        });
        let means_more = self.items.get(at).is_some_and(|item| match &item.kind {
            Kind::Unknown => false,
            Kind::Name(named) => {
                !named.names.metrics.is_empty()
                    || meanings::is_reachable(&self.text(&item.range), &self.metrics, self.setting)
            }
            _ => true,
        });
        names_part && !means_more
    }

    /// "excluding BR", "not from ads", "without the filter".
    pub(super) fn negation(&mut self, at: usize) -> Read<usize> {
        let next = self.after_lead(at + 1);
        if self.has_values(next) {
            self.take(at);
            for between in at + 1..next {
                self.take(between);
            }
            let mut end = self.values(at, next, true);
            // "excluding BR and ads": what is joined on is left out, too. With a word that leads in ("and in TH") it could
            // be meant either way.
            while matches!(self.keyword_at(end), Some(Keyword::And | Keyword::Or))
                || self.after_comma(end)
            {
                let joined = matches!(self.keyword_at(end), Some(Keyword::And | Keyword::Or));
                let more = self.after_noise(end + usize::from(joined));
                let led = self.after_lead(more);
                if joined && led != more && self.has_values(led) {
                    break;
                }
                if !self.has_values(more) || self.is_metric(more) {
                    return Ok(end);
                }
                for between in end..more {
                    self.take(between);
                }
                end = self.values(more, more, true);
            }
            let led = self.after_lead(end + 1);
            // "and in" is one word of the grammar, "and" with a word that leads in are two.
            let joins = match self.keyword_at(end) {
                Some(Keyword::And | Keyword::Or) => led > end + 1,
                Some(Keyword::WhatAbout) => true,
                _ => false,
            };
            if joins && self.has_values(led) {
                return Err(self.either_way(at, led));
            }
            return Ok(end);
        }
        if self.is_dimension(next) && !self.is_metric(next) {
            if self.removes(next) {
                return Ok(self.removal(at));
            }
            self.take(at);
            let end = self.dimension(at, next, true)?;
            if !self.is_used(next)
                && let Some(used) = self.used.get_mut(at)
            {
                *used = false;
            }
            return Ok(end);
        }
        if self.removes(next) {
            return Ok(self.removal(at));
        }
        Ok(at + 1)
    }

    /// Whether a condition that is joined to a negated one is negated, too, cannot be told.
    fn either_way(&self, from: usize, to: usize) -> Box<super::Understanding> {
        let range = span(self.items.get(from..=to).unwrap_or_default());
        let words = self.text(&range);
        super::refusing::refuse(
            super::RefusalCode::NotAnswerable,
            format!("'{words}': is the second one left out, too?"),
            Some("repeat the word that leaves out, or say the other condition first".to_owned()),
            vec![(words, range)],
        )
    }

    /// A dimension that no "by" leads in, at `at`: beside a value it makes a condition, with a plural or "which" a
    /// grouping. `from` is where its phrase begins.
    pub(super) fn dimension(&mut self, from: usize, at: usize, negated: bool) -> Read<usize> {
        let names = self.dimension_names(at);
        let said = self.said(at, at + 1, (names.clone(), self.stems(at)));
        let kind = self.kind_of(&names);
        let mut next = at + 1;
        let mut explicit = false;
        let mut negated_here = negated;
        while let Some(keyword) = self.keyword_at(next) {
            match keyword {
                Keyword::Is => explicit = true,
                Keyword::Not if explicit || self.has_values(self.after_lead(next + 1)) => {
                    negated_here = !negated_here;
                    explicit = true;
                }
                Keyword::Noise | Keyword::Lead if explicit => {}
                _ => break,
            }
            next += 1;
        }
        let adjacent = !self.after_comma(next);
        let grouped = self.before(at) == Some(Keyword::Which) || negated_here && !negated;
        if self.has_values(next) && adjacent && (explicit || !self.is_plural(at)) && !grouped
            || self.has_values(next) && explicit
        {
            let before = self.draft.conditions.len();
            let end = self.values(from, next, negated_here);
            if let Some(condition) = self.draft.conditions.get_mut(before) {
                condition.dimension = Some(said);
            }
            for between in from..next {
                self.take(between);
            }
            return Ok(end);
        }
        if kind == Some(DimensionType::Number)
            && let Some(Keyword::Than(op)) = self.keyword_at(next)
            && let Some(number) = self.plain_number(next + 1)
        {
            let literal = super::thresholds::decimal(number);
            for between in from..next + 2 {
                self.take(between);
            }
            self.draft.conditions.push(Condition {
                dimension: Some(said),
                entity: None,
                test: Test::Number(op, literal),
                negated: negated_here,
                versus: false,
                range: span(self.items.get(from..next + 2).unwrap_or_default()),
            });
            return Ok(next + 2);
        }
        if let Some(end) = self.unknown_value(from, at, next, explicit, negated_here, &said) {
            return Ok(end);
        }
        let wise = self.keyword_at(at + 1) == Some(Keyword::Wise);
        if kind == Some(DimensionType::Boolean) && !wise && !grouped {
            for between in from..=at {
                self.take(between);
            }
            self.draft.conditions.push(Condition {
                dimension: Some(said),
                entity: None,
                test: Test::Holds,
                negated,
                versus: false,
                range: span(self.items.get(from..at + 1).unwrap_or_default()),
            });
            return Ok(at + 1);
        }
        // "gmv in my market" names a market without saying which.
        let led = matches!(
            at.checked_sub(1)
                .and_then(|before| self.before_but_our(before + 1)),
            Some(Keyword::Lead | Keyword::With)
        );
        if negated || (led && !wise && !self.is_plural(at)) {
            return Ok(at + 1);
        }
        let stems = self.stems(at);
        self.group(at, at + 1, Group::Dimension(names, stems));
        if wise {
            self.take(at + 1);
        }
        Ok(at + 1)
    }

    /// A word that no dimension has as a value, beside the name of its dimension: "market XY".
    fn unknown_value(
        &mut self,
        from: usize,
        at: usize,
        next: usize,
        explicit: bool,
        negated: bool,
        dimension: &Said<(BTreeSet<String>, String)>,
    ) -> Option<usize> {
        let item = self.items.get(next)?;
        let led = explicit
            || matches!(
                self.before(at),
                Some(
                    Keyword::Lead
                        | Keyword::With
                        | Keyword::Not
                        | Keyword::Only
                        | Keyword::And
                        | Keyword::WhatAbout
                )
            );
        let is_word = matches!(item.kind, Kind::Unknown | Kind::Number(_));
        let words = self.item_words(next);
        let is_plain = words
            .iter()
            .all(|word| out_of_scope(&word.folded).is_none());
        if !is_word
            || !led
            || !is_plain
            || self.after_comma(next)
            || (self.is_plural(at) && !explicit)
        {
            return None;
        }
        let literal = self.said(next, next + 1, Literal::Other);
        for between in from..next + 1 {
            self.take(between);
        }
        self.draft.conditions.push(Condition {
            dimension: Some(dimension.clone()),
            entity: None,
            test: Test::Values(vec![literal]),
            negated,
            versus: false,
            range: span(self.items.get(from..next + 1).unwrap_or_default()),
        });
        Some(next + 1)
    }

    /// The nearest word of the grammar before `at` that is neither noise nor "our"; none where a name stands between.
    fn before_but_our(&self, at: usize) -> Option<Keyword> {
        let mut before = self.items.get(..at).unwrap_or_default().iter().rev();
        before
            .find(|item| !matches!(item.keyword(), Some(Keyword::Noise | Keyword::Our)))
            .and_then(Item::keyword)
    }

    /// A number without a sign, also where it looks like a year.
    fn plain_number(&self, at: usize) -> Option<f64> {
        let [word] = self.item_words(at) else {
            return None;
        };
        let number = super::words::number(&word.folded)?;
        (!number.percent).then_some(number.value)
    }

    /// The type of the dimensions of these names, where they agree.
    fn kind_of(&self, names: &BTreeSet<String>) -> Option<DimensionType> {
        let datasets = self.setting.registry.datasets.values();
        let mut kinds = names.iter().flat_map(|name| {
            let plain = name.rsplit('.').next().unwrap_or(name).to_owned();
            datasets
                .clone()
                .filter_map(move |dataset| dataset.dimensions.get(&plain))
                .map(|dimension| dimension.kind)
        });
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
    }
}
