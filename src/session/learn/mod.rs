//! The nightly learner: reads a month of the log, and proposes what it says. Nothing changes by itself.

mod branch;
mod links;
mod proposed;
mod webhook;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};

use jiff::ToSpan as _;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::feedback::written;
use super::publish::{NotPublished, Publication};
use super::{FileChange, PullRequest, Session, SessionError};
use crate::learn::propose::{Gathered, Idea, Kind, Month, Report, Stage, Told};
use crate::registry::{LearnRules, Origin};
use crate::usage::Verdict;

/// What a night is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LearnInto {
    /// Files in `proposals/`.
    #[default]
    Proposals,
    /// A git branch with the definitions changed, for a pull request.
    Branch,
    /// Nothing is written.
    Nothing,
}

/// What a night has done.
#[derive(Debug)]
pub struct Learned {
    /// What it found.
    pub report: Report,
    /// What became of the branch, where one was made.
    pub pull_request: Option<PullRequest>,
    /// What did not work and keeps nothing else from being right: the webhook.
    pub warnings: Vec<String>,
}

impl Session {
    /// Looks at the last days of the log and proposes what they say. Done twice, the second time changes nothing.
    ///
    /// # Errors
    /// The log cannot be read, somebody else is learning just now, or what is proposed cannot be written; nothing is then.
    pub async fn learn(
        &self,
        into: LearnInto,
        cancel: CancellationToken,
    ) -> Result<Learned, SessionError> {
        if into == LearnInto::Branch {
            self.can_branch()?;
        }
        let _lock = match into {
            LearnInto::Nothing => None,
            LearnInto::Proposals | LearnInto::Branch => Some(self.learning_alone()?),
        };
        let session = self.clone();
        let looked = tokio::task::spawn_blocking(move || session.look_back());
        let mut looked = looked.await.map_err(|_| SessionError::interrupted())??;
        let ideas = std::mem::take(&mut looked.ideas);
        let wishes = std::mem::take(&mut looked.wishes);
        let rollups = self
            .weigh_rollups(wishes, &mut looked.report, &cancel)
            .await?;
        let session = self.clone();
        let sorted = tokio::task::spawn_blocking(move || {
            let ideas = ideas.into_iter().chain(rollups).collect();
            let mut told = session.sort_out(ideas, into)?;
            looked.report.ideas = std::mem::take(&mut told.ideas);
            Ok::<_, SessionError>((looked.report, told))
        });
        let (mut report, told) = sorted.await.map_err(|_| SessionError::interrupted())??;
        report.ideas.sort_by_key(|told| told.idea.kind);
        let mut learned = Learned {
            report,
            pull_request: None,
            warnings: Vec::new(),
        };
        if into != LearnInto::Nothing {
            let session = self.clone();
            let trained = tokio::task::spawn_blocking(move || session.train_policy());
            trained.await.map_err(|_| SessionError::interrupted())??;
        }
        if told.files.is_empty() {
            return Ok(learned);
        }
        match into {
            LearnInto::Nothing => return Ok(learned),
            LearnInto::Proposals => {
                let publication = Publication {
                    files: told.files,
                    commit: None,
                };
                self.publish(&publication, cancel).await?;
            }
            LearnInto::Branch => {
                let branched = self.branch_off(&learned.report, told.files, told.learned)?;
                learned.pull_request = Some(branched);
            }
        }
        if let Err(reason) = self.tell(&learned.report).await {
            learned
                .warnings
                .push(format!("the webhook was not told: {reason}"));
        }
        Ok(learned)
    }

