//! Pivoting: the values of one group become columns, so that a result by market and month is a table of both.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::{Field, Schema};
use arrow_select::concat::concat;
use arrow_select::take::take;

use super::table::Table;
use super::trend::key;
use super::{Grid, PARTIAL, Progress};
use crate::compile::{OutputColumn, Role};
use crate::model::ColumnType;
use crate::session::cell::{cell_text, raw_text};

/// Most values that become columns.
const VALUES: usize = 200;

/// The work of pivoting, detached from the grid.
#[derive(Debug, Clone)]
pub struct PivotJob {
    table: Table,
    shown: Vec<usize>,
    column: usize,
    /// Values that stand for periods which are not complete.
    partial: Vec<String>,
}

/// A pivoted result.
#[derive(Debug)]
pub struct Pivoted {
    columns: Vec<OutputColumn>,
    batch: RecordBatch,
    sources: Sources,
    /// Columns that show one metric, which have one scale.
    series: Vec<Vec<usize>>,
}

/// Where the cells of a pivoted result come from: for each column, a column of the result before, and a row for each row.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The column whose values became columns.
    pub(super) pivoted: usize,
    columns: Vec<(usize, Vec<Option<u32>>)>,
}

impl Sources {
    pub(super) fn is_absent(&self, row: usize, column: usize) -> bool {
        let rows = self.columns.get(column).map(|(_, rows)| rows);
        rows.is_some_and(|rows| matches!(rows.get(row), Some(None)))
    }

    pub(super) fn source(&self, row: usize, column: usize) -> Option<(usize, usize)> {
        let (column, rows) = self.columns.get(column)?;
        let row = (*rows.get(row)?)?;
        Some((row as usize, *column))
    }

    /// The column of the result before, and one of its rows.
    pub(super) fn of_column(&self, column: usize) -> Option<(usize, usize)> {
        let (from, rows) = self.columns.get(column)?;
        let row = rows.iter().flatten().next()?;
        Some((*row as usize, *from))
    }
}

impl PivotJob {
    /// Makes the columns and rows.
    ///
    /// # Errors
    /// There are too many values, in words for people.
    pub fn run(self) -> Result<Pivoted, String> {
        let Self {
            table,
            shown,
            column,
            partial,
        } = self;
        let specs = table.columns();
        let spec = specs.get(column).ok_or("there is no such column")?;
        let is_group = |at: usize| specs.get(at).is_some_and(|spec| spec.role == Role::Group);
        let keys: Vec<usize> = (0..specs.len())
            .filter(|&at| at != column && is_group(at))
            .collect();
        let figures: Vec<usize> = shown.into_iter().filter(|&at| !is_group(at)).collect();
        if figures.is_empty() {
            return Err("there are no figures to put under its values".to_owned());
        }

        let mut values = Values::new(spec, partial);
        let mut rows: HashMap<String, usize> = HashMap::new();
        let mut firsts: Vec<Option<u32>> = Vec::new();
        let mut cells: HashMap<(usize, usize), u32> = HashMap::new();
        for at in 0..table.rows() {
            let arrived =
                u32::try_from(table.arrived_row(at)).map_err(|error| error.to_string())?;
            let here = keys.iter().map(|&column| {
                let cell = table.cell(at, column);
                cell.map_or((None, 0), |(array, index)| (Some(array), index))
            });
            let row = *rows.entry(key(here)).or_insert_with(|| {
                firsts.push(Some(arrived));
                firsts.len() - 1
            });
            let value = values.find(table.cell(at, column));
            if value >= VALUES {
                return Err(format!(
                    "{} has more than {VALUES} values, and a table of so many columns is no help: filter first",
                    spec.name
                ));
            }
            cells.insert((row, value), arrived);
        }

        let mut columns: Vec<OutputColumn> = keys
            .iter()
            .filter_map(|&at| specs.get(at).cloned())
            .collect();
        let mut sources: Vec<_> = keys.iter().map(|&at| (at, firsts.clone())).collect();
        let mut series = Vec::new();
        let order = values.order();
        for &figure in &figures {
            let Some(of) = specs.get(figure) else {
                continue;
            };
            let first = columns.len();
            for &value in &order {
                let label = values.label(value);
                columns.push(named(of, label, figures.len() == 1));
                let from = (0..firsts.len()).map(|row| cells.get(&(row, value)).copied());
                sources.push((figure, from.collect()));
            }
            series.push((first..columns.len()).collect());
        }
        let batch = batch(&table, &columns, &sources, firsts.len())?;
        Ok(Pivoted {
            columns,
            batch,
            sources: Sources {
                pivoted: column,
                columns: sources,
            },
            series,
        })
    }
}

/// The column of a figure under one value: `2026-03`, or `gmv 2026-03` where there are several figures.
pub(super) fn named(figure: &OutputColumn, value: &str, is_only: bool) -> OutputColumn {
    let name = if is_only {
        value.to_owned()
    } else {
        format!("{} {value}", figure.name)
    };
    OutputColumn {
        name,
        label: format!("{} · {value}", figure.label),
        ..figure.clone()
    }
}

