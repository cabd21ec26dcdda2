//! The result grid: streams in Arrow batches, draws only what is visible, and never copies a row.

mod columns;
mod copy;
mod draw;
mod filter;
mod find;
mod header;
mod layout;
mod looks;
mod mark;
mod navigate;
mod pattern;
mod pivot;
mod pivot_totals;
mod sort;
mod subtotals;
mod table;
mod trend;
mod widths;

pub use columns::Arrangement;
pub use copy::{Copied, Copy, CopyFormat};
pub use filter::{FilterJob, Filtered, Kept, RowFilter};
pub use find::{Find, Found, Heading};
pub use looks::{Look, Switch};
pub use mark::Block;
pub use pattern::Pattern;
pub use pivot::{PivotJob, Pivoted, Sources};
pub use pivot_totals::PivotTotals;
pub use sort::{SortJob, SortedOrder};
pub use subtotals::{GroupJob, Grouped, Level};
pub use table::Table;
pub use trend::Trend;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use jiff::civil::Date;
use ratatui::layout::Size;

use crate::compile::{OutputColumn, Role};
use crate::model::Direction;
use crate::session::cell::{CellText, cell_detail, cell_text};

use columns::Columns;
use looks::Scale;
use mark::Mark;
use widths::{NARROWEST, Widths};

/// The label of the totals row.
const TOTAL: &str = "Total";
/// The sign of a period that is not complete.
pub const PARTIAL: &str = "◔";

/// Whether more rows will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Yes.
    Streaming,
    /// No, these are all.
    Complete,
    /// No, but the result has more: it was cut at the row cap.
    Cut,
    /// No, but perhaps the result has more: it was cancelled or failed on the way.
    Stopped,
}

/// A result on the screen: its rows so far, where the reader is, how the columns are arranged.
#[derive(Debug, Clone)]
pub struct Grid {
    table: Table,
    columns: Columns,
    totals: Option<Vec<CellText>>,
    total_cells: Vec<Option<ArrayRef>>,
    widths: Widths,
    scales: Vec<Option<Scale>>,
    looks: Vec<Look>,
    trend: Option<Arc<Trend>>,
    levels: Option<Arc<Vec<Level>>>,
    partial: Option<(usize, Vec<Date>)>,
    flat: Option<Box<Grid>>,
    /// Columns before those of the totals of a pivoted result, where they are shown.
    untotalled: Option<usize>,
    progress: Progress,
    frozen: usize,
    selected: Selected,
    top: usize,
    /// Columns that are out of sight to the left, behind the frozen ones.
    scrolled: usize,
    size: Size,
    needle: Option<Pattern>,
    mark: Option<Mark>,
    /// Whether what is drawn beside numbers is ASCII.
    plain_signs: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Selected {
    row: usize,
    column: usize,
}

impl Grid {
    /// An empty grid that waits for rows; the columns that group are frozen.
    pub fn new(columns: Vec<OutputColumn>) -> Self {
        let is_group = |column: &&OutputColumn| column.role == Role::Group;
        Self {
            widths: Widths::new(&columns),
            columns: Columns::new(columns.len()),
            scales: vec![None; columns.len()],
            looks: vec![Look::default(); columns.len()],
            trend: None,
            levels: None,
            partial: None,
            flat: None,
            untotalled: None,
            frozen: columns.iter().take_while(is_group).count(),
            table: Table::new(columns),
            totals: None,
            total_cells: Vec::new(),
            progress: Progress::Streaming,
            selected: Selected::default(),
            top: 0,
            scrolled: 0,
            size: Size::default(),
            needle: None,
            mark: None,
            plain_signs: false,
        }
    }

    /// Takes a batch of rows; its arrays are shared, not copied.
    pub fn push(&mut self, batch: RecordBatch) {
        for (scale, array) in self.scales.iter_mut().zip(batch.columns()) {
            *scale = Scale::grow(*scale, array);
        }
        self.widths.grow(self.table.columns(), &batch, &self.scales);
        self.table.push(batch);
    }

