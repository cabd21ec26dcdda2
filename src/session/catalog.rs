//! The definitions in force: loaded at start, reloaded on edits, where a file that got worse keeps its last good version.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use super::files::block;
use super::search::SearchIndex;
use super::{Session, SessionError};
use crate::ask::Lexicon;
use crate::ask::model::Prompts;
use crate::compile::{Bases, CompileError, DimensionChoice, Reachability, Templates};
use crate::govern::fingerprint;
use crate::model::{Metric, Place, Registry, Status, Step};
use crate::registry::{
    Config, Diagnostic, Loaded, Project, ProjectError, ProjectFile, ProjectFiles, Severity, load,
};

/// The definitions in force.
pub struct Catalog {
    /// Metrics, datasets, snippets and saved queries.
    pub registry: Registry,
    /// Which metric reaches which dimension.
    pub reach: Reachability,
    /// Everything that is wrong in the files as they are now, also in those that keep their last good version.
    pub diagnostics: Vec<Diagnostic>,
    /// Counts the versions, from 1.
    pub generation: u64,
    /// Whether the project has rules of review.
    pub has_review: bool,
    /// Found out when it is first asked for.
    bases: OnceLock<Bases>,
    /// Certified metrics that mean something else than when they were certified, with the day of that.
    changed: OnceLock<HashMap<String, Option<Date>>>,
}

impl Catalog {
    /// The catalog of a registry.
    pub fn new(registry: Registry, diagnostics: Vec<Diagnostic>, generation: u64) -> Self {
        Self {
            reach: Reachability::new(&registry),
            registry,
            diagnostics,
            generation,
            has_review: false,
            bases: OnceLock::new(),
            changed: OnceLock::new(),
        }
    }

    /// The short hash of what a metric means.
    pub fn fingerprint(&self, metric: &str) -> Option<String> {
        let metric = self.registry.metrics.get(metric)?;
        Some(fingerprint(&self.registry, metric))
    }

    /// Whether a certified metric means something else than when it was certified.
    pub fn has_changed(&self, metric: &Metric) -> bool {
        self.changed_since(metric).is_some()
    }

    /// The day on which a metric was certified that means something else since, where that is known.
    pub(super) fn changed_since(&self, metric: &Metric) -> Option<Option<Date>> {
        let changed = self.changed.get_or_init(|| {
            let certified = self.registry.metrics.values();
            let certified = certified.filter(|metric| metric.status == Status::Certified);
            let changed = certified.filter_map(|metric| {
                let mut steps = metric.history.iter().rev();
                let last = steps.find(|event| event.step == Step::Certified)?;
                let of = last.of.as_ref()?;
                (*of != fingerprint(&self.registry, metric)).then(|| (metric.name.clone(), last.on))
            });
            changed.collect()
        });
        changed.get(&metric.name).copied()
    }

    /// What its metrics stand on.
    pub fn bases(&self) -> &Bases {
        self.bases.get_or_init(|| Bases::new(&self.registry))
    }
}

/// What a reload did.
#[derive(Debug, Clone, PartialEq)]
pub struct Reload {
    /// Whether definitions or diagnostics are different now.
    pub changed: bool,
    /// Every error in the files as they are now.
    pub errors: Vec<Diagnostic>,
}

/// A catalog with what is derived from it, and the files it was read from.
pub(super) struct Version {
    pub(super) catalog: Arc<Catalog>,
    /// Prepared at the first search; most commands never search.
    search: OnceLock<SearchIndex>,
    /// Prepared at the first question.
    lexicon: OnceLock<Lexicon>,
    pub(super) templates: Arc<Templates>,
    pub(super) prompts: Arc<Prompts>,
    files: ProjectFiles,
    errors: HashMap<String, usize>,
    /// What `metrex.yaml` says by now.
    config: Arc<Config>,
}

impl Version {
    /// Loads the project for the first time.
    ///
    /// # Errors
    /// A template of the project does not parse.
    pub(super) fn open(project: &Project, cache: &Path) -> Result<Self, SessionError> {
        let files = project.files();
        let templates = templates(&files)?;
        let prompts =
            prompts(&files).map_err(|message| SessionError::usage("template", message))?;
        let loaded = load(&files, &project.config, Some(cache));
        let errors = errors_by_file(&loaded.diagnostics);
        Ok(Self::new(
            loaded.registry,
            loaded.diagnostics,
            (templates, prompts),
            (files, errors),
            Arc::new(project.config.clone()),
            1,
        ))
    }

