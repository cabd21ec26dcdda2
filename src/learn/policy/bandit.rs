//! Linear Thompson sampling: each arm of each head expects a reward that is linear in the features, and is taken as often as it is likely to be
//! the best.

use serde::{Deserialize, Serialize};

use super::heads::{Head, MOST_ARMS, Odds};
use super::linear::Linear;
use super::random::{normal_below, normal_density};
use super::state::{Context, WIDTH};
use super::{Experience, Policy};

/// Standard deviation of what a reward has beside what the features explain.
const NOISE: f64 = 6.0;

/// Standard deviation of a weight before anything is observed.
const WEIGHT: f64 = 0.5;

/// How much better than the others the prior takes the arm of the hand rule to be, and how sure it is.
const RULE: (f64, f64) = (2.0, 1.0);

/// Places at which an integral is summed, and the part of the line they cover, in standard deviations.
const PLACES: usize = 49;
const REACH: f64 = 4.0;

/// The features and one more: whether the hand rule takes this arm.
const COLUMNS: usize = WIDTH + 1;

/// The bandit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bandit {
    /// What is expected of a query, whichever arms are taken.
    usual: Linear,
    /// What each arm of each head makes of it.
    heads: Vec<Vec<Linear>>,
}

impl Bandit {
    /// It knows nothing.
    pub fn cold() -> Self {
        Self::starting(None)
    }

    /// It takes the hand rule to be right until the rewards say otherwise.
    pub fn with_prior() -> Self {
        Self::starting(Some(RULE))
    }

    fn starting(rule: Option<(f64, f64)>) -> Self {
        let mut prior = [(0.0, WEIGHT); COLUMNS];
        let [.., last] = &mut prior;
        *last = rule.unwrap_or((0.0, 0.0));
        let arms = |head: Head| vec![Linear::new(&prior, NOISE); head.arms().len()];
        Self {
            usual: Linear::new(&[(0.0, 10.0); WIDTH], NOISE),
            heads: Head::ALL.map(arms).into(),
        }
    }

    fn linear(&self, head: Head, arm: u8) -> Option<&Linear> {
        self.heads.get(head as usize)?.get(usize::from(arm))
    }

    /// What an arm is expected to add to the reward, with its standard deviation.
    pub fn expect(&self, context: &Context, head: Head, arm: u8) -> (f64, f64) {
        let columns = columns(context, head, arm);
        let linear = self.linear(head, arm);
        linear.map_or((0.0, 0.0), |linear| linear.expect(&columns))
    }

    /// The probability that each of some arms of a head is the best of them.
    pub fn best_among(&self, context: &Context, head: Head, arms: &[u8]) -> [f64; MOST_ARMS] {
        let expected = |arm: &u8| self.expect(context, head, *arm);
        let expected: Vec<(f64, f64)> = arms.iter().map(expected).collect();
        let mut of = [0.0; MOST_ARMS];
        for (arm, odds) in arms.iter().zip(best_of(&expected)) {
            if let Some(place) = of.get_mut(usize::from(*arm)) {
                *place = odds;
            }
        }
        of
    }

    /// How likely it is that an arm is better than the one of the hand rule.
    pub fn better_than_rule(&self, context: &Context, head: Head, arm: u8) -> f64 {
        let rule = context.rule.of(head);
        if arm == rule {
            return 0.5;
        }
        let (mean, deviation) = self.expect(context, head, arm);
        let (usual, spread) = self.expect(context, head, rule);
        normal_below((mean - usual) / deviation.hypot(spread).max(1e-9))
    }
}

impl Policy for Bandit {
    /// The probability that each arm is the best one of its head, by the weights as they are known: what a Thompson draw takes it with. It is
    /// summed, not drawn, so that what is logged is what was meant.
    fn odds(&self, context: &Context) -> Odds {
        Odds(Head::ALL.map(|head| {
            let arms: Vec<u8> = context.mask.arms(head).collect();
            self.best_among(context, head, &arms)
        }))
    }

