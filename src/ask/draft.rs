//! What a question was found to say, before it is known which metrics reach which dimensions.

use std::collections::BTreeSet;
use std::ops::Range;

use super::meanings::ValueMeaning;
use super::vocabulary::Figure;
use crate::model::{CompareOp, DatePart, Direction, Grain, TimeRange};

/// Something said, with its place in the question.
#[derive(Debug, Clone)]
pub(super) struct Said<T> {
    /// What is meant.
    pub(super) what: T,
    /// The bytes of the question.
    pub(super) range: Range<usize>,
    /// What the words were read as, where they are not the name itself.
    pub(super) similar: Option<String>,
    /// Whether a user chose this meaning.
    pub(super) remembered: bool,
}

impl<T> Said<T> {
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Said<U> {
        Said {
            what: with(self.what),
            range: self.range,
            similar: self.similar,
            remembered: self.remembered,
        }
    }
}

/// A grouping as named.
#[derive(Debug, Clone)]
pub(super) enum Group {
    /// Dimensions that the words may name, and the stems of the words.
    Dimension(BTreeSet<String>, String),
    /// A grain.
    Grain(Grain),
    /// A part of a date.
    Part(DatePart),
}

/// One value of a condition.
#[derive(Debug, Clone)]
pub(super) enum Literal {
    /// What the words may mean.
    Known(Vec<ValueMeaning>),
    /// A word that no dimension has as a value; the dimension is named beside it.
    Other,
}

/// A condition on a dimension.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The dimension, where it is named.
    pub(super) dimension: Option<Said<(BTreeSet<String>, String)>>,
    /// The dataset the dimension must belong to: the sellers of "Brazilian sellers".
    pub(super) entity: Option<BTreeSet<String>>,
    /// What is compared.
    pub(super) test: Test,
    /// Whether it must not hold.
    pub(super) negated: bool,
    /// Whether the values are compared with each other.
    pub(super) versus: bool,
    /// Everything that says it.
    pub(super) range: Range<usize>,
}

/// What a condition asks of its dimension.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// One of these values.
    Values(Vec<Said<Literal>>),
    /// A number beside it.
    Number(CompareOp, String),
    /// True.
    Holds,
}

/// A condition on a metric.
#[derive(Debug, Clone)]
pub(super) struct Threshold {
    /// The metric.
    pub(super) metric: String,
    /// The operator and its number, or two bounds.
    pub(super) test: Bounds,
}

/// What a metric is compared with.
#[derive(Debug, Clone)]
pub(super) enum Bounds {
    /// `> 1000`
    One(CompareOp, String),
    /// `between 5 and 10`
    Two(String, String),
}

/// A figure over the rows of the answer, as said.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The metric that it is of.
    pub(super) metric: String,
    pub(super) figure: Figure,
    /// The periods of a moving mean.
    pub(super) periods: Option<u32>,
    /// The unit of these periods.
    pub(super) unit: Option<Grain>,
}

/// An order, mostly with a limit.
#[derive(Debug, Clone)]
pub(super) struct Rank {
    pub(super) direction: Direction,
    /// The number said.
    pub(super) number: Option<u64>,
    /// Whether what is ranked is named in the plural; `None` where nothing is.
    pub(super) plural: Option<bool>,
    /// The metric ranked by.
    pub(super) by: Option<String>,
    /// The grouping ranked by: "sorted by market".
    pub(super) column: Option<Said<Group>>,
    /// Whether all rows are wanted.
    pub(super) unlimited: bool,
    /// Where what is ranked is named, where it is.
    pub(super) ranked: Option<Range<usize>>,
}

/// What a follow-up takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// Every condition.
    Filters,
    /// The comparison.
    Comparison,
    /// The groupings.
    Grouping,
    /// Order and limit.
    Limit,
}

/// What a question says.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) metrics: Vec<Said<String>>,
    pub(super) groups: Vec<Said<Group>>,
    pub(super) conditions: Vec<Condition>,
    pub(super) thresholds: Vec<Said<Threshold>>,
    pub(super) times: Vec<Said<(TimeRange, Option<String>)>>,
    /// Where a comparison starts: the words to read it from, the first of which may stand for another.
    pub(super) against: Vec<Said<Vec<String>>>,
    pub(super) rank: Option<Said<Rank>>,
    /// A second ranking, beside the first.
    pub(super) other_rank: Option<Range<usize>>,
    /// Groupings that are said to have a ranking each, by their places: "in each market".
    pub(super) each: Vec<Range<usize>>,
    /// "and others": the rows beyond the limit as one.
    pub(super) others: Option<Range<usize>>,
    /// Shares, running sums and moving means.
    pub(super) figures: Vec<Said<Shown>>,
    /// Words that ask for a trend.
    pub(super) trend: Option<Range<usize>>,
    /// Words that ask for a change.
    pub(super) growth: Option<Range<usize>>,
    /// Whether "compare" is said.
    pub(super) compare: bool,
    /// What a follow-up takes away.
    pub(super) removals: Vec<Said<Removal>>,
    /// Groupings, or conditions on dimensions, that a follow-up takes away: "remove channel".
    pub(super) dropped: Vec<Said<Group>>,
    /// Dimensions of which all values are wanted: "all markets".
    pub(super) all_of: Vec<Said<(BTreeSet<String>, String)>>,
    /// "by market, total": one more row.
    pub(super) total: bool,
    /// "also", "too"
    pub(super) also: bool,
    /// "same", "instead", "what about": only sensible after another question.
    pub(super) patch: bool,
}
