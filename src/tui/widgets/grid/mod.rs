//! The result grid: streams in Arrow batches, draws only what is visible, and never copies a row.

mod copy;
mod draw;
mod find;
mod header;
mod layout;
mod mark;
mod navigate;
mod sort;
mod table;
mod widths;

pub use copy::{Copied, Copy, CopyFormat};
pub use find::{Find, Found, Heading};
pub use mark::Block;
pub use sort::{SortJob, SortedOrder};
pub use table::Table;

use arrow_array::RecordBatch;
use ratatui::layout::Size;

use crate::compile::{OutputColumn, Role};
use crate::model::Direction;
use crate::session::cell::{CellText, cell_detail, cell_text};

use find::Needle;
use mark::Mark;
use widths::Widths;

/// The label of the totals row.
const TOTAL: &str = "Total";

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
    totals: Option<Vec<CellText>>,
    widths: Widths,
    progress: Progress,
    frozen: usize,
    selected: Selected,
    top: usize,
    left: usize,
    size: Size,
    needle: Option<Needle>,
    mark: Option<Mark>,
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
            frozen: columns.iter().take_while(is_group).count(),
            table: Table::new(columns),
            totals: None,
            progress: Progress::Streaming,
            selected: Selected::default(),
            top: 0,
            left: 0,
            size: Size::default(),
            needle: None,
            mark: None,
        }
    }

    /// Takes a batch of rows; its arrays are shared, not copied.
    pub fn push(&mut self, batch: RecordBatch) {
        self.widths.grow(self.table.columns(), &batch);
        self.table.push(batch);
    }

    /// Takes the engine's totals: one row, whose columns are found by name in the grid. Without a group column to
    /// carry the label there is nothing that they would be the total of, and they are not shown.
    pub fn set_totals(&mut self, columns: &[OutputColumn], batch: &RecordBatch) {
        let total = |column: &OutputColumn| {
            let at = columns.iter().position(|total| total.name == column.name)?;
            Some(cell_text(batch.columns().get(at)?, 0, column))
        };
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
        for (column, cell) in self.totals.iter().flatten().enumerate() {
            self.widths.grow_for(column, &cell.text);
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
        let (array, index) = self.table.cell(row, column)?;
        let column = self.selected_column()?;
        Some((column, cell_detail(array, index, column)))
    }

    /// Keeps the columns up to the selected one in place when scrolling to the right, as far as they leave half of the
    /// width to the others; if it is the last frozen one, none are kept any more.
    pub fn freeze(&mut self) {
        let columns = self.selected.column + 1;
        self.frozen = if self.frozen == columns { 0 } else { columns };
    }

    /// Makes the selected column wider (narrower).
    pub fn resize_column(&mut self, by: i16) {
        self.widths.resize(self.selected.column, by);
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

    /// Back to the order of arrival.
    pub fn unsort(&mut self) {
        self.table.set_order(None);
        self.mark = None;
        self.to_first_row();
    }

    /// Whether rows came after the sorting, which are shown unsorted at the end: time for another [`Grid::sort_request`].
    pub fn sort_is_stale(&self) -> bool {
        self.table
            .order()
            .is_some_and(|order| order.len() < self.table.rows())
    }

    /// A search from the selected cell on, to be stepped through here or on another thread.
    pub fn find(&self, text: &str, heading: Heading) -> Find {
        let Selected { row, column } = self.selected;
        Find::new(self.table.clone(), text, (row, column), heading)
    }

    /// Marks a text wherever it is displayed; an empty one marks nothing.
    pub fn highlight(&mut self, text: &str) {
        self.needle = (!text.is_empty()).then(|| Needle::new(text));
    }
}
