//! The hand rule, which others have to beat; and choosing by chance, which anything should beat.

use serde::{Deserialize, Serialize};

use super::heads::{Arms, Head, Mask, Odds};
use super::state::{Context, State};
use super::{Experience, Policy};

/// How well a skill has to match for the rule to take it.
const MATCHES: f64 = 0.5;

/// The rule: a skill that matches, the canonical join path, whatever was made to be read instead of rows, and nothing kept.
pub(super) fn arms(state: &State, mask: Mask) -> Arms {
    let first = |head: Head, wanted: &[u8]| {
        let wanted = wanted.iter().copied().find(|arm| mask.allows(head, *arm));
        wanted.or_else(|| mask.arms(head).next()).unwrap_or(0)
    };
    let skill: &[u8] = match state.skill_match >= MATCHES {
        true => &[0],
        false => &[3],
    };
    Arms([
        first(Head::Skill, skill),
        // canonical, shortest
        first(Head::JoinPath, &[2, 0]),
        // cache_or_rollup, partition_filter, none
        first(Head::Optimisation, &[3, 0, 4]),
        // ephemeral
        first(Head::Materialisation, &[3]),
    ])
}

/// The hand rule as a policy: it learns nothing.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Rule;

impl Policy for Rule {
    fn odds(&self, context: &Context) -> Odds {
        Odds::only(context.rule)
    }

    fn learn(&mut self, _: &[Experience]) {}
}

/// Every arm equally often.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Uniform;

impl Policy for Uniform {
    fn odds(&self, context: &Context) -> Odds {
        Odds::uniform(context.mask)
    }

    fn learn(&mut self, _: &[Experience]) {}
}
