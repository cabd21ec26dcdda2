//! Loading into PostgreSQL: tables created, filled by COPY and indexed in one transaction.

use std::fmt::{self, Write};
use std::io::Cursor;
use std::pin::Pin;

use futures_util::SinkExt;
use tokio::runtime::Runtime;
use tokio_postgres::CopyInSink;

use super::connect::Session;
use super::error;
use super::settings::Target;
use crate::model::{ColumnType, PostgresSettings};
use crate::warehouse::{Cell, Dialect, TableSpec, WarehouseError};

/// Bytes of COPY text collected before they are sent.
const CHUNK: usize = 256 * 1024;

/// The rows of one table on their way.
type Copy = Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>;

/// A transaction that creates tables.
pub(in crate::warehouse) struct PostgresLoader {
    // Before `runtime`: the connection is a task of it.
    copy: Option<Copy>,
    session: Session,
    runtime: Runtime,
    target: Target,
    replace: bool,
    lines: String,
    /// Statements for when all rows are there.
    last: Vec<String>,
}

impl fmt::Debug for PostgresLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresLoader({})", self.target.name)
    }
}

impl PostgresLoader {
    pub(in crate::warehouse) fn open(
        settings: &PostgresSettings,
        replace: bool,
    ) -> Result<Self, WarehouseError> {
        let target = Target::resolve(settings, |name| std::env::var_os(name))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| WarehouseError::connection(format!("cannot start: {error}")))?;
        let session = runtime.block_on(Session::connect(&target))?;
        let loader = Self {
            copy: None,
            session,
            runtime,
            target,
            replace,
            lines: String::new(),
            last: Vec::new(),
        };
        loader.execute("BEGIN")?;
        Ok(loader)
    }

    pub(in crate::warehouse) fn create(&mut self, table: &TableSpec) -> Result<(), WarehouseError> {
        self.end_copy()?;
        let dialect = Dialect::Postgres;
        let name = dialect.table(&table.name);
        let list = |columns: &[String]| -> String {
            columns
                .iter()
                .map(|column| dialect.name(column))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let ty = match column.ty {
                    ColumnType::Text => "text",
                    ColumnType::Integer => "bigint",
                    // Amounts stay exact, and so do their sums.
                    ColumnType::Number => "numeric",
                    ColumnType::Boolean => "boolean",
                    ColumnType::Date => "date",
                    ColumnType::Timestamp => "timestamp",
                };
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {ty}{null}", dialect.name(&column.name))
            })
            .collect();
        if let Some((schema, _)) = table.name.split_once('.') {
            self.execute(&format!(
                "CREATE SCHEMA IF NOT EXISTS {}",
                dialect.name(schema)
            ))?;
        }
        if self.replace {
            self.execute(&format!("DROP TABLE IF EXISTS {name}"))?;
        }
        self.execute(&format!("CREATE TABLE {name} ({})", columns.join(", ")))?;
        // Keys and indexes are cheaper to build when the rows are there.
        if !table.primary_key.is_empty() {
            self.last.push(format!(
                "ALTER TABLE {name} ADD PRIMARY KEY ({})",
                list(&table.primary_key)
            ));
        }
        for columns in &table.indexes {
            self.last
                .push(format!("CREATE INDEX ON {name} ({})", list(columns)));
        }
        self.last.push(format!("ANALYZE {name}"));
        let sql = format!("COPY {name} FROM STDIN");
        let copy = self
            .runtime
            .block_on(self.session.client.copy_in(&sql))
            .map_err(|error| error::running(&error, &self.target, &sql))?;
        self.copy = Some(Box::pin(copy));
        Ok(())
    }

    pub(in crate::warehouse) fn append(&mut self, row: &[Cell<'_>]) -> Result<(), WarehouseError> {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                self.lines.push('\t');
            }
            write_cell(cell, &mut self.lines)
                .map_err(|_| WarehouseError::data(format!("{cell:?} cannot be written")))?;
        }
        self.lines.push('\n');
        if self.lines.len() < CHUNK {
            Ok(())
        } else {
            self.send()
        }
    }

    pub(in crate::warehouse) fn finish(mut self) -> Result<(), WarehouseError> {
        self.end_copy()?;
        for sql in &self.last {
            self.execute(sql)?;
        }
        self.execute("COMMIT")
    }

    fn send(&mut self) -> Result<(), WarehouseError> {
        let Some(copy) = &mut self.copy else {
            return Ok(());
        };
        let lines = std::mem::take(&mut self.lines).into_bytes();
        let sent = self.runtime.block_on(copy.send(Cursor::new(lines)));
        match sent {
            Ok(()) => Ok(()),
            // The reason for the refusal comes as the answer to the end of the copy.
            Err(error) => Err(self.end_copy().err().unwrap_or_else(|| self.failed(&error))),
        }
    }

    fn end_copy(&mut self) -> Result<(), WarehouseError> {
        if !self.lines.is_empty() {
            self.send()?;
        }
        match self.copy.take() {
            None => Ok(()),
            Some(mut copy) => match self.runtime.block_on(copy.as_mut().finish()) {
                Ok(_) => Ok(()),
                Err(error) => Err(self.failed(&error)),
            },
        }
    }

    fn execute(&self, sql: &str) -> Result<(), WarehouseError> {
        let done = self
            .runtime
            .block_on(self.session.client.batch_execute(sql));
        done.map_err(|error| error::running(&error, &self.target, sql))
    }

    fn failed(&self, error: &tokio_postgres::Error) -> WarehouseError {
        error::running(error, &self.target, "")
    }
}

/// One value in COPY's text format (<https://www.postgresql.org/docs/current/sql-copy.html>).
fn write_cell(cell: &Cell<'_>, line: &mut String) -> fmt::Result {
    match cell {
        Cell::Null => line.write_str("\\N"),
        Cell::Text(text) => {
            for c in text.chars() {
                match c {
                    '\\' => line.push_str("\\\\"),
                    '\t' => line.push_str("\\t"),
                    '\n' => line.push_str("\\n"),
                    '\r' => line.push_str("\\r"),
                    c => line.push(c),
                }
            }
            Ok(())
        }
        Cell::Integer(integer) => write!(line, "{integer}"),
        Cell::Number(number) => write!(line, "{number}"),
        Cell::Boolean(boolean) => line.write_char(if *boolean { 't' } else { 'f' }),
        Cell::Date(date) => write!(line, "{date}"),
        Cell::Timestamp(at) => write!(line, "{at}"),
    }
}
