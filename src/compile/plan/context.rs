//! How a metric is evaluated inside another one: conditions, distance back in time and windows, pushed down to its leaves.

use crate::compile::compare::Shifted;
use crate::model::{AtCoarserGrain, Expression, Grain};

/// The rows that count for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compile) enum Window {
    /// Every row up to the period's end.
    AllTime,
    /// The last so many units that end with the period.
    Trailing(u32, Grain),
    /// Since the start of the longer period that the period's end lies in.
    ToDate(Grain),
    /// The first period (of the query's grain) of the longer period.
    StartOf(Grain),
    /// The period itself (as far back as asked), where one row counts for several periods.
    Period,
}

/// What the metrics around a leaf ask of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::compile) struct Context<'a> {
    /// Conditions of the inputs on the way down, beside those of the leaf.
    pub(in crate::compile) filters: Vec<&'a Expression>,
    /// The earlier range whose rows count for the current periods.
    pub(in crate::compile) back: Option<Shifted>,
    /// The rows that count for a period, and which value stands for a long one.
    pub(in crate::compile) window: Option<(Window, AtCoarserGrain)>,
    /// Whether this is the compared side of a comparison.
    pub(in crate::compile) prior: bool,
}
