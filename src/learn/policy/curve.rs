//! Learning curves in the simulator, and how well a log of it tells what a policy brings.

use serde::Serialize;

use super::evaluate::{Estimates, Verdict, evaluate, verdict};
use super::simulate::{Simulated, world};
use super::{
    BATCH, Bandit, Careful, Context, Experience, Learner, Odds, Policy, Rng, Rule, TRIALS, Uniform,
};
use crate::model::{Algorithm, RewardTable};

/// Queries over which a curve is the mean.
pub const WINDOW: usize = 250;

/// Queries between two places of a curve.
const STEP: usize = 50;

/// Who is compared, in the order of the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Player {
    /// The best choice for each query, by the known truth.
    Oracle,
    /// The hand rule.
    Rule,
    /// The bandit that starts from the rule.
    Bandit,
    /// The same that knows nothing at first.
    Cold,
    /// The bandit as it decides about live queries: held to the rule where it is not sure.
    Careful,
    /// Proximal policy optimisation.
    Ppo,
    /// Chance.
    Uniform,
}

impl Player {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Oracle,
        Self::Rule,
        Self::Bandit,
        Self::Cold,
        Self::Careful,
        Self::Ppo,
        Self::Uniform,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle",
            Self::Rule => "hand rule",
            Self::Bandit => "bandit, prior from the rule",
            Self::Cold => "bandit, cold",
            Self::Careful => "bandit, as live",
            Self::Ppo => "PPO",
            Self::Uniform => "chance",
        }
    }

    /// Its policy; the oracle has none, since it knows more than policies see.
    fn policy(self) -> Option<Box<dyn Policy>> {
        Some(match self {
            Self::Oracle => return None,
            Self::Rule => Box::new(Rule),
            Self::Bandit => Box::new(Bandit::with_prior()),
            Self::Cold => Box::new(Bandit::cold()),
            Self::Careful => Box::new(Careful {
                learner: Learner::new(Algorithm::Bandit),
                trials: TRIALS,
                share: 1.0,
            }),
            Self::Ppo => Box::new(Learner::new(Algorithm::Ppo)),
            Self::Uniform => Box::new(Uniform),
        })
    }
}

/// How one player did.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Who.
    pub player: Player,
    /// After so many queries: the expected reward of what it chooses, as mean of the last [`WINDOW`] over all seeds, with the lowest and the highest
    /// seed.
    pub places: Vec<Place>,
    /// The probability of success of the last [`WINDOW`].
    pub success: f64,
    /// After how many queries it is above the rule to the end; `None` where it is not.
    pub beats_rule_after: Option<usize>,
}

/// One place of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Place {
    /// Queries.
    pub queries: usize,
    /// The mean over all seeds.
    pub mean: f64,
    /// The lowest seed.
    pub low: f64,
    /// The highest one.
    pub high: f64,
}

/// What each choice of a player was expected to bring, and how likely it succeeded.
struct Played {
    rewards: Vec<f64>,
    success: Vec<f64>,
}

/// Lets all players answer the same queries.
pub fn courses(table: &RewardTable, seeds: u64, queries: usize) -> Vec<Course> {
    let worlds: Vec<Vec<Simulated>> = (0..seeds).map(|seed| world(seed, queries)).collect();
    let mut courses: Vec<Course> = Vec::new();
    let mut rule: Vec<f64> = Vec::new();
    let players = Player::ALL.map(|player| {
        let each = worlds
            .iter()
            .zip(0..)
            .map(|(world, seed)| play(player, world, table, seed));
        (player, each.collect::<Vec<Played>>())
    });
    for (player, played) in players.iter().filter(|(player, _)| *player == Player::Rule) {
        rule = means(*player, played, queries)
            .places
            .iter()
            .map(|place| place.mean)
            .collect();
    }
    for (player, played) in &players {
        let mut course = means(*player, played, queries);
        let behind = course
            .places
            .iter()
            .zip(&rule)
            .rposition(|(own, rule)| own.mean <= *rule);
        course.beats_rule_after = match behind {
            None => course.places.first(),
            Some(behind) => course.places.get(behind + 1),
        }
        .map(|place| place.queries);
        courses.push(course);
    }
    courses
}

