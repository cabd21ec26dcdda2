//! Totals of a pivoted result: a column of them for each figure, and a row below, as the engine computed them.

use std::collections::HashMap;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::take::take;

use super::looks::{Look, Scale};
use super::pivot::named;
use super::subtotals::Level;
use super::table::Table;
use super::trend::key;
use super::{Grid, TOTAL};
use crate::compile::{OutputColumn, Role};
use crate::session::cell::{CellText, cell_text};

/// What the engine computed for fewer groups.
#[derive(Debug, Clone)]
pub struct PivotTotals {
    /// For each row, over all columns.
    pub rows: Level,
    /// For each column over all rows, and for everything; none where there is but one row.
    pub columns: Option<(Level, Level)>,
}

/// A row of a level, by the values of its groups.
struct Lookup<'a> {
    level: &'a Level,
    rows: HashMap<String, usize>,
}

impl<'a> Lookup<'a> {
    fn new(level: &'a Level) -> Self {
        Self {
            level,
            rows: level.by_groups(),
        }
    }

    /// One cell of a column of the result, as an array.
    fn cell(&self, groups: &str, column: usize) -> Option<ArrayRef> {
        let row = self.rows.get(groups)?;
        Some(self.level.array(column)?.slice(*row, 1))
    }
}

impl Grid {
    /// The place among the groups of the one whose values became columns, if the result is pivoted.
    pub fn pivoted_by(&self) -> Option<usize> {
        let flat = self.flat.as_ref()?;
        let pivoted = self.table.sources()?.pivoted;
        let before = flat.table.columns().iter().take(pivoted);
        Some(before.filter(|column| column.role == Role::Group).count())
    }

    /// Whether a filter hides rows of the result that is pivoted.
    pub fn hides_rows(&self) -> bool {
        let table = self.flat.as_ref().map_or(&self.table, |flat| &flat.table);
        table.kept().is_some()
    }

    /// Shows totals around a pivoted result.
    ///
    /// # Errors
    /// Arrow's, if they do not fit it.
    pub fn show_totals(&mut self, totals: &PivotTotals) -> Result<(), String> {
        self.hide_totals();
        let Some(flat) = self.flat.as_ref().map(|flat| flat.table.as_arrived()) else {
            return Err("the result is no longer pivoted".to_owned());
        };
        let own = self.table.columns().len();
        let figures = self.figures();
        self.untotalled = Some(own);
        let added = self.add_columns(&flat, &figures, &totals.rows);
        let added = added.map_err(|error| error.to_string())?;
        if let Some((columns, all)) = &totals.columns {
            self.add_row(&flat, own, &added, columns, all);
        }
        self.settle();
        Ok(())
    }

    /// Hides the totals; whether there were any.
    pub fn hide_totals(&mut self) -> bool {
        let Some(own) = self.untotalled.take() else {
            return false;
        };
        // The columns before were a table as well.
        let _ = self.table.truncate_columns(own);
        self.columns.truncate(own);
        self.widths.truncate(own);
        self.scales.truncate(own);
        self.looks.truncate(own);
        self.totals = None;
        self.total_cells.clear();
        self.mark = None;
        if self.selected.column >= own {
            self.selected.column = self.columns.at(self.columns.last());
        }
        self.settle();
        true
    }

    /// The columns of the result before that have values under the pivoted ones, each with the last of these.
    fn figures(&self) -> Vec<(usize, usize)> {
        let mut figures: Vec<(usize, usize)> = Vec::new();
        for (at, column) in self.table.columns().iter().enumerate() {
            let from = self.table.sources().and_then(|of| of.of_column(at));
            let Some((_, figure)) = from.filter(|_| column.role != Role::Group) else {
                continue;
            };
            match figures.iter_mut().find(|(known, _)| *known == figure) {
                Some((_, last)) => *last = at,
                None => figures.push((figure, at)),
            }
        }
        figures
    }

