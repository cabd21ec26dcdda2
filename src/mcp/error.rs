//! What is wrong with a call, told to the model that made it: a code, a message, a hint, and what would be valid.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

use crate::model::{Filter, MetricQuery};
use crate::session::cell::sanitize;
use crate::session::{Session, SessionError};

/// Most valid names or values that are listed.
const LISTED: usize = 60;

/// Most characters of a message; the warehouse may say a lot.
const LONGEST: usize = 2_000;

/// An error of a tool, not of the protocol: the model shall read it and do better.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ToolError {
    /// Stable name of the kind of error.
    code: String,
    /// What is wrong, with the word.
    message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Names or values that are valid in this place, the nearest or most frequent first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    valid_values: Vec<String>,
}

impl ToolError {
    pub(super) fn new(code: impl Into<String>, message: impl AsRef<str>) -> Self {
        Self {
            code: code.into(),
            message: clean(message.as_ref()),
            hint: None,
            valid_values: Vec::new(),
        }
    }

    /// Something that is not the caller's fault.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new("internal", error.to_string())
    }

    pub(super) fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(clean(hint.as_ref()));
        self
    }

    pub(super) fn with_valid(mut self, values: impl IntoIterator<Item = String>) -> Self {
        let values = values.into_iter().take(LISTED);
        self.valid_values = values.map(|value| clean(&value)).collect();
        self
    }

    /// A refusal of a query, with the names or values that would be valid in the place of the offending word.
    pub(super) fn of_query(session: &Session, query: &MetricQuery, error: SessionError) -> Self {
        let metrics = query.metrics.join(", ");
        let word = error.word.clone().unwrap_or_default();
        let told = Self::from(error);
        match told.code.as_str() {
            "unknown_metric" => told.with_metrics(session, &word),
            "unknown_dimension" | "unreachable_dimension" | "ambiguous_dimension" => {
                let names = dimensions(session, &query.metrics);
                let hint = format!("dimensions of {metrics}: {}", names.join(", "));
                told.with_hint(hint).with_valid(names)
            }
            "unknown_value" => match field_of(query.filters.as_ref(), &word) {
                Some(field) => {
                    let list = session.values(&query.metrics, field, "", LISTED);
                    told.with_valid(list.values.into_iter().map(|(value, _)| value))
                }
                None => told,
            },
            _ => told,
        }
    }

    /// No metric of that name.
    pub(super) fn unknown_metric(session: &Session, name: &str, error: SessionError) -> Self {
        Self::from(error).with_metrics(session, name)
    }

    /// With the metrics that a wrong name may mean, else with all of them.
    fn with_metrics(self, session: &Session, name: &str) -> Self {
        let mut found = session.search(name);
        if found.is_empty() {
            found = session.search("");
        }
        let hint = match &self.hint {
            Some(hint) if hint.starts_with("did you mean") => hint.clone(),
            _ => "list_metrics finds metrics by words of their name or description".to_owned(),
        };
        self.with_hint(hint)
            .with_valid(found.into_iter().map(|hit| hit.metric))
    }

    pub(super) fn into_result(self) -> CallToolResult {
        let text = serde_json::json!({ "error": self }).to_string();
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}

impl From<SessionError> for ToolError {
    fn from(error: SessionError) -> Self {
        let told = Self::new(error.code(), &error.message);
        match error.hint() {
            Some(hint) => told.with_hint(hint),
            None => told,
        }
    }
}

/// The dimensions that all of the metrics can use.
pub(super) fn dimensions(session: &Session, metrics: &[String]) -> Vec<String> {
    let choices = session.dimensions(metrics).into_iter();
    choices
        .filter(|choice| choice.reachable.is_ok())
        .map(|choice| choice.name)
        .collect()
}

/// Text on one line, without control characters, not too long.
pub(super) fn clean(text: &str) -> String {
    let text = sanitize(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}

/// The field that is compared with a value.
fn field_of<'a>(filter: Option<&'a Filter>, value: &str) -> Option<&'a str> {
    match filter? {
        Filter::Compare {
            field, value: own, ..
        } if own == value => Some(field),
        Filter::In { field, values, .. } if values.iter().any(|own| own == value) => Some(field),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().find_map(|part| field_of(Some(part), value))
        }
        Filter::Not(part) => field_of(Some(part), value),
        _ => None,
    }
}
