//! How a metric is evaluated inside another one: conditions, distance back in time and windows, pushed down to its leaves.

use jiff::civil::Date;

use crate::compile::compare::Shifted;
use crate::compile::periods_ago::PeriodsAgo;
use crate::model::{AtCoarserGrain, DateRange, Expression, Grain};

/// The rows that count for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compile) enum Window<'a> {
    /// Every row up to the period's end.
    AllTime,
    /// The last so many units that end with the period.
    Trailing(u32, Grain),
    /// Since the start of the longer period that the period's end lies in.
    ToDate(Grain),
    /// The same of a period of the calendar table.
    ToDateOf(&'a str),
    /// The first period (of the query's grain) of the longer period.
    StartOf(Grain),
    /// The same of a period of the calendar table.
    StartOfPeriod(&'a str),
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
    /// How many periods of the calendar table before the current ones the rows lie that count for them.
    pub(in crate::compile) ago: Option<PeriodsAgo<'a>>,
    /// The rows that count for a period, and which value stands for a long one.
    pub(in crate::compile) window: Option<(Window<'a>, AtCoarserGrain)>,
    /// Whether this is the compared side of a comparison.
    pub(in crate::compile) prior: bool,
    /// Which of the days asked for are read.
    pub(in crate::compile) days: Days,
    /// Whether a metric around the leaf (or its own) has rows for periods without data.
    pub(in crate::compile) every_period: bool,
}

/// Which days are read, where a rollup is complete for some of those that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::compile) enum Days {
    /// All of them.
    #[default]
    All,
    /// Those before a day.
    Before(Date),
    /// A day and those after it.
    Since(Date),
}

impl Days {
    /// Those of a range.
    pub(in crate::compile) fn of(self, range: DateRange) -> DateRange {
        match self {
            Self::All => range,
            Self::Before(day) => DateRange {
                end: Some(day),
                ..range
            },
            Self::Since(day) => DateRange {
                start: Some(day),
                ..range
            },
        }
    }
}
