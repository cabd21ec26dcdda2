//! `metrex generate`: a dbt package of metrics in a folder, where only what metrex made itself is written again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    /// The metrics with a model.
    pub metrics: Vec<String>,
    /// The engine it is for.
    pub dialect: Dialect,
    /// What is left out or reads differently.
    pub notes: Vec<Note>,
}

/// What a file says that metrex made.
const MARK: &str = "Made by metrex";

impl Session {
    /// Writes a dbt package into a folder: models, tests, semantics, pages, graph and skills.
    ///
    /// # Errors
    /// A metric is unknown or cannot be a model, a file of the folder is not ours, the folder cannot be written. Nothing
    /// is written then.
    pub fn generate(
        &self,
        request: &GenerateRequest,
        target: &Path,
    ) -> Result<Generated, SessionError> {
        let found = Found::of(target).map_err(|error| unwritable(target, &error))?;
        let (package, dialect) = self.package(request, &found)?;
        let mut taken = Vec::new();
        let mut files = Vec::new();
        for (name, text) in &package.files {
            match fs::read_to_string(target.join(name)) {
                Ok(known) if known == *text => {}
                Ok(known) if !known.contains(MARK) => taken.push(name.clone()),
                _ => files.push((name, text)),
            }
        }
        if !taken.is_empty() {
            let message = format!(
                "{} has {}, which metrex did not make; nothing was written",
                target.display(),
                taken.join(", ")
            );
            return Err(SessionError::usage("not_ours", message)
                .with_hint("choose another folder, or move them away"));
        }
        for (name, text) in &files {
            let path = target.join(name);
            let folder = path.parent().unwrap_or(target);
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
            written.map_err(|error| unwritable(&path, &error))?;
        }
        Ok(Generated {
            files: files.into_iter().map(|(name, _)| name.clone()).collect(),
            metrics: package.metrics,
            dialect,
            notes: package.notes,
        })
    }

    fn package(
        &self,
        request: &GenerateRequest,
        found: &Found,
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
        let mut metrics: Vec<String> = Vec::new();
        for name in &request.metrics {
            let metric = registry
                .metric(name)
                .ok_or_else(|| SessionError::unknown_metric(registry, name))?;
            if !metrics.contains(&metric.name) {
                metrics.push(metric.name.clone());
            }
        }
        if request.metrics.is_empty() {
            let in_use = |status| matches!(status, Status::Published | Status::Certified);
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
        let dialect = match request
            .dialect
            .unwrap_or_else(|| self.dialect_of(&self.connection()))
        {
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
            let found = review
                .findings
                .iter()
                .filter(|one| one.rule != Rule::Rebuilt);
            notes.extend(found.map(|finding| Note {
                at: format!("{path}:{}:{}", finding.line, finding.column),
                text: format!("governance {}: {}", finding.severity, finding.message),
            }));
        }
        notes
    }
}

fn unwritable(path: &Path, error: &io::Error) -> SessionError {
    SessionError::usage("write_failed", format!("{}: {error}", path.display()))
}

/// What a folder holds already.
#[derive(Debug, Default)]
struct Found {
    /// Whether it is a dbt project of somebody.
    has_project: bool,
    /// The models of that project.
    models: BTreeSet<String>,
    /// The metrics, in lower case, that metrex made models of.
    marts: BTreeSet<String>,
    /// The skills written down.
    skills: BTreeSet<String>,
}

impl Found {
    fn of(target: &Path) -> io::Result<Self> {
        let is_ours = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains(MARK));
        let project = target.join("dbt_project.yml");
        let mut found = Self {
            has_project: project.exists() && !is_ours(&project),
            ..Self::default()
        };
        for folder in ["models", "seeds", "snapshots"] {
            for path in files(&target.join(folder))? {
                let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
                    continue;
                };
                let is_model = path.extension().is_some_and(|ending| {
                    ["sql", "py", "csv"].iter().any(|known| ending == *known)
                });
                match (is_model, is_ours(&path)) {
                    (true, false) => {
                        found.models.insert(stem.to_owned());
                    }
                    (true, true) => {
                        let metric = stem.strip_prefix("mart_").map(str::to_owned);
                        found.marts.extend(metric);
                    }
                    (false, _) => {}
                }
            }
        }
        for path in files(&target.join("skills"))? {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            found.skills.extend(stem.map(str::to_owned));
        }
        Ok(found)
    }
}

/// The files below a folder; none where there is no such folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => left.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    Ok(found)
}
