//! A world of queries whose truth is known: how likely each choice succeeds, how long it takes, and which one is best.
//!
//! All figures here are invented. They are of the order of what one would expect and show what an algorithm can learn and how many queries
//! that takes; they say nothing of the queries of a project.

use super::heads::{Arms, Head, Mask, Odds};
use super::random::{Rng, normal_below};
use super::reward::{self, FASTER, Outcome};
use super::state::{Context, State};
use crate::model::{NoveltyPays, OptimisationPays, RewardTable};

/// Patterns that are asked again and again.
const PATTERNS: usize = 40;

/// Standard deviation of the logarithm of the milliseconds.
const SPREAD: f64 = 0.4;

/// How often the first answer of a pattern is confirmed where it is right.
const CONFIRMED: f64 = 0.7;

/// How often a session goes on after an answer that is right.
const GOES_ON: f64 = 0.75;

/// A query of the world.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// What a policy sees.
    pub context: Context,
    state: State,
    /// Logarithm of its milliseconds before any choice.
    base: f64,
    rows: u64,
    /// The median of its pattern: what the hand rule takes.
    usual_ms: Option<f64>,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the session ended.
    pub ends_session: bool,
}

struct Pattern {
    metrics: usize,
    group_by: usize,
    filters: usize,
    joins: usize,
    grain_days: Option<f64>,
    days: f64,
    base: f64,
    rows: u64,
    skill: f64,
    has_rollup: bool,
    uses: u64,
}

impl Pattern {
    fn drawn(rng: &mut Rng, is_new: bool) -> Self {
        let joins = rng.below(4);
        let grain = [None, Some(1.0), Some(7.0), Some(30.0)];
        Self {
            metrics: 1 + rng.below(3),
            group_by: rng.below(4),
            filters: rng.below(4),
            joins,
            grain_days: grain.get(rng.below(4)).copied().flatten(),
            days: rng.between(1.0, 7.5).exp(),
            // From a third of a second to a minute.
            base: 7.6 + 1.2 * rng.normal() + 0.25 * joins as f64,
            rows: rng.between(-1.0, 15.0).exp() as u64,
            // A third has no skill; new ones hardly ever find one.
            skill: match rng.chance(if is_new { 0.1 } else { 0.67 }) {
                true => rng.between(0.3, 1.0),
                false => 0.0,
            },
            has_rollup: !is_new && rng.chance(0.4),
            uses: 0,
        }
    }
}

/// The queries of a seed, in order.
pub fn world(seed: u64, queries: usize) -> Vec<Simulated> {
    let mut rng = Rng::of("patterns", seed, 0);
    let mut patterns: Vec<Pattern> = (0..PATTERNS)
        .map(|_| Pattern::drawn(&mut rng, false))
        .collect();
    let each = (0..queries).map(|at| {
        let mut rng = Rng::of("query", seed, at as u64);
        // One in eight was never asked before; of the others few are asked often.
        if rng.chance(0.125) {
            return simulated(&Pattern::drawn(&mut rng, true), &mut rng);
        }
        let popular = (rng.unit() * rng.unit() * PATTERNS as f64) as usize;
        match patterns.get_mut(popular) {
            Some(pattern) => {
                pattern.uses += 1;
                simulated(pattern, &mut rng)
            }
            None => simulated(&Pattern::drawn(&mut rng, true), &mut rng),
        }
    });
    each.collect()
}

fn simulated(pattern: &Pattern, rng: &mut Rng) -> Simulated {
    let uses = pattern.uses.saturating_sub(1);
    let mut state = State {
        metrics: pattern.metrics,
        group_by: pattern.group_by,
        filters: pattern.filters,
        tables: pattern.joins + 1,
        joins: pattern.joins,
        grain_days: pattern.grain_days,
        days: pattern.days,
        compares: rng.chance(0.2),
        in_words: rng.chance(0.5),
        pattern_uses: uses,
        pattern_success: None,
        pattern_ms: None,
        skill_match: pattern.skill,
        hour: rng.below(24) as u8,
        is_weekend: rng.chance(2.0 / 7.0),
        user_queries: (rng.unit() * 7.0).exp() as u64,
    };
    let mut mask = Mask::ALL;
    if pattern.skill == 0.0 {
        mask = mask.fixed(Head::Skill, 3);
    }
    if pattern.joins == 0 {
        mask = mask.fixed(Head::JoinPath, 3);
    }
    mask = mask.with(Head::Optimisation, 3, pattern.has_rollup);
    let mut query = Simulated {
        context: Context::new(&state, mask),
        base: pattern.base,
        rows: pattern.rows,
        usual_ms: None,
        state: state.clone(),
    };
    if uses > 0 {
        let usual = query.log_ms(query.context.rule).exp();
        state.pattern_ms = Some(usual);
        state.pattern_success = Some(query.success(query.context.rule));
        query.usual_ms = Some(usual);
        query.context = Context::new(&state, mask);
        query.state = state;
    }
    query
}

