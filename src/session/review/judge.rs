//! Judgements: who may make them, what they need, and what they write.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::super::{
    Catalog, CommitWish, FileChange, NotPublished, Publication, Published, Session, SessionError,
};
use super::Stage;
use super::proposals::readable;
use crate::model::{LifeEvent, Metric, Status, Step, is_same_person};
use crate::registry::edit::{Edit, body, hash};
use crate::registry::{Origin, Proposal, Subject, event};

/// What somebody makes of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It is right.
    Approve,
    /// It is not; the reason goes with it.
    Reject,
    /// It is to be used: a draft, or what a proposal says.
    Publish,
    /// It can be relied on.
    Certify,
    /// It is to be used no more.
    Deprecate {
        /// What is to be used instead.
        successor: Option<String>,
    },
    /// It is to say this instead, which is proposed: the YAML of the definition's keys.
    Modify {
        /// The YAML.
        definition: String,
    },
}

impl Judgement {
    /// The step in the life of the definition.
    fn step(&self) -> Step {
        match self {
            Self::Approve => Step::Approved,
            Self::Reject => Step::Rejected,
            Self::Publish => Step::Published,
            Self::Certify => Step::Certified,
            Self::Deprecate { .. } => Step::Deprecated,
            Self::Modify { .. } => Step::Drafted,
        }
    }
}

/// A judgement with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judging {
    /// The metric, or what else a proposal is of, as [`Subject::name`](crate::registry::Subject::name) has it.
    pub name: String,
    /// The judgement.
    pub judgement: Judgement,
    /// The meaning that was looked at; `None` where nobody looked.
    pub seen: Option<String>,
    /// Who judges; `None` is who git, or else the system, says is working here.
    pub by: Option<String>,
    /// Why; may be empty.
    pub why: String,
    /// What git is to do with it; nothing where nobody asked.
    pub commit: Option<CommitWish>,
}

impl Judging {
    /// What has become of the metric once it is written: `gmv is certified`.
    pub fn done(&self) -> String {
        let become_of_it = match &self.judgement {
            Judgement::Approve => "is approved",
            Judgement::Reject => "is rejected",
            Judgement::Publish => "is published",
            Judgement::Certify => "is certified",
            Judgement::Deprecate { successor: None } => "is deprecated",
            Judgement::Deprecate {
                successor: Some(successor),
            } => return format!("{} is deprecated, use {successor}", self.name),
            Judgement::Modify { .. } => "is proposed",
        };
        format!("{} {become_of_it}", self.name)
    }
}

impl Session {
    /// Judges a definition by the rules of the project, and writes that down.
    ///
    /// # Errors
    /// The rules are against it, a check does not pass, or it cannot be written; nothing is changed then.
    pub async fn pass_judgement(
        &self,
        judging: &Judging,
        cancel: CancellationToken,
    ) -> Result<Published, SessionError> {
        let (session, wanted) = (self.clone(), judging.clone());
        let planned = tokio::task::spawn_blocking(move || session.plan_judgement(&wanted));
        let publication = planned.await.map_err(|_| SessionError::interrupted())??;
        if judging.judgement == Judgement::Certify {
            for outcome in self.review_checks(&judging.name, &cancel).await? {
                if !outcome.passed() {
                    let problems = outcome.problems.join("\n");
                    let message = format!("the check '{}' fails: {problems}", outcome.check.word());
                    return Err(NotPublished::new("review", message).into());
                }
            }
        }
        let learned = self.learned_in(judging)?;
        let published = self.publish(&publication, cancel).await?;
        let verdict = match &judging.judgement {
            Judgement::Reject => "rejected",
            Judgement::Publish => "accepted",
            Judgement::Modify { .. } => "changed",
            _ => return Ok(published),
        };
        let by = judging.by.clone().unwrap_or_else(|| self.who());
        self.remember_verdict(&learned, verdict, &by, judging.why.trim());
        Ok(published)
    }

    /// The ideas of the learner that a judgement is about.
    fn learned_in(&self, judging: &Judging) -> Result<Vec<String>, SessionError> {
        let catalog = self.catalog();
        let known = catalog.registry.metric(&judging.name);
        let name = known.map_or(judging.name.as_str(), |metric| metric.name.as_str());
        let proposal = self.proposal(name)?;
        Ok(proposal
            .map(|proposal| proposal.learned)
            .unwrap_or_default())
    }

