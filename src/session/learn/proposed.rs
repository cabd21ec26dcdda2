//! From ideas to proposals: each one is tried on the definitions as they are, and ideas about the same thing are one
//! proposal.

use serde_json::{Value, json};

use crate::learn::propose::{Change, Idea};
use crate::registry::edit::{self, Edit};
use crate::registry::{Origin, Proposal, Subject};
use crate::session::publish::{FileChange, NotPublished, not_editable};
use crate::session::{Publication, Session, SessionError};

/// Proposals in the making.
pub(super) struct Drafts<'s> {
    session: &'s Session,
    proposals: Vec<Proposal>,
}

impl<'s> Drafts<'s> {
    pub(super) fn new(session: &'s Session) -> Self {
        Self {
            session,
            proposals: Vec::new(),
        }
    }

    /// Adds an idea; the file of its proposal, or why it is none.
    pub(super) fn add(&mut self, idea: &Idea) -> Result<String, String> {
        let known = self
            .proposals
            .iter()
            .position(|one| one.of.name() == idea.subject());
        let before = known.and_then(|at| self.proposals.get(at));
        let proposal = self.session.proposal_of(idea, before);
        let proposal = proposal.map_err(|refusal| refusal.message)?;
        self.session.would_hold(&proposal)?;
        let file = proposal.of.proposal();
        match known.and_then(|at| self.proposals.get_mut(at)) {
            Some(known) => *known = proposal,
            None => self.proposals.push(proposal),
        }
        Ok(file)
    }

    /// Takes a proposal as somebody left it.
    pub(super) fn take(&mut self, proposal: &Proposal) {
        if !self.proposals.contains(proposal) {
            self.proposals.push(proposal.clone());
        }
    }

    /// The files of the proposals.
    pub(super) fn proposals(&self) -> Result<Vec<FileChange>, SessionError> {
        let files = self
            .proposals
            .iter()
            .map(|proposal| self.session.propose(proposal));
        Ok(files.collect::<Result<_, _>>()?)
    }

    /// The files of the definitions with all proposals in them.
    pub(super) fn definitions(&self) -> Result<Vec<FileChange>, SessionError> {
        let mut files: Vec<FileChange> = Vec::new();
        for proposal in &self.proposals {
            let (path, _) = self.session.with_proposal(proposal);
            let at = match files.iter().position(|file| file.path == path) {
                Some(at) => at,
                None => {
                    files.push(self.session.edited(&path, &[])?);
                    files.len() - 1
                }
            };
            if let Some(file) = files.get_mut(at) {
                let now = file.text.clone().unwrap_or_default();
                file.text = Some(self.session.proposed_text(proposal, &path, &now)?);
            }
            if let Some((path, sql)) = self.session.snippet_of(proposal) {
                files.push(FileChange {
                    base: self.session.file_text(&path)?.as_deref().map(edit::hash),
                    path,
                    text: Some(sql),
                });
            }
            files.extend(self.session.without_proposal(&proposal.of.proposal())?);
        }
        Ok(files)
    }
}

impl Session {
    /// An idea as a proposal; on top of another one for the same, where there is one.
    fn proposal_of(
        &self,
        idea: &Idea,
        before: Option<&Proposal>,
    ) -> Result<Proposal, NotPublished> {
        let of = Subject::named(&idea.subject());
        let join = |old: &str, new: &str, between: &str| match old {
            "" => new.to_owned(),
            old => format!("{old}{between}{new}"),
        };
        let (title, why) = before.map_or(("", ""), |one| (one.title.as_str(), one.why.as_str()));
        let mut learned = before.map_or_else(Vec::new, |one| one.learned.clone());
        learned.push(idea.id.clone());
        Ok(Proposal {
            title: join(title, &idea.title, "; "),
            by: "metrex learn".to_owned(),
            on: Some(self.today()),
            why: join(why, &idea.why(), " "),
            from: Origin::Learner,
            base: self.definition_hash(&of),
            definition: self.definition_with(idea, &of, before)?,
            snippet: match &idea.change {
                Change::Metric { snippet, .. } => snippet.clone(),
                _ => None,
            },
            learned,
            history: Vec::new(),
            of,
        })
    }

