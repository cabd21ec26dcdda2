//! DuckDB's library for the tests, and DuckDB files made outside of what is tested.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::path::{Path, PathBuf};

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Statement as _};
use adbc_driver_manager::ManagedDriver;
use metrex::model::{Connection, ConnectionKind};

/// The library, from `METREX_DUCKDB_LIB` or where `.ci/duckdb` puts it; `None`, said plainly, where there is none.
pub fn library() -> Option<PathBuf> {
    let named = std::env::var_os("METREX_DUCKDB_LIB").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let fetched = cache.map(|cache| {
        cache
            .join("metrex/duckdb")
            .join(format!("libduckdb{}", std::env::consts::DLL_SUFFIX))
    });
    let found = [named, fetched].into_iter().flatten();
    let found = found.into_iter().find(|library| library.is_file());
    if found.is_none() {
        println!("SKIPPED: no DuckDB library found; .ci/duckdb fetches it");
    }
    found
}

/// A database file, a data file or a folder of data files; `None` where there is no library.
pub fn kind(path: &Path) -> Option<ConnectionKind> {
    Some(ConnectionKind::Duckdb {
        path: path.to_owned(),
        library: Some(library()?),
    })
}

/// A connection to it.
pub fn at(path: &Path) -> Option<Connection> {
    Some(Connection {
        name: "test".to_owned(),
        kind: kind(path)?,
        row_cap: 1_000_000,
    })
}

/// Runs statements in a database file, which is made where it is missing.
pub fn execute(path: &Path, sql: &str) -> Option<()> {
    let mut driver = ManagedDriver::load_dynamic_from_filename(
        library()?,
        Some(b"duckdb_adbc_init"),
        AdbcVersion::V110,
    )
    .unwrap();
    let path = OptionValue::from(path.to_str().unwrap());
    let database = driver.new_database_with_opts([(OptionDatabase::from("path"), path)]);
    let mut connection = database.unwrap().new_connection().unwrap();
    let mut statement = connection.new_statement().unwrap();
    statement.set_sql_query(sql).unwrap();
    statement.execute_update().unwrap();
    Some(())
}
