//! The result, row by row, and its chart in words.

use super::say::{Listed, PAGE, Said, Wants, counted, more};
use crate::compile::{OutputColumn, Role};
use crate::model::Direction;
use crate::session;
use crate::session::cell::sanitize;
use crate::tui::charting::Shown;
use crate::tui::state::{Focus, Phase, State};
use crate::tui::view::chart_position;
use crate::tui::widgets::grid::{Grid, PARTIAL};

/// Which rows and columns there are to read, and how they lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    columns: Vec<(usize, bool)>,
    kept: Option<String>,
    order: Option<(usize, Direction)>,
    has_subtotals: bool,
    is_pivoted: bool,
    totals: Option<Vec<String>>,
}

impl View {
    fn of(grid: &Grid) -> Self {
        let table = grid.table();
        let shown = grid.shown_columns().iter();
        Self {
            columns: shown.map(|at| (*at, grid.look(*at).short)).collect(),
            kept: table.kept().map(|kept| kept.text.clone()),
            order: table.order().map(|order| (order.column, order.direction)),
            has_subtotals: table.has_subtotals(),
            is_pivoted: grid.is_pivoted(),
            totals: grid.totals_row(),
        }
    }
}

impl Said {
    /// The rows that are new, or that lie otherwise; the next ones; the cell that was gone to.
    pub(super) fn result(&mut self, state: &State, wants: Wants, lines: &mut Vec<String>) {
        let result = &state.result;
        let is_new = result.generation != self.run && !result.is_running();
        if is_new {
            self.run = result.generation;
            self.from = 0;
            if let Phase::Failed(error) = &result.phase {
                lines.push(format!("The run failed: {}", sanitize(&error.message)));
                lines.extend(error.hint().map(|hint| sanitize(hint).into_owned()));
            }
        }
        let Some(grid) = &result.grid else { return };
        let view = View::of(grid);
        let is_done = matches!(result.phase, Phase::Done(_));
        let before = std::mem::replace(&mut self.view, view);
        let is_other = before != self.view;
        let is_read = (is_new && is_done) || (is_other && !is_new);
        if is_read {
            self.from = 0;
            self.listed = Listed::Rows;
            lines.push(heading(state, grid));
        }
        let is_more = wants == Wants::More && self.listed == Listed::Rows;
        if is_read || is_new || is_more {
            page(grid, &mut self.from, lines);
            if is_more && self.from >= grid.table().rows() {
                lines.push("These are all rows.".to_owned());
            }
        }
        if is_new || before.totals != self.view.totals {
            lines.extend(total_line(state, grid));
        }
        if is_new {
            let compiled = result.compiled.as_deref();
            lines.extend(compiled.map(session::notes).unwrap_or_default());
        }
        if is_read {
            self.selected = grid.selected();
        }
        let has_moved = grid.selected() != self.selected;
        self.selected = grid.selected();
        if wants == Wants::Row {
            lines.extend(grid.selected().map(|(row, _)| row_line(grid, row)));
        } else if has_moved || (wants == Wants::Here && state.focus == Focus::Result) {
            lines.extend(cell_line(state, grid));
        }
        self.marks(grid, lines);
    }

    fn marks(&mut self, grid: &Grid, lines: &mut Vec<String>) {
        let marked = grid.marked().map_or((0, 0), |block| block.size());
        if marked != self.marked {
            lines.push(match marked {
                (0, 0) => "Nothing is marked.".to_owned(),
                (rows, columns) => format!(
                    "Marked: {}, {}.",
                    counted(rows, "row"),
                    counted(columns, "column")
                ),
            });
            self.marked = marked;
        }
    }

    /// The chart, where there is one: what it shows, and its numbers on empty lines.
    pub(super) fn chart(&mut self, state: &State, lines: &mut Vec<String>) {
        let charting = &state.result.chart;
        let (before, about) = std::mem::take(&mut self.chart);
        let (said, numbers) = match (&charting.drawn, charting.shown) {
            (None, _) | (_, Shown::Off) => (String::new(), Vec::new()),
            (Some(Err(reason)), _) => (format!("No chart: {reason}"), Vec::new()),
            (Some(Ok(chart)), _) => (chart.about().join("\n"), chart.numbers()),
        };
        if !said.is_empty() && said != about {
            lines.extend(said.lines().map(str::to_owned));
            if !numbers.is_empty() {
                lines.push("(its numbers on an empty line)".to_owned());
                self.rest = numbers;
            }
        }
        match (before, charting.shown) {
            (Shown::Beside, Shown::Instead) => {
                lines.push("The arrows go from mark to mark of the chart.".to_owned());
            }
            (Shown::Beside | Shown::Instead, Shown::Off) => {
                lines.push("The chart is read no more.".to_owned());
            }
            _ => {}
        }
        self.chart = (charting.shown, said);
    }
}

