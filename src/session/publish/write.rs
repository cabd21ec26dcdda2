//! Puts texts into their files: under a lock, all of them or none.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::journal::{Journal, mend_locked};
use super::{Commit, FileChange, NotPublished, Publication};
use crate::registry::edit::hash;
use crate::session::Session;
use crate::session::git::Repository;
use crate::session::whole_file::{Staged, stage, writable};

/// How long somebody else's publishing is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl Session {
    /// Keeps everybody else from publishing into the project, also other processes, until it is dropped.
    pub(in crate::session) fn lock(&self) -> Result<File, NotPublished> {
        let folder = self.writable_folder()?;
        let failed = |error: std::io::Error| {
            let message = format!("{} cannot be locked: {error}", folder.display());
            NotPublished::new("write_failed", message)
        };
        if self.project().root.is_none() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        // The folder itself, so that no file is left behind and every user of it meets the same lock.
        let lock = File::open(folder).map_err(failed)?;
        let began = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    mend_locked(folder);
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => {
                    let message = "somebody else is publishing into this project just now";
                    let hint = "nothing was written; try again in a moment";
                    return Err(NotPublished::new("publishing_elsewhere", message).hint(hint));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    fn writable_folder(&self) -> Result<&Path, NotPublished> {
        self.project()
            .folder()
            .ok_or_else(|| NotPublished::new("read_only", "the project has no folder to write to"))
    }

    /// Notes what is about to be written.
    pub(super) fn journal(&self, publication: &Publication) -> Result<Journal, NotPublished> {
        let folder = self.writable_folder()?;
        let begun = Journal::begin(folder, publication);
        begun.map_err(|error| read_only(&folder.display().to_string(), &error))
    }

    /// The new texts, written beside their files.
    pub(super) fn stage(
        &self,
        publication: &Publication,
    ) -> Result<Vec<(PathBuf, Option<Staged>)>, NotPublished> {
        let folder = self.writable_folder()?;
        let stage = |file: &FileChange| {
            let path = folder.join(&file.path);
            let staged = match file.text.as_deref() {
                Some(text) => stage(&path, text).map(Some),
                None => writable(&path).map(|()| None),
            };
            let staged = staged.map_err(|error| read_only(&file.path, &error))?;
            Ok((path, staged))
        };
        publication.files.iter().map(stage).collect()
    }

    /// Puts all texts into their places, and commits them where that is wished for. What fails leaves everything as it
    /// was.
    pub(super) fn write(
        &self,
        publication: &Publication,
        staged: Vec<(PathBuf, Option<Staged>)>,
        journal: &mut Journal,
    ) -> Result<Option<Commit>, NotPublished> {
        // Files go last, so that what is taken away is elsewhere by then.
        let (new, gone): (Vec<_>, Vec<_>) = staged.into_iter().partition(|(_, new)| new.is_some());
        for (path, new) in new.into_iter().chain(gone) {
            let written = match new {
                Some(new) => new.put(),
                None => std::fs::remove_file(&path),
            };
            if let Err(error) = written {
                journal.take_back();
                let message = format!("{} cannot be written: {error}", path.display());
                return Err(NotPublished::new("write_failed", message));
            }
        }
        let paths = publication.files.iter().map(|file| file.path.as_str());
        let paths: Vec<&str> = paths.collect();
        let commit = match (&publication.commit, self.project().root.as_deref()) {
            (Some(wish), Some(root)) => {
                let repository = Repository::find(root);
                let commit = repository.map(|repository| repository.commit(wish, &paths));
                commit.transpose().inspect_err(|_| journal.take_back())?
            }
            _ => None,
        };
        self.note_published(publication, commit.is_some());
        Ok(commit)
    }

    /// The files that were published from here, with the hash of what was written.
    pub(super) fn published_before(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(self.state().published()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn note_published(&self, publication: &Publication, is_committed: bool) {
        let mut known = self.published_before();
        for file in &publication.files {
            match file.text.as_deref().filter(|_| !is_committed) {
                Some(text) => drop(known.insert(file.path.clone(), hash(text))),
                None => drop(known.remove(&file.path)),
            }
        }
        let text = serde_json::to_string(&known).unwrap_or_default();
        // Without it, the next publication asks for a commit first.
        if let Err(error) = std::fs::write(self.state().published(), text) {
            tracing::warn!(%error, "what was published is not noted");
        }
    }
}

fn read_only(path: &str, error: &std::io::Error) -> NotPublished {
    let message = format!("{path} cannot be written: {error}");
    let hint = "nothing was written; make the folder writable for you";
    NotPublished::new("read_only", message).hint(hint)
}
