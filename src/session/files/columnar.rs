//! Parquet and Arrow IPC files: columns as they are in memory, provenance as `metrex.…` in the file's metadata.

use std::collections::HashMap;
use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{Ending, Printer, Provenance};
use crate::compile::Compiled;

/// Rows that are kept in memory until they are written as a group.
const GROUP: usize = 128 << 10;

/// Writes row groups; it needs a schema first, which comes with the first batch.
#[derive(Default)]
pub struct Parquet {
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl Printer for Parquet {
    fn batch(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        let batch = named(compiled, batch)?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(GROUP))
                    .build();
                let new = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties));
                none.insert(new.map_err(parquet_error)?)
            }
        };
        writer.write(&batch).map_err(parquet_error)?;
        out.write_all(&std::mem::take(writer.inner_mut()))
    }

    fn finish(&mut self, out: &mut dyn Write, _: &Compiled, ending: &Ending) -> io::Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        for (name, text) in metadata(ending.provenance.as_ref()) {
            writer.append_key_value_metadata(KeyValue::new(name, text));
        }
        let rest = writer.into_inner().map_err(parquet_error)?;
        out.write_all(&rest)
    }
}

/// Writes batches as they come.
#[derive(Default)]
pub struct Arrow {
    writer: Option<FileWriter<Vec<u8>>>,
}

impl Printer for Arrow {
    fn batch(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        let batch = named(compiled, batch)?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let new = FileWriter::try_new(Vec::new(), &batch.schema());
                none.insert(new.map_err(arrow_error)?)
            }
        };
        writer.write(&batch).map_err(arrow_error)?;
        out.write_all(&std::mem::take(writer.get_mut()))
    }

    fn finish(&mut self, out: &mut dyn Write, _: &Compiled, ending: &Ending) -> io::Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        for (name, text) in metadata(ending.provenance.as_ref()) {
            writer.write_metadata(name, text);
        }
        out.write_all(&writer.into_inner().map_err(arrow_error)?)
    }
}

/// The batch with the names of the query, and the query in its schema, where readers of Arrow look first.
fn named(compiled: &Compiled, batch: &RecordBatch) -> io::Result<RecordBatch> {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(&compiled.main.columns);
    let fields: Vec<_> = fields
        .map(|(field, column)| field.as_ref().clone().with_name(&column.name))
        .collect();
    let about = HashMap::from([
        ("metrex.query".to_owned(), compiled.query.to_string()),
        ("metrex.sql".to_owned(), compiled.main.sql.clone()),
    ]);
    let schema = Schema::new_with_metadata(fields, about);
    RecordBatch::try_new(schema.into(), batch.columns().to_vec()).map_err(arrow_error)
}

fn metadata(provenance: Option<&Provenance>) -> impl Iterator<Item = (String, String)> {
    let pairs = provenance.map(Provenance::pairs).unwrap_or_default();
    pairs
        .into_iter()
        .map(|(name, text)| (format!("metrex.{name}"), text))
}

fn arrow_error(error: ArrowError) -> io::Error {
    io::Error::other(error)
}

fn parquet_error(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
