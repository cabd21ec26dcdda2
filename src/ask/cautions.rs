//! What reads well and would answer something else: refused, or said in a note.

use std::ops::Range;

use super::RefusalCode;
use super::draft::Draft;
use super::reader::{Read, Reader};
use super::refusing::refuse;
use super::resolve::Resolved;
use super::vocabulary::Keyword;
use crate::model::{Grain, GroupBy, MetricQuery, TimeRange};

impl Reader<'_> {
    /// Conditions on a metric hold for its value, so beside words of change they would mean something else.
    pub(super) fn fits(&self, query: &MetricQuery, draft: &Draft) -> Read<()> {
        let (Some(threshold), Some(growth)) = (draft.thresholds.first(), &draft.growth) else {
            return Ok(());
        };
        let words = vec![
            (self.text(growth), growth.clone()),
            (self.text(&threshold.range), threshold.range.clone()),
        ];
        let metric = query.metrics.first().map_or("it", String::as_str);
        Err(refuse(
            RefusalCode::NotAnswerable,
            format!(
                "{}: conditions hold for a metric, not for its change",
                super::refusing::quoted(&words)
            ),
            Some(format!(
                "ask for {metric} ranked by its growth, and look at the first rows"
            )),
            words,
        ))
    }

    /// Every metric has the conditions of the whole question: "gmv in TH with orders in ID" means something else.
    pub(super) fn crossed(&self, draft: &Draft, conditions: &[Resolved]) -> Read<()> {
        let mut metrics: Vec<&Range<usize>> =
            draft.metrics.iter().map(|said| &said.range).collect();
        metrics.sort_by_key(|range| range.start);
        let [first, .., last] = metrics.as_slice() else {
            return Ok(());
        };
        let range = |condition: &Resolved| condition.said.range.clone();
        let between = conditions
            .iter()
            .find(|one| range(one).start >= first.end && range(one).end <= last.start);
        let after = conditions.iter().find(|one| range(one).start >= last.end);
        let (Some(one), Some(other)) = (between, after) else {
            return Ok(());
        };
        if one.filter == other.filter {
            return Ok(());
        }
        let words = vec![
            (self.text(&range(one)), range(one)),
            (self.text(&range(other)), range(other)),
        ];
        Err(refuse(
            RefusalCode::NotAnswerable,
            format!(
                "{}: one condition for each metric, where an answer has the same for all",
                super::refusing::quoted(&words)
            ),
            Some("ask for one metric at a time".to_owned()),
            words,
        ))
    }

    /// A follow-up that leaves everything as it was is no new answer.
    pub(super) fn changes_nothing(&self) -> Box<super::Understanding> {
        let words = self.question.trim().to_owned();
        refuse(
            RefusalCode::NotAnswerable,
            format!("'{words}' changes nothing in the question before"),
            Some("say it as a question of its own".to_owned()),
            vec![(words, 0..self.question.len())],
        )
    }

    /// "the previous month" after a question about a month: the last one, or the one before that?
    pub(super) fn same_previous(
        &self,
        said: &Range<usize>,
        previous: Option<&MetricQuery>,
        meant: TimeRange,
    ) -> Read<()> {
        let Some(time) = previous.and_then(|previous| previous.time) else {
            return Ok(());
        };
        let words = self.text(said);
        let lower = words.to_lowercase();
        let relative = ["previous", "prior", "preceding", "before"];
        let is_relative = lower
            .split_whitespace()
            .any(|word| relative.contains(&word));
        let (TimeRange::Last(1, grain), true) = (meant, is_relative) else {
            return Ok(());
        };
        Err(refuse(
            RefusalCode::NotAnswerable,
            format!("'{words}' may be last {grain}, or the {grain} before {time}"),
            Some(format!("say: last {grain}, or name it")),
            vec![(words, said.clone())],
        ))
    }

    /// What an answer does not show by itself.
    pub(super) fn cautions(&self, query: &MetricQuery, draft: &Draft, notes: &mut Vec<String>) {
        if !draft.thresholds.is_empty() && query.compare.is_some() {
            notes.push("the condition is on the value, not on its change".to_owned());
        }
        if let Some(dimension) = self.counted(query) {
            notes.push(format!(
                "one row for each {dimension}; how many there are is the number of rows"
            ));
        }
        let grains = query
            .group_by
            .iter()
            .flatten()
            .filter_map(|group| match group {
                GroupBy::Grain { grain, of: None } => Some(*grain),
                _ => None,
            });
        let Some(grain) = grains.min() else {
            return;
        };
        let registry = self.setting.registry;
        let metrics = query
            .metrics
            .iter()
            .filter_map(|name| registry.metric(name));
        for metric in metrics {
            let unit = match metric.window {
                Some(TimeRange::Last(_, unit) | TimeRange::Rolling(_, unit)) => unit,
                _ => Grain::Year,
            };
            if query.time.is_none()
                && unit < grain
                && let Some(window) = metric.window
            {
                notes.push(format!(
                    "{} is over its own window, {window}: the first and the last {grain} are cut",
                    metric.name
                ));
            }
            let own = metric.grain.iter().find_map(|group| match group {
                GroupBy::Grain { grain, of: None } => Some(*grain),
                _ => None,
            });
            if let Some(own) = own.filter(|own| *own > Grain::Day && grain < *own) {
                notes.push(format!(
                    "{} is by {own} by its own definition; here by {grain}",
                    metric.name
                ));
            }
        }
    }

    /// The dimension of "how many markets had orders over 100", which is answered with its rows.
    fn counted(&self, query: &MetricQuery) -> Option<String> {
        let groups = query.group_by.as_ref()?;
        let counts = |at: usize| {
            let words: Vec<&str> = self
                .item_words(at)
                .iter()
                .map(|word| word.folded.as_str())
                .collect();
            let words = words.join(" ");
            self.keyword_at(at) == Some(Keyword::Noise)
                && ["number of", "how many", "count of"]
                    .iter()
                    .any(|count| words.contains(count))
        };
        let at = (0..self.items.len()).find(|&at| counts(at))?;
        let next = self.after_noise(at + 1);
        let is_counted = !self.is_metric(next) && self.is_dimension(next);
        let names = self.dimension_names(next);
        let group = groups.iter().find_map(|group| match group {
            GroupBy::Dimension(name) if names.contains(name) => Some(name.clone()),
            _ => None,
        });
        group.filter(|_| is_counted)
    }
}
