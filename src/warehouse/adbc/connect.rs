//! Opening an engine: its driver, its database, and connections that can only read.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use adbc_core::options::{OptionConnection, OptionDatabase, OptionValue};
use adbc_core::{Database as _, Driver as _, Optionable as _};
use adbc_driver_manager::{ManagedConnection, ManagedDatabase};

use super::{error, execute, files, library};
use crate::model::AdbcSettings;
use crate::warehouse::{Dialect, WarehouseError};

/// What DuckDB is told before it opens anything: no extension is fetched from anywhere or loaded unasked.
const DUCKDB: [(&str, &str); 2] = [
    ("autoinstall_known_extensions", "false"),
    ("autoload_known_extensions", "false"),
];

/// Bytes of a DuckDB file below which its statements run in one thread: they take parts of a second there too. As a
/// statement ends, DuckDB 1.5 lets go of a task in another thread after the plan that the task points into, which has
/// crashed once in some hundred thousand statements.
const SMALL: u64 = 64 << 20;

/// An engine, opened when it is first needed.
pub(super) struct Engine {
    source: Source,
    target: String,
    timezone: String,
    open: Mutex<Open>,
}

enum Source {
    Duckdb {
        path: PathBuf,
        library: Option<PathBuf>,
    },
    Driver(AdbcSettings),
}

/// The database while it is open.
#[derive(Default)]
struct Open {
    used: Weak<ManagedDatabase>,
    /// Everything stays open but a DuckDB file: between statements, other programs may write to it.
    kept: Option<Arc<ManagedDatabase>>,
}

/// A connection for one statement; its transaction ends with it.
pub(super) struct Connection {
    pub(super) raw: ManagedConnection,
    /// In use as long as this is.
    _database: Arc<ManagedDatabase>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options of a driver may hold a secret.
        write!(f, "Engine({})", self.target)
    }
}

impl Engine {
    pub(super) fn duckdb(path: &Path, library: Option<&Path>, timezone: &str) -> Self {
        let source = Source::Duckdb {
            path: path.to_owned(),
            library: library.map(Path::to_owned),
        };
        Self::new(source, path.display().to_string(), timezone)
    }

    pub(super) fn driver(settings: &AdbcSettings, timezone: &str) -> Self {
        let target = settings.driver.clone();
        Self::new(Source::Driver(settings.clone()), target, timezone)
    }

    fn new(source: Source, target: String, timezone: &str) -> Self {
        Self {
            source,
            target,
            timezone: timezone.to_owned(),
            open: Mutex::default(),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match &self.source {
            Source::Duckdb { .. } => Dialect::Duckdb,
            Source::Driver(settings) => settings.dialect,
        }
    }

    /// Where it leads: the path of the data, or the driver.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// A new connection that can only read, as far as the engine can be told so.
    pub(super) fn connect(&self) -> Result<Connection, WarehouseError> {
        let database = self.database()?;
        let failed = |error| error::connecting(&error, &self.target);
        let mut raw = database.new_connection().map_err(failed)?;
        if let Source::Driver(_) = &self.source {
            // Most drivers do not know this option; the statement itself is looked at before it runs.
            let _ = raw.set_option(OptionConnection::ReadOnly, OptionValue::from("true"));
        }
        match self.dialect() {
            Dialect::Duckdb => execute(&mut raw, "BEGIN TRANSACTION READ ONLY").map_err(failed)?,
            Dialect::Postgres => {
                let zone = Dialect::Postgres.text(&self.timezone);
                execute(&mut raw, "BEGIN READ ONLY").map_err(failed)?;
                execute(&mut raw, &format!("SET LOCAL TIME ZONE {zone}")).map_err(failed)?;
            }
            _ => {}
        }
        Ok(Connection {
            raw,
            _database: database,
        })
    }

    fn database(&self) -> Result<Arc<ManagedDatabase>, WarehouseError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = open.used.upgrade() {
            return Ok(database);
        }
        let (database, is_kept) = match &self.source {
            Source::Driver(settings) => (self.open_driver(settings)?, true),
            Source::Duckdb { path, library } => {
                let is_data = files::is_data(path);
                (
                    self.open_duckdb(path, library.as_deref(), is_data)?,
                    is_data,
                )
            }
        };
        let database = Arc::new(database);
        open.used = Arc::downgrade(&database);
        open.kept = is_kept.then(|| Arc::clone(&database));
        Ok(database)
    }

    fn open_driver(&self, settings: &AdbcSettings) -> Result<ManagedDatabase, WarehouseError> {
        let entrypoint = settings.entrypoint.as_deref().map(str::as_bytes);
        let mut driver = library::load(OsStr::new(&settings.driver), entrypoint)?;
        let options = settings.options.iter();
        let options = options.map(|(key, value)| option(key, value));
        let opened = driver.new_database_with_opts(options);
        opened.map_err(|error| error::connecting(&error, &self.target))
    }

    fn open_duckdb(
        &self,
        path: &Path,
        library: Option<&Path>,
        is_data: bool,
    ) -> Result<ManagedDatabase, WarehouseError> {
        let failed = |error| error::connecting(&error, &self.target);
        let path = path.canonicalize().map_err(|error| {
            let what = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no {}", path.display()),
                _ => format!("cannot read {}: {error}", path.display()),
            };
            WarehouseError::connection(what)
        })?;
        let mut driver = library::duckdb(library)?;
        let mut options: Vec<_> = DUCKDB.map(|(key, value)| option(key, value)).into();
        let mut statements = Vec::new();
        if is_data {
            statements = files::views(&path)?;
        } else {
            options.push(option("path", &path.to_string_lossy()));
            options.push(option("access_mode", "READ_ONLY"));
            options.extend(threads(&path).map(|(key, value)| option(key, value)));
        }
        let database = driver.new_database_with_opts(options).map_err(failed)?;
        let mut connection = database.new_connection().map_err(failed)?;
        let zone = Dialect::Duckdb.text(&self.timezone);
        if let Err(error) = execute(&mut connection, &format!("SET GLOBAL TimeZone = {zone}")) {
            // Without ICU, a point in time would fall on its day in UTC.
            let message = format!("this DuckDB library knows no time zones: {}", error.message);
            return Err(WarehouseError::settings(message).hint(
                "use a library with the ICU extension built in, such as that of DuckDB's releases",
            ));
        }
        // From here on nothing outside of the data is read, nothing is written, and none of this can be changed.
        statements.push("SET GLOBAL enable_external_access = false".to_owned());
        statements.push("SET GLOBAL lock_configuration = true".to_owned());
        for statement in &statements {
            execute(&mut connection, statement).map_err(failed)?;
        }
        Ok(database)
    }
}

/// The option that keeps the statements on a small file in one thread.
pub(super) fn threads(path: &Path) -> Option<(&'static str, &'static str)> {
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.len() < SMALL);
    is_small.then_some(("threads", "1"))
}

fn option(key: &str, value: &str) -> (OptionDatabase, OptionValue) {
    (OptionDatabase::from(key), OptionValue::from(value))
}
