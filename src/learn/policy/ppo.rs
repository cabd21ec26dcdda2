//! Proximal policy optimisation (Schulman and others, 2017) with a linear softmax for each head and a linear value.

use serde::{Deserialize, Serialize};

use super::heads::{Head, MOST_ARMS, Odds};
use super::linear::{Linear, dot};
use super::state::{Context, WIDTH};
use super::{Experience, Policy};

/// Step of Adam.
const LEARNING_RATE: f64 = 0.001;

/// What the next reward of a session is worth now.
const DISCOUNT: f64 = 0.95;

/// The share of choices that is left to chance; that is what "exploration 0.1" is taken to mean.
const EXPLORATION: f64 = 0.1;

/// Times each batch is gone through.
const EPOCHS: usize = 10;

/// How far the odds of a choice may move in one batch.
const CLIP: f64 = 0.2;

/// Decay of Adam's moments, as in its paper.
const MOMENTS: (f64, f64) = (0.9, 0.999);

/// Weights with what Adam keeps of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Weights {
    now: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Weights {
    fn zero() -> Self {
        Self {
            now: vec![0.0; WIDTH],
            first: vec![0.0; WIDTH],
            second: vec![0.0; WIDTH],
        }
    }

    /// One step up a gradient, the `step`th one.
    fn climb(&mut self, gradient: &[f64], step: i32) {
        let (one, two) = MOMENTS;
        let (scale_one, scale_two) = (1.0 - one.powi(step), 1.0 - two.powi(step));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((now, (first, second)), gradient) in self.now.iter_mut().zip(moments).zip(gradient) {
            *first = one * *first + (1.0 - one) * gradient;
            *second = two * *second + (1.0 - two) * gradient * gradient;
            *now += LEARNING_RATE * (*first / scale_one) / ((*second / scale_two).sqrt() + 1e-8);
        }
    }
}

/// The second algorithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ppo {
    heads: Vec<Vec<Weights>>,
    /// What is to be expected of a context.
    value: Linear,
    steps: i32,
}

impl Default for Ppo {
    fn default() -> Self {
        let arms = |head: Head| vec![Weights::zero(); head.arms().len()];
        Self {
            heads: Head::ALL.map(arms).into(),
            value: Linear::new(&[(0.0, 20.0); WIDTH], 10.0),
            steps: 0,
        }
    }
}

impl Ppo {
    /// Softmax over the arms there are.
    fn softmax(&self, context: &Context, head: Head) -> [f64; MOST_ARMS] {
        let mut odds = [0.0; MOST_ARMS];
        let weights = self.heads.get(head as usize);
        for arm in context.mask.arms(head) {
            let weights = weights.and_then(|arms| arms.get(usize::from(arm)));
            let score = weights.map_or(0.0, |weights| dot(&weights.now, &context.features));
            if let Some(place) = odds.get_mut(usize::from(arm)) {
                *place = score.clamp(-30.0, 30.0).exp();
            }
        }
        let sum: f64 = odds.iter().sum();
        odds.map(|odds| odds / sum.max(1e-300))
    }
}

impl Policy for Ppo {
    fn odds(&self, context: &Context) -> Odds {
        let soft = Odds(Head::ALL.map(|head| self.softmax(context, head)));
        soft.mixed(1.0 - EXPLORATION, &Odds::uniform(context.mask))
    }

    fn learn(&mut self, batch: &[Experience]) {
        let returns = returns(batch);
        let surprise = |(experience, sum): (&Experience, &f64)| {
            sum - self.value.expect(&experience.context.features).0
        };
        let surprises: Vec<f64> = batch.iter().zip(&returns).map(surprise).collect();
        for (experience, sum) in batch.iter().zip(&returns) {
            self.value.observe(&experience.context.features, *sum);
        }
        let count = batch.len().max(1) as f64;
        let mean = surprises.iter().sum::<f64>() / count;
        let variance = surprises
            .iter()
            .map(|one| (one - mean).powi(2))
            .sum::<f64>()
            / count;
        let advantages: Vec<f64> = surprises
            .iter()
            .map(|one| (one - mean) / (variance.sqrt() + 1e-8))
            .collect();
        for _ in 0..EPOCHS {
            self.steps = self.steps.saturating_add(1);
            for head in Head::ALL {
                let mut gradients = [[0.0; WIDTH]; MOST_ARMS];
                for (experience, advantage) in batch.iter().zip(&advantages) {
                    self.pull(&mut gradients, head, experience, advantage / count);
                }
                let steps = self.steps;
                let weights = self.heads.get_mut(head as usize).into_iter().flatten();
                for (weights, gradient) in weights.zip(&gradients) {
                    weights.climb(gradient, steps);
                }
            }
        }
    }
}

impl Ppo {
    /// What one experience says about the weights of a head: the gradient of the clipped objective.
    fn pull(
        &self,
        gradients: &mut [[f64; WIDTH]; MOST_ARMS],
        head: Head,
        experience: &Experience,
        advantage: f64,
    ) {
        let Experience {
            context, choice, ..
        } = experience;
        if context.mask.count(head) < 2 {
            return;
        }
        let taken = choice.arms.of(head);
        let soft = self.softmax(context, head);
        let before = choice
            .odds
            .get(head as usize)
            .copied()
            .unwrap_or(1.0)
            .max(1e-6);
        let own = soft.get(usize::from(taken)).copied().unwrap_or(0.0);
        let now = (1.0 - EXPLORATION) * own + EXPLORATION / context.mask.count(head) as f64;
        let ratio = now / before;
        let is_clipped = match advantage > 0.0 {
            true => ratio > 1.0 + CLIP,
            false => ratio < 1.0 - CLIP,
        };
        if is_clipped {
            return;
        }
        let scale = advantage * (1.0 - EXPLORATION) * own / before;
        for arm in context.mask.arms(head) {
            let odds = soft.get(usize::from(arm)).copied().unwrap_or(0.0);
            let slope = scale * (f64::from(u8::from(arm == taken)) - odds);
            let gradient = gradients.get_mut(usize::from(arm)).into_iter().flatten();
            for (gradient, feature) in gradient.zip(&context.features) {
                *gradient += slope * feature;
            }
        }
    }
}

/// The discounted rewards from each experience to the end of its session.
fn returns(batch: &[Experience]) -> Vec<f64> {
    let mut later = 0.0;
    let mut returns: Vec<f64> = batch
        .iter()
        .rev()
        .map(|experience| {
            if experience.ends_session {
                later = 0.0;
            }
            later = experience.reward + DISCOUNT * later;
            later
        })
        .collect();
    returns.reverse();
    returns
}
