//! What has become slower, or fails more than before: robust, so that one bad minute is none.

use serde::Serialize;

use super::tally::wilson;
use super::{Month, Shape};
use crate::usage::Route;

/// Most that are told.
const MOST: usize = 10;

/// How much larger the share of failures has to be.
const FAILS_MORE: f64 = 0.1;

/// Something that does not go as it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anomaly {
    /// The queries: their line, or their SQL.
    pub what: String,
    /// What is the matter, in words with its figures.
    pub trouble: String,
    /// Uses in the last week.
    pub uses: u64,
}

impl Month<'_> {
    /// Shapes that have become slower or fail more in the last week than in the days before, the most used first.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut found: Vec<Anomaly> = self
            .gathered
            .shapes
            .iter()
            .filter_map(|shape| self.anomaly(shape))
            .collect();
        found.sort_by(|one, other| {
            let by_uses = other.uses.cmp(&one.uses);
            by_uses.then_with(|| one.what.cmp(&other.what))
        });
        found.truncate(MOST);
        found
    }

    fn anomaly(&self, shape: &Shape) -> Option<Anomaly> {
        let [late, early] = &shape.parts;
        let least = self.rules.uses;
        if late.uses < least || early.uses < least {
            return None;
        }
        let mut troubles = Vec::new();
        let (_, failed_before) = wilson(early.failed, early.uses);
        let (fails_now, _) = wilson(late.failed, late.uses);
        if fails_now > failed_before + FAILS_MORE {
            troubles.push(format!(
                "{} of {} fail, {} of {} did before",
                late.failed, late.uses, early.failed, early.uses
            ));
        }
        let enough = late.times.count() >= least && early.times.count() >= least;
        // The fast quarter of now is slower than the slow quarter of before.
        let (now, before) = (late.times.quantile(0.5)?, early.times.quantile(0.5)?);
        let is_apart = late.times.quantile(0.25)? > early.times.quantile(0.75)?;
        if enough && is_apart && now >= self.rules.slower * before.max(1.0) {
            troubles.push(format!("takes {now:.0} ms, took {before:.0} ms"));
        }
        if troubles.is_empty() {
            return None;
        }
        let what = match shape.route {
            Route::Line | Route::Words => shape.line.clone(),
            _ => shape.tally.examples.first().cloned().unwrap_or_default(),
        };
        Some(Anomaly {
            what,
            trouble: troubles.join("; "),
            uses: late.uses,
        })
    }
}
