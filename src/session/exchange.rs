//! Definitions from and for other tools: a project made of theirs, and what could not be carried over.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{OpenOptions, Session, SessionError};
use crate::exchange::{
    ColumnTypes, ExchangeError, Export, Import, Note, cube, databricks, dbt, lightdash, lookml,
    ossie, snowflake,
};
use crate::init;
use crate::model::{ColumnType, ConnectionKind, DimensionType};
use crate::registry::of_address;
use crate::warehouse::Warehouse;

/// A tool whose definitions are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherTool {
    /// dbt's semantic layer.
    Dbt,
    /// Apache Ossie.
    Ossie,
    /// Cube.
    Cube,
    /// Snowflake's semantic views.
    Snowflake,
    /// Databricks' metric views.
    Databricks,
    /// Lightdash's metadata on models of dbt.
    Lightdash,
    /// LookML.
    Lookml,
}

/// A project that was made of another tool's definitions.
#[derive(Debug)]
pub struct Imported {
    /// Where it is.
    pub root: PathBuf,
    /// The files written, relative to it.
    pub files: Vec<String>,
    /// How many datasets, metrics and views they define.
    pub counts: [usize; 3],
    /// What could not be carried over as it stood.
    pub notes: Vec<Note>,
    /// What `metrex check` says of the new project.
    pub problems: Vec<String>,
    /// Where the password has to go, if the connection had one.
    pub password: Option<String>,
}

/// Makes a project in `target` of the definitions at `path`. With a connection (a URL, as `metrex init` takes it) the
/// types of dimensions are those of the warehouse's columns, and the project uses it.
///
/// # Errors
/// Nothing to import, files in the way, a connection that cannot be used.
pub async fn import(
    from: OtherTool,
    path: &Path,
    target: &Path,
    connection: Option<&str>,
) -> Result<Imported, SessionError> {
    let connection = connection.map(address).transpose()?;
    let mut types = HashMap::new();
    if let Some(target) = &connection {
        let warehouse = Warehouse::open(&target.connection, "UTC")?;
        for table in warehouse.tables().await? {
            for column in &table.columns {
                if let Some(ty) = column.ty {
                    let at = (table.name.to_lowercase(), column.name.to_lowercase());
                    types.insert(at, dimension_type(ty));
                }
            }
        }
    }
    let of = |table: &str, column: &str| {
        let bare = table.rsplit('.').next().unwrap_or(table);
        [table, bare].iter().find_map(|table| {
            types
                .get(&(table.to_lowercase(), column.to_lowercase()))
                .copied()
        })
    };
    let of: &ColumnTypes<'_> = &of;
    let import = read(from, path, of)?;
    let entry = connection
        .as_ref()
        .map(|target| target.entry.as_slice())
        .unwrap_or_default();
    let files = import.write(target, entry)?;
    let session = Session::open(OpenOptions {
        project: Some(target.to_owned()),
        ..OpenOptions::default()
    });
    let problems = match session {
        Ok(session) => {
            let catalog = session.catalog();
            catalog
                .diagnostics
                .iter()
                .map(ToString::to_string)
                .collect()
        }
        Err(error) => vec![error.to_string()],
    };
    Ok(Imported {
        root: target.to_owned(),
        files,
        counts: ["datasets", "metrics", "views"].map(|section| import.count(section)),
        problems,
        notes: import.notes,
        password: connection.and_then(|target| target.note),
    })
}

/// The definitions of a tool at `path`.
pub(super) fn read(
    from: OtherTool,
    path: &Path,
    of: &ColumnTypes<'_>,
) -> Result<Import, ExchangeError> {
    match from {
        OtherTool::Dbt => dbt::import(path, of),
        OtherTool::Ossie => ossie::import(path, of),
        OtherTool::Cube => cube::import(path, of),
        OtherTool::Snowflake => snowflake::import(path, of),
        OtherTool::Databricks => databricks::import(path, of),
        OtherTool::Lightdash => lightdash::import(path, of),
        OtherTool::Lookml => lookml::import(path, of),
    }
}

/// The connection of a URL, as `metrex init` takes it, or of `duckdb:PATH`.
fn address(url: &str) -> Result<init::Target, SessionError> {
    let found = of_address(url).map(|connection| (connection.kind.clone(), connection));
    match found {
        Some((ConnectionKind::Duckdb { path, .. }, connection)) => Ok(init::Target {
            connection,
            entry: vec![
                "type: duckdb".to_owned(),
                format!("path: {:?}", path.display().to_string()),
            ],
            note: None,
        }),
        _ => Ok(init::read_connection(url)?),
    }
}

impl Session {
    /// The definitions of the project in another tool's words.
    pub fn export(&self, to: OtherTool) -> Export {
        let catalog = self.catalog();
        match to {
            OtherTool::Dbt => dbt::export(&catalog.registry),
            OtherTool::Ossie => ossie::export(&catalog.registry, "metrex"),
            OtherTool::Cube => cube::export(&catalog.registry),
            OtherTool::Snowflake => snowflake::export(&catalog.registry, "metrex"),
            OtherTool::Databricks => databricks::export(&catalog.registry),
            OtherTool::Lightdash => lightdash::export(&catalog.registry),
            OtherTool::Lookml => lookml::export(&catalog.registry),
        }
    }
}

fn dimension_type(ty: ColumnType) -> DimensionType {
    match ty {
        ColumnType::Text => DimensionType::Text,
        ColumnType::Integer | ColumnType::Number => DimensionType::Number,
        ColumnType::Boolean => DimensionType::Boolean,
        ColumnType::Date => DimensionType::Date,
        ColumnType::Timestamp => DimensionType::Time,
    }
}