    /// What was proposed from use and judged: the ideas, each with what was said of it.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn judged_ideas(&self) -> Result<Vec<Verdict>, SessionError> {
        Ok(self.usage_store()?.verdicts()?)
    }

    /// Forgets what was said of an idea, so that it may be proposed again; whether there was anything to forget.
    ///
    /// # Errors
    /// The log cannot be read or written.
    pub fn forget_idea(&self, idea: &str) -> Result<bool, SessionError> {
        let usage = self.usage_store()?;
        let known = usage.verdicts()?.iter().any(|known| known.idea == idea);
        usage.forget_verdict(idea);
        written(usage)?;
        Ok(known)
    }

    /// Remembers what became of ideas, so that they do not come back.
    pub(super) fn remember_verdict(&self, ideas: &[String], verdict: &str, by: &str, why: &str) {
        let Ok(usage) = self.usage_store() else {
            return;
        };
        for idea in ideas {
            usage.judge(Verdict {
                idea: idea.clone(),
                verdict: verdict.to_owned(),
                by: by.to_owned(),
                on: self.today(),
                why: why.to_owned(),
            });
        }
    }

    /// Keeps every other run of the learner away until it is dropped.
    fn learning_alone(&self) -> Result<File, SessionError> {
        let folder = self.state().path();
        let failed = |error: std::io::Error| {
            let message = format!("{} cannot be locked: {error}", folder.display());
            NotPublished::new("write_failed", message)
        };
        // The folder itself, so that no file is left behind.
        let lock = File::open(folder).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                let message = "somebody else is learning from this log just now";
                let refusal = NotPublished::new("publishing_elsewhere", message);
                Err(refusal
                    .hint("nothing was done; their run does the same")
                    .into())
            }
            Err(TryLockError::Error(error)) => Err(failed(error).into()),
        }
    }

    /// Reads the log and thinks; touches no warehouse and writes nothing.
    fn look_back(&self) -> Result<LookedBack, SessionError> {
        let usage = self.usage_store()?;
        usage.write_out();
        let rules = self.project().config.learn.clone();
        let today = self.today();
        let catalog = self.catalog();
        let zone = catalog.registry.calendar.timezone.as_str();
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        let days = i64::try_from(rules.days).unwrap_or(i64::MAX);
        let from = today.saturating_sub((days - 1).days());
        let midnight = |day: Date| {
            let start = day.to_datetime(Time::midnight()).to_zoned(zone.clone());
            start.map(|start| start.timestamp())
        };
        let outside = |_| SessionError::usage("time", "the days to learn from are out of reach");
        let since = midnight(from).map_err(outside)?;
        let until = midnight(today.saturating_add(1.days())).map_err(outside)?;
        let mut gathered = Gathered::new(&catalog.registry, today, zone.clone());
        let unread = usage.logged(since, until, &mut |logged| gathered.add(logged))?;
        let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).date();
        let last_used = usage.last_used()?.into_iter();
        let last_used = last_used.map(|(metric, at)| (metric, day(at))).collect();
        let links = self.links(&gathered)?;
        let month = Month {
            gathered: &gathered,
            registry: &catalog.registry,
            rules: &rules,
            today,
            links: &links,
            last_used: &last_used,
            log_since: usage.first_use()?.map(day),
        };
        let (ideas, passed_over) = month.ideas();
        let (popular, trends) = month.popularity();
        Ok(LookedBack {
            ideas,
            wishes: month.wishes(),
            report: Report {
                from,
                to: today,
                queries: gathered.queries,
                people: gathered.people(),
                beyond: gathered.beyond,
                unread,
                ideas: Vec::new(),
                popular,
                trends,
                joins: month.preferred_joins(),
                anomalies: month.anomalies(),
                passed_over,
            },
        })
    }

    /// Which ideas are proposed now: not those that were judged or wait already, and no more of a kind than may wait.
    fn sort_out(&self, ideas: Vec<Idea>, into: LearnInto) -> Result<SortedOut, SessionError> {
        self.remember_rejections();
        let rules = &self.project().config.learn;
        let verdicts = self.usage_store()?.verdicts()?;
        let verdicts: BTreeMap<&str, &Verdict> = verdicts
            .iter()
            .map(|one| (one.idea.as_str(), one))
            .collect();
        let proposals = self.proposals().known;
        let open = proposals.iter().filter(|one| one.rejection().is_none());
        let mut waiting: BTreeMap<&str, String> = BTreeMap::new();
        for proposal in open.clone() {
            let file = proposal.of.proposal();
            waiting.extend(
                proposal
                    .learned
                    .iter()
                    .map(|idea| (idea.as_str(), file.clone())),
            );
        }
        let mut count: BTreeMap<Kind, u64> = BTreeMap::new();
        for kind in waiting.keys().filter_map(|idea| Kind::of(idea)) {
            *count.entry(kind).or_default() += 1;
        }
        let mut sorted = SortedOut::default();
        let mut drafts = proposed::Drafts::new(self);
        for idea in ideas {
            let count = count.entry(idea.kind).or_default();
            let verdict = verdicts.get(idea.id.as_str());
            let stage = match (waiting.get(idea.id.as_str()), verdict) {
                (_, Some(verdict)) => Stage::Judged(verdict.words()),
                (Some(file), None) if into == LearnInto::Branch => {
                    // What waits in a file is offered as it stands there.
                    let mut open = open.clone();
                    if let Some(known) = open.find(|one| one.learned.contains(&idea.id)) {
                        drafts.take(known);
                        sorted.learned.push(idea.id.clone());
                    }
                    Stage::New(file.clone())
                }
                (Some(file), None) => Stage::Waiting(file.clone()),
                (None, None) if *count >= rules.at_most => Stage::Later,
                (None, None) => match drafts.add(&idea) {
                    Ok(file) => {
                        *count += 1;
                        sorted.learned.push(idea.id.clone());
                        Stage::New(file)
                    }
                    Err(reason) => Stage::Unfit(reason),
                },
            };
            sorted.ideas.push(Told { idea, stage });
        }
        if into == LearnInto::Branch {
            // There the definitions themselves are changed.
            for told in &mut sorted.ideas {
                if let Stage::New(file) = &mut told.stage {
                    "on this branch".clone_into(file);
                }
            }
        }
        sorted.files = match into {
            LearnInto::Branch => drafts.definitions()?,
            LearnInto::Proposals | LearnInto::Nothing => drafts.proposals()?,
        };
        Ok(sorted)
    }

    /// Remembers proposals of the learner that were rejected, also elsewhere: their files may go.
    fn remember_rejections(&self) {
        for proposal in self.proposals().known {
            let rejection = proposal.rejection();
            if let (Origin::Learner, Some(event)) = (proposal.from, rejection) {
                let known = self.judged_ideas().unwrap_or_default();
                let is_new = |idea: &&String| known.iter().all(|one| one.idea != **idea);
                let new: Vec<String> = proposal.learned.iter().filter(is_new).cloned().collect();
                self.remember_verdict(&new, "rejected", &event.by, &event.why);
            }
        }
        if let Ok(usage) = self.usage_store() {
            usage.flush();
        }
    }

    /// Which rollups are worth building, by their sizes; those that are not are passed over with the arithmetic.
    async fn weigh_rollups(
        &self,
        wishes: Vec<crate::learn::propose::Wish>,
        report: &mut Report,
        cancel: &CancellationToken,
    ) -> Result<Vec<Idea>, SessionError> {
        let rules: &LearnRules = &self.project().config.learn;
        let mut ideas = Vec::new();
        let mut done: Vec<String> = Vec::new();
        for wish in wishes {
            // The first that is worth it is the one that is most worth it.
            if done.contains(&wish.dataset) {
                continue;
            }
            if cancel.is_cancelled() {
                return Err(SessionError::interrupted());
            }
            match self.rollup_size(&wish.name, &wish.definition).await {
                Err(reason) => report
                    .passed_over
                    .push(format!("rollup {}: {reason}", wish.name)),
                Ok((rows_out, rows_in)) => {
                    let worth = wish.worth(rules, rows_out, rows_in);
                    match worth.against(rules) {
                        Some(reason) => {
                            report
                                .passed_over
                                .push(format!("rollup {}: {reason}", wish.name));
                        }
                        None => {
                            done.push(wish.dataset.clone());
                            ideas.push(wish.idea(&worth));
                        }
                    }
                }
            }
        }
        Ok(ideas)
    }
}

/// What reading the log gives.
struct LookedBack {
    ideas: Vec<Idea>,
    wishes: Vec<crate::learn::propose::Wish>,
    report: Report,
}

/// Ideas with what becomes of them, and the files that are to be written.
#[derive(Default)]
struct SortedOut {
    ideas: Vec<Told>,
    files: Vec<FileChange>,
    /// The ideas that are in the files.
    learned: Vec<String>,
}
