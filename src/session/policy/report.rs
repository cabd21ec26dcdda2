//! What was learned from the log of use: `metrex policy`, and the training itself.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use jiff::Timestamp;

use crate::learn::policy::evaluate::{ENOUGH, Estimate};
use crate::learn::policy::guard::Standing;
use crate::learn::policy::{Decision, Head, Learned, Lived, Memory, RIPE, SURE};
use crate::model::{Algorithm, PolicySettings};
use crate::session::{Session, SessionError};
use crate::usage::{Logged, Thumb};

/// Queries that the first are compared with the last by.
const ENDS: usize = 100;

/// Queries that are learned from: the latest ones.
const MOST: usize = 200_000;

/// Contexts that are shown.
const BEST: usize = 5;

/// How the policy does.
#[derive(Debug, Clone)]
pub struct PolicyReport {
    settings: PolicySettings,
    log: Vec<Lived>,
    /// The query line of each of them.
    lines: Vec<String>,
    learned: Learned,
}

impl Session {
    /// What can be learned from the log as it is; nothing is written.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn policy_report(&self) -> Result<PolicyReport, SessionError> {
        let usage = self.usage_store()?;
        usage.flush();
        let mut latest = VecDeque::new();
        usage.logged(Timestamp::MIN, Timestamp::MAX, &mut |mut logged| {
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
        Ok(PolicyReport {
            settings,
            log,
            lines,
            learned,
        })
    }

    /// Learns from the log, and keeps what was learned and what each query was worth. Sessions that are opened from now on
    /// decide by it.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn train_policy(&self) -> Result<PolicyReport, SessionError> {
        let report = self.policy_report()?;
        let usage = self.usage_store()?;
        let Learned {
            memory, rewards, ..
        } = &report.learned;
        usage.learned(memory.checkpoint(), rewards.clone());
        usage.flush();
        Ok(report)
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

impl PolicyReport {
    /// All of it, in Markdown.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "Algorithm: {}{}\n\n",
            self.settings.algorithm.word(),
            match self.settings.explore {
                true => ", one query in twenty by chance",
                false => ", nothing by chance",
            }
        );
        if self.log.is_empty() {
            out.push_str("Nothing was decided yet: queries that run are recorded, and `metrex policy train` learns from them.\n");
            return out;
        }
        let learner = &self.learned.memory.learner;
        if self.settings.algorithm != Algorithm::Rule && !learner.is_ripe() {
            let _ = writeln!(
                out,
                "Everything is answered as usual until there are {RIPE} experiences in whole batches of 32; there are {}.\n",
                self.log.len()
            );
        }
        self.table(&mut out);
        self.actions(&mut out);
        self.contexts(&mut out);
        self.trial(&mut out);
        out
    }

    /// All queries, the first and the last of them.
    fn table(&self, out: &mut String) {
        out.push_str("| | queries | reward | succeeded | milliseconds |\n|---|---|---|---|---|\n");
        let count = self.log.len();
        let ends = ENDS.min(count);
        for (name, from, until) in [
            ("all".to_owned(), 0, count),
            (format!("first {ends}"), 0, ends),
            (format!("last {ends}"), count - ends, count),
        ] {
            let log = self.log.get(from..until).unwrap_or_default();
            let rewards = self.learned.rewards.get(from..until).unwrap_or_default();
            let of = log.len().max(1) as f64;
            let reward = rewards.iter().map(|(_, reward)| reward).sum::<f64>() / of;
            let succeeded = log.iter().filter(|lived| lived.succeeded).count() as f64 / of;
            let ms = log.iter().map(|lived| lived.ms).sum::<f64>() / of;
            let _ = writeln!(
                out,
                "| {name} | {} | {reward:.2} | {:.1} % | {ms:.0} |",
                log.len(),
                100.0 * succeeded
            );
        }
    }

    /// How often each arm was taken.
    fn actions(&self, out: &mut String) {
        out.push_str("\n| decision | taken |\n|---|---|\n");
        for head in Head::ALL {
            let shares = head.arms().iter().enumerate().filter_map(|(arm, word)| {
                let taken = self.log.iter();
                let taken =
                    taken.filter(|lived| usize::from(lived.decision.choice.arms.of(head)) == arm);
                let share = taken.count() as f64 / self.log.len().max(1) as f64;
                (share > 0.0).then(|| format!("{word} {:.1} %", 100.0 * share))
            });
            let shares: Vec<String> = shares.collect();
            let _ = writeln!(out, "| {} | {} |", head.word(), shares.join(", "));
        }
    }

    /// Where another arm than the rule's is most likely to be better.
    fn contexts(&self, out: &mut String) {
        let learner = &self.learned.memory.learner;
        let mut seen = BTreeSet::new();
        let mut best: Vec<(f64, &str, &str)> = Vec::new();
        for (lived, line) in self.log.iter().zip(&self.lines).rev() {
            let Decision {
                context, pattern, ..
            } = &lived.decision;
            if context.mask.is_open() && seen.insert(*pattern) {
                let others = context.mask.arms(Head::Optimisation);
                let others = others.filter(|arm| *arm != context.rule.of(Head::Optimisation));
                best.extend(others.map(|arm| {
                    let better = learner.better_than_rule(context, Head::Optimisation, arm);
                    (better, Head::Optimisation.arm(arm), line.as_str())
                }));
            }
        }
        best.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        if best.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "\nWhere another way is most likely to be better than the usual one; above {SURE} it is taken\n\n\
             | probability | way | query |\n|---|---|---|"
        );
        for (better, arm, line) in best.into_iter().take(BEST) {
            let _ = writeln!(
                out,
                "| {better:.2} | {arm} | `{}` |",
                line.replace('|', "\\|")
            );
        }
    }

    /// The A/B test.
    fn trial(&self, out: &mut String) {
        let trial = &self.learned.trial;
        let told = |estimate: &Estimate| match estimate.effective > 0.0 {
            true => format!(
                "{:.2} a query, effective sample size {:.0}",
                estimate.value, estimate.effective
            ),
            false => "none".to_owned(),
        };
        let verdict = match trial.standing {
            Standing::Open if trial.rule.is_enough() && trial.policy.is_enough() => {
                format!(
                    "undecided: the policy is better with a probability of {:.2}",
                    trial.better
                )
            }
            Standing::Open => {
                format!("no verdict: each side needs an effective sample size of {ENOUGH:.0}")
            }
            Standing::Better => format!(
                "the policy is better, with a probability of {:.2}: it decides nine in ten of these queries",
                trial.better
            ),
            Standing::FallenBack => {
                "the hand rule is better: every query is answered as usual again".to_owned()
            }
        };
        let _ = writeln!(
            out,
            "\nWhere the policy would leave the rule, part of the queries keep to it. By the rule: {}; by the policy: {}. Verdict: {verdict}.",
            told(&trial.rule),
            told(&trial.policy)
        );
    }
}
