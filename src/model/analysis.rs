//! Analyses: what is computed from the events of several metrics at once, kept as a dataset with metrics of its own.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grain, GroupBy, Place};

/// The analyses there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisKind {
    /// Which contacts get the credit for what followed them, by several methods.
    Attribution,
    /// Who is new, retained, resurrected or lost in each period, and what became of whom.
    Lifecycle,
    /// Who of those that came in one period came again so many periods later.
    Retention,
    /// What recurring revenue gained and lost in each period.
    Revenue,
    /// How far people came in steps that follow each other.
    Funnel,
}

impl AnalysisKind {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attribution => "attribution",
            Self::Lifecycle => "lifecycle",
            Self::Retention => "retention",
            Self::Revenue => "revenue",
            Self::Funnel => "funnel",
        }
    }

    /// What it tells, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Attribution => "multi-touch attribution",
            Self::Lifecycle => "customer lifecycle",
            Self::Retention => "cohort retention",
            Self::Revenue => "churn and net revenue retention",
            Self::Funnel => "funnel",
        }
    }
}

/// Where the values of a dimension of an analysis are known from, without computing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnalysisValues {
    /// These are all.
    These(Vec<String>),
    /// Those of a dimension of a dataset.
    Of(String, String),
}

/// A query that shows an analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisView {
    /// What it shows, for people.
    pub title: String,
    /// The query line.
    pub query: String,
    /// The grouping whose values become columns.
    pub across: Option<String>,
}

/// An analysis: rows computed from the events of metrics, and the metrics over these rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// Its name, which is that of its dataset and of its first metric.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// What is computed.
    pub kind: AnalysisKind,
    /// Name for people.
    pub label: String,
    /// One sentence for people.
    pub description: String,
    /// The metrics whose events it reads, by canonical name.
    pub of: Vec<String>,
    /// How long one row is in time.
    pub grain: Grain,
    /// What any number over the rows does not add up over: a query groups by it, or is restricted to one of it.
    pub per: Vec<GroupBy>,
    /// Its metrics, with what each of them does not add up over.
    pub metrics: IndexMap<String, Vec<GroupBy>>,
    /// The values of its dimensions, as far as they are known without computing it.
    pub values: IndexMap<String, AnalysisValues>,
    /// The queries that show it, the most telling first.
    pub views: Vec<AnalysisView>,
}

impl Analysis {
    /// What a metric over its rows does not add up over.
    pub fn per(&self, metric: &str) -> &[GroupBy] {
        self.metrics.get(metric).unwrap_or(&self.per)
    }
}

/// What stands in the SQL of an analysis where the day goes that is taken for today; as it is, the day of the engine.
pub const TODAY: &str = "/* today */ CURRENT_DATE";
