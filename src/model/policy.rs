//! What a choice of how to answer a query is worth, and which algorithm makes it.

/// The algorithms that choose.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Linear Thompson sampling that starts from the hand rule.
    Bandit,
    /// Proximal policy optimisation.
    Ppo,
    /// The hand rule: nothing is learned, every query is answered as ever.
    Rule,
}

impl Algorithm {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bandit => "bandit",
            Self::Ppo => "ppo",
            Self::Rule => "rule",
        }
    }
}

/// What the reward of an optimisation is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimisationPays {
    /// An answer that came in less than nine tenths of the pattern's median.
    Faster,
    /// Having optimised, whether it helped or not.
    Acted,
}

/// What the reward of something new is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoveltyPays {
    /// The first answer of a pattern, once somebody confirms it.
    Confirmed,
    /// Whatever is made afresh.
    Always,
}

/// What an answer is worth, part by part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardTable {
    /// An answer that passed validation and that nobody took back.
    pub success: f64,
    /// Anything else; no other part is added to it.
    pub failure: f64,
    /// An answer within a second.
    pub under_1s: f64,
    /// An answer within five seconds, but not within one.
    pub under_5s: f64,
    /// An answer that took more than a minute.
    pub over_60s: f64,
    /// One row to 10,000.
    pub some_rows: f64,
    /// No row.
    pub no_rows: f64,
    /// More than a million rows.
    pub many_rows: f64,
    /// An optimisation.
    pub optimisation: f64,
    /// What that is paid for.
    pub optimisation_pays: OptimisationPays,
    /// A pattern that is new.
    pub novelty: f64,
    /// What that is paid for.
    pub novelty_pays: NoveltyPays,
}

impl RewardTable {
    /// The same figures paid as they first were: for acting, and for what is new by itself.
    #[must_use]
    pub fn original(self) -> Self {
        Self {
            optimisation_pays: OptimisationPays::Acted,
            novelty_pays: NoveltyPays::Always,
            ..self
        }
    }
}

/// How choices are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolicySettings {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Whether a few queries are answered another way than the rule's, to learn from.
    pub explore: bool,
    /// What an answer is worth.
    pub reward: RewardTable,
}
