//! Column widths: from the header, a sample of each batch and, for numbers, their extremes; never a scan of texts.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_schema::DataType;

use super::header::header;
use super::looks::{Scale, tail};
use crate::compile::OutputColumn;
use crate::session::cell;
use crate::tui::widgets::text;

/// Rows measured at the start of each batch.
const SAMPLE: usize = 100;
pub(super) const NARROWEST: u16 = 3;
const WIDEST_HEADER: u16 = 24;
const WIDEST_TEXT: u16 = 40;
const WIDEST_BY_HAND: u16 = 200;

/// The width of each column in cells: what its contents need, unless the reader chose otherwise.
#[derive(Debug, Clone)]
pub(super) struct Widths(Vec<Width>);

#[derive(Debug, Clone, Copy)]
struct Width {
    header: usize,
    /// The widest text before the decimal point, or of a text that has none.
    before: usize,
    /// The widest text from the decimal point on.
    tail: usize,
    chosen: Option<u16>,
}

impl Width {
    fn new(column: &OutputColumn) -> Self {
        Self {
            header: text::width(&header(column)),
            before: 0,
            tail: 0,
            chosen: None,
        }
    }

    fn needed(self) -> u16 {
        let header = clamp(self.header, WIDEST_HEADER);
        header.max(clamp(self.before + self.tail, WIDEST_TEXT))
    }

    fn grow(&mut self, column: &OutputColumn, text: &str) {
        let tail = tail(column, text);
        self.tail = self.tail.max(tail);
        self.before = self.before.max(text::width(text) - tail);
    }
}

impl Widths {
    pub(super) fn new(columns: &[OutputColumn]) -> Self {
        Self(columns.iter().map(Width::new).collect())
    }

    /// Takes further columns.
    pub(super) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(super) fn truncate(&mut self, count: usize) {
        self.0.truncate(count);
    }

    /// Makes room for the cells of a batch; widths only grow, so that columns do not jump back and forth.
    pub(super) fn grow(
        &mut self,
        columns: &[OutputColumn],
        batch: &RecordBatch,
        scales: &[Option<Scale>],
    ) {
        let arrays = columns.iter().zip(batch.columns()).zip(scales);
        for (width, ((column, array), scale)) in self.0.iter_mut().zip(arrays) {
            let mut cell = String::new();
            let mut measure = |array: &dyn Array, row: usize| {
                cell.clear();
                cell::write_cell(&mut cell, array, row, column);
                width.grow(column, &cell);
            };
            for row in 0..array.len().min(SAMPLE) {
                measure(array, row);
            }
            // The smallest and the largest number are the longest of a column, as decimals are the same in all rows.
            if let Some(extremes) = scale.and_then(|scale| extremes(array.data_type(), scale)) {
                measure(&extremes, 0);
                measure(&extremes, 1);
            }
        }
    }

    /// Makes room for the numbers of a column that are not among its rows.
    pub(super) fn grow_for_numbers(&mut self, at: usize, column: &OutputColumn, array: &ArrayRef) {
        let scale = Scale::grow(None, array);
        let ends = scale.and_then(|scale| extremes(array.data_type(), scale));
        for (ends, row) in ends
            .iter()
            .flat_map(|ends| (0..ends.len()).map(move |row| (ends, row)))
        {
            let mut cell = String::new();
            cell::write_cell(&mut cell, ends, row, column);
            self.grow_for(at, column, &cell);
        }
    }

    /// Makes room for one cell.
    pub(super) fn grow_for(&mut self, at: usize, column: &OutputColumn, cell: &str) {
        if let Some(width) = self.0.get_mut(at) {
            width.grow(column, cell);
        }
    }

    pub(super) fn resize(&mut self, column: usize, now: u16, by: i16) {
        let width = now.saturating_add_signed(by);
        self.set(column, Some(width.clamp(NARROWEST, WIDEST_BY_HAND)));
    }

    /// A width by hand, or none.
    pub(super) fn set(&mut self, column: usize, width: Option<u16>) {
        if let Some(of) = self.0.get_mut(column) {
            of.chosen = width.map(|width| width.min(WIDEST_BY_HAND));
        }
    }

    pub(super) fn by_hand(&self, column: usize) -> Option<u16> {
        self.0.get(column)?.chosen
    }

    pub(super) fn get(&self, column: usize) -> u16 {
        self.0
            .get(column)
            .map_or(0, |width| width.chosen.unwrap_or_else(|| width.needed()))
    }

    /// Cells of the header.
    pub(super) fn header(&self, column: usize) -> usize {
        self.0.get(column).map_or(0, |width| width.header)
    }

    /// Cells from the decimal point on, which are the same for all numbers of a column.
    pub(super) fn tail(&self, column: usize) -> usize {
        self.0.get(column).map_or(0, |width| width.tail)
    }

    /// The widths by hand.
    pub(super) fn chosen(&self) -> Vec<Option<u16>> {
        self.0.iter().map(|width| width.chosen).collect()
    }

    pub(super) fn choose(&mut self, chosen: &[Option<u16>]) {
        for (width, chosen) in self.0.iter_mut().zip(chosen) {
            width.chosen = *chosen;
        }
    }
}

fn clamp(cells: usize, widest: u16) -> u16 {
    u16::try_from(cells)
        .unwrap_or(widest)
        .clamp(NARROWEST, widest)
}

fn extremes(ty: &DataType, scale: Scale) -> Option<ArrayRef> {
    Some(match ty {
        #[allow(clippy::cast_possible_truncation, reason = "they were integers")]
        DataType::Int64 => Arc::new(Int64Array::from_iter_values([
            scale.least as i64,
            scale.most as i64,
        ])),
        DataType::Float64 => Arc::new(Float64Array::from_iter_values([scale.least, scale.most])),
        _ => return None,
    })
}
