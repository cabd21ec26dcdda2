//! A log for support, in the state folder, only where METREX_LOG asks for one (such as `METREX_LOG=debug`): only the
//! user can read it, and a query's filters are in it from `debug` on.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

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
    // A level alone is about this program; what its libraries say is for those who name them.
    let directives = match wanted.trim().parse::<LevelFilter>() {
        Ok(level) => format!("metrex={level}"),
        Err(_) => wanted,
    };
    let filter = match EnvFilter::try_new(&directives) {
        Ok(filter) => filter,
        Err(error) => return notes::note(&format!("{VARIABLE}: {error}; nothing is logged")),
    };
    let path = session.state().path().join(FILE);
    let file = match open(&path) {
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

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}
