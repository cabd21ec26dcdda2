//! Tables for people: aligned columns on the terminal.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use unicode_width::UnicodeWidthStr;

use crate::cli::style::Style;
use crate::compile::{Compiled, OutputColumn};
use crate::session::cell::{aligns_right, sanitize};
use crate::session::files::{Ending, Printer, cells, total_cells};

/// Printed at the end, since the widest cell sets the width of a column. Until then the rows stay in columns; texts are
/// made twice, which is cheaper than keeping them.
pub struct Table {
    batches: Vec<RecordBatch>,
    style: Style,
}

impl Table {
    pub fn new(style: Style) -> Self {
        Self {
            batches: Vec::new(),
            style,
        }
    }

    fn rows<'a>(&'a self, columns: &'a [OutputColumn]) -> impl Iterator<Item = Vec<String>> + 'a {
        self.batches
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).map(|row| cells(columns, batch, row)))
    }
}

impl Printer for Table {
    fn batch(&mut self, _: &mut dyn Write, _: &Compiled, batch: &RecordBatch) -> io::Result<()> {
        self.batches.push(batch.clone());
        Ok(())
    }

    fn finish(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        ending: &Ending,
    ) -> io::Result<()> {
        let columns = &compiled.main.columns;
        let names: Vec<String> = columns
            .iter()
            .map(|column| sanitize(&column.name).into_owned())
            .collect();
        let total = total_cells(compiled, ending);
        let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
        for row in self.rows(columns).chain(total.clone()) {
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
        let rule: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let rule = self.style.dim(rule.join("  "));
        writeln!(out, "{}\n{rule}", self.style.bold(line(&names)))?;
        for row in self.rows(columns) {
            writeln!(out, "{}", line(&row))?;
        }
        match total {
            Some(total) => writeln!(out, "{rule}\n{}", self.style.bold(line(&total))),
            None => Ok(()),
        }
    }
}
