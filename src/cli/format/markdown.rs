//! Markdown tables, for documents.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::{Printer, Summary, cells, total_cells};
use crate::compile::Compiled;
use crate::session::cell::{aligns_right, sanitize};

pub struct Markdown;

impl Printer for Markdown {
    fn start(&mut self, out: &mut dyn Write, compiled: &Compiled) -> io::Result<()> {
        let columns = &compiled.main.columns;
        let names = columns
            .iter()
            .map(|column| sanitize(&column.name).into_owned());
        line(out, names)?;
        let rule = |right| if right { "---:" } else { "---" };
        line(
            out,
            columns
                .iter()
                .map(|column| rule(aligns_right(column)).to_owned()),
        )
    }

    fn batch(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        (0..batch.num_rows())
            .try_for_each(|row| line(out, cells(&compiled.main.columns, batch, row).into_iter()))
    }

    fn finish(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        summary: &Summary,
    ) -> io::Result<()> {
        let bold = |cell: String| {
            if cell.is_empty() {
                cell
            } else {
                format!("**{cell}**")
            }
        };
        match total_cells(compiled, summary) {
            Some(total) => line(out, total.into_iter().map(bold)),
            None => Ok(()),
        }
    }
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(out, "| {} |", cells.join(" | "))
}
