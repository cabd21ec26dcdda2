//! An idea: one change of the definitions, with what speaks for it.

use serde::Serialize;

use super::tally::Evidence;

/// What an idea is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new metric.
    Metric,
    /// A new dimension of a dataset.
    Dimension,
    /// Another name.
    Alias,
    /// A part of complex queries, as a snippet with a metric.
    Skill,
    /// A rollup.
    Rollup,
    /// A new join of a dataset.
    Join,
    /// A metric that nobody uses.
    Deprecation,
}

impl Kind {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 7] = [
        Self::Metric,
        Self::Dimension,
        Self::Alias,
        Self::Skill,
        Self::Rollup,
        Self::Join,
        Self::Deprecation,
    ];

    /// The word for it, as ids of ideas begin.
    pub fn word(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Dimension => "dimension",
            Self::Alias => "alias",
            Self::Skill => "skill",
            Self::Rollup => "rollup",
            Self::Join => "join",
            Self::Deprecation => "deprecation",
        }
    }

    /// The words for one of them.
    pub fn one(self) -> &'static str {
        match self {
            Self::Metric => "new metric",
            other => other.word(),
        }
    }

    /// The words for several.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Metric => "new metrics",
            Self::Dimension => "dimensions",
            Self::Alias => "aliases",
            Self::Skill => "skills",
            Self::Rollup => "rollups",
            Self::Join => "joins",
            Self::Deprecation => "deprecations",
        }
    }

    /// The kind of an idea, by its id.
    pub fn of(id: &str) -> Option<Self> {
        let (word, _) = id.split_once(':')?;
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What would be written. Definitions are the YAML of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A metric that is not there yet.
    Metric {
        /// Its name.
        name: String,
        /// Its definition.
        definition: String,
        /// The text of the snippet that it brings along.
        snippet: Option<String>,
    },
    /// A dimension of a dataset.
    Dimension {
        /// The dataset.
        dataset: String,
        /// Its name.
        name: String,
        /// Its definition.
        definition: String,
    },
    /// A join of a dataset.
    Join {
        /// The dataset.
        dataset: String,
        /// Its name.
        name: String,
        /// Its definition.
        definition: String,
    },
    /// A rollup.
    Rollup {
        /// Its name.
        name: String,
        /// Its definition.
        definition: String,
    },
    /// Another name of a metric.
    MetricAlias {
        /// The metric.
        metric: String,
        /// The name.
        alias: String,
    },
    /// Another name of a dimension.
    DimensionAlias {
        /// The dataset.
        dataset: String,
        /// The dimension.
        dimension: String,
        /// The name.
        alias: String,
    },
    /// Another name of a value.
    ValueAlias {
        /// The dataset.
        dataset: String,
        /// The dimension.
        dimension: String,
        /// The value.
        value: String,
        /// The name.
        alias: String,
    },
    /// A metric gets the status `deprecated`.
    Deprecate {
        /// The metric.
        metric: String,
    },
}

/// One change of the definitions, with what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Idea {
    /// What it is known by, whatever its evidence: `metric:sum(orders.voucher_usd)`. A rejected one does not come back.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// In one line.
    pub title: String,
    /// What speaks for it beside the evidence, in sentences; may be empty.
    pub remark: String,
    /// What speaks for it.
    pub evidence: Evidence,
    /// How sure one can be, 0 to 1.
    pub confidence: f64,
    /// What would be written.
    pub change: Change,
}

impl Idea {
    /// The name of what is changed, as its proposal has it: `gmv`, `orders.dimensions.coupon`, `rollups.orders_by_day`.
    pub fn subject(&self) -> String {
        match &self.change {
            Change::Metric { name, .. } => name.clone(),
            Change::MetricAlias { metric, .. } | Change::Deprecate { metric } => metric.clone(),
            Change::Dimension { dataset, name, .. } => format!("{dataset}.dimensions.{name}"),
            Change::DimensionAlias {
                dataset, dimension, ..
            }
            | Change::ValueAlias {
                dataset, dimension, ..
            } => {
                format!("{dataset}.dimensions.{dimension}")
            }
            Change::Join { dataset, name, .. } => format!("{dataset}.joins.{name}"),
            Change::Rollup { name, .. } => format!("rollups.{name}"),
        }
    }

    /// The name that is new with it; empty where none is.
    pub fn name(&self) -> &str {
        match &self.change {
            Change::Metric { name, .. }
            | Change::Dimension { name, .. }
            | Change::Join { name, .. }
            | Change::Rollup { name, .. } => name,
            _ => "",
        }
    }

    /// Why, as its proposal says it: the figures, the remark, and examples.
    pub fn why(&self) -> String {
        let mut parts = Vec::new();
        if self.evidence.uses > 0 {
            parts.push(format!(
                "{}; confidence {:.2}.",
                self.evidence.words(),
                self.confidence
            ));
        }
        if !self.remark.is_empty() {
            parts.push(self.remark.clone());
        }
        if let [first, ..] = self.evidence.examples.as_slice() {
            parts.push(format!("For example: {first}"));
        }
        parts.join(" ")
    }
}
