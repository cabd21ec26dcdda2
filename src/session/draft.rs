//! A file of definitions that is being changed: what is wrong with the draft, the SQL it makes, what depends on it; and
//! saving it.

use std::sync::Arc;

use std::io;
use std::path::PathBuf;

use super::whole_file::write_whole;
use super::{Catalog, Session, SessionError, Unsaved};
use crate::compile::{CompileOptions, Compiled, Passes, compile};
use crate::model::{MetricQuery, NoValues, Registry, ValueLookup};
use crate::registry::{Diagnostic, Project, Severity};

/// The file a metric is defined in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionFile {
    /// The metric.
    pub metric: String,
    /// Path relative to the project.
    pub path: String,
    /// Its text as it is now.
    pub text: String,
    /// The line of the definition, from 1.
    pub line: u32,
    /// What was typed the last time and not saved.
    pub unsaved: Option<Box<Unsaved>>,
}

/// The same thing before a change and after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides<T> {
    /// As it is saved.
    pub before: T,
    /// As it is drafted.
    pub after: T,
}

/// What a draft of a file would mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What is wrong in the file, and what it breaks elsewhere.
    pub problems: Vec<Diagnostic>,
    /// The SQL of the metric, or why there is none.
    pub sql: Sides<Result<String, String>>,
    /// Metrics made of this one, directly or not, and saved queries that ask for any of them.
    pub dependants: Vec<String>,
}

/// Why a file was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSaved {
    /// It is not what it was when the draft was begun.
    Changed,
    /// It cannot be written, and why.
    Failed(String),
}

impl Session {
    /// The file that a metric, by name or alias, is defined in.
    ///
    /// # Errors
    /// The metric is unknown, or the file has gone.
    pub fn definition_file(&self, metric: &str) -> Result<DefinitionFile, SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let metric = registry
            .metric(metric)
            .ok_or_else(|| SessionError::unknown_metric(registry, metric))?;
        let path = registry.file(metric.place);
        let files = self.project().files();
        let file = files.metrics.iter().chain(&files.snippets);
        let file = file.into_iter().find(|file| file.path == path);
        let file = file.ok_or_else(|| {
            SessionError::usage("file", format!("{path} cannot be read any more"))
        })?;
        Ok(DefinitionFile {
            metric: metric.name.clone(),
            path: path.to_owned(),
            text: file.text.clone(),
            line: metric.place.line,
            unsaved: self.unsaved(path, &file.text).map(Box::new),
        })
    }

    /// What the file at `path` would mean with this text, for a metric; nothing is written.
    pub fn draft(&self, metric: &str, path: &str, text: &str) -> Draft {
        let saved = self.catalog();
        let drafted = self.drafted(path, text);
        let is_news =
            |found: &&Diagnostic| found.file == path || !saved.diagnostics.contains(found);
        let mut problems: Vec<_> = drafted
            .diagnostics
            .iter()
            .filter(is_news)
            .cloned()
            .collect();
        problems.sort_by_key(|found| {
            (
                found.file != path,
                found.severity != Severity::Error,
                found.line,
            )
        });
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            ..MetricQuery::default()
        };
        let sql = |catalog: &Catalog| {
            if catalog.registry.metric(metric).is_none() {
                return Err(format!("there is no metric '{metric}'"));
            }
            let compiled = self.compile_in(catalog, &query);
            compiled
                .map(|compiled| compiled.main.sql)
                .map_err(|error| error.to_string())
        };
        Draft {
            problems,
            sql: Sides {
                before: sql(&saved),
                after: sql(&drafted),
            },
            dependants: dependants(&drafted.registry, metric),
        }
    }

    /// The definitions as they would be with this text in the file at `path`.
    pub(super) fn drafted(&self, path: &str, text: &str) -> Arc<Catalog> {
        self.as_if(&[(path, Some(text))]).catalog()
    }

    /// Compiles a query over other definitions than those in force, for the current connection.
    pub(super) fn compile_in(
        &self,
        catalog: &Catalog,
        query: &MetricQuery,
    ) -> Result<Compiled, SessionError> {
        let connection = self.connection();
        let index = self.index(&connection);
        let values: &dyn ValueLookup = match &index {
            Some(index) => index.as_ref(),
            None => &NoValues,
        };
        let options = CompileOptions {
            dialect: self.dialect_of(&connection),
            today: self.today(),
            values,
            passes: Passes::default(),
        };
        compile(
            &catalog.registry,
            &catalog.reach,
            &self.version().templates,
            query,
            &options,
        )
        .map_err(|error| SessionError::of_query(&catalog.registry, error))
    }

    /// Writes a text to a file of the project in one step. Where the file is no longer what it was (`known`), it stays.
    ///
    /// # Errors
    /// The file changed meanwhile, or cannot be written.
    pub fn save_definition(
        &self,
        path: &str,
        known: Option<&str>,
        text: &str,
    ) -> Result<(), NotSaved> {
        let failed = |error: io::Error| NotSaved::Failed(format!("{path}: {error}"));
        let locked = self.lock();
        let _lock = locked.map_err(|refusal| NotSaved::Failed(refusal.message))?;
        let file = self.file_to_edit(path).map_err(failed)?;
        let now = std::fs::read_to_string(&file).map_err(failed)?;
        if known.is_some_and(|known| known != now) {
            return Err(NotSaved::Changed);
        }
        write_whole(&file, text).map_err(failed)
    }

    /// The file behind a path of the project: one that is embedded is written into the folder of the demo's changes first.
    ///
    /// # Errors
    /// There is no such file, or it cannot be written.
    pub fn file_to_edit(&self, path: &str) -> io::Result<PathBuf> {
        let project = self.project();
        let folder = project.folder().ok_or(io::ErrorKind::NotFound)?;
        let file = folder.join(path);
        if project.root.is_none() && !file.exists() {
            let embedded = Project::embedded(path).ok_or(io::ErrorKind::NotFound)?;
            write_whole(&file, embedded)?;
        }
        Ok(file)
    }
}

/// What is made of a metric: other metrics, near ones first, then saved queries.
pub(super) fn dependants(registry: &Registry, metric: &str) -> Vec<String> {
    let mut found = vec![metric];
    let mut at = 0;
    while let Some(input) = found.get(at).copied() {
        let made_of_it = registry.metrics.values().filter(|other| {
            other.kind.inputs().contains(&input) && !found.contains(&other.name.as_str())
        });
        let more: Vec<&str> = made_of_it.map(|other| other.name.as_str()).collect();
        found.extend(more);
        at += 1;
    }
    let asks = |query: &MetricQuery| {
        let mut metrics = query
            .metrics
            .iter()
            .filter_map(|name| registry.metric(name));
        metrics.any(|asked| found.contains(&asked.name.as_str()))
    };
    let views = registry.views.values().filter(|view| asks(&view.query));
    let views = views.map(|view| format!("view {}", view.name));
    let metrics = found.iter().skip(1).map(|name| (*name).to_owned());
    metrics.chain(views).collect()
}
