//! git, by its own program: what is not committed, and a commit of a few files.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::publish::{Commit, CommitWish, NotPublished};

/// What git says where it fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct GitError(pub(super) String);

/// The repository that a project is in.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    project: PathBuf,
}

impl Repository {
    /// The repository of a folder; `None` outside of one, and without git.
    pub(super) fn find(project: &Path) -> Option<Self> {
        let found = Self {
            project: project.to_owned(),
        };
        let inside = found.git(&["rev-parse", "--is-inside-work-tree"]).ok()?;
        (inside == "true").then_some(found)
    }

    /// Which of these files differ from what is committed, and whether git does not know them yet.
    pub(super) fn dirty<'p>(
        &self,
        paths: impl Iterator<Item = &'p str>,
    ) -> Result<Vec<(String, bool)>, GitError> {
        let mut found = Vec::new();
        for path in paths {
            let args = ["status", "--porcelain", "--untracked-files=all", "--", path];
            let said = self.git(&args)?;
            if !said.is_empty() {
                found.push((path.to_owned(), said.starts_with("??")));
            }
        }
        Ok(found)
    }

    /// The branch that is checked out.
    pub(super) fn branch(&self) -> Result<String, GitError> {
        self.git(&["symbolic-ref", "--short", "HEAD"])
    }

    /// Refuses a branch that cannot be made.
    pub(super) fn check_branch(&self, branch: &str) -> Result<(), NotPublished> {
        let refuse = |message: String| Err(NotPublished::new("git", message));
        if self.git(&["check-ref-format", "--branch", branch]).is_err() {
            return refuse(format!("'{branch}' cannot name a branch"));
        }
        let name = format!("refs/heads/{branch}");
        if self
            .git(&["show-ref", "--verify", "--quiet", &name])
            .is_ok()
            && self.branch().ok().as_deref() != Some(branch)
        {
            return refuse(format!(
                "there is a branch '{branch}' already; switch to it, or name another one"
            ));
        }
        Ok(())
    }

    /// Commits these files and nothing else, on a new branch where one is wished for. What fails leaves the branch.
    pub(super) fn commit(&self, wish: &CommitWish, paths: &[&str]) -> Result<Commit, NotPublished> {
        let before = self.branch().ok();
        let new = wish.branch.as_deref();
        let new = new.filter(|new| before.as_deref() != Some(*new));
        if let Some(branch) = new {
            self.git(&["switch", "--quiet", "--create", branch])?;
        }
        let committed = self.commit_here(&wish.message, paths);
        if committed.is_err() {
            let args = ["reset", "--quiet", "--"]
                .into_iter()
                .chain(paths.iter().copied());
            // Before the first commit there is nothing to go back to.
            let _ = self.git(&args.collect::<Vec<_>>());
        }
        if let (Err(_), Some(branch)) = (&committed, new) {
            let back = before.as_deref().unwrap_or("-");
            let undone = self.git(&["switch", "--quiet", back]);
            if undone
                .and_then(|_| self.git(&["branch", "--delete", "--force", branch]))
                .is_err()
            {
                tracing::warn!(branch, "the branch stays");
            }
        }
        Ok(committed?)
    }

    fn commit_here(&self, message: &str, paths: &[&str]) -> Result<Commit, GitError> {
        // A file that git does not know yet has to be made known; one that is gone may never have been known.
        for path in paths {
            if self.project.join(path).exists() {
                self.git(&["add", "--intent-to-add", "--", path])?;
            }
        }
        let is_known = |path: &&&str| {
            let known = self.git(&["ls-files", "--error-unmatch", "--", path]);
            known.is_ok()
        };
        let known: Vec<&str> = paths.iter().filter(is_known).copied().collect();
        let mut args = vec!["commit", "--quiet", "--only", "--message", message, "--"];
        args.extend(known);
        self.git(&args)?;
        Ok(Commit {
            id: self.git(&["rev-parse", "--short", "HEAD"])?,
            branch: self.branch().unwrap_or_else(|_| "HEAD".to_owned()),
        })
    }

    /// Commits these texts on a new branch that starts where the checked-out one is. The files and what is staged stay as
    /// they are; the branch is there at the very end, or not at all.
    pub(super) fn commit_aside(
        &self,
        branch: &str,
        message: &str,
        texts: &[(&str, Option<&str>)],
    ) -> Result<Commit, GitError> {
        let folder = tempfile::tempdir();
        let folder = folder.map_err(|error| GitError(format!("no temporary folder: {error}")))?;
        let index = folder.path().join("index");
        let aside = |args: &[&str], input: &str| {
            let said = self.fed(args, Some(input), Some(&index))?;
            Ok::<_, GitError>(said.trim_end().to_owned())
        };
        aside(&["read-tree", "HEAD"], "")?;
        let before = self.git(&["rev-parse", "--show-prefix"])?;
        for (path, text) in texts {
            let path = format!("{before}{path}");
            match text {
                Some(text) => {
                    let object = aside(&["hash-object", "-w", "--stdin"], text)?;
                    let entry = format!("100644,{object},{path}");
                    aside(&["update-index", "--add", "--cacheinfo", &entry], "")?;
                }
                None => {
                    let gone = format!("0 {}\t{path}\n", "0".repeat(40));
                    aside(&["update-index", "--index-info"], &gone)?;
                }
            }
        }
        let tree = aside(&["write-tree"], "")?;
        let commit = aside(&["commit-tree", &tree, "-p", "HEAD"], message)?;
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &commit, ""])?;
        Ok(Commit {
            id: self.git(&["rev-parse", "--short", &commit])?,
            branch: branch.to_owned(),
        })
    }

    /// The commit that a revision means.
    pub(super) fn commit_of(&self, revision: &str) -> Result<String, GitError> {
        let commit = format!("{revision}^{{commit}}");
        self.git(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ])
    }

    /// The files of the project in a commit, relative to the project.
    pub(super) fn files_of(&self, commit: &str) -> Result<Vec<String>, GitError> {
        let said = self.git(&["ls-tree", "-r", "-z", "--name-only", commit])?;
        let paths = said.split('\0').filter(|path| !path.is_empty());
        Ok(paths.map(str::to_owned).collect())
    }

    /// The text of a file of the project in a commit, to the last sign.
    pub(super) fn text_of(&self, commit: &str, path: &str) -> Result<String, GitError> {
        self.said(&["show", &format!("{commit}:./{path}")])
    }

    /// What git says; without the line end.
    pub(super) fn git(&self, args: &[&str]) -> Result<String, GitError> {
        Ok(self.said(args)?.trim_end().to_owned())
    }

    fn said(&self, args: &[&str]) -> Result<String, GitError> {
        self.fed(args, None, None)
    }

    /// What git says to a text, with an index of its own where one is given.
    fn fed(
        &self,
        args: &[&str],
        input: Option<&str>,
        index: Option<&Path>,
    ) -> Result<String, GitError> {
        let mut git = Command::new("git");
        // Nothing may wait for an editor or a password.
        git.env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", "true");
        if let Some(index) = index {
            git.env("GIT_INDEX_FILE", index);
        }
        git.current_dir(&self.project).args(args);
        let said = match input {
            None => git.output(),
            Some(input) => {
                git.stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                git.spawn().and_then(|mut running| {
                    // What it does not want to read, it does not need.
                    let _ = running
                        .stdin
                        .take()
                        .map(|mut into| into.write_all(input.as_bytes()));
                    running.wait_with_output()
                })
            }
        };
        let said = said.map_err(|error| GitError(format!("git cannot be run: {error}")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        match said.status.success() {
            true => Ok(String::from_utf8_lossy(&said.stdout).into_owned()),
            false => {
                let why = [text(&said.stderr), text(&said.stdout)];
                let why = why.into_iter().find(|text| !text.is_empty());
                let first = args.first().copied().unwrap_or_default();
                Err(GitError(format!(
                    "git {first}: {}",
                    why.unwrap_or_default()
                )))
            }
        }
    }
}