    /// A column for each figure, behind those of its values; returns the figures that the engine gives totals of.
    fn add_columns(
        &mut self,
        flat: &Table,
        figures: &[(usize, usize)],
        rows: &Level,
    ) -> Result<Vec<usize>, ArrowError> {
        let known = rows.by_groups();
        let pivoted = self.table.as_arrived();
        let is_group = |at: &usize| {
            let column = pivoted.columns().get(*at);
            column.is_some_and(|column| column.role == Role::Group)
        };
        let groups: Vec<usize> = (0..pivoted.columns().len()).filter(is_group).collect();
        let found = (0..pivoted.arrived()).map(|row| {
            let cells = groups.iter().map(|&column| {
                let cell = pivoted.cell(row, column);
                cell.map_or((None, 0), |(array, index)| (Some(array), index))
            });
            let row = known.get(&key(cells))?;
            u32::try_from(*row).ok()
        });
        let found = UInt32Array::from_iter(found);
        let mut added = Vec::new();
        for (figure, last) in figures {
            let (Some(of), Some(array)) = (flat.columns().get(*figure), rows.array(*figure)) else {
                continue;
            };
            let mut column = named(of, "total", figures.len() == 1);
            column.label = format!("{} · {TOTAL}", of.label);
            let array = take(array, &found, None)?;
            self.add_column(column, array, *last)?;
            added.push(*figure);
        }
        Ok(added)
    }

    fn add_column(
        &mut self,
        column: OutputColumn,
        array: ArrayRef,
        behind: usize,
    ) -> Result<(), ArrowError> {
        let at = self.table.columns().len();
        let scale = Scale::grow(None, &array);
        let schema = Schema::new(vec![Field::new(
            &column.name,
            array.data_type().clone(),
            true,
        )]);
        let alone = RecordBatch::try_new(schema.into(), vec![array.clone()])?;
        let mut width = super::widths::Widths::new(std::slice::from_ref(&column));
        width.grow(std::slice::from_ref(&column), &alone, &[scale]);
        self.widths.append(width);
        self.scales.push(scale);
        self.looks.push(Look::default());
        let shown = self.columns.shown().iter();
        let place = shown.clone().position(|shown| *shown == behind);
        self.columns.insert(place.map_or(at, |place| place + 1));
        self.table.push_column(column, array)
    }

    /// The row below: the totals of each column, and of everything.
    fn add_row(&mut self, flat: &Table, own: usize, added: &[usize], columns: &Level, all: &Level) {
        let (columns, all) = (Lookup::new(columns), Lookup::new(all));
        let sources = self.table.sources();
        let pivoted = sources.map_or(0, |sources| sources.pivoted);
        let found = |at: usize, column: &OutputColumn| {
            if column.role == Role::Group {
                return None;
            }
            if let Some(total) = at.checked_sub(own) {
                return all.cell("", *added.get(total)?);
            }
            let (row, figure) = sources?.of_column(at)?;
            let (array, index) = flat.cell(row, pivoted)?;
            let value = key(std::iter::once((Some(array), index)));
            columns.cell(&value, figure)
        };
        let specs = self.table.columns().iter().enumerate();
        let cells: Vec<Option<ArrayRef>> = specs.map(|(at, column)| found(at, column)).collect();
        let blank = |text: &str| CellText {
            text: text.to_owned(),
            is_null: false,
            align_right: false,
        };
        let specs = self.table.columns().iter().zip(&cells).enumerate();
        let texts: Vec<CellText> = specs
            .map(|(at, (column, cell))| match cell {
                Some(cell) => cell_text(cell, 0, column),
                None => blank(if at == 0 { TOTAL } else { "" }),
            })
            .collect();
        for (at, (text, column)) in texts.iter().zip(self.table.columns()).enumerate() {
            self.widths.grow_for(at, column, &text.text);
        }
        self.totals = Some(texts);
        self.total_cells = cells;
    }
}
