//! Comma-separated values after RFC 4180, with `\n` line ends. NULL is an empty field, an empty text is `""`.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::Printer;
use crate::compile::Compiled;
use crate::session::cell::{csv_field, raw_text};

pub struct Csv;

impl Printer for Csv {
    fn start(&mut self, out: &mut dyn Write, compiled: &Compiled) -> io::Result<()> {
        let names = compiled
            .main
            .columns
            .iter()
            .map(|column| Some(column.name.clone()));
        write_record(out, names)
    }

    fn batch(&mut self, out: &mut dyn Write, _: &Compiled, batch: &RecordBatch) -> io::Result<()> {
        (0..batch.num_rows()).try_for_each(|row| {
            write_record(
                out,
                batch
                    .columns()
                    .iter()
                    .map(|column| raw_text(column.as_ref(), row)),
            )
        })
    }
}

fn write_record(
    out: &mut dyn Write,
    fields: impl Iterator<Item = Option<String>>,
) -> io::Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        out.write_all(csv_field(field, ',').as_bytes())?;
    }
    out.write_all(b"\n")
}
