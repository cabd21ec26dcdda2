//! What is learned and kept: the algorithm of the project, the bandit that judges it, and the experiences that are gone through again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::heads::{Head, MOST_ARMS, Odds};
use super::state::Context;
use super::{BATCH, Bandit, Experience, Policy, Ppo, Rng, Rule};
use crate::model::Algorithm;

/// Experiences before anything but the hand rule decides.
pub const RIPE: u64 = 64;

/// Experiences that are kept to be gone through again.
const REPLAYED: usize = 512;

/// Everything that has been learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    algorithm: Algorithm,
    /// Says how sure it is, so it decides for every algorithm whether the rule may be left.
    bandit: Bandit,
    ppo: Option<Ppo>,
    seen: u64,
    #[serde(skip)]
    replay: VecDeque<Experience>,
}

impl Learner {
    /// Nothing is learned yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            bandit: Bandit::with_prior(),
            ppo: (algorithm == Algorithm::Ppo).then(Ppo::default),
            seen: 0,
            replay: VecDeque::new(),
        }
    }

    /// The experiences it has learned from.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether there is enough evidence to leave the rule at all.
    pub fn is_ripe(&self) -> bool {
        self.algorithm != Algorithm::Rule && self.seen >= RIPE
    }

    /// The algorithm.
    pub fn policy(&self) -> &dyn Policy {
        match (self.algorithm, &self.ppo) {
            (Algorithm::Ppo, Some(ppo)) => ppo,
            (Algorithm::Rule, _) => &Rule,
            _ => &self.bandit,
        }
    }

    /// How likely it is that an arm is better than the one of the hand rule.
    pub fn better_than_rule(&self, context: &Context, head: Head, arm: u8) -> f64 {
        self.bandit.better_than_rule(context, head, arm)
    }

    /// The odds of some arms of a head, where there are no others; `wanted` is what the algorithm gives all of them.
    pub(super) fn among(
        &self,
        context: &Context,
        head: Head,
        arms: &[u8],
        wanted: &Odds,
    ) -> [f64; MOST_ARMS] {
        if self.ppo.is_none() {
            return self.bandit.best_among(context, head, arms);
        }
        let sum: f64 = arms.iter().map(|arm| wanted.of(head, *arm)).sum();
        std::array::from_fn(|arm| match arms.contains(&(arm as u8)) {
            true => wanted.of(head, arm as u8) / sum.max(1e-300),
            false => 0.0,
        })
    }

    /// Keeps an experience to be gone through again.
    fn remember(&mut self, experience: Experience) {
        if self.replay.len() == REPLAYED {
            self.replay.pop_front();
        }
        self.replay.push_back(experience);
    }
}

impl Policy for Learner {
    fn odds(&self, context: &Context) -> Odds {
        self.policy().odds(context)
    }

    /// Learns from a batch. PPO goes through as many of the earlier ones again; the bandit counts each once, or it would be surer than it has
    /// reason to be.
    fn learn(&mut self, batch: &[Experience]) {
        self.bandit.learn(batch);
        if let Some(ppo) = &mut self.ppo {
            let mut rng = Rng::of("replay", self.seen, 0);
            let again = (0..self.replay.len().min(BATCH))
                .filter_map(|_| self.replay.get(rng.below(self.replay.len())).copied());
            // Drawn one by one, they are no session.
            let again = again.map(|experience| Experience {
                ends_session: true,
                ..experience
            });
            let both: Vec<Experience> = batch.iter().copied().chain(again).collect();
            ppo.learn(&both);
        }
        self.seen += batch.len() as u64;
        for experience in batch {
            self.remember(*experience);
        }
    }
}
