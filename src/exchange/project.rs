//! What an import makes: the files of a project, written where nothing is in their way.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{ExchangeError, Note, emit};

/// Definitions of another tool in metrex's words.
#[derive(Debug, Default)]
pub struct Import {
    /// Whose rules apply where two readings are possible; none for metrex's own.
    conventions: Option<&'static str>,
    /// Files in `metrics/`: name without ending, content.
    files: Vec<(String, Map<String, Value>)>,
    /// What `metrex.yaml` says about the calendar.
    pub(super) calendar: Option<Value>,
    /// What could not be carried over as it stood.
    pub notes: Vec<Note>,
}

impl Import {
    /// An import without definitions yet.
    pub(super) fn new(conventions: &'static str) -> Self {
        Self {
            conventions: Some(conventions).filter(|word| *word != "metrex"),
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
        if let Some(conventions) = self.conventions {
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
        let found: Vec<String> = files
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| target.join(name).exists())
            .collect();
        if !found.is_empty() {
            return Err(ExchangeError::Exists {
                target: target.display().to_string(),
                files: found,
            });
        }
        let io = |source| ExchangeError::Io {
            path: target.display().to_string(),
            source,
        };
        fs::create_dir_all(target.join("metrics")).map_err(io)?;
        // metrex.yaml makes a folder a project: it comes last.
        for (name, text) in files.iter().rev() {
            fs::write(target.join(name), text).map_err(io)?;
        }
        Ok(files.into_iter().map(|(name, _)| name).collect())
    }
}
