//! Column widths: from the header, a sample of each batch and, for numbers, their extremes; never a scan of texts.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_schema::DataType;

use super::header::header;
use crate::compile::OutputColumn;
use crate::session::cell;
use crate::tui::widgets::text;

/// Rows measured at the start of each batch.
const SAMPLE: usize = 100;
const NARROWEST: u16 = 3;
const WIDEST_HEADER: u16 = 24;
const WIDEST_TEXT: u16 = 40;
const WIDEST_BY_HAND: u16 = 200;

/// The width of each column in cells: what its contents need, unless the reader chose otherwise.
#[derive(Debug, Clone)]
pub(super) struct Widths(Vec<Width>);

#[derive(Debug, Clone, Copy)]
struct Width {
    needed: u16,
    chosen: Option<u16>,
}

impl Widths {
    pub(super) fn new(columns: &[OutputColumn]) -> Self {
        let widths = columns.iter().map(|column| Width {
            needed: clamp(text::width(&header(column)), WIDEST_HEADER),
            chosen: None,
        });
        Self(widths.collect())
    }

    /// Makes room for the cells of a batch; widths only grow, so that columns do not jump back and forth.
    pub(super) fn grow(&mut self, columns: &[OutputColumn], batch: &RecordBatch) {
        for ((width, column), array) in self.0.iter_mut().zip(columns).zip(batch.columns()) {
            width.needed = width.needed.max(needed(array, column));
        }
    }

    /// Makes room for one cell.
    pub(super) fn grow_for(&mut self, column: usize, cell: &str) {
        if let Some(width) = self.0.get_mut(column) {
            width.needed = width.needed.max(clamp(text::width(cell), WIDEST_TEXT));
        }
    }

    pub(super) fn resize(&mut self, column: usize, by: i16) {
        if let Some(width) = self.0.get_mut(column) {
            let now = width.chosen.unwrap_or(width.needed);
            width.chosen = Some(
                now.saturating_add_signed(by)
                    .clamp(NARROWEST, WIDEST_BY_HAND),
            );
        }
    }

    pub(super) fn get(&self, column: usize) -> u16 {
        self.0
            .get(column)
            .map_or(0, |width| width.chosen.unwrap_or(width.needed))
    }
}

fn clamp(cells: usize, widest: u16) -> u16 {
    u16::try_from(cells)
        .unwrap_or(widest)
        .clamp(NARROWEST, widest)
}

fn needed(array: &ArrayRef, column: &OutputColumn) -> u16 {
    let mut cell = String::new();
    let mut widest = 0;
    let mut measure = |array: &dyn Array, row: usize| {
        cell.clear();
        cell::write_cell(&mut cell, array, row, column);
        widest = widest.max(text::width(&cell));
    };
    for row in 0..array.len().min(SAMPLE) {
        measure(array, row);
    }
    if let Some(extremes) = extremes(array) {
        measure(&extremes, 0);
        measure(&extremes, 1);
    }
    clamp(widest, WIDEST_TEXT)
}

/// The smallest and the largest number: the longest of a column, as decimals are the same in all rows.
fn extremes(array: &ArrayRef) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>().values();
            let ends = [values.iter().min()?, values.iter().max()?];
            Some(std::sync::Arc::new(Int64Array::from_iter_values(
                ends.into_iter().copied(),
            )))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            Some(std::sync::Arc::new(Float64Array::from_iter_values([
                least, most,
            ])))
        }
        _ => None,
    }
}