    /// What a judgement writes.
    fn plan_judgement(&self, judging: &Judging) -> Result<Publication, SessionError> {
        let catalog = self.catalog();
        let known = catalog.registry.metric(&judging.name);
        let name = known.map_or(judging.name.as_str(), |metric| metric.name.as_str());
        let by = judging.by.clone().unwrap_or_else(|| self.who());
        let of_metric = matches!(
            judging.judgement,
            Judgement::Certify | Judgement::Deprecate { .. }
        );
        let files = match (
            self.proposal(name)?.filter(|_| !of_metric),
            &judging.judgement,
        ) {
            (Some(proposal), _) => self.judge_proposal(&proposal, judging, &by)?,
            (None, Judgement::Modify { definition }) => {
                let why = judging.why.trim();
                let of = Subject::named(name);
                vec![self.propose(&Proposal {
                    title: why.lines().next().unwrap_or_default().to_owned(),
                    why: why.to_owned(),
                    on: Some(self.today()),
                    from: Origin::Person,
                    base: self.definition_hash(&of),
                    of,
                    definition: definition.clone(),
                    snippet: None,
                    learned: Vec::new(),
                    history: Vec::new(),
                    by,
                })?]
            }
            (None, _) => {
                let unknown = || SessionError::unknown_metric(&catalog.registry, name);
                self.judge_metric(known.ok_or_else(unknown)?, judging, &by)?
            }
        };
        Ok(Publication {
            files,
            commit: judging.commit.clone(),
        })
    }

    fn event(&self, judging: &Judging, by: &str, of: Option<String>) -> LifeEvent {
        LifeEvent {
            step: judging.judgement.step(),
            by: by.to_owned(),
            on: Some(self.today()),
            why: judging.why.trim().to_owned(),
            of,
        }
    }

    fn judge_metric(
        &self,
        metric: &Metric,
        judging: &Judging,
        by: &str,
    ) -> Result<Vec<FileChange>, SessionError> {
        let (name, status) = (&metric.name, metric.status);
        let catalog = self.catalog();
        let meaning = catalog.fingerprint(name);
        is_what_was_seen(judging, &meaning)?;
        let mut edits = Vec::new();
        let set = |key: &str, value: Option<Value>| Edit::Set {
            section: "metrics".to_owned(),
            name: name.clone(),
            key: key.to_owned(),
            value,
        };
        match &judging.judgement {
            Judgement::Approve => {
                let author = author_of(&metric.history);
                self.may_approve(&metric.history, author, &meaning, by)?;
            }
            Judgement::Reject => needs_reason(judging)?,
            Judgement::Publish => {
                if status == Status::Deprecated {
                    let hint = format!(
                        "propose it with `status: published`, then publish that: `metrex review {name} --modify FILE`"
                    );
                    return Err(refused(format!("'{name}' is deprecated")).hint(hint).into());
                }
                if status != Status::Draft {
                    let message = format!("'{name}' is {} already", status.word());
                    return Err(refused(message).into());
                }
                edits.push(set("status", Some(json!("published"))));
            }
            Judgement::Certify => {
                self.may_certify(by)?;
                self.can_be_certified(metric, by)?;
                edits.push(set("status", Some(json!("certified"))));
                if metric.successor.is_some() {
                    edits.push(set("successor", None));
                }
            }
            Judgement::Deprecate { successor } => {
                self.may_certify(by)?;
                if let Some(wanted) = successor {
                    let registry = &catalog.registry;
                    let known = registry.metric(wanted);
                    let known =
                        known.ok_or_else(|| SessionError::unknown_metric(registry, wanted))?;
                    edits.push(set("successor", Some(json!(known.name))));
                }
                edits.push(set("status", Some(json!("deprecated"))));
            }
            // That is said of proposals.
            Judgement::Modify { .. } => {}
        }
        // A successor is of a deprecated metric alone.
        edits.reverse();
        edits.push(Edit::Push {
            section: "metrics".to_owned(),
            name: name.clone(),
            key: "history".to_owned(),
            item: event(&self.event(judging, by, meaning)),
        });
        let file = catalog.registry.file(metric.place);
        let text = self.file_text(file)?.unwrap_or_default();
        if body(&text, "metrics", name).is_none() {
            let message = format!("'{name}' is not written down as a metric of its own in {file}");
            let hint = "an analysis or a snippet makes it: there is no place for the judgement";
            return Err(refused(message).hint(hint).into());
        }
        Ok(vec![self.edited(file, &edits)?])
    }

