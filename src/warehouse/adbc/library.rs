//! Driver libraries: where DuckDB's is looked for, and loading one for the life of the program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use adbc_core::LOAD_FLAG_DEFAULT;
use adbc_core::options::AdbcVersion;
use adbc_driver_manager::ManagedDriver;

use crate::warehouse::WarehouseError;

/// The function that DuckDB's library begins with.
const DUCKDB_ENTRYPOINT: &[u8] = b"duckdb_adbc_init";
/// The variables that name DuckDB's library, or the folder it is in.
const VARIABLES: [&str; 2] = ["METREX_DUCKDB_LIB", "DUCKDB_LIB"];

/// DuckDB's library: the one given, else the first one that is found, else the driver installed as `duckdb`.
pub(super) fn duckdb(given: Option<&Path>) -> Result<ManagedDriver, WarehouseError> {
    if let Some(library) = given {
        return load(library.as_os_str(), Some(DUCKDB_ENTRYPOINT));
    }
    match find_duckdb()? {
        Some(library) => load(library.as_os_str(), Some(DUCKDB_ENTRYPOINT)),
        // A driver manifest, as driver installers write it.
        None => load(OsStr::new("duckdb"), None).map_err(|_| no_duckdb()),
    }
}

/// Loads a driver by the path of its library or manifest, or by the name of an installed one.
pub(super) fn load(
    driver: &OsStr,
    entrypoint: Option<&[u8]>,
) -> Result<ManagedDriver, WarehouseError> {
    /// What was loaded stays: threads of a library may still be running when nobody uses it any more.
    static LOADED: Mutex<Vec<(PathBuf, ManagedDriver)>> = Mutex::new(Vec::new());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, driver)) = loaded.iter().find(|(path, _)| path.as_os_str() == driver) {
        return Ok(driver.clone());
    }
    let found = ManagedDriver::load_from_name(
        driver,
        entrypoint,
        AdbcVersion::V110,
        LOAD_FLAG_DEFAULT,
        None,
    );
    let found = found.map_err(|error| {
        let name = driver.display();
        WarehouseError::settings(format!("the driver {name} cannot be used: {}", error.message))
            .hint("a driver is the path of a library or of a manifest, or the name of an installed driver")
    })?;
    loaded.push((PathBuf::from(driver), found.clone()));
    Ok(found)
}

/// DuckDB's library, where a variable names it or it lies in one of the usual places.
///
/// # Errors
/// A variable names something else.
pub(in crate::warehouse) fn find_duckdb() -> Result<Option<PathBuf>, WarehouseError> {
    for variable in VARIABLES {
        let Some(named) = std::env::var_os(variable).filter(|named| !named.is_empty()) else {
            continue;
        };
        let named = PathBuf::from(named);
        let library = if named.is_dir() {
            named.join(file_name())
        } else {
            named
        };
        if library.is_file() {
            return Ok(Some(library));
        }
        let message = format!("{variable} names {}, which is not there", library.display());
        return Err(WarehouseError::settings(message));
    }
    let mut places = folders().map(|folder| folder.join(file_name()));
    Ok(places.find(|library| library.is_file()))
}

/// The folders that are searched, in this order.
fn folders() -> impl Iterator<Item = PathBuf> {
    let package = PathBuf::from("node_modules").join(npm_package());
    let paths = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let paths: Vec<_> = std::env::split_paths(&paths).collect();
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|program| Some(program.parent()?.to_owned()));
    let home = std::env::home_dir().map(|home| home.join(".local/lib"));
    let system = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/homebrew/lib",
    ];
    let given = paths.into_iter().chain(beside).chain([package]).chain(home);
    given.chain(system.map(PathBuf::from))
}

fn file_name() -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}duckdb{suffix}")
}

/// The npm package that holds the library for this machine.
fn npm_package() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    format!("@duckdb/node-bindings-{system}-{machine}")
}

/// What to do where there is no library.
pub(in crate::warehouse) fn no_duckdb() -> WarehouseError {
    WarehouseError::settings("DuckDB's library was not found on this machine").hint(format!(
        "{} is in the npm package {}, and in the libduckdb archive of DuckDB's releases: put it into ~/.local/lib, or \
         set {} to its path",
        file_name(),
        npm_package(),
        VARIABLES[0],
    ))
}
