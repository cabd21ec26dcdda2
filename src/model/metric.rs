//! Metrics: what is measured, from which sources, with the metadata people read.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CompareOp, Format, Grain, GroupBy, Place, TimeRange};

/// A piece of text in the registry's expression language (SQL, or metric arithmetic), with its position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// The text as written.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// Life-cycle state of a metric.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being written; may change without notice.
    Draft,
    /// In use.
    #[default]
    Published,
    /// Reviewed and vouched for by its owner.
    Certified,
    /// On the way out.
    Deprecated,
}

/// How rows become one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Aggregate {
    /// Rows, or rows where the expression is not NULL.
    Count,
    /// Distinct values of the expression.
    CountDistinct,
    /// Sum.
    Sum,
    /// Arithmetic mean.
    Avg,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Continuous percentile, 0 to 1 (linear interpolation, SQL `percentile_cont`); the median is 0.5.
    Percentile(f64),
}

impl Aggregate {
    /// Whether the values of disjoint groups add up to the value of their union.
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Count | Self::Sum)
    }
}

/// One aggregation over one dataset: a leaf of every metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Where it is declared.
    pub place: Place,
    /// The dataset.
    pub dataset: String,
    /// Time dimension, where it is not the dataset's default.
    pub time: Option<String>,
    /// The aggregate.
    pub agg: Aggregate,
    /// SQL over the dataset's columns; `None` only for `count` of rows.
    pub expr: Option<Expression>,
    /// Predicates, all of which must hold.
    pub filters: Vec<Expression>,
}

/// A condition on the query under which a source is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UseWhen {
    /// The dimension is grouped or filtered by.
    Uses(String),
    /// The query's finest time grain compares so; `hour < day < … < year`; no grain at all is coarser than year.
    Grain(CompareOp, Grain),
    /// All hold.
    And(Vec<UseWhen>),
    /// At least one holds.
    Or(Vec<UseWhen>),
    /// It does not hold.
    Not(Box<UseWhen>),
}

/// One way to compute a metric; the first source whose condition holds is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is declared.
    pub place: Place,
    /// The condition as written and as parsed; `None` always holds.
    pub use_when: Option<(Expression, UseWhen)>,
    /// One measure for a simple metric; numerator and denominator for a ratio.
    pub measures: Vec<Measure>,
}

/// What a metric is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MetricKind {
    /// One aggregation.
    Simple(Vec<Source>),
    /// Numerator over denominator, each aggregated at the query's grain first.
    Ratio(Vec<Source>),
    /// Arithmetic over other metrics.
    Derived {
        /// The expression; names are metrics.
        expr: Expression,
        /// The metrics it names, in order of first appearance, as canonical names.
        inputs: Vec<String>,
    },
    /// A hand-written snippet, compiled by its facets or adapted on the language path.
    Complex {
        /// File name in `snippets/`.
        snippet: String,
        /// Tables the snippet may use.
        tables: Vec<String>,
        /// What can be asked of it without a model.
        facets: Option<Box<Facets>>,
    },
}

/// What can be asked of a snippet as it stands: it is compiled like a metric over the snippet's rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    /// Where they are declared, in the header of the snippet.
    pub place: Place,
    /// The dataset that the snippet's rows are.
    pub dataset: String,
    /// One measure, or numerator and denominator.
    pub source: Source,
    /// How long one row is in time, where the dataset has a time.
    pub grain: Grain,
    /// What the value does not add up over: a query groups by it, or is restricted to one of it.
    pub per: Vec<GroupBy>,
}

impl MetricKind {
    /// The word people use for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Simple(_) => "simple",
            Self::Ratio(_) => "ratio",
            Self::Derived { .. } => "derived",
            Self::Complex { .. } => "complex",
        }
    }

    /// The sources of a simple or ratio metric, and of a complex one by its facets; none for the others.
    pub fn sources(&self) -> &[Source] {
        match self {
            Self::Simple(sources) | Self::Ratio(sources) => sources,
            Self::Derived { .. } => &[],
            Self::Complex { facets, .. } => facets
                .as_deref()
                .map_or(&[], |facets| std::slice::from_ref(&facets.source)),
        }
    }

    /// What can be asked of the snippet of a complex metric.
    pub fn facets(&self) -> Option<&Facets> {
        match self {
            Self::Complex { facets, .. } => facets.as_deref(),
            _ => None,
        }
    }

    /// Whether each source has a numerator and a denominator.
    pub fn is_ratio(&self) -> bool {
        self.sources()
            .iter()
            .any(|source| source.measures.len() == 2)
    }
}

/// A metric with its meaning and its metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name in query lines.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// Name for people; the name itself where none is given.
    pub label: String,
    /// Shelf in the catalog; `Other` where none is given.
    pub category: String,
    /// Plain words for everyone.
    pub description: String,
    /// Rules a reader must know.
    pub business_rules: Vec<String>,
    /// Team or person that answers for it.
    pub owner: Option<String>,
    /// Life-cycle state.
    pub status: Status,
    /// Date of the last change of meaning.
    pub last_updated: Option<Date>,
    /// Other names (also written `synonyms`).
    pub aliases: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Display format, with the unit.
    pub format: Format,
    /// What it is.
    pub kind: MetricKind,
    /// Default grouping (`grain:`), used when the query says none.
    pub grain: Vec<GroupBy>,
    /// Default time range (`window:`), used when the query says none.
    pub window: Option<TimeRange>,
    /// Value shown where there are no rows, instead of NULL.
    pub fill: Option<i64>,
}
