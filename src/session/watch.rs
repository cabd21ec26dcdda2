//! Watches the project's files, so that an edit shows at once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{Session, SessionError};
use crate::registry::UserConfig;

/// Editors write a file in several steps; changes this close together are one.
const SETTLE: Duration = Duration::from_millis(100);

/// Of the project's own folder, the one file that matters.
const CONFIG_FILE: &str = "metrex.yaml";
/// Folders of a project that hold definitions.
const FOLDERS: [&str; 5] = ["metrics", "snippets", "proposals", "templates", "themes"];

/// Watches until it is dropped.
pub struct Watcher {
    _inner: Arc<Mutex<RecommendedWatcher>>,
}

impl Session {
    /// Calls `on_change` from its own thread after files of the project, or the user's configuration, changed.
    ///
    /// # Errors
    /// The operating system refuses to watch.
    pub fn watch(&self, on_change: impl Fn() + Send + 'static) -> Result<Watcher, SessionError> {
        let root = self.project().folder().map(Path::to_owned);
        if let (None, Some(changes)) = (&self.project().root, &root) {
            // What cannot be written cannot change either.
            let _ = std::fs::create_dir_all(changes);
        }
        let root = root.filter(|root| root.is_dir());
        let user = UserConfig::path();
        let mut folders = Folders::of(root.as_deref(), user.as_deref());
        let (sender, changes) = mpsc::channel();
        let (ours, theirs) = (root.clone(), user.clone());
        let mut inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| concerns(&event, ours.as_deref(), theirs.as_deref())) {
                // The receiver ends with the watcher; what happens then concerns nobody.
                let _ = sender.send(());
            }
        })
        .map_err(|error| refused(root.as_deref().unwrap_or(Path::new(".")), &error))?;
        folders.watch(&mut inner)?;
        // So that folders which appear later are found, and edits of the configuration.
        for parent in root
            .iter()
            .map(PathBuf::as_path)
            .chain(above(user.as_deref()))
        {
            inner
                .watch(parent, RecursiveMode::NonRecursive)
                .map_err(|error| refused(parent, &error))?;
        }
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
        Ok(Watcher { _inner: inner })
    }
}

/// The folders with definitions, and that of the user's configuration; any of them may come and go.
struct Folders {
    wanted: Vec<PathBuf>,
    watched: HashSet<PathBuf>,
}

impl Folders {
    fn of(root: Option<&Path>, user: Option<&Path>) -> Self {
        let ours = root.into_iter();
        let ours = ours.flat_map(|root| FOLDERS.map(|folder| root.join(folder)));
        let theirs = user.and_then(Path::parent).map(Path::to_owned);
        Self {
            wanted: ours.chain(theirs).collect(),
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

/// The folder that the one of the user's configuration appears in, where that is there.
fn above(user: Option<&Path>) -> Option<&Path> {
    let above = user.and_then(Path::parent).and_then(Path::parent);
    above.filter(|folder| folder.is_dir())
}

/// Whether something changed that definitions come from; a database may stand beside them, and changes all the time.
fn concerns(event: &Event, root: Option<&Path>, user: Option<&Path>) -> bool {
    let folder = user.and_then(Path::parent);
    let theirs = folder.and_then(Path::parent);
    let is_ours = |path: &PathBuf| {
        let path = path.as_path();
        let inside = root.and_then(|root| path.strip_prefix(root).ok());
        match inside {
            _ if user == Some(path) || folder == Some(path) => true,
            Some(path) => {
                path == Path::new(CONFIG_FILE)
                    || FOLDERS.iter().any(|folder| path.starts_with(folder))
            }
            // The other programs' configurations are none of ours; a path seen through a link may be.
            None => !theirs.is_some_and(|theirs| path.starts_with(theirs)),
        }
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
