//! Refusals: what is wrong with a query, which word, and what would be right.

use crate::model::Place;

/// Kinds of refusals; the text form is stable and used by `metrex batch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The query line does not parse.
    Syntax,
    /// No metric is asked for.
    NoMetric,
    /// No metric of that name.
    UnknownMetric,
    /// No dimension of that name anywhere.
    UnknownDimension,
    /// The dimension exists but cannot be used with this metric.
    UnreachableDimension,
    /// Several join paths lead to a dimension of that name.
    AmbiguousDimension,
    /// The literal is not among the dimension's values.
    UnknownValue,
    /// The literal does not fit the dimension's type.
    InvalidValue,
    /// Time range, grain or comparison cannot be answered.
    InvalidTime,
    /// An order, limit or filter refers to something the query does not have.
    InvalidClause,
    /// A complex metric, which has no compiled form.
    ComplexMetric,
    /// A definition is broken.
    InvalidDefinition,
    /// A template failed.
    Template,
}

impl ErrorCode {
    /// The stable text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::NoMetric => "no_metric",
            Self::UnknownMetric => "unknown_metric",
            Self::UnknownDimension => "unknown_dimension",
            Self::UnreachableDimension => "unreachable_dimension",
            Self::AmbiguousDimension => "ambiguous_dimension",
            Self::UnknownValue => "unknown_value",
            Self::InvalidValue => "invalid_value",
            Self::InvalidTime => "invalid_time",
            Self::InvalidClause => "invalid_clause",
            Self::ComplexMetric => "complex_metric",
            Self::InvalidDefinition => "invalid_definition",
            Self::Template => "template",
        }
    }
}

/// A query that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Which kind.
    pub code: ErrorCode,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// The offending word of the query.
    pub word: Option<String>,
    /// The definition concerned.
    pub place: Option<Place>,
}

impl CompileError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            word: None,
            place: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn word(mut self, word: impl Into<String>) -> Self {
        self.word = Some(word.into());
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}
