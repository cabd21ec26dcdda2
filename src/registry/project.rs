//! Finds a project and reads its files: a folder with `metrex.yaml` or `metrics/`, or the embedded demo.

use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::config::Config;
use super::diagnostic::{Diagnostic, Severity};

static METRICS: Dir = include_dir!("$CARGO_MANIFEST_DIR/metrics");
static SNIPPETS: Dir = include_dir!("$CARGO_MANIFEST_DIR/snippets");
static TEMPLATES: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");
static THEMES: Dir = include_dir!("$CARGO_MANIFEST_DIR/themes");
const DEMO_CONFIG: &str = include_str!("../../metrex.yaml");

/// Name of the configuration file.
const CONFIG_FILE: &str = "metrex.yaml";
/// Deepest folder that is looked into.
const MAX_FOLDERS: usize = 16;

/// A project that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No such folder.
    #[error("there is no folder {}", .0.display())]
    NotFound(PathBuf),
    /// A folder, but not a project.
    #[error("{} holds no project: neither metrex.yaml nor a metrics folder — `metrex init` makes one", .0.display())]
    NotAProject(PathBuf),
    /// The configuration cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The configuration has errors.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Config(Vec<Diagnostic>),
}

/// A project: where it is and how it is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Name of its folder; `demo` for the embedded one.
    pub name: String,
    /// Its folder; `None` is the embedded demo.
    pub root: Option<PathBuf>,
    /// For the demo: the folder of the files that were changed in it.
    pub changes: Option<PathBuf>,
    /// Its configuration.
    pub config: Config,
}

/// One file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// Path relative to the project, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl ProjectFile {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// The files of a project, each group sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFiles {
    /// `metrics/**/*.yaml` and `*.yml`.
    pub metrics: Vec<ProjectFile>,
    /// `snippets/*`.
    pub snippets: Vec<ProjectFile>,
    /// `templates/**/*.j2`: the built-in ones, replaced by the project's own of the same name.
    pub templates: Vec<ProjectFile>,
    /// `themes/*`: the built-in ones, replaced by the project's own of the same name.
    pub themes: Vec<ProjectFile>,
    /// Files that cannot be read.
    pub problems: Vec<Diagnostic>,
}

impl Project {
    /// The project in `start`, or without one the nearest project at or above the current folder, or the demo.
    ///
    /// # Errors
    /// `start` is no project, or the project's configuration is unreadable or wrong.
    pub fn find(start: Option<&Path>) -> Result<Self, ProjectError> {
        if let Some(start) = start {
            let folder = match start.parent() {
                Some(parent) if start.ends_with(CONFIG_FILE) => parent,
                _ => start,
            };
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            return match folder.canonicalize() {
                Ok(folder) if is_project(&folder) => Self::open(&folder),
                Ok(folder) => Err(ProjectError::NotAProject(folder)),
                Err(_) => Err(ProjectError::NotFound(start.to_owned())),
            };
        }
        let current = std::env::current_dir().ok();
        match current
            .iter()
            .flat_map(|current| current.ancestors())
            .find(|folder| is_project(folder))
        {
            Some(folder) => Self::open(folder),
            None => Self::demo(),
        }
    }

    /// The demo project that is embedded in the program.
    ///
    /// # Errors
    /// None that a released program meets: its own configuration is tested.
    pub fn demo() -> Result<Self, ProjectError> {
        let config = Config::read(DEMO_CONFIG, Path::new(".")).map_err(ProjectError::Config)?;
        Ok(Self {
            name: "demo".to_owned(),
            root: None,
            changes: None,
            config,
        })
    }

    /// The demo with the files of `changes` in the place of the embedded ones; writing into the project writes there.
    ///
    /// # Errors
    /// The `metrex.yaml` in it is unreadable or wrong.
    pub fn changed_in(self, changes: PathBuf) -> Result<Self, ProjectError> {
        let config = match read_config(&changes)? {
            text if text.is_empty() => self.config,
            text => Config::read(&text, &changes).map_err(ProjectError::Config)?,
        };
        Ok(Self {
            changes: Some(changes),
            config,
            ..self
        })
    }

    /// The project as it is configured by now.
    ///
    /// # Errors
    /// As when it was opened.
    pub fn again(&self) -> Result<Self, ProjectError> {
        match (&self.root, &self.changes) {
            (Some(root), _) => Self::find(Some(root)),
            (None, Some(changes)) => Self::demo()?.changed_in(changes.clone()),
            (None, None) => Self::demo(),
        }
    }

