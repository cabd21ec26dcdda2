//! What a policy decides: four heads, each with the arms it chooses among, and which of them there are for a query.

use serde::{Deserialize, Serialize};

/// One of the four decisions about a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Which skill answers it.
    Skill,
    /// Which way tables are joined.
    JoinPath,
    /// What is done so that it reads less.
    Optimisation,
    /// What its result is kept as.
    Materialisation,
}

/// The number of heads.
pub const HEADS: usize = 4;

/// The most arms of a head.
pub const MOST_ARMS: usize = 5;

impl Head {
    /// All of them, in order.
    pub const ALL: [Self; HEADS] = [
        Self::Skill,
        Self::JoinPath,
        Self::Optimisation,
        Self::Materialisation,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::JoinPath => "join path",
            Self::Optimisation => "optimisation",
            Self::Materialisation => "materialisation",
        }
    }

    /// The words for its arms, in order.
    pub fn arms(self) -> &'static [&'static str] {
        match self {
            Self::Skill => &["best_matching", "fastest", "most_recent", "fresh"],
            Self::JoinPath => &["shortest", "fastest", "canonical", "direct"],
            Self::Optimisation => &[
                "partition_filter",
                "clustering_hint",
                "incremental",
                "cache_or_rollup",
                "none",
            ],
            Self::Materialisation => &["table", "view", "incremental", "ephemeral"],
        }
    }

    /// The word for an arm.
    pub fn arm(self, arm: u8) -> &'static str {
        self.arms().get(usize::from(arm)).copied().unwrap_or("?")
    }
}

/// One arm of each head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Arms(pub [u8; HEADS]);

impl Arms {
    /// The arm of a head.
    pub fn of(self, head: Head) -> u8 {
        let [skill, join_path, optimisation, materialisation] = self.0;
        match head {
            Head::Skill => skill,
            Head::JoinPath => join_path,
            Head::Optimisation => optimisation,
            Head::Materialisation => materialisation,
        }
    }
}

/// Which arms there are for a query: a bit for each arm of each head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mask([u8; HEADS]);

impl Mask {
    /// Every arm of every head.
    pub const ALL: Self = Self([0b1111, 0b1111, 0b1_1111, 0b1111]);

    /// Only these: nothing is left to decide.
    pub fn only(arms: Arms) -> Self {
        Self(arms.0.map(|arm| 1 << arm))
    }

    /// The same with an arm, or without it.
    #[must_use]
    pub fn with(mut self, head: Head, arm: u8, is_there: bool) -> Self {
        if let Some(bits) = self.0.get_mut(head as usize) {
            match is_there {
                true => *bits |= 1 << arm,
                false => *bits &= !(1 << arm),
            }
        }
        self
    }

    /// The same with one arm of a head and no others.
    #[must_use]
    pub fn fixed(mut self, head: Head, arm: u8) -> Self {
        if let Some(bits) = self.0.get_mut(head as usize) {
            *bits = 1 << arm;
        }
        self
    }

    /// Whether there is an arm.
    pub fn allows(self, head: Head, arm: u8) -> bool {
        Arms(self.0).of(head) & (1 << arm) != 0
    }

    /// The number of arms of a head.
    pub fn count(self, head: Head) -> usize {
        Arms(self.0).of(head).count_ones() as usize
    }

    /// Whether there is anything to decide.
    pub fn is_open(self) -> bool {
        Head::ALL.into_iter().any(|head| self.count(head) > 1)
    }

    /// The arms of a head, in order.
    pub fn arms(self, head: Head) -> impl Iterator<Item = u8> {
        (0..MOST_ARMS as u8).filter(move |arm| self.allows(head, *arm))
    }
}

/// The probability of each arm of each head; heads are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds(pub [[f64; MOST_ARMS]; HEADS]);

impl Odds {
    /// These arms and no others.
    pub fn only(arms: Arms) -> Self {
        Self::each(|head, arm| f64::from(u8::from(arms.of(head) == arm)))
    }

    /// The same for each arm there is.
    pub fn uniform(mask: Mask) -> Self {
        Self::each(|head, arm| match mask.allows(head, arm) {
            true => 1.0 / mask.count(head) as f64,
            false => 0.0,
        })
    }

    /// From the probability of each arm.
    pub fn each(mut of: impl FnMut(Head, u8) -> f64) -> Self {
        Self(Head::ALL.map(|head| std::array::from_fn(|arm| of(head, arm as u8))))
    }

    /// The probability of an arm.
    pub fn of(&self, head: Head, arm: u8) -> f64 {
        let head = self.0.get(head as usize);
        let odds = head.and_then(|arms| arms.get(usize::from(arm)));
        odds.copied().unwrap_or(0.0)
    }

    /// The probability of one arm of each head together.
    pub fn joint(&self, arms: Arms) -> f64 {
        let each = Head::ALL
            .into_iter()
            .map(|head| self.of(head, arms.of(head)));
        each.product()
    }

    /// `share` of these, the rest of the others.
    #[must_use]
    pub fn mixed(&self, share: f64, others: &Self) -> Self {
        Self::each(|head, arm| share * self.of(head, arm) + (1.0 - share) * others.of(head, arm))
    }

    /// The likeliest arm of each head.
    pub fn likeliest(&self) -> Arms {
        Arms(self.0.map(|arms| {
            let arms = arms.iter().enumerate();
            // Of equals the first, which `max_by` would not take.
            let best = arms
                .rev()
                .max_by(|(_, one), (_, other)| one.total_cmp(other));
            best.map_or(0, |(arm, _)| arm as u8)
        }))
    }
}