fn play(player: Player, world: &[Simulated], table: &RewardTable, seed: u64) -> Played {
    let mut policy = player.policy();
    let mut rng = Rng::of("choices", seed, 0);
    // The same query is as quick or slow for each of them.
    let mut luck = Rng::of("luck", seed, 0);
    let mut batch = Vec::with_capacity(BATCH);
    let mut played = Played {
        rewards: Vec::new(),
        success: Vec::new(),
    };
    for query in world {
        let arms = match &mut policy {
            None => query.best(table),
            Some(policy) => {
                let choice = policy.choose(&query.context, &mut rng);
                let drawn = query.draw(choice.arms, &mut luck);
                batch.push(Experience {
                    context: query.context,
                    choice,
                    reward: Simulated::reward(&drawn, table),
                    ends_session: drawn.ends_session,
                });
                if batch.len() == BATCH {
                    policy.learn(&batch);
                    batch.clear();
                }
                choice.arms
            }
        };
        played.rewards.push(query.expected(arms, table));
        played.success.push(query.success(arms));
    }
    played
}

fn means(player: Player, played: &[Played], queries: usize) -> Course {
    let last = |numbers: &[f64], until: usize| {
        let window = numbers
            .get(until.saturating_sub(WINDOW)..until)
            .unwrap_or_default();
        window.iter().sum::<f64>() / window.len().max(1) as f64
    };
    let ends = (STEP..=queries).step_by(STEP);
    let place = |end: usize| {
        let each = played.iter().map(|played| last(&played.rewards, end));
        Place {
            queries: end,
            mean: each.clone().sum::<f64>() / played.len().max(1) as f64,
            low: each.clone().fold(f64::INFINITY, f64::min),
            high: each.fold(f64::NEG_INFINITY, f64::max),
        }
    };
    let success = played
        .iter()
        .map(|played| last(&played.success, queries))
        .sum::<f64>();
    Course {
        player,
        places: ends.map(place).collect(),
        success: success / played.len().max(1) as f64,
        beats_rule_after: None,
    }
}

impl Course {
    /// The place after so many queries, or the last one before.
    pub fn after(&self, queries: usize) -> Option<&Place> {
        self.places.iter().rfind(|place| place.queries <= queries)
    }
}

/// How a log is made whose estimates are compared with the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logging {
    /// For each head, three in ten choices are left to chance.
    Mixed,
    /// As live: one in twenty queries is left to chance, otherwise the rule decides. Only the optimisation is open.
    Live,
}

impl Logging {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "four heads, 30 % by chance",
            Self::Live => "one head, as live",
        }
    }
}

/// What the estimators say of a policy, beside the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// How the log was made.
    pub logging: Logging,
    /// Whose worth is estimated.
    pub player: Player,
    /// What it brings by the known truth of the same queries: the mean over seeds.
    pub truth: f64,
    /// What the estimators say: the mean over those seeds where there is enough for a verdict, and how many these are.
    pub replay: Told,
    /// The same of SNIPS.
    pub snips: Told,
    /// The same of the doubly robust estimate.
    pub doubly_robust: Told,
    /// The mean effective sample size.
    pub effective: f64,
    /// How many logs there are, each of a world of its own.
    pub worlds: usize,
    /// The seeds in which it was found better than the rule, worse, and not decided; the others have too little for a verdict.
    pub verdicts: [usize; 3],
}

/// What an estimator says over all seeds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Told {
    /// Seeds with enough for a verdict.
    pub seeds: usize,
    /// The mean of the estimates.
    pub value: f64,
    /// Their mean deviation from the truth of the same seed, over that truth.
    pub bias: f64,
    /// The root of the mean square of these.
    pub spread: f64,
}

/// Keeps to one policy for the most part: what the log is made with.
struct Mixed;

impl Policy for Mixed {
    fn odds(&self, context: &Context) -> Odds {
        Odds::only(context.rule).mixed(0.7, &Odds::uniform(context.mask))
    }

    fn learn(&mut self, _: &[Experience]) {}
}

/// A log of `queries` for each seed, and what it says of some policies.
pub fn judged(table: &RewardTable, seeds: u64, queries: usize) -> Vec<Judged> {
    let mut all = Vec::new();
    for logging in [Logging::Mixed, Logging::Live] {
        let players = [Player::Rule, Player::Bandit, Player::Uniform];
        let mut told: Vec<Vec<(f64, Estimates, Verdict)>> = vec![Vec::new(); players.len()];
        for seed in 0..seeds {
            // The bandit has learned from other queries than the ones it is judged by.
            let bandit = trained(
                &logging.opened(world(1000 + seed, 2 * queries)),
                table,
                seed,
            );
            let world = logging.opened(world(seed, queries));
            let log = logging.log(&world, table, seed);
            for (player, told) in players.iter().zip(&mut told) {
                let policy: &dyn Policy = match player {
                    Player::Bandit => &bandit,
                    Player::Uniform => &Uniform,
                    _ => &Rule,
                };
                let truth = truth(policy, &world, table);
                told.push((truth, evaluate(&log, policy), verdict(&log, policy, &Rule)));
            }
        }
        all.extend(
            players
                .into_iter()
                .zip(&told)
                .map(|(player, told)| summary(logging, player, told)),
        );
    }
    all
}

