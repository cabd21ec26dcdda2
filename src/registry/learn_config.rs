//! Reads `learn:` of `metrex.yaml`: what it takes for something to be proposed from use, and who is told.

use super::diagnostic::Sink;
use super::read::{At, object};
use super::yaml::Text;

/// What it takes for something to be proposed from use.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnRules {
    /// Days of the log that are looked at.
    pub days: u64,
    /// Uses that something needs.
    pub uses: u64,
    /// Different days that it was used on.
    pub on_days: u64,
    /// Different people who used it.
    pub people: u64,
    /// The share of uses that succeeded, 0 to 1.
    pub success: f64,
    /// Proposals of a kind that may wait at a time.
    pub at_most: u64,
    /// Days without a use after which a metric is proposed to be deprecated.
    pub idle_days: u64,
    /// The share of rows that a rollup has to be below, 0 to 1.
    pub shrink: f64,
    /// How often in a month a rollup is made anew.
    pub refreshes: u64,
    /// How many times as long as before something has to take to be told.
    pub slower: f64,
    /// Where the counts and titles of a night are posted.
    pub webhook: Option<String>,
}

impl Default for LearnRules {
    fn default() -> Self {
        Self {
            days: 30,
            uses: 10,
            on_days: 3,
            people: 2,
            success: 0.8,
            at_most: 5,
            idle_days: 90,
            shrink: 0.1,
            refreshes: 30,
            slower: 2.0,
            webhook: None,
        }
    }
}

object! {
    /// What it takes for something to be proposed from use.
    struct RawLearn {
        /// Days of the log that are looked at; 30 where nothing is given.
        days: Option<At<u64>>,
        /// Uses that something needs; 10 where nothing is given.
        uses: Option<At<u64>>,
        /// Different days that it was used on; 3 where nothing is given.
        on_days: Option<At<u64>>,
        /// Different people who used it; 2 where nothing is given.
        people: Option<At<u64>>,
        /// The share of uses that succeeded; 0.8 where nothing is given.
        success: Option<At<f64>>,
        /// Proposals of a kind that may wait at a time; 5 where nothing is given.
        at_most: Option<At<u64>>,
        /// Days without a use after which a metric is proposed to be deprecated; 90 where nothing is given.
        idle_days: Option<At<u64>>,
        /// The share of rows that a rollup has to be below; 0.1 where nothing is given.
        shrink: Option<At<f64>>,
        /// How often in a month a rollup is made anew; 30 where nothing is given.
        refreshes: Option<At<u64>>,
        /// How many times as long as before something has to take to be told; 2 where nothing is given.
        slower: Option<At<f64>>,
        /// Where the counts and titles of a night are posted; `${NAME}` is taken from the environment.
        webhook: Option<Text>,
    }
}

/// The rules that `learn:` says.
pub(super) fn learn_rules(raw: &RawLearn, sink: &mut Sink) -> LearnRules {
    let otherwise = LearnRules::default();
    let mut count = |at: Option<At<u64>>, otherwise: u64| match at {
        Some(at) if at.value == 0 => {
            sink.error("invalid_value", at.place, "0", "this is at least 1", None);
            otherwise
        }
        Some(at) => at.value,
        None => otherwise,
    };
    let (days, uses) = (
        count(raw.days, otherwise.days),
        count(raw.uses, otherwise.uses),
    );
    let (on_days, people) = (
        count(raw.on_days, otherwise.on_days),
        count(raw.people, otherwise.people),
    );
    let (at_most, idle_days) = (
        count(raw.at_most, otherwise.at_most),
        count(raw.idle_days, otherwise.idle_days),
    );
    let refreshes = count(raw.refreshes, otherwise.refreshes);
    let mut share = |at: Option<At<f64>>, otherwise: f64| match at {
        Some(at) if !(0.0..=1.0).contains(&at.value) => {
            let message = "this is a share, from 0 to 1";
            sink.error(
                "invalid_value",
                at.place,
                &at.value.to_string(),
                message,
                None,
            );
            otherwise
        }
        Some(at) => at.value,
        None => otherwise,
    };
    LearnRules {
        days,
        uses,
        on_days,
        people,
        success: share(raw.success, otherwise.success),
        at_most,
        idle_days,
        shrink: share(raw.shrink, otherwise.shrink),
        refreshes,
        slower: raw.slower.map_or(otherwise.slower, |at| at.value.max(1.0)),
        webhook: raw.webhook.as_ref().map(|text| text.value.clone()),
    }
}
