//! The project: its definitions, saved queries, connections, and what is kept of the work on it.

use tokio_util::sync::CancellationToken;

use super::{Engine, Sender, preferences};
use crate::registry::UserConfig;
use crate::session::{Pin, SavedQuery, Session, Workspace};
use crate::tui::message::{Message, Notice};

impl Engine {
    /// Makes the demo ready, if that is what is explored.
    pub(in crate::tui) fn prepare(&self) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let progress = sender.clone();
            let outcome = session
                .prepare(move |step| {
                    let percent = (step.share * 100.0).round();
                    // A full queue means that newer steps will follow anyway.
                    let _ = progress.try_send(Message::Preparing(format!(
                        "Making the demo database: {} {percent}%",
                        step.step.trim_start_matches("demo data: ")
                    )));
                })
                .await;
            let _ = sender
                .send(Message::Prepared(
                    outcome.map_err(|error| error.to_string()),
                ))
                .await;
        });
    }

    /// Reads the registry and the configurations again.
    pub(super) fn reload(&self) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime
            .spawn_blocking(move || reload(&session, &sender));
    }

    /// Switches the connection.
    pub(super) fn connect(&self, name: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            let error = session
                .use_connection(&name)
                .err()
                .map(|error| error.to_string());
            let _ = sender.blocking_send(Message::Connected {
                connection: session.connection(),
                error,
            });
        });
    }

    /// Saves a query in the project.
    pub(super) fn save_view(&self, view: SavedQuery, replace: bool) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let cancel = CancellationToken::new();
            let outcome = session.save_view(&view, replace, cancel).await;
            if outcome.is_ok() {
                reloaded(&session, &sender).await;
            }
            let name = view.name;
            let _ = sender.send(Message::ViewSaved { name, outcome }).await;
        });
    }

    /// Deletes a saved query of the project.
    pub(super) fn delete_view(&self, name: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let said = match session.delete_view(&name, CancellationToken::new()).await {
                Ok(file) => {
                    reloaded(&session, &sender).await;
                    Notice::Info(format!("deleted '{name}' from {file}"))
                }
                Err(error) => Notice::Error(match error.hint() {
                    Some(hint) => format!("{}; {hint}", error.message),
                    None => error.message,
                }),
            };
            let _ = sender.send(Message::Notice(said)).await;
        });
    }

    /// Keeps a number as a test of its metric.
    pub(super) fn pin(&self, pin: Pin) {
        // Its query has run already.
        let (session, sender) = (self.session(true), self.sender.clone());
        self.runtime.spawn(async move {
            let said = match session.pin(&pin, &CancellationToken::new()).await {
                Ok(at) => {
                    reloaded(&session, &sender).await;
                    Notice::Info(format!("pinned as a test at {at}; `metrex test` runs it"))
                }
                Err(refusal) => Notice::Error(match refusal.hint {
                    Some(hint) => format!("{}; {hint}", refusal.message),
                    None => refusal.message,
                }),
            };
            let _ = sender.send(Message::Notice(said)).await;
        });
    }

    /// Forgets a line of the history.
    pub(super) fn forget_line(&self, line: String) {
        let session = self.session.clone();
        self.runtime
            .spawn_blocking(move || session.forget_line(&line));
    }

    /// Keeps what is open for the next start, without anybody waiting for it.
    pub(super) fn keep(&self, workspace: Workspace) {
        let session = self.session.clone();
        self.runtime
            .spawn_blocking(move || session.keep_workspace(&workspace));
    }

    /// The same at the end, when it has to be written before the program is gone.
    pub(in crate::tui) fn keep_at_last(&self, workspace: &Workspace) {
        self.session.keep_workspace(workspace);
    }
}

/// The same, off the threads that answers come on.
async fn reloaded(session: &Session, sender: &Sender) {
    let (session, sender) = (session.clone(), sender.clone());
    let _ = tokio::task::spawn_blocking(move || reload(&session, &sender)).await;
}

/// Reads the registry and the configurations again and says what they are now.
fn reload(session: &Session, sender: &Sender) {
    session.reload();
    let catalog = session.catalog();
    let problems = catalog.diagnostics.clone();
    let preferences = Box::new(preferences(session, &UserConfig::open()));
    let _ = sender.blocking_send(Message::Reloaded {
        catalog,
        problems,
        preferences,
    });
}
