//! The registry: every definition of a project, looked up by name or alias.

use std::collections::HashMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Alert, Analysis, Calendar, CanonicalDataset, Dataset, Grain, Hypothesis, Metric, MetricQuery,
    Place,
};

/// A hand-written SQL snippet of a complex metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// File name in `snippets/`.
    pub name: String,
    /// Where it starts.
    pub place: Place,
    /// The SQL as written.
    pub text: String,
}

/// A saved query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Name.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// Plain words.
    pub description: String,
    /// The query.
    pub query: MetricQuery,
}

/// A table of a dataset's measures, added up by day (or a longer grain) and some dimensions, that `metrex materialize`
/// keeps and queries are answered from where that changes no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollup {
    /// Name, and name of the table unless `table` says otherwise.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// The dataset whose rows are added up.
    pub of: String,
    /// The table it is kept in, as `table` or `schema.table`.
    pub table: String,
    /// Whether that table is in a file of the project's state, and not in the warehouse.
    pub embedded: bool,
    /// Its time grain.
    pub grain: Grain,
    /// Its dimensions, as a query of the dataset names them.
    pub by: Vec<String>,
    /// The metrics whose leaves it keeps, by canonical name.
    pub metrics: Vec<String>,
}

/// Whose rules decide where two readings of a definition are possible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conventions {
    /// metrex's own, as documented.
    #[default]
    Metrex,
    /// Those of dbt MetricFlow: for projects imported from dbt.
    Metricflow,
}

/// Every definition of a project that could be read without an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    /// Paths of the files read, relative to the project; [`Place::file`] indexes it.
    pub files: Vec<String>,
    /// Datasets by name.
    pub datasets: IndexMap<String, Dataset>,
    /// Metrics by name.
    pub metrics: IndexMap<String, Metric>,
    /// Snippets by file name.
    pub snippets: IndexMap<String, Snippet>,
    /// Saved queries by name.
    pub views: IndexMap<String, View>,
    /// Week start and time zone.
    pub calendar: Calendar,
    /// Rollups by name.
    pub rollups: IndexMap<String, Rollup>,
    /// Canonical datasets by name.
    pub canonical: IndexMap<String, CanonicalDataset>,
    /// Analyses by name.
    pub analyses: IndexMap<String, Analysis>,
    /// Hypotheses by name.
    pub hypotheses: IndexMap<String, Hypothesis>,
    /// Alerts by name.
    pub alerts: IndexMap<String, Alert>,
    /// Whose rules apply where two readings are possible.
    pub conventions: Conventions,
    /// Lower-case name or alias -> metric name.
    pub metric_names: HashMap<String, String>,
}

impl Registry {
    /// A metric by name or alias, ignoring case.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.get(name).or_else(|| {
            let canonical = self.metric_names.get(&name.to_lowercase())?;
            self.metrics.get(canonical)
        })
    }

    /// The analysis whose rows a metric is a number of.
    pub fn analysis_of(&self, metric: &Metric) -> Option<&Analysis> {
        let mut measures = metric.kind.sources().iter();
        let dataset = &measures.find_map(|source| source.measures.first())?.dataset;
        self.analyses.get(dataset)
    }

    /// The saved query that a query is nothing but the name of.
    pub fn saved(&self, query: &MetricQuery) -> Option<&MetricQuery> {
        let [name] = query.metrics.as_slice() else {
            return None;
        };
        let view = self.views.get(name)?;
        let only = MetricQuery {
            metrics: query.metrics.clone(),
            ..MetricQuery::default()
        };
        (self.metric(name).is_none() && *query == only).then_some(&view.query)
    }

    /// `file:line` of a place, for messages.
    pub fn at(&self, place: Place) -> String {
        format!("{}:{}", self.file(place), place.line)
    }

    /// The path of the file a place is in, relative to the project; empty for no file.
    pub fn file(&self, place: Place) -> &str {
        self.files
            .get(place.file.0 as usize)
            .map_or("", String::as_str)
    }
}
