//! The metric query: the only state that matters, edited by every face and compiled to SQL.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::query_line;
use super::{DatePart, Grain, Period, TimeRange};

pub use super::query_line::QueryLineError;

/// Stands in a query of the history where a personal value was, which is not kept. No query is answered that has it.
pub const NOT_KEPT: &str = "(not kept)";

/// What to group by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// A dimension, `market` or `buyer.segment`.
    Dimension(String),
    /// A grain of the default time dimension (`month`) or of another one (`refunded_at.month`).
    Grain {
        /// The grain.
        grain: Grain,
        /// The time dimension; `None` is each metric's default.
        of: Option<String>,
    },
    /// A part of the default time dimension (`weekday`) or of another one (`refunded_at.weekday`).
    Part {
        /// The part.
        part: DatePart,
        /// The time dimension; `None` is each metric's default.
        of: Option<String>,
    },
}

impl GroupBy {
    /// The dimension it names: by itself, or as the time of a grain or a part.
    pub fn dimension(&self) -> Option<&str> {
        match self {
            Self::Dimension(name) => Some(name),
            Self::Grain { of, .. } | Self::Part { of, .. } => of.as_deref(),
        }
    }
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// The operator as query lines write it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// A filter tree. Literals are plain text; the type of the field says what they mean.
///
/// A field that names a metric of the query makes the condition a *having*. A field `gmv per buyer_id` is the metric of
/// each value of a dimension, in the query's time range: it restricts rows to those whose `buyer_id` meets the condition
/// (see [`Filter::per`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// `field = value`
    Compare {
        /// Dimension or metric.
        field: String,
        /// Operator.
        op: CompareOp,
        /// Literal.
        value: String,
    },
    /// `field in (a, b)`
    In {
        /// Dimension.
        field: String,
        /// Literals; at least one.
        values: Vec<String>,
        /// `not in`
        negated: bool,
    },
    /// `field between a and b`
    Between {
        /// Dimension or metric.
        field: String,
        /// Lower bound, inclusive.
        low: String,
        /// Upper bound, inclusive.
        high: String,
        /// `not between`
        negated: bool,
    },
    /// `field like pattern`, with `%` and `_`
    Like {
        /// Dimension.
        field: String,
        /// Pattern.
        pattern: String,
        /// `not like`
        negated: bool,
    },
    /// `field is null`
    IsNull {
        /// Dimension or metric.
        field: String,
        /// `is not null`
        negated: bool,
    },
    /// All hold; at least two, none of them an `And`.
    And(Vec<Filter>),
    /// At least one holds; at least two, none of them an `Or`.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

impl Filter {
    /// `self and other`, kept flat.
    pub fn and(self, other: Self) -> Self {
        let mut all = match self {
            Self::And(all) => all,
            one => vec![one],
        };
        match other {
            Self::And(more) => all.extend(more),
            one => all.push(one),
        }
        Self::And(all)
    }

    /// The metric and the dimension of a field `metric per dimension`.
    pub fn per(field: &str) -> Option<(&str, &str)> {
        field.split_once(" per ")
    }

    /// Every literal in the tree, in order, with repetitions.
    pub fn literals(&self) -> Vec<&str> {
        match self {
            Self::Compare { value, .. } => vec![value],
            Self::In { values, .. } => values.iter().map(String::as_str).collect(),
            Self::Between { low, high, .. } => vec![low, high],
            Self::Like { pattern, .. } => vec![pattern],
            Self::IsNull { .. } => Vec::new(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::literals).collect(),
            Self::Not(part) => part.literals(),
        }
    }

    /// Every field named in the tree, in order, with repetitions.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::Compare { field, .. }
            | Self::In { field, .. }
            | Self::Between { field, .. }
            | Self::Like { field, .. }
            | Self::IsNull { field, .. } => vec![field],
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::fields).collect(),
            Self::Not(part) => part.fields(),
        }
    }
}

/// What the time range is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The range of the same length just before.
    PreviousPeriod,
    /// The same range a year before.
    PreviousYear,
    /// `4 weeks ago`
    Ago(u32, Grain),
    /// A range written out: `2024Q3`, `2024-01..2024-03`.
    Range(Period, Period),
}

