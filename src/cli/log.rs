//! A log for support, in the state folder, only where METREX_LOG asks for one (such as `METREX_LOG=debug`).

use std::fs::File;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use super::notes;
use crate::session::Session;

/// Name of the environment variable, and of the file.
const VARIABLE: &str = "METREX_LOG";
const FILE: &str = "metrex.log";

/// Starts the log.
pub fn start(session: &Session) {
    let Ok(wanted) = std::env::var(VARIABLE) else {
        return;
    };
    let filter = match EnvFilter::try_new(&wanted) {
        Ok(filter) => filter,
        Err(error) => return notes::note(&format!("{VARIABLE}: {error}; nothing is logged")),
    };
    let path = session.state().path().join(FILE);
    let file = match File::options().create(true).append(true).open(&path) {
        Ok(file) => file,
        Err(error) => {
            return notes::note(&format!("{} cannot be written: {error}", path.display()));
        }
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Mutex::new(file));
    // A program that embeds the command line may log already.
    let _ = log.try_init();
}
