//! Watches the project's files, so that an edit shows at once.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

use super::{Session, SessionError};

/// Editors write a file in several steps; changes this close together are one.
const SETTLE: Duration = Duration::from_millis(100);

/// Folders of a project that hold definitions.
const FOLDERS: [&str; 4] = ["metrics", "snippets", "templates", "themes"];

/// Watches until it is dropped.
pub struct Watcher {
    _inner: Option<notify::RecommendedWatcher>,
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
        let mut inner = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // The receiver ends with the watcher; what happens then concerns nobody.
                let _ = sender.send(());
            }
        })
        .map_err(|error| refused(root, &error))?;
        for folder in FOLDERS.map(|folder| root.join(folder)) {
            if folder.is_dir() {
                inner
                    .watch(&folder, RecursiveMode::Recursive)
                    .map_err(|error| refused(&folder, &error))?;
            }
        }
        std::thread::spawn(move || {
            while changes.recv().is_ok() {
                while changes.recv_timeout(SETTLE).is_ok() {}
                on_change();
            }
        });
        Ok(Watcher {
            _inner: Some(inner),
        })
    }
}

fn refused(path: &Path, error: &notify::Error) -> SessionError {
    SessionError::usage(
        "watch",
        format!("{} cannot be watched: {error}", path.display()),
    )
    .with_hint("edits show after `reload`; a larger fs.inotify.max_user_watches may help")
}
