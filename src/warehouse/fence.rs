//! The fence before a warehouse: a statement whose plan is too large does not run before somebody has said that it may.

use super::{WarehouseError, WarehouseErrorKind, expected_rows};
use crate::model::thousands;

/// What a connection asks about before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    connection: String,
    limit: u64,
    /// Statements that were asked about.
    passed: Vec<String>,
}

impl Fence {
    /// For statements of which a step is expected to handle more than so many rows.
    pub fn new(connection: &str, limit: u64) -> Self {
        Self {
            connection: connection.to_owned(),
            limit,
            passed: Vec::new(),
        }
    }

    /// Whether a statement was asked about already.
    pub(super) fn has_passed(&self, sql: &str) -> bool {
        self.passed.iter().any(|passed| passed == sql)
    }

    pub(super) fn let_pass(&mut self, sql: &str) {
        self.passed.push(sql.to_owned());
    }

    /// Whether a plan is small enough. One that says nothing about rows is not.
    pub(super) fn judge(&self, plan: &[String]) -> Result<(), WarehouseError> {
        let (name, limit) = (&self.connection, thousands(self.limit));
        let said = match expected_rows(plan) {
            Some(rows) if rows <= self.limit => return Ok(()),
            Some(rows) => format!(
                "A step of the plan handles about {} rows, more than the {limit} that {name} asks above.",
                thousands(rows)
            ),
            None => format!(
                "{name} asks above {limit} rows, and the plan of the engine does not say how many there are."
            ),
        };
        Err(WarehouseError::new(WarehouseErrorKind::Expensive, said))
    }
}