    /// Other definitions than those in force; they look and ask as these do.
    pub(super) fn supposed(
        version: &Self,
        loaded: Loaded,
        files: ProjectFiles,
        generation: u64,
    ) -> Self {
        let errors = errors_by_file(&loaded.diagnostics);
        Self::new(
            loaded.registry,
            loaded.diagnostics,
            (version.templates.clone(), version.prompts.clone()),
            (files, errors),
            version.config.clone(),
            generation,
        )
    }

    fn new(
        registry: Registry,
        diagnostics: Vec<Diagnostic>,
        (templates, prompts): (Arc<Templates>, Arc<Prompts>),
        (files, errors): (ProjectFiles, HashMap<String, usize>),
        config: Arc<Config>,
        generation: u64,
    ) -> Self {
        let catalog = Catalog {
            has_review: config.review.is_some(),
            ..Catalog::new(registry, diagnostics, generation)
        };
        Self {
            catalog: Arc::new(catalog),
            search: OnceLock::new(),
            lexicon: OnceLock::new(),
            templates,
            prompts,
            files,
            errors,
            config,
        }
    }

    /// The text of a definition, whole for a snippet.
    pub(super) fn definition(&self, place: Place) -> String {
        let path = self.catalog.registry.file(place);
        let find = |file: &&ProjectFile| file.path == path;
        match self.files.snippets.iter().find(find) {
            Some(snippet) => snippet.text.clone(),
            None => {
                let file = self.files.metrics.iter().find(find);
                file.map_or_else(String::new, |file| block(&file.text, place.line))
            }
        }
    }

    /// The texts that the catalog was read from.
    pub(super) fn files(&self) -> &ProjectFiles {
        &self.files
    }

    pub(super) fn search(&self) -> &SearchIndex {
        self.search
            .get_or_init(|| SearchIndex::new(Arc::clone(&self.catalog)))
    }

    pub(super) fn lexicon(&self) -> &Lexicon {
        self.lexicon
            .get_or_init(|| Lexicon::new(&self.catalog.registry, &self.catalog.reach))
    }
}

impl Session {
    /// The definitions in force.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.version().catalog.clone()
    }

    /// Reads the files again. A file with more errors than before keeps its last good definitions; if even then
    /// something that worked would be lost, all definitions stay as they are. Every error is reported either way.
    pub fn reload(&self) -> Reload {
        let old = self.version();
        let project = self.project();
        let files = project.files();
        let loaded = load(&files, &project.config, Some(&self.state().cache()));
        let mut diagnostics = loaded.diagnostics.clone();
        let templates = templates(&files).unwrap_or_else(|error| {
            diagnostics.push(broken_template(error.message, error.hint));
            old.templates.clone()
        });
        let prompts = prompts(&files).unwrap_or_else(|error| {
            diagnostics.push(broken_template(error, None));
            old.prompts.clone()
        });
        let (config, changes) = self.configuration_now(&old.config);
        diagnostics.extend(changes);
        let errors: Vec<_> = diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .cloned()
            .collect();
        let (registry, files, accepted) = keep_good(&old, loaded, files, |files| {
            load(files, &project.config, None)
        });
        let changed = registry != old.catalog.registry || diagnostics != old.catalog.diagnostics;
        if changed || files != old.files || config != old.config {
            let generation = old.catalog.generation + u64::from(changed);
            self.set_version(Version::new(
                registry,
                diagnostics,
                (templates, prompts),
                (files, accepted),
                config,
                generation,
            ));
        }
        tracing::info!(changed, errors = errors.len(), "reload");
        Reload { changed, errors }
    }

    /// What `metrex.yaml` says by now, or said when it could be read last. A face may follow how it is to look; all
    /// else holds as it was when the session was opened.
    pub fn configuration(&self) -> Arc<Config> {
        self.version().config.clone()
    }

    /// What `metrex.yaml` says by now, and what is wrong in it or needs a new session.
    fn configuration_now(&self, before: &Arc<Config>) -> (Arc<Config>, Vec<Diagnostic>) {
        let project = self.project();
        let change = |severity, message: String| Diagnostic {
            severity,
            file: "metrex.yaml".to_owned(),
            line: 0,
            column: 0,
            code: "config",
            message,
            found: String::new(),
            hint: None,
        };
        match project.again() {
            Ok(mut now) => {
                now.config.add_demo(&self.state().demo_database());
                // A connection that was asked for by its address is in no file.
                for name in project.config.connections.keys() {
                    if !now.config.connections.contains_key(name) {
                        now.config.add_address(name);
                    }
                }
                let later = project.config.needs_restart(&now.config);
                let message = format!("metrex.yaml: restart to use {}", later.join(", "));
                let changes = (!later.is_empty()).then(|| change(Severity::Warning, message));
                (Arc::new(now.config), changes.into_iter().collect())
            }
            Err(ProjectError::Config(problems)) => (before.clone(), problems),
            Err(error) => (
                before.clone(),
                vec![change(Severity::Error, error.to_string())],
            ),
        }
    }

    /// What a query over these metrics can be grouped and filtered by, with the reason where it cannot.
    pub fn dimensions(&self, metrics: &[String]) -> Vec<DimensionChoice> {
        let catalog = self.catalog();
        catalog.reach.choices(&catalog.registry, metrics)
    }
}