fn summary(logging: Logging, player: Player, seeds: &[(f64, Estimates, Verdict)]) -> Judged {
    let count = seeds.len().max(1) as f64;
    let of = |of: &dyn Fn(&Estimates) -> super::evaluate::Estimate| {
        let enough = seeds
            .iter()
            .map(|(truth, estimates, _)| (*truth, of(estimates)));
        let enough: Vec<_> = enough
            .filter(|(_, estimate)| estimate.is_enough())
            .collect();
        let some = enough.len().max(1) as f64;
        let off = enough
            .iter()
            .map(|(truth, estimate)| (estimate.value - truth) / truth);
        Told {
            seeds: enough.len(),
            value: enough
                .iter()
                .map(|(_, estimate)| estimate.value)
                .sum::<f64>()
                / some,
            bias: off.clone().sum::<f64>() / some,
            spread: (off.map(|off| off * off).sum::<f64>() / some).sqrt(),
        }
    };
    let found =
        |is: fn(&Verdict) -> bool| seeds.iter().filter(|(_, _, verdict)| is(verdict)).count();
    Judged {
        logging,
        player,
        worlds: seeds.len(),
        truth: seeds.iter().map(|(truth, _, _)| truth).sum::<f64>() / count,
        replay: of(&|estimates| estimates.replay),
        snips: of(&|estimates| estimates.snips),
        doubly_robust: of(&|estimates| estimates.doubly_robust),
        effective: seeds
            .iter()
            .map(|(_, estimates, _)| estimates.snips.effective)
            .sum::<f64>()
            / count,
        verdicts: [
            found(|verdict| matches!(verdict, Verdict::Better(_))),
            found(|verdict| matches!(verdict, Verdict::Worse(_))),
            found(|verdict| matches!(verdict, Verdict::Undecided)),
        ],
    }
}

impl Logging {
    /// The same queries with the heads that are decided about.
    fn opened(self, world: Vec<Simulated>) -> Vec<Simulated> {
        match self {
            Self::Mixed => world,
            Self::Live => world
                .into_iter()
                .map(Simulated::with_optimisation_only)
                .collect(),
        }
    }

    fn log(self, world: &[Simulated], table: &RewardTable, seed: u64) -> Vec<Experience> {
        let mut rng = Rng::of("log", seed, 0);
        let careful = Careful {
            learner: Learner::new(Algorithm::Rule),
            trials: TRIALS,
            share: 0.0,
        };
        let logged = world.iter().map(|query| {
            let choice = match self {
                Self::Mixed => Mixed.choose(&query.context, &mut rng),
                Self::Live => careful.choose(&query.context, &mut rng),
            };
            let drawn = query.draw(choice.arms, &mut rng);
            Experience {
                context: query.context,
                choice,
                reward: Simulated::reward(&drawn, table),
                ends_session: drawn.ends_session,
            }
        });
        logged.collect()
    }
}

fn trained(world: &[Simulated], table: &RewardTable, seed: u64) -> Bandit {
    let mut bandit = Bandit::with_prior();
    let mut rng = Rng::of("training", seed, 0);
    for queries in world.chunks(BATCH) {
        let batch = queries.iter().map(|query| {
            let choice = bandit.choose(&query.context, &mut rng);
            let drawn = query.draw(choice.arms, &mut rng);
            Experience {
                context: query.context,
                choice,
                reward: Simulated::reward(&drawn, table),
                ends_session: drawn.ends_session,
            }
        });
        let batch: Vec<Experience> = batch.collect();
        bandit.learn(&batch);
    }
    bandit
}

/// What a policy brings to some queries, by their known truth.
fn truth(policy: &dyn Policy, world: &[Simulated], table: &RewardTable) -> f64 {
    let mean = world
        .iter()
        .map(|query| query.worth(&policy.odds(&query.context), table));
    mean.sum::<f64>() / world.len().max(1) as f64
}
