//! What a plot shows: the query behind it, and bars, bins or boxes made of the rows.

use arrow_array::{Float64Array, RecordBatch};
use indexmap::IndexMap;
use jiff::civil::Date;

use super::super::cell::{cell_text, raw_json, raw_text, sanitize};
use super::super::{Failure, SessionError};
use super::{FiveNumbers, bins};
use crate::compile::{Compiled, OutputColumn, Role};
use crate::model::{ColumnType, Filter, Format, Grain, GroupBy, MetricQuery, TimeRange};

/// Most bars.
const MOST_BARS: usize = 30;

/// Most boxes.
const MOST_BOXES: usize = 15;

/// The kinds of plots there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlotKind {
    /// One bar for each value of the dimension.
    Bar,
    /// How many values of the dimension have a metric of which size.
    Histogram,
    /// Quartiles, over the values of the dimension or, for each of them, over periods.
    Box,
}

/// What to plot.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotRequest {
    /// The metric.
    pub metric: String,
    /// What it is spread across: a dimension or a time grain.
    pub across: GroupBy,
    /// The kind.
    pub kind: PlotKind,
    /// Only for boxes: one box for each value of the dimension, over its values per period.
    pub per: Option<Grain>,
    /// Time range.
    pub time: Option<TimeRange>,
    /// Conditions.
    pub filters: Option<Filter>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The value of the dimension.
    pub label: String,
    /// The metric.
    pub value: f64,
}

/// One bin of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// Smallest value that belongs to it.
    pub from: f64,
    /// Where the next bin begins; for the last bin the largest value.
    pub to: f64,
    /// Number of values.
    pub count: usize,
}

/// One box.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxRow {
    /// The value of the dimension, or the dimension itself where there is one box for all.
    pub label: String,
    /// The numbers.
    pub numbers: FiveNumbers,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Bars, the largest first, or in the order of time.
    Bars(Vec<Bar>),
    /// A histogram, ascending.
    Histogram(Vec<Bin>),
    /// Boxes, the largest median first.
    Boxes(Vec<BoxRow>),
}

/// A plot, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// What it shows, for people.
    pub title: String,
    /// What is drawn.
    pub shape: Shape,
    /// What a reader must know, such as bars that are left out.
    pub notes: Vec<String>,
    /// Whether some bars or boxes are left out; a note says which.
    pub is_partial: bool,
    /// The metric's column, which says how its numbers are written.
    column: OutputColumn,
}

impl Plot {
    /// The histogram with at most so many bins, neighbours being put together; other plots as they are.
    pub fn with_bins(&self, most: usize) -> Self {
        let Shape::Histogram(bins) = &self.shape else {
            return self.clone();
        };
        let together = bins.len().div_ceil(most.max(1)).max(1);
        let bins = bins.chunks(together).filter_map(|bins| {
            Some(Bin {
                from: bins.first()?.from,
                to: bins.last()?.to,
                count: bins.iter().map(|bin| bin.count).sum(),
            })
        });
        Self {
            shape: Shape::Histogram(bins.collect()),
            ..self.clone()
        }
    }

    /// Bars whose numbers are written in a format.
    pub fn of_bars(title: String, bars: Vec<Bar>, format: Format) -> Self {
        Self {
            shape: Shape::Bars(bars),
            notes: Vec::new(),
            is_partial: false,
            column: OutputColumn {
                name: title.clone(),
                label: title.clone(),
                role: Role::Metric,
                ty: ColumnType::Number,
                format,
                grain: None,
                additive: false,
            },
            title,
        }
    }
}

