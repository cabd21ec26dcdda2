//! Two versions of the definitions, folders or git revisions: which metrics mean something else, and by how much.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::git::{GitError, Repository};
use super::meaning::{Difference, differences};
use super::{Catalog, Change, Session, SessionError, Sides, Versions};
use crate::compile::reading;
use crate::model::MetricQuery;
use crate::registry::{Config, Project, ProjectError, ProjectFile, ProjectFiles, Severity, load};

/// Most metrics whose numbers are computed; the others are named.
const MOST_METRICS: usize = 20;

/// What became of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is there on the second side only.
    New,
    /// It is there on the first side only.
    Gone,
    /// It is another one.
    Changed,
}

/// A metric that is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDiff {
    /// The metric.
    pub metric: String,
    /// What became of it.
    pub fate: Fate,
    /// What differs in its meaning; of a new one, its meaning.
    pub differences: Vec<Difference>,
    /// What it means, in a sentence.
    pub reading: Sides<Option<String>>,
    /// Its SQL by default, or why there is none.
    pub sql: Sides<Result<String, String>>,
}

impl MetricDiff {
    /// Whether the warehouse is asked something else.
    pub fn asks_otherwise(&self) -> bool {
        self.sql.before != self.sql.after
    }
}

/// All that is not the same.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionDiff {
    /// The metrics, in the order of the files.
    pub metrics: Vec<MetricDiff>,
    /// Definitions with an error on either side, which are left out.
    pub errors: Sides<usize>,
    /// The numbers, where they were asked for.
    pub numbers: Option<Change>,
}

/// What is compared, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffRequest {
    /// The first side: a folder or a git revision.
    pub before: String,
    /// The second side; none: the project as it is now.
    pub after: Option<String>,
    /// Whether the numbers are computed.
    pub numbers: bool,
    /// The dimension to compare them by; none takes one with few values, for each metric.
    pub dimension: Option<String>,
}

impl Session {
    /// Compares two versions of the definitions; their numbers are those of the connection in use.
    ///
    /// # Errors
    /// A side is neither a project nor a revision, the connection fails, or it was cancelled.
    pub async fn diff(
        &self,
        request: DiffRequest,
        cancel: CancellationToken,
    ) -> Result<DefinitionDiff, SessionError> {
        let (session, asked) = (self.clone(), request.clone());
        let read = tokio::task::spawn_blocking(move || {
            let before = session.version_of(&asked.before)?;
            let after = match &asked.after {
                Some(after) => session.version_of(after)?,
                None => session.catalog(),
            };
            let found = session.differing(&before, &after);
            Ok::<_, SessionError>((before, after, found))
        });
        let (before, after, mut found) = read.await.map_err(|_| SessionError::interrupted())??;
        if request.numbers && !found.metrics.is_empty() {
            let versions = Versions {
                catalogs: Sides { before, after },
                metric: None,
                dimension: request.dimension,
                most: MOST_METRICS,
            };
            found.numbers = Some(self.compare(versions, cancel).await?);
        }
        Ok(found)
    }

    /// The definitions of a folder or a git revision.
    fn version_of(&self, side: &str) -> Result<Arc<Catalog>, SessionError> {
        let (files, config) = match Project::find(Some(Path::new(side))) {
            Ok(project) => (project.files(), project.config),
            Err(folder @ (ProjectError::NotFound(_) | ProjectError::NotAProject(_))) => {
                let root = self.project().root.as_deref();
                let repository = root.and_then(Repository::find);
                let Some((repository, root)) = repository.zip(root) else {
                    return Err(folder.into());
                };
                at_revision(&repository, root, side)?
            }
            Err(broken) => return Err(broken.into()),
        };
        let loaded = load(&files, &config, None);
        Ok(Arc::new(Catalog::new(
            loaded.registry,
            loaded.diagnostics,
            0,
        )))
    }

    fn differing(&self, before: &Catalog, after: &Catalog) -> DefinitionDiff {
        let (old, new) = (&before.registry.metrics, &after.registry.metrics);
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        let mut metrics = Vec::new();
        for name in new.keys().chain(gone) {
            let fate = match (old.contains_key(name), new.contains_key(name)) {
                (false, _) => Fate::New,
                (_, false) => Fate::Gone,
                _ => Fate::Changed,
            };
            let reading = |catalog: &Catalog| {
                let metric = catalog.registry.metrics.get(name);
                metric.map(|metric| reading(&catalog.registry, metric))
            };
            let found = MetricDiff {
                metric: name.clone(),
                fate,
                differences: differences(&before.registry, &after.registry, name),
                reading: Sides {
                    before: reading(before),
                    after: reading(after),
                },
                sql: Sides {
                    before: self.sql_in(before, name),
                    after: self.sql_in(after, name),
                },
            };
            if fate != Fate::Changed || !found.differences.is_empty() || found.asks_otherwise() {
                metrics.push(found);
            }
        }
        let errors = |catalog: &Catalog| {
            let found = catalog.diagnostics.iter();
            found.filter(|one| one.severity == Severity::Error).count()
        };
        DefinitionDiff {
            metrics,
            errors: Sides {
                before: errors(before),
                after: errors(after),
            },
            numbers: None,
        }
    }

    /// The SQL of a metric by default.
    fn sql_in(&self, catalog: &Catalog, metric: &str) -> Result<String, String> {
        if !catalog.registry.metrics.contains_key(metric) {
            return Err(format!("there is no metric '{metric}'"));
        }
        let query = MetricQuery {
            metrics: vec![metric.to_owned()],
            ..MetricQuery::default()
        };
        let compiled = self.compile_in(catalog, &query);
        compiled
            .map(|compiled| compiled.main.sql)
            .map_err(|error| error.message)
    }
}

/// The files of a project as they were committed.
fn at_revision(
    repository: &Repository,
    root: &Path,
    revision: &str,
) -> Result<(ProjectFiles, Config), SessionError> {
    let failed = |error: GitError| SessionError::usage("git", error.to_string());
    let commit = repository.commit_of(revision).map_err(|_| {
        let message = format!("'{revision}' is neither a project's folder nor a revision of git");
        SessionError::usage("git", message)
    })?;
    let mut files = ProjectFiles::default();
    let mut config = String::new();
    for path in repository.files_of(&commit).map_err(failed)? {
        let text = || repository.text_of(&commit, &path).map_err(failed);
        let name = path.rsplit('/').next().unwrap_or(&path);
        let is_hidden = path.split('/').any(|part| part.starts_with('.')) || name.ends_with('~');
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if path == "metrex.yaml" {
            config = text()?;
        } else if path.starts_with("metrics/") && is_yaml && !is_hidden {
            let text = text()?;
            files.metrics.push(ProjectFile { path, text });
        } else if path.starts_with("snippets/") && !is_hidden {
            let text = text()?;
            files.snippets.push(ProjectFile { path, text });
        }
    }
    for group in [&mut files.metrics, &mut files.snippets] {
        group.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let config = Config::read(&config, root).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        let message = format!("metrex.yaml of {revision}: {}", first.unwrap_or_default());
        SessionError::usage("config", message)
    })?;
    Ok((files, config))
}