    /// Takes the engine's totals: one row, whose columns are found by name in the grid. Without a group column to
    /// carry the label there is nothing that they would be the total of, and they are not shown.
    pub fn set_totals(&mut self, columns: &[OutputColumn], batch: &RecordBatch) {
        let array = |column: &OutputColumn| {
            let at = columns.iter().position(|total| total.name == column.name)?;
            batch.columns().get(at).map(Arc::clone)
        };
        let total = |column: &OutputColumn| Some(cell_text(&array(column)?, 0, column));
        let blank = |text: &str| CellText {
            text: text.to_owned(),
            is_null: false,
            align_right: false,
        };
        let found: Vec<Option<CellText>> = self.table.columns().iter().map(total).collect();
        let is_row = batch.num_rows() == 1 && matches!(found.first(), Some(None));
        self.totals = is_row.then(|| {
            let cells = found.into_iter().enumerate();
            cells
                .map(|(i, cell)| cell.unwrap_or_else(|| blank(if i == 0 { TOTAL } else { "" })))
                .collect()
        });
        self.total_cells = self.table.columns().iter().map(array).collect();
        let cells = self.totals.iter().flatten().zip(self.table.columns());
        for (at, (cell, column)) in cells.enumerate() {
            self.widths.grow_for(at, column, &cell.text);
        }
    }

