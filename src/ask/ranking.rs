//! "top 5 channels by ads revenue", "which market has the lowest churn", "sorted by gmv": order and limit.

use super::RefusalCode;
use super::draft::{Draft, Group, Rank, Said};
use super::reader::{Read, Reader};
use super::refusing::refuse;
use super::scan::Kind;
use super::vocabulary::Keyword;
use crate::model::{Direction, GroupBy, MetricQuery, OrderBy};

/// Rows of "top channels" where no number is said.
const TOP: u64 = 10;

impl Reader<'_> {
    /// A number: "3 best markets", "1000 or more orders", "which 3 markets".
    pub(super) fn number(&mut self, at: usize) -> Read<usize> {
        let next = self.after_noise(at + 1);
        match self.keyword_at(next) {
            Some(Keyword::Rank(direction)) => {
                if let Some(number) = self.count(at) {
                    self.take(at);
                    return Ok(self.rank(next, next + 1, direction, Some(number)));
                }
                Ok(at + 1)
            }
            Some(Keyword::OrThan(op)) => self.at_least(at, next, op),
            _ => Ok(at + 1),
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
        // "the biggest increase in gmv"
        let metric_at = match self.keyword_at(next) {
            Some(Keyword::Growth) => self.after_noise(next + 1),
            _ => next,
        };
        if self.is_metric(metric_at) && !(self.is_dimension(metric_at) && asked.is_none()) {
            let metric = self.first_metric(metric_at);
            // "the highest aov channel"
            let behind = self.after_noise(metric_at + 1);
            let named = self.is_dimension(behind) || self.is_period(behind);
            let named = named.then(|| self.is_plural(behind));
            let plural = asked.map(|(plural, _)| plural).or(named);
            if number.is_none() {
                number = asked.and_then(|(_, number)| number);
                self.take_asked_number(at);
            }
            self.take(at);
            self.set_rank(at, metric_at + 1, direction, number, plural, metric, false);
            return next;
        }
        if self.is_dimension(next) || self.is_period(next) || self.ends_a_name(next) {
            let plural = self.is_plural(next);
            self.group_at(next);
            self.take(at);
            self.set_rank(at, next + 1, direction, number, Some(plural), None, false);
            let ranked = self.items.get(next).map(|item| item.range.clone());
            if let Some(rank) = &mut self.draft.rank {
                rank.what.ranked = ranked;
            }
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
            (self.is_dimension(before) || self.is_period(before)) && self.is_used(before)
        })?;
        let by = group > 0 && self.before(group) == Some(Keyword::By);
        let number = group.checked_sub(1).and_then(|before| self.count(before));
        (!by).then(|| (self.is_plural(group), number))
    }

    /// The number of "which 3 markets" is part of the rank.
    fn take_asked_number(&mut self, at: usize) {
        let group = (0..at)
            .rev()
            .find(|&before| self.is_dimension(before) || self.is_period(before));
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
        let known = self.draft.rank.take();
        if let Some(known) = &known
            && is_other(
                &known.what,
                direction,
                number,
                plural,
                by.as_deref(),
                unlimited,
            )
        {
            let items = self.items.get(from..to).unwrap_or_default();
            let second = super::reader::span(items);
            self.draft.other_rank =
                Some(known.range.start.min(second.start)..known.range.end.max(second.end));
        }
        let known = known.map(|rank| rank.what);
        let limited = known.as_ref().is_some_and(|rank| !rank.unlimited);
        let what = Rank {
            direction,
            number: number.or(known.as_ref().and_then(|rank| rank.number)),
            plural: plural.or(known.as_ref().and_then(|rank| rank.plural)),
            column: known.as_ref().and_then(|rank| rank.column.clone()),
            ranked: known.as_ref().and_then(|rank| rank.ranked.clone()),
            by: by.or(known.and_then(|rank| rank.by)),
            unlimited: unlimited && !limited,
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
        // "rank the markets" says what is ranked, "sorted by market" by what.
        let by = self.item_words(at).last();
        let by = by.is_some_and(|word| ["by", "on", "to", "of"].contains(&word.folded.as_str()));
        let mut column = None;
        let metric = if self.is_metric(next) {
            self.first_metric(next)
        } else if by {
            let group = Group::Dimension(self.dimension_names(next), self.stems(next));
            column = Some(self.said(next, next + 1, group));
            self.take(next);
            None
        } else {
            self.group_at(next);
            None
        };
        let end = next + 1;
        let mut direction = if column.is_some() {
            Direction::Ascending
        } else {
            Direction::Descending
        };
        let after = self.after_noise(end);
        if let Some(Keyword::Order(said)) = self.keyword_at(after) {
            direction = said;
            self.take(after);
        }
        self.take(at);
        self.set_rank(at, end, direction, None, None, metric, true);
        if let (Some(rank), Some(column)) = (&mut self.draft.rank, column) {
            rank.what.column = Some(column);
        }
        next
    }
}

