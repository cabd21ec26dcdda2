//! The rows behind a grid: Arrow batches as they came; filtered, sorted or with subtotals between them. A clone is cheap
//! and can be sent to a worker, which sorts, searches or copies while the grid goes on.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, Field, Fields, Schema};
use arrow_select::interleave::interleave_record_batch;

use crate::compile::OutputColumn;
use crate::session::cell;

use super::filter::Kept;
use super::pivot::Sources;
use super::sort::SortedOrder;
use super::subtotals::Grouped;

/// Rows of a batch that is put together in another order.
const ORDERED: usize = 8_192;

/// Rows and columns of one result.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Arc<[OutputColumn]>,
    batches: Arc<Vec<RecordBatch>>,
    /// For each batch, the number of rows up to its end.
    ends: Arc<Vec<usize>>,
    kept: Option<Arc<Kept>>,
    order: Option<Arc<SortedOrder>>,
    grouped: Option<Arc<Grouped>>,
    sources: Option<Arc<Sources>>,
}

impl Table {
    pub(super) fn new(columns: Vec<OutputColumn>) -> Self {
        Self {
            columns: columns.into(),
            batches: Arc::default(),
            ends: Arc::default(),
            kept: None,
            order: None,
            grouped: None,
            sources: None,
        }
    }

    pub(super) fn push(&mut self, batch: RecordBatch) {
        let end = self.arrived() + batch.num_rows();
        Arc::make_mut(&mut self.ends).push(end);
        Arc::make_mut(&mut self.batches).push(batch);
    }

    pub(super) fn set_order(&mut self, order: Option<SortedOrder>) {
        self.order = order.map(Arc::new);
        self.grouped = None;
    }

    /// Shows only some rows, or all; the order is to be that of the rows kept.
    pub(super) fn set_kept(&mut self, kept: Option<Kept>, order: Option<SortedOrder>) {
        self.kept = kept.map(Arc::new);
        self.set_order(order);
    }

    pub(super) fn set_grouped(&mut self, grouped: Option<Grouped>) {
        self.grouped = grouped.map(Arc::new);
    }

    pub(super) fn set_sources(&mut self, sources: Sources) {
        self.sources = Some(Arc::new(sources));
    }

    /// Puts a column behind the others of a table that is one batch.
    pub(super) fn push_column(
        &mut self,
        column: OutputColumn,
        array: ArrayRef,
    ) -> Result<(), ArrowError> {
        let Some(batch) = self.batches.first() else {
            return Ok(());
        };
        let schema = batch.schema();
        let field = Field::new(&column.name, array.data_type().clone(), true);
        let fields = schema.fields().iter().cloned();
        let fields: Fields = fields.chain([Arc::new(field)]).collect();
        let arrays = [batch.columns(), &[array]].concat();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        self.batches = Arc::new(vec![batch]);
        self.columns = self.columns.iter().cloned().chain([column]).collect();
        Ok(())
    }

    /// Keeps only the first columns.
    pub(super) fn truncate_columns(&mut self, count: usize) -> Result<(), ArrowError> {
        let first: Vec<usize> = (0..count).collect();
        let batches = self.batches.iter().map(|batch| batch.project(&first));
        self.batches = Arc::new(batches.collect::<Result<_, _>>()?);
        self.columns = self.columns.iter().take(count).cloned().collect();
        if self
            .order
            .as_ref()
            .is_some_and(|order| order.column >= count)
        {
            self.order = None;
        }
        Ok(())
    }

    /// How the values became columns, where they did.
    pub(super) fn sources(&self) -> Option<&Sources> {
        self.sources.as_deref()
    }

    /// The same rows without the subtotals between them.
    pub fn without_subtotals(&self) -> Self {
        Self {
            grouped: None,
            ..self.clone()
        }
    }

