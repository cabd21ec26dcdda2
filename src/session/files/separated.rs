//! Separated values after RFC 4180, with `\n` line ends. NULL is an empty field, an empty text is `""`.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::Printer;
use crate::compile::Compiled;
use crate::session::cell::{csv_field, raw_text};

pub struct Separated {
    separator: char,
}

impl Separated {
    pub fn by(separator: char) -> Self {
        Self { separator }
    }

    fn record(
        &self,
        out: &mut dyn Write,
        fields: impl Iterator<Item = Option<String>>,
    ) -> io::Result<()> {
        for (index, field) in fields.enumerate() {
            if index > 0 {
                write!(out, "{}", self.separator)?;
            }
            out.write_all(csv_field(field, self.separator).as_bytes())?;
        }
        out.write_all(b"\n")
    }
}

impl Printer for Separated {
    fn start(&mut self, out: &mut dyn Write, compiled: &Compiled) -> io::Result<()> {
        let names = compiled
            .main
            .columns
            .iter()
            .map(|column| Some(column.name.clone()));
        self.record(out, names)
    }

    fn batch(&mut self, out: &mut dyn Write, _: &Compiled, batch: &RecordBatch) -> io::Result<()> {
        (0..batch.num_rows()).try_for_each(|row| {
            let cells = batch.columns().iter();
            self.record(out, cells.map(|column| raw_text(column.as_ref(), row)))
        })
    }
}
