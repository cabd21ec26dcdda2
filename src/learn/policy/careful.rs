//! How a learned policy decides where it matters: the hand rule decides, unless an arm is likely to be better, and now and then chance does.

use serde::{Deserialize, Serialize};

use super::heads::{Head, Odds};
use super::learner::Learner;
use super::state::Context;
use super::{Choice, Experience, Policy, Rng, draw};

/// How likely an arm has to be better than the rule's before it is taken.
pub const SURE: f64 = 0.7;

/// The share of queries that is left to chance, to learn from.
pub const TRIALS: f64 = 0.05;

/// What was decided about a query, as it is logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The query.
    pub context: Context,
    /// What was decided.
    pub choice: Choice,
    /// Whether the policy would deviate from the rule here: these are the queries that the A/B test compares.
    pub deviates: bool,
    /// The odds of these arms by the policy itself, without chance and without the control.
    #[serde(default)]
    pub own: f64,
    /// The experiences the policy had learned from.
    pub learned_from: u64,
    /// What the query has in common with those that differ from it in values and times only.
    pub pattern: u64,
}

/// A learner that is held to the rule where it is not sure.
#[derive(Debug, Clone)]
pub struct Careful<L> {
    /// What has been learned.
    pub learner: L,
    /// The share of queries that is left to chance.
    pub trials: f64,
    /// Of the queries where it would deviate, the share where it may: the others are the control.
    pub share: f64,
}

impl<L: std::borrow::Borrow<Learner>> Careful<L> {
    /// Where it would deviate, with which odds; `None` where the rule stands.
    fn wishes(&self, context: &Context) -> Option<Odds> {
        let learner = self.learner.borrow();
        let wanted = learner.policy().odds(context);
        let mut deviates = false;
        let odds = Odds(Head::ALL.map(|head| {
            let rule = context.rule.of(head);
            let is_sure =
                |arm: &u8| *arm == rule || learner.better_than_rule(context, head, *arm) > SURE;
            let arms: Vec<u8> = context.mask.arms(head).filter(is_sure).collect();
            deviates |= arms.len() > 1;
            learner.among(context, head, &arms, &wanted)
        }));
        deviates.then_some(odds)
    }

    /// Decides about a query of a pattern.
    pub fn decide(&self, context: &Context, pattern: u64, rng: &mut Rng) -> Decision {
        let wishes = self.wishes(context);
        let rule = Odds::only(context.rule);
        let chance = Odds::uniform(context.mask);
        let own = wishes.as_ref().unwrap_or(&rule);
        let (is_trial, may) = (rng.chance(self.trials), rng.chance(self.share));
        let arms = match (is_trial, may) {
            (true, _) => draw(&chance, context, rng),
            (false, true) => draw(own, context, rng),
            (false, false) => context.rule,
        };
        // Which of the three decided is drawn once for all heads, so the joint odds are no product.
        let of = |of: &dyn Fn(&Odds) -> f64| {
            let decided = self.share * of(own) + (1.0 - self.share) * of(&rule);
            self.trials * of(&chance) + (1.0 - self.trials) * decided
        };
        let choice = Choice {
            arms,
            odds: Head::ALL.map(|head| of(&|odds: &Odds| odds.of(head, arms.of(head)))),
            joint: of(&|odds: &Odds| odds.joint(arms)),
            is_trial,
        };
        Decision {
            context: *context,
            choice,
            deviates: wishes.is_some(),
            own: own.joint(arms),
            learned_from: self.learner.borrow().seen(),
            pattern,
        }
    }
}

impl Policy for Careful<Learner> {
    /// What it would do where it may and nothing is left to chance.
    fn odds(&self, context: &Context) -> Odds {
        self.wishes(context)
            .unwrap_or_else(|| Odds::only(context.rule))
    }

    fn learn(&mut self, batch: &[Experience]) {
        self.learner.learn(batch);
    }

    fn choose(&self, context: &Context, rng: &mut Rng) -> Choice {
        self.decide(context, 0, rng).choice
    }
}
