//! The keys of a test of a metric.

use crate::registry::read::{At, Many, object};
use crate::registry::yaml::Text;

object! {
    /// What the numbers of a metric must be.
    #[schemars(rename = "Test")]
    struct RawTest {
        /// Name for people; what the test says where none is given.
        name: Option<Text>,
        /// What a query line says after the metric: `by market 2026-10`.
        query: Option<Text>,
        /// The number; the query has one row.
        expect: Option<At<f64>>,
        /// How far off it may be: `0.01`, `0.5%`.
        tolerance: Option<Text>,
        /// The smallest and the largest number allowed.
        between: Many<At<f64>>,
        /// The smallest number allowed.
        at_least: Option<At<f64>>,
        /// The largest number allowed.
        at_most: Option<At<f64>>,
        /// Every number is greater than 0.
        positive: Option<At<bool>>,
        /// Every row has a number.
        not_null: Option<At<bool>>,
        /// A query line whose rows add up to the same.
        sums_to: Option<Text>,
        /// There is a number that is dated at most so long ago: `2 days`.
        fresh_within: Option<Text>,
    }
}
