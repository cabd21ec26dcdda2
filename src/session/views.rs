//! Saved queries of the project: written into its files, and taken out again.

use std::path::Path;

use super::whole_file::write_whole;
use super::{Session, SessionError};
use crate::exchange::saved_query;
use crate::model::MetricQuery;
use crate::registry::{Loaded, ProjectFile, ProjectFiles, Severity, load};

/// The file that new ones go to.
const FILE: &str = "metrics/bookmarks.yaml";

/// A query to be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedQuery {
    /// Its name.
    pub name: String,
    /// What it shows, in plain words; may be empty.
    pub description: String,
    /// The query.
    pub query: MetricQuery,
}

impl Session {
    /// Saves a query in the project, one of the same name only where `replace` says so. Returns the file.
    ///
    /// # Errors
    /// The code is `view_exists` where the name is taken and `replace` does not say so. Else the name is no
    /// name, or the file cannot be written or would not read as meant; nothing is changed then.
    pub fn save_view(&self, view: &SavedQuery, replace: bool) -> Result<String, SessionError> {
        let refuse = |code, message: String| Err(SessionError::usage(code, message));
        let name = &view.name;
        let _lock = self.lock()?;
        let files = self.project().files();
        let before = self.read_as(&files);
        if before.registry.metric(name).is_some() {
            return refuse("view_name", format!("'{name}' is the name of a metric"));
        }
        let path = match before.registry.views.get(name) {
            Some(old) if !replace => {
                let at = before.registry.at(old.place);
                return refuse(
                    "view_exists",
                    format!("'{name}' is saved already ({at}): {}", old.query),
                );
            }
            Some(old) => before.registry.file(old.place).to_owned(),
            None => FILE.to_owned(),
        };
        let (line, about) = (view.query.to_string(), view.description.trim());
        let text = saved_query::put(
            text_of(&files, &path).unwrap_or_default(),
            name,
            &line,
            about,
        );
        self.write_checked(&path, text, files, &before, |after| {
            let saved = after.registry.views.get(name);
            saved.is_some_and(|saved| saved.query == view.query && saved.description == about)
        })?;
        Ok(path)
    }

    /// Takes a saved query out of the project. Returns the file it was in.
    ///
    /// # Errors
    /// There is none of this name, or the file cannot be written; nothing is changed then.
    pub fn delete_view(&self, name: &str) -> Result<String, SessionError> {
        let _lock = self.lock()?;
        let files = self.project().files();
        let before = self.read_as(&files);
        let Some(old) = before.registry.views.get(name) else {
            let message = format!("there is no saved query '{name}'");
            return Err(SessionError::usage("view_name", message));
        };
        let path = before.registry.file(old.place).to_owned();
        let text = saved_query::take(text_of(&files, &path).unwrap_or_default(), name);
        self.write_checked(&path, text, files, &before, |after| {
            !after.registry.views.contains_key(name)
        })?;
        Ok(path)
    }

    fn read_as(&self, files: &ProjectFiles) -> Loaded {
        load(files, &self.project().config, None)
    }

    /// Writes a file, if the project then reads as meant and has no more errors than before.
    fn write_checked(
        &self,
        path: &str,
        text: Option<String>,
        files: ProjectFiles,
        before: &Loaded,
        is_meant: impl Fn(&Loaded) -> bool,
    ) -> Result<(), SessionError> {
        let folder = self.project().folder().unwrap_or(Path::new("."));
        let by_hand = || {
            let message = format!("{path} is written in a way that only a person can change");
            SessionError::usage("view_file", message)
        };
        // A file that cannot be read is not taken for one that is not there.
        let is_unread = text_of(&files, path).is_none() && folder.join(path).exists();
        let text = text.filter(|_| !is_unread).ok_or_else(by_hand)?;
        let after = self.read_as(&with_text(files, path, &text));
        let errors = |loaded: &Loaded| {
            let problems = loaded.diagnostics.iter();
            let errors = problems.filter(|problem| problem.severity == Severity::Error);
            let told = errors.map(|error| format!("{}: {}", error.file, error.message));
            told.collect::<Vec<_>>()
        };
        let old = errors(before);
        if let Some(new) = errors(&after)
            .into_iter()
            .find(|error| !old.contains(error))
        {
            return Err(SessionError::usage("view_file", new));
        }
        if !is_meant(&after) {
            return Err(by_hand());
        }
        write_whole(&folder.join(path), &text).map_err(|error| {
            SessionError::usage("view_file", format!("{path} cannot be written: {error}"))
        })
    }
}

/// The text of a file; none where it does not exist yet.
fn text_of<'f>(files: &'f ProjectFiles, path: &str) -> Option<&'f str> {
    let file = files.metrics.iter().find(|file| file.path == path)?;
    Some(&file.text)
}

/// The files with another text in one of them.
fn with_text(mut files: ProjectFiles, path: &str, text: &str) -> ProjectFiles {
    files.metrics.retain(|file| file.path != path);
    let at = files
        .metrics
        .partition_point(|file| file.path.as_str() < path);
    let (path, text) = (path.to_owned(), text.to_owned());
    files.metrics.insert(at, ProjectFile { path, text });
    files
}
