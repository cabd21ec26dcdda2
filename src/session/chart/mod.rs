//! Charts of a result: the kind follows from its shape, and the same chart is drawn in the terminal, as SVG and as PNG.

mod axis;
mod build;
mod file;
mod run;
mod shape;
mod svg;
mod words;

pub use axis::Axis;
pub use file::ChartForm;
pub use shape::{ChartKind, is_number, kinds};

use arrow_array::{Array, Float64Array};

use super::cell::cell_text;
use crate::compile::OutputColumn;

/// Why a part of a result is not drawn.
pub const CUT: &str =
    "only a part of the rows is here, so a chart would mislead; filter them, or group coarser";

/// The rows that a chart is made of, wherever they are kept.
pub struct Rows<'a> {
    /// The columns.
    pub columns: &'a [OutputColumn],
    /// The number of rows.
    pub count: usize,
    /// The array and the index in it that hold the cell of a row and a column.
    pub cell: &'a dyn Fn(usize, usize) -> Option<(&'a dyn Array, usize)>,
    /// Whether a row is the sum of others, which is not drawn beside them.
    pub is_sum: &'a dyn Fn(usize) -> bool,
}

/// What is wanted of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The kind; else the one that suits the result.
    pub kind: Option<ChartKind>,
    /// The column of numbers to draw; else the first metric.
    pub column: Option<usize>,
    /// What the title says of the time; may be empty.
    pub range: String,
}

/// A chart, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The kind.
    pub kind: ChartKind,
    /// What it shows, for people.
    pub title: String,
    /// What the marks stand along.
    pub across: Across,
    /// The numbers that are drawn.
    pub values: Axis,
    /// One for each of the small multiples, else one.
    pub panels: Vec<Panel>,
    /// What a reader must know, such as rows that are left out.
    pub notes: Vec<String>,
    /// The column of the numbers, which says how they are written.
    pub column: OutputColumn,
}

/// What the marks of a chart stand along.
#[derive(Debug, Clone, PartialEq)]
pub enum Across {
    /// Values of groupings, or bins, in order; a mark stands at their index.
    Places(Vec<String>),
    /// Periods, ascending: their text and where they stand, in days.
    Times(Vec<(String, f64)>),
    /// Another metric.
    Numbers(Axis),
}

/// One picture of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it is about; empty where there is one for all.
    pub name: String,
    /// What is drawn in it.
    pub series: Vec<Series>,
}

/// Marks that belong together: a line, or the bars of one colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is about.
    pub name: String,
    /// The column its numbers come from.
    pub column: usize,
    /// Whether it is what the first series is compared with.
    pub is_prior: bool,
    /// In the order of where they stand.
    pub marks: Vec<Mark>,
}

/// One number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Where it stands.
    pub at: f64,
    /// The number.
    pub value: f64,
    /// The row it comes from; none if it is of several.
    pub row: Option<usize>,
    /// Whether a period between it and the one before it has no row.
    pub after_gap: bool,
}

impl Chart {
    /// A number as the metric's format writes it.
    pub fn number(&self, value: f64) -> String {
        if self.kind == ChartKind::Histogram {
            return super::cell::thousands(value as usize);
        }
        cell_text(&Float64Array::from(vec![value]), 0, &self.column).text
    }

    /// All marks with the number of their panel and of their series.
    pub fn marks(&self) -> impl Iterator<Item = (usize, usize, &Mark)> {
        let panels = self.panels.iter().enumerate();
        panels.flat_map(|(panel, its)| {
            let series = its.series.iter().enumerate();
            series.flat_map(move |(series, its)| {
                its.marks.iter().map(move |mark| (panel, series, mark))
            })
        })
    }

    /// What stands below a mark: the period, the value of the grouping, or the other metric.
    pub fn place(&self, at: f64) -> String {
        match &self.across {
            Across::Places(names) => names.get(at as usize).cloned().unwrap_or_default(),
            Across::Times(times) => times
                .iter()
                .find(|(_, time)| *time == at)
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
            Across::Numbers(axis) => axis.number(at),
        }
    }

    /// A name for a file that holds it, without an ending: `gmv-by-market-month`.
    pub fn file_name(&self) -> String {
        let words = self.title.split(" · ").next().unwrap_or_default();
        let plain: String = words
            .chars()
            .map(|c| {
                if c.is_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    ' '
                }
            })
            .collect();
        let name = plain.split_whitespace().collect::<Vec<_>>().join("-");
        name.chars().take(60).collect()
    }
}

impl Across {
    /// Where on the axis something stands: 0 at its beginning, 1 at its end.
    pub fn position(&self, at: f64) -> f64 {
        match self {
            Self::Numbers(axis) => axis.position(at),
            Self::Places(places) => at / places.len().saturating_sub(1).max(1) as f64,
            Self::Times(times) => match (times.first(), times.last()) {
                (Some((_, first)), Some((_, last))) if last > first => {
                    (at - first) / (last - first)
                }
                _ => 0.5,
            },
        }
    }

    /// At most so many texts for the axis, each with its [`Across::position`].
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let every = |count: usize| {
            let steps = count.saturating_sub(1);
            steps.div_ceil(most.saturating_sub(1).max(1)).max(1)
        };
        match self {
            Self::Numbers(axis) => {
                let ticks = axis.ticks(most).into_iter();
                ticks
                    .map(|(value, text)| (axis.position(value), text))
                    .collect()
            }
            Self::Places(places) => {
                let ticks = places.iter().enumerate().step_by(every(places.len()));
                ticks
                    .map(|(at, text)| (self.position(at as f64), text.clone()))
                    .collect()
            }
            Self::Times(times) => {
                let ticks = times.iter().step_by(every(times.len()));
                ticks
                    .map(|(text, at)| (self.position(*at), text.clone()))
                    .collect()
            }
        }
    }
}
