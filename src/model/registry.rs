//! The registry: every definition of a project, looked up by name or alias.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Calendar, Dataset, Metric, MetricQuery, Place};

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