    fn learn(&mut self, batch: &[Experience]) {
        for experience in batch {
            let Experience {
                context,
                choice,
                reward,
                ..
            } = experience;
            let (usual, _) = self.usual.expect(&context.features);
            self.usual.observe(&context.features, *reward);
            for head in Head::ALL
                .into_iter()
                .filter(|head| context.mask.count(*head) > 1)
            {
                let arm = choice.arms.of(head);
                let columns = columns(context, head, arm);
                let heads = self.heads.get_mut(head as usize);
                if let Some(linear) = heads.and_then(|arms| arms.get_mut(usize::from(arm))) {
                    linear.observe(&columns, reward - usual);
                }
            }
        }
    }
}

fn columns(context: &Context, head: Head, arm: u8) -> [f64; COLUMNS] {
    let mut columns = [0.0; COLUMNS];
    for (column, feature) in columns.iter_mut().zip(&context.features) {
        *column = *feature;
    }
    let [.., last] = &mut columns;
    *last = f64::from(u8::from(context.rule.of(head) == arm));
    columns
}

/// How likely each of some independent normal numbers is to be the largest.
fn best_of(numbers: &[(f64, f64)]) -> Vec<f64> {
    if let [_] = numbers {
        return vec![1.0];
    }
    let deviation = |deviation: f64| deviation.max(1e-6);
    let step = 2.0 * REACH / (PLACES - 1) as f64;
    let odds = numbers.iter().enumerate().map(|(own, (mean, spread))| {
        let places = (0..PLACES).map(|place| {
            let z = step * place as f64 - REACH;
            let here = mean + z * deviation(*spread);
            let others = numbers
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != own);
            let below =
                others.map(|(_, (mean, spread))| normal_below((here - mean) / deviation(*spread)));
            normal_density(z) * below.product::<f64>()
        });
        places.sum::<f64>()
    });
    let odds: Vec<f64> = odds.collect();
    let sum: f64 = odds.iter().sum();
    odds.into_iter()
        .map(|odds| odds / sum.max(1e-300))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::{Arms, Mask, Rng, State, Uniform};

    fn context() -> Context {
        let state = State {
            skill_match: 0.9,
            ..State::default()
        };
        Context::new(&state, Mask::ALL)
    }

    #[test]
    fn the_odds_are_those_of_thompson_draws() {
        let numbers = [(1.0, 1.0), (0.5, 2.0), (-1.0, 0.3)];
        let mut rng = Rng::of("thompson", 0, 0);
        let mut wins = [0.0; 3];
        let draws = 40_000;
        for _ in 0..draws {
            let drawn = numbers.map(|(mean, deviation)| mean + deviation * rng.normal());
            let best = drawn
                .iter()
                .enumerate()
                .max_by(|(_, a), (_, b)| a.total_cmp(b));
            wins[best.unwrap().0] += 1.0 / f64::from(draws);
        }
        for (odds, wins) in best_of(&numbers).iter().zip(wins) {
            assert!((odds - wins).abs() < 0.01, "{odds} {wins}");
        }
    }

    #[test]
    fn without_evidence_no_arm_is_likely_to_beat_the_rule() {
        let bandit = Bandit::with_prior();
        for head in Head::ALL {
            for arm in Mask::ALL.arms(head) {
                assert!(bandit.better_than_rule(&context(), head, arm) <= 0.5);
            }
        }
    }

    #[test]
    fn what_pays_is_taken_more_and_more() {
        let (mut bandit, context) = (Bandit::with_prior(), context());
        let mut rng = Rng::of("pays", 0, 0);
        for _ in 0..40 {
            let batch: Vec<Experience> = (0..32)
                .map(|_| {
                    let choice = Uniform.choose(&context, &mut rng);
                    let Arms([skill, ..]) = choice.arms;
                    let reward = if skill == 1 { 12.0 } else { 8.0 } + 4.0 * rng.normal();
                    Experience {
                        context,
                        choice,
                        reward,
                        ends_session: true,
                    }
                })
                .collect();
            bandit.learn(&batch);
        }
        assert!(bandit.odds(&context).of(Head::Skill, 1) > 0.9);
        assert!(bandit.better_than_rule(&context, Head::Skill, 1) > 0.95);
    }
}
