//! Writing definitions: all files or none, and only where nobody is in the way and nothing that worked stops working.

mod guard;
mod journal;
mod write;

use tokio_util::sync::CancellationToken;

use super::{Session, SessionError, git};
use crate::registry::Project;
use crate::registry::edit::{self, Edit, NotEditable, hash};

pub(super) use journal::mend;

/// Another text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file, relative to the project.
    pub path: String,
    /// The [`hash`] of the text it was made from; `None` where the file is not there yet.
    pub base: Option<String>,
    /// The text it gets; `None` takes the file away.
    pub text: Option<String>,
}

/// What is to be committed once it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitWish {
    /// The message.
    pub message: String,
    /// A new branch to commit on; otherwise it is the one that is checked out.
    pub branch: Option<String>,
}

/// A set of changes that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The files.
    pub files: Vec<FileChange>,
    /// What git is to do with them; nothing where nobody asked.
    pub commit: Option<CommitWish>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The files, relative to the project.
    pub files: Vec<String>,
    /// Metrics that mean something else now, are new or gone.
    pub metrics: Vec<String>,
    /// The commit, where one was wished for.
    pub commit: Option<Commit>,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its short hash.
    pub id: String,
    /// The branch it is on.
    pub branch: String,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotPublished {
    /// What stood in the way: `changed_meanwhile`, `publishing_elsewhere`, `read_only`, `name_taken`, `broken_dependant`,
    /// `new_error`, `failing_test`, `dirty_tree`, `not_editable`, `write_failed`, `git`, `path`, `review` or `cancelled`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl NotPublished {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<NotPublished> for SessionError {
    fn from(refusal: NotPublished) -> Self {
        let error = Self::usage(refusal.code, refusal.message);
        match refusal.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl Session {
    /// The text of a file of definitions as it is on disk now; `None` where there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn file_text(&self, path: &str) -> Result<Option<String>, NotPublished> {
        let project = self.project();
        let embedded = || match project.root {
            None => Project::embedded(path).map(str::to_owned),
            Some(_) => None,
        };
        let Some(folder) = project.folder() else {
            return Ok(embedded());
        };
        match std::fs::read_to_string(folder.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(embedded()),
            Err(error) => Err(NotPublished::new(
                "write_failed",
                format!("{path} cannot be read: {error}"),
            )),
        }
    }

    /// A file with these changes of its definitions, to be published.
    ///
    /// # Errors
    /// The file cannot be read, or is written in a way that only a person can change.
    pub fn edited(&self, path: &str, edits: &[Edit]) -> Result<FileChange, NotPublished> {
        let now = self.file_text(path)?;
        let text = edit::edit(now.as_deref().unwrap_or_default(), edits)
            .map_err(|error| not_editable(path, &error))?;
        Ok(FileChange {
            path: path.to_owned(),
            base: now.as_deref().map(hash),
            text: Some(text),
        })
    }

    /// Looks at everything that would stand in the way of a publication, short of the tests; nothing is written.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn could_publish(&self, publication: &Publication) -> Result<(), NotPublished> {
        self.compared(publication)?;
        self.tidy(publication)?;
        self.meant(publication).map(drop)
    }

    /// Writes a publication, if nothing stands in its way: all of it, or nothing. What was written is in force then.
    ///
    /// # Errors
    /// What stands in the way; nothing is changed then.
    pub async fn publish(
        &self,
        publication: &Publication,
        cancel: CancellationToken,
    ) -> Result<Published, NotPublished> {
        let session = self.clone();
        let wanted = publication.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            let lock = session.lock()?;
            session.compared(&wanted)?;
            session.tidy(&wanted)?;
            let meant = session.meant(&wanted)?;
            // A folder that cannot be written is found before the tests run.
            let journal = session.journal(&wanted)?;
            let staged = session.stage(&wanted)?;
            Ok::<_, NotPublished>((lock, meant, staged, journal))
        });
        let (lock, meant, staged, mut journal) = prepared.await.map_err(|_| interrupted())??;
        meant.session.pass_tests(&meant.tested, &cancel).await?;
        if cancel.is_cancelled() {
            return Err(interrupted());
        }
        let session = self.clone();
        let wanted = publication.clone();
        let write = tokio::task::spawn_blocking(move || {
            session.compared(&wanted)?;
            let commit = session.write(&wanted, staged, &mut journal)?;
            drop(journal);
            drop(lock);
            session.reload();
            Ok(Published {
                files: wanted.files.into_iter().map(|file| file.path).collect(),
                metrics: meant.changed,
                commit,
            })
        });
        write.await.map_err(|_| interrupted())?
    }
}

pub(super) fn not_editable(path: &str, error: &NotEditable) -> NotPublished {
    let refusal = NotPublished::new("not_editable", format!("{path}: {error}"));
    refusal.hint("change it by hand: `metrex edit`")
}

fn interrupted() -> NotPublished {
    NotPublished::new("cancelled", "cancelled; nothing was written")
}

impl From<git::GitError> for NotPublished {
    fn from(error: git::GitError) -> Self {
        Self::new("git", error.0)
    }
}