/// A figure computed over the rows of the result, shown beside its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presented {
    /// The part of the total (within each period, where there is a time grouping).
    Share,
    /// The sum so far, in order of the time grouping (within each of the other groups).
    Running,
    /// 1 for the largest (within each period, where there is a time grouping); equal values have the same rank.
    Rank,
    /// The mean of the last so many periods, this one included.
    Moving(u32),
}

/// A metric of the query with a figure computed over its column: `gmv share`, `gmv moving 7`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    /// A metric of the query.
    pub metric: String,
    /// The figure.
    pub what: Presented,
}

/// Ascending or descending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// One sort key: an output column by the name it has in the query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderBy {
    /// Output column: a metric, a grouping, `gmv_prior`, `gmv_change`, `gmv_change_pct`, `gmv_share`, `gmv_running`, …
    pub column: String,
    /// Direction.
    pub direction: Direction,
}

/// A question in metrics, dimensions, filters and time.
///
/// Its text form is the query line: [`fmt::Display`] prints it canonically and [`FromStr`] reads it back.
/// In JSON, each part is written in the same words (`"group_by": ["market", "month"]`, `"time": "last 6 months"`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricQuery {
    /// Metric names or aliases.
    pub metrics: Vec<String>,
    /// Groupings; `null` uses the metrics' default grouping, `[]` (`by none`) none at all.
    #[schemars(with = "Option<Vec<String>>")]
    pub group_by: Option<Vec<GroupBy>>,
    /// Dimensions and grains whose smallest and largest value are wanted, instead of metrics.
    #[schemars(with = "Vec<String>")]
    pub range_of: Vec<GroupBy>,
    /// Conditions, as text: `channel in (ads, organic) and market != BR`.
    #[schemars(with = "Option<String>")]
    pub filters: Option<Filter>,
    /// Time range, as text: `last 6 months`; `null` uses the metrics' default.
    #[schemars(with = "Option<String>")]
    pub time: Option<TimeRange>,
    /// Comparison, as text: `previous year`.
    #[schemars(with = "Option<String>")]
    pub compare: Option<Comparison>,
    /// Sort keys, as text: `gmv desc`.
    #[schemars(with = "Vec<String>")]
    pub order: Vec<OrderBy>,
    /// Most rows wanted.
    pub limit: Option<u64>,
    /// Whether a total row, computed by the engine, is wanted.
    pub total: bool,
    /// Figures over the rows of the result, as text: `gmv share`.
    #[schemars(with = "Vec<String>")]
    pub show: Vec<Shown>,
    /// Groupings within which `order` and `limit` apply, so that each of their values has its own top rows.
    #[schemars(with = "Vec<String>")]
    pub limit_per: Vec<GroupBy>,
    /// Whether the rows beyond the limit are added up into one row `others` (in each of `limit_per`).
    pub others: bool,
    /// `true`: periods without rows are rows too; `false`: only periods with rows; `null`: they are where one time grain
    /// is the only grouping.
    pub every_period: Option<bool>,
}

impl MetricQuery {
    /// Whether it asks for nothing yet: no metric, and no dimension.
    pub fn is_empty(&self) -> bool {
        let groups = self.group_by.iter().flatten();
        self.metrics.is_empty() && groups.chain(&self.range_of).next().is_none()
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_group(self, f)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_filter(self, f)
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_time(*self, f)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_comparison(*self, f)
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_order(self, f)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_shown(self, f)
    }
}

impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print_presented(*self, f)
    }
}

impl fmt::Display for MetricQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        query_line::print(self, f)
    }
}

/// Serde through the query line's own words.
macro_rules! text_form {
    ($type:ty, $parse:path) => {
        impl FromStr for $type {
            type Err = QueryLineError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $parse(text)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_form!(GroupBy, query_line::parse_group);
text_form!(Filter, query_line::parse_filter);
text_form!(Comparison, query_line::parse_comparison);
text_form!(OrderBy, query_line::parse_order);
text_form!(TimeRange, query_line::parse_time);
text_form!(Shown, query_line::parse_shown);

impl FromStr for MetricQuery {
    type Err = QueryLineError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        query_line::parse(text)
    }
}
