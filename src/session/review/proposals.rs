//! Proposals of the project: read from their files, and put into the text of the file they are meant for.

use std::collections::HashMap;

use serde_json::json;

use super::super::publish::not_editable;
use super::super::{FileChange, NotPublished, Session, SessionError};
use crate::registry::edit::{self, Edit, hash};
use crate::registry::{PROPOSALS, Proposal, Subject, event};

/// What stands in `proposals/`.
#[derive(Debug, Default)]
pub struct Proposals {
    /// Proposals, by what they are of.
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

    /// The proposal of this name: that of a metric, a dimension, a join or a rollup.
    pub(super) fn proposal(&self, name: &str) -> Result<Option<Proposal>, SessionError> {
        let path = Subject::named(name).proposal();
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
    /// There is one for the same that was not judged yet.
    pub fn propose(&self, proposal: &Proposal) -> Result<FileChange, NotPublished> {
        let path = proposal.of.proposal();
        let now = self.file_text(&path)?;
        let is_open = now.as_deref().is_some_and(|text| {
            let known = Proposal::read(&path, text);
            known.is_ok_and(|known| known.rejection().is_none())
        });
        if is_open {
            let message = format!(
                "there is a proposal for '{}' already ({path})",
                proposal.of.name()
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

    /// The hash of a definition, for a proposal that is made from it.
    pub fn definition_hash(&self, of: &Subject) -> Option<String> {
        let text = self.file_text(&self.file_of(of, "")?).ok()??;
        body_of(&text, of).map(|body| hash(&body))
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

    /// The file that a definition is in, or would be; `None` where nothing of the project could hold it.
    pub(in crate::session) fn file_of(&self, of: &Subject, definition: &str) -> Option<String> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let dataset = |name: &str| {
            let dataset = registry.datasets.get(name)?;
            Some(registry.file(dataset.place).to_owned())
        };
        let said = |key: &str| {
            let value = edit::value(definition, key)?;
            value.as_str().map(str::to_owned)
        };
        match of {
            Subject::Metric(name) => {
                let category = said("category");
                Some(self.file_for(name, category.as_deref().unwrap_or("Other")))
            }
            Subject::Dimension(of, _) | Subject::Join(of, _) => dataset(of),
            Subject::Rollup(name) => match registry.rollups.get(name) {
                Some(known) => Some(registry.file(known.place).to_owned()),
                None => dataset(&said("of")?),
            },
        }
    }

    /// The file that a proposal is meant for, and its text with the proposal in it. What the definition is and was in its
    /// life stays, unless the proposal says something else of it.
    pub(in crate::session) fn with_proposal(
        &self,
        proposal: &Proposal,
    ) -> (String, Result<String, NotPublished>) {
        let Some(path) = self.file_of(&proposal.of, &proposal.definition) else {
            let message = format!("'{}' is of a dataset that is not there", proposal.of.name());
            return (String::new(), Err(NotPublished::new("review", message)));
        };
        let now = self.file_text(&path);
        let text =
            now.and_then(|now| self.proposed_text(proposal, &path, &now.unwrap_or_default()));
        (path, text)
    }

    /// The file of the snippet that a proposal brings along, with its text.
    pub(in crate::session) fn snippet_of(&self, proposal: &Proposal) -> Option<(String, String)> {
        let sql = proposal.snippet.clone()?;
        let file = edit::value(&proposal.definition, "snippet")?;
        Some((format!("snippets/{}", file.as_str()?), sql))
    }

    /// The text of a file with a proposal in it.
    pub(in crate::session) fn proposed_text(
        &self,
        proposal: &Proposal,
        path: &str,
        now: &str,
    ) -> Result<String, NotPublished> {
        let (of, body) = (&proposal.of, &proposal.definition);
        let base = body_of(now, of).map(|body| hash(&body));
        if proposal.base.is_some() && proposal.base != base {
            let message = format!(
                "'{}' ({path}) is not what the proposal was made from",
                of.name()
            );
            let hint = "look at it again, and give the proposal its definition anew (--modify)";
            return Err(NotPublished::new("changed_meanwhile", message).hint(hint));
        }
        let put = |section: &str, name: &str| Edit::Put {
            section: section.to_owned(),
            name: name.to_owned(),
            body: body.clone(),
        };
        let edited = match of {
            Subject::Metric(name) => {
                let mut edits = vec![put("metrics", name)];
                edits.extend(self.life_of(name, body));
                edit::edit(now, &edits)
            }
            Subject::Rollup(name) => edit::edit(now, &[put("rollups", name)]),
            Subject::Dimension(dataset, name) => {
                edit::edit_inside(now, "datasets", dataset, &[put("dimensions", name)])
            }
            Subject::Join(dataset, name) => {
                edit::edit_inside(now, "datasets", dataset, &[put("joins", name)])
            }
        };
        edited.map_err(|error| not_editable(path, &error))
    }

    /// What a metric is and was in its life, where a definition does not say something else of it.
    fn life_of(&self, name: &str, definition: &str) -> Vec<Edit> {
        let catalog = self.catalog();
        let mut edits = Vec::new();
        let said = |key: &str| edit::value(definition, key).is_some();
        let set = |key: &str, value| Edit::Set {
            section: "metrics".to_owned(),
            name: name.to_owned(),
            key: key.to_owned(),
            value,
        };
        let known = catalog.registry.metrics.get(name);
        if let Some(known) = known {
            let keep = |key: &str, value| set(key, Some(value));
            let status = edit::value(definition, "status");
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
        edits
    }
}

/// The YAML of a definition in the text of its file.
pub(in crate::session) fn body_of(text: &str, of: &Subject) -> Option<String> {
    let inside = |dataset: &str| edit::body(text, "datasets", dataset);
    match of {
        Subject::Metric(name) => edit::body(text, "metrics", name),
        Subject::Rollup(name) => edit::body(text, "rollups", name),
        Subject::Dimension(dataset, name) => edit::body(&inside(dataset)?, "dimensions", name),
        Subject::Join(dataset, name) => edit::body(&inside(dataset)?, "joins", name),
    }
}

/// The text of a proposal; refuses one that nobody could read again.
pub(super) fn readable(proposal: &Proposal) -> Result<String, NotPublished> {
    let text = proposal.text();
    Proposal::read(&proposal.of.proposal(), &text).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(|one| one.message.clone()).collect();
        let message = format!("no definition can be read: {}", told.join("; "));
        NotPublished::new("new_error", message).hint("give its keys, as below its name")
    })?;
    Ok(text)
}
