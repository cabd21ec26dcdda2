//! Canonical datasets: the tables an organisation has agreed on, what holds for them and where they come from.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Grain, Place, Registry, Status};

/// What a canonical dataset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CanonicalKind {
    /// Things and their properties, one row each.
    Dimension,
    /// Events or states, as they happened.
    Fact,
    /// Rows made ready for one purpose: joined, added up.
    Mart,
}

impl CanonicalKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dimension => "dimension",
            Self::Fact => "fact",
            Self::Mart => "mart",
        }
    }
}

/// What a canonical dataset is in the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CanonicalOf {
    /// A dataset of the project, by name.
    Dataset(String),
    /// A table that is no dataset.
    Table(String),
}

/// A dataset that everybody has agreed to build on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CanonicalDataset {
    /// Name, which is also that of the model that makes it.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// What it holds.
    pub kind: CanonicalKind,
    /// What it is in the warehouse.
    pub of: CanonicalOf,
    /// Other names that models refer to it by.
    pub aliases: Vec<String>,
    /// Columns that identify one row; empty where nobody said.
    pub grain: Vec<String>,
    /// What it is for, in plain words.
    pub purpose: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether it has been vouched for.
    pub status: Status,
    /// The canonical dataset to use instead of a deprecated one.
    pub successor: Option<String>,
    /// How fresh and how complete it is to be.
    pub sla: Sla,
    /// Core attributes by name, in the order of the file.
    pub attributes: IndexMap<String, Attribute>,
    /// Where it comes from, and where it goes.
    pub lineage: Lineage,
    /// How it is meant to be used, in sentences.
    pub usage: Vec<String>,
}

/// How fresh and how complete a dataset is to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sla {
    /// Where it is declared.
    pub place: Place,
    /// How old its newest row may be.
    pub fresh_within: Option<(u32, Grain)>,
    /// The dimension or column with the time of a row, where it is not the dataset's.
    pub by: Option<String>,
    /// The period of which each one has rows, from the first to the last.
    pub every: Option<Grain>,
    /// The least share of rows, 0 to 1, with a value in every core attribute that is not optional.
    pub complete: Option<f64>,
}

/// A core attribute: a column whose meaning and values have been agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Name: a dimension of the dataset, or a column.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// What it means.
    pub description: String,
    /// Every row has a value.
    pub not_null: bool,
    /// A row without a value is complete all the same.
    pub optional: bool,
    /// No value stands in two rows.
    pub unique: bool,
    /// All values that occur; empty for any.
    pub values: Vec<String>,
    /// The smallest and the largest value: numbers, or dates.
    pub range: (Option<String>, Option<String>),
}

/// Where a dataset comes from, and where it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Tables that it is made from.
    pub sources: Vec<String>,
    /// How, in plain words.
    pub transformation: String,
    /// What is made from it outside of this project.
    pub downstream: Vec<String>,
}

impl CanonicalDataset {
    /// The table in the warehouse; `None` for a dataset that is a query.
    pub fn table<'a>(&'a self, registry: &'a Registry) -> Option<&'a str> {
        match &self.of {
            CanonicalOf::Table(table) => Some(table),
            CanonicalOf::Dataset(name) => registry.datasets.get(name)?.table(),
        }
    }

    /// The dataset of the project, where it is one.
    pub fn dataset(&self) -> Option<&str> {
        match &self.of {
            CanonicalOf::Dataset(name) => Some(name),
            CanonicalOf::Table(_) => None,
        }
    }
}

impl Registry {
    /// The canonical dataset that a dataset of the project is.
    pub fn canonical_of(&self, dataset: &str) -> Option<&CanonicalDataset> {
        let mut canonical = self.canonical.values();
        canonical.find(|canonical| canonical.dataset() == Some(dataset))
    }
}
