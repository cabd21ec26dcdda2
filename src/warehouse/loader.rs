//! Bulk creation of whole tables, for the demo and for `init`.

use super::{Cell, WarehouseError, adbc, postgres, sqlite};
use crate::model::{ColumnType, ConnectionKind};

/// A column to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name.
    pub name: String,
    /// Type of its values.
    pub ty: ColumnType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// A table to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Name, `table` or `schema.table`.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<ColumnSpec>,
    /// Columns of the primary key; empty for none.
    pub primary_key: Vec<String>,
    /// Columns of further indexes.
    pub indexes: Vec<Vec<String>>,
}

/// Creates tables and fills them, all or nothing: what is not finished leaves no trace.
///
/// All calls block; do not call them on an async worker thread.
#[derive(Debug)]
pub struct Loader {
    target: Target,
    /// Types of the columns of the last created table.
    columns: Vec<(String, ColumnType)>,
}

#[derive(Debug)]
enum Target {
    Sqlite(Box<sqlite::SqliteLoader>),
    Postgres(Box<postgres::PostgresLoader>),
    Duckdb(Box<adbc::DuckdbLoader>),
}

impl Loader {
    /// Starts a load that refuses to touch what exists: a file of SQLite or DuckDB, or a PostgreSQL table of the same name.
    ///
    /// # Errors
    /// The target exists already or cannot be reached.
    pub fn open(kind: &ConnectionKind) -> Result<Self, WarehouseError> {
        Self::start(kind, false)
    }

    /// Starts a load that replaces an existing file of SQLite or DuckDB, or existing PostgreSQL tables of exactly the created names.
    ///
    /// # Errors
    /// The target cannot be reached.
    pub fn replacing(kind: &ConnectionKind) -> Result<Self, WarehouseError> {
        Self::start(kind, true)
    }

    fn start(kind: &ConnectionKind, replace: bool) -> Result<Self, WarehouseError> {
        let target = match kind {
            ConnectionKind::Sqlite { path } => {
                Target::Sqlite(Box::new(sqlite::SqliteLoader::open(path, replace)?))
            }
            ConnectionKind::Postgres(settings) => {
                Target::Postgres(Box::new(postgres::PostgresLoader::open(settings, replace)?))
            }
            ConnectionKind::Duckdb { path, library } => {
                let loader = adbc::DuckdbLoader::open(path, library.as_deref(), replace)?;
                Target::Duckdb(Box::new(loader))
            }
            ConnectionKind::Adbc(_) => {
                return Err(
                    WarehouseError::settings("nothing is loaded through an ADBC driver")
                        .hint("load into a DuckDB file, an SQLite file or PostgreSQL"),
                );
            }
        };
        Ok(Self {
            target,
            columns: Vec::new(),
        })
    }

    /// Creates a table; the following [`append`](Self::append)s go there.
    ///
    /// # Errors
    /// The warehouse refused the table.
    pub fn create(&mut self, table: &TableSpec) -> Result<(), WarehouseError> {
        self.columns = table
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty))
            .collect();
        match &mut self.target {
            Target::Sqlite(loader) => loader.create(table),
            Target::Postgres(loader) => loader.create(table),
            Target::Duckdb(loader) => loader.create(table),
        }
    }

    /// Adds a row to the table created last.
    ///
    /// # Errors
    /// A cell of another type than its column, too few or too many cells, or a refusal of the warehouse.
    pub fn append(&mut self, row: &[Cell<'_>]) -> Result<(), WarehouseError> {
        if row.len() != self.columns.len() {
            return Err(WarehouseError::data(format!(
                "a row has {} cells for {} columns",
                row.len(),
                self.columns.len()
            )));
        }
        for ((name, ty), cell) in self.columns.iter().zip(row) {
            if !fits(*ty, cell) {
                return Err(WarehouseError::data(format!(
                    "column {name:?} has the type {ty:?} and cannot take {cell:?}"
                )));
            }
        }
        match &mut self.target {
            Target::Sqlite(loader) => loader.append(row),
            Target::Postgres(loader) => loader.append(row),
            Target::Duckdb(loader) => loader.append(row),
        }
    }

    /// Makes everything visible at once.
    ///
    /// # Errors
    /// The warehouse could not keep the data; nothing of it is visible then.
    pub fn finish(self) -> Result<(), WarehouseError> {
        match self.target {
            Target::Sqlite(loader) => loader.finish(),
            Target::Postgres(loader) => loader.finish(),
            Target::Duckdb(loader) => loader.finish(),
        }
    }
}

fn fits(ty: ColumnType, cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Null => true,
        Cell::Text(_) => ty == ColumnType::Text,
        Cell::Integer(_) => matches!(ty, ColumnType::Integer | ColumnType::Number),
        // SQLite has no NaN and would keep NULL instead.
        Cell::Number(number) => ty == ColumnType::Number && number.is_finite(),
        Cell::Boolean(_) => ty == ColumnType::Boolean,
        Cell::Date(_) => ty == ColumnType::Date,
        Cell::Timestamp(_) => ty == ColumnType::Timestamp,
    }
}
