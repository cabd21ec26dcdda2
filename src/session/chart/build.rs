//! A chart made of the rows of a result.

use std::collections::HashMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_schema::DataType;
use indexmap::IndexMap;

use super::shape::Shape;
use super::{Across, Axis, Chart, ChartKind, Mark, Panel, Rows, Series, Wanted};
use crate::compile::OutputColumn;
use crate::model::Grain;
use crate::session::cell::{cell_text, raw_json, sanitize};
use crate::session::plot::bins;

/// Most lines, or parts of a bar, that can be told apart.
pub(super) const MOST_LINES: usize = 6;

/// Most small multiples, and bars of an SVG.
const MOST_PANELS: usize = 120;

const MICROS_PER_DAY: f64 = 86_400_000_000.0;

/// A row that has a number.
struct Point {
    row: usize,
    value: f64,
    prior: Option<f64>,
    other: Option<f64>,
    /// The time in days and its text.
    time: Option<(f64, String)>,
    /// Values of the other groupings.
    groups: Vec<String>,
}

impl Chart {
    /// Draws a result.
    ///
    /// # Errors
    /// It cannot be drawn, or not so; the reason.
    pub fn of(rows: &Rows<'_>, wanted: &Wanted) -> Result<Self, String> {
        let shape = Shape::of(rows, wanted.column)?;
        if let Some(kind) = wanted.kind {
            shape
                .allows(kind)
                .map_err(|why| format!("no {kind}: {why}"))?;
        }
        let column = |at: usize| {
            rows.columns
                .get(at)
                .ok_or("the result has fewer columns than its query")
        };
        let metric = column(shape.metric)?;
        let mut notes = Vec::new();
        let mut points = read(rows, &shape, metric, &mut notes);
        if points.is_empty() {
            return Err(format!("no row has a number of {}", sanitize(&metric.name)));
        }
        let lines = totals(&points).len();
        let has_negative = points.iter().any(|point| point.value < 0.0);
        let kind = wanted
            .kind
            .unwrap_or_else(|| shape.suits(lines, has_negative));
        let names: Vec<_> = shape
            .time
            .iter()
            .chain(&shape.groups)
            .filter_map(|at| rows.columns.get(*at))
            .map(|column| sanitize(&column.name).into_owned())
            .collect();
        let by = match kind {
            ChartKind::Scatter | ChartKind::Histogram => "over",
            _ => "by",
        };
        let mut title = format!("{} {by} {}", sanitize(&metric.label), names.join(", "));
        if !wanted.range.is_empty() {
            title = format!("{title} · {}", wanted.range);
        }
        let mut builder = Builder {
            shape: &shape,
            metric,
            grain: shape
                .time
                .and_then(|at| rows.columns.get(at))
                .and_then(|column| column.grain),
            notes,
        };
        if let ChartKind::Line | ChartKind::Multiples = kind {
            points.sort_by(|one, other| time(one).total_cmp(&time(other)));
        }
        let (across, panels) = match kind {
            ChartKind::Line => builder.lines(points),
            ChartKind::Bars => builder.bars(points),
            ChartKind::Stacked if has_negative => {
                return Err(format!("no {kind}: some values are below zero"));
            }
            ChartKind::Stacked => builder.stacked(points),
            ChartKind::Histogram => builder.histogram(points),
            ChartKind::Scatter => {
                let other = column(shape.other.unwrap_or(shape.metric))?;
                builder.scatter(points, other)
            }
            ChartKind::Multiples => builder.multiples(points),
        };
        let values = axis(kind, metric, &panels);
        Ok(Self {
            kind,
            title,
            across,
            values,
            panels,
            notes: builder.notes,
            column: metric.clone(),
        })
    }
}

fn time(point: &Point) -> f64 {
    point.time.as_ref().map_or(0.0, |(at, _)| *at)
}

/// The axis of the numbers; stacked bars are as long as their parts together.
fn axis(kind: ChartKind, metric: &OutputColumn, panels: &[Panel]) -> Axis {
    let marks = || {
        panels
            .iter()
            .flat_map(|panel| &panel.series)
            .flat_map(|series| &series.marks)
    };
    match kind {
        ChartKind::Histogram => {
            let most = marks().map(|mark| mark.value as usize).max();
            Axis::of_counts("rows", most.unwrap_or(0), metric)
        }
        ChartKind::Stacked => {
            let mut sums: HashMap<u64, f64> = HashMap::new();
            for mark in marks() {
                *sums.entry(mark.at.to_bits()).or_default() += mark.value;
            }
            Axis::of(metric, sums.into_values(), false)
        }
        ChartKind::Bars => Axis::of(metric, marks().map(|mark| mark.value), false),
        ChartKind::Line | ChartKind::Scatter | ChartKind::Multiples => {
            Axis::of(metric, marks().map(|mark| mark.value), true)
        }
    }
}

