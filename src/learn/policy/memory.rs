//! What a log of decisions teaches: the rewards, the trained algorithm, how each pattern went, and how the policy does beside the rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::guard::{Trial, compare};
use super::heads::Head;
use super::reward::{Outcome, reward};
use super::{BATCH, Decision, Experience, Learner, Policy as _};
use crate::model::{Algorithm, PolicySettings};

/// The form of a checkpoint; one of another form is not read, until the log is gone through again.
const FORMAT: u32 = 1;

/// Times of a pattern that its median is taken of.
const RECENT: usize = 33;

/// A query that was decided about, and how it went.
#[derive(Debug, Clone)]
pub struct Lived {
    /// Its number in the log.
    pub id: i64,
    /// The run of metrex it belongs to.
    pub session: String,
    /// Who asked.
    pub user: String,
    /// What was decided.
    pub decision: Decision,
    /// Whether it passed validation, returned, and was neither corrected, thumbed down nor asked again within two minutes.
    pub succeeded: bool,
    /// Whether somebody said that it is right, or used it again.
    pub is_confirmed: bool,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// The rows it returned.
    pub rows: u64,
}

/// How the queries of a pattern went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Queries.
    pub uses: u64,
    /// Those that succeeded.
    pub succeeded: u64,
    /// The latest times of these, in milliseconds.
    recent: Vec<f64>,
}

impl Past {
    /// The median of the latest times.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.recent.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }

    fn add(&mut self, lived: &Lived) {
        self.uses += 1;
        if lived.succeeded {
            self.succeeded += 1;
            if self.recent.len() == RECENT {
                self.recent.remove(0);
            }
            self.recent.push(lived.ms);
        }
    }
}

/// Everything that was learned from a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    format: u32,
    algorithm: Algorithm,
    /// What the algorithm has learned.
    pub learner: Learner,
    /// How each pattern went.
    pub patterns: BTreeMap<u64, Past>,
    /// How much each person has asked.
    pub users: BTreeMap<String, u64>,
    /// The share of queries where the policy may deviate from the rule; 0 after it did worse.
    pub share: f64,
}

/// What going through a log makes.
#[derive(Debug, Clone)]
pub struct Learned {
    /// What was learned.
    pub memory: Memory,
    /// What each query was worth, by its number.
    pub rewards: Vec<(i64, f64)>,
    /// How the policy does beside the rule.
    pub trial: Trial,
}

impl Memory {
    /// Goes through a log from its beginning. The same log always teaches the same.
    pub fn of(settings: &PolicySettings, log: &[Lived]) -> Learned {
        let mut memory = Self {
            format: FORMAT,
            algorithm: settings.algorithm,
            learner: Learner::new(settings.algorithm),
            patterns: BTreeMap::new(),
            users: BTreeMap::new(),
            share: 0.0,
        };
        let mut rewards = Vec::with_capacity(log.len());
        for lived in log {
            let past = memory.patterns.entry(lived.decision.pattern).or_default();
            let outcome = Outcome {
                succeeded: lived.succeeded,
                ms: lived.ms,
                rows: lived.rows,
                is_optimised: is_optimised(&lived.decision),
                usual_ms: past.median(),
                is_fresh: false,
                is_first: past.uses == 0,
                is_confirmed: lived.is_confirmed,
            };
            rewards.push((lived.id, reward(&settings.reward, &outcome)));
            past.add(lived);
            *memory.users.entry(lived.user.clone()).or_default() += 1;
        }
        let experiences = by_session(log, &rewards);
        for batch in experiences.chunks_exact(BATCH) {
            memory.learner.learn(batch);
        }
        let decided = log.iter().zip(&rewards);
        let trial = compare(decided.map(|(lived, (_, reward))| (&lived.decision, *reward)));
        memory.share = trial.standing.share();
        Learned {
            memory,
            rewards,
            trial,
        }
    }

