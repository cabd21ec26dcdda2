//! Sorting a grid by one column: a job that can run on another thread and the order it returns.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_ord::partition::partition;
use arrow_ord::sort::sort_to_indices;
use arrow_schema::{ArrowError, SortOptions};
use arrow_select::concat::concat;
use arrow_select::take::take;

use super::filter::Kept;
use super::table::Table;
use crate::model::Direction;

/// Everything needed to sort, detached from the grid.
#[derive(Debug)]
pub struct SortJob {
    column: usize,
    direction: Direction,
    values: Vec<ArrayRef>,
    kept: Option<Arc<Kept>>,
}

/// The rows in the order of a column. NULLs are last in both directions, equal values keep the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedOrder {
    /// The column.
    pub column: usize,
    /// The direction.
    pub direction: Direction,
    rows: Vec<u32>,
}

impl SortJob {
    pub(super) fn new(table: &Table, column: usize, direction: Direction) -> Option<Self> {
        table.columns().get(column)?;
        let values = table
            .batches()
            .iter()
            .map(|batch| batch.columns().get(column).map(Arc::clone))
            .collect::<Option<_>>()?;
        Some(Self {
            column,
            direction,
            values,
            kept: table.kept_rows(),
        })
    }

    /// Sorts; takes a fraction of a second for a million rows.
    ///
    /// # Errors
    /// Arrow's, if the batches do not fit together.
    pub fn run(self) -> Result<SortedOrder, ArrowError> {
        let Self {
            column,
            direction,
            values,
            kept,
        } = self;
        let arrays: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
        let rows = match (arrays.as_slice(), kept) {
            ([], _) => Vec::new(),
            (arrays, None) => stable_order(&concat(arrays)?, direction)?,
            (arrays, Some(kept)) => {
                let rows = UInt32Array::from(kept.rows().to_vec());
                let values = take(&concat(arrays)?, &rows, None)?;
                let order = stable_order(&values, direction)?;
                let arrived = order.iter().map(|&at| kept.row(at as usize));
                arrived.filter_map(|row| u32::try_from(row).ok()).collect()
            }
        };
        Ok(SortedOrder {
            column,
            direction,
            rows,
        })
    }
}

fn stable_order(values: &ArrayRef, direction: Direction) -> Result<Vec<u32>, ArrowError> {
    let options = SortOptions {
        descending: direction == Direction::Descending,
        nulls_first: false,
    };
    let order = sort_to_indices(values, Some(options), None)?;
    // Arrow's sort leaves equal values in any order.
    let runs = partition(&[take(values, &order, None)?])?.ranges();
    let mut rows = order.values().to_vec();
    for run in runs {
        if let Some(equal) = rows.get_mut(run) {
            equal.sort_unstable();
        }
    }
    Ok(rows)
}

impl SortedOrder {
    /// How many rows were sorted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was sorted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The arrived row at a position; rows that came later keep theirs.
    pub fn row(&self, position: usize) -> usize {
        self.rows
            .get(position)
            .map_or(position, |&row| row as usize)
    }
}