impl PlotRequest {
    /// The query whose rows the plot is made of.
    ///
    /// # Errors
    /// Periods are asked for where there are no boxes, or the dimension is the time itself.
    pub fn query(&self) -> Result<MetricQuery, SessionError> {
        let mut groups = vec![self.across.clone()];
        if let Some(grain) = self.per {
            let is_time = matches!(self.across, GroupBy::Grain { of: None, .. });
            if self.kind != PlotKind::Box || is_time {
                let error = "only boxes across a dimension are made per period";
                return Err(refused(error));
            }
            groups.push(GroupBy::Grain { grain, of: None });
        }
        Ok(MetricQuery {
            metrics: vec![self.metric.clone()],
            group_by: Some(groups),
            filters: self.filters.clone(),
            time: self.time,
            ..MetricQuery::default()
        })
    }

    /// The plot of the query's rows.
    ///
    /// # Errors
    /// Rows are missing, so that the plot would be wrong, or none has a number.
    pub fn plot(
        &self,
        compiled: &Compiled,
        rows: &[RecordBatch],
        truncated: bool,
    ) -> Result<Plot, SessionError> {
        let points = self.points(compiled, rows, truncated)?;
        self.plot_of(compiled, &points)
    }

    /// The numbers of the query's rows.
    pub(super) fn points(
        &self,
        compiled: &Compiled,
        rows: &[RecordBatch],
        truncated: bool,
    ) -> Result<Points, SessionError> {
        if truncated {
            let error = format!(
                "'{}' has more values than the connection returns rows, so the plot would be wrong",
                self.across
            );
            return Err(refused(error).with_hint("restrict it with filters"));
        }
        let none = || refused("the query has no grouping or no metric to plot");
        Points::read(&compiled.main.columns, rows).ok_or_else(none)
    }

    /// The plot of some numbers.
    pub(super) fn plot_of(
        &self,
        compiled: &Compiled,
        points: &Points,
    ) -> Result<Plot, SessionError> {
        let (across, column) = (&points.across, &points.column);
        let is_time = matches!(across.ty, ColumnType::Date | ColumnType::Timestamp);
        let mut notes = points.notes();
        if points.all.is_empty() {
            return Err(refused("there is nothing to plot: no row has a number"));
        }
        let told = notes.len();
        let shape = match self.kind {
            PlotKind::Bar => Shape::Bars(bars(points, is_time, &mut notes)),
            PlotKind::Histogram => Shape::Histogram(histogram(points)),
            PlotKind::Box if self.per.is_some() => Shape::Boxes(boxes(points, &mut notes)),
            PlotKind::Box => Shape::Boxes(one_box(points, across)),
        };
        // Whatever is left out is told.
        let is_partial = notes.len() > told;
        let per = self
            .per
            .map(|grain| format!(" per {grain}"))
            .unwrap_or_default();
        let what = match (self.kind, self.per) {
            (PlotKind::Bar, _) | (_, Some(_)) => "by",
            _ => "over the values of",
        };
        let title = format!(
            "{}{per} {what} {}, {}",
            column.label, self.across, compiled.range
        );
        Ok(Plot {
            title: sanitize(&title).into_owned(),
            shape,
            notes,
            is_partial,
            column: column.clone(),
        })
    }
}

impl Plot {
    /// A number as the metric's format writes it.
    pub fn number(&self, value: f64) -> String {
        cell_text(&Float64Array::from(vec![value]), 0, &self.column).text
    }
}

/// A number, and what it is of.
pub(super) struct Point {
    /// The value of the dimension; none for NULL.
    pub(super) member: Option<String>,
    /// That as people read it.
    pub(super) label: String,
    /// The first day of its period, and that as people read it, where there is one.
    pub(super) period: Option<(Date, String)>,
    /// The number.
    pub(super) value: f64,
}

/// The numbers of a result.
pub(super) struct Points {
    pub(super) all: Vec<Point>,
    /// Rows without a number.
    pub(super) without: usize,
    /// The column of the dimension.
    pub(super) across: OutputColumn,
    /// The column of the numbers.
    pub(super) column: OutputColumn,
}

