//! Whether a query looks expensive, asked of the engine's plan before the query runs.

use tokio_util::sync::CancellationToken;

use super::{RunOptions, Session, SessionError};
use crate::compile::Compiled;
use crate::session::cell::thousands;
use crate::warehouse::expected_rows;

/// A query that is not run without a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expense {
    /// The connection it would run on.
    pub connection: String,
    /// Rows that the largest step of the plan is expected to handle; `None` where the plan does not say.
    pub rows: Option<u64>,
    /// Rows above which the connection asks.
    pub limit: u64,
}

impl std::fmt::Display for Expense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = |rows: u64| thousands(usize::try_from(rows).unwrap_or(usize::MAX));
        let limit = words(self.limit);
        match self.rows {
            Some(rows) => write!(
                f,
                "A step of the plan handles about {} rows, more than the {limit} that {} asks above.",
                words(rows),
                self.connection
            ),
            None => write!(
                f,
                "{} asks above {limit} rows, and the plan of the engine does not say how many there are.",
                self.connection
            ),
        }
    }
}

impl Session {
    /// What stands against running a query without a question: a plan with more rows than `ask_above_rows` of the
    /// connection. A result that is kept costs nothing.
    ///
    /// # Errors
    /// The engine refuses the query, or is not reached.
    pub async fn expense(
        &self,
        compiled: &Compiled,
        connection: &str,
        options: RunOptions,
        cancel: &CancellationToken,
    ) -> Result<Option<Expense>, SessionError> {
        let Some(limit) = self.care_of(connection).ask_above_rows else {
            return Ok(None);
        };
        if compiled.embedded || self.is_kept(compiled, connection, options)? {
            return Ok(None);
        }
        let warehouse = self.warehouse(connection)?;
        let plan = warehouse.explain(&compiled.main.sql, cancel).await?;
        let rows = expected_rows(&plan);
        Ok(rows.is_none_or(|rows| rows > limit).then(|| Expense {
            connection: connection.to_owned(),
            rows,
            limit,
        }))
    }
}
