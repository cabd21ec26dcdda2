//! `metrex generate`: a dbt package of metrics, and what the rules of the project say about it.

mod folder;

use std::path::Path;

use folder::Folder;

use super::{Failure, Session, SessionError};
use crate::exchange::Note;
use crate::generate::{self, Materialized, Package, Wanted};
use crate::govern::sql::{Model, Rule, govern};
use crate::model::{GroupBy, Status};
use crate::warehouse::Dialect;

/// What to generate.
#[derive(Debug, Clone, Default)]
pub struct GenerateRequest {
    /// The metrics, by name or alias; none for all that are in use.
    pub metrics: Vec<String>,
    /// What their models are grouped by, instead of what suits each metric.
    pub by: Option<Vec<GroupBy>>,
    /// The engine that dbt runs on; else the connection's.
    pub dialect: Option<Dialect>,
    /// How their models are kept.
    pub materialized: Materialized,
}

/// What was generated.
#[derive(Debug)]
pub struct Generated {
    /// The files written, relative to the folder.
    pub files: Vec<String>,
    /// The files of an earlier run that are made no longer.
    pub removed: Vec<String>,
    /// The metrics with a model.
    pub metrics: Vec<String>,
    /// The engine it is for.
    pub dialect: Dialect,
    /// What is left out or reads differently.
    pub notes: Vec<Note>,
}

impl Session {
    /// Writes a dbt package into a folder: models, tests, semantics, pages, graph and skills.
    ///
    /// # Errors
    /// A metric is unknown or cannot be a model, a file of the folder is not ours or was changed by hand, the folder cannot
    /// be written. Nothing is written then.
    pub fn generate(
        &self,
        request: &GenerateRequest,
        target: &Path,
    ) -> Result<Generated, SessionError> {
        let folder = Folder::read(target)?;
        let (package, dialect) = self.package(request, &folder)?;
        let written = folder.put(&package)?;
        let mut notes = package.notes;
        notes.extend(written.notes);
        Ok(Generated {
            files: written.files,
            removed: written.removed,
            metrics: package.metrics,
            dialect,
            notes,
        })
    }

