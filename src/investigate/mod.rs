//! Why a number moved, and how numbers are spread: decomposition, what is usual, and which of the findings is the cause. Pure:
//! rows in, findings out.

mod decompose;
pub mod distribution;
mod finding;
mod judge;
mod load;
mod noise;
pub mod seasonal;
mod tree;
#[cfg(test)]
mod trial;
mod windows;

pub use decompose::{Amount, Effect, Pair, contributions, product, ratio, surprise, whole};
pub use finding::{
    Finding, Form, Kind, LEAST_ROWS, Movement, Segment, factors, of_dimension, of_whole, parts,
};
pub use judge::{Cause, FALSE_CAUSES, Verdicts, judge};
pub use load::{DayRows, Missing, missing};
pub use noise::{LEAST_HISTORY, Usual, median, stand_out, two_sided, weighted_median};
pub use tree::{Budget, Look, NamedCause, NextStep, Node, Row, Slice, State, Verdict, Why};
pub use windows::{Compared, History, Window};
