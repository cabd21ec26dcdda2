//! The rows behind a grid: Arrow batches as they came, in arrival or sorted order. A clone is cheap and can be sent to
//! a worker, which sorts, searches or copies while the grid goes on.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::interleave::interleave_record_batch;

use crate::compile::OutputColumn;
use crate::session::cell;

use super::sort::SortedOrder;

/// Rows of a batch that is put together in another order.
const ORDERED: usize = 8_192;

/// Rows and columns of one result.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Arc<[OutputColumn]>,
    batches: Arc<Vec<RecordBatch>>,
    /// For each batch, the number of rows up to its end.
    ends: Arc<Vec<usize>>,
    order: Option<Arc<SortedOrder>>,
}

impl Table {
    pub(super) fn new(columns: Vec<OutputColumn>) -> Self {
        Self {
            columns: columns.into(),
            batches: Arc::default(),
            ends: Arc::default(),
            order: None,
        }
    }

    pub(super) fn push(&mut self, batch: RecordBatch) {
        let end = self.rows() + batch.num_rows();
        Arc::make_mut(&mut self.ends).push(end);
        Arc::make_mut(&mut self.batches).push(batch);
    }

    pub(super) fn set_order(&mut self, order: Option<SortedOrder>) {
        self.order = order.map(Arc::new);
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// Rows that have arrived.
    pub fn rows(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The order that applies; rows that arrived after it was made follow at the end.
    pub fn order(&self) -> Option<&SortedOrder> {
        self.order.as_deref()
    }

    pub(super) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The array and the index in it that hold a cell, by the position of its row on the screen.
    pub fn cell(&self, row: usize, column: usize) -> Option<(&dyn Array, usize)> {
        let (batch, index) = self.place(row)?;
        let array = self.batches.get(batch)?.columns().get(column)?;
        Some((array.as_ref(), index))
    }

    /// The rows in the order on the screen, in batches.
    pub fn in_order(&self) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + '_ {
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let rows = self.rows();
        let as_they_came = self
            .batches
            .iter()
            .filter(|_| self.order.is_none())
            .cloned()
            .map(Ok);
        let ordered = (0..rows).step_by(ORDERED).filter(|_| self.order.is_some());
        let ordered = ordered.map(move |first| {
            let places = first..rows.min(first + ORDERED);
            let places: Vec<_> = places.filter_map(|row| self.place(row)).collect();
            interleave_record_batch(&batches, &places)
        });
        as_they_came.chain(ordered)
    }

    /// The batch and the index in it that hold a row, by its position on the screen.
    fn place(&self, row: usize) -> Option<(usize, usize)> {
        let row = match &self.order {
            Some(order) => order.row(row),
            None => row,
        };
        let batch = self.ends.partition_point(|&end| end <= row);
        let start = batch
            .checked_sub(1)
            .and_then(|previous| self.ends.get(previous))
            .unwrap_or(&0);
        (batch < self.batches.len()).then_some((batch, row - start))
    }

    /// Puts the displayed text of a cell in `out`; returns whether it is NULL.
    pub fn read(&self, row: usize, column: usize, out: &mut String) -> bool {
        out.clear();
        match (self.cell(row, column), self.columns.get(column)) {
            (Some((array, index)), Some(column)) => cell::write_cell(out, array, index, column),
            _ => false,
        }
    }
}
