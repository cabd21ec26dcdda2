//! JSON: one object for a whole result, or one object per row.

use std::io::{self, Write};

use arrow_array::RecordBatch;
use serde_json::{Map, Value, json};

use super::{Printer, Summary};
use crate::compile::{Compiled, OutputColumn, Role};
use crate::session::cell::raw_json;

/// `{query, columns, rows, totals, truncated, sql, ms}`
#[derive(Default)]
pub struct Json {
    rows: Vec<Value>,
}

impl Printer for Json {
    fn batch(
        &mut self,
        _: &mut dyn Write,
        compiled: &Compiled,
        batch: &RecordBatch,
    ) -> io::Result<()> {
        self.rows
            .extend((0..batch.num_rows()).map(|row| object(&compiled.main.columns, batch, row)));
        Ok(())
    }

    fn finish(
        &mut self,
        out: &mut dyn Write,
        compiled: &Compiled,
        summary: &Summary,
    ) -> io::Result<()> {
        let mut answer = json!({
            "query": compiled.query.to_string(),
            "columns": columns_json(&compiled.main.columns),
            "rows": std::mem::take(&mut self.rows),
            "truncated": summary.run.truncated,
            "sql": compiled.main.sql,
            "ms": summary.run.elapsed.as_millis() as u64,
        });
        if let (Some(row), Ok(statement), Some(answer)) =
            (&summary.totals, &compiled.totals, answer.as_object_mut())
        {
            answer.insert("totals".to_owned(), object(&statement.columns, row, 0));
        }
        serde_json::to_writer_pretty(&mut *out, &answer)?;
        writeln!(out)
    }
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
    }
}