impl Points {
    fn read(columns: &[OutputColumn], rows: &[RecordBatch]) -> Option<Self> {
        let all = || columns.iter().enumerate();
        let (group, across) = all().find(|(_, column)| column.role == Role::Group)?;
        let (metric, column) = all().find(|(_, column)| column.role == Role::Metric)?;
        let is_period =
            |column: &OutputColumn| column.role == Role::Group && column.grain.is_some();
        let period = all().find(|(_, column)| is_period(column));
        let mut points = Self {
            all: Vec::new(),
            without: 0,
            across: across.clone(),
            column: column.clone(),
        };
        for batch in rows {
            let array = |at: usize| batch.columns().get(at).map(AsRef::as_ref);
            let (Some(members), Some(values)) = (array(group), array(metric)) else {
                continue;
            };
            for row in 0..batch.num_rows() {
                let Some(value) = raw_json(values, row).as_f64() else {
                    points.without += 1;
                    continue;
                };
                let period = period.and_then(|(at, column)| {
                    let array = array(at)?;
                    let start = raw_text(array, row)?.get(..10)?.parse().ok()?;
                    Some((start, cell_text(array, row, column).text))
                });
                points.all.push(Point {
                    member: raw_text(members, row),
                    label: cell_text(members, row, across).text,
                    period,
                    value,
                });
            }
        }
        Some(points)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let name = &self.column.name;
        let note = || match self.without {
            1 => format!("1 row has no {name} and is left out"),
            rows => format!("{rows} rows have no {name} and are left out"),
        };
        (self.without > 0).then(note).into_iter().collect()
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.all.iter().map(|point| point.value).collect()
    }
}

fn bars(points: &Points, is_time: bool, notes: &mut Vec<String>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = points
        .all
        .iter()
        .map(|point| Bar {
            label: point.label.clone(),
            value: point.value,
        })
        .collect();
    let all = bars.len();
    if is_time {
        bars.drain(..all.saturating_sub(MOST_BARS));
    } else {
        bars.sort_by(|a, b| b.value.total_cmp(&a.value));
        bars.truncate(MOST_BARS);
    }
    if bars.len() < all {
        let which = if is_time { "latest" } else { "largest" };
        notes.push(format!("the {MOST_BARS} {which} of {all} are shown"));
    }
    bars
}

fn histogram(points: &Points) -> Vec<Bin> {
    let bin = |(from, to, count)| Bin { from, to, count };
    bins(&points.values()).into_iter().map(bin).collect()
}

fn one_box(points: &Points, across: &OutputColumn) -> Vec<BoxRow> {
    let numbers = FiveNumbers::of(&points.values());
    let row = |numbers| BoxRow {
        label: sanitize(&across.name).into_owned(),
        numbers,
    };
    numbers.map(row).into_iter().collect()
}

/// The numbers of each value of the dimension, one for each period.
pub(super) fn by_member(points: &Points) -> Vec<Vec<&Point>> {
    let mut groups: IndexMap<Option<&str>, Vec<&Point>> = IndexMap::new();
    for point in &points.all {
        let member = point.member.as_deref();
        groups.entry(member).or_default().push(point);
    }
    groups.into_values().collect()
}

fn boxes(points: &Points, notes: &mut Vec<String>) -> Vec<BoxRow> {
    let mut rows: Vec<BoxRow> = by_member(points)
        .into_iter()
        .filter_map(|points| {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            Some(BoxRow {
                label: points.first()?.label.clone(),
                numbers: FiveNumbers::of(&values)?,
            })
        })
        .collect();
    rows.sort_by(|a, b| b.numbers.median.total_cmp(&a.numbers.median));
    let all = rows.len();
    rows.truncate(MOST_BOXES);
    if rows.len() < all {
        notes.push(format!(
            "the {MOST_BOXES} with the largest medians of {all} are shown"
        ));
    }
    rows
}

pub(super) fn refused(message: impl Into<String>) -> SessionError {
    SessionError::new(Failure::Query, "plot", message)
}
