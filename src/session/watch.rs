//! Watches the project's files, so that an edit shows at once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{Session, SessionError};

/// Editors write a file in several steps; changes this close together are one.
const SETTLE: Duration = Duration::from_millis(100);

/// Of the project's own folder, the one file that matters.
const CONFIG_FILE: &str = "metrex.yaml";
/// Folders of a project that hold definitions.
const FOLDERS: [&str; 4] = ["metrics", "snippets", "templates", "themes"];

/// Watches until it is dropped.
pub struct Watcher {
    _inner: Option<Arc<Mutex<RecommendedWatcher>>>,
}

impl Session {
    /// Calls `on_change` from its own thread after files of the project changed. The embedded demo never changes.
    ///
    /// # Errors
    /// The operating system refuses to watch.
    pub fn watch(&self, on_change: impl Fn() + Send + 'static) -> Result<Watcher, SessionError> {
        let Some(root) = &self.project().root else {
            return Ok(Watcher { _inner: None });
        };
        let (sender, changes) = mpsc::channel();
        let place = root.clone();
        let mut inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| concerns(&event, &place)) {
                // The receiver ends with the watcher; what happens then concerns nobody.
                let _ = sender.send(());
            }
        })
        .map_err(|error| refused(root, &error))?;
        let mut folders = Folders::of(root);
        folders.watch(&mut inner)?;
        // So that folders which appear later are found, and edits of the configuration.
        inner
            .watch(root, RecursiveMode::NonRecursive)
            .map_err(|error| refused(root, &error))?;
        let inner = Arc::new(Mutex::new(inner));
        let watcher = Arc::downgrade(&inner);
        std::thread::spawn(move || {
            while changes.recv().is_ok() {
                while changes.recv_timeout(SETTLE).is_ok() {}
                let Some(watcher) = watcher.upgrade() else {
                    break;
                };
                let mut watcher = watcher.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = folders.watch(&mut watcher) {
                    tracing::warn!(%error);
                }
                drop(watcher);
                on_change();
            }
        });
        Ok(Watcher {
            _inner: Some(inner),
        })
    }
}

/// The folders with definitions; any of them may come and go.
struct Folders {
    wanted: [PathBuf; 4],
    watched: HashSet<PathBuf>,
}

impl Folders {
    fn of(root: &Path) -> Self {
        Self {
            wanted: FOLDERS.map(|folder| root.join(folder)),
            watched: HashSet::new(),
        }
    }

    /// Watches those that are there.
    fn watch(&mut self, watcher: &mut RecommendedWatcher) -> Result<(), SessionError> {
        for folder in &self.wanted {
            if !folder.is_dir() {
                if self.watched.remove(folder) {
                    // The system has done so already where the folder was removed.
                    let _ = watcher.unwatch(folder);
                }
            } else if self.watched.insert(folder.clone()) {
                watcher
                    .watch(folder, RecursiveMode::Recursive)
                    .map_err(|error| refused(folder, &error))?;
            }
        }
        Ok(())
    }
}

/// Whether something changed that definitions come from; a database may stand beside them, and changes all the time.
fn concerns(event: &Event, root: &Path) -> bool {
    let is_ours = |path: &PathBuf| {
        let inside = path.strip_prefix(root).ok();
        inside.is_none_or(|path| {
            path == Path::new(CONFIG_FILE) || FOLDERS.iter().any(|folder| path.starts_with(folder))
        })
    };
    !event.kind.is_access() && (event.paths.is_empty() || event.paths.iter().any(is_ours))
}

fn refused(path: &Path, error: &notify::Error) -> SessionError {
    SessionError::usage(
        "watch",
        format!("{} cannot be watched: {error}", path.display()),
    )
    .with_hint("edits show after `reload`; a larger fs.inotify.max_user_watches may help")
}
