//! What is used most, and what is used much more or much less than before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::gather::LATELY;
use super::{Month, Part, Tally};

/// Metrics in the ranking.
const MOST: usize = 10;

/// How many times as often as before is a trend.
const TREND: f64 = 2.0;

/// A metric by its uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Popular {
    /// The metric.
    pub metric: String,
    /// Its uses in the month.
    pub uses: u64,
    /// By how many people.
    pub people: usize,
}

/// A metric that is used more, or less, than before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// The metric.
    pub metric: String,
    /// Uses per day in the last week.
    pub lately: f64,
    /// Uses per day in the days before.
    pub before: f64,
}

impl Month<'_> {
    /// The metrics that are used most, and those whose use has at least doubled or halved in the last week.
    pub fn popularity(&self) -> (Vec<Popular>, Vec<Trend>) {
        let mut metrics: BTreeMap<&str, (Tally, [Part; 2])> = BTreeMap::new();
        for shape in &self.gathered.shapes {
            for metric in &shape.facts.metrics {
                let (tally, parts) = metrics.entry(metric).or_default();
                tally.merge(&shape.tally);
                for (part, more) in parts.iter_mut().zip(&shape.parts) {
                    part.merge(more);
                }
            }
        }
        let mut popular: Vec<Popular> = metrics
            .iter()
            .map(|(metric, (tally, _))| Popular {
                metric: (*metric).to_owned(),
                uses: tally.uses,
                people: tally.people.len(),
            })
            .collect();
        popular.sort_by(|one, other| {
            let by_uses = other.uses.cmp(&one.uses);
            by_uses.then_with(|| one.metric.cmp(&other.metric))
        });
        popular.truncate(MOST);
        let late_days = f64::from(LATELY);
        let early_days = (self.rules.days as f64 - late_days).max(1.0);
        // A log that does not reach back to the beginning of the month has no days to compare with.
        let has_before = self.log_since.is_some_and(|since| {
            let days = self.today.since(since).map(|span| span.get_days());
            days.is_ok_and(|days| {
                i64::from(days) >= i64::try_from(self.rules.days).unwrap_or(0) - 1
            })
        });
        let trends = metrics.iter().filter(|_| has_before);
        let trends = trends.filter(|(_, (tally, _))| tally.uses >= self.rules.uses);
        let mut trends: Vec<Trend> = trends
            .map(|(metric, (_, [late, early]))| Trend {
                metric: (*metric).to_owned(),
                lately: late.uses as f64 / late_days,
                before: early.uses as f64 / early_days,
            })
            .filter(|one| one.lately >= TREND * one.before || one.before >= TREND * one.lately)
            .collect();
        let size = |one: &Trend| ((one.lately + 0.1) / (one.before + 0.1)).ln().abs();
        trends.sort_by(|one, other| size(other).total_cmp(&size(one)));
        trends.truncate(MOST);
        (popular, trends)
    }
}
