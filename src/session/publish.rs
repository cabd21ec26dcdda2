//! Writing definitions: all files or none, and only where nobody is in the way and nothing that worked stops working.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::git::{self, Repository};
use super::whole_file::{Staged, stage};
use super::{Session, SessionError};
use crate::compile::ErrorCode;
use crate::govern::fingerprint;
use crate::model::{Metric, MetricKind, MetricQuery, Registry};
use crate::registry::edit::{self, Edit, NotEditable, hash};
use crate::registry::{Diagnostic, Project, Severity};

/// How long somebody else's publishing is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Folders that definitions are in.
const FOLDERS: [&str; 3] = ["metrics", "snippets", "proposals"];

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
            let (supposed, metrics) = session.meant(&wanted)?;
            // A folder that cannot be written is found before the tests run.
            let staged = session.stage(&wanted)?;
            Ok::<_, NotPublished>((lock, supposed, metrics, staged))
        });
        let (lock, supposed, metrics, staged) = prepared.await.map_err(|_| interrupted())??;
        supposed.pass_tests(&metrics, &cancel).await?;
        if cancel.is_cancelled() {
            return Err(interrupted());
        }
        let session = self.clone();
        let wanted = publication.clone();
        let write = tokio::task::spawn_blocking(move || {
            session.compared(&wanted)?;
            let commit = session.write(&wanted, staged)?;
            drop(lock);
            session.reload();
            Ok(Published {
                files: wanted.files.into_iter().map(|file| file.path).collect(),
                metrics,
                commit,
            })
        });
        write.await.map_err(|_| interrupted())?
    }

    /// Keeps everybody else from publishing into the project, also other processes, until it is dropped.
    fn lock(&self) -> Result<File, NotPublished> {
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
                Ok(()) => return Ok(lock),
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

    /// Refuses where a file is not what the change was made from.
    fn compared(&self, publication: &Publication) -> Result<(), NotPublished> {
        for file in &publication.files {
            let parts: Vec<&str> = file.path.split('/').collect();
            let is_inside = parts.len() > 1
                && parts.first().is_some_and(|first| FOLDERS.contains(first))
                && parts.iter().all(|part| !part.is_empty() && *part != "..");
            if !is_inside {
                let message = format!("{} is no place for definitions", file.path);
                return Err(NotPublished::new("path", message).hint("write below metrics/"));
            }
            let now = self.file_text(&file.path)?;
            if now.as_deref().map(hash) != file.base {
                let what = match (&now, &file.base) {
                    (None, _) => "is gone",
                    (_, None) => "is there already",
                    _ => "has changed",
                };
                let message = format!("{} {what} since this was begun", file.path);
                let hint = "nothing was written; look at it again and publish then";
                return Err(NotPublished::new("changed_meanwhile", message).hint(hint));
            }
        }
        Ok(())
    }

    /// Refuses where git knows of changes in these files that were not published from here: they would be mixed up.
    fn tidy(&self, publication: &Publication) -> Result<(), NotPublished> {
        let wish = publication.commit.as_ref();
        let repository = match self.project().root.as_deref().map(Repository::find) {
            Some(Some(repository)) => repository,
            _ if wish.is_some() => {
                let message = "there is no git repository to commit to";
                return Err(NotPublished::new("git", message).hint("publish without a commit"));
            }
            _ => return Ok(()),
        };
        let paths = publication.files.iter().map(|file| file.path.as_str());
        let ours = self.published_before();
        for (path, is_new) in repository.dirty(paths)? {
            let now = self.file_text(&path)?.as_deref().map(hash);
            // What was published from here and not committed is nobody's half-done work; a file that git does not know
            // is in nobody's way until it is committed.
            let is_ours = ours
                .get(&path)
                .is_some_and(|known| Some(known) == now.as_ref());
            if is_ours || (is_new && wish.is_none()) {
                continue;
            }
            let message = format!("{path} has changes that are not committed");
            let hint = "commit them or put them aside (git stash), then publish";
            return Err(NotPublished::new("dirty_tree", message).hint(hint));
        }
        if let Some(branch) = wish.and_then(|wish| wish.branch.as_deref()) {
            repository.check_branch(branch)?;
        }
        Ok(())
    }

    /// The session with the publication in force, and the metrics that mean something else in it; refuses where
    /// something that worked would stop working.
    fn meant(&self, publication: &Publication) -> Result<(Session, Vec<String>), NotPublished> {
        let texts = publication.files.iter();
        let texts: Vec<_> = texts
            .map(|file| (file.path.as_str(), file.text.as_deref()))
            .collect();
        // What is on disk now counts, and not what was read last.
        let now: Vec<_> = publication
            .files
            .iter()
            .map(|file| Ok((file.path.as_str(), self.file_text(&file.path)?)))
            .collect::<Result<_, NotPublished>>()?;
        let now: Vec<_> = now
            .iter()
            .map(|(path, text)| (*path, text.as_deref()))
            .collect();
        let before = self.as_if(&now);
        let after = self.as_if(&texts);
        let is_written = |name: &str, section: &str| {
            let body = |texts: &[(&str, Option<&str>)]| {
                let mut texts = texts.iter().filter_map(|(_, text)| *text);
                texts.find_map(|text| edit::body(text, section, name))
            };
            body(&now) != body(&texts)
        };
        let (old, new) = (before.catalog(), after.catalog());
        let news = new_errors(&old.diagnostics, &new.diagnostics);
        let told = |problem: &Diagnostic| problem.to_string();
        if let Some(taken) = news
            .iter()
            .find(|one| matches!(one.code, "duplicate_name" | "alias_clash"))
        {
            return Err(NotPublished::new("name_taken", told(taken)));
        }
        check_names(&old.registry, &new.registry)?;
        let (metrics, views) = (&old.registry.metrics, &old.registry.views);
        let gone = metrics.values().filter(|metric| {
            !new.registry.metrics.contains_key(&metric.name) && !is_written(&metric.name, "metrics")
        });
        let gone = gone.map(|metric| (&metric.name, metric.place));
        let gone_views = views.values().filter(|view| {
            !new.registry.views.contains_key(&view.name) && !is_written(&view.name, "views")
        });
        let gone_views = gone_views.map(|view| (&view.name, view.place));
        if let Some((name, place)) = gone.chain(gone_views).next() {
            let reason = news.iter().map(|one| told(one));
            let reason: Vec<String> = reason.collect();
            let at = old.registry.at(place);
            let message = format!("'{name}' ({at}) would stop working");
            let refusal = NotPublished::new("broken_dependant", message);
            return Err(match reason.is_empty() {
                true => refusal,
                false => refusal.hint(reason.join("\n")),
            });
        }
        if let Some(first) = news.first() {
            let others = news.len() - 1;
            let refusal = NotPublished::new("new_error", told(first));
            return Err(match others {
                0 => refusal,
                others => refusal.hint(format!("and {others} more")),
            });
        }
        let changed = changed_metrics(&old.registry, &new.registry);
        for name in &changed {
            let query = MetricQuery {
                metrics: vec![name.clone()],
                ..MetricQuery::default()
            };
            let is_by_hand = new.registry.metrics.get(name).is_none_or(is_complex);
            let worked = !metrics.contains_key(name) || before.compile(&query).is_ok();
            let Some(error) = after
                .compile(&query)
                .err()
                .filter(|_| worked && !is_by_hand)
            else {
                continue;
            };
            let code = match is_written(name, "metrics") {
                true => "new_error",
                false => "broken_dependant",
            };
            let message = format!("'{name}' would have no SQL: {}", error.message);
            return Err(NotPublished {
                code,
                message,
                hint: error.hint,
            });
        }
        for view in new.registry.views.values() {
            let old = views.get(&view.name).map(|old| before.compile(&old.query));
            let worked = old.is_none_or(|compiled| compiled.is_ok());
            if let Some(error) = after.compile(&view.query).err().filter(|_| worked)
                && error.code != ErrorCode::UnknownValue
            {
                let name = &view.name;
                let at = new.registry.at(view.place);
                let message = format!(
                    "the saved query '{name}' ({at}) would have no answer: {}",
                    error.message
                );
                return Err(NotPublished {
                    code: "broken_dependant",
                    message,
                    hint: error.hint,
                });
            }
        }
        Ok((after, changed))
    }

    /// Refuses where a test of one of these metrics, or of what is made of them, does not pass.
    async fn pass_tests(
        &self,
        _metrics: &[String],
        _cancel: &CancellationToken,
    ) -> Result<(), NotPublished> {
        Ok(())
    }

    /// The new texts, written beside their files.
    fn stage(
        &self,
        publication: &Publication,
    ) -> Result<Vec<(PathBuf, Option<Staged>)>, NotPublished> {
        let folder = self.writable_folder()?;
        let stage = |file: &FileChange| {
            let path = folder.join(&file.path);
            let staged = file.text.as_deref().map(|text| stage(&path, text));
            let staged = staged.transpose().map_err(|error| {
                let message = format!("{} cannot be written: {error}", file.path);
                let hint = "nothing was written; make the folder writable for you";
                NotPublished::new("read_only", message).hint(hint)
            });
            Ok((path, staged?))
        };
        publication.files.iter().map(stage).collect()
    }

    /// Puts all texts into their places, and commits them where that is wished for. What fails leaves everything as it
    /// was.
    fn write(
        &self,
        publication: &Publication,
        staged: Vec<(PathBuf, Option<Staged>)>,
    ) -> Result<Option<Commit>, NotPublished> {
        let mut done: Vec<(PathBuf, Option<String>)> = Vec::new();
        let undo = |done: &[(PathBuf, Option<String>)]| {
            for (path, text) in done.iter().rev() {
                let undone = match text {
                    Some(text) => super::whole_file::write_whole(path, text),
                    None => std::fs::remove_file(path),
                };
                if let Err(error) = undone {
                    tracing::error!(path = %path.display(), %error, "cannot be undone");
                }
            }
        };
        // Files go last, so that what is taken away is elsewhere by then.
        let (new, gone): (Vec<_>, Vec<_>) = staged.into_iter().partition(|(_, new)| new.is_some());
        for (path, new) in new.into_iter().chain(gone) {
            let old = std::fs::read_to_string(&path).ok();
            let written = match new {
                Some(new) => new.put(),
                None => std::fs::remove_file(&path),
            };
            if let Err(error) = written {
                undo(&done);
                let message = format!("{} cannot be written: {error}", path.display());
                return Err(NotPublished::new("write_failed", message));
            }
            done.push((path, old));
        }
        let paths: Vec<&str> = publication
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        let commit = match (&publication.commit, self.project().root.as_deref()) {
            (Some(wish), Some(root)) => {
                let repository = Repository::find(root);
                let commit = repository.map(|repository| repository.commit(wish, &paths));
                commit.transpose().inspect_err(|_| undo(&done))?
            }
            _ => None,
        };
        self.note_published(publication, commit.is_some());
        Ok(commit)
    }

    /// The files that were published from here, with the hash of what was written.
    fn published_before(&self) -> BTreeMap<String, String> {
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

pub(super) fn not_editable(path: &str, error: &NotEditable) -> NotPublished {
    let refusal = NotPublished::new("not_editable", format!("{path}: {error}"));
    refusal.hint("change it by hand: `metrex edit`")
}

fn interrupted() -> NotPublished {
    NotPublished::new("cancelled", "cancelled; nothing was written")
}

fn is_complex(metric: &Metric) -> bool {
    matches!(metric.kind, MetricKind::Complex { .. })
}

/// Errors that were not there before, wherever in the file they stand.
fn new_errors<'d>(before: &[Diagnostic], after: &'d [Diagnostic]) -> Vec<&'d Diagnostic> {
    let is_error = |one: &&Diagnostic| one.severity == Severity::Error;
    let is_known = |one: &Diagnostic| {
        let mut old = before.iter().filter(is_error);
        old.any(|old| old.file == one.file && old.code == one.code && old.message == one.message)
    };
    let errors = after.iter().filter(is_error);
    errors.filter(|one| !is_known(one)).collect()
}