    /// All rows in order of arrival.
    pub(super) fn as_arrived(&self) -> Self {
        Self {
            kept: None,
            order: None,
            grouped: None,
            ..self.clone()
        }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// Rows that are shown: all that have arrived, those that a filter keeps, with subtotals between them.
    pub fn rows(&self) -> usize {
        match (&self.grouped, &self.kept) {
            (Some(grouped), _) => grouped.len(),
            (None, Some(kept)) => kept.len(),
            (None, None) => self.arrived(),
        }
    }

    /// Whether it is the same rows in the same order: nothing was sorted, filtered or pivoted in between.
    pub fn is_same(&self, other: &Self) -> bool {
        fn same<T: ?Sized>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
            one.map(Arc::as_ptr).map(<*const T>::cast::<()>)
                == other.map(Arc::as_ptr).map(<*const T>::cast::<()>)
        }
        Arc::ptr_eq(&self.columns, &other.columns)
            && Arc::ptr_eq(&self.batches, &other.batches)
            && same(self.kept.as_ref(), other.kept.as_ref())
            && same(self.order.as_ref(), other.order.as_ref())
            && same(self.grouped.as_ref(), other.grouped.as_ref())
    }

    /// Rows that have arrived.
    pub fn arrived(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The order that applies; rows that arrived after it was made follow at the end.
    pub fn order(&self) -> Option<&SortedOrder> {
        self.order.as_deref()
    }

    /// The filter that applies.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    pub(super) fn kept_rows(&self) -> Option<Arc<Kept>> {
        self.kept.clone()
    }

    /// Whether there are subtotals between the rows.
    pub fn has_subtotals(&self) -> bool {
        self.grouped.is_some()
    }

    /// Whether a row is a subtotal.
    pub fn is_subtotal(&self, row: usize) -> bool {
        self.grouped
            .as_ref()
            .is_some_and(|grouped| grouped.level(self.arrived_row(row)).is_some())
    }

    pub(super) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The arrived row at a position on the screen; subtotals are counted behind the last one.
    pub(super) fn arrived_row(&self, row: usize) -> usize {
        match (&self.grouped, &self.order, &self.kept) {
            (Some(grouped), ..) => grouped.row(row),
            (None, Some(order), _) => order.row(row),
            (None, None, Some(kept)) => kept.row(row),
            (None, None, None) => row,
        }
    }

    /// The array and the index in it that hold a cell, by the position of its row on the screen.
    pub fn cell(&self, row: usize, column: usize) -> Option<(&dyn Array, usize)> {
        let row = self.arrived_row(row);
        match &self.grouped {
            Some(grouped) if row >= self.arrived() => grouped.cell(row, column),
            _ => {
                let (batch, index) = self.place(row)?;
                let array = self.batches.get(batch)?.columns().get(column)?;
                Some((array.as_ref(), index))
            }
        }
    }

    /// The rows in the order on the screen, in batches, without subtotals.
    pub fn in_order(&self) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + '_ {
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let shown = self.without_subtotals();
        let rows = shown.rows();
        let is_ordered = self.order.is_some() || self.kept.is_some();
        let as_they_came = self.batches.iter().filter(move |_| !is_ordered);
        let as_they_came = as_they_came.cloned().map(Ok);
        let ordered = (0..rows).step_by(ORDERED).filter(move |_| is_ordered);
        let ordered = ordered.map(move |first| {
            let places = first..rows.min(first + ORDERED);
            let places: Vec<_> = places
                .filter_map(|row| shown.place(shown.arrived_row(row)))
                .collect();
            interleave_record_batch(&batches, &places)
        });
        as_they_came.chain(ordered)
    }

    /// The batch and the index in it that hold an arrived row.
    fn place(&self, row: usize) -> Option<(usize, usize)> {
        let batch = self.ends.partition_point(|&end| end <= row);
        let start = batch
            .checked_sub(1)
            .and_then(|previous| self.ends.get(previous))
            .unwrap_or(&0);
        (batch < self.batches.len()).then_some((batch, row - start))
    }

    /// Whether a cell has no value because there is none at its grain: a group that a subtotal is over, or a pair of
    /// row and column of a pivoted result that no row was for.
    pub fn is_absent(&self, row: usize, column: usize) -> bool {
        let row = self.arrived_row(row);
        let in_grouped = self.grouped.as_ref().map(|of| of.is_absent(row, column));
        let in_pivoted = self.sources.as_ref().map(|of| of.is_absent(row, column));
        in_grouped.or(in_pivoted).unwrap_or(false)
    }

    /// The row and the column of the result before it was pivoted that a cell shows.
    pub(super) fn source(&self, row: usize, column: usize) -> Option<(usize, usize)> {
        let row = self.arrived_row(row);
        self.sources.as_ref()?.source(row, column)
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
