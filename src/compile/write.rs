//! Writes a plan with minijinja templates and keeps, for each line of the SQL, the definitions that produced it.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::{CompileError, ErrorCode};
use crate::model::Place;

/// The templates that come with the program.
const BUILTIN: [(&str, &str); 2] = [
    ("query.sql.j2", include_str!("../../templates/query.sql.j2")),
    (
        "select.sql.j2",
        include_str!("../../templates/select.sql.j2"),
    ),
];

/// A piece of finished SQL and the definitions it comes from: the only thing a template can print.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(into = "String")]
pub struct Fragment {
    pub(super) sql: String,
    pub(super) places: Vec<Place>,
}

impl Fragment {
    pub(super) fn new(sql: impl Into<String>, places: impl IntoIterator<Item = Place>) -> Self {
        Self {
            sql: sql.into(),
            places: places.into_iter().filter(|place| place.line > 0).collect(),
        }
    }

    pub(super) fn plain(sql: impl Into<String>) -> Self {
        Self::new(sql, [])
    }

    /// `sql AS name`, where that says anything.
    pub(super) fn alias(self, name: &str) -> Self {
        if self.sql == name {
            self
        } else {
            Self {
                sql: format!("{} AS {name}", self.sql),
                ..self
            }
        }
    }

    /// With words before it.
    pub(super) fn prefixed(&self, words: &str) -> Self {
        Self {
            sql: format!("{words}{}", self.sql),
            places: self.places.clone(),
        }
    }

    /// With words after it.
    pub(super) fn suffixed(&self, words: &str) -> Self {
        Self {
            sql: format!("{}{words}", self.sql),
            places: self.places.clone(),
        }
    }

    pub(super) fn value(self) -> Value {
        Value::from_object(self)
    }
}

impl From<Fragment> for String {
    fn from(fragment: Fragment) -> Self {
        fragment.sql
    }
}

impl Object for Fragment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

/// A map for a template.
pub(super) fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::from(BTreeMap::from(entries))
}

/// The compiled templates of a project.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The templates that come with the program.
    ///
    /// # Errors
    /// `Template`, if a built-in template does not parse.
    pub fn builtin() -> Result<Self, CompileError> {
        Self::with_overrides(Vec::new())
    }

    /// The built-in templates with some replaced or added by a project: (file name, text).
    ///
    /// # Errors
    /// `Template`, naming the file and line that does not parse.
    pub fn with_overrides(overrides: Vec<(String, String)>) -> Result<Self, CompileError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // Only finished SQL can be printed, so that no template can leave out the quoting.
        environment.set_formatter(|out, _, value| {
            let refused = |why: String| Error::new(ErrorKind::InvalidOperation, why);
            let Some(fragment) = value.downcast_object_ref::<Fragment>() else {
                return Err(refused(format!(
                    "templates print only SQL that metrex has written, not '{value}'"
                )));
            };
            if fragment.sql.contains(MARK) {
                return Err(refused(
                    "the control character U+0001 cannot be used".to_owned(),
                ));
            }
            let tags = || fragment.places.iter().copied().map(Tag);
            // A piece of several lines comes from its definitions in each of them.
            let written = fragment
                .sql
                .split('\n')
                .enumerate()
                .try_for_each(|(n, line)| {
                    if n > 0 {
                        out.write_char('\n')?;
                    }
                    out.write_str(line)?;
                    tags().try_for_each(|tag| write!(out, "{tag}"))
                });
            written.map_err(|_| Error::new(ErrorKind::WriteFailure, "the SQL could not be written"))
        });
        for (name, text) in BUILTIN {
            environment
                .add_template(name, text)
                .map_err(|error| failed(&error))?;
        }
        for (name, text) in overrides {
            environment
                .add_template_owned(name, text)
                .map_err(|error| failed(&error))?;
        }
        Ok(Self { environment })
    }

    /// The SQL of a template over `values`, and the definitions behind each of its lines.
    pub(super) fn write(
        &self,
        template: &str,
        values: Value,
    ) -> Result<(String, Vec<Vec<Place>>), CompileError> {
        let text = self
            .environment
            .get_template(template)
            .and_then(|template| template.render(values))
            .map_err(|error| failed(&error))?;
        let mut sql = String::with_capacity(text.len());
        let mut lines = Vec::new();
        for line in text.trim().split('\n') {
            let mut places = Vec::new();
            for (index, piece) in line.split(MARK).enumerate() {
                // Every second piece is what a tag holds.
                match (index % 2 == 1).then(|| untag(piece)).flatten() {
                    Some(place) if !places.contains(&place) => places.push(place),
                    Some(_) => {}
                    None => sql.push_str(piece),
                }
            }
            sql.push('\n');
            lines.push(places);
        }
        sql.pop();
        Ok((sql, lines))
    }
}

/// Encloses the origin of a fragment while a template is rendered.
const MARK: char = '\u{1}';

/// The origin of a fragment, until the template is written.
struct Tag(Place);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, column } = self.0;
        write!(f, "{MARK}{}:{line}:{column}{MARK}", file.0)
    }
}

fn untag(text: &str) -> Option<Place> {
    let mut numbers = text.split(':').map(str::parse::<u32>);
    let mut next = || numbers.next()?.ok();
    Some(Place {
        file: crate::model::FileId(next()?),
        line: next()?,
        column: next()?,
    })
}

fn failed(error: &Error) -> CompileError {
    let at = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("templates/{name}:{line}: "),
        (Some(name), None) => format!("templates/{name}: "),
        _ => String::new(),
    };
    let detail = error
        .detail()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    CompileError::new(ErrorCode::Template, format!("{at}{}{detail}", error.kind()))
}
