//! What the numbers of a metric must be: tests that stand with its definition.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Grain, MetricQuery, Place};

/// How far two numbers that count as equal may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Tolerance {
    /// So much.
    Absolute(f64),
    /// So many percent of the expected number.
    Percent(f64),
}

/// What different engines make of the same sum.
const ROUNDING: f64 = 1e-9;

impl Default for Tolerance {
    fn default() -> Self {
        Self::Absolute(0.0)
    }
}

impl Tolerance {
    /// Whether a number is near enough to the expected one; what engines round differently is.
    pub fn allows(self, expected: f64, found: f64) -> bool {
        let distance = match self {
            Self::Absolute(distance) => distance,
            Self::Percent(percent) => expected.abs() * percent / 100.0,
        };
        let rounding = ROUNDING * expected.abs().max(found.abs());
        (expected - found).abs() <= distance + rounding
    }
}

impl fmt::Display for Tolerance {
    /// As it is written: `0.01`, `0.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(distance) => write!(f, "{distance}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// What must be so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expectation {
    /// The query has one row, with this number.
    Equals {
        /// The number.
        value: f64,
        /// How far off it may be.
        tolerance: Tolerance,
    },
    /// No number lies outside; at least one end is given.
    Range {
        /// The smallest number allowed.
        low: Option<f64>,
        /// The largest number allowed.
        high: Option<f64>,
    },
    /// Every number is greater than 0.
    Positive,
    /// Every row has a number.
    NotNull,
    /// The rows add up to those of another query.
    SumsTo {
        /// The other query; its first metric counts.
        query: Box<MetricQuery>,
        /// How far off it may be.
        tolerance: Tolerance,
    },
    /// There is a number that is dated at most so long ago.
    FreshWithin(u32, Grain),
}

/// A test of a metric: a query over it, and what must be so of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricTest {
    /// Name for people.
    pub name: Option<String>,
    /// Where it is declared.
    pub place: Place,
    /// The query; its one metric is the one that is tested, and it says what it groups by.
    pub query: MetricQuery,
    /// What must be so; at least one thing.
    pub expected: Vec<Expectation>,
}

impl MetricTest {
    /// What the query says after the metric, as it is written in a definition.
    pub fn tail(&self) -> String {
        let head = MetricQuery {
            metrics: self.query.metrics.clone(),
            ..MetricQuery::default()
        };
        let groups = self.query.group_by.clone();
        let whole = MetricQuery {
            group_by: groups.filter(|groups| !groups.is_empty()),
            ..self.query.clone()
        };
        let (head, whole) = (head.to_string(), whole.to_string());
        let tail = whole.strip_prefix(&head).unwrap_or(&whole);
        tail.trim_start().to_owned()
    }

    /// Its name; otherwise what it says.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let expected = self.expected.iter().map(ToString::to_string);
            let expected: Vec<_> = expected.collect();
            format!("{} {}", self.query, expected.join(", "))
        })
    }
}

impl fmt::Display for Expectation {
    /// In words, to stand after the query: `is 5 (± 0.5%)`, `is at least 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |tolerance: &Tolerance| match *tolerance {
            Tolerance::Absolute(0.0) => String::new(),
            tolerance => format!(" (± {tolerance})"),
        };
        match self {
            Self::Equals { value, tolerance } => write!(f, "is {value}{}", within(tolerance)),
            Self::Range {
                low: Some(low),
                high: Some(high),
            } => write!(f, "is between {low} and {high}"),
            Self::Range { low: Some(low), .. } => write!(f, "is at least {low}"),
            Self::Range {
                high: Some(high), ..
            } => write!(f, "is at most {high}"),
            Self::Range { .. } => f.write_str("is any number"),
            Self::Positive => f.write_str("is positive"),
            Self::NotNull => f.write_str("is never empty"),
            Self::SumsTo { query, tolerance } => {
                write!(f, "adds up to {query}{}", within(tolerance))
            }
            Self::FreshWithin(count, grain) => {
                let plural = if *count == 1 { "" } else { "s" };
                write!(f, "is at most {count} {grain}{plural} old")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_may_round_and_nothing_else() {
        let exact = Tolerance::default();
        assert!(exact.allows(1_000.0, 1_000.0 + 1e-7));
        assert!(!exact.allows(1_000.0, 1_000.01));
        assert!(exact.allows(0.0, 0.0) && !exact.allows(0.0, 1e-12));
        assert!(Tolerance::Absolute(0.01).allows(5.0, 5.01));
        assert!(!Tolerance::Absolute(0.01).allows(5.0, 5.011));
        assert!(Tolerance::Percent(0.5).allows(-200.0, -201.0));
        assert!(!Tolerance::Percent(0.5).allows(-200.0, -201.1));
        assert!(!exact.allows(1.0, f64::NAN));
    }
}
