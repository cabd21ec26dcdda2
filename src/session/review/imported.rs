//! An import into a project that is there: metrics that mean something else in the other tool are proposed, none is written over.

use std::path::Path;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::exchange::Note;
use crate::model::Registry;
use crate::registry::edit::{self, Edit};
use crate::registry::{Origin, Proposal, Subject};
use crate::session::exchange::read;
use crate::session::meaning::{Touches, differences};
use crate::session::publish::{NotPublished, not_editable};
use crate::session::{FileChange, OtherTool, Publication, Session, SessionError};

/// Keys in which the words of the project hold.
const WORDS: [&str; 13] = [
    "label",
    "category",
    "description",
    "business_rules",
    "owner",
    "status",
    "successor",
    "last_updated",
    "aliases",
    "tags",
    "format",
    "tests",
    "history",
];
/// Keys of the project that stay where the other tool says nothing.
const DEFAULTS: [&str; 2] = ["grain", "window"];

/// What became of the metrics of another tool.
#[derive(Debug, Default)]
pub struct ImportProposed {
    /// The files of what is proposed.
    pub files: Vec<String>,
    /// How many metrics mean the same already.
    pub same: usize,
    /// Metrics that are not proposed, with the reason.
    pub left_out: Vec<(String, String)>,
    /// What could not be read as it stood.
    pub notes: Vec<Note>,
}

impl Session {
    /// Proposes the metrics of another tool that are not in the project, or mean something else in it. They have to stand on
    /// datasets of the project.
    ///
    /// # Errors
    /// There is nothing to import, or the proposals cannot be written; none is then.
    pub async fn propose_import(
        &self,
        from: OtherTool,
        path: &Path,
        by: String,
        cancel: CancellationToken,
    ) -> Result<ImportProposed, SessionError> {
        let import = read(from, path, &|_, _| None)?;
        let there = import.registry();
        let mut done = ImportProposed::default();
        let mut publication = Publication::default();
        for (metric, definition) in import.metrics() {
            match self.propose_definition(metric, definition, &there, &by) {
                Ok(Some(file)) => publication.files.push(file),
                Ok(None) => done.same += 1,
                Err(refusal) => {
                    let hint = refusal.hint.map(|hint| format!("; {hint}"));
                    let reason = refusal.message + hint.as_deref().unwrap_or_default();
                    done.left_out.push((metric.to_owned(), reason));
                }
            }
        }
        done.notes = import.notes;
        if !publication.files.is_empty() {
            done.files = self.publish(&publication, cancel).await?.files;
        }
        Ok(done)
    }

    /// A definition as a proposal; `None` where it means what the project has. `there` are the definitions of the other tool.
    fn propose_definition(
        &self,
        name: &str,
        theirs: &Map<String, Value>,
        there: &Registry,
        by: &str,
    ) -> Result<Option<FileChange>, NotPublished> {
        let catalog = self.catalog();
        let known = catalog.registry.metric(name);
        let metric = known.map_or(name, |known| known.name.as_str());
        let of = Subject::Metric(metric.to_owned());
        let mut proposal = Proposal {
            of: of.clone(),
            title: String::new(),
            by: by.to_owned(),
            on: Some(self.today()),
            why: String::new(),
            from: Origin::Import,
            base: self.definition_hash(&of),
            definition: self.as_said_elsewhere(metric, theirs)?,
            snippet: None,
            learned: Vec::new(),
            history: Vec::new(),
        };
        let (path, text) = self.with_proposal(&proposal);
        let supposed = self.as_if(&[(path.as_str(), Some(&text?))]);
        let after = supposed.catalog();
        let Some(meaning) = after.fingerprint(metric) else {
            let problems = after.diagnostics.iter();
            let news: Vec<String> = problems
                .filter(|one| !catalog.diagnostics.contains(one))
                .map(|one| one.message.clone())
                .collect();
            let refusal = NotPublished::new("new_error", news.join("; "));
            let is_new = |name: &&str| !catalog.registry.metrics.contains_key(*name);
            let inputs = there.metrics.get(name).map(|one| one.kind.inputs());
            let new: Vec<&str> = inputs.into_iter().flatten().filter(is_new).collect();
            return Err(match new.is_empty() {
                true => refusal,
                false => refusal.hint(format!(
                    "it is made of {}: once that is published, import again",
                    new.join(", ")
                )),
            });
        };
        if catalog.fingerprint(metric) == Some(meaning) {
            return Ok(None);
        }
        if let Some(known) = known.filter(|known| known.name != name) {
            let at = catalog.registry.at(known.place);
            let message = format!(
                "it is another name of {} here ({at}), and means something else there",
                known.name
            );
            let hint = "give it a name of its own in one of the two";
            return Err(NotPublished::new("name_taken", message).hint(hint));
        }
        if let Ok(Some(old)) = self.proposal(metric)
            && old.definition == proposal.definition
            && let Some(rejected) = old.rejection()
        {
            let message = format!("it was rejected by {}: {}", rejected.by, rejected.why);
            let hint = format!("where that was wrong: `metrex review {metric} --approve`");
            return Err(NotPublished::new("review", message).hint(hint));
        }
        let below = differences(there, &after.registry, metric).into_iter();
        let below: Vec<String> = below
            .filter(|one| one.touches == Touches::Numbers)
            .map(|one| one.text)
            .collect();
        if !below.is_empty() {
            proposal.why = format!("Otherwise here than there: {}", below.join("; "));
        }
        self.propose(&proposal).map(Some)
    }

    /// The definition of a metric with what decides about its numbers as another tool has it.
    fn as_said_elsewhere(
        &self,
        metric: &str,
        theirs: &Map<String, Value>,
    ) -> Result<String, NotPublished> {
        let catalog = self.catalog();
        let Some(known) = catalog.registry.metrics.get(metric) else {
            return Ok(edit::fields(theirs));
        };
        let path = catalog.registry.file(known.place);
        let text = self.file_text(path)?.unwrap_or_default();
        let ours = edit::keys(&edit::body(&text, "metrics", metric).unwrap_or_default());
        let stays = |key: &str| WORDS.contains(&key) || DEFAULTS.contains(&key);
        let set = |key: &str, value: Option<&Value>| Edit::Set {
            section: "metrics".to_owned(),
            name: metric.to_owned(),
            key: key.to_owned(),
            value: value.cloned(),
        };
        let gone = ours
            .iter()
            .filter(|key| !theirs.contains_key(*key) && !stays(key));
        let mut edits: Vec<Edit> = gone.map(|key| set(key, None)).collect();
        let said = theirs
            .iter()
            .filter(|(key, _)| !(WORDS.contains(&key.as_str()) && ours.contains(key)));
        edits.extend(said.map(|(key, value)| set(key, Some(value))));
        let text = edit::edit(&text, &edits).map_err(|error| not_editable(path, &error))?;
        Ok(edit::body(&text, "metrics", metric).unwrap_or_default())
    }
}
