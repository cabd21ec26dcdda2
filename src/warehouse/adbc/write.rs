//! Changing a DuckDB file: statements in one transaction, on a connection of their own that may write.

use std::path::{Path, PathBuf};

use adbc_core::options::{OptionDatabase, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, Statement as _};
use adbc_driver_manager::ManagedConnection;
use tokio_util::sync::CancellationToken;

use super::cancel::Brake;
use super::connect::threads;
use super::{error, files, library};
use crate::warehouse::{Dialect, WarehouseError};

/// What is written, and where.
struct Change {
    path: PathBuf,
    library: Option<PathBuf>,
    timezone: String,
    statements: Vec<String>,
    brake: Brake,
    stop: CancellationToken,
}

/// Runs the statements, all or nothing.
pub(in crate::warehouse) async fn write(
    path: &Path,
    library: Option<&Path>,
    timezone: &str,
    statements: Vec<String>,
    cancel: &CancellationToken,
) -> Result<(), WarehouseError> {
    let stop = cancel.child_token();
    let _stop_when_dropped = stop.clone().drop_guard();
    let brake = Brake::default();
    tokio::spawn(brake.clone().pulled_by(stop.clone()));
    let change = Change {
        path: path.to_owned(),
        library: library.map(Path::to_owned),
        timezone: timezone.to_owned(),
        statements,
        brake,
        stop,
    };
    let task = tokio::task::spawn_blocking(move || {
        let released = change.brake.released_when_dropped();
        let result = change.run();
        drop(released);
        match result {
            // What a driver calls the end that it was asked for differs.
            Err(_) if change.stop.is_cancelled() => Err(WarehouseError::cancelled()),
            result => result,
        }
    });
    task.await
        .map_err(|error| WarehouseError::connection(format!("the writing thread died: {error}")))?
}

impl Change {
    fn run(&self) -> Result<(), WarehouseError> {
        let target = self.path.display().to_string();
        if files::is_data(&self.path) {
            return Err(WarehouseError::settings(format!(
                "{target} is read as it is: only a DuckDB database file can be written"
            )));
        }
        // Never makes a new file.
        if !self.path.is_file() {
            return Err(WarehouseError::connection(format!("there is no {target}")));
        }
        let connecting = |error| error::connecting(&error, &target);
        let mut driver = library::duckdb(self.library.as_deref())?;
        let options = [
            ("path", &*self.path.to_string_lossy()),
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
        ];
        let options = options.into_iter().chain(threads(&self.path));
        let options =
            options.map(|(key, value)| (OptionDatabase::from(key), OptionValue::from(value)));
        let database = driver.new_database_with_opts(options).map_err(connecting)?;
        let mut connection = database.new_connection().map_err(connecting)?;
        let zone = Dialect::Duckdb.text(&self.timezone);
        let all = [
            format!("SET TimeZone = {zone}"),
            "BEGIN TRANSACTION".to_owned(),
        ];
        let commit = ["COMMIT".to_owned()];
        for statement in all.iter().chain(&self.statements).chain(&commit) {
            if self.stop.is_cancelled() {
                return Err(WarehouseError::cancelled());
            }
            self.execute(&mut connection, statement)
                .map_err(|error| error::running(&error, &target, statement))?;
        }
        Ok(())
    }

    fn execute(
        &self,
        connection: &mut ManagedConnection,
        sql: &str,
    ) -> adbc_core::error::Result<()> {
        let mut statement = connection.new_statement()?;
        statement.set_sql_query(sql)?;
        self.brake.hold(statement.get_cancel_handle());
        statement.execute_update().map(|_| ())
    }
}
