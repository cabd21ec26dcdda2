//! Data files as tables: every Parquet, CSV or TSV file of a folder becomes a view that is called like it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::warehouse::{Dialect, WarehouseError};

/// Folders below a table's folder that are searched for its files, as in `orders/year=2025/month=11/`.
const DEPTH: usize = 8;

/// What kind of data a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Parquet,
    Csv,
}

/// A table made of files of one format.
struct Table {
    format: Format,
    files: Vec<PathBuf>,
    /// Whether the files are the parts of a folder.
    is_folder: bool,
}

/// Whether a path is one data file, or a folder that may hold some.
pub(super) fn is_data(path: &Path) -> bool {
    path.is_dir() || format(path).is_some()
}

/// The statements that make a view for every data file of a folder, or for one file. A folder in the folder is one
/// table, whose files are its parts.
///
/// # Errors
/// The folder cannot be read, has no data files, or has two for the same table.
pub(super) fn views(path: &Path) -> Result<Vec<String>, WarehouseError> {
    let mut tables = BTreeMap::new();
    if path.is_dir() {
        for entry in list(path)? {
            add(&entry, &mut tables)?;
        }
    } else {
        add(path, &mut tables)?;
    }
    if tables.is_empty() {
        let message = format!(
            "there are no .parquet, .csv or .tsv files in {}",
            path.display()
        );
        return Err(WarehouseError::connection(message));
    }
    let mut statements: Vec<String> = tables
        .iter()
        .map(|(name, table)| view(name, table))
        .collect();
    let files = tables.values().flat_map(|table| &table.files);
    statements.push(format!("SET allowed_paths = {}", texts(files)));
    Ok(statements)
}

fn add(path: &Path, tables: &mut BTreeMap<String, Table>) -> Result<(), WarehouseError> {
    let is_folder = path.is_dir();
    let mut files = Vec::new();
    collect(path, DEPTH, &mut files)?;
    let Some(format) = files.first().and_then(|file| format(file)) else {
        return Ok(());
    };
    if files.iter().any(|file| self::format(file) != Some(format)) {
        let message = format!("{} has both Parquet and CSV files", path.display());
        return Err(WarehouseError::connection(message)
            .hint("the files of a folder are the parts of one table, all of one format"));
    }
    // `orders.csv.gz` is the table `orders`.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = match is_folder {
        true => name.as_ref(),
        false => name.split('.').next().unwrap_or_default(),
    };
    let table = Table {
        format,
        files,
        is_folder,
    };
    if tables.insert(name.to_lowercase(), table).is_some() {
        let message = format!(
            "two files or folders are called {name}, so the table '{name}' could be either"
        );
        return Err(WarehouseError::connection(message).hint("rename one, or point to it alone"));
    }
    Ok(())
}

/// The data files at a place, sorted.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), WarehouseError> {
    if path.is_dir() {
        if depth > 0 {
            for entry in list(path)? {
                collect(&entry, depth - 1, files)?;
            }
        }
    } else if format(path).is_some() {
        files.push(path.to_owned());
    }
    Ok(())
}

/// What a folder holds, sorted, without hidden entries.
fn list(folder: &Path) -> Result<Vec<PathBuf>, WarehouseError> {
    let failed = |error: std::io::Error| {
        WarehouseError::connection(format!("cannot read {}: {error}", folder.display()))
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

fn format(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".parquet") {
        Some(Format::Parquet)
    } else if name.ends_with(".csv") || name.ends_with(".tsv") {
        Some(Format::Csv)
    } else {
        None
    }
}

fn view(name: &str, table: &Table) -> String {
    let reader = match table.format {
        Format::Parquet => "read_parquet",
        Format::Csv => "read_csv",
    };
    let parts = match table.is_folder {
        true => ", hive_partitioning = true, union_by_name = true",
        false => "",
    };
    format!(
        "CREATE VIEW {} AS SELECT * FROM {reader}({}{parts})",
        Dialect::Duckdb.name(name),
        texts(&table.files),
    )
}

/// Paths as a list of texts.
fn texts<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> String {
    let text = |path: &PathBuf| Dialect::Duckdb.text(&path.to_string_lossy());
    let texts: Vec<_> = paths.into_iter().map(text).collect();
    format!("[{}]", texts.join(", "))
}