/// The registry to use from now on, with the texts it comes from and their errors by file.
fn keep_good(
    old: &Version,
    loaded: Loaded,
    files: ProjectFiles,
    load: impl FnOnce(&ProjectFiles) -> Loaded,
) -> (Registry, ProjectFiles, HashMap<String, usize>) {
    let errors = errors_by_file(&loaded.diagnostics);
    let allowed = |file: &str| old.errors.get(file).copied().unwrap_or(0);
    let worse: Vec<&str> = errors
        .iter()
        .filter(|(file, count)| **count > allowed(file))
        .map(|(file, _)| file.as_str())
        .collect();
    if worse.is_empty() {
        return (loaded.registry, files, errors);
    }
    let last_good = |path: &str| definitions(&old.files).find(|good| good.path == path);
    let mut patched = files;
    for file in patched.metrics.iter_mut().chain(&mut patched.snippets) {
        if worse.contains(&file.path.as_str())
            && let Some(good) = last_good(&file.path)
        {
            *file = good.clone();
        }
    }
    let loaded = load(&patched);
    let errors = errors_by_file(&loaded.diagnostics);
    if errors
        .iter()
        .all(|(file, count)| *count <= allowed(file) || last_good(file).is_none())
    {
        (loaded.registry, patched, errors)
    } else {
        (
            old.catalog.registry.clone(),
            old.files.clone(),
            old.errors.clone(),
        )
    }
}

fn errors_by_file(diagnostics: &[Diagnostic]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for found in diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
    {
        *counts.entry(found.file.clone()).or_default() += 1;
    }
    counts
}

/// The files definitions come from.
fn definitions(files: &ProjectFiles) -> impl Iterator<Item = &ProjectFile> {
    files.metrics.iter().chain(&files.snippets)
}

fn templates(files: &ProjectFiles) -> Result<Arc<Templates>, CompileError> {
    Templates::with_overrides(texts(files, |file| !is_prompt(file))).map(Arc::new)
}

fn prompts(files: &ProjectFiles) -> Result<Arc<Prompts>, String> {
    Prompts::new(texts(files, is_prompt)).map(Arc::new)
}

fn is_prompt(file: &ProjectFile) -> bool {
    file.path.starts_with("templates/prompts/")
}

/// The templates that are wanted, as (file name, text).
fn texts(files: &ProjectFiles, wanted: impl Fn(&ProjectFile) -> bool) -> Vec<(String, String)> {
    let found = files.templates.iter().filter(|file| wanted(file));
    found
        .map(|file| (file.name().to_owned(), file.text.clone()))
        .collect()
}

fn broken_template(message: String, hint: Option<String>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        file: "templates".to_owned(),
        line: 0,
        column: 0,
        code: "file",
        message,
        found: String::new(),
        hint,
    }
}