    /// The text of a file that is embedded.
    pub fn embedded(path: &str) -> Option<&'static str> {
        if path == CONFIG_FILE {
            return Some(DEMO_CONFIG);
        }
        let (folder, name) = path.split_once('/')?;
        let dir = match folder {
            "metrics" => &METRICS,
            "snippets" => &SNIPPETS,
            "templates" => &TEMPLATES,
            "themes" => &THEMES,
            _ => return None,
        };
        dir.get_file(name)?.contents_utf8()
    }

    /// The folder that files are written to: its own, or that of the demo's changes.
    pub fn folder(&self) -> Option<&Path> {
        self.root.as_deref().or(self.changes.as_deref())
    }

    fn open(root: &Path) -> Result<Self, ProjectError> {
        let text = read_config(root)?;
        let config = Config::read(&text, root).map_err(ProjectError::Config)?;
        let name = root.file_name().map_or_else(
            || "project".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        Ok(Self {
            name,
            root: Some(root.to_owned()),
            changes: None,
            config,
        })
    }

    /// Reads the project's files. What cannot be read is reported in [`ProjectFiles::problems`].
    pub fn files(&self) -> ProjectFiles {
        let mut files = ProjectFiles {
            templates: embedded("templates", &TEMPLATES),
            themes: embedded("themes", &THEMES),
            ..ProjectFiles::default()
        };
        if self.root.is_none() {
            files.metrics = embedded("metrics", &METRICS);
            files.snippets = embedded("snippets", &SNIPPETS);
        }
        if let Some(folder) = self.folder() {
            for (name, group) in [
                ("metrics", &mut files.metrics),
                ("snippets", &mut files.snippets),
                ("templates", &mut files.templates),
                ("themes", &mut files.themes),
            ] {
                let mut own = Vec::new();
                read_folder(folder, name, &mut own, &mut files.problems);
                replace(group, own);
            }
        }
        files
            .metrics
            .retain(|file| file.path.ends_with(".yaml") || file.path.ends_with(".yml"));
        files.templates.retain(|file| file.path.ends_with(".j2"));
        for group in [
            &mut files.metrics,
            &mut files.snippets,
            &mut files.templates,
            &mut files.themes,
        ] {
            group.sort_by(|a, b| a.path.cmp(&b.path));
        }
        files
    }
}

/// The text of the `metrex.yaml` in a folder; empty where there is none.
fn read_config(folder: &Path) -> Result<String, ProjectError> {
    let path = folder.join(CONFIG_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(ProjectError::Unreadable { path, error }),
    }
}

fn is_project(folder: &Path) -> bool {
    folder.join(CONFIG_FILE).is_file() || folder.join("metrics").is_dir()
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~')
}

fn embedded(folder: &str, dir: &Dir<'static>) -> Vec<ProjectFile> {
    let mut files = Vec::new();
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        if let Some(text) = file.contents_utf8()
            && !is_hidden(&path)
        {
            files.push(ProjectFile {
                path: format!("{folder}/{path}"),
                text: text.to_owned(),
            });
        }
    }
    files.extend(dir.dirs().flat_map(|dir| embedded(folder, dir)));
    files
}

fn replace(built_in: &mut Vec<ProjectFile>, own: Vec<ProjectFile>) {
    built_in.retain(|file| own.iter().all(|mine| mine.path != file.path));
    built_in.extend(own);
}

/// Reads `folder` and what is below it; a folder that does not exist is empty.
fn read_folder(
    root: &Path,
    folder: &str,
    files: &mut Vec<ProjectFile>,
    problems: &mut Vec<Diagnostic>,
) {
    let entries = match std::fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return problems.push(unreadable(folder, &error)),
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_hidden(&name) {
            continue;
        }
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            // Bounded, since a link may lead back up.
            if path.matches('/').count() < MAX_FOLDERS {
                read_folder(root, &path, files, problems);
            }
            continue;
        }
        match std::fs::read_to_string(entry.path()) {
            Ok(text) => files.push(ProjectFile { path, text }),
            Err(error) => problems.push(unreadable(&path, &error)),
        }
    }
}

fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    let message = match error.kind() {
        io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    Diagnostic {
        severity: Severity::Error,
        file: path.to_owned(),
        line: 0,
        column: 0,
        code: "file",
        message,
        found: String::new(),
        hint: None,
    }
}
