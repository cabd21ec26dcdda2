//! Rules of an investigation: when a metric moves, what to look at, and what it means if that moves too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MetricQuery, Place};

/// How a metric moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moves {
    /// Downwards.
    Falls,
    /// Upwards.
    Rises,
    /// Either way.
    #[default]
    Moves,
}

impl Moves {
    /// Whether a change is such a movement.
    pub fn fits(self, change: f64) -> bool {
        match self {
            Self::Falls => change < 0.0,
            Self::Rises => change > 0.0,
            Self::Moves => change != 0.0,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Falls => "falls",
            Self::Rises => "rises",
            Self::Moves => "moves",
        }
    }
}

/// A hypothesis that somebody has written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// Name.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The metric whose movement it explains, by canonical name; none for one that only follows others.
    pub metric: Option<String>,
    /// The movement that it explains.
    pub when: Moves,
    /// The hypothesis in words.
    pub because: String,
    /// What to look at: one metric, at most one dimension, conditions. The time is the question's.
    pub look_at: MetricQuery,
    /// How that moves if the hypothesis holds.
    pub expect: Moves,
    /// Hypotheses to look at next, unless this one is refuted.
    pub then: Vec<String>,
}
