//! The rules of SQL that a project sets in `metrex.yaml`: raw tables, staging models, patterns that must or must not be there.

use regex::Regex;
use serde::Deserialize;

use super::diagnostic::{Severity, Sink};
use super::read::{Many, Word, object};
use super::words::texts;
use super::yaml::Text;

/// What models must keep to beside the definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// Tables that only staging models may read; `*` stands for any letters.
    pub raw: Vec<String>,
    /// Names of models that may read raw tables.
    pub staging: Vec<String>,
    /// Names of tables and models that any model may read, beside the canonical datasets.
    pub allow: Vec<String>,
    /// Patterns that each model must have.
    pub require: Vec<PatternRule>,
    /// Patterns that no model may have.
    pub forbid: Vec<PatternRule>,
}

impl Default for Governance {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            raw: names(&["raw.*", "raw_*", "landing.*"]),
            staging: names(&["stg_*", "base_*"]),
            allow: names(&["int_*", "seed_*"]),
            require: Vec::new(),
            forbid: Vec::new(),
        }
    }
}

/// A pattern and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternRule {
    /// A regular expression over the text; letters of either case match.
    pub pattern: String,
    /// What to say; empty for the pattern itself.
    pub message: String,
    /// Names of the models it is about; empty for all.
    pub models: Vec<String>,
    /// Whether it stands against a model.
    pub severity: Severity,
}

object! {
    /// What models must keep to.
    struct RawGovernance {
        /// Tables that only staging models may read; `*` stands for any letters.
        raw: Option<Many<Text>>,
        /// Names of models that may read raw tables.
        staging: Option<Many<Text>>,
        /// Names of tables and models that any model may read, beside the canonical datasets.
        allow: Option<Many<Text>>,
        /// Patterns that each model must have.
        require: Many<RawPattern>,
        /// Patterns that no model may have.
        forbid: Many<RawPattern>,
    }
}

object! {
    /// A pattern and what is to be said about it.
    struct RawPattern {
        /// A regular expression over the text; letters of either case match.
        pattern: Option<Text>,
        /// What to say.
        message: Option<Text>,
        /// Names of the models it is about; all where none are given.
        models: Many<Text>,
        /// `error` (the default) or `warning`.
        level: Option<Word<Level>>,
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// It stands against a model.
    Error,
    /// It does not.
    Warning,
}

/// The rules that a configuration sets; what it does not name is as delivered.
pub(super) fn governance(raw: &RawGovernance, sink: &mut Sink) -> Governance {
    let delivered = Governance::default();
    let names = |own: &Option<Many<Text>>, delivered| own.as_ref().map_or(delivered, texts);
    Governance {
        raw: names(&raw.raw, delivered.raw),
        staging: names(&raw.staging, delivered.staging),
        allow: names(&raw.allow, delivered.allow),
        require: patterns(&raw.require, sink),
        forbid: patterns(&raw.forbid, sink),
    }
}

fn patterns(raw: &Many<RawPattern>, sink: &mut Sink) -> Vec<PatternRule> {
    let rules = raw.0.iter().filter_map(|raw| {
        let pattern = raw.pattern.as_ref()?;
        if let Err(error) = Regex::new(&pattern.value) {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            let message = format!("'{}' is no pattern: {}", pattern.value, why.trim());
            sink.error("config", pattern.place, &pattern.value, message, None);
            return None;
        }
        Some(PatternRule {
            pattern: pattern.value.clone(),
            message: raw
                .message
                .as_ref()
                .map(|text| text.value.trim().to_owned())
                .unwrap_or_default(),
            models: texts(&raw.models),
            severity: match raw.level.map(|word| word.value) {
                Some(Level::Warning) => Severity::Warning,
                _ => Severity::Error,
            },
        })
    });
    rules.collect()
}
