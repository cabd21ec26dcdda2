//! Where a project keeps its state: one folder with history, value index, compiled registry and, for the demo, its data.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

use super::SessionError;
use crate::registry::Project;

/// The state folder of one project.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    notice: Option<String>,
    /// Removed with the session, where the real folder cannot be written.
    _temporary: Option<TempDir>,
}

impl StateFolder {
    /// The project's folder, made when missing: inside `base` where given, else what `state_dir` in `metrex.yaml` says,
    /// else inside `$XDG_STATE_HOME/metrex` (`~/.local/state/metrex`).
    ///
    /// A folder that cannot be written is replaced by a temporary one, and [`notice`](Self::notice) says so.
    pub(super) fn open(project: &Project, base: Option<&Path>) -> Self {
        let inside = |base: &Path| base.join(folder_name(project));
        let wanted = match (base, &project.config.state_dir) {
            (Some(base), _) => Some(inside(base)),
            (None, Some(configured)) => Some(configured.clone()),
            (None, None) => xdg_state_folder().map(|base| inside(&base.join("metrex"))),
        };
        let problem = match wanted {
            None => "there is no home folder".to_owned(),
            Some(path) => match make_writable(&path) {
                Ok(()) => {
                    return Self {
                        path,
                        notice: None,
                        _temporary: None,
                    };
                }
                Err(error) => format!("{} cannot be written: {error}", path.display()),
            },
        };
        let temporary = tempfile::Builder::new().prefix("metrex-").tempdir();
        let notice = format!("{problem}; history and value index are kept for this run only");
        match temporary {
            Ok(folder) => Self {
                path: folder.path().to_owned(),
                notice: Some(notice),
                _temporary: Some(folder),
            },
            // Every store then fails to open and its own message says why.
            Err(_) => Self {
                path: std::env::temp_dir(),
                notice: Some(notice),
                _temporary: None,
            },
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why state does not outlive this run, where it does not.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Query history and counts.
    pub fn usage(&self) -> PathBuf {
        self.path.join("usage.db")
    }

    /// The values of one connection's dimensions. Two warehouses may hold different values under equal names, also when
    /// it is the connection that leads to another one than before.
    pub(super) fn value_index(&self, connection: &str, target: &str) -> PathBuf {
        self.of_connection(connection, target)
            .join("value_index.db")
    }

    /// The rollups of one connection that are not kept in its warehouse.
    pub(super) fn rollups(&self, connection: &str, target: &str) -> PathBuf {
        self.of_connection(connection, target).join("rollups.db")
    }

    fn of_connection(&self, connection: &str, target: &str) -> PathBuf {
        let hash = xxh3_64(target.as_bytes()) >> 32;
        self.path
            .join(format!("{}-{hash:08x}", file_name(connection)))
    }

    /// The compiled registry; may be deleted at any time.
    pub(super) fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    /// Texts that were typed and not saved.
    pub(super) fn unsaved(&self) -> PathBuf {
        self.path.join("unsaved")
    }

    /// What was changed in the demo's definitions.
    pub(super) fn demo_changes(&self) -> PathBuf {
        self.path.join("project")
    }

    /// The hashes of the files that were published last.
    pub(super) fn published(&self) -> PathBuf {
        self.path.join("published.json")
    }

    /// The demo's database.
    pub(super) fn demo_database(&self) -> PathBuf {
        self.path.join("demo.db")
    }
}

/// Gives the demo its own definitions back. What was changed in them is kept beside, in the folder that is returned.
///
/// # Errors
/// The state folder cannot be written.
pub fn reset_demo(state_dir: Option<&Path>) -> Result<Option<PathBuf>, SessionError> {
    let state = StateFolder::open(&Project::demo()?, state_dir);
    let changes = state.demo_changes();
    if !changes.join("metrics").exists() && !changes.join("metrex.yaml").exists() {
        return Ok(None);
    }
    let kept = state.path.join("project-before-reset");
    let moved = match std::fs::remove_dir_all(&kept) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::rename(&changes, &kept),
    };
    let failed = |error| SessionError::usage("state", format!("{}: {error}", changes.display()));
    moved.map_err(failed)?;
    Ok(Some(kept))
}

/// `jaffle-shop-1f0c9a3b`: readable, and different for every place a project stands at.
fn folder_name(project: &Project) -> String {
    match &project.root {
        None => "demo".to_owned(),
        Some(root) => {
            let place = std::fs::canonicalize(root).unwrap_or_else(|_| root.clone());
            let hash = xxh3_64(place.as_os_str().as_encoded_bytes());
            format!("{}-{hash:016x}", file_name(&project.name))
        }
    }
}

/// A name as one path component.
fn file_name(name: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(safe) {
        return name.to_owned();
    }
    let kept: String = name
        .chars()
        .map(|c| if safe(c) { c } else { '-' })
        .collect();
    format!("{kept}-{:08x}", xxh3_64(name.as_bytes()) >> 32)
}

fn xdg_state_folder() -> Option<PathBuf> {
    etcetera::base_strategy::Xdg::new().ok()?.state_dir()
}

fn make_writable(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)?;
    tempfile::Builder::new()
        .prefix(".write-test-")
        .tempfile_in(path)
        .map(drop)
}