fn read(
    rows: &Rows<'_>,
    shape: &Shape,
    metric: &OutputColumn,
    notes: &mut Vec<String>,
) -> Vec<Point> {
    let number = |row, column| {
        let (array, index) = (rows.cell)(row, column)?;
        raw_json(array, index).as_f64()
    };
    let text = |row, column: usize| {
        let (array, index) = (rows.cell)(row, column)?;
        Some(cell_text(array, index, rows.columns.get(column)?).text)
    };
    let (mut points, mut without, mut timeless) = (Vec::new(), 0, 0);
    for row in (0..rows.count).filter(|row| !(rows.is_sum)(*row)) {
        let Some(value) = number(row, shape.metric) else {
            without += 1;
            continue;
        };
        let time = match shape.time {
            None => None,
            Some(column) => {
                let at = (rows.cell)(row, column).and_then(|(array, index)| days(array, index));
                let Some(at) = at else {
                    timeless += 1;
                    continue;
                };
                Some((at, text(row, column).unwrap_or_default()))
            }
        };
        points.push(Point {
            row,
            value,
            prior: shape.prior.and_then(|column| number(row, column)),
            other: shape.other.and_then(|column| number(row, column)),
            time,
            groups: shape
                .groups
                .iter()
                .filter_map(|column| text(row, *column))
                .collect(),
        });
    }
    let name = sanitize(&metric.name);
    let left_out = |count: usize, what: String| match count {
        0 => None,
        1 => Some(format!("1 row without {what} is left out")),
        count => Some(format!("{count} rows without {what} are left out")),
    };
    notes.extend(left_out(without, format!("a number of {name}")));
    notes.extend(left_out(timeless, "a time".to_owned()));
    points
}

/// A date or a time in days since 1970.
fn days(array: &dyn Array, index: usize) -> Option<f64> {
    if index >= array.len() || array.is_null(index) {
        return None;
    }
    match array.data_type() {
        DataType::Date32 => Some(f64::from(array.as_primitive::<Date32Type>().value(index))),
        DataType::Timestamp(..) => {
            let micros = array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .value(index);
            Some(micros as f64 / MICROS_PER_DAY)
        }
        _ => None,
    }
}

/// The names of the lines with the sum of what they show, the largest first.
fn totals(points: &[Point]) -> Vec<(String, f64)> {
    let mut totals: IndexMap<String, f64> = IndexMap::new();
    for point in points {
        *totals.entry(point.groups.join(" · ")).or_default() += point.value.abs();
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    totals.sort_by(|one, other| other.1.total_cmp(&one.1));
    totals
}

/// A builder of the marks of one kind.
struct Builder<'a> {
    shape: &'a Shape,
    metric: &'a OutputColumn,
    grain: Option<Grain>,
    notes: Vec<String>,
}

