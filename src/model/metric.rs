//! Metrics: what is measured, from which sources, with the metadata people read.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CompareOp, Format, Grain, GroupBy, LifeEvent, MetricTest, Place, TimeRange};

/// A piece of text in the registry's expression language (SQL, or metric arithmetic), with its position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expression {
    /// The text as written; where engines need their own words, what all the others take.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// The text of single engines, by the word of their dialect: SQL that is taken as it is.
    pub dialects: Vec<(String, String)>,
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

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Certified => "certified",
            Self::Deprecated => "deprecated",
        }
    }
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
    /// Discrete percentile, 0 to 1: the first value whose share of the rows reaches it (SQL `percentile_disc`).
    PercentileDiscrete(f64),
    /// Rows for which a boolean expression is true.
    SumBoolean,
    /// Standard deviation of a sample (n - 1); NULL for fewer than two values.
    Stddev,
    /// Standard deviation of a population (n).
    StddevPopulation,
    /// Variance of a sample (n - 1); NULL for fewer than two values.
    Variance,
    /// Variance of a population (n).
    VariancePopulation,
}

impl Aggregate {
    /// Whether the values of disjoint groups add up to the value of their union.
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Count | Self::Sum | Self::SumBoolean)
    }

    /// The aggregate that makes the value of a union out of the values of its disjoint parts, where there is one.
    pub fn of_parts(self) -> Option<Self> {
        match self {
            Self::Count | Self::Sum | Self::SumBoolean => Some(Self::Sum),
            Self::Min | Self::Max => Some(self),
            _ => None,
        }
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
    /// How snapshots of one thing at several times become one, where they do not add up over time.
    pub over_time: Option<OverTime>,
}

/// Which snapshot, or which figure over the snapshots, stands for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    /// The rows of the last snapshot.
    Last,
    /// The rows of the first snapshot.
    First,
    /// The smallest of the figures computed for each snapshot.
    Min,
    /// The largest of the figures computed for each snapshot.
    Max,
    /// The mean of the figures computed for each snapshot.
    Avg,
}

/// A semi-additive measure: it adds up over everything but time (a balance, a head count).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverTime {
    /// Where it is declared.
    pub place: Place,
    /// The time dimension that tells the snapshots apart.
    pub time: String,
    /// What stands for a period.
    pub take: Take,
    /// Dimensions (or columns) whose values have a last snapshot each; none: one last snapshot for all rows.
    pub per: Vec<String>,
    /// Whether a period without a snapshot has the one before it (for `last` only).
    pub carry_forward: bool,
}

/// A distance back in time of an input of a derived metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Offset {
    /// So many periods before.
    Ago(u32, Grain),
    /// So many periods of the calendar table before.
    AgoCustom(u32, String),
    /// The first period (of the query's grain) of the week, month, quarter or year that the row lies in.
    StartOf(Grain),
    /// The same of a period of the calendar table.
    StartOfPeriod(String),
}

/// A metric as a derived metric uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The name in the expression: the metric's own, or an alias.
    pub name: String,
    /// The metric, by its canonical name.
    pub metric: String,
    /// Where it is declared, or first named.
    pub place: Place,
    /// Predicates beside the metric's own; they hold for every leaf of it.
    pub filters: Vec<Expression>,
    /// Its distance back in time.
    pub offset: Option<Offset>,
}

/// The rows before a point in time that a cumulative metric takes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// Every row so far.
    AllTime,
    /// The last so many units that end with the period: `28 days` that end on a day, `3 months` that end with a month.
    Trailing(u32, Grain),
    /// From the start of the week, month, quarter or year that the period's end lies in.
    ToDate(Grain),
    /// The same of a period of the calendar table.
    ToDateOf(String),
}

/// Which value of a cumulative metric stands for a period that is longer than a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtCoarserGrain {
    /// The one at the period's end.
    #[default]
    Last,
    /// The one on the period's first day.
    First,
    /// The mean of the values of its days.
    Average,
}