/// How many rows there are, of what, in which order.
pub(super) fn heading(state: &State, grid: &Grid) -> String {
    let table = grid.table();
    let columns = table.columns();
    let name = |at: &usize| columns.get(*at).map(column_name);
    let names: Vec<_> = grid.shown_columns().iter().filter_map(name).collect();
    let cut = match &state.result.phase {
        Phase::Done(run) if run.truncated => ", cut: there are more",
        _ => "",
    };
    let kept = match table.kept() {
        Some(kept) => format!(
            " of {} with {}",
            session::cell::thousands(table.arrived()),
            sanitize(&kept.text)
        ),
        None => String::new(),
    };
    let order = match table.order() {
        Some(order) => {
            let way = match order.direction {
                Direction::Ascending => "smallest first",
                Direction::Descending => "largest first",
            };
            let name = name(&order.column).unwrap_or_default();
            format!(" Sorted by {name}, {way}.")
        }
        None => String::new(),
    };
    let rows = match table.has_subtotals() {
        true => {
            let sums = table.rows().saturating_sub(table.arrived());
            let rows = counted(table.arrived(), "row");
            format!("{rows} and {}", counted(sums, "subtotal"))
        }
        false => counted(table.rows(), "row"),
    };
    format!("{rows}{kept}{cut}. Columns: {}.{order}", names.join(", "))
}

/// The next rows.
pub(super) fn page(grid: &Grid, from: &mut usize, lines: &mut Vec<String>) {
    let rows = grid.table().rows();
    let page = (*from).min(rows)..rows.min(*from + PAGE);
    lines.extend(page.map(|row| row_line(grid, row)));
    *from += PAGE;
    if rows > *from {
        lines.push(more(rows - *from));
    }
}

/// A row with the name before each value, since nobody hears which column a number stands in.
fn row_line(grid: &Grid, row: usize) -> String {
    let table = grid.table();
    let is_subtotal = table.is_subtotal(row);
    let mut line = format!("  {}.", row + 1);
    if is_subtotal {
        line.push_str(" Subtotal:");
    }
    let mut text = String::new();
    let mut comma = "";
    for &at in grid.shown_columns() {
        grid.read(row, at, &mut text);
        let column = table.columns().get(at);
        let name = column.map_or_else(String::new, column_name);
        line.push_str(&match (table.is_absent(row, at), is_subtotal) {
            (true, true) => format!("{comma} all of {name}"),
            (true, false) => format!("{comma} no {name}"),
            (false, _) => format!("{comma} {name} {text}"),
        });
        if grid.is_partial(row, at) {
            line.push_str(" (not complete)");
        }
        comma = ",";
    }
    line
}

/// The name of a column; a period that is pivoted into one may not be complete.
fn column_name(column: &OutputColumn) -> String {
    sanitize(&column.name).replace(PARTIAL, "(not complete)")
}

/// The cell under the cursor, or the mark of the chart.
fn cell_line(state: &State, grid: &Grid) -> Option<String> {
    let (row, _) = grid.selected()?;
    let row = row + 1;
    if let Some(mark) = chart_position(state, grid) {
        return Some(format!("Row {row}, {mark}"));
    }
    let (column, text) = grid.selected_detail()?;
    Some(format!("Row {row}, {}: {text}", sanitize(&column.name)))
}

/// The totals; without groupings there is no row of them, but there is a total.
fn total_line(state: &State, grid: &Grid) -> Option<String> {
    if let Some(totals) = grid.totals_row() {
        let columns = grid.table().columns();
        let total = |at: &usize| {
            let (text, column) = (totals.get(*at)?, columns.get(*at)?);
            let is_number = column.role != Role::Group && !text.is_empty();
            is_number.then(|| format!("{} {text}", column_name(column)))
        };
        let totals: Vec<String> = grid.shown_columns().iter().filter_map(total).collect();
        return Some(format!("Total: {}", totals.join(", ")));
    }
    if grid.is_pivoted() {
        return None;
    }
    let row = state.result.totals.as_ref()?;
    let columns = &state.result.compiled.as_ref()?.total()?.columns;
    let cells = session::files::cells(columns, row, 0).into_iter();
    let cells: Vec<String> = cells
        .zip(columns)
        .map(|(text, column)| format!("{} {text}", sanitize(&column.name)))
        .collect();
    Some(format!("Total: {}", cells.join(", ")))
}
