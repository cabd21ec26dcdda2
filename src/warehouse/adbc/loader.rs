//! Loading into a new DuckDB file: written aside, renamed when it is complete.

use std::fmt;
use std::path::{Path, PathBuf};

use adbc_core::options::{IngestMode, OptionDatabase, OptionStatement, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Optionable as _, Statement as _};
use adbc_driver_manager::ManagedConnection;
use arrow_array::RecordBatch;
use tempfile::TempDir;

use super::{error, execute, library};
use crate::model::ColumnType;
use crate::warehouse::rows::Rows;
use crate::warehouse::{Cell, Dialect, TableSpec, WarehouseError};

/// A new DuckDB file in the making.
pub(in crate::warehouse) struct DuckdbLoader {
    // Before `folder`: closed before the file is removed.
    connection: Option<ManagedConnection>,
    /// The table being filled, and its rows on their way.
    filling: Option<(String, Rows)>,
    indexes: Vec<String>,
    folder: TempDir,
    target: PathBuf,
    replace: bool,
}

impl fmt::Debug for DuckdbLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DuckdbLoader({})", self.target.display())
    }
}

impl DuckdbLoader {
    pub(in crate::warehouse) fn open(
        path: &Path,
        library: Option<&Path>,
        replace: bool,
    ) -> Result<Self, WarehouseError> {
        if path.is_dir() || (!replace && path.exists()) {
            return Err(exists(path));
        }
        let failed = |error: std::io::Error| {
            WarehouseError::connection(format!("cannot create {}: {error}", path.display()))
        };
        let parent = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(failed)?;
        // A folder of its own: DuckDB keeps a log beside the file.
        let folder = tempfile::Builder::new()
            .prefix(".metrex-")
            .tempdir_in(parent)
            .map_err(failed)?;
        let mut driver = library::duckdb(library)?;
        let file = folder.path().join("new.duckdb");
        let options = [
            ("path", &*file.to_string_lossy()),
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
        ];
        let options =
            options.map(|(key, value)| (OptionDatabase::from(key), OptionValue::from(value)));
        let connecting = |error| error::connecting(&error, &path.display().to_string());
        let database = driver.new_database_with_opts(options).map_err(connecting)?;
        let connection = database.new_connection().map_err(connecting)?;
        Ok(Self {
            connection: Some(connection),
            filling: None,
            indexes: Vec::new(),
            folder,
            target: path.to_owned(),
            replace,
        })
    }

    pub(in crate::warehouse) fn create(&mut self, table: &TableSpec) -> Result<(), WarehouseError> {
        self.end_table()?;
        let dialect = Dialect::Duckdb;
        let name = dialect.table(&table.name);
        let list = |columns: &[String]| -> String {
            let names: Vec<_> = columns.iter().map(|column| dialect.name(column)).collect();
            names.join(", ")
        };
        let mut parts: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let null = if column.nullable { "" } else { " NOT NULL" };
                let ty = dialect.type_name(column.ty);
                format!("{} {ty}{null}", dialect.name(&column.name))
            })
            .collect();
        if !table.primary_key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", list(&table.primary_key)));
        }
        if let Some((schema, _)) = table.name.split_once('.') {
            self.execute(&format!(
                "CREATE SCHEMA IF NOT EXISTS {}",
                dialect.name(schema)
            ))?;
        }
        self.execute(&format!("CREATE TABLE {name} ({})", parts.join(", ")))?;
        for columns in &table.indexes {
            let index = dialect.name(&format!("{} by {}", table.name, columns.join(", ")));
            self.indexes.push(format!(
                "CREATE INDEX {index} ON {name} ({})",
                list(columns)
            ));
        }
        let columns: Vec<(String, ColumnType)> = table
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty))
            .collect();
        self.filling = Some((table.name.clone(), Rows::new(&columns)));
        Ok(())
    }

    pub(in crate::warehouse) fn append(&mut self, row: &[Cell<'_>]) -> Result<(), WarehouseError> {
        let Some((table, mut rows)) = self.filling.take() else {
            return Err(WarehouseError::data("a row comes before its table"));
        };
        let cell = |index: usize| Ok(row.get(index).copied().unwrap_or(Cell::Null));
        if let Some(batch) = rows.push(cell)? {
            self.ingest(&table, batch)?;
        }
        self.filling = Some((table, rows));
        Ok(())
    }

    pub(in crate::warehouse) fn finish(mut self) -> Result<(), WarehouseError> {
        self.end_table()?;
        for index in std::mem::take(&mut self.indexes) {
            self.execute(&index)?;
        }
        self.execute("CHECKPOINT")?;
        // The last connection closes the database.
        self.connection = None;
        let file = self.folder.path().join("new.duckdb");
        let failed = |error: std::io::Error| {
            WarehouseError::connection(format!("cannot write {}: {error}", self.target.display()))
        };
        if !self.replace && self.target.exists() {
            return Err(exists(&self.target));
        }
        std::fs::rename(&file, &self.target).map_err(failed)
    }

    /// Sends the rows that are still on their way.
    fn end_table(&mut self) -> Result<(), WarehouseError> {
        match self.filling.take() {
            Some((table, rows)) => match rows.finish()? {
                Some(batch) => self.ingest(&table, batch),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn ingest(&mut self, table: &str, batch: RecordBatch) -> Result<(), WarehouseError> {
        let target = self.target.display().to_string();
        let failed = |error| error::running(&error, &target, "");
        let (schema, table) = table.split_once('.').unwrap_or(("main", table));
        let mut statement = self.connection()?.new_statement().map_err(failed)?;
        let mode = OptionValue::from(IngestMode::Append);
        for (option, value) in [
            (OptionStatement::TargetTable, OptionValue::from(table)),
            (OptionStatement::TargetDbSchema, OptionValue::from(schema)),
            (OptionStatement::IngestMode, mode),
        ] {
            statement.set_option(option, value).map_err(failed)?;
        }
        statement.bind(batch).map_err(failed)?;
        statement.execute_update().map(|_| ()).map_err(failed)
    }

    fn execute(&mut self, sql: &str) -> Result<(), WarehouseError> {
        let target = self.target.display().to_string();
        execute(self.connection()?, sql).map_err(|error| error::running(&error, &target, sql))
    }

    fn connection(&mut self) -> Result<&mut ManagedConnection, WarehouseError> {
        self.connection
            .as_mut()
            .ok_or_else(|| WarehouseError::connection("the database is closed already"))
    }
}

fn exists(path: &Path) -> WarehouseError {
    WarehouseError::connection(format!(
        "{} exists already and is left alone",
        path.display()
    ))
}
