//! Diagnostics: what is wrong in a project file, where, and what would be right.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::yaml::Text;
use super::{ProjectFile, nearest};
use crate::model::Place;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// The definition is left out.
    Error,
    /// The definition works, but perhaps not as meant.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One of [`CODES`]. Under a name of its own, since serde would borrow a plain `&str` from what it reads.
pub type Code = &'static str;

/// One problem in one project file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Path of the file, relative to the project.
    pub file: String,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Stable name of the kind of problem, one of [`CODES`].
    #[serde(deserialize_with = "known_code")]
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The offending text as written.
    pub found: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// Every kind of problem.
pub const CODES: [&str; 31] = [
    "alert",
    "alias_clash",
    "compile",
    "config",
    "cycle",
    "dependency",
    "dry_run",
    "duplicate_key",
    "duplicate_name",
    "duplicates",
    "expression",
    "file",
    "invalid_name",
    "invalid_value",
    "join_key",
    "metric_kind",
    "missing_key",
    "orphans",
    "overlaps",
    "sources",
    "time",
    "unknown_dataset",
    "unknown_dimension",
    "unknown_hypothesis",
    "unknown_key",
    "unknown_metric",
    "unknown_snippet",
    "unreached",
    "use_when",
    "view",
    "yaml",
];

/// Reads a code back as one of [`CODES`].
fn known_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
    let code = String::deserialize(deserializer)?;
    let known = CODES.into_iter().find(|known| *known == code);
    known.ok_or_else(|| serde::de::Error::custom("unknown code"))
}

impl Diagnostic {
    /// By file, then line, then column.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.line, one.column, one.severity);
        self.file
            .cmp(&other.file)
            .then_with(|| key(self).cmp(&key(other)))
    }
}

impl fmt::Display for Diagnostic {
    /// `metrics/a.yaml:12:5: error: unknown key 'agregate' — did you mean 'agg'?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}: {}", self.severity, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " — {hint}"),
            None => Ok(()),
        }
    }
}

/// `did you mean 'agg'?`, where one of the candidates is near.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|name| format!("did you mean '{name}'?"))
}

/// Collects diagnostics while files are read and definitions are built.
pub(crate) struct Sink<'a> {
    files: Vec<&'a ProjectFile>,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
}

impl<'a> Sink<'a> {
    /// An empty one for positions in `files`, which [`Place::file`] indexes.
    pub(crate) fn new(files: impl IntoIterator<Item = &'a ProjectFile>) -> Self {
        Self {
            files: files.into_iter().collect(),
            diagnostics: Vec::new(),
            errors: 0,
        }
    }

    /// Errors so far: a definition during which the number grew is broken.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The diagnostics in order of file and line.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by(Diagnostic::order);
        // An expression shared by several sources is checked with each.
        self.diagnostics.dedup();
        self.diagnostics
    }

    /// Reports an error.
    pub(crate) fn error(
        &mut self,
        code: Code,
        place: Place,
        found: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.errors += 1;
        self.report(Severity::Error, code, place, found, message.into(), hint);
    }

    /// Reports a warning.
    pub(crate) fn warning(
        &mut self,
        code: Code,
        place: Place,
        found: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.report(Severity::Warning, code, place, found, message.into(), hint);
    }

    fn report(
        &mut self,
        severity: Severity,
        code: Code,
        place: Place,
        found: &str,
        message: String,
        hint: Option<String>,
    ) {
        debug_assert!(CODES.contains(&code), "{code} is not listed");
        let file = self.path(place).to_owned();
        let Place { line, column, .. } = place;
        let found = found.to_owned();
        self.diagnostics.push(Diagnostic {
            severity,
            file,
            line,
            column,
            code,
            message,
            found,
            hint,
        });
    }

    fn path(&self, place: Place) -> &str {
        self.files
            .get(place.file.0 as usize)
            .map_or("", |file| &file.path)
    }

    /// `file:line` of a place, for messages about a second place.
    pub(crate) fn at(&self, place: Place) -> String {
        format!("{}:{}", self.path(place), place.line)
    }

    /// The place of the character at `offset` (in characters) inside a scalar.
    pub(crate) fn inside(&self, text: &Text, offset: usize) -> Place {
        let source = self
            .files
            .get(text.place.file.0 as usize)
            .map_or("", |file| &file.text);
        text.inside(source, offset)
    }
}