fn batch(
    table: &Table,
    columns: &[OutputColumn],
    sources: &[(usize, Vec<Option<u32>>)],
    rows: usize,
) -> Result<RecordBatch, String> {
    let mut whole: HashMap<usize, ArrayRef> = HashMap::new();
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (spec, (from, rows)) in columns.iter().zip(sources) {
        if !whole.contains_key(from) {
            let parts: Vec<&dyn Array> = table
                .batches()
                .iter()
                .filter_map(|batch| batch.columns().get(*from).map(AsRef::as_ref))
                .collect();
            let array = concat(&parts).map_err(|error| error.to_string())?;
            whole.insert(*from, array);
        }
        let Some(array) = whole.get(from) else {
            continue;
        };
        let rows = UInt32Array::from(rows.clone());
        let array = take(array, &rows, None).map_err(|error| error.to_string())?;
        fields.push(Field::new(&spec.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Schema::new(fields).into(), arrays, &options)
        .map_err(|error| error.to_string())
}

/// The values of the pivoted group.
struct Values<'a> {
    spec: &'a OutputColumn,
    partial: Vec<String>,
    places: HashMap<Option<String>, usize>,
    /// As machines and as people read them.
    found: Vec<(Option<String>, String)>,
}

impl<'a> Values<'a> {
    fn new(spec: &'a OutputColumn, partial: Vec<String>) -> Self {
        Self {
            spec,
            partial,
            places: HashMap::new(),
            found: Vec::new(),
        }
    }

    fn find(&mut self, cell: Option<(&dyn Array, usize)>) -> usize {
        let raw = cell.and_then(|(array, index)| raw_text(array, index));
        if let Some(place) = self.places.get(&raw) {
            return *place;
        }
        let mut label = cell.map_or(String::new(), |(array, index)| {
            cell_text(array, index, self.spec).text
        });
        let starts = |day: &String| raw.as_ref().is_some_and(|raw| raw.starts_with(day));
        if self.partial.iter().any(starts) {
            label = format!("{label} {PARTIAL}");
        }
        self.found.push((raw.clone(), label));
        self.places.insert(raw, self.found.len() - 1);
        self.found.len() - 1
    }

    fn label(&self, value: usize) -> &str {
        self.found.get(value).map_or("", |(_, label)| label)
    }

    /// Times and numbers go from small to large; names as they come. NULL is last.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.found.len()).collect();
        let raw = |at: usize| self.found.get(at).and_then(|(raw, _)| raw.as_deref());
        match self.spec.ty {
            ColumnType::Integer | ColumnType::Number => {
                let number = |at| raw(at).and_then(|raw| raw.parse().ok());
                order.sort_by(|&one, &other| {
                    let ends = [one, other].map(|at| number(at).unwrap_or(f64::INFINITY));
                    let [one, other] = ends;
                    one.total_cmp(&other)
                });
            }
            ColumnType::Date | ColumnType::Timestamp | ColumnType::Boolean => {
                order.sort_by_key(|&at| (raw(at).is_none(), raw(at)));
            }
            ColumnType::Text => order.sort_by_key(|&at| raw(at).is_none()),
        }
        order
    }
}

impl Grid {
    /// The work of pivoting the selected column.
    ///
    /// # Errors
    /// Why that cannot be, in words for people.
    pub fn pivot_request(&self) -> Result<PivotJob, String> {
        self.pivot_by(self.selected.column)
    }

    pub(super) fn pivot_by(&self, column: usize) -> Result<PivotJob, String> {
        let spec = self.table.columns().get(column);
        let spec = spec.ok_or("there is no column")?;
        if spec.role != Role::Group {
            return Err(format!(
                "{} is no grouping: go to the column whose values shall become columns",
                spec.name
            ));
        }
        match self.progress {
            Progress::Streaming => return Err("rows are still coming".to_owned()),
            Progress::Cut | Progress::Stopped => {
                return Err(
                    "only a part of the rows is here, so the table would have holes that mean nothing"
                        .to_owned(),
                );
            }
            Progress::Complete if self.table.rows() == 0 => {
                return Err("there are no rows".to_owned());
            }
            Progress::Complete => {}
        }
        Ok(PivotJob {
            table: self.table.without_subtotals(),
            shown: self.columns.shown().to_vec(),
            column,
            partial: match &self.partial {
                Some((of, days)) if *of == column => days.iter().map(ToString::to_string).collect(),
                _ => Vec::new(),
            },
        })
    }

    /// The pivoted grid, which keeps the one it is made of.
    pub fn pivoted(self, pivoted: Pivoted) -> Self {
        let mut grid = Self::new(pivoted.columns);
        grid.push(pivoted.batch);
        grid.progress = Progress::Complete;
        // What a column of numbers is shown with, the columns made of it are.
        let from = pivoted.sources.columns.iter();
        grid.looks = from.map(|(from, _)| self.look(*from)).collect();
        grid.table.set_sources(pivoted.sources);
        for of in pivoted.series {
            let all = of.iter().filter_map(|&at| grid.scales.get(at).copied()?);
            let scale = all.reduce(|one, other| super::looks::Scale {
                least: one.least.min(other.least),
                most: one.most.max(other.most),
            });
            for at in of {
                if let Some(place) = grid.scales.get_mut(at) {
                    *place = scale;
                }
            }
        }
        grid.size = self.size;
        grid.flat = Some(Box::new(self));
        grid
    }

    /// Whether it is pivoted.
    pub fn is_pivoted(&self) -> bool {
        self.flat.is_some()
    }

    /// The grid before it was pivoted.
    pub fn unpivot(self) -> Self {
        match self.flat {
            Some(flat) => *flat,
            None => self,
        }
    }

    /// The rows of the query's result, and in them the row and the column of a cell of this grid: another one where it is
    /// pivoted. None for the groups of a pivoted row, which many rows have, and where no row was for a cell of it.
    pub fn behind(&self, row: usize, column: usize) -> Option<(Table, usize, usize)> {
        let Some(flat) = &self.flat else {
            return Some((self.table.clone(), row, column));
        };
        let spec = self.table.columns().get(column)?;
        let (row, column) = self.table.source(row, column)?;
        (spec.role != Role::Group).then(|| (flat.table.as_arrived(), row, column))
    }
}
