//! What can go wrong between a statement and its rows, in words for the person who asked.

/// Kinds of failures; they decide exit codes and whether a retry makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarehouseErrorKind {
    /// The settings of the connection are wrong or incomplete.
    Settings,
    /// The warehouse cannot be reached, or the connection died.
    Connection,
    /// The warehouse refused the user or the password.
    Auth,
    /// The warehouse refused the statement.
    Query,
    /// A value does not fit the type its column should have.
    Data,
    /// The statement was cancelled, and the engine confirmed that it stopped.
    Cancelled,
    /// The warehouse stopped the statement at its time limit.
    Timeout,
    /// The statement looks expensive and was not run; see [`Fence`](super::Fence).
    Expensive,
}

/// A failure of the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WarehouseError {
    /// Which kind.
    pub kind: WarehouseErrorKind,
    /// What happened, and where.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
}

impl WarehouseError {
    pub(super) fn new(kind: WarehouseErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn settings(message: impl Into<String>) -> Self {
        Self::new(WarehouseErrorKind::Settings, message)
    }

    pub(super) fn connection(message: impl Into<String>) -> Self {
        Self::new(WarehouseErrorKind::Connection, message)
    }

    pub(super) fn query(message: impl Into<String>) -> Self {
        Self::new(WarehouseErrorKind::Query, message)
    }

    pub(super) fn data(message: impl Into<String>) -> Self {
        Self::new(WarehouseErrorKind::Data, message)
    }

    pub(super) fn cancelled() -> Self {
        Self::new(WarehouseErrorKind::Cancelled, "cancelled")
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A message with the line and column of the SQL that follow the text `before`.
pub(super) fn located(message: &str, before: &str) -> String {
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    format!("{message} (line {line}, column {column} of the SQL)")
}
