//! Proposals of the project: read from their files, and put into the text of the file they are meant for.

use std::collections::HashMap;

use serde_json::json;

use super::super::publish::not_editable;
use super::super::{FileChange, NotPublished, Session, SessionError};
use crate::registry::edit::{self, Edit, hash};
use crate::registry::{PROPOSALS, Proposal, event};

/// What stands in `proposals/`.
#[derive(Debug, Default)]
pub struct Proposals {
    /// Proposals, by metric.
    pub known: Vec<Proposal>,
    /// What is wrong with files that cannot be read, as `file:line: …`.
    pub broken: Vec<String>,
}

impl Session {
    /// Every proposal of the project.
    pub fn proposals(&self) -> Proposals {
        let mut found = Proposals::default();
        let Some(folder) = self.project().folder() else {
            return found;
        };
        let Ok(entries) = std::fs::read_dir(folder.join(PROPOSALS)) else {
            return found;
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.ends_with(".yaml") && !name.starts_with('.'))
            .collect();
        names.sort();
        for name in names {
            let path = format!("{PROPOSALS}/{name}");
            match std::fs::read_to_string(folder.join(&path)) {
                Ok(text) => match Proposal::read(&path, &text) {
                    Ok(proposal) => found.known.push(proposal),
                    Err(problems) => found
                        .broken
                        .extend(problems.iter().map(ToString::to_string)),
                },
                Err(error) => found.broken.push(format!("{path}: {error}")),
            }
        }
        found
    }

    /// The proposal for a metric.
    pub(super) fn proposal(&self, metric: &str) -> Result<Option<Proposal>, SessionError> {
        let path = Proposal::path(metric);
        let Some(text) = self.file_text(&path)? else {
            return Ok(None);
        };
        let read = Proposal::read(&path, &text).map_err(|problems| {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            SessionError::usage("proposal", told.join("\n"))
        });
        read.map(Some)
    }

    /// Puts a proposal into the project, to be reviewed.
    ///
    /// # Errors
    /// There is one for this metric that was not judged yet.
    pub fn propose(&self, proposal: &Proposal) -> Result<FileChange, NotPublished> {
        let path = Proposal::path(&proposal.metric);
        let now = self.file_text(&path)?;
        let is_open = now.as_deref().is_some_and(|text| {
            let known = Proposal::read(&path, text);
            known.is_ok_and(|known| known.rejection().is_none())
        });
        if is_open {
            let message = format!(
                "there is a proposal for '{}' already ({path})",
                proposal.metric
            );
            let hint = "judge it first: `metrex review`";
            return Err(NotPublished::new("name_taken", message).hint(hint));
        }
        Ok(FileChange {
            base: now.as_deref().map(hash),
            text: Some(readable(proposal)?),
            path,
        })
    }

    /// The hash of a metric's definition, for a proposal that is made from it.
    pub fn definition_hash(&self, metric: &str) -> Option<String> {
        let catalog = self.catalog();
        let known = catalog.registry.metrics.get(metric)?;
        let text = self.file_text(catalog.registry.file(known.place)).ok()??;
        edit::body(&text, "metrics", metric).map(|body| hash(&body))
    }

    /// The file that a metric is in; for a new one, where most metrics of its category are, else one of its own.
    pub fn file_for(&self, metric: &str, category: &str) -> String {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        if let Some(known) = registry.metrics.get(metric) {
            return registry.file(known.place).to_owned();
        }
        let mut files: HashMap<&str, usize> = HashMap::new();
        let alike = registry.metrics.values();
        for one in alike.filter(|one| one.category.eq_ignore_ascii_case(category)) {
            *files.entry(registry.file(one.place)).or_default() += 1;
        }
        let most = files
            .into_iter()
            .max_by(|(one, count), (other, most)| count.cmp(most).then_with(|| other.cmp(one)));
        most.map_or_else(
            || format!("metrics/{metric}.yaml"),
            |(file, _)| file.to_owned(),
        )
    }

    /// The file that a proposal is meant for, and its text with the proposal in it. What the definition is and was in its
    /// life stays, unless the proposal says something else of it.
    pub(super) fn with_proposal(
        &self,
        proposal: &Proposal,
    ) -> (String, Result<String, NotPublished>) {
        let name = &proposal.metric;
        let category = edit::value(&proposal.definition, "category");
        let category = category.as_ref().and_then(serde_json::Value::as_str);
        let path = self.file_for(name, category.unwrap_or("Other"));
        let text = self.proposed_text(proposal, &path);
        (path, text)
    }

    fn proposed_text(&self, proposal: &Proposal, path: &str) -> Result<String, NotPublished> {
        let name = &proposal.metric;
        let now = self.file_text(path)?.unwrap_or_default();
        let base = edit::body(&now, "metrics", name).map(|body| hash(&body));
        if proposal.base.is_some() && proposal.base != base {
            let message = format!("'{name}' ({path}) is not what the proposal was made from");
            let hint = "look at it again, and give the proposal its definition anew (--modify)";
            return Err(NotPublished::new("changed_meanwhile", message).hint(hint));
        }
        let put = Edit::Put {
            section: "metrics".to_owned(),
            name: name.clone(),
            body: proposal.definition.clone(),
        };
        let catalog = self.catalog();
        let mut edits = vec![put];
        let said = |key: &str| edit::value(&proposal.definition, key).is_some();
        let set = |key: &str, value| Edit::Set {
            section: "metrics".to_owned(),
            name: name.clone(),
            key: key.to_owned(),
            value,
        };
        let known = catalog.registry.metrics.get(name);
        if let Some(known) = known {
            let keep = |key: &str, value| set(key, Some(value));
            let status = edit::value(&proposal.definition, "status");
            if status.is_none() && known.status != crate::model::Status::Published {
                edits.push(keep("status", json!(known.status.word())));
            }
            let is_followed =
                !said("successor") && status.is_none_or(|status| status == "deprecated");
            if let Some(successor) = known.successor.as_ref().filter(|_| is_followed) {
                edits.push(keep("successor", json!(successor)));
            }
        }
        let history = known.map(|known| known.history.as_slice());
        let history = history.filter(|events| !events.is_empty());
        // What was done with it is not for the proposal to say.
        if history.is_some() || said("history") {
            edits.push(set(
                "history",
                history.map(|events| events.iter().map(event).collect()),
            ));
        }
        edit::edit(&now, &edits).map_err(|error| not_editable(path, &error))
    }
}

/// The text of a proposal; refuses one that nobody could read again.
pub(super) fn readable(proposal: &Proposal) -> Result<String, NotPublished> {
    let text = proposal.text();
    Proposal::read(&Proposal::path(&proposal.metric), &text).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(|one| one.message.clone()).collect();
        let message = format!("no definition can be read: {}", told.join("; "));
        NotPublished::new("new_error", message)
            .hint("give the keys of the metric, as below its name")
    })?;
    Ok(text)
}
