//! What is built around a metric outside of metrex: a dbt project of it with tests, its documentation, its graph, its skill.
//!
//! Nothing here reads or writes files: a [`Package`] is a list of texts. The SQL is the compiler's own; the project as dbt
//! sees it is a registry in which every dataset is a model, see `layers`.

mod bounds;
mod closure;
mod columns;
mod config;
mod ctes;
mod graph;
mod groupings;
mod layers;
mod mart;
mod metric_tests;
mod page;
mod project;
mod properties;
mod refs;
mod semantics;
mod skill;
mod staging;
mod text;

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::compile::Templates;
use crate::exchange::Note;
use crate::model::{GroupBy, Registry};
use crate::warehouse::Dialect;

use layers::Layers;
use mart::Mart;
pub use mart::name_of as mart_of;

/// Whether a file says that it was made here.
pub fn is_made(text: &str) -> bool {
    text.contains(text::MADE)
}

/// How the models of metrics are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Materialized {
    /// A table, made anew by every run.
    #[default]
    Table,
    /// A view.
    View,
    /// A table whose last periods are made anew, where the metric allows it.
    Incremental,
}

impl Materialized {
    /// dbt's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Incremental => "incremental",
        }
    }
}

/// What to make, and for whom.
pub struct Wanted<'a> {
    /// The metrics, by canonical name.
    pub metrics: &'a [String],
    /// What their models are grouped by, instead of what suits each metric.
    pub by: Option<&'a [GroupBy]>,
    /// The engine that dbt runs on.
    pub dialect: Dialect,
    /// The current day, for tests over ranges that move.
    pub today: Date,
    /// How their models are kept.
    pub materialized: Materialized,
    /// The models that the dbt project has already: they are referred to and not made.
    pub models: &'a BTreeSet<String>,
    /// Whether there is a dbt project to add to.
    pub has_project: bool,
    /// Whether that project tells dbt's semantic layer what a day is.
    pub has_spine: bool,
    /// The skills that are written down already.
    pub skills: &'a BTreeSet<String>,
}

/// Files to write, and what could not be said in them.
#[derive(Debug, Default)]
pub struct Package {
    /// Files by name, with their text.
    pub files: Vec<(String, String)>,
    /// The metrics that have a model.
    pub metrics: Vec<String>,
    /// What is left out or reads differently.
    pub notes: Vec<Note>,
}

impl Package {
    fn add(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.files.push((path.into(), text.into()));
    }

    fn note(&mut self, at: impl Into<String>, text: impl Into<String>) {
        let note = Note {
            at: at.into(),
            text: text.into(),
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The package of some metrics. A metric that cannot be made is left out, with a note.
pub fn package(registry: &Registry, templates: &Templates, wanted: &Wanted<'_>) -> Package {
    let mut package = Package::default();
    let layers = Layers::new(registry, wanted, &mut package);
    let mut marts: Vec<Mart> = Vec::new();
    for name in &layers.wanted {
        let Some(metric) = registry.metrics.get(name) else {
            continue;
        };
        match mart::mart(&layers, templates, metric, wanted) {
            Ok(mart) => marts.push(mart),
            Err(reason) => {
                let text = format!("the metric {name} is left out: {reason}");
                package.note(registry.at(metric.place), text);
            }
        }
    }
    if marts.is_empty() {
        return package;
    }
    staging::models(&layers, &mut package, wanted.dialect);
    for mart in &marts {
        package.add(mart.path(), mart.sql.clone());
        package.metrics.push(mart.metric.name.clone());
        metric_tests::tests(&layers, templates, mart, wanted, &mut package);
        package.add(
            format!("docs/metrics/{}.md", mart.metric.name),
            page::page(&layers, mart, wanted),
        );
    }
    properties::properties(&layers, &marts, wanted, &mut package);
    project::project(&layers, wanted, &mut package);
    package.add("graph/graph.json", graph::graph(&layers, &marts));
    skill::skills(&layers, &marts, wanted, &mut package);
    package
}
