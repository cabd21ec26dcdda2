//! What an import makes: the files of a project, written where nothing is in their way.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ExchangeError, Note, emit};
use crate::model::Registry;
use crate::registry::{Config, ProjectFile, ProjectFiles, load};

/// Definitions of another tool in metrex's words.
#[derive(Debug, Default)]
pub struct Import {
    /// Whose rules apply where two readings are possible; none for metrex's own.
    conventions: Option<String>,
    /// Files in `metrics/`: name without ending, content.
    files: Vec<(String, Map<String, Value>)>,
    /// Files in `snippets/`.
    snippets: Vec<(String, String)>,
    /// What `metrex.yaml` says about the calendar.
    pub(super) calendar: Option<Value>,
    /// What could not be carried over as it stood.
    pub notes: Vec<Note>,
}

/// Definitions of ours in another tool's words.
#[derive(Debug)]
pub struct Export {
    /// Files by name, with their text.
    pub files: Vec<(String, String)>,
    /// What the other tool reads differently, or not at all.
    pub notes: Vec<Note>,
}

impl Export {
    /// Writes the files into a folder. Returns their names.
    ///
    /// # Errors
    /// A file of one of the names is there already, or the folder cannot be written.
    pub fn write(&self, target: &Path) -> Result<Vec<String>, ExchangeError> {
        write_files(target, &self.files)
    }
}

/// Writes files where none of their names is taken; the first one comes last.
fn write_files(target: &Path, files: &[(String, String)]) -> Result<Vec<String>, ExchangeError> {
    let names = files.iter().map(|(name, _)| name.clone());
    let found: Vec<String> = names
        .clone()
        .filter(|name| target.join(name).exists())
        .collect();
    if !found.is_empty() {
        return Err(ExchangeError::Exists {
            target: target.display().to_string(),
            files: found,
        });
    }
    let io = |path: &Path| {
        let path = path.display().to_string();
        move |source| ExchangeError::Io { path, source }
    };
    for (name, text) in files.iter().rev() {
        let path = target.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io(folder))?;
        }
        fs::write(&path, text).map_err(io(&path))?;
    }
    Ok(names.collect())
}

impl Import {
    /// An import without definitions yet.
    pub(super) fn new(conventions: &str) -> Self {
        Self {
            conventions: Some(conventions.to_owned()),
            ..Self::default()
        }
    }

    /// Adds a file with its sections; none where all of them are empty.
    pub(super) fn add_file(
        &mut self,
        name: &str,
        datasets: Map<String, Value>,
        metrics: Map<String, Value>,
        views: Map<String, Value>,
    ) {
        let sections = [
            ("datasets", datasets),
            ("metrics", metrics),
            ("views", views),
        ];
        let content: Map<String, Value> = sections
            .into_iter()
            .filter(|(_, section)| !section.is_empty())
            .map(|(key, section)| (key.to_owned(), Value::Object(section)))
            .collect();
        if !content.is_empty() {
            self.files.push((name.to_owned(), content));
        }
    }

    /// Adds a section to the file of a name.
    pub(super) fn add_section(&mut self, name: &str, key: &str, section: Map<String, Value>) {
        let file = self.files.iter_mut().find(|(known, _)| known == name);
        if let (Some((_, content)), false) = (file, section.is_empty()) {
            content.insert(key.to_owned(), Value::Object(section));
        }
    }

    /// Adds files in `snippets/`, by name.
    pub(super) fn add_snippets(&mut self, snippets: &Map<String, Value>) {
        for (name, text) in snippets {
            let text = text.as_str().unwrap_or_default().to_owned();
            self.snippets.push((format!("snippets/{name}"), text));
        }
    }

    /// Whose rules apply where two readings are possible.
    pub(super) fn set_conventions(&mut self, conventions: Option<&str>) {
        self.conventions = conventions.map(str::to_owned).or(self.conventions.take());
    }

    /// The metrics with their definitions.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
        let sections = self.files.iter();
        let metrics = sections.filter_map(|(_, content)| content.get("metrics")?.as_object());
        metrics
            .flatten()
            .filter_map(|(name, definition)| Some((name.as_str(), definition.as_object()?)))
    }

    /// What the definitions mean by themselves.
    pub fn registry(&self) -> Registry {
        let metrics = self.files.iter().map(|(name, content)| ProjectFile {
            path: format!("metrics/{name}.yaml"),
            text: emit::document(content),
        });
        let snippets = self.snippets.iter().map(|(path, text)| ProjectFile {
            path: path.clone(),
            text: text.clone(),
        });
        let files = ProjectFiles {
            metrics: metrics.collect(),
            snippets: snippets.collect(),
            ..ProjectFiles::default()
        };
        load(&files, &Config::default(), None).registry
    }

    /// How many definitions of a section there are.
    pub fn count(&self, section: &str) -> usize {
        let sections = self
            .files
            .iter()
            .filter_map(|(_, content)| content.get(section));
        sections.filter_map(Value::as_object).map(Map::len).sum()
    }

    /// Writes the project; `connection` are the lines of the entry of `metrex.yaml` that it is used with. Returns the
    /// files' names.
    ///
    /// # Errors
    /// A file of one of the names is there already, or the folder cannot be written.
    pub fn write(
        &self,
        target: &Path,
        connection: &[String],
    ) -> Result<Vec<String>, ExchangeError> {
        let mut config = Map::new();
        if let Some(calendar) = &self.calendar {
            config.insert("calendar".to_owned(), calendar.clone());
        }
        if let Some(conventions) = &self.conventions {
            config.insert("conventions".to_owned(), json!(conventions));
        }
        let mut text = String::new();
        if !connection.is_empty() {
            text.push_str("connections:\n  warehouse:\n");
            connection
                .iter()
                .for_each(|line| text.push_str(&format!("    {line}\n")));
        }
        text.push_str(&emit::document(&config));
        let mut files = vec![("metrex.yaml".to_owned(), text)];
        for (name, content) in &self.files {
            files.push((format!("metrics/{name}.yaml"), emit::document(content)));
        }
        files.extend(self.snippets.iter().cloned());
        // metrex.yaml makes a folder a project: it stands first, and is written last.
        write_files(target, &files)
    }
}
