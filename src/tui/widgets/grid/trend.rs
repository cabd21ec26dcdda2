//! The trend of each row: what its metrics were in each period, as a line of blocks beside the number.

use std::collections::{BTreeMap, HashMap};

use arrow_array::{Array, RecordBatch};
use jiff::civil::Date;

use super::looks::number;
use super::table::Table;
use crate::compile::{OutputColumn, Role};
use crate::model::Grain;
use crate::session::cell::raw_text;

/// Most periods that are drawn; the latest count.
const PERIODS: usize = 24;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// For each row of a result, its metrics over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// In which steps.
    pub grain: Grain,
    groups: Vec<String>,
    metrics: Vec<String>,
    periods: usize,
    lines: HashMap<(String, String), String>,
}

impl Trend {
    /// Of the rows of the same query per period, without those periods that are not complete.
    pub fn new(
        grain: Grain,
        columns: &[OutputColumn],
        batches: &[RecordBatch],
        partial: &[Date],
    ) -> Self {
        let period = grain.word();
        let partial: Vec<String> = partial.iter().map(ToString::to_string).collect();
        let is_group = |column: &&OutputColumn| column.role == Role::Group && column.name != period;
        let groups: Vec<String> = columns
            .iter()
            .filter(is_group)
            .map(|column| column.name.clone())
            .collect();
        let at = |name: &str| columns.iter().position(|column| column.name == name);
        let group_columns: Vec<usize> = groups.iter().filter_map(|name| at(name)).collect();
        let period = at(period).unwrap_or(usize::MAX);
        let metrics: Vec<(usize, &OutputColumn)> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.role == Role::Metric)
            .collect();
        let mut series: HashMap<(String, String), BTreeMap<String, f64>> = HashMap::new();
        let mut periods = std::collections::BTreeSet::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let read = |column: usize| -> Option<&dyn Array> {
                    batch.columns().get(column).map(AsRef::as_ref)
                };
                // ISO dates sort as their days do.
                let Some(when) = read(period).and_then(|array| raw_text(array, row)) else {
                    continue;
                };
                if partial.iter().any(|day| when.starts_with(day)) {
                    continue;
                }
                let cells = group_columns.iter().map(|&column| (read(column), row));
                let key = key(cells);
                for (column, metric) in &metrics {
                    let value = read(*column).and_then(|array| number(array, row));
                    if let Some(value) = value.filter(|value| value.is_finite()) {
                        let of = series
                            .entry((key.clone(), metric.name.clone()))
                            .or_default();
                        of.insert(when.clone(), value);
                    }
                }
                periods.insert(when);
            }
        }
        let late = periods.len().saturating_sub(PERIODS);
        let periods: Vec<String> = periods.into_iter().skip(late).collect();
        let lines = series
            .into_iter()
            .map(|(of, values)| (of, line(&periods, &values)))
            .collect();
        Self {
            grain,
            groups,
            metrics: metrics.iter().map(|(_, spec)| spec.name.clone()).collect(),
            periods: periods.len(),
            lines,
        }
    }

    /// How many periods it has; a line needs two.
    pub fn periods(&self) -> usize {
        self.periods
    }

    /// Cells that the trend of a column takes.
    pub(super) fn width(&self, column: &OutputColumn) -> u16 {
        let periods = u16::try_from(self.periods).unwrap_or(0);
        periods * u16::from(self.metrics.contains(&column.name))
    }

    /// The line of a cell; of a row that is not there in any period, none.
    pub(super) fn line(&self, table: &Table, row: usize, column: usize) -> Option<String> {
        let spec = table.columns().get(column)?;
        let at = |name: &String| {
            table
                .columns()
                .iter()
                .position(|column| column.name == *name)
        };
        let columns: Option<Vec<usize>> = self.groups.iter().map(at).collect();
        let cells = columns?.into_iter().map(|column| {
            let cell = table.cell(row, column);
            cell.map_or((None, 0), |(array, index)| (Some(array), index))
        });
        self.lines.get(&(key(cells), spec.name.clone())).cloned()
    }
}

/// The values of a row's groups as one text.
pub(super) fn key<'a>(cells: impl Iterator<Item = (Option<&'a dyn Array>, usize)>) -> String {
    let mut key = String::new();
    for (array, row) in cells {
        match array.and_then(|array| raw_text(array, row)) {
            Some(text) => {
                key.push('=');
                key.push_str(&text);
            }
            None => key.push('0'),
        }
        key.push('\u{1f}');
    }
    key
}

/// The smallest value is the lowest block, the largest the highest; a period without a value is blank.
fn line(periods: &[String], values: &BTreeMap<String, f64>) -> String {
    let shown = || periods.iter().filter_map(|period| values.get(period));
    let least = shown().copied().fold(f64::INFINITY, f64::min);
    let most = shown().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: f64| {
        let place = (value - least) / (most - least);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place is from 0 to 1"
        )]
        let level = if place.is_finite() {
            (place * 7.0).round() as usize
        } else {
            3
        };
        LEVELS.get(level).copied().unwrap_or('█')
    };
    periods
        .iter()
        .map(|period| values.get(period).map_or(' ', |&value| block(value)))
        .collect()
}