impl Simulated {
    /// The probability that an answer is right and nobody takes it back.
    pub fn success(&self, arms: Arms) -> f64 {
        let state = &self.state;
        let complexity = (state.metrics + state.group_by + state.tables) as f64 / 10.0;
        let expert = (state.user_queries as f64).ln_1p() / 1000f64.ln_1p();
        let skill = match Head::Skill.arm(arms.of(Head::Skill)) {
            "best_matching" => 3.6 * state.skill_match - 1.2,
            "fastest" => 2.4 * state.skill_match - 1.3,
            "most_recent" => 2.8 * state.skill_match - 1.2,
            _ => 0.6 - 1.2 * complexity + 0.6 * expert,
        };
        let joins = state.joins as f64;
        let join = match Head::JoinPath.arm(arms.of(Head::JoinPath)) {
            _ if state.joins == 0 => 0.0,
            "shortest" => 0.5 - 0.3 * joins,
            "fastest" => 0.1 - 0.2 * joins,
            "canonical" => 0.5,
            _ => -0.5 - 0.3 * joins,
        };
        let logit = 2.0 - 1.2 * complexity + 0.6 * expert + skill + join;
        1.0 / (1.0 + (-logit).exp())
    }

    /// The median of the logarithm of its milliseconds.
    fn log_ms(&self, arms: Arms) -> f64 {
        let state = &self.state;
        let warm = (state.pattern_uses as f64).ln_1p() / 1000f64.ln_1p();
        let long = state.days.ln() / 3650f64.ln();
        let skill = match Head::Skill.arm(arms.of(Head::Skill)) {
            "fastest" => -0.6,
            "most_recent" => -0.1,
            "fresh" => 0.3,
            _ => 0.0,
        };
        let join = match Head::JoinPath.arm(arms.of(Head::JoinPath)) {
            _ if state.joins == 0 => 0.0,
            "shortest" => -0.2,
            "fastest" => -0.5,
            "canonical" => 0.1,
            _ => -0.1,
        };
        let optimisation = match Head::Optimisation.arm(arms.of(Head::Optimisation)) {
            "partition_filter" => 0.6 * long - 0.6,
            "clustering_hint" => 0.3 - 0.2 * state.tables as f64,
            "incremental" => match state.grain_days {
                Some(days) if days < 8.0 => -0.7,
                _ => 0.2,
            },
            "cache_or_rollup" => 0.3 - 1.8 * warm,
            _ => 0.0,
        };
        let kept = match Head::Materialisation.arm(arms.of(Head::Materialisation)) {
            "table" => 0.6 - 1.5 * warm,
            "view" => 0.1,
            "incremental" => 0.4 - 0.9 * warm,
            _ => 0.0,
        };
        let busy = match (9..18).contains(&state.hour) && !state.is_weekend {
            true => 0.3,
            false => 0.0,
        };
        self.base + skill + join + optimisation + kept + busy
    }

    /// The reward to be expected of a choice: exact, by the distributions the outcomes are drawn from.
    pub fn expected(&self, arms: Arms, table: &RewardTable) -> f64 {
        let median = self.log_ms(arms);
        let below = |ms: f64| normal_below((ms.ln() - median) / SPREAD);
        let (one, five) = (below(1000.0), below(5000.0));
        let time = table.under_1s * one
            + table.under_5s * (five - one)
            + table.over_60s * (1.0 - below(60_000.0));
        let rows = match self.rows {
            0 => table.no_rows,
            1..=10_000 => table.some_rows,
            1_000_001.. => table.many_rows,
            _ => 0.0,
        };
        let is_optimised = f64::from(u8::from(is_optimised(arms)));
        let optimisation = match table.optimisation_pays {
            OptimisationPays::Acted => is_optimised,
            OptimisationPays::Faster => {
                is_optimised * self.usual_ms.map_or(0.0, |usual| below(FASTER * usual))
            }
        };
        let novelty = match table.novelty_pays {
            NoveltyPays::Always => f64::from(u8::from(is_fresh(arms))),
            NoveltyPays::Confirmed if self.usual_ms.is_none() => CONFIRMED,
            NoveltyPays::Confirmed => 0.0,
        };
        let right = table.success
            + time
            + rows
            + table.optimisation * optimisation
            + table.novelty * novelty;
        let success = self.success(arms);
        success * right + (1.0 - success) * table.failure
    }

