//! What a policy would have brought, by a log of what others decided with known odds: replay, SNIPS and doubly robust.

use super::heads::{Head, Odds};
use super::linear::Linear;
use super::random::normal_below;
use super::state::{Context, WIDTH};
use super::{Experience, Policy};

/// Effective sample size below which there is no verdict.
pub const ENOUGH: f64 = 50.0;

/// How likely a difference has to be.
const CERTAIN: f64 = 0.95;

/// Standard deviation of a reward, and of the weights of what is expected of it: their ratio is the ridge.
const NOISE: f64 = 6.0;
const WEIGHT: f64 = 10.0;

/// All arms of all heads.
const ARMS: usize = 17;

/// An estimate of the mean reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean reward per query.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// The number of equally weighed queries it rests on.
    pub effective: f64,
}

impl Estimate {
    /// Whether it rests on enough to say something.
    pub fn is_enough(&self) -> bool {
        self.effective >= ENOUGH
    }
}

/// What a log says of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    /// The queries that were left to chance and where chance took what the policy takes (Li and others, 2011).
    pub replay: Estimate,
    /// All queries, weighed by how much likelier the policy takes what was taken; weights are divided by their sum.
    pub snips: Estimate,
    /// A model of the reward, corrected by the weighed surprises (Dudík and others, 2011); each half of the log is judged by a model of the other.
    pub doubly_robust: Estimate,
}

/// A log as it weighs for a policy.
struct Judged {
    odds: Vec<Odds>,
    /// How much likelier the policy takes what was taken.
    weights: Vec<f64>,
}

impl Judged {
    fn new(log: &[Experience], policy: &dyn Policy) -> Self {
        let odds: Vec<Odds> = log
            .iter()
            .map(|experience| policy.odds(&experience.context))
            .collect();
        let weights = log
            .iter()
            .zip(&odds)
            .map(|(Experience { choice, .. }, odds)| {
                odds.joint(choice.arms) / choice.joint.max(1e-9)
            });
        Self {
            weights: weights.collect(),
            odds,
        }
    }

    fn snips(&self, log: &[Experience]) -> Estimate {
        let rewards = log.iter().map(|experience| experience.reward);
        mean(self.weights.iter().copied().zip(rewards))
    }
}

/// Judges a policy by a log.
pub fn evaluate(log: &[Experience], policy: &dyn Policy) -> Estimates {
    let judged = Judged::new(log, policy);
    let trials = log
        .iter()
        .zip(&judged.odds)
        .filter(|(experience, _)| experience.choice.is_trial);
    // Chance took each of the arms that were open there, of which some queries have more than others.
    let replay = mean(trials.map(
        |(
            Experience {
                choice,
                context,
                reward,
                ..
            },
            odds,
        )| {
            let chance = Odds::uniform(context.mask).joint(choice.arms);
            (odds.joint(choice.arms) / chance.max(1e-9), *reward)
        },
    ));
    let snips = judged.snips(log);
    let robust = scores(log, &judged).into_iter().map(|score| (1.0, score));
    Estimates {
        replay,
        snips,
        doubly_robust: Estimate {
            effective: snips.effective,
            ..mean(robust)
        },
    }
}

/// What a log says of a policy beside another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The effective sample size of one of them is below [`ENOUGH`].
    TooFew,
    /// The difference could be chance.
    Undecided,
    /// The policy is better by about so much a query.
    Better(f64),
    /// The other one is, by about so much.
    Worse(f64),
}

/// Compares two policies by a log: doubly robust, query by query.
pub fn verdict(log: &[Experience], policy: &dyn Policy, other: &dyn Policy) -> Verdict {
    let (judged, others) = (Judged::new(log, policy), Judged::new(log, other));
    let (one, two) = (judged.snips(log), others.snips(log));
    if !one.is_enough() || !two.is_enough() {
        return Verdict::TooFew;
    }
    let (scores, others) = (scores(log, &judged), scores(log, &others));
    let differences = scores
        .iter()
        .zip(&others)
        .map(|(one, other)| (1.0, one - other));
    let Estimate { value, error, .. } = mean(differences);
    match normal_below(value / error.max(1e-9)) {
        better if better > CERTAIN => Verdict::Better(value),
        better if better < 1.0 - CERTAIN => Verdict::Worse(-value),
        _ => Verdict::Undecided,
    }
}

/// The weighed mean of some numbers.
pub(super) fn mean(weighed: impl Iterator<Item = (f64, f64)> + Clone) -> Estimate {
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        weighed
            .clone()
            .map(|(weight, number)| of(weight, number))
            .sum()
    };
    let all = sum(&|weight, _| weight);
    if all <= 0.0 {
        return Estimate {
            value: 0.0,
            error: f64::INFINITY,
            effective: 0.0,
        };
    }
    let value = sum(&|weight, number| weight * number) / all;
    let off = sum(&|weight, number| (weight * (number - value)).powi(2));
    Estimate {
        value,
        error: off.sqrt() / all,
        effective: all * all / sum(&|weight, _| weight * weight),
    }
}

/// For each query, what the model expects of the policy and the weighed surprise of what happened.
fn scores(log: &[Experience], judged: &Judged) -> Vec<f64> {
    let models = [0, 1].map(|half| {
        let mut model = Model::new();
        // A query is judged by the model that has not seen it.
        for (_, experience) in log.iter().enumerate().filter(|(at, _)| at % 2 != half) {
            model.learn(experience);
        }
        model
    });
    let [even, uneven] = &models;
    let weighed = judged.odds.iter().zip(&judged.weights);
    let scores = log
        .iter()
        .zip(weighed)
        .enumerate()
        .map(|(at, (experience, (odds, weight)))| {
            let model = if at % 2 == 0 { even } else { uneven };
            let taken = Odds::only(experience.choice.arms);
            let surprise = experience.reward - model.expect(&experience.context, &taken);
            model.expect(&experience.context, odds) + weight * surprise
        });
    scores.collect()
}

/// What a query is worth: linear in its features, in the arms that are taken and in how many are the rule's.
struct Model(Linear);

impl Model {
    fn new() -> Self {
        Self(Linear::new(&[(0.0, WEIGHT); WIDTH + ARMS + 1], NOISE))
    }

    fn columns(context: &Context, odds: &Odds) -> Vec<f64> {
        let arms = Head::ALL
            .into_iter()
            .flat_map(|head| (0..head.arms().len() as u8).map(move |arm| odds.of(head, arm)));
        let by_rule = Head::ALL
            .into_iter()
            .map(|head| odds.of(head, context.rule.of(head)));
        let by_rule = std::iter::once(by_rule.sum());
        context
            .features
            .iter()
            .copied()
            .chain(arms)
            .chain(by_rule)
            .collect()
    }

    fn learn(&mut self, experience: &Experience) {
        let Experience {
            context,
            choice,
            reward,
            ..
        } = experience;
        self.0
            .observe(&Self::columns(context, &Odds::only(choice.arms)), *reward);
    }

    /// It is linear in the arms, so that the mean over arms is that of their odds.
    fn expect(&self, context: &Context, odds: &Odds) -> f64 {
        self.0.mean(&Self::columns(context, odds))
    }
}