    fn judge_proposal(
        &self,
        proposal: &Proposal,
        judging: &Judging,
        by: &str,
    ) -> Result<Vec<FileChange>, SessionError> {
        let path = proposal.of.proposal();
        let now = self.file_text(&path)?;
        let base = now.as_deref().map(hash);
        let (file, text) = self.with_proposal(proposal);
        let snippet = self.snippet_of(proposal);
        let meaning = text.as_deref().ok().and_then(|text| {
            let mut texts = vec![(file.as_str(), Some(text))];
            texts.extend(
                snippet
                    .iter()
                    .map(|(path, sql)| (path.as_str(), Some(sql.as_str()))),
            );
            self.as_if(&texts).meaning_of(&proposal.of, text)
        });
        is_what_was_seen(judging, &meaning)?;
        let mut proposal = proposal.clone();
        match &judging.judgement {
            Judgement::Approve => {
                self.may_approve(&proposal.history, Some(&proposal.by), &meaning, by)?;
            }
            Judgement::Reject => needs_reason(judging)?,
            Judgement::Modify { definition } => {
                proposal.definition.clone_from(definition);
                proposal.base = self.definition_hash(&proposal.of);
            }
            Judgement::Publish => {
                let text = text?;
                if let Some(rejected) = proposal.rejection() {
                    let message = format!(
                        "the proposal was rejected by {}: {}",
                        rejected.by, rejected.why
                    );
                    let hint = "approve it first, where that was wrong";
                    return Err(refused(message).hint(hint).into());
                }
                let (by_others, needed) = self.approvals(&proposal.history, &meaning);
                enough(&by_others, needed, &proposal.by)?;
                let last = self.event(judging, by, meaning);
                let text = match proposal.of.metric() {
                    Some(name) => self.with_life(name, &proposal, last, (&file, text))?,
                    None => text,
                };
                let put = |path: String, text: String| {
                    Ok::<_, NotPublished>(FileChange {
                        base: self.file_text(&path)?.as_deref().map(hash),
                        path,
                        text: Some(text),
                    })
                };
                let mut files = vec![put(file, text)?];
                if let Some((path, sql)) = snippet {
                    files.push(put(path, sql)?);
                }
                files.push(FileChange {
                    path,
                    base,
                    text: None,
                });
                return Ok(files);
            }
            Judgement::Certify | Judgement::Deprecate { .. } => {}
        }
        proposal.history.push(self.event(judging, by, meaning));
        Ok(vec![FileChange {
            text: Some(readable(&proposal)?),
            path,
            base,
        }])
    }

    /// The text of a file with a proposed metric in it, and what was done with the proposal as the metric's history.
    fn with_life(
        &self,
        name: &str,
        proposal: &Proposal,
        last: LifeEvent,
        (file, text): (&str, String),
    ) -> Result<String, NotPublished> {
        let then = self.as_if(&[(file, Some(&text))]).catalog();
        if self.would_be_given_up_otherwise(&then, name) {
            self.may_certify(&last.by)?;
        }
        let push = |one: LifeEvent| Edit::Push {
            section: "metrics".to_owned(),
            name: name.to_owned(),
            key: "history".to_owned(),
            item: event(&one),
        };
        let mut edits: Vec<Edit> = Vec::new();
        if self.would_be_vouched_for(&then, name) {
            edits.push(Edit::Set {
                section: "metrics".to_owned(),
                name: name.to_owned(),
                key: "status".to_owned(),
                value: Some(json!("published")),
            });
        }
        let steps = proposal.history.iter().cloned();
        edits.extend(steps.chain([last]).map(push));
        crate::registry::edit::edit(&text, &edits)
            .map_err(|error| super::super::publish::not_editable(file, &error))
    }

    /// Whether a metric would be deprecated that is not, or no more, or for another successor.
    fn would_be_given_up_otherwise(&self, then: &Catalog, name: &str) -> bool {
        let given_up = |catalog: &Catalog| {
            let metric = catalog.registry.metrics.get(name);
            let metric = metric.filter(|metric| metric.status == Status::Deprecated);
            metric.map(|metric| metric.successor.clone())
        };
        given_up(&self.catalog()) != given_up(then)
    }