    fn package(
        &self,
        request: &GenerateRequest,
        found: &Folder,
    ) -> Result<(Package, Dialect), SessionError> {
        let catalog = self.catalog();
        let registry = &catalog.registry;
        let mut notes = Vec::new();
        let mut note = |text: String| {
            notes.push(Note {
                at: "generate".to_owned(),
                text,
            });
        };
        let in_use = |status| matches!(status, Status::Published | Status::Certified);
        let mut metrics: Vec<String> = Vec::new();
        for name in &request.metrics {
            let metric = registry
                .metric(name)
                .ok_or_else(|| SessionError::unknown_metric(registry, name))?;
            if !metrics.contains(&metric.name) {
                metrics.push(metric.name.clone());
                if !in_use(metric.status) {
                    let successor = metric.successor.as_ref();
                    let instead = successor.map(|name| format!("; take {name} instead"));
                    note(format!(
                        "{} is {}{}",
                        metric.name,
                        metric.status.word(),
                        instead.unwrap_or_default()
                    ));
                }
            }
        }
        if request.metrics.is_empty() {
            for metric in registry.metrics.values() {
                match in_use(metric.status) {
                    true => metrics.push(metric.name.clone()),
                    false => note(format!(
                        "{} is left out: it is {}",
                        metric.name,
                        metric.status.word()
                    )),
                }
            }
        }
        let named = metrics.len();
        let again = registry
            .metrics
            .keys()
            .filter(|name| found.marts.contains(&name.to_lowercase()));
        for name in again {
            if !metrics.contains(name) {
                note(format!("{name} is in this folder too, and made again"));
                metrics.push(name.clone());
            }
        }
        let dialect = match request.dialect {
            Some(Dialect::Sqlite) => {
                let error = SessionError::usage("no_adapter", "dbt has no SQLite of its own");
                return Err(error.with_hint("DuckDB reads SQLite's files: --dialect duckdb"));
            }
            Some(dialect) => dialect,
            None => self.dialect_of(&self.connection()),
        };
        let dialect = match dialect {
            Dialect::Sqlite => {
                note(
                    "dbt has no SQLite of its own: the SQL is for DuckDB; --dialect says otherwise"
                        .to_owned(),
                );
                Dialect::Duckdb
            }
            dialect => dialect,
        };
        let version = self.version();
        let mut package = generate::package(
            registry,
            &version.templates,
            &Wanted {
                metrics: &metrics,
                by: request.by.as_deref(),
                dialect,
                today: self.today(),
                materialized: request.materialized,
                models: &found.models,
                has_project: found.has_project,
                has_spine: found.has_spine,
                skills: &found.skills,
            },
        );
        let is_made = |name: &String| package.metrics.contains(name);
        let left_out = metrics.iter().take(named).find(|name| !is_made(name));
        if let Some(left_out) = left_out.filter(|_| !request.metrics.is_empty()) {
            let why = package.notes.iter().find(|note| {
                note.text
                    .contains(&format!("metric {left_out} is left out"))
            });
            let why = why.map_or_else(
                || format!("the metric {left_out} cannot be a model"),
                ToString::to_string,
            );
            return Err(SessionError::new(Failure::Query, "not_generated", why));
        }
        notes.append(&mut package.notes);
        if package.metrics.is_empty() {
            let why: Vec<String> = notes.iter().map(ToString::to_string).collect();
            let message = format!("no metric can be a model\n{}", why.join("\n"));
            return Err(SessionError::new(Failure::Query, "not_generated", message)
                .with_hint("drafts can be made where they are named"));
        }
        notes.extend(self.governed(&package, dialect));
        package.notes = notes;
        Ok((package, dialect))
    }
}

impl Session {
    /// What the rules of the project say about the models of metrics and of SQL by hand. Models below them read sources, and
    /// the model of a metric is where its logic belongs.
    fn governed(&self, package: &Package, dialect: Dialect) -> Vec<Note> {
        let catalog = self.catalog();
        let governance = &self.project().config.governance;
        let of_model = |path: &str| {
            path.strip_prefix("models/")?
                .strip_suffix(".sql")
                .map(str::to_owned)
        };
        let models: Vec<(String, &String, &String)> = package
            .files
            .iter()
            .filter_map(|(path, text)| Some((of_model(path)?, path, text)))
            .collect();
        let bare = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let beside: Vec<String> = models.iter().map(|(name, ..)| bare(name)).collect();
        let mut notes = Vec::new();
        for (name, path, text) in &models {
            let is_mart = name.starts_with("marts/");
            let by_hand = name.strip_prefix("intermediate/int_");
            // The SQL of an analysis is metrex's own.
            let by_hand = by_hand.filter(|name| !catalog.registry.analyses.contains_key(*name));
            if !is_mart && by_hand.is_none() {
                continue;
            }
            let name = bare(name);
            let model = Model {
                name: &name,
                text,
                beside: &beside,
            };
            let review = govern(&model, &catalog.registry, governance, dialect);
            let has_canonical = !catalog.registry.canonical.is_empty();
            let mut said: Vec<(Rule, u32, u32)> = Vec::new();
            for finding in &review.findings {
                let place = (finding.rule, finding.line, finding.column);
                let counts = match finding.rule {
                    Rule::Rebuilt => false,
                    Rule::NotCanonical => has_canonical,
                    _ => true,
                };
                if counts && !said.contains(&place) {
                    said.push(place);
                    notes.push(Note {
                        at: format!("{path}:{}:{}", finding.line, finding.column),
                        text: format!("governance {}: {}", finding.severity, finding.message),
                    });
                }
            }
        }
        notes
    }
}
