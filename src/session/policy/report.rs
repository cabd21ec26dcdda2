//! What was learned from the log of use, as numbers: what `metrex policy`, the explorer and agents say, and the training itself.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::learn::policy::curve::Place;
use crate::learn::policy::evaluate::{ENOUGH, Estimate};
use crate::learn::policy::guard::{Standing, Trial};
use crate::learn::policy::{Decision, Head, Learned, Lived, Memory};
use crate::session::feedback::written;
use crate::session::{Session, SessionError};
use crate::usage::{Logged, Thumb};

/// Queries that the first are compared with the last by, and that a place of the curve is the mean of.
pub(super) const WINDOW: usize = 100;

/// Queries that the first place of the curve is the mean of.
pub(super) const FEWEST: usize = 20;

/// Most places of the curve.
const PLACES: usize = 200;

/// Standard errors to either side of a mean that its true value lies between with a probability of 0.95.
const BAND: f64 = 1.96;

/// Queries that are learned from: the latest ones.
const MOST: usize = 200_000;

/// Contexts that are shown.
const BEST: usize = 5;

/// How the policy does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyReport {
    /// The algorithm that decides: `bandit`, `ppo` or `rule`.
    pub algorithm: &'static str,
    /// Whether one query in twenty is left to chance.
    pub explores: bool,
    /// Whether there is enough experience for anything but the hand rule to decide.
    pub is_ripe: bool,
    /// Whether what was learned was kept, and decides.
    pub is_trained: bool,
    /// Queries that were decided about.
    pub queries: usize,
    /// Queries whose row in the log is damaged, and which are not learned from.
    pub unread: u64,
    /// All of them; the first and the last of them, where there are more; none where there are no queries.
    pub stretches: Vec<Stretch>,
    /// The mean reward of the last 100 queries after so many, and where its true value lies with a probability of 0.95.
    pub curve: Vec<Place>,
    /// How often each way was taken, decision by decision.
    pub decisions: Vec<Taken>,
    /// Where another way than the usual one is most likely to be better, the likeliest first.
    pub best: Vec<Better>,
    /// The mean reward of queries that kept to the rule where the policy would leave it, and of those that left it.
    pub by_rule: Option<Mean>,
    /// The same of those that left it.
    pub by_policy: Option<Mean>,
    /// What follows from the two.
    pub verdict: String,
}

/// How some queries went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stretch {
    /// Which ones: `all`, `first 100`, `last 100`.
    pub name: String,
    /// How many.
    pub queries: usize,
    /// Their mean reward.
    pub reward: f64,
    /// The share that succeeded, 0 to 1.
    pub succeeded: f64,
    /// The mean time to the answer, in milliseconds.
    pub ms: f64,
}

/// How a decision fell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Taken {
    /// Which decision.
    pub decision: &'static str,
    /// The ways that were taken, each with its share of the queries, 0 to 1.
    pub ways: Vec<(&'static str, f64)>,
}

/// Another way than the usual one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Better {
    /// How likely it is better, 0 to 1.
    pub probability: f64,
    /// The way.
    pub way: &'static str,
    /// A query it is about, as a query line.
    pub line: String,
}

/// A mean with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean reward of a query.
    pub reward: f64,
    /// The number of equally weighed queries it rests on.
    pub effective: f64,
}

impl Session {
    /// What can be learned from the log as it is; nothing is written.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn policy_report(&self) -> Result<PolicyReport, SessionError> {
        Ok(self.lessons()?.0)
    }

    /// Learns from the log, and keeps what was learned and what each query was worth. Sessions that are opened from now on
    /// decide by it.
    ///
    /// # Errors
    /// The log cannot be read or written, or is not that of later runs.
    pub fn train_policy(&self) -> Result<PolicyReport, SessionError> {
        self.outlives_run()?;
        let (mut report, learned) = self.lessons()?;
        report.is_trained = learned.memory.learner.is_ripe();
        let usage = self.usage_store()?;
        usage.learned(learned.memory.checkpoint(), learned.rewards);
        written(usage)?;
        Ok(report)
    }

    fn lessons(&self) -> Result<(PolicyReport, Learned), SessionError> {
        let usage = self.usage_store()?;
        usage.write_out();
        let mut latest = VecDeque::new();
        let unread = usage.logged(Timestamp::MIN, Timestamp::MAX, &mut |mut logged| {
            let line = std::mem::take(&mut logged.record.line);
            if let Some(lived) = lived(logged) {
                if latest.len() == MOST {
                    latest.pop_front();
                }
                latest.push_back((lived, line));
            }
        })?;
        let (log, lines): (Vec<Lived>, Vec<String>) = latest.into_iter().unzip();
        let settings = self.project().config.policy;
        let learned = Memory::of(&settings, &log);
        let side = |estimate: &Estimate| {
            (estimate.effective > 0.0).then_some(Mean {
                reward: estimate.value,
                effective: estimate.effective,
            })
        };
        let report = PolicyReport {
            algorithm: settings.algorithm.word(),
            explores: settings.explore,
            is_ripe: learned.memory.learner.is_ripe(),
            is_trained: usage
                .lesson()?
                .is_some_and(|lesson| Memory::restored(&lesson, settings.algorithm).is_some()),
            queries: log.len(),
            unread,
            stretches: stretches(&log, &learned.rewards),
            curve: curve(&learned.rewards),
            decisions: decisions(&log),
            best: best(&log, &lines, &learned.memory, |line| {
                self.harmless_line(line)
            }),
            by_rule: side(&learned.trial.rule),
            by_policy: side(&learned.trial.policy),
            verdict: verdict(&learned.trial),
        };
        Ok((report, learned))
    }
}

