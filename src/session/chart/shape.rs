//! What a result can be drawn as: told from its columns and the number of its rows.

use std::fmt;

use super::Rows;
use crate::compile::{OutputColumn, Role};
use crate::model::ColumnType;
use serde::{Deserialize, Serialize};

/// The kinds of charts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Lines along the time.
    Line,
    /// A bar for each row.
    Bars,
    /// Bars that are made of parts.
    Stacked,
    /// How many rows have a number of which size.
    Histogram,
    /// One metric against another.
    Scatter,
    /// A small chart for each value of a grouping.
    Multiples,
}

impl ChartKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Line,
        Self::Bars,
        Self::Stacked,
        Self::Histogram,
        Self::Scatter,
        Self::Multiples,
    ];

    /// The word that asks for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Bars => "bars",
            Self::Stacked => "stacked",
            Self::Histogram => "histogram",
            Self::Scatter => "scatter",
            Self::Multiples => "multiples",
        }
    }

    /// The words for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Bars => "bars",
            Self::Stacked => "stacked bars",
            Self::Histogram => "histogram",
            Self::Scatter => "scatter plot",
            Self::Multiples => "small multiples",
        }
    }
}

impl fmt::Display for ChartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Rows of one grouping from which on a histogram tells more than bars.
const MANY: usize = 200;

/// Rows from which on two metrics are told best against each other.
const SOME: usize = 20;

/// Most rows that are drawn.
const MOST_ROWS: usize = 200_000;

/// The columns of a result by the part they have in a chart.
pub(super) struct Shape {
    /// The numbers to draw.
    pub(super) metric: usize,
    /// What they are compared with.
    pub(super) prior: Option<usize>,
    /// Another metric.
    pub(super) other: Option<usize>,
    /// The time grouping.
    pub(super) time: Option<usize>,
    /// The other groupings.
    pub(super) groups: Vec<usize>,
    additive: bool,
    rows: usize,
}

impl Shape {
    /// Reads it.
    ///
    /// # Errors
    /// Nothing can be drawn; the reason.
    pub(super) fn of(rows: &Rows<'_>, column: Option<usize>) -> Result<Self, String> {
        let columns = rows.columns;
        let all = || columns.iter().enumerate();
        let chosen = column.filter(|at| columns.get(*at).is_some_and(is_number));
        let first = || {
            all()
                .find(|(_, column)| is_number(column))
                .map(|(at, _)| at)
        };
        let Some((metric, drawn)) = chosen
            .or_else(first)
            .and_then(|at| Some((at, columns.get(at)?)))
        else {
            return Err("the result has no numbers to draw".to_owned());
        };
        let compared = format!("{}_prior", drawn.name);
        let prior = all().find(|(_, column)| column.role == Role::Prior && column.name == compared);
        let other = all().find(|(at, column)| column.role == Role::Metric && *at != metric);
        let groups = || all().filter(|(_, column)| column.role == Role::Group);
        let time = groups()
            .find(|(_, column)| is_time(column))
            .map(|(at, _)| at);
        if groups().next().is_none() {
            return Err("the result is not grouped, so there is nothing to compare".to_owned());
        }
        if rows.count == 0 {
            return Err("the result has no rows".to_owned());
        }
        if rows.count > MOST_ROWS {
            return Err(format!(
                "{} rows are more than a chart can show; filter them, or group coarser",
                crate::session::cell::thousands(rows.count)
            ));
        }
        Ok(Self {
            metric,
            prior: prior.map(|(at, _)| at),
            other: other.map(|(at, _)| at),
            time,
            groups: groups()
                .map(|(at, _)| at)
                .filter(|at| Some(*at) != time)
                .collect(),
            additive: drawn.role == Role::Metric && drawn.additive,
            rows: rows.count,
        })
    }

    /// Whether it can be drawn so; else the reason.
    pub(super) fn allows(&self, kind: ChartKind) -> Result<(), &'static str> {
        let groupings = self.groups.len() + usize::from(self.time.is_some());
        match kind {
            ChartKind::Line if self.time.is_none() => Err("needs a time grouping"),
            ChartKind::Stacked | ChartKind::Multiples if groupings < 2 => {
                Err("needs a second grouping")
            }
            ChartKind::Stacked if !self.additive => Err("its groups do not add up"),
            ChartKind::Scatter if self.other.is_none() => Err("needs a second metric"),
            _ => Ok(()),
        }
    }

    /// The kind that suits it, where it has so many lines.
    pub(super) fn suits(&self, lines: usize, has_negative: bool) -> ChartKind {
        if self.time.is_some() {
            return if lines <= super::build::MOST_LINES {
                ChartKind::Line
            } else {
                ChartKind::Multiples
            };
        }
        if self.allows(ChartKind::Stacked).is_ok() && !has_negative {
            ChartKind::Stacked
        } else if self.other.is_some() && self.rows > SOME {
            ChartKind::Scatter
        } else if self.rows > MANY {
            ChartKind::Histogram
        } else {
            ChartKind::Bars
        }
    }
}

/// Whether a result can be drawn so; else why not.
pub type Allowed = Result<(), &'static str>;

/// Every kind, with the reason where the result cannot be drawn so.
///
/// # Errors
/// Nothing can be drawn; the reason.
pub fn kinds(rows: &Rows<'_>, column: Option<usize>) -> Result<Vec<(ChartKind, Allowed)>, String> {
    let shape = Shape::of(rows, column)?;
    Ok(ChartKind::ALL.map(|kind| (kind, shape.allows(kind))).into())
}

/// Whether a column holds numbers that can be drawn.
pub fn is_number(column: &OutputColumn) -> bool {
    column.role != Role::Group && matches!(column.ty, ColumnType::Integer | ColumnType::Number)
}

fn is_time(column: &OutputColumn) -> bool {
    matches!(column.ty, ColumnType::Date | ColumnType::Timestamp)
}
