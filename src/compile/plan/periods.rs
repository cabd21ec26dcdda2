//! Periods as rows: the calendar that a trend shows and that windows end with.

use jiff::civil::Date;
use serde::Serialize;

use crate::compile::write::Fragment;
use crate::model::Grain;

/// Every period of a grain from a first to a last one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::compile) struct Periods {
    /// The column with the first day (for less than a day: the first second) of the period.
    pub(in crate::compile) key: String,
    pub(in crate::compile) grain: Grain,
    pub(in crate::compile) first: Bound,
    pub(in crate::compile) last: Bound,
    /// The relation that has them, where the calendar table does: from the one with the first day to the one with the last.
    pub(in crate::compile) of_table: Option<String>,
}

/// Periods that are rows of the result whatever the data are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::compile) struct Shown {
    pub(in crate::compile) periods: Periods,
    /// Those of them that the query's conditions on the time leave.
    pub(in crate::compile) only: Option<Fragment>,
}

/// The first or last period.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::compile) enum Bound {
    /// The one that starts on this day.
    Day(Date),
    /// The one that a query of a single value gives.
    Data(Fragment),
}
