//! Tables for people: aligned columns on the terminal, or Markdown.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use unicode_width::UnicodeWidthStr;

use super::{Printer, Summary};
use crate::cli::style::Style;
use crate::compile::{Compiled, OutputColumn};
use crate::session::cell::{aligns_right, cell_text, sanitize};

/// Collects all rows, since the widest cell sets the width of a column.
pub struct Table {
    rows: Vec<Vec<String>>,
    style: Style,
    markdown: bool,
}

impl Table {
    pub fn new(style: Style) -> Self {
        Self {
            rows: Vec::new(),
            style,
            markdown: false,
        }
    }

    pub fn markdown() -> Self {
        Self {
            rows: Vec::new(),
            style: Style::plain(),
            markdown: true,
        }
    }
}

impl Printer for Table {
    fn batch(
        &mut self,
        _: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        self.rows
            .extend((0..batch.num_rows()).map(|row| cells(&compiled.main.columns, batch, row)));
        Ok(())
    }

    fn finish(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        summary: &Summary,
    ) -> io::Result<()> {
        let columns = &compiled.main.columns;
        let total = match (&summary.totals, &compiled.totals) {
            (Some(row), Ok(statement)) => Some(total_row(
                columns,
                &cells(&statement.columns, row, 0),
                &statement.columns,
            )),
            _ => None,
        };
        if self.markdown {
            self.write_markdown(out, columns, total)
        } else {
            self.write_table(out, columns, total)
        }
    }
}

impl Table {
    fn write_table(
        &self,
        out: &mut dyn Write,
        columns: &[OutputColumn],
        total: Option<Vec<String>>,
    ) -> io::Result<()> {
        let names: Vec<String> = columns
            .iter()
            .map(|column| sanitize(&column.name).into_owned())
            .collect();
        let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
        for row in self.rows.iter().chain(&total) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let line = |cells: &[String]| {
            let padded = cells
                .iter()
                .zip(columns)
                .zip(&widths)
                .map(|((cell, column), width)| {
                    let space = " ".repeat(width.saturating_sub(cell.width()));
                    if aligns_right(column) {
                        format!("{space}{cell}")
                    } else {
                        format!("{cell}{space}")
                    }
                });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let rule = widths
            .iter()
            .map(|width| "─".repeat(*width))
            .collect::<Vec<_>>()
            .join("  ");
        writeln!(out, "{}", self.style.bold(line(&names)))?;
        writeln!(out, "{}", self.style.dim(&rule))?;
        for row in &self.rows {
            writeln!(out, "{}", line(row))?;
        }
        if let Some(total) = total {
            writeln!(
                out,
                "{}\n{}",
                self.style.dim(&rule),
                self.style.bold(line(&total))
            )?;
        }
        Ok(())
    }

    fn write_markdown(
        &self,
        out: &mut dyn Write,
        columns: &[OutputColumn],
        total: Option<Vec<String>>,
    ) -> io::Result<()> {
        let mut line = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
            writeln!(out, "| {} |", cells.join(" | "))
        };
        line(
            &mut columns
                .iter()
                .map(|column| sanitize(&column.name).into_owned()),
        )?;
        let rule = |column| if aligns_right(column) { "---:" } else { "---" };
        line(&mut columns.iter().map(|column| rule(column).to_owned()))?;
        for row in &self.rows {
            line(&mut row.iter().cloned())?;
        }
        if let Some(total) = total {
            line(&mut total.into_iter().map(|cell| {
                if cell.is_empty() {
                    cell
                } else {
                    format!("**{cell}**")
                }
            }))?;
        }
        Ok(())
    }
}

fn cells(columns: &[OutputColumn], batch: &RecordBatch, row: usize) -> Vec<String> {
    let text = |(index, column): (usize, &OutputColumn)| match batch.columns().get(index) {
        Some(array) => cell_text(array.as_ref(), row, column).text,
        None => String::new(),
    };
    columns.iter().enumerate().map(text).collect()
}

/// The totals under the columns they belong to, with the word "total" in the first free one.
fn total_row(columns: &[OutputColumn], totals: &[String], of: &[OutputColumn]) -> Vec<String> {
    let find = |column: &OutputColumn| {
        of.iter()
            .position(|total| total.name == column.name)
            .and_then(|at| totals.get(at))
    };
    let mut row: Vec<String> = columns
        .iter()
        .map(|column| find(column).cloned().unwrap_or_default())
        .collect();
    if let Some(free) = row.iter_mut().find(|cell| cell.is_empty()) {
        *free = "total".to_owned();
    }
    row
}
