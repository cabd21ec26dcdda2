//! What governance has to say about a model: findings with a rule, a place and a hint, and what the model reads.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use super::template::Template;
use crate::model::Status;
use crate::registry::Severity;

/// What to do where only dbt knows the SQL.
pub(super) const COMPILED: &str = "`dbt compile` writes it out: govern target/compiled then";

/// What a model must keep to. The names in text form are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The text cannot be read.
    Syntax,
    /// A macro writes SQL that cannot be seen.
    Unseen,
    /// It reads a raw source.
    RawSource,
    /// It reads something that nobody has agreed on, or nothing that anybody has.
    NotCanonical,
    /// It reads a canonical dataset that is on its way out, or not agreed on yet.
    Status,
    /// It makes again what a canonical dataset or a metric is already.
    Rebuilt,
    /// Its joins or groups do not agree with what one row is.
    Grain,
    /// It compares an attribute with a value that it never has.
    Value,
    /// Personal data leaves its dataset.
    Personal,
    /// It names a table where dbt needs a reference.
    Reference,
    /// Its incremental settings do not fit together.
    Incremental,
    /// It lacks a required pattern.
    Required,
    /// It has a forbidden pattern.
    Forbidden,
}

impl Rule {
    /// The stable name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unseen => "unseen",
            Self::RawSource => "raw_source",
            Self::NotCanonical => "not_canonical",
            Self::Status => "status",
            Self::Rebuilt => "rebuilt",
            Self::Grain => "grain",
            Self::Value => "value",
            Self::Personal => "personal",
            Self::Reference => "reference",
            Self::Incremental => "incremental",
            Self::Required => "required",
            Self::Forbidden => "forbidden",
        }
    }
}

/// One thing that does not keep to a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Errors stand against a model, warnings do not.
    pub severity: Severity,
    /// Line, from 1; 0 where the model as a whole is meant.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The offending text as written.
    pub found: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// A place in the text: line and column, from 1.
pub(super) type At = (u32, u32);

impl Finding {
    pub(super) fn error(
        rule: Rule,
        (line, column): At,
        found: &str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            line,
            column,
            found: found.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn warning(rule: Rule, at: At, found: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, at, found, message)
        }
    }

    /// An error of the model as a whole.
    pub(super) fn whole(rule: Rule, message: impl Into<String>) -> Self {
        Self::error(rule, (0, 0), "", message)
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// What is wrong and what would be right, without the place.
    pub fn words(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} — {hint}", self.message),
            None => self.message.clone(),
        }
    }

    /// A parser's error, which carries its place only in its text; without one, the text ends too early.
    pub(super) fn unparsable(error: &str, sql: &str) -> Self {
        let (words, at) = error.rsplit_once(" at Line: ").unwrap_or((error, ""));
        let at = at.split_once(", Column: ").and_then(|(line, column)| {
            Some((line.trim().parse().ok()?, column.trim().parse().ok()?))
        });
        let words = words
            .trim_start_matches("sql parser error: ")
            .replace("Expected: ", "expected ")
            .replace(", found: EOF", ", found the end")
            .replace(", found: ", ", found ");
        let message = format!("the SQL does not parse: {words}");
        Self::error(
            Rule::Syntax,
            at.unwrap_or_else(|| end_of(sql.trim_end())),
            "",
            message,
        )
    }

    /// A file that is no text.
    pub fn no_text(bytes: &[u8]) -> Self {
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
        let message = "it cannot be read: it is not UTF-8 from here on";
        Self::error(Rule::Syntax, end_of(&before), "", message).with_hint("save it as UTF-8")
    }

    /// The same, of SQL that only dbt can complete.
    pub(super) fn unclear(self) -> Self {
        let message = format!(
            "it cannot be read before dbt has run, only what it refers to: {}",
            self.message
        );
        Self {
            severity: Severity::Warning,
            message,
            ..self
        }
        .with_hint(COMPILED)
    }

    /// With the tags of the model in place of the names that stand for them.
    pub(super) fn as_written(&mut self, template: &Template) {
        self.message = template.as_written(&self.message);
        self.found = template.as_written(&self.found);
        self.hint = self.hint.as_deref().map(|hint| template.as_written(hint));
    }

    /// By place, then by rule.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.line, one.column, one.severity, one.rule);
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for Finding {
    /// `12:8: error: raw.orders is a raw source — read fct_orders [raw_source]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        let (severity, rule) = (self.severity, self.rule.word());
        write!(f, "{severity}: {} [{rule}]", self.words())
    }
}

/// The place after a text.
pub(super) fn end_of(text: &str) -> At {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let last = text.rsplit('\n').next().unwrap_or_default();
    (
        number(text.matches('\n').count() + 1),
        number(last.chars().count() + 1),
    )
}

/// What a model reads is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadKind {
    /// A canonical dataset.
    Canonical,
    /// A raw source.
    Raw,
    /// A dataset of the project that is not canonical.
    Dataset,
    /// A staging or other model that may be read, or one that is governed together with it.
    Model,
    /// The model itself.
    Itself,
    /// Nothing that is known.
    Unknown,
}

impl ReadKind {
    /// The stable name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Raw => "raw",
            Self::Dataset => "dataset",
            Self::Model => "model",
            Self::Itself => "itself",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Read {
    /// As the warehouse or dbt calls it.
    pub name: String,
    /// What it is.
    pub kind: ReadKind,
    /// The canonical dataset that it is.
    pub canonical: Option<String>,
    /// How far that is agreed on.
    pub status: Option<Status>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What was found in one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Everything found, by place.
    pub findings: Vec<Finding>,
    /// Everything it reads, by place.
    pub reads: Vec<Read>,
}

impl Review {
    /// Whether something stands against the model.
    pub fn has_errors(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity == Severity::Error)
    }
}
