//! Counting uses: how many, by whom, on which days, how they went and how long they took.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use crate::model::{counted, thousands};

/// Examples that are kept of one thing.
const EXAMPLES: usize = 3;

/// Buckets of a doubling of time: a median is known to a tenth.
const PER_DOUBLING: f64 = 4.0;

/// The z of an interval that holds 95 of 100.
const Z: f64 = 1.96;

/// How long things took: counts by length, each bucket a fixed share longer than the one before.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times(Vec<u64>);

impl Times {
    /// Adds one of so many milliseconds.
    pub fn add(&mut self, ms: u64) {
        let bucket = ((ms as f64 + 1.0).log2() * PER_DOUBLING) as usize;
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        if let Some(count) = self.0.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count += more;
        }
    }

    /// The length in milliseconds that this share is not above; 0.5 is the median. Nothing where nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        let rank = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(((bucket as f64 + 0.5) / PER_DOUBLING).exp2() - 1.0)
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What is counted of one thing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// How often it was used.
    pub uses: u64,
    /// How many of these were answered, and not taken back.
    pub succeeded: u64,
    /// The days of use.
    pub days: BTreeSet<Date>,
    /// The people, by number.
    pub people: BTreeSet<u32>,
    /// How long answered ones took.
    pub times: Times,
    /// A few of its texts.
    pub examples: Vec<String>,
}

impl Tally {
    /// Counts one use.
    pub fn add(&mut self, day: Date, person: Option<u32>, succeeded: bool, ms: u64) {
        self.uses += 1;
        self.days.insert(day);
        self.people.extend(person);
        if succeeded {
            self.succeeded += 1;
            self.times.add(ms);
        }
    }

    /// Whether there is room for another example.
    pub fn wants_examples(&self) -> bool {
        self.examples.len() < EXAMPLES
    }

    /// Keeps a text as an example, where there is room for one that is not there yet.
    pub fn say(&mut self, example: &str) {
        let is_new = !example.is_empty() && self.examples.iter().all(|known| known != example);
        if self.wants_examples() && is_new {
            self.examples.push(example.to_owned());
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.uses += other.uses;
        self.succeeded += other.succeeded;
        self.days.extend(&other.days);
        self.people.extend(&other.people);
        self.times.merge(&other.times);
        other.examples.iter().for_each(|example| self.say(example));
    }

    /// The share of uses that succeeded.
    pub fn success(&self) -> f64 {
        self.succeeded as f64 / (self.uses.max(1)) as f64
    }

    /// What there is to say for it.
    pub fn evidence(&self) -> Evidence {
        Evidence {
            uses: self.uses,
            succeeded: self.succeeded,
            days: self.days.len(),
            people: self.people.len(),
            first: self.days.first().copied(),
            last: self.days.last().copied(),
            median_ms: self.times.quantile(0.5).map(f64::round),
            examples: self.examples.clone(),
        }
    }
}

/// What there is to say for a proposal.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// How often it was used.
    pub uses: u64,
    /// How many of these were answered, and not taken back.
    pub succeeded: u64,
    /// On how many days.
    pub days: usize,
    /// By how many people.
    pub people: usize,
    /// The first day.
    pub first: Option<Date>,
    /// The last day.
    pub last: Option<Date>,
    /// The median time of answered ones, in milliseconds.
    pub median_ms: Option<f64>,
    /// A few of its texts.
    pub examples: Vec<String>,
}

impl Evidence {
    /// The share that succeeded.
    pub fn success(&self) -> f64 {
        self.succeeded as f64 / (self.uses.max(1)) as f64
    }

    /// How sure one can be: the lower end of Wilson's interval of the share that succeeded, at 95 %.
    pub fn confidence(&self) -> f64 {
        wilson(self.succeeded, self.uses).0
    }

    /// The figures as a sentence: `14 uses on 6 days by 5 people, 93 % succeeded`.
    pub fn words(&self) -> String {
        format!(
            "{} on {} by {}, {:.0} % succeeded",
            uses(self.uses),
            counted(self.days as u64, "day"),
            people(self.people),
            self.success() * 100.0
        )
    }
}

/// `1 use`, `1,204 uses`.
pub(super) fn uses(count: u64) -> String {
    counted(count, "use")
}

/// `1 person`, `20 people`; none where a log does not say who asked.
pub(super) fn people(count: usize) -> String {
    match count {
        0 => "nobody known".to_owned(),
        1 => "1 person".to_owned(),
        many => format!("{} people", thousands(many as u64)),
    }
}

/// Wilson's interval of a share, at 95 %: what the true share may be after `hits` of `all`.
pub fn wilson(hits: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let n = all as f64;
    let share = hits as f64 / n;
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (
        ((middle - spread) / whole).max(0.0),
        ((middle + spread) / whole).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_median_is_known_to_a_tenth() {
        let mut times = Times::default();
        (1..=999).for_each(|ms| times.add(ms));
        let median = times.quantile(0.5).unwrap();
        assert!((450.0..550.0).contains(&median), "{median}");
        assert_eq!(Times::default().quantile(0.5), None);
    }

    #[test]
    fn wilson_is_careful_with_few() {
        let (low, high) = wilson(10, 10);
        assert!(
            (low - 0.7225).abs() < 0.001 && (high - 1.0).abs() < 1e-9,
            "{low} {high}"
        );
        let (low, high) = wilson(8, 10);
        assert!(
            (low - 0.4902).abs() < 0.001 && (high - 0.9433).abs() < 0.001,
            "{low} {high}"
        );
    }
}
