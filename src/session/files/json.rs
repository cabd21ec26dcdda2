//! JSON: one object for a whole result, or one object per row.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Ending, Printer};
use crate::compile::{Compiled, OutputColumn, Role};
use crate::session::cell::raw_json;

/// `{query, columns, rows, totals, truncated, sql, provenance, ms}`, written at the end, so that a run that fails prints
/// nothing; provenance only in files. Until then the rows stay in columns, which takes a fraction of the memory.
#[derive(Default)]
pub struct Json {
    batches: Vec<RecordBatch>,
}

impl Printer for Json {
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
        writeln!(out, "{{")?;
        member(out, "query", &compiled.query.to_string())?;
        member(out, "columns", &columns_json(columns))?;
        write!(out, "  \"rows\": [")?;
        let mut separator = "\n";
        for batch in &self.batches {
            for row in 0..batch.num_rows() {
                write!(out, "{separator}    ")?;
                serde_json::to_writer(&mut *out, &object(columns, batch, row))?;
                separator = ",\n";
            }
        }
        writeln!(out, "\n  ],")?;
        if let (Some(row), Some(statement)) = (&ending.totals, compiled.total()) {
            member(out, "totals", &object(&statement.columns, row, 0))?;
        }
        member(out, "truncated", &ending.run.truncated)?;
        member(out, "sql", &compiled.main.sql)?;
        if let Some(provenance) = &ending.provenance {
            member(out, "provenance", provenance)?;
        }
        writeln!(out, "  \"ms\": {}\n}}", ending.run.elapsed.as_millis())
    }
}

fn member(out: &mut dyn Write, name: &str, value: &impl Serialize) -> io::Result<()> {
    write!(out, "  \"{name}\": ")?;
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out, ",")
}

/// One object per row.
pub struct NdJson;

impl Printer for NdJson {
    fn batch(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        (0..batch.num_rows()).try_for_each(|row| {
            serde_json::to_writer(&mut *out, &object(&compiled.main.columns, batch, row))?;
            writeln!(out)
        })
    }
}

fn object(columns: &[OutputColumn], batch: &RecordBatch, row: usize) -> Value {
    let names = columns.iter().map(|column| column.name.clone());
    Value::Object(names.zip(row_values(batch, row)).collect::<Map<_, _>>())
}

/// The cells of one row, in order.
pub fn row_values(batch: &RecordBatch, row: usize) -> impl Iterator<Item = Value> {
    batch
        .columns()
        .iter()
        .map(move |column| raw_json(column.as_ref(), row))
}

/// `[{name, label, type, role}]`
pub fn columns_json(columns: &[OutputColumn]) -> Value {
    let column = |column: &OutputColumn| {
        json!({
            "name": column.name,
            "label": column.label,
            "type": column.ty,
            "role": role_word(column.role),
        })
    };
    columns.iter().map(column).collect()
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Group => "group",
        Role::Metric => "metric",
        Role::Prior => "prior",
        Role::Change => "change",
        Role::ChangePercent => "change_percent",
        Role::Figure(_) => "figure",
        Role::Bound => "bound",
    }
}