impl Builder<'_> {
    fn series(&self, name: impl Into<String>, marks: Vec<Mark>) -> Series {
        Series {
            name: name.into(),
            column: self.shape.metric,
            is_prior: false,
            marks,
        }
    }

    fn prior(&self, marks: Vec<Mark>) -> Option<Series> {
        (!marks.is_empty()).then(|| Series {
            name: "compared".to_owned(),
            column: self.shape.prior.unwrap_or(self.shape.metric),
            is_prior: true,
            marks,
        })
    }

    fn metric_name(&self) -> String {
        sanitize(&self.metric.name).into_owned()
    }

    /// Marks along the time, each of which knows whether a period before it has no row.
    fn marks<'p>(
        &self,
        points: impl Iterator<Item = &'p Point>,
        value: impl Fn(&Point) -> Option<f64>,
    ) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for point in points {
            let at = time(point);
            let Some(value) = value(point) else { continue };
            let after_gap = marks.last().is_some_and(|last| self.is_gap(last.at, at));
            marks.push(Mark {
                at,
                value,
                row: Some(point.row),
                after_gap,
            });
        }
        marks
    }

    /// Whether more than one period lies between two.
    fn is_gap(&self, one: f64, next: f64) -> bool {
        let longest = match self.grain {
            None => return false,
            Some(Grain::Second) => 1.0 / 86_400.0,
            Some(Grain::Minute) => 1.0 / 1_440.0,
            Some(Grain::Hour) => 1.0 / 24.0,
            Some(Grain::Day) => 1.0,
            Some(Grain::Week) => 7.0,
            Some(Grain::Month) => 31.0,
            Some(Grain::Quarter) => 92.0,
            Some(Grain::Year) => 366.0,
        };
        next - one > 1.5 * longest
    }

    fn lines(&mut self, points: Vec<Point>) -> (Across, Vec<Panel>) {
        let across = times(&points);
        let totals = totals(&points);
        let mut series: Vec<Series> = totals
            .iter()
            .take(MOST_LINES)
            .map(|(name, _)| {
                let own = points
                    .iter()
                    .filter(|point| point.groups.join(" · ") == *name);
                let name = if name.is_empty() {
                    self.metric_name()
                } else {
                    name.clone()
                };
                self.series(name, self.marks(own, |point| Some(point.value)))
            })
            .collect();
        if totals.len() > MOST_LINES {
            self.notes.push(format!(
                "the {MOST_LINES} largest of {} lines are drawn; small multiples show each",
                totals.len()
            ));
        }
        if totals.len() == 1 {
            series.extend(self.prior(self.marks(points.iter(), |point| point.prior)));
        } else if self.shape.prior.is_some() {
            self.notes
                .push("the compared time is drawn where there is one line".to_owned());
        }
        (
            across,
            vec![Panel {
                name: String::new(),
                series,
            }],
        )
    }

    fn bars(&mut self, points: Vec<Point>) -> (Across, Vec<Panel>) {
        let place = |point: &Point| {
            let time = point.time.iter().map(|(_, text)| text.clone());
            time.chain(point.groups.iter().cloned())
                .collect::<Vec<_>>()
                .join(" · ")
        };
        let mark = |(at, point): (usize, &Point), value: Option<f64>| {
            Some(Mark {
                at: at as f64,
                value: value?,
                row: Some(point.row),
                after_gap: false,
            })
        };
        let all = || points.iter().enumerate();
        let own = all()
            .filter_map(|(at, point)| mark((at, point), Some(point.value)))
            .collect();
        let prior = all()
            .filter_map(|(at, point)| mark((at, point), point.prior))
            .collect();
        let mut series = vec![self.series(self.metric_name(), own)];
        series.extend(self.prior(prior));
        let places = points.iter().map(place).collect();
        (
            Across::Places(places),
            vec![Panel {
                name: String::new(),
                series,
            }],
        )
    }

    /// Bars along the first grouping, their parts by the others; the smallest parts become one.
    fn stacked(&mut self, points: Vec<Point>) -> (Across, Vec<Panel>) {
        let is_timed = self.shape.time.is_some();
        let split = |point: &Point| -> (String, String) {
            match (&point.time, point.groups.split_first()) {
                (Some((_, time)), _) => (time.clone(), point.groups.join(" · ")),
                (None, Some((first, rest))) => (first.clone(), rest.join(" · ")),
                (None, None) => Default::default(),
            }
        };
        let mut points = points;
        if is_timed {
            points.sort_by(|one, other| time(one).total_cmp(&time(other)));
        }
        let mut places: IndexMap<String, usize> = IndexMap::new();
        let mut parts: IndexMap<String, f64> = IndexMap::new();
        for point in &points {
            let (place, part) = split(point);
            let next = places.len();
            places.entry(place).or_insert(next);
            *parts.entry(part).or_default() += point.value;
        }
        let mut largest: Vec<_> = parts.into_iter().collect();
        largest.sort_by(|one, other| other.1.total_cmp(&one.1));
        let shown = if largest.len() > MOST_LINES {
            MOST_LINES - 1
        } else {
            MOST_LINES
        };
        let of_part: HashMap<&str, usize> = largest
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.as_str(), index.min(shown)))
            .collect();
        let mut series: Vec<Series> = largest
            .iter()
            .take(shown)
            .map(|(name, _)| self.series(name.clone(), Vec::new()))
            .collect();
        if largest.len() > shown {
            series.push(self.series(format!("{} others", largest.len() - shown), Vec::new()));
        }
        let mut marks: IndexMap<(usize, usize), Mark> = IndexMap::new();
        for point in &points {
            let (place, part) = split(point);
            let (Some(at), Some(part)) = (places.get(&place), of_part.get(part.as_str())) else {
                continue;
            };
            let mark = marks.entry((*part, *at)).or_insert(Mark {
                at: *at as f64,
                value: 0.0,
                row: Some(point.row),
                after_gap: false,
            });
            mark.value += point.value;
            mark.row = mark.row.filter(|row| *row == point.row);
        }
        for ((part, _), mark) in marks {
            if let Some(series) = series.get_mut(part) {
                series.marks.push(mark);
            }
        }
        for series in &mut series {
            series
                .marks
                .sort_by(|one, other| one.at.total_cmp(&other.at));
        }
        let places = places.into_keys().collect();
        (
            Across::Places(places),
            vec![Panel {
                name: String::new(),
                series,
            }],
        )
    }

    fn histogram(&mut self, points: Vec<Point>) -> (Across, Vec<Panel>) {
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        let bins = bins(&values);
        let axis = Axis::of(self.metric, values.iter().copied(), true);
        let mut places = Vec::new();
        let mut marks = Vec::new();
        for (index, (from, to, count)) in bins.iter().enumerate() {
            places.push(format!("{} to {}", axis.number(*from), axis.number(*to)));
            let is_last = index + 1 == bins.len();
            let inside = |point: &&Point| point.value >= *from && (point.value < *to || is_last);
            let row = points.iter().find(inside).map(|point| point.row);
            if *count > 0 {
                marks.push(Mark {
                    at: index as f64,
                    value: *count as f64,
                    row,
                    after_gap: false,
                });
            }
        }
        let series = vec![self.series("rows", marks)];
        (
            Across::Places(places),
            vec![Panel {
                name: String::new(),
                series,
            }],
        )
    }

    fn scatter(&mut self, points: Vec<Point>, other: &OutputColumn) -> (Across, Vec<Panel>) {
        let mark = |point: &Point| {
            Some(Mark {
                at: point.other?,
                value: point.value,
                row: Some(point.row),
                after_gap: false,
            })
        };
        let mut marks: Vec<Mark> = points.iter().filter_map(mark).collect();
        if marks.len() < points.len() {
            let count = points.len() - marks.len();
            self.notes.push(format!(
                "{count} rows have no number of {} and are left out",
                sanitize(&other.name)
            ));
        }
        marks.sort_by(|one, other| one.at.total_cmp(&other.at));
        let axis = Axis::of(other, marks.iter().map(|mark| mark.at), true);
        let series = vec![self.series(self.metric_name(), marks)];
        (
            Across::Numbers(axis),
            vec![Panel {
                name: String::new(),
                series,
            }],
        )
    }

    /// A line for each value of the other groupings; without a time, bars for each value of the first one.
    fn multiples(&mut self, points: Vec<Point>) -> (Across, Vec<Panel>) {
        let is_timed = self.shape.time.is_some();
        let split = |point: &Point| -> (String, String) {
            match point.groups.split_first() {
                Some((first, rest)) if !is_timed => (first.clone(), rest.join(" · ")),
                _ => (point.groups.join(" · "), String::new()),
            }
        };
        let mut places: IndexMap<String, usize> = IndexMap::new();
        let mut panels: IndexMap<String, Vec<(&Point, usize)>> = IndexMap::new();
        for point in &points {
            let (panel, place) = split(point);
            let next = places.len();
            let at = *places.entry(place).or_insert(next);
            panels.entry(panel).or_default().push((point, at));
        }
        let size = |points: &[(&Point, usize)]| {
            points
                .iter()
                .map(|(point, _)| point.value.abs())
                .sum::<f64>()
        };
        panels.sort_by(|_, one, _, other| size(other).total_cmp(&size(one)));
        if panels.len() > MOST_PANELS {
            self.notes.push(format!(
                "the {MOST_PANELS} largest of {} are drawn",
                panels.len()
            ));
            panels.truncate(MOST_PANELS);
        }
        let panels = panels.into_iter().map(|(name, own)| {
            let marks = if is_timed {
                self.marks(own.iter().map(|(point, _)| *point), |point| {
                    Some(point.value)
                })
            } else {
                let mut marks: Vec<Mark> = own
                    .iter()
                    .map(|(point, at)| Mark {
                        at: *at as f64,
                        value: point.value,
                        row: Some(point.row),
                        after_gap: false,
                    })
                    .collect();
                marks.sort_by(|one, other| one.at.total_cmp(&other.at));
                marks
            };
            let series = vec![self.series(name.clone(), marks)];
            Panel { name, series }
        });
        let panels = panels.collect();
        if is_timed {
            (times(&points), panels)
        } else {
            (Across::Places(places.into_keys().collect()), panels)
        }
    }
}

/// The periods of sorted points, each once.
fn times(points: &[Point]) -> Across {
    let mut times: Vec<(String, f64)> = Vec::new();
    for (at, text) in points.iter().filter_map(|point| point.time.as_ref()) {
        if times.last().is_none_or(|(_, last)| last != at) {
            times.push((text.clone(), *at));
        }
    }
    Across::Times(times)
}
