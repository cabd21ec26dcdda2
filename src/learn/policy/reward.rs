//! What the answer of a query was worth, part by part.

use crate::model::{NoveltyPays, OptimisationPays, RewardTable};

/// An answer counts as faster below this share of the pattern's median.
pub const FASTER: f64 = 0.9;

/// What came of a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Whether it passed validation, returned, and was neither corrected, thumbed down nor asked again within two minutes.
    pub succeeded: bool,
    /// How long it took.
    pub ms: f64,
    /// The rows it returned.
    pub rows: u64,
    /// Whether something was done so that it reads less.
    pub is_optimised: bool,
    /// The median of the milliseconds of its pattern, where there is one.
    pub usual_ms: Option<f64>,
    /// Whether it was made afresh.
    pub is_fresh: bool,
    /// Whether it was the first of its pattern.
    pub is_first: bool,
    /// Whether somebody said that it is right, or used it again.
    pub is_confirmed: bool,
}

/// A part of a reward: what it is for, and how much.
pub type Part = (&'static str, f64);

/// What an outcome is worth by a table; a failure stops the count.
pub fn parts(table: &RewardTable, outcome: &Outcome) -> Vec<Part> {
    if !outcome.succeeded {
        return vec![("failure", table.failure)];
    }
    let time = match outcome.ms {
        ms if ms < 1000.0 => Some(("within a second", table.under_1s)),
        ms if ms < 5000.0 => Some(("within five seconds", table.under_5s)),
        ms if ms > 60_000.0 => Some(("over a minute", table.over_60s)),
        _ => None,
    };
    let rows = match outcome.rows {
        0 => Some(("no rows", table.no_rows)),
        1..=10_000 => Some(("rows to read", table.some_rows)),
        1_000_001.. => Some(("too many rows", table.many_rows)),
        _ => None,
    };
    let is_faster = outcome
        .usual_ms
        .is_some_and(|usual| outcome.ms < FASTER * usual);
    let is_paid = match table.optimisation_pays {
        OptimisationPays::Acted => outcome.is_optimised,
        OptimisationPays::Faster => outcome.is_optimised && is_faster,
    };
    let is_novel = match table.novelty_pays {
        NoveltyPays::Always => outcome.is_fresh,
        NoveltyPays::Confirmed => outcome.is_first && outcome.is_confirmed,
    };
    let optimised = is_paid.then_some(("optimised", table.optimisation));
    let novel = is_novel.then_some(("novel", table.novelty));
    let success = ("success", table.success);
    [Some(success), time, rows, optimised, novel]
        .into_iter()
        .flatten()
        .collect()
}

/// The sum of the parts.
pub fn reward(table: &RewardTable, outcome: &Outcome) -> f64 {
    parts(table, outcome).iter().map(|(_, part)| part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::delivered_policy;

    const GOOD: Outcome = Outcome {
        succeeded: true,
        ms: 400.0,
        rows: 12,
        is_optimised: false,
        usual_ms: None,
        is_fresh: false,
        is_first: false,
        is_confirmed: false,
    };

    #[test]
    fn the_figures_are_the_ones_of_the_table() {
        let table = delivered_policy().reward;
        let of = |outcome: Outcome| reward(&table, &outcome);
        assert_eq!(of(GOOD), 17.0);
        assert_eq!(of(Outcome { ms: 1000.0, ..GOOD }), 14.0);
        assert_eq!(of(Outcome { ms: 5000.0, ..GOOD }), 12.0);
        assert_eq!(
            of(Outcome {
                ms: 60_001.0,
                ..GOOD
            }),
            9.0
        );
        assert_eq!(of(Outcome { rows: 0, ..GOOD }), 14.0);
        assert_eq!(
            of(Outcome {
                rows: 10_001,
                ..GOOD
            }),
            15.0
        );
        assert_eq!(
            of(Outcome {
                rows: 1_000_001,
                ..GOOD
            }),
            13.0
        );
    }

    #[test]
    fn a_failure_stops_the_count() {
        let table = delivered_policy().reward;
        let failed = Outcome {
            succeeded: false,
            is_optimised: true,
            is_fresh: true,
            ..GOOD
        };
        assert_eq!(parts(&table.original(), &failed), [("failure", -5.0)]);
    }

    #[test]
    fn what_can_be_gamed_is_paid_for_what_it_brings() {
        let safe = delivered_policy().reward;
        let acted = Outcome {
            is_optimised: true,
            is_fresh: true,
            usual_ms: Some(440.0),
            ..GOOD
        };
        assert_eq!(reward(&safe, &acted), 17.0);
        assert_eq!(reward(&safe.original(), &acted), 25.0);
        let helped = Outcome {
            usual_ms: Some(500.0),
            ..acted
        };
        assert_eq!(reward(&safe, &helped), 20.0);
        let confirmed = Outcome {
            is_first: true,
            is_confirmed: true,
            ..helped
        };
        assert_eq!(reward(&safe, &confirmed), 25.0);
        assert_eq!(
            reward(
                &safe,
                &Outcome {
                    is_confirmed: false,
                    ..confirmed
                }
            ),
            20.0
        );
    }
}