/// Refuses a new metric, or a new name of one, that a saved query has, and the other way round: one would hide the other.
fn check_names(before: &Registry, after: &Registry) -> Result<(), NotPublished> {
    for view in after.views.values() {
        let Some(metric) = after.metric(&view.name) else {
            continue;
        };
        let was_so = before.metric(&view.name).is_some() && before.views.contains_key(&view.name);
        if !was_so {
            let (here, there) = (after.at(metric.place), after.at(view.place));
            let message = format!(
                "'{}' is the name of a metric ({here}) and of a saved query ({there})",
                view.name
            );
            return Err(NotPublished::new("name_taken", message).hint("one of them needs another"));
        }
    }
    Ok(())
}

/// Metrics that are new, gone or mean something else.
fn changed_metrics(before: &Registry, after: &Registry) -> Vec<String> {
    let is_same = |metric: &&Metric| {
        let old = before.metrics.get(&metric.name);
        old.is_some_and(|old| fingerprint(before, old) == fingerprint(after, metric))
    };
    let news = after.metrics.values().filter(|metric| !is_same(metric));
    let gone = before.metrics.keys();
    let gone = gone
        .filter(|name| !after.metrics.contains_key(*name))
        .cloned();
    news.map(|metric| metric.name.clone()).chain(gone).collect()
}

impl From<git::GitError> for NotPublished {
    fn from(error: git::GitError) -> Self {
        Self::new("git", error.0)
    }
}
