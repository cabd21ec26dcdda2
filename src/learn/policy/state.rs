//! What a policy knows of a query before it runs, as numbers between about -1 and 1.

use serde::{Deserialize, Serialize};

use super::heads::{Arms, Mask};
use super::rule;

/// What is known of a query before it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Metrics asked for.
    pub metrics: usize,
    /// Groupings.
    pub group_by: usize,
    /// Dimensions filtered by.
    pub filters: usize,
    /// Tables read.
    pub tables: usize,
    /// Joins made.
    pub joins: usize,
    /// The finest grain in days, where time is grouped by.
    pub grain_days: Option<f64>,
    /// Days of the time range.
    pub days: f64,
    /// Whether it is compared with another time.
    pub compares: bool,
    /// Whether it was asked in words.
    pub in_words: bool,
    /// How often its pattern was asked.
    pub pattern_uses: u64,
    /// The share of these that succeeded; where there are none, not known.
    pub pattern_success: Option<f64>,
    /// The median of their milliseconds.
    pub pattern_ms: Option<f64>,
    /// How well the best skill matches, from 0 to 1; 0 where there is none.
    pub skill_match: f64,
    /// The hour of the day.
    pub hour: u8,
    /// Whether it is Saturday or Sunday.
    pub is_weekend: bool,
    /// Queries this user has run.
    pub user_queries: u64,
}

/// The number of features.
pub const WIDTH: usize = 16;

/// The numbers of a query.
pub type Features = [f64; WIDTH];

/// Logarithm of a count, 1 at `most`.
fn scale(count: f64, most: f64) -> f64 {
    (count.max(0.0).ln_1p() / most.ln_1p()).min(1.0)
}

impl State {
    /// The features: counts over what is usual, logarithms of what has a long tail. Three decimals are enough, and short in a log.
    pub fn features(&self) -> Features {
        let few = |count: usize| (count as f64 / 4.0).min(1.0);
        let yes = |is: bool| f64::from(u8::from(is));
        let is_busy = (9..18).contains(&self.hour) && !self.is_weekend;
        let features = [
            1.0,
            few(self.metrics),
            few(self.group_by),
            few(self.filters),
            few(self.tables),
            few(self.joins),
            // A day is 1, a year 0, as is no grain at all.
            self.grain_days
                .map_or(0.0, |days| 1.0 - scale(days - 1.0, 365.0)),
            scale(self.days, 3650.0),
            yes(self.compares),
            yes(self.in_words),
            scale(self.pattern_uses as f64, 1000.0),
            self.pattern_success.map_or(0.0, |share| 2.0 * share - 1.0),
            // A second is 0, a minute 1.
            self.pattern_ms
                .map_or(0.0, |ms| (ms.max(10.0) / 1000.0).ln() / 60f64.ln()),
            self.skill_match,
            yes(is_busy),
            scale(self.user_queries as f64, 1000.0),
        ];
        features.map(|feature: f64| (1000.0 * feature).round() / 1000.0)
    }
}

/// A query that is to be decided about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// What is known of it.
    pub features: Features,
    /// The arms there are.
    pub mask: Mask,
    /// What the hand rule takes.
    pub rule: Arms,
}

impl Context {
    /// A query with the arms that there are for it.
    pub fn new(state: &State, mask: Mask) -> Self {
        Self {
            features: state.features(),
            mask,
            rule: rule::arms(state, mask),
        }
    }
}