    /// All of it as bytes; exact to the last bit.
    pub fn checkpoint(&self) -> Vec<u8> {
        // Numbers, texts and lists of them can always be written.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// What a checkpoint holds; `None` where it is of another form or another algorithm.
    pub fn restored(checkpoint: &[u8], algorithm: Algorithm) -> Option<Self> {
        let memory: Self = postcard::from_bytes(checkpoint).ok()?;
        (memory.format == FORMAT && memory.algorithm == algorithm).then_some(memory)
    }
}

fn is_optimised(decision: &Decision) -> bool {
    Head::Optimisation.arm(decision.choice.arms.of(Head::Optimisation)) != "none"
}

/// The queries of each session one after the other, as they follow from each other; sessions in the order they began.
fn by_session(log: &[Lived], rewards: &[(i64, f64)]) -> Vec<Experience> {
    let mut sessions: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<Vec<Experience>> = Vec::new();
    for (lived, (_, reward)) in log.iter().zip(rewards) {
        let place = *sessions.entry(&lived.session).or_insert(order.len());
        if place == order.len() {
            order.push(Vec::new());
        }
        let experience = Experience {
            context: lived.decision.context,
            choice: lived.decision.choice,
            reward: *reward,
            ends_session: false,
        };
        if let Some(session) = order.get_mut(place) {
            session.push(experience);
        }
    }
    for session in &mut order {
        if let Some(last) = session.last_mut() {
            last.ends_session = true;
        }
    }
    order.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::{Choice, Context, Mask, Rng, State, Uniform};
    use crate::registry::delivered_policy;

    /// Reading everything in one way takes a third of the time.
    fn log(count: i64) -> Vec<Lived> {
        let state = State {
            metrics: 2,
            ..State::default()
        };
        let mask = Mask::ALL
            .fixed(Head::Skill, 0)
            .fixed(Head::JoinPath, 2)
            .fixed(Head::Materialisation, 3);
        let context = Context::new(&state, mask);
        let mut rng = Rng::of("memory", 0, 0);
        (0..count)
            .map(|id| {
                let choice: Choice = Uniform.choose(&context, &mut rng);
                let is_fast = choice.arms.of(Head::Optimisation) == 4;
                Lived {
                    id,
                    session: format!("s{}", id % 3),
                    user: "ana".to_owned(),
                    decision: Decision {
                        context,
                        choice,
                        deviates: false,
                        own: 0.0,
                        learned_from: 0,
                        pattern: 7,
                    },
                    succeeded: true,
                    is_confirmed: false,
                    ms: if is_fast { 400.0 } else { 1200.0 },
                    rows: 5,
                }
            })
            .collect()
    }

    #[test]
    fn the_way_that_is_faster_is_found() {
        let log = log(640);
        let context = log[0].decision.context;
        let learned = Memory::of(&delivered_policy(), &log);
        let better = |arm| {
            let learner = &learned.memory.learner;
            learner.better_than_rule(&context, Head::Optimisation, arm)
        };
        assert!(
            better(4) > 0.95 && better(0) < 0.7,
            "{} {}",
            better(4),
            better(0)
        );
        assert_eq!(
            learned.rewards[0].1,
            10.0 + 2.0 + if log[0].ms < 1000.0 { 5.0 } else { 2.0 }
        );
        assert_eq!(learned.memory.users["ana"], 640);
    }

    #[test]
    fn a_checkpoint_decides_as_before_and_one_of_another_algorithm_is_not_read() {
        for algorithm in [Algorithm::Bandit, Algorithm::Ppo] {
            let settings = PolicySettings {
                algorithm,
                ..delivered_policy()
            };
            let log = log(100);
            let memory = Memory::of(&settings, &log).memory;
            let again = Memory::restored(&memory.checkpoint(), algorithm).unwrap();
            let context = log[0].decision.context;
            assert_eq!(again.learner.odds(&context), memory.learner.odds(&context));
            assert_eq!(again.learner.seen(), 96);
            assert!(again.learner.is_ripe());
            assert!(Memory::restored(&memory.checkpoint(), Algorithm::Rule).is_none());
        }
        assert!(Memory::restored(b"{}", Algorithm::Bandit).is_none());
    }

    #[test]
    fn something_new_is_paid_once() {
        let mut log = log(2);
        for lived in &mut log {
            (lived.is_confirmed, lived.ms, lived.rows) = (true, 400.0, 5);
        }
        let rewards = Memory::of(&delivered_policy(), &log).rewards;
        assert_eq!((rewards[0].1, rewards[1].1), (22.0, 17.0));
    }
}
