//! Subtotals between the rows of a grid: rows that the engine computed for fewer groups, put behind the rows they are of.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_select::concat::concat;

use super::table::Table;
use super::trend::key;
use crate::compile::{OutputColumn, Role};

/// What the engine computed for the first of the groups of a result, row by row.
#[derive(Debug, Clone)]
pub struct Level {
    /// The columns of the result that group it, by place.
    groups: Vec<usize>,
    /// For each column of the result, its values; none where the fewer groups leave none.
    arrays: Vec<Option<ArrayRef>>,
    rows: usize,
}

impl Level {
    /// Rows of the same query by fewer groups, their columns found by name.
    ///
    /// # Errors
    /// Arrow's, if the batches do not fit together.
    pub fn new(
        result: &[OutputColumn],
        columns: &[OutputColumn],
        batches: &[RecordBatch],
    ) -> Result<Self, String> {
        let at = |column: &OutputColumn| columns.iter().position(|of| of.name == column.name);
        let places: Vec<Option<usize>> = result.iter().map(at).collect();
        let mut arrays = Vec::new();
        for place in &places {
            let Some(place) = *place else {
                arrays.push(None);
                continue;
            };
            let parts: Vec<&dyn Array> = batches
                .iter()
                .filter_map(|batch| batch.columns().get(place).map(AsRef::as_ref))
                .collect();
            let array = match parts.as_slice() {
                [] => None,
                parts => Some(concat(parts).map_err(|error| error.to_string())?),
            };
            arrays.push(array);
        }
        let is_group = |(column, place): (&OutputColumn, &Option<usize>)| {
            column.role == Role::Group && place.is_some()
        };
        let groups = result.iter().zip(&places).enumerate();
        Ok(Self {
            groups: groups
                .filter_map(|(at, pair)| is_group(pair).then_some(at))
                .collect(),
            arrays,
            rows: batches.iter().map(RecordBatch::num_rows).sum(),
        })
    }

    fn cell(&self, column: usize) -> Option<&dyn Array> {
        self.array(column).map(AsRef::as_ref)
    }

    /// The values of a column of the result.
    pub(super) fn array(&self, column: usize) -> Option<&ArrayRef> {
        self.arrays.get(column)?.as_ref()
    }

    /// Its rows by the values of their groups.
    pub(super) fn by_groups(&self) -> HashMap<String, usize> {
        let key_of = |row: usize| key(self.groups.iter().map(|&column| (self.cell(column), row)));
        (0..self.rows).map(|row| (key_of(row), row)).collect()
    }
}

/// The work of putting subtotals between rows, detached from the grid.
#[derive(Debug, Clone)]
pub struct GroupJob {
    pub(super) table: Table,
    pub(super) levels: Arc<Vec<Level>>,
}

/// Rows with subtotals between them.
#[derive(Debug, Clone)]
pub struct Grouped {
    /// Arrived rows; those from `base` on are subtotals, level after level.
    rows: Vec<u32>,
    base: usize,
    levels: Arc<Vec<Level>>,
}

impl GroupJob {
    /// Brings rows of one group together, in the order in which the groups come now, each group with its subtotal behind.
    pub fn run(self) -> Grouped {
        let Self { table, levels } = self;
        let table = table.without_subtotals();
        let count = table.rows();
        // The groups from the outside in, as the query names them.
        let mut order: Vec<(usize, &Level)> = levels.iter().enumerate().collect();
        order.sort_by_key(|(_, level)| level.groups.len());
        let keys = |level: &Level, row: usize| {
            let cells = level.groups.iter().map(|&column| {
                let cell = table.cell(row, column);
                cell.map_or((None, 0), |(array, index)| (Some(array), index))
            });
            key(cells)
        };
        let mut ranks: Vec<Vec<u32>> = Vec::new();
        for (_, level) in &order {
            let mut known: HashMap<String, u32> = HashMap::new();
            let ranked = (0..count).map(|row| {
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                *known.entry(keys(level, row)).or_insert(next)
            });
            ranks.push(ranked.collect());
        }
        let rank = |row: usize| -> Vec<u32> {
            let of = ranks.iter().map(|level| level.get(row).copied());
            of.map(Option::unwrap_or_default).collect()
        };
        let mut sorted: Vec<usize> = (0..count).collect();
        sorted.sort_by_cached_key(|&row| rank(row));

        let base = table.arrived();
        let mut starts = Vec::new();
        let mut start = base;
        for level in levels.iter() {
            starts.push(start);
            start += level.rows;
        }
        let places: Vec<HashMap<String, usize>> = order
            .iter()
            .map(|(at, level)| {
                let start = starts.get(*at).copied().unwrap_or(base);
                let rows = level.by_groups().into_iter();
                rows.map(|(key, row)| (key, start + row)).collect()
            })
            .collect();
        let mut rows: Vec<u32> = Vec::with_capacity(count + start - base);
        let mut put = |row: usize| rows.extend(u32::try_from(row));
        for (at, &row) in sorted.iter().enumerate() {
            put(table.arrived_row(row));
            let next = sorted.get(at + 1).map(|&next| rank(next));
            let here = rank(row);
            // The innermost group that ends here comes first.
            for (depth, (_, level)) in order.iter().enumerate().rev() {
                let ends = next
                    .as_ref()
                    .is_none_or(|next| next.get(..=depth) != here.get(..=depth));
                if let Some(&subtotal) = places
                    .get(depth)
                    .filter(|_| ends)
                    .and_then(|places| places.get(&keys(level, row)))
                {
                    put(subtotal);
                }
            }
        }
        Grouped { rows, base, levels }
    }
}

impl Grouped {
    /// Rows and subtotals.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn row(&self, position: usize) -> usize {
        self.rows
            .get(position)
            .map_or(usize::MAX, |&row| row as usize)
    }

    fn find(&self, row: usize) -> Option<(&Level, usize)> {
        let mut at = row.checked_sub(self.base)?;
        for level in self.levels.iter() {
            if at < level.rows {
                return Some((level, at));
            }
            at -= level.rows;
        }
        None
    }

    /// By how many groups a row is a subtotal, if it is one.
    pub(super) fn level(&self, row: usize) -> Option<usize> {
        self.find(row).map(|(level, _)| level.groups.len())
    }

    pub(super) fn cell(&self, row: usize, column: usize) -> Option<(&dyn Array, usize)> {
        let (level, at) = self.find(row)?;
        Some((level.cell(column)?, at))
    }

    pub(super) fn is_absent(&self, row: usize, column: usize) -> bool {
        self.find(row)
            .is_some_and(|(level, _)| level.cell(column).is_none())
    }
}
