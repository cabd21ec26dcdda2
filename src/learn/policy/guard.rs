//! The A/B test against the hand rule: where the policy would deviate, part of the queries keep to the rule, and the two are compared.

use super::Decision;
use super::evaluate::{Estimate, mean};
use super::random::normal_below;

/// How likely one side has to be better.
const CERTAIN: f64 = 0.95;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Too few queries, or no difference that could not be chance.
    Open,
    /// The policy is better than the rule.
    Better,
    /// The rule is better: nothing deviates from it any more.
    FallenBack,
}

impl Standing {
    /// The share of queries where the policy may deviate; the others go on as the control.
    pub fn share(self) -> f64 {
        match self {
            Self::Open => 0.5,
            Self::Better => 0.9,
            Self::FallenBack => 0.0,
        }
    }
}

/// The test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// What the rule brings, by the queries that kept to it.
    pub rule: Estimate,
    /// What the policy brings.
    pub policy: Estimate,
    /// How likely it is that the policy is better.
    pub better: f64,
    /// What follows.
    pub standing: Standing,
}

/// Compares what came of the queries where the policy would deviate. Each is weighed by the odds of its arms under the rule
/// or the policy, over the odds that they were decided with (self-normalised importance sampling).
pub fn compare<'a>(decided: impl Iterator<Item = (&'a Decision, f64)> + Clone) -> Trial {
    // Where the policy had no chance, as after it has fallen back, nothing is learned about it.
    let had_a_chance = |decision: &Decision| {
        decision.choice.arms != decision.context.rule || decision.choice.joint < 1.0 - 1e-9
    };
    let decided = decided.filter(|(decision, _)| decision.deviates && had_a_chance(decision));
    let side = |odds: fn(&Decision) -> f64| {
        let weight = move |decision: &Decision| odds(decision) / decision.choice.joint.max(1e-6);
        mean(
            decided
                .clone()
                .map(move |(decision, reward)| (weight(decision), reward)),
        )
    };
    let rule = side(|decision| f64::from(decision.choice.arms == decision.context.rule));
    let policy = side(|decision| decision.own);
    let has_enough = rule.is_enough() && policy.is_enough();
    let better = match has_enough {
        true => {
            normal_below((policy.value - rule.value) / policy.error.hypot(rule.error).max(1e-9))
        }
        false => 0.5,
    };
    let standing = match better {
        better if better > CERTAIN => Standing::Better,
        better if better < 1.0 - CERTAIN => Standing::FallenBack,
        _ => Standing::Open,
    };
    Trial {
        rule,
        policy,
        better,
        standing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::policy::{Arms, Choice, Context, Mask, Rng, State};

    fn decided(difference: f64, count: usize) -> Vec<(Decision, f64)> {
        let context = Context::new(&State::default(), Mask::ALL);
        let mut rng = Rng::of("guard", 0, 0);
        let one = |at: usize| {
            let deviated = at.is_multiple_of(2);
            let mut arms = context.rule;
            if deviated {
                arms = Arms([0, 0, 0, 0]);
            }
            let choice = Choice {
                arms,
                odds: [0.5; 4],
                joint: 0.5,
                is_trial: false,
            };
            let decision = Decision {
                context,
                choice,
                deviates: true,
                own: f64::from(deviated),
                learned_from: 100,
                pattern: 0,
            };
            let reward = 10.0 + if deviated { difference } else { 0.0 } + 3.0 * rng.normal();
            (decision, reward)
        };
        (0..count).map(one).collect()
    }

    fn standing(decided: &[(Decision, f64)]) -> Standing {
        compare(decided.iter().map(|(decision, reward)| (decision, *reward))).standing
    }

    #[test]
    fn a_policy_that_does_worse_falls_back() {
        assert_eq!(standing(&decided(-2.0, 400)), Standing::FallenBack);
        assert_eq!(standing(&decided(2.0, 400)), Standing::Better);
        assert_eq!(standing(&decided(0.0, 400)), Standing::Open);
    }

    #[test]
    fn what_is_answered_after_it_fell_back_does_not_bring_it_back() {
        let mut decided = decided(-2.0, 400);
        let kept = decided.iter().filter(|(decision, _)| decision.own == 0.0);
        let mut after: Vec<(Decision, f64)> = kept.cloned().collect();
        for (decision, _) in &mut after {
            (decision.choice.joint, decision.own) = (1.0, 0.3);
        }
        for _ in 0..20 {
            decided.extend(after.iter().cloned());
        }
        assert_eq!(standing(&decided), Standing::FallenBack);
    }

    #[test]
    fn nothing_is_said_of_a_few() {
        assert_eq!(standing(&decided(-20.0, 90)), Standing::Open);
        assert_eq!(standing(&[]), Standing::Open);
    }

    #[test]
    fn where_the_policy_agrees_with_the_rule_there_is_nothing_to_compare() {
        let mut decided = decided(-2.0, 400);
        for (decision, _) in &mut decided {
            decision.deviates = false;
        }
        assert_eq!(standing(&decided), Standing::Open);
    }
}