/// Accumulation over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cumulative {
    /// What is accumulated, where it is another metric: its canonical name.
    pub of: Option<String>,
    /// What is accumulated otherwise.
    pub sources: Vec<Source>,
    /// The rows taken in.
    pub window: Window,
    /// What stands for a longer period.
    pub at_coarser_grain: AtCoarserGrain,
}

/// What a conversion metric tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversionResult {
    /// Conversions over base events.
    #[default]
    Rate,
    /// Conversions.
    Count,
}

/// How many events of one kind are followed by an event of another kind of the same entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    /// The dimension (or column) that both kinds of events have: who does both.
    pub entity: String,
    /// The simple metric of the events that may convert; the result is grouped by their time and dimensions.
    pub base: String,
    /// The simple metric of the events that are conversions.
    pub conversion: String,
    /// How long after its base event a conversion may come; without a limit where none is given.
    pub within: Option<(u32, Grain)>,
    /// Pairs of dimensions (or columns), of the base and of the conversion, that must be equal too.
    pub same: Vec<(String, String)>,
    /// What it tells.
    pub result: ConversionResult,
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
        /// The metrics it names, in order of first appearance.
        inputs: Vec<Input>,
    },
    /// Accumulation over time.
    Cumulative(Box<Cumulative>),
    /// Events followed by other events.
    Conversion(Box<Conversion>),
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
            Self::Cumulative(_) => "cumulative",
            Self::Conversion(_) => "conversion",
            Self::Complex { .. } => "complex",
        }
    }

    /// The sources of a simple, ratio or cumulative metric, and of a complex one by its facets; none for what is made of
    /// other metrics.
    pub fn sources(&self) -> &[Source] {
        match self {
            Self::Simple(sources) | Self::Ratio(sources) => sources,
            Self::Derived { .. } | Self::Conversion(_) => &[],
            Self::Cumulative(cumulative) => &cumulative.sources,
            Self::Complex { facets, .. } => facets
                .as_deref()
                .map_or(&[], |facets| std::slice::from_ref(&facets.source)),
        }
    }

    /// The metrics it is made of, by canonical name, in order of first appearance.
    pub fn inputs(&self) -> Vec<&str> {
        let mut inputs: Vec<&str> = Vec::new();
        let mut add = |name| {
            if !inputs.contains(&name) {
                inputs.push(name);
            }
        };
        match self {
            Self::Derived { inputs, .. } => inputs.iter().for_each(|input| add(&input.metric)),
            Self::Cumulative(cumulative) => cumulative.of.iter().for_each(|name| add(name)),
            Self::Conversion(conversion) => {
                add(&conversion.base);
                add(&conversion.conversion);
            }
            Self::Simple(_) | Self::Ratio(_) | Self::Complex { .. } => {}
        }
        inputs
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
    /// The metric to use instead of a deprecated one, by its canonical name.
    pub successor: Option<String>,
    /// What was done with it, the earliest first.
    pub history: Vec<LifeEvent>,
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
    /// Whether periods without rows are rows of every result by time, also beside other groupings.
    pub every_period: bool,
    /// The grain of `metric_time`, dbt's name for a metric's own time; a day where none is given.
    pub time_grain: Option<Grain>,
    /// What its numbers must be.
    pub tests: Vec<MetricTest>,
}

impl Metric {
    /// A metric that says nothing but what it is.
    pub fn plain(name: String, place: Place, kind: MetricKind) -> Self {
        Self {
            label: name.clone(),
            name,
            place,
            category: "Other".to_owned(),
            description: String::new(),
            business_rules: Vec::new(),
            owner: None,
            status: Status::default(),
            successor: None,
            history: Vec::new(),
            last_updated: None,
            aliases: Vec::new(),
            tags: Vec::new(),
            format: Format::default(),
            kind,
            grain: Vec::new(),
            window: None,
            fill: None,
            every_period: false,
            time_grain: None,
            tests: Vec::new(),
        }
    }
}