    /// The definition that an idea is about, as it would be.
    fn definition_with(
        &self,
        idea: &Idea,
        of: &Subject,
        before: Option<&Proposal>,
    ) -> Result<String, NotPublished> {
        let (key, value, is_list) = match &idea.change {
            Change::Metric { definition, .. }
            | Change::Dimension { definition, .. }
            | Change::Join { definition, .. }
            | Change::Rollup { definition, .. } => return Ok(definition.clone()),
            Change::MetricAlias { alias, .. } | Change::DimensionAlias { alias, .. } => {
                ("aliases", json!(alias), true)
            }
            Change::Deprecate { .. } => ("status", json!("deprecated"), false),
            Change::ValueAlias { value, alias, .. } => {
                let known = match before {
                    Some(before) => Some(before.definition.clone()),
                    None => self.definition_now(of)?,
                };
                let known = known
                    .as_deref()
                    .and_then(|body| edit::value(body, "value_aliases"));
                (
                    "value_aliases",
                    with_value_alias(known.unwrap_or_default(), value, alias),
                    false,
                )
            }
        };
        let now = match before {
            Some(before) => before.definition.clone(),
            None => self.definition_now(of)?.ok_or_else(|| {
                NotPublished::new(
                    "not_editable",
                    format!("'{}' is not written line by line", of.name()),
                )
            })?,
        };
        // The keys of any definition are changed as those of a metric are.
        let lines = now.lines().map(|line| match line.trim().is_empty() {
            true => "\n".to_owned(),
            false => format!("    {line}\n"),
        });
        let text = format!("metrics:\n  it:\n{}", lines.collect::<String>());
        let (section, name, key) = ("metrics".to_owned(), "it".to_owned(), key.to_owned());
        let one = match is_list {
            true => Edit::Push {
                section,
                name,
                key,
                item: value,
            },
            false => Edit::Set {
                section,
                name,
                key,
                value: Some(value),
            },
        };
        let text = edit::edit(&text, &[one]).map_err(|error| not_editable(&of.name(), &error))?;
        Ok(edit::body(&text, "metrics", "it").unwrap_or_default())
    }

    /// The YAML of a definition as it is.
    fn definition_now(&self, of: &Subject) -> Result<Option<String>, NotPublished> {
        let Some(path) = self.file_of(of, "") else {
            return Ok(None);
        };
        let text = self.file_text(&path)?.unwrap_or_default();
        Ok(crate::session::review::body_of(&text, of))
    }

    /// Why a proposal could not be published as it is, where it could not.
    fn would_hold(&self, proposal: &Proposal) -> Result<(), String> {
        let path = proposal.of.proposal();
        if let Ok(Some(text)) = self.file_text(&path)
            && let Ok(known) = Proposal::read(&path, &text)
            && known.rejection().is_none()
        {
            return Err(format!(
                "a proposal of {} for the same waits ({path})",
                known.by
            ));
        }
        let (path, text) = self.with_proposal(proposal);
        let mut texts = vec![(path, text.map_err(|refusal| refusal.message)?)];
        texts.extend(self.snippet_of(proposal));
        let files = texts.into_iter().map(|(path, text)| {
            let now = self.file_text(&path)?;
            Ok::<_, NotPublished>(FileChange {
                base: now.as_deref().map(edit::hash),
                path,
                text: Some(text),
            })
        });
        let files: Result<_, NotPublished> = files.collect();
        let publication = Publication {
            files: files.map_err(|refusal| refusal.message)?,
            commit: None,
        };
        self.meant(&publication)
            .map_err(|refusal| refusal.message)?;
        Ok(())
    }

    /// How many rows a rollup would have, and how many are added up to them; or why it cannot be kept.
    pub(super) async fn rollup_size(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<(u64, u64), String> {
        let proposal = Proposal {
            of: Subject::Rollup(name.to_owned()),
            title: String::new(),
            by: String::new(),
            on: None,
            why: String::new(),
            from: Origin::Learner,
            base: None,
            definition: definition.to_owned(),
            snippet: None,
            learned: Vec::new(),
            history: Vec::new(),
        };
        let (path, text) = self.with_proposal(&proposal);
        let text = text.map_err(|refusal| refusal.message)?;
        let supposed = self.as_if(&[(path.as_str(), Some(text.as_str()))]);
        let catalog = supposed.catalog();
        if !catalog.registry.rollups.contains_key(name) {
            let known = self.catalog();
            let news = catalog
                .diagnostics
                .iter()
                .filter(|one| !known.diagnostics.contains(one));
            let news: Vec<&str> = news.map(|one| one.message.as_str()).collect();
            return Err(news.join("; "));
        }
        let sized = supposed.size_of_rollup(name).await;
        sized.map_err(|error| error.message)
    }
}

fn with_value_alias(known: Value, value: &str, alias: &str) -> Value {
    let mut fields = match known {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    let list = fields.entry(value.to_owned()).or_insert_with(|| json!([]));
    match list {
        Value::Array(items) => items.push(json!(alias)),
        one => *one = json!([one.clone(), alias]),
    }
    Value::Object(fields)
}