    /// Whether a metric would be called certified that nobody has certified as it would be.
    fn would_be_vouched_for(&self, then: &Catalog, name: &str) -> bool {
        let now = self.catalog();
        let Some(metric) = then.registry.metrics.get(name) else {
            return false;
        };
        let is_certified = |metric: &Metric| metric.status == Status::Certified;
        let was_certified = now.registry.metrics.get(name).is_some_and(is_certified);
        let is_as_it_was = now.fingerprint(name) == then.fingerprint(name);
        // Once it was certified in due form, what has changed since says so by itself.
        let mut steps = metric.history.iter();
        let is_known = steps.any(|event| event.step == Step::Certified && event.of.is_some());
        is_certified(metric) && !(was_certified && (is_as_it_was || is_known))
    }

    fn may_certify(&self, by: &str) -> Result<(), NotPublished> {
        let rules = self.review_rules();
        if rules.may_certify(by) {
            return Ok(());
        }
        let message = format!("{by} may not certify or deprecate in this project");
        let who = format!(
            "ask one of {} (review: in metrex.yaml)",
            rules.certifiers.join(", ")
        );
        Err(refused(message).hint(who))
    }

    fn can_be_certified(&self, metric: &Metric, by: &str) -> Result<(), NotPublished> {
        let name = &metric.name;
        match self.catalog().stage(metric) {
            Stage::Draft => {
                let hint = format!("publish it first: `metrex review {name} --publish`");
                return Err(refused(format!("'{name}' is a draft")).hint(hint));
            }
            Stage::Certified if !metric.history.is_empty() => {
                return Err(refused(format!("'{name}' is certified as it is")));
            }
            _ => {}
        }
        let meaning = self.catalog().fingerprint(name);
        let (approved_by, needed) = self.approvals(&metric.history, &meaning);
        enough(&approved_by, needed, by)
    }

    /// Refuses an approval that would say nothing: of one's own work, or once more.
    fn may_approve(
        &self,
        history: &[LifeEvent],
        author: Option<&str>,
        meaning: &Option<String>,
        by: &str,
    ) -> Result<(), NotPublished> {
        if author.is_some_and(|author| is_same_person(author, by)) {
            let hint = "somebody else has to";
            return Err(refused(format!("{by} cannot approve their own work")).hint(hint));
        }
        let (approved_by, _) = self.approvals(history, meaning);
        if approved_by.iter().any(|one| is_same_person(one, by)) {
            return Err(refused(format!("{by} has approved it already")));
        }
        Ok(())
    }
}

fn refused(message: impl Into<String>) -> NotPublished {
    NotPublished::new("review", message)
}

/// Who wrote a definition as it is: who drafted or published it last.
fn author_of(history: &[LifeEvent]) -> Option<&str> {
    let written = |event: &&LifeEvent| matches!(event.step, Step::Drafted | Step::Published);
    let last = history.iter().rev().find(written)?;
    Some(&last.by)
}

/// Refuses where the definition has become another one since somebody looked at it.
fn is_what_was_seen(judging: &Judging, meaning: &Option<String>) -> Result<(), NotPublished> {
    if judging.seen.is_none() || judging.seen == *meaning {
        return Ok(());
    }
    let message = format!(
        "'{}' means something else than what was looked at",
        judging.name
    );
    Err(NotPublished::new("changed_meanwhile", message).hint("look at it again"))
}

fn needs_reason(judging: &Judging) -> Result<(), NotPublished> {
    match judging.why.trim().is_empty() {
        true => Err(refused("a rejection needs a reason").hint("say it with --why")),
        false => Ok(()),
    }
}

/// Refuses where fewer people than needed have approved, apart from this one.
fn enough(approved_by: &[String], needed: u32, apart_from: &str) -> Result<(), NotPublished> {
    let others = approved_by
        .iter()
        .filter(|one| !is_same_person(one, apart_from));
    let have = u32::try_from(others.count()).unwrap_or(u32::MAX);
    if have >= needed {
        return Ok(());
    }
    let message = format!("{have} of {needed} approvals that it needs");
    Err(refused(message).hint("ask for `metrex review NAME --approve`"))
}
