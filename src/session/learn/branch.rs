//! What was learned on a git branch of its own: the definitions changed, the report as the text of the pull request.

use crate::learn::propose::Report;
use crate::registry::edit;
use crate::session::git::Repository;
use crate::session::publish::NotPublished;
use crate::session::{FileChange, Publication, PullRequest, Session, SessionError};

impl Session {
    /// Refuses where there is nothing to branch off from.
    pub(super) fn can_branch(&self) -> Result<Repository, NotPublished> {
        let root = self.project().root.as_deref();
        root.and_then(Repository::find).ok_or_else(|| {
            let message = "there is no git repository to make a branch in";
            NotPublished::new("git", message).hint("without --branch it writes to proposals/")
        })
    }

    /// Makes the branch and opens a pull request for it, where that can be done from here. Neither the checked-out branch nor
    /// its files change.
    pub(super) fn branch_off(
        &self,
        report: &Report,
        files: Vec<FileChange>,
        learned: Vec<String>,
    ) -> Result<PullRequest, SessionError> {
        let repository = self.can_branch()?;
        let publication = Publication {
            files,
            commit: None,
        };
        self.could_publish(&publication)?;
        let wanted = format!("metrex/learn-{}", report.to);
        let mut names =
            std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}-{number}")));
        let branch = names.find(|name| repository.check_branch(name).is_ok());
        let branch = branch.unwrap_or(wanted);
        let title = format!("Learned from use: {}", report.summary());
        let text = report.markdown();
        let message = format!("{title}\n\n{text}");
        let texts: Vec<(&str, Option<&str>)> = publication
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.text.as_deref()))
            .collect();
        let commit = repository
            .commit_aside(&branch, &message, &texts)
            .map_err(NotPublished::from)?;
        self.remember_verdict(
            &learned,
            &format!("offered on {branch}"),
            "metrex learn",
            "",
        );
        Ok(self.pull_request(&commit, &title, &text))
    }

    /// The file of a proposal goes with the branch that has what it says, where git knows it.
    pub(super) fn without_proposal(&self, path: &str) -> Result<Option<FileChange>, NotPublished> {
        let repository = self.can_branch()?;
        let is_known = repository
            .git(&["ls-files", "--error-unmatch", "--", path])
            .is_ok();
        let base = self.file_text(path)?.as_deref().map(edit::hash);
        Ok(is_known.then(|| FileChange {
            path: path.to_owned(),
            base,
            text: None,
        }))
    }
}
