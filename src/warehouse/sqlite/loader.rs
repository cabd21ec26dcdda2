//! Loading into a new SQLite file: written aside, renamed when it is complete.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};
use tempfile::TempPath;

use super::error::translate;
use crate::model::ColumnType;
use crate::warehouse::{Cell, Dialect, TableSpec, WarehouseError};

/// A new SQLite file in the making.
#[derive(Debug)]
pub(in crate::warehouse) struct SqliteLoader {
    // Before `file`: closed before the temporary file is removed.
    connection: Connection,
    file: TempPath,
    target: PathBuf,
    replace: bool,
    insert: String,
    indexes: Vec<String>,
}

impl SqliteLoader {
    pub(in crate::warehouse) fn open(path: &Path, replace: bool) -> Result<Self, WarehouseError> {
        if !replace && path.exists() {
            return Err(exists(path));
        }
        let failed = |error: std::io::Error| {
            WarehouseError::connection(format!("cannot create {}: {error}", path.display()))
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".metrex-").suffix(".tmp");
        // As for any new file, the umask decides who may read it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder
            .tempfile_in(folder)
            .map_err(failed)?
            .into_temp_path();
        let prepare = || {
            let connection = Connection::open(&file)?;
            super::strict_names(&connection)?;
            // Nobody sees the file before it is complete, and a crash throws it away: no journal, no syncs.
            connection.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
                 PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536; BEGIN",
            )?;
            Ok(connection)
        };
        let connection = prepare().map_err(|error| translate(&error, path))?;
        Ok(Self {
            connection,
            file,
            target: path.to_owned(),
            replace,
            insert: String::new(),
            indexes: Vec::new(),
        })
    }

    pub(in crate::warehouse) fn create(&mut self, table: &TableSpec) -> Result<(), WarehouseError> {
        let dialect = Dialect::Sqlite;
        let name = dialect.name(&table.name);
        let list = |columns: &[String]| -> String {
            columns
                .iter()
                .map(|column| dialect.name(column))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let ty = match column.ty {
                    ColumnType::Text => "TEXT",
                    ColumnType::Integer => "INTEGER",
                    ColumnType::Number => "REAL",
                    ColumnType::Boolean => "BOOLEAN",
                    ColumnType::Date => "DATE",
                    ColumnType::Timestamp => "TIMESTAMP",
                };
                let null = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {ty}{null}", dialect.name(&column.name))
            })
            .collect();
        if !table.primary_key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", list(&table.primary_key)));
        }
        let sql = format!("CREATE TABLE {name} ({})", parts.join(", "));
        self.connection
            .execute_batch(&sql)
            .map_err(|error| translate(&error, &self.target))?;
        self.insert = format!(
            "INSERT INTO {name} VALUES ({})",
            vec!["?"; table.columns.len()].join(", ")
        );
        for columns in &table.indexes {
            let index = dialect.name(&format!("{} by {}", table.name, columns.join(", ")));
            self.indexes.push(format!(
                "CREATE INDEX {index} ON {name} ({})",
                list(columns)
            ));
        }
        Ok(())
    }

    pub(in crate::warehouse) fn append(&mut self, row: &[Cell<'_>]) -> Result<(), WarehouseError> {
        let insert = || {
            let mut statement: CachedStatement<'_> =
                self.connection.prepare_cached(&self.insert)?;
            for (index, cell) in row.iter().enumerate() {
                statement.raw_bind_parameter(index + 1, cell)?;
            }
            statement.raw_execute()
        };
        insert()
            .map(|_| ())
            .map_err(|error| translate(&error, &self.target))
    }

    pub(in crate::warehouse) fn finish(self) -> Result<(), WarehouseError> {
        let Self {
            connection,
            file,
            target,
            replace,
            indexes,
            ..
        } = self;
        let complete = || {
            for index in &indexes {
                connection.execute_batch(index)?;
            }
            connection.execute_batch("COMMIT")
        };
        complete().map_err(|error| translate(&error, &target))?;
        connection
            .close()
            .map_err(|(_, error)| translate(&error, &target))?;
        let keep = || {
            std::fs::File::open(&file)?.sync_all()?;
            if replace {
                file.persist(&target).map_err(|error| error.error)
            } else {
                file.persist_noclobber(&target).map_err(|error| error.error)
            }
        };
        keep().map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(&target),
            _ => WarehouseError::connection(format!("cannot write {}: {error}", target.display())),
        })
    }
}

fn exists(path: &Path) -> WarehouseError {
    WarehouseError::connection(format!(
        "{} exists already and is left alone",
        path.display()
    ))
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Integer(integer) => ToSqlOutput::Borrowed(ValueRef::Integer(*integer)),
            Self::Number(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number)),
            Self::Boolean(boolean) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*boolean))),
            Self::Date(date) => ToSqlOutput::from(date.to_string()),
            Self::Timestamp(at) => ToSqlOutput::from(at.strftime("%F %T%.f").to_string()),
        })
    }
}
