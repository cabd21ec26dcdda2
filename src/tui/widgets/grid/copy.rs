//! Copying out of a grid: a cell, a row, a column, a block or everything, as TSV, CSV, Markdown or JSON.

use serde_json::{Map, Value};

use super::mark::Block as Marked;
use super::table::Table;
use crate::session::cell::{self, aligns_right, raw_json, raw_text};

/// What to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copy {
    /// One cell: the bare value.
    Cell {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// One row, with a header.
    Row(usize),
    /// One column, with a header.
    Column(usize),
    /// A block of cells, with a header.
    Block(Marked),
    /// Everything, with a header.
    All,
}

/// How to write it. TSV, CSV and JSON carry full precision under the names of the query, Markdown what is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tabs between cells, quoted as in CSV: what spreadsheets paste.
    Tsv,
    /// RFC 4180. NULL is an empty field, the empty text is `""`.
    Csv,
    /// A table.
    Markdown,
    /// An object for each row; a column is an array of values, a cell a value.
    Json,
}

/// A copied text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The text.
    pub text: String,
    /// Rows it holds.
    pub rows: usize,
    /// Rows left out because of the cap: to be announced.
    pub left_out: usize,
}

impl Table {
    /// Copies, at most `cap` rows. The rows are in the order on the screen, the totals are not among them.
    pub fn copy(&self, what: Copy, format: CopyFormat, cap: usize) -> Copied {
        if matches!(what, Copy::Column(_) | Copy::All) && self.has_subtotals() {
            return self.without_subtotals().copy(what, format, cap);
        }
        let all = || (0..self.columns().len()).collect();
        let (first, wanted, mut columns) = match &what {
            Copy::Cell { row, column } => (*row, 1, vec![*column]),
            Copy::Row(row) => (*row, 1, all()),
            Copy::Column(column) => (0, self.rows(), vec![*column]),
            Copy::Block(block) => (block.rows.0, block.size().0, block.columns.clone()),
            Copy::All => (0, self.rows(), all()),
        };
        columns.retain(|&column| column < self.columns().len());
        let rows = wanted.min(self.rows().saturating_sub(first)).min(cap);
        let block = Block {
            table: self,
            rows: first..first + rows,
            columns,
        };
        let text = match (format, &what) {
            (CopyFormat::Json, what) => block.json(what),
            (CopyFormat::Markdown, Copy::Cell { .. }) => block.bare(|table, row, column| {
                let mut text = String::new();
                table.read(row, column, &mut text);
                text
            }),
            (_, Copy::Cell { .. }) => {
                block.bare(|table, row, column| table.raw(row, column).unwrap_or_default())
            }
            (CopyFormat::Markdown, _) => block.markdown(),
            (CopyFormat::Csv, _) => block.separated(','),
            (CopyFormat::Tsv, _) => block.separated('\t'),
        };
        Copied {
            text,
            rows,
            left_out: wanted - rows,
        }
    }

    fn raw(&self, row: usize, column: usize) -> Option<String> {
        let (array, index) = self.cell(row, column)?;
        raw_text(array, index)
    }

    fn json(&self, row: usize, column: usize) -> Value {
        self.cell(row, column)
            .map_or(Value::Null, |(array, index)| raw_json(array, index))
    }
}

struct Block<'a> {
    table: &'a Table,
    rows: std::ops::Range<usize>,
    columns: Vec<usize>,
}

impl Block<'_> {
    fn specs(&self) -> impl Iterator<Item = &crate::compile::OutputColumn> {
        self.columns
            .iter()
            .filter_map(|&column| self.table.columns().get(column))
    }

    fn bare(&self, read: impl Fn(&Table, usize, usize) -> String) -> String {
        match (self.rows.clone().next(), self.columns.first()) {
            (Some(row), Some(&column)) => read(self.table, row, column),
            _ => String::new(),
        }
    }

    fn separated(&self, separator: char) -> String {
        let mut out = String::new();
        let names = self.specs().map(|column| Some(column.name.clone()));
        push_line(&mut out, separator, names);
        for row in self.rows.clone() {
            push_line(
                &mut out,
                separator,
                self.columns
                    .iter()
                    .map(|&column| self.table.raw(row, column)),
            );
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = String::from("|");
        for column in self.specs() {
            push_markdown(&mut out, &cell::sanitize(&column.label));
        }
        out.push_str("\n|");
        for column in self.specs() {
            out.push_str(if aligns_right(column) {
                " ---: |"
            } else {
                " --- |"
            });
        }
        out.push('\n');
        let mut text = String::new();
        for row in self.rows.clone() {
            out.push('|');
            for &column in &self.columns {
                self.table.read(row, column, &mut text);
                push_markdown(&mut out, &text);
            }
            out.push('\n');
        }
        out
    }

    fn json(&self, what: &Copy) -> String {
        let value = match what {
            Copy::Cell { row, column } => self.table.json(*row, *column),
            Copy::Row(row) => self.object(*row),
            Copy::Column(column) => self
                .rows
                .clone()
                .map(|row| self.table.json(row, *column))
                .collect(),
            Copy::Block(_) | Copy::All => self.rows.clone().map(|row| self.object(row)).collect(),
        };
        format!("{value:#}")
    }

    fn object(&self, row: usize) -> Value {
        let names = self.specs().map(|column| column.name.clone());
        let values = self
            .columns
            .iter()
            .map(|&column| self.table.json(row, column));
        Value::Object(names.zip(values).collect::<Map<_, _>>())
    }
}

fn push_line(out: &mut String, separator: char, fields: impl Iterator<Item = Option<String>>) {
    for (i, field) in fields.enumerate() {
        if i > 0 {
            out.push(separator);
        }
        out.push_str(&cell::csv_field(field, separator));
    }
    out.push('\n');
}

fn push_markdown(out: &mut String, text: &str) {
    out.push(' ');
    out.push_str(&text.replace('\\', "\\\\").replace('|', "\\|"));
    out.push_str(" |");
}
