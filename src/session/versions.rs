//! Two versions of the definitions, folders or git revisions: which metrics mean something else, and by how much.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::git::{GitError, Repository};
use super::meaning::{Difference, differences, metric_differences};
use super::{Catalog, Change, Session, SessionError, Sides, Versions};
use crate::compile::reading;
use crate::govern::fingerprint;
use crate::model::{MetricQuery, Registry};
use crate::registry::{
    Config, Diagnostic, Project, ProjectError, ProjectFile, ProjectFiles, Severity, edit, load,
};

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
    /// It has another name on the second side, and means the same.
    Renamed,
    /// The second side has it, too, but with an error.
    Broken,
    /// It is another one.
    Changed,
}

/// A metric that is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricDiff {
    /// The metric, as it is called on the second side where it is there.
    pub metric: String,
    /// What became of it.
    pub fate: Fate,
    /// The name of one that was renamed on the first side.
    pub was: Option<String>,
    /// What differs in its meaning; of a new one, its meaning.
    pub differences: Vec<Difference>,
    /// What it means, in a sentence.
    pub reading: Sides<Option<String>>,
    /// Its SQL by default, or why there is none.
    pub sql: Sides<Result<String, String>>,
}

impl MetricDiff {
    /// Whether the warehouse is asked something else; another name of the same is nothing else.
    pub fn asks_otherwise(&self) -> bool {
        self.fate != Fate::Renamed && self.sql.before != self.sql.after
    }
}

/// All that is not the same.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionDiff {
    /// The metrics, in the order of the files.
    pub metrics: Vec<MetricDiff>,
    /// The errors on either side; what has one is left out.
    pub errors: Sides<Vec<Diagnostic>>,
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
                None => Version {
                    catalog: session.catalog(),
                    files: session.project().files(),
                },
            };
            let found = session.differing(&before, &after);
            Ok::<_, SessionError>((before.catalog, after.catalog, found))
        });
        let (before, after, mut found) = read.await.map_err(|_| SessionError::interrupted())??;
        let is_other = |one: &MetricDiff| !matches!(one.fate, Fate::Renamed | Fate::Broken);
        if request.numbers && found.metrics.iter().any(is_other) {
            let versions = Versions {
                catalogs: Sides { before, after },
                metric: None,
                dimension: request.dimension,
                most: MOST_METRICS,
            };
            let mut numbers = self.compare(versions, cancel).await?;
            // Those that were renamed have theirs, and what is gone or broken has been told.
            let told = |name: &String, fates: &[Fate]| {
                let mut all = found.metrics.iter();
                all.any(|one| {
                    fates.contains(&one.fate)
                        && (one.metric == *name || one.was.as_ref() == Some(name))
                })
            };
            numbers
                .figures
                .retain(|one| !told(&one.metric, &[Fate::Renamed]));
            numbers.further.retain(|one| !told(one, &[Fate::Renamed]));
            let fates = [Fate::Gone, Fate::Renamed, Fate::Broken];
            numbers.broken.retain(|(one, _)| !told(one, &fates));
            found.numbers = Some(numbers);
        }
        Ok(found)
    }

    /// The definitions of a folder or a git revision.
    fn version_of(&self, side: &str) -> Result<Version, SessionError> {
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
        let catalog = Arc::new(Catalog::new(loaded.registry, loaded.diagnostics, 0));
        Ok(Version { catalog, files })
    }

    /// The session over the definitions as they were committed last before a day, with the short name of the commit; `None`
    /// outside of git, and where nothing had been committed yet.
    ///
    /// # Errors
    /// git fails, or the files of then cannot be read.
    pub(super) fn as_of(&self, day: Date) -> Result<Option<(String, Self)>, SessionError> {
        let root = self.project().root.as_deref();
        let Some((repository, root)) = root.and_then(Repository::find).zip(root) else {
            return Ok(None);
        };
        let before = format!("--before={day}T00:00:00Z");
        let found = repository.git(&["rev-list", "-1", "--abbrev-commit", &before, "HEAD"]);
        let Some(commit) = found.ok().filter(|commit| !commit.is_empty()) else {
            return Ok(None);
        };
        let (files, config) = at_revision(&repository, root, &commit)?;
        let loaded = load(&files, &config, None);
        Ok(Some((commit, self.supposing(loaded, files))))
    }

    fn differing(&self, before: &Version, after: &Version) -> DefinitionDiff {
        let (old, new) = (
            &before.catalog.registry.metrics,
            &after.catalog.registry.metrics,
        );
        let renamed = renamed(&before.catalog.registry, &after.catalog.registry);
        let gone = old
            .keys()
            .filter(|name| !new.contains_key(*name) && !renamed.values().any(|was| was == *name));
        let mut metrics = Vec::new();
        for name in new.keys().chain(gone) {
            let was = renamed.get(name);
            let fate = match (old.contains_key(name), new.contains_key(name)) {
                _ if was.is_some() => Fate::Renamed,
                (false, _) => Fate::New,
                (_, false) if after.writes(name) => Fate::Broken,
                (_, false) => Fate::Gone,
                _ => Fate::Changed,
            };
            let first = was.unwrap_or(name);
            let reading = |version: &Version, name: &str| {
                let registry = &version.catalog.registry;
                let metric = registry.metrics.get(name);
                metric.map(|metric| reading(registry, metric))
            };
            let found = MetricDiff {
                metric: name.clone(),
                fate,
                was: was.cloned(),
                differences: match (old.get(first), new.get(name)) {
                    (Some(old), Some(new)) if fate == Fate::Renamed => metric_differences(old, new),
                    _ => differences(&before.catalog.registry, &after.catalog.registry, name),
                },
                reading: Sides {
                    before: reading(before, first),
                    after: reading(after, name),
                },
                sql: Sides {
                    before: self.sql_in(&before.catalog, first),
                    after: match fate {
                        Fate::Broken => Err("its definition has an error".to_owned()),
                        _ => self.sql_in(&after.catalog, name),
                    },
                },
            };
            if fate != Fate::Changed || !found.differences.is_empty() || found.asks_otherwise() {
                metrics.push(found);
            }
        }
        let errors = |version: &Version| {
            let found = version.catalog.diagnostics.iter();
            let errors = found.filter(|one| one.severity == Severity::Error);
            errors.cloned().collect()
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

/// One side: the definitions as they are read, and as they are written.
struct Version {
    catalog: Arc<Catalog>,
    files: ProjectFiles,
}

impl Version {
    /// Whether a metric is written, be it with an error.
    fn writes(&self, metric: &str) -> bool {
        let mut files = self.files.metrics.iter();
        files.any(|file| edit::body(&file.text, "metrics", metric).is_some())
    }
}

/// Metrics that are there under another name only, with their name before.
fn renamed(before: &Registry, after: &Registry) -> BTreeMap<String, String> {
    let alone = |one: &Registry, other: &Registry| -> Vec<(String, String)> {
        let metrics = one.metrics.values();
        let metrics = metrics.filter(|metric| !other.metrics.contains_key(&metric.name));
        let hashed = metrics.map(|metric| (fingerprint(one, metric), metric.name.clone()));
        hashed.collect()
    };
    let mut gone = alone(before, after);
    let mut found = BTreeMap::new();
    for (hash, name) in alone(after, before) {
        if let Some(at) = gone.iter().position(|(old, _)| *old == hash) {
            found.insert(name, gone.swap_remove(at).1);
        }
    }
    found
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
