//! What can go wrong, in one shape for every face: a stable code, what happened, what would be right, an exit code.

use std::ops::Range;

use crate::compile::{CompileError, ErrorCode};
use crate::demo::DemoError;
use crate::exchange::ExchangeError;
use crate::index::IndexError;
use crate::init::InitError;
use crate::model::{QueryLineError, Registry};
use crate::registry::{ProjectError, nearest};
use crate::usage::UsageError;
use crate::warehouse::{WarehouseError, WarehouseErrorKind};

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The query or the data.
    Query,
    /// The call, the configuration or the registry.
    Usage,
    /// The connection to the warehouse.
    Connection,
    /// Nobody: it was cancelled.
    Interrupted,
    /// Somebody who says that it may run: it looks expensive. See [`Session::asking`](super::Session::asking).
    Expensive,
}

/// An error with what is needed to act on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SessionError {
    /// Who has to act on it.
    pub failure: Failure,
    /// What happened.
    pub message: String,
    /// The word of the query line it is about.
    pub word: Option<String>,
    /// The bytes of the query line it is about, where it did not parse.
    pub range: Option<Range<usize>>,
    code: &'static str,
    hint: Option<String>,
}

impl SessionError {
    pub(crate) fn new(failure: Failure, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            failure,
            message: message.into(),
            word: None,
            range: None,
            code,
            hint: None,
        }
    }

    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Failure::Usage, code, message)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A refusal of a query, with the place of the definition that is in its way.
    pub(super) fn of_query(registry: &Registry, error: CompileError) -> Self {
        let place = error.place.filter(|place| place.line > 0);
        let told = Self::from(error);
        let Some(place) = place.map(|place| registry.at(place)) else {
            return told;
        };
        let hint = match told.hint() {
            Some(hint) => format!("{hint} (defined at {place})"),
            None => format!("defined at {place}"),
        };
        told.with_hint(hint)
    }

    /// No metric of that name.
    pub(super) fn unknown_metric(registry: &Registry, name: &str) -> Self {
        let names = registry.metrics.values().flat_map(|metric| {
            std::iter::once(metric.name.as_str()).chain(metric.aliases.iter().map(String::as_str))
        });
        let error = Self::new(
            Failure::Query,
            ErrorCode::UnknownMetric.as_str(),
            format!("unknown metric '{name}'"),
        );
        match nearest(name, names) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error.with_hint("`metrex search WORDS` finds metrics by what they mean"),
        }
    }

    /// The run was cancelled.
    pub fn interrupted() -> Self {
        Self::new(Failure::Interrupted, "cancelled", "cancelled")
    }

    /// Stable name of the kind of error, for programs.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What would be right.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What a process ends with: 1 query or data, 2 usage or registry, 3 connection, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        match self.failure {
            Failure::Query | Failure::Expensive => 1,
            Failure::Usage => 2,
            Failure::Connection => 3,
            Failure::Interrupted => 130,
        }
    }
}

impl From<QueryLineError> for SessionError {
    fn from(error: QueryLineError) -> Self {
        Self {
            range: Some(error.range),
            hint: error.hint,
            ..Self::new(Failure::Query, ErrorCode::Syntax.as_str(), error.message)
        }
    }
}

impl From<CompileError> for SessionError {
    fn from(error: CompileError) -> Self {
        let failure = match error.code {
            ErrorCode::InvalidDefinition | ErrorCode::Template => Failure::Usage,
            _ => Failure::Query,
        };
        Self {
            word: error.word,
            hint: error.hint,
            ..Self::new(failure, error.code.as_str(), error.message)
        }
    }
}

impl From<WarehouseError> for SessionError {
    fn from(error: WarehouseError) -> Self {
        let (failure, code) = match error.kind {
            WarehouseErrorKind::Settings => (Failure::Usage, "settings"),
            WarehouseErrorKind::Connection => (Failure::Connection, "connection"),
            WarehouseErrorKind::Auth => (Failure::Connection, "auth"),
            WarehouseErrorKind::Cancelled => (Failure::Interrupted, "cancelled"),
            WarehouseErrorKind::Timeout => (Failure::Query, "timeout"),
            WarehouseErrorKind::Expensive => (Failure::Expensive, "expensive"),
            WarehouseErrorKind::Query => (Failure::Query, "warehouse"),
            WarehouseErrorKind::Data => (Failure::Query, "data"),
        };
        Self {
            hint: error.hint,
            ..Self::new(failure, code, error.message)
        }
    }
}

impl From<DemoError> for SessionError {
    fn from(error: DemoError) -> Self {
        let cause = std::error::Error::source(&error)
            .and_then(|cause| cause.downcast_ref::<WarehouseError>());
        match cause {
            Some(cause) => Self {
                message: error.to_string(),
                ..cause.clone().into()
            },
            None => Self::new(Failure::Query, "demo", error.to_string()),
        }
    }
}

impl From<InitError> for SessionError {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Warehouse(error) => error.into(),
            InitError::Interrupted => Self::interrupted(),
            InitError::Csv { ref hint, .. } => Self {
                hint: hint.clone(),
                ..Self::new(Failure::Query, "csv", error.to_string())
            },
            error => Self::usage("init", error.to_string()),
        }
    }
}

impl From<ExchangeError> for SessionError {
    fn from(error: ExchangeError) -> Self {
        Self::usage("exchange", error.to_string())
    }
}

impl From<ProjectError> for SessionError {
    fn from(error: ProjectError) -> Self {
        Self::usage("project", error.to_string())
    }
}

impl From<&UsageError> for SessionError {
    fn from(error: &UsageError) -> Self {
        Self::usage("history", error.to_string())
    }
}

impl From<UsageError> for SessionError {
    fn from(error: UsageError) -> Self {
        Self::from(&error)
    }
}

impl From<IndexError> for SessionError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Warehouse(error) => error.into(),
            IndexError::Cancelled => Self::interrupted(),
            error => Self::new(Failure::Query, "index", error.to_string()),
        }
    }
}