    /// What comes of a choice.
    pub fn draw(&self, arms: Arms, rng: &mut Rng) -> Drawn {
        let succeeded = rng.chance(self.success(arms));
        let ms = (self.log_ms(arms) + SPREAD * rng.normal()).exp();
        let is_first = self.usual_ms.is_none();
        let outcome = Outcome {
            succeeded,
            ms,
            rows: self.rows,
            is_optimised: is_optimised(arms),
            usual_ms: self.usual_ms,
            is_fresh: is_fresh(arms),
            is_first,
            is_confirmed: is_first && rng.chance(CONFIRMED),
        };
        // A failure stops the session.
        let ends_session = !rng.chance(GOES_ON) || !succeeded;
        Drawn {
            outcome,
            ends_session,
        }
    }

    /// What the reward of a drawn outcome is.
    pub fn reward(drawn: &Drawn, table: &RewardTable) -> f64 {
        reward::reward(table, &drawn.outcome)
    }

    /// Every choice there is.
    fn choices(&self) -> impl Iterator<Item = Arms> {
        let mask = self.context.mask;
        let two = move |skill: u8| mask.arms(Head::JoinPath).map(move |join| (skill, join));
        let three = move |(skill, join)| {
            let arms = mask.arms(Head::Optimisation);
            arms.map(move |optimisation| (skill, join, optimisation))
        };
        let four = move |(skill, join, optimisation)| {
            let arms = mask.arms(Head::Materialisation);
            arms.map(move |kept| Arms([skill, join, optimisation, kept]))
        };
        mask.arms(Head::Skill)
            .flat_map(two)
            .flat_map(three)
            .flat_map(four)
    }

    /// The choice with the highest expected reward.
    pub fn best(&self, table: &RewardTable) -> Arms {
        let expected = self
            .choices()
            .map(|arms| (arms, self.expected(arms, table)));
        let best = expected.max_by(|(_, one), (_, other)| one.total_cmp(other));
        best.map_or(self.context.rule, |(arms, _)| arms)
    }

    /// The reward to be expected where each arm is taken with its odds.
    pub fn worth(&self, odds: &Odds, table: &RewardTable) -> f64 {
        let taken = self.choices().map(|arms| (odds.joint(arms), arms));
        let taken = taken.filter(|(odds, _)| *odds > 0.0);
        taken
            .map(|(odds, arms)| odds * self.expected(arms, table))
            .sum()
    }

    /// The same query where only the optimisation is to be decided.
    #[must_use]
    pub fn with_optimisation_only(mut self) -> Self {
        for head in [Head::Skill, Head::JoinPath, Head::Materialisation] {
            let rule = self.context.rule.of(head);
            self.context.mask = self.context.mask.fixed(head, rule);
        }
        self
    }
}

fn is_optimised(arms: Arms) -> bool {
    Head::Optimisation.arm(arms.of(Head::Optimisation)) != "none"
}

fn is_fresh(arms: Arms) -> bool {
    Head::Skill.arm(arms.of(Head::Skill)) == "fresh"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::delivered_policy;

    #[test]
    fn the_expected_reward_is_the_mean_of_what_is_drawn() {
        let table = delivered_policy().reward;
        for table in [table, table.original()] {
            for (at, query) in world(7, 40).iter().enumerate().step_by(4) {
                let mut rng = Rng::of("draws", at as u64, 0);
                let arms = crate::learn::policy::draw(
                    &Odds::uniform(query.context.mask),
                    &query.context,
                    &mut rng,
                );
                let draws = 20_000;
                let drawn =
                    (0..draws).map(|_| Simulated::reward(&query.draw(arms, &mut rng), &table));
                let mean = drawn.sum::<f64>() / f64::from(draws);
                let expected = query.expected(arms, &table);
                assert!(
                    (mean - expected).abs() < 0.3,
                    "{at}: {mean} instead of {expected}"
                );
            }
        }
    }

    #[test]
    fn nothing_beats_the_oracle() {
        let table = delivered_policy().reward;
        let mut rng = Rng::of("arms", 0, 0);
        for query in world(3, 200) {
            let best = query.expected(query.best(&table), &table);
            let odds = Odds::uniform(query.context.mask);
            let any = crate::learn::policy::draw(&odds, &query.context, &mut rng);
            for arms in [any, query.context.rule] {
                assert!(query.expected(arms, &table) <= best);
            }
        }
    }

    #[test]
    fn a_seed_is_always_the_same_world() {
        let contexts = |seed| {
            world(seed, 50)
                .into_iter()
                .map(|query| query.context)
                .collect::<Vec<_>>()
        };
        assert_eq!(contexts(1), contexts(1));
        assert_ne!(contexts(1), contexts(2));
    }
}
