//! The plan of a query: a small tree of relations with named columns, in which every choice has been made.

mod alone;
mod calendar;
mod context;
mod conversion;
mod converting;
mod each;
mod filters;
mod formula;
mod leg;
mod legs;
mod merge;
mod numbered;
mod owner;
mod periods;
mod planner;
mod snapshots;
mod table_days;
mod times;
mod tree;
mod windows;

use serde::Serialize;

use super::write::Fragment;
use crate::model::ColumnType;

pub(super) use context::{Context, Days, Window};
pub(super) use each::{Each, relations};
pub(super) use filters::Owed;
pub(super) use formula::{Formula, Leaf};
pub(super) use leg::{Aggregated, Leg, PERIOD, Rows};
pub(super) use periods::{Bound, Periods, Shown};
pub(super) use planner::{Planned, Planner, prior_name};
use snapshots::Snapshots;

/// The plan of a query. Displayed, it is a tree with the result at its root; serialised, every relation stands under the word
/// for what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Plan(pub(super) Node);

impl Plan {
    /// The rollups that it reads, and whether it reads nothing else.
    pub(super) fn rollups(&self) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let is_all = self.0.rollups(&mut names);
        (names, is_all)
    }
}

/// A column that a relation gives, as SQL over what it reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: ColumnType,
    pub(super) sql: Fragment,
}

/// A relation: rows with named columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Node {
    /// Every period from a first to a last one.
    Periods(Periods),
    /// Days or periods of the calendar table.
    Calendar(CalendarRows),
    /// Rows of a dataset with its many-to-one joins.
    Scan(Scan),
    /// Some rows of a relation.
    Filtered(Box<Filtered>),
    /// The rows of several relations with the same columns.
    Stack(Vec<Node>),
    /// Rows of another relation, repeated for periods.
    Spread(Box<Spread>),
    /// One row per combination of keys.
    Aggregate(Box<Aggregate>),
    /// Several relations with the same keys, side by side: one row per combination that any of them has.
    Combine(Combine),
    /// Columns computed from those of another relation, row by row or over windows of rows.
    Compute(Box<Compute>),
    /// Rows in order, as many as wanted.
    Sort(Box<Sort>),
    /// A relation that reads others by their names.
    With(Box<With>),
}

/// Rows of a dataset. Its columns are those of the tables, under their aliases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Scan {
    pub(super) dataset: String,
    /// The rollup of the dataset that is read in the place of its rows.
    pub(super) rollup: Option<String>,
    pub(super) from: Fragment,
    pub(super) joins: Vec<Join>,
    /// All of them hold.
    pub(super) conditions: Vec<Fragment>,
    /// The periods that each row is repeated for.
    pub(super) over: Option<Box<Over>>,
}

/// Days or periods of the calendar table, each with what a leg has to know of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CalendarRows {
    /// What they are, for the reader.
    pub(super) text: String,
    pub(super) sql: Fragment,
}

/// A table joined to a scan on its key, so that it never multiplies rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Join {
    pub(super) table: Fragment,
    pub(super) kind: JoinKind,
}

/// What becomes of rows without a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JoinKind {
    /// They are kept.
    Left,
    /// A condition refuses them, so that engines need not keep them.
    Inner,
    /// They are kept, and so are the rows of the joined table that no row leads to.
    Full,
    /// Every row stands beside every row of the table.
    Cross,
}

impl Join {
    pub(super) fn sql(&self) -> Fragment {
        self.table.prefixed(match self.kind {
            JoinKind::Left => "LEFT JOIN ",
            JoinKind::Inner => "JOIN ",
            JoinKind::Full => "FULL JOIN ",
            JoinKind::Cross => "CROSS JOIN ",
        })
    }
}

/// Repeats a row for each period whose window it lies in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Over {
    pub(super) periods: Periods,
    /// The time of a row, in a form that compares with the bounds.
    pub(super) time: Fragment,
    /// The start of a period's window; nothing where every earlier row belongs to it.
    pub(super) from: Option<String>,
    /// The end of the window, which does not belong to it.
    pub(super) to: String,
    /// The periods that have a window at all, where some have none.
    pub(super) only: Option<String>,
    /// Whether the bounds lie within days.
    pub(super) has_time: bool,
}

impl Over {
    /// Leaves out the periods for which this does not hold.
    pub(super) fn only_where(&mut self, condition: &str) {
        let condition = legs::bracketed(condition);
        self.only = Some(match self.only.take() {
            Some(only) => format!("{only} AND {condition}"),
            None => condition,
        });
    }

    /// When a row belongs to a period.
    pub(super) fn on(&self) -> Fragment {
        let time = &self.time.sql;
        let mut on = match &self.from {
            Some(from) => format!("{time} >= {from} AND {time} < {}", self.to),
            None => format!("{time} < {}", self.to),
        };
        if let Some(only) = &self.only {
            on = format!("{on} AND {only}");
        }
        Fragment::new(on, self.time.places.iter().copied())
    }
}

/// Rows of another relation, repeated for each period whose window they lie in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) input: Node,
    pub(super) over: Over,
}

/// The rows for which all conditions hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Filtered {
    pub(super) input: Node,
    pub(super) conditions: Vec<Fragment>,
}

/// Groups rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Aggregate {
    pub(super) input: Node,
    pub(super) keys: Vec<Column>,
    pub(super) values: Vec<Column>,
    /// Condition on the groups.
    pub(super) having: Option<Fragment>,
}

/// Stacks relations and groups them by their keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Combine {
    pub(super) inputs: Vec<Node>,
    /// Names and types of the keys, in order.
    pub(super) keys: Vec<(String, ColumnType)>,
    /// Periods beside every combination of the other keys that there is.
    pub(super) shown: Option<Shown>,
    /// The inputs whose missing periods are rows without the other keys instead, by their places.
    pub(super) bare: Vec<usize>,
}

/// Computes columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Compute {
    pub(super) input: Node,
    pub(super) columns: Vec<Column>,
    /// Condition on the rows of the input.
    pub(super) having: Option<Fragment>,
}

/// Gives relations names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct With {
    pub(super) tables: Vec<(String, Node)>,
    pub(super) input: Node,
}

/// Sorts and cuts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Sort {
    pub(super) input: Node,
    pub(super) order: Vec<Fragment>,
    pub(super) limit: Option<u64>,
}
