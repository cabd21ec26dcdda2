//! Markdown tables, for documents; a file says below the table where the rows come from.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::{Ending, Printer, Provenance, cells, total_cells};
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
        ending: &Ending,
    ) -> io::Result<()> {
        let bold = |cell: String| {
            if cell.is_empty() {
                cell
            } else {
                format!("**{cell}**")
            }
        };
        if let Some(total) = total_cells(compiled, ending) {
            line(out, total.into_iter().map(bold))?;
        }
        match &ending.provenance {
            Some(provenance) => about(out, provenance),
            None => Ok(()),
        }
    }
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

fn about(out: &mut dyn Write, provenance: &Provenance) -> io::Result<()> {
    writeln!(out)?;
    for (name, text) in provenance.pairs() {
        match name {
            "sql" => writeln!(out, "\n```sql\n{}\n```", text.trim_end())?,
            // The line break keeps each on a line of its own.
            _ => writeln!(
                out,
                "{}: {}  ",
                name.replace('_', " "),
                text.replace('\n', "; ")
            )?,
        }
    }
    Ok(())
}
