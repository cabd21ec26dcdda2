//! Learning from use how queries are best answered: heads and arms, policies, rewards, offline evaluation, a simulator.
//!
//! Everything here is pure: randomness and time are given.

mod bandit;
mod careful;
pub mod curve;
pub mod evaluate;
pub mod guard;
mod heads;
mod learner;
mod linear;
mod memory;
mod ppo;
mod random;
pub mod reward;
mod rule;
pub mod simulate;
mod state;

use serde::{Deserialize, Serialize};

use bandit::Bandit;
pub use careful::{Careful, Decision, SURE, TRIALS};
pub use heads::{Arms, HEADS, Head, MOST_ARMS, Mask, Odds};
pub use learner::{Learner, RIPE};
pub use memory::{Learned, Lived, Memory};
use ppo::Ppo;
pub use random::Rng;
pub use rule::{Rule, Uniform};
pub use state::{Context, Features, State, WIDTH};

/// Experiences after which a policy is trained.
pub const BATCH: usize = 32;

/// A query that was decided about, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// The query.
    pub context: Context,
    /// What was decided.
    pub choice: Choice,
    /// What it was worth.
    pub reward: f64,
    /// Whether the user's session ended with it.
    pub ends_session: bool,
}

/// What was decided about a query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The arms.
    pub arms: Arms,
    /// The probability with which the arm of each head was taken.
    pub odds: [f64; HEADS],
    /// The probability with which they were taken together.
    pub joint: f64,
    /// Whether it was left to chance among all arms.
    pub is_trial: bool,
}

impl Choice {
    /// These arms, where there were no others.
    pub fn only(arms: Arms) -> Self {
        Self {
            arms,
            odds: [1.0; HEADS],
            joint: 1.0,
            is_trial: false,
        }
    }
}

/// A way to decide.
pub trait Policy {
    /// The probability with which it takes each arm; the heads are independent of each other.
    fn odds(&self, context: &Context) -> Odds;

    /// Learns from a batch of experiences.
    fn learn(&mut self, batch: &[Experience]);

    /// Decides about a query.
    fn choose(&self, context: &Context, rng: &mut Rng) -> Choice {
        let odds = self.odds(context);
        let arms = draw(&odds, context, rng);
        Choice {
            arms,
            odds: Head::ALL.map(|head| odds.of(head, arms.of(head))),
            joint: odds.joint(arms),
            is_trial: false,
        }
    }
}

/// Takes one arm of each head with its probability.
pub(crate) fn draw(odds: &Odds, context: &Context, rng: &mut Rng) -> Arms {
    Arms(Head::ALL.map(|head| {
        let mut left = rng.unit();
        let drawn = context.mask.arms(head).find(|arm| {
            left -= odds.of(head, *arm);
            left < 0.0
        });
        // What rounding leaves over belongs to the likeliest.
        drawn.unwrap_or_else(|| odds.likeliest().of(head))
    }))
}
