//! The section `policy:` of `metrex.yaml`: which algorithm chooses how queries are answered, and what an answer is worth to it.

use std::sync::LazyLock;

use super::ProjectFile;
use super::diagnostic::Sink;
use super::read::{At, Read as _, Word, object};
use super::yaml;
use crate::model::{Algorithm, FileId, NoveltyPays, OptimisationPays, PolicySettings, RewardTable};

/// What applies where a project says nothing.
const DELIVERED: &str = include_str!("../../assets/policy.yaml");

object! {
    /// How the choices are made that change no answer: in one scan or several, by day first or not.
    struct RawPolicy {
        /// Who chooses: `bandit` (the default), `ppo`, or `rule`, which learns nothing.
        algorithm: Option<Word<Algorithm>>,
        /// Whether one query in twenty is answered another way than the rule's, to learn from: `true` (the default) or `false`.
        explore: Option<At<bool>>,
        /// What an answer is worth.
        reward: Option<RawReward>,
    }
}

object! {
    /// What an answer is worth, part by part.
    struct RawReward {
        /// It passed validation, and nobody corrected it, thumbed it down or asked again within two minutes.
        success: Option<At<f64>>,
        /// Anything else; nothing is added to it.
        failure: Option<At<f64>>,
        /// It came within a second.
        under_1s: Option<At<f64>>,
        /// It came within five seconds, but not within one.
        under_5s: Option<At<f64>>,
        /// It took more than a minute.
        over_60s: Option<At<f64>>,
        /// It has 1 to 10,000 rows.
        some_rows: Option<At<f64>>,
        /// It has no rows.
        no_rows: Option<At<f64>>,
        /// It has more than 1,000,000 rows.
        many_rows: Option<At<f64>>,
        /// It was optimised.
        optimisation: Option<At<f64>>,
        /// What that is paid for: `faster` (the default), less than nine tenths of the pattern's median; or `acted`.
        optimisation_pays: Option<Word<OptimisationPays>>,
        /// Its pattern is new.
        novelty: Option<At<f64>>,
        /// What that is paid for: `confirmed` (the default), once, when somebody confirms the answer; or `always`.
        novelty_pays: Option<Word<NoveltyPays>>,
    }
}

/// What applies where a project says nothing (`assets/policy.yaml`).
pub fn delivered_policy() -> PolicySettings {
    static SETTINGS: LazyLock<PolicySettings> = LazyLock::new(|| {
        let nothing = PolicySettings {
            algorithm: Algorithm::Rule,
            explore: false,
            reward: RewardTable {
                success: 0.0,
                failure: 0.0,
                under_1s: 0.0,
                under_5s: 0.0,
                over_60s: 0.0,
                some_rows: 0.0,
                no_rows: 0.0,
                many_rows: 0.0,
                optimisation: 0.0,
                optimisation_pays: OptimisationPays::Faster,
                novelty: 0.0,
                novelty_pays: NoveltyPays::Confirmed,
            },
        };
        let file = [ProjectFile {
            path: "policy.yaml".to_owned(),
            text: DELIVERED.to_owned(),
        }];
        let node = yaml::parse(FileId(0), DELIVERED).ok().flatten();
        let raw = node.and_then(|node| RawPolicy::read(&node, &mut Sink::new(&file)));
        raw.map_or(nothing, |raw| policy_settings(&raw, nothing))
    });
    *SETTINGS
}

/// What a section says; where it says nothing, as it was.
pub(super) fn policy_settings(raw: &RawPolicy, otherwise: PolicySettings) -> PolicySettings {
    let reward = raw.reward.as_ref();
    PolicySettings {
        algorithm: raw.algorithm.map_or(otherwise.algorithm, |word| word.value),
        explore: raw.explore.map_or(otherwise.explore, |at| at.value),
        reward: reward.map_or(otherwise.reward, |raw| table(raw, otherwise.reward)),
    }
}

fn table(raw: &RawReward, otherwise: RewardTable) -> RewardTable {
    let or = |figure: Option<At<f64>>, otherwise| figure.map_or(otherwise, |at| at.value);
    RewardTable {
        success: or(raw.success, otherwise.success),
        failure: or(raw.failure, otherwise.failure),
        under_1s: or(raw.under_1s, otherwise.under_1s),
        under_5s: or(raw.under_5s, otherwise.under_5s),
        over_60s: or(raw.over_60s, otherwise.over_60s),
        some_rows: or(raw.some_rows, otherwise.some_rows),
        no_rows: or(raw.no_rows, otherwise.no_rows),
        many_rows: or(raw.many_rows, otherwise.many_rows),
        optimisation: or(raw.optimisation, otherwise.optimisation),
        optimisation_pays: raw
            .optimisation_pays
            .map_or(otherwise.optimisation_pays, |word| word.value),
        novelty: or(raw.novelty, otherwise.novelty),
        novelty_pays: raw
            .novelty_pays
            .map_or(otherwise.novelty_pays, |word| word.value),
    }
}
