//! Pull requests: opened by `gh` or `glab` where one of them is there, else ready to be opened by hand.

use std::process::Command;

use super::git::{GitError, Repository};
use super::{Commit, Review, Session};

/// What became of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullRequest {
    /// It was opened, at this address.
    Opened(String),
    /// It was not, and why; this is what it would say.
    Ready {
        /// Why it was not opened.
        why: String,
        /// The branch.
        branch: String,
        /// Its title.
        title: String,
        /// Its text, as Markdown.
        text: String,
    },
}

/// Programs that open pull requests: name, and arguments for the branch, the title and the text.
const PROGRAMS: [(&str, [&str; 5]); 2] = [
    ("gh", ["pr", "create", "--head", "--title", "--body"]),
    (
        "glab",
        [
            "mr",
            "create",
            "--source-branch",
            "--title",
            "--description",
        ],
    ),
];

impl Session {
    /// Pushes the branch of a commit and opens a pull request for it, where that can be done from here.
    pub fn pull_request(&self, commit: &Commit, title: &str, text: &str) -> PullRequest {
        let opened = self.open_request(&commit.branch, title, text);
        opened.map_or_else(
            |error| PullRequest::Ready {
                why: error.0,
                branch: commit.branch.clone(),
                title: title.to_owned(),
                text: text.to_owned(),
            },
            PullRequest::Opened,
        )
    }

    fn open_request(&self, branch: &str, title: &str, text: &str) -> Result<String, GitError> {
        let fail = |why: &str| GitError(why.to_owned());
        let root = self.project().root.as_deref();
        let root = root.ok_or_else(|| fail("the demo has no repository"))?;
        let is_there = |program: &str| {
            let asked = Command::new(program).arg("--version").output();
            asked.is_ok_and(|said| said.status.success())
        };
        let mut programs = PROGRAMS.into_iter();
        let found = programs.find(|(program, _)| is_there(program));
        let (program, [noun, verb, head, named, about]) =
            found.ok_or_else(|| fail("neither gh nor glab is installed"))?;
        let repository = Repository::find(root).ok_or_else(|| fail("there is no repository"))?;
        let remotes = repository.git(&["remote"])?;
        let remote = remotes.lines().find(|remote| *remote == "origin");
        let remote = remote.or_else(|| remotes.lines().next());
        let remote = remote.ok_or_else(|| fail("the repository has no remote"))?;
        repository.git(&["push", "--set-upstream", remote, branch])?;
        let mut asked = Command::new(program);
        asked
            .current_dir(root)
            .args([noun, verb, head, branch, named, title, about, text]);
        if program == "glab" {
            asked.arg("--yes");
        }
        let said = asked.output();
        let said = said.map_err(|error| GitError(format!("{program} cannot be run: {error}")))?;
        let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match said.status.success() {
            true => Ok(line(&said.stdout)),
            false => Err(GitError(format!("{program}: {}", line(&said.stderr)))),
        }
    }
}

impl Review {
    /// What a reviewer is told, as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut paragraph = |part: &str| {
            if !part.trim().is_empty() {
                text.push_str(part.trim());
                text.push_str("\n\n");
            }
        };
        paragraph(&self.why);
        paragraph(&match self.formula.is_empty() {
            true => String::new(),
            false => format!("`{}` is {}.", self.name, self.formula),
        });
        let changes = self.differences.iter();
        let changes: Vec<String> = changes.map(|one| format!("- {}", one.text)).collect();
        paragraph(&changes.join("\n"));
        if !self.dependants.is_empty() {
            paragraph(&format!("Made of it: {}.", self.dependants.join(", ")));
        }
        if let Ok(sql) = &self.sql.after {
            paragraph(&format!("```sql\n{}\n```", sql.trim_end()));
        }
        text
    }
}