    /// Says whether more rows will come.
    pub fn set_progress(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Whether more rows will come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The rows, to be copied from here or on another thread.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// All rows of the query's result, also those that a filter hides and however they are pivoted; sorted as they are
    /// here where neither is so.
    pub fn whole_table(&self) -> Table {
        match &self.flat {
            Some(flat) => flat.whole_table(),
            None if self.table.kept().is_some() => self.table.as_arrived(),
            None => self.table.without_subtotals(),
        }
    }

    /// The selected row and column, if there is a row.
    pub fn selected(&self) -> Option<(usize, usize)> {
        let Selected { row, column } = self.selected;
        (row < self.table.rows()).then_some((row, column))
    }

    /// The selected column, even if there is no row.
    pub fn selected_column(&self) -> Option<&OutputColumn> {
        self.table.columns().get(self.selected.column)
    }

    /// All that can be said about the selected cell: its column and its full value with the unit.
    pub fn selected_detail(&self) -> Option<(&OutputColumn, String)> {
        let (row, column) = self.selected()?;
        let spec = self.selected_column()?;
        Some((spec, self.detail(row, column)?))
    }

    /// All that can be said about a cell: its full value with the unit.
    pub fn detail(&self, row: usize, column: usize) -> Option<String> {
        if self.table.is_absent(row, column) {
            return Some("there is no value at this grain".to_owned());
        }
        let (array, index) = self.table.cell(row, column)?;
        Some(cell_detail(array, index, self.table.columns().get(column)?))
    }

    /// Keeps the columns up to the selected one in place when scrolling to the right, as far as they leave half of the
    /// width to the others; if it is the last frozen one, none are kept any more.
    pub fn freeze(&mut self) {
        let columns = self.columns.place(self.selected.column) + 1;
        self.frozen = if self.frozen == columns { 0 } else { columns };
        self.scrolled = 0;
    }

    /// Makes the selected column wider (narrower).
    pub fn resize_column(&mut self, by: i16) {
        let now = self.column_width(self.selected.column);
        self.widths.resize(self.selected.column, now, by);
    }

    /// The direction a press of the sort key asks for next: descending for what is unsorted, as the largest is looked
    /// for most, then ascending, then the order of arrival.
    pub fn next_direction(&self, column: usize) -> Option<Direction> {
        match self.table.order() {
            Some(order) if order.column == column => match order.direction {
                Direction::Descending => Some(Direction::Ascending),
                Direction::Ascending => None,
            },
            _ => Some(Direction::Descending),
        }
    }

    /// The work of sorting by a column, for [`SortJob::run`] on another thread; `None` if there is no such column.
    pub fn sort_request(&self, column: usize, direction: Direction) -> Option<SortJob> {
        SortJob::new(&self.table, column, direction)
    }

    /// Shows the rows in a new order, from the first one on. An order of another result is refused with `false`.
    pub fn apply(&mut self, order: SortedOrder) -> bool {
        let fits = order.len() <= self.table.rows() && order.column < self.table.columns().len();
        if fits {
            self.table.set_order(Some(order));
            self.mark = None;
            self.to_first_row();
        }
        fits
    }

    /// The work of showing only some rows, for another thread; no text shows all of them.
    pub fn filter_request(&mut self, text: &str) -> Option<FilterJob> {
        if text.is_empty() {
            let sort = self.table.kept().and(self.table.order());
            let sort = sort.map(|order| (order.column, order.direction));
            if sort.is_none() {
                if self.table.kept().is_some() {
                    self.table.set_kept(None, None);
                    self.mark = None;
                    self.to_first_row();
                }
                return None;
            }
        }
        let shown = self.columns.shown().to_vec();
        Some(FilterJob::new(self.table.without_subtotals(), shown, text))
    }

    /// Shows only the rows that a filter keeps. Those of another result are refused with `false`.
    pub fn filter(&mut self, filtered: Filtered) -> bool {
        let fits = filtered.kept.of <= self.table.arrived();
        if fits {
            let Filtered { kept, order } = filtered;
            let kept = (!kept.text.is_empty()).then_some(kept);
            self.table.set_kept(kept, order);
            self.mark = None;
            self.to_first_row();
        }
        fits
    }

    /// Takes the subtotals of the rows, or none.
    pub fn set_subtotals(&mut self, levels: Option<Vec<Level>>) {
        let columns = self.table.columns();
        for level in levels.iter().flatten() {
            for (at, column) in columns.iter().enumerate() {
                if let Some(array) = level.array(at) {
                    self.widths.grow_for_numbers(at, column, array);
                }
            }
        }
        self.levels = levels.map(Arc::new);
        self.table.set_grouped(None);
        self.mark = None;
        self.settle();
    }

    /// Whether subtotals are wanted, even where a filter hides them.
    pub fn wants_subtotals(&self) -> bool {
        self.levels.is_some()
    }

    /// The work of putting the subtotals between the rows as they are now; a filter hides them, as they are of all rows.
    pub fn group_request(&self) -> Option<GroupJob> {
        let levels = self
            .levels
            .clone()
            .filter(|_| self.table.kept().is_none())?;
        Some(GroupJob {
            table: self.table.clone(),
            levels,
        })
    }

    /// Puts subtotals between the rows.
    pub fn group(&mut self, grouped: Grouped) {
        if self.levels.is_some() {
            self.table.set_grouped(Some(grouped));
            self.mark = None;
            self.settle();
        }
    }

    /// Says which periods of the time column are not complete, by their first day.
    pub fn set_partial(&mut self, column: usize, days: Vec<Date>) {
        self.partial = Some((column, days)).filter(|(_, days)| !days.is_empty());
    }

    /// Back to the order of arrival.
    pub fn unsort(&mut self) {
        self.table.set_order(None);
        self.mark = None;
        self.to_first_row();
    }

    /// Whether rows came after the filtering, which are not shown.
    pub fn filter_is_stale(&self) -> bool {
        self.table
            .kept()
            .is_some_and(|kept| kept.of < self.table.arrived())
    }

    /// Whether rows came after the sorting, which are shown unsorted at the end: time for another [`Grid::sort_request`].
    pub fn sort_is_stale(&self) -> bool {
        let rows = match self.table.kept() {
            Some(kept) => kept.len(),
            None => self.table.arrived(),
        };
        self.table.order().is_some_and(|order| order.len() < rows)
    }

    /// A search from the selected cell on, to be stepped through here or on another thread.
    pub fn find(&self, text: &str, heading: Heading) -> Find {
        let Selected { row, column } = self.selected;
        let from = (row, self.columns.place(column));
        let shown = self.columns.shown().to_vec();
        Find::new(self.table.clone(), shown, text, from, heading)
    }

    /// Marks a text wherever it is displayed; an empty one marks nothing.
    pub fn highlight(&mut self, text: &str) {
        self.needle = (!text.is_empty()).then(|| Pattern::new(text));
    }
}
