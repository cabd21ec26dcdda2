//! "share of gmv", "running total of orders", "7-day moving average": figures over the rows of the answer.

use super::RefusalCode;
use super::draft::{Draft, Rank, Said, Shown};
use super::reader::{Read, Reader, is_grain};
use super::refusing::refuse;
use super::resolve::Resolved;
use super::scan::Kind;
use super::vocabulary::{Figure, Keyword};
use crate::model::{self, GroupBy, MetricQuery, Presented};

impl Reader<'_> {
    /// The words of a figure, at `at`: of the metric behind them, or right before them.
    pub(super) fn figure(&mut self, at: usize, figure: Figure) -> usize {
        let behind = self.after_noise(at + 1);
        let before = (0..at)
            .rev()
            .find(|&before| !matches!(self.keyword_at(before), Some(Keyword::Noise | Keyword::Is)));
        let moving = (figure == Figure::Moving)
            .then(|| self.moving(at))
            .flatten();
        let of = if self.is_metric(behind) {
            Some(behind)
        } else {
            let first = moving.map_or(at, |(first, ..)| first);
            before
                .map(|before| before.min(first.saturating_sub(1)))
                .filter(|&before| first > 0 && self.is_metric(before))
        };
        // "gmv by market and its share"
        let last = self.item_words(at).last();
        let open = last.is_some_and(|word| ["of", "%"].contains(&word.folded.as_str()));
        let only = || match self.metrics.as_slice() {
            [only] if !open => Some(only.clone()),
            _ => None,
        };
        let Some(metric) = of.and_then(|of| self.only_metric(of)).or_else(only) else {
            return at + 1;
        };
        // "share of gmv and orders" is of both.
        let mut metrics = vec![metric];
        let mut last = of.filter(|of| *of == behind);
        while let Some(of) = last {
            let next = self.after_noise(of + 1);
            let joined = self.keyword_at(next) == Some(Keyword::And);
            let next = if joined {
                self.after_noise(next + 1)
            } else {
                next
            };
            last = Some(next).filter(|&next| joined || self.after_comma(next));
            match last.and_then(|next| self.only_metric(next)) {
                Some(metric) => metrics.push(metric),
                None => break,
            }
        }
        let (from, periods, unit) = match moving {
            Some((first, periods, unit)) => (first, Some(periods), unit),
            None => (at, None, None),
        };
        for metric in metrics {
            let shown = Shown {
                metric,
                figure,
                periods,
                unit,
            };
            let said = self.said(from, at + 1, shown);
            self.draft.figures.push(said);
        }
        for item in from..=at {
            self.take(item);
        }
        at + 1
    }

    fn only_metric(&self, at: usize) -> Option<String> {
        let names = &self.items.get(at)?.named()?.names;
        let only = names.metrics.first().filter(|_| names.metrics.len() == 1);
        only.cloned()
    }

    /// The "7-day" of "7-day moving average": where it begins, how many, and of what.
    fn moving(&self, at: usize) -> Option<(usize, u32, Option<model::Grain>)> {
        let last = at.checked_sub(1)?;
        let (first, unit) = match self.keyword_at(last) {
            Some(Keyword::Unit(grain)) => (last.checked_sub(1)?, Some(grain)),
            _ => (last, None),
        };
        let Some(Kind::Number(number)) = self.items.get(first).map(|item| &item.kind) else {
            return None;
        };
        let whole = number.value.fract() == 0.0 && (2.0..=1e4).contains(&number.value);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 2 to ten thousand"
        )]
        (whole && !number.percent).then_some((first, number.value as u32, unit))
    }

    /// The figures as said, where the answer has the rows for them.
    pub(super) fn apply_figures(
        &self,
        query: &mut MetricQuery,
        draft: &Draft,
        groups: &[(GroupBy, Said<()>)],
        conditions: &[Resolved],
    ) -> Read<()> {
        for said in &draft.figures {
            let what = match said.what.figure {
                Figure::Share => {
                    self.whole(said, query, groups, conditions)?;
                    Presented::Share
                }
                Figure::Running => {
                    self.over_periods(said, query)?;
                    Presented::Running
                }
                Figure::Moving => Presented::Moving(self.periods(said, query)?),
            };
            let shown = model::Shown {
                metric: said.what.metric.clone(),
                what,
            };
            if !query.show.contains(&shown) {
                query.show.push(shown);
            }
        }
        Ok(())
    }

    /// A share is of all that the conditions leave, so a condition that cuts out the very part that is meant makes it 100%.
    fn whole(
        &self,
        said: &Said<Shown>,
        query: &MetricQuery,
        groups: &[(GroupBy, Said<()>)],
        conditions: &[Resolved],
    ) -> Read<()> {
        let metric = &said.what.metric;
        let split = query.group_by.iter().flatten();
        let split = split.filter(|group| !is_grain(group));
        let split: Vec<String> = split.map(ToString::to_string).collect();
        let first = groups.iter().map(|(_, group)| group.range.start).min();
        let part = conditions.iter().find(|condition| {
            let at = condition.said.range.start;
            let inside = at > said.range.start && first.is_none_or(|first| at < first);
            inside || split.contains(&condition.field)
        });
        if let Some(part) = part {
            let words = self.text(&part.said.range);
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!(
                    "'{}': a condition holds for the whole as well as for the part, so this is no share of '{words}' in all {metric}",
                    self.text(&said.range)
                ),
                Some(format!(
                    "for the part that each {0} has of the whole: share of {metric} by {0}",
                    part.field
                )),
                vec![
                    (self.text(&said.range), said.range.clone()),
                    (words, part.said.range.clone()),
                ],
            ));
        }
        if split.is_empty() && query.group_by.as_ref().is_none_or(Vec::is_empty) {
            let words = self.text(&said.range);
            return Err(refuse(
                RefusalCode::NotAnswerable,
                format!("'{words}' does not say what the whole is split by"),
                Some(format!("for instance: share of {metric} by market")),
                vec![(words, said.range.clone())],
            ));
        }
        Ok(())
    }

    fn over_periods(&self, said: &Said<Shown>, query: &MetricQuery) -> Read<()> {
        if query.group_by.iter().flatten().any(is_grain) {
            return Ok(());
        }
        let words = self.text(&said.range);
        Err(refuse(
            RefusalCode::NotAnswerable,
            format!("'{words}' goes from period to period, and none is said"),
            Some(format!(
                "for instance: {words} {} by month",
                said.what.metric
            )),
            vec![(words.clone(), said.range.clone())],
        ))
    }

    /// How many periods a moving mean is over; its unit is what the answer is grouped by.
    fn periods(&self, said: &Said<Shown>, query: &mut MetricQuery) -> Read<u32> {
        let words = self.text(&said.range);
        let cannot = |message: String, hint: String| {
            let place = vec![(words.clone(), said.range.clone())];
            Err(refuse(
                RefusalCode::NotAnswerable,
                message,
                Some(hint),
                place,
            ))
        };
        let metric = &said.what.metric;
        let Some(periods) = said.what.periods else {
            return cannot(
                format!("'{words}' does not say over how many periods"),
                format!("for instance: 7-day moving average of {metric}"),
            );
        };
        let mut grains = query
            .group_by
            .iter()
            .flatten()
            .filter_map(|group| match group {
                GroupBy::Grain { grain, of: None } => Some(*grain),
                _ => None,
            });
        match (grains.next(), said.what.unit) {
            (None, Some(grain)) => query
                .group_by
                .get_or_insert_default()
                .push(GroupBy::Grain { grain, of: None }),
            (None, None) => self.over_periods(said, query)?,
            (Some(grain), Some(unit)) if grain != unit => {
                return cannot(
                    format!("'{words}' is over {unit}s, and the answer is by {grain}"),
                    format!("{metric} by {unit}, or a moving average of {grain}s"),
                );
            }
            _ => {}
        }
        Ok(periods)
    }

    /// The groupings that have a ranking each, where what is ranked is one of several.
    pub(super) fn each(
        &self,
        rank: &Said<Rank>,
        groups: &[(GroupBy, Said<()>)],
        draft: &Draft,
    ) -> Vec<GroupBy> {
        if rank.what.unlimited {
            return Vec::new();
        }
        let is_ranked = |said: &Said<()>| match &rank.what.ranked {
            Some(range) => *range == said.range,
            None => !draft.each.contains(&said.range),
        };
        let others = groups.iter().filter(|(_, said)| !is_ranked(said));
        if others
            .clone()
            .all(|(_, said)| draft.each.contains(&said.range))
            && groups.iter().any(|(_, said)| is_ranked(said))
        {
            return others.map(|(group, _)| group.clone()).collect();
        }
        Vec::new()
    }
}