impl Reader<'_> {
    /// Order and limit as said: by a column, by a metric, or by its change.
    pub(super) fn apply_rank(
        &self,
        query: &mut MetricQuery,
        said: &Said<Rank>,
        column: Option<GroupBy>,
        each: Vec<GroupBy>,
        draft: &Draft,
        notes: &mut Vec<String>,
    ) -> Read<()> {
        let rank = &said.what;
        let words = self.text(&said.range);
        let cannot = |message: String, hint: &str| {
            let place = vec![(words.clone(), said.range.clone())];
            refuse(
                RefusalCode::NotAnswerable,
                message,
                Some(hint.to_owned()),
                place,
            )
        };
        let groups = query.group_by.clone().unwrap_or_default();
        if groups.is_empty() {
            return Err(refuse(
                RefusalCode::UnknownWords,
                format!("'{words}' does not say what is to be ranked"),
                Some("name a dimension, such as: top 5 markets by gmv".to_owned()),
                vec![(words.clone(), said.range.clone())],
            ));
        }
        if let Some(range) = &draft.other_rank {
            let words = self.text(range);
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("'{words}' ranks twice"),
                Some("one ranking at a time".to_owned()),
                vec![(words, range.clone())],
            ));
        }
        if !rank.unlimited && rank.plural.is_some() && groups.len() > 1 && each.is_empty() {
            let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
            return Err(cannot(
                format!(
                    "'{words}' would rank the rows of {}, not one of them within the others",
                    names.join(" and ")
                ),
                "for a ranking within each of them, say 'per', such as: top 3 channels by gmv per market; 'sorted by gmv' is for all rows",
            ));
        }
        let mut direction = rank.direction;
        let column = match column {
            Some(column) if groups.contains(&column) => column.to_string(),
            Some(column) => {
                return Err(cannot(
                    format!("the answer has no column {column} to sort by"),
                    "sort by a metric, or by what it is grouped by",
                ));
            }
            None => {
                let metric = match &rank.by {
                    Some(metric) => metric.clone(),
                    None => query.metrics.first().cloned().unwrap_or_default(),
                };
                if !query.metrics.contains(&metric) {
                    query.metrics.push(metric.clone());
                }
                match &draft.growth {
                    None => metric,
                    Some(growth)
                        if query.compare.is_some() && self.is_beside(draft, &metric, growth) =>
                    {
                        let words = self.text(growth).to_lowercase();
                        let falls = ["decrease", "decline", "drop", "fall"];
                        if falls.iter().any(|word| words.contains(word)) {
                            if direction == Direction::Ascending {
                                return Err(cannot(
                                    format!("'{words}' from the smallest on is no clear order"),
                                    "say: lowest growth, or biggest growth",
                                ));
                            }
                            direction = Direction::Ascending;
                        }
                        let share = ["growth", "grow", "grew", "percent"];
                        let is_share = share.iter().any(|word| words.contains(word));
                        notes.push(if is_share {
                            "ranked by the change in percent".to_owned()
                        } else {
                            "ranked by the change, not in percent".to_owned()
                        });
                        format!("{metric}_change{}", if is_share { "_pct" } else { "" })
                    }
                    Some(_) => {
                        return Err(cannot(
                            format!("'{words}': by {metric}, or by how it changed?"),
                            "say for instance: markets ranked by gmv growth last month vs the month before",
                        ));
                    }
                }
            }
        };
        query.order = vec![OrderBy { column, direction }];
        // What has a ranking each stands first: by market, channel top 3 by gmv per market.
        if let Some(groups) = &mut query.group_by {
            groups.sort_by_key(|group| !each.contains(group));
        }
        query.limit_per = each;
        query.limit = if rank.unlimited {
            None
        } else {
            let default = if rank.plural == Some(false) { 1 } else { TOP };
            if rank.number.is_none() && default == TOP {
                notes.push(format!("the first {TOP}, no number being said"));
            }
            Some(rank.number.unwrap_or(default))
        };
        query.others = draft.others.is_some();
        if let Some(range) = draft.others.as_ref().filter(|_| rank.unlimited) {
            let words = self.text(range);
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!(
                    "'{words}' is what lies beyond the first rows, and no number of rows is said"
                ),
                Some("for instance: top 5 markets by gmv with others".to_owned()),
                vec![(words, range.clone())],
            ));
        }
        let first = words.to_lowercase();
        let judges = ["best", "worst", "strong", "weak", "perform"]
            .iter()
            .any(|word| first.contains(word));
        if direction == Direction::Ascending && !rank.unlimited {
            notes.push("lowest first".to_owned());
        } else if judges && !rank.unlimited {
            notes.push("highest first".to_owned());
        }
        Ok(())
    }

    /// Whether the words of a change stand beside a metric: "gmv growth", "growth of gmv".
    fn is_beside(&self, draft: &Draft, metric: &str, growth: &std::ops::Range<usize>) -> bool {
        let at = |start: usize| self.items.iter().position(|item| item.range.start == start);
        let said = draft.metrics.iter().find(|said| said.what == metric);
        let (Some(metric), Some(growth)) =
            (said.and_then(|said| at(said.range.start)), at(growth.start))
        else {
            return false;
        };
        self.after_noise(metric + 1) == growth || self.after_noise(growth + 1) == metric
    }
}

/// Whether what is said of a rank belongs to another one than `known`: "the best channel in the worst market".
fn is_other(
    known: &Rank,
    direction: Direction,
    number: Option<u64>,
    plural: Option<bool>,
    by: Option<&str>,
    unlimited: bool,
) -> bool {
    let turned = known.direction != direction && !(known.unlimited && unlimited);
    let numbers = known.number.is_some() && number.is_some();
    let metrics = matches!((known.by.as_deref(), by), (Some(one), Some(other)) if one != other);
    let members = plural.is_some() && known.plural.is_some() && known.by.is_none() && by.is_none();
    turned || numbers || metrics || members && !unlimited
}