/// A query of the log that was decided about, and how it went. What was cancelled says nothing.
fn lived(logged: Logged) -> Option<Lived> {
    let Logged {
        id,
        record,
        feedback,
        corrected_by,
        reused,
        ..
    } = logged;
    let decision: Decision = serde_json::from_str(record.choice.as_deref()?).ok()?;
    let thumb = feedback.map(|feedback| feedback.thumb);
    Some(Lived {
        id,
        session: record.session,
        user: record.user,
        decision,
        succeeded: record.outcome.is_ok() && corrected_by.is_none() && thumb != Some(Thumb::Down),
        is_confirmed: reused || thumb == Some(Thumb::Up),
        ms: record.ms as f64,
        rows: record.rows,
    })
}

/// All queries, the first and the last of them.
fn stretches(log: &[Lived], rewards: &[(i64, f64)]) -> Vec<Stretch> {
    let count = log.len();
    let mut stretches = Vec::new();
    if count > 0 {
        stretches.push(("all".to_owned(), 0, count));
    }
    // Of fewer, the first and the last are all of them.
    if count > WINDOW {
        stretches.push((format!("first {WINDOW}"), 0, WINDOW));
        stretches.push((format!("last {WINDOW}"), count - WINDOW, count));
    }
    let stretches = stretches.into_iter().map(|(name, from, until)| {
        let log = log.get(from..until).unwrap_or_default();
        let rewards = rewards.get(from..until).unwrap_or_default();
        let of = log.len().max(1) as f64;
        Stretch {
            name,
            queries: log.len(),
            reward: rewards.iter().map(|(_, reward)| reward).sum::<f64>() / of,
            succeeded: log.iter().filter(|lived| lived.succeeded).count() as f64 / of,
            ms: log.iter().map(|lived| lived.ms).sum::<f64>() / of,
        }
    });
    stretches.collect()
}

/// The mean of the last rewards after so many queries, with its band.
fn curve(rewards: &[(i64, f64)]) -> Vec<Place> {
    if rewards.len() < FEWEST {
        return Vec::new();
    }
    let step = (rewards.len() - FEWEST).div_ceil(PLACES).max(1);
    let ends = (FEWEST..rewards.len()).step_by(step).chain([rewards.len()]);
    let place = |queries: usize| {
        let last = rewards.get(queries.saturating_sub(WINDOW)..queries);
        let last = last.unwrap_or_default();
        let of = last.len() as f64;
        let mean = last.iter().map(|(_, reward)| reward).sum::<f64>() / of;
        let squares = last.iter().map(|(_, reward)| (reward - mean).powi(2));
        let error = (squares.sum::<f64>() / (of - 1.0) / of).sqrt();
        Place {
            queries,
            mean,
            low: mean - BAND * error,
            high: mean + BAND * error,
        }
    };
    ends.map(place).collect()
}

/// How often each way was taken.
fn decisions(log: &[Lived]) -> Vec<Taken> {
    let share = |head: Head, arm: usize| {
        let taken = log.iter();
        let taken = taken.filter(|lived| usize::from(lived.decision.choice.arms.of(head)) == arm);
        taken.count() as f64 / log.len().max(1) as f64
    };
    let taken = |head: Head| Taken {
        decision: head.word(),
        ways: head
            .arms()
            .iter()
            .enumerate()
            .map(|(arm, word)| (*word, share(head, arm)))
            .filter(|(_, share)| *share > 0.0)
            .collect(),
    };
    Head::ALL.map(taken).into_iter().collect()
}

/// Where another way than the rule's is most likely to be better.
fn best(
    log: &[Lived],
    lines: &[String],
    memory: &Memory,
    harmless: impl Fn(&str) -> String,
) -> Vec<Better> {
    let mut seen = BTreeSet::new();
    let mut best: Vec<Better> = Vec::new();
    for (lived, line) in log.iter().zip(lines).rev() {
        let Decision {
            context, pattern, ..
        } = &lived.decision;
        if context.mask.is_open() && seen.insert(*pattern) {
            let others = context.mask.arms(Head::Optimisation);
            let others = others.filter(|arm| *arm != context.rule.of(Head::Optimisation));
            best.extend(others.map(|arm| {
                Better {
                    probability: memory
                        .learner
                        .better_than_rule(context, Head::Optimisation, arm),
                    way: Head::Optimisation.arm(arm),
                    line: line.clone(),
                }
            }));
        }
    }
    best.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    best.truncate(BEST);
    for better in &mut best {
        better.line = harmless(&better.line);
    }
    best
}

/// What follows from the A/B test.
fn verdict(trial: &Trial) -> String {
    match trial.standing {
        Standing::Open if trial.rule.is_enough() && trial.policy.is_enough() => {
            format!(
                "undecided: the policy is better with a probability of {:.2}",
                trial.better
            )
        }
        Standing::Open => {
            format!("none yet, each side needs an effective sample size of {ENOUGH:.0}")
        }
        Standing::Better => format!(
            "the policy is better, with a probability of {:.2}: once trained, it decides nine in ten of these queries",
            trial.better
        ),
        Standing::FallenBack => {
            "the hand rule is better: once trained on this, every query is answered as usual again"
                .to_owned()
        }
    }
}
