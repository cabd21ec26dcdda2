//! "top 5 channels by ads revenue", "which market has the lowest churn", "sorted by gmv": order and limit.

use super::draft::Rank;
use super::reader::Reader;
use super::scan::Kind;
use super::vocabulary::Keyword;
use crate::model::Direction;

impl Reader<'_> {
    /// A number: "3 best markets", "1000 or more orders", "which 3 markets".
    pub(super) fn number(&mut self, at: usize) -> usize {
        let next = self.after_noise(at + 1);
        match self.keyword_at(next) {
            Some(Keyword::Rank(direction)) => {
                if let Some(number) = self.count(at) {
                    self.take(at);
                    return self.rank(next, next + 1, direction, Some(number));
                }
                at + 1
            }
            Some(Keyword::OrThan(op)) => self.at_least(at, next, op),
            _ => at + 1,
        }
    }

    /// A whole number of rows.
    fn count(&self, at: usize) -> Option<u64> {
        let Some(Kind::Number(number)) = self.items.get(at).map(|item| &item.kind) else {
            return None;
        };
        let whole = number.value.fract() == 0.0 && (1.0..=1e6).contains(&number.value);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 1 to a million"
        )]
        (whole && !number.percent).then_some(number.value as u64)
    }

    /// The word of a rank at `at`, with everything that belongs to it from `next` on.
    pub(super) fn rank(
        &mut self,
        at: usize,
        next: usize,
        direction: Direction,
        number: Option<u64>,
    ) -> usize {
        let mut next = self.after_noise(next);
        if self.keyword_at(next) == Some(Keyword::First) {
            self.take(at);
            self.set_rank(at, next + 1, direction, None, None, None, true);
            return self.take(next);
        }
        let mut number = number;
        if let Some(said) = self.count(next) {
            if number.is_some() {
                return at + 1;
            }
            number = Some(said);
            self.take(next);
            next = self.after_noise(next + 1);
        }
        // "the best performing markets", "the 5 most important" leaves a word over.
        if let Some(Keyword::Rank(_)) = self.keyword_at(next) {
            return at + 1;
        }
        let asked = self.asked(at);
        if self.is_metric(next) && !(self.is_dimension(next) && asked.is_none()) {
            let metric = self.first_metric(next);
            let plural = asked.map(|(plural, _)| plural);
            if number.is_none() {
                number = asked.and_then(|(_, number)| number);
                self.take_asked_number(at);
            }
            self.take(at);
            self.set_rank(at, next + 1, direction, number, plural, metric, false);
            return next;
        }
        let is_unit = matches!(self.keyword_at(next), Some(Keyword::Unit(_)));
        if self.is_dimension(next) || is_unit || self.ends_a_name(next) {
            let plural = self.is_plural(next);
            self.group_at(next);
            self.take(at);
            self.set_rank(at, next + 1, direction, number, Some(plural), None, false);
            return next + 1;
        }
        let follows = self.setting.previous.is_some() || !self.draft.groups.is_empty();
        if number.is_some() && follows {
            self.take(at);
            self.set_rank(at, next, direction, number, None, None, false);
        }
        next.max(at + 1)
    }

    /// What is asked for before a rank: whether "which markets" is a plural, and its number.
    fn asked(&self, at: usize) -> Option<(bool, Option<u64>)> {
        let group = (0..at).rev().find(|&before| {
            (self.is_dimension(before) || matches!(self.keyword_at(before), Some(Keyword::Unit(_))))
                && self.is_used(before)
        })?;
        let by = group > 0 && self.before(group) == Some(Keyword::By);
        let number = group.checked_sub(1).and_then(|before| self.count(before));
        (!by).then(|| (self.is_plural(group), number))
    }

    /// The number of "which 3 markets" is part of the rank.
    fn take_asked_number(&mut self, at: usize) {
        let group = (0..at).rev().find(|&before| {
            self.is_dimension(before) || matches!(self.keyword_at(before), Some(Keyword::Unit(_)))
        });
        if let Some(number) = group.and_then(|group| group.checked_sub(1))
            && self.count(number).is_some()
        {
            self.take(number);
        }
    }

    fn first_metric(&self, at: usize) -> Option<String> {
        let named = self.items.get(at)?.named()?;
        named
            .names
            .metrics
            .first()
            .filter(|_| named.names.metrics.len() == 1)
            .cloned()
    }

    /// The metric at `at` is what is ranked by.
    pub(super) fn rank_by(&mut self, at: usize) -> usize {
        let metric = self.first_metric(at);
        if let (Some(rank), Some(metric)) = (&mut self.draft.rank, metric) {
            rank.what.by = Some(metric);
        }
        at
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one rank, given together only here"
    )]
    fn set_rank(
        &mut self,
        from: usize,
        to: usize,
        direction: Direction,
        number: Option<u64>,
        plural: Option<bool>,
        by: Option<String>,
        unlimited: bool,
    ) {
        let known = self.draft.rank.take().map(|rank| rank.what);
        let what = Rank {
            direction,
            number: number.or(known.as_ref().and_then(|rank| rank.number)),
            plural: plural.or(known.as_ref().and_then(|rank| rank.plural)),
            by: by.or(known.and_then(|rank| rank.by)),
            unlimited,
        };
        self.draft.rank = Some(self.said(from, to, what));
    }

    /// "ascending", alone: by the first metric.
    pub(super) fn order(&mut self, at: usize, direction: Direction) -> usize {
        if self.draft.rank.is_none() {
            self.set_rank(at, at + 1, direction, None, None, None, true);
            self.take(at);
        }
        at + 1
    }

    /// "sorted by gmv descending", "rank the markets by gmv".
    pub(super) fn sorted(&mut self, at: usize) -> usize {
        let next = self.after_noise(at + 1);
        if let Some(Keyword::Rank(direction)) = self.keyword_at(next) {
            // "sorted by highest gmv"
            if self.is_metric(self.after_noise(next + 1)) {
                self.take(at);
                self.take(next);
                let metric = self.first_metric(self.after_noise(next + 1));
                self.set_rank(at, next + 1, direction, None, None, metric, true);
                return next + 1;
            }
        }
        if !self.is_metric(next) && !self.is_dimension(next) {
            return at + 1;
        }
        let (metric, end) = if self.is_metric(next) {
            (self.first_metric(next), next + 1)
        } else {
            self.group_at(next);
            (None, next + 1)
        };
        let mut direction = Direction::Descending;
        let after = self.after_noise(end);
        if let Some(Keyword::Order(said)) = self.keyword_at(after) {
            direction = said;
            self.take(after);
        }
        self.take(at);
        self.set_rank(at, end, direction, None, None, metric, true);
        next
    }
}
