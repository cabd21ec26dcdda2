//! Writing into the index: what is known of a column is replaced as a whole, or not at all.

use super::{IndexColumn, ValueIndex, texts};
use crate::store::{Connection, SqlError, StoreError, params};

/// What the warehouse said.
pub(super) enum Finding {
    /// About the values of a column.
    Column(Values),
    /// About a key: how many occur more than once.
    Duplicates(u64),
}

/// What is known of a column's values.
pub(super) enum Values {
    /// All of them with their counts.
    All(Vec<(String, u64)>),
    /// Too many to keep: how many.
    Wide(u64),
    /// Nothing was asked: personal data.
    Pii,
}

/// The moment of writing, in the form that timestamps are read back in.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

impl ValueIndex {
    /// Replaces what is known of a column, in one transaction.
    pub(super) fn replace(
        &self,
        column: &IndexColumn,
        finding: &Finding,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            match finding {
                Finding::Duplicates(duplicates) => {
                    // A key that was declared before, and is not any more, no longer counts.
                    transaction.execute(
                        "DELETE FROM checked_keys WHERE table_name = ? \
                         AND updated_at < (SELECT started_at FROM runs)",
                        [&column.table],
                    )?;
                    let sql = format!("REPLACE INTO checked_keys VALUES (?, ?, ?, {NOW})");
                    let row = params![column.table, column.column, duplicates];
                    transaction.prepare_cached(&sql)?.execute(row)?;
                }
                Finding::Column(values) => put(&transaction, column, values)?,
            }
            transaction.commit()
        })
    }

    /// Notes that a run is under way; with `resume`, one that broke off goes on, which the answer tells.
    pub(super) fn begin_run(&self, resume: bool) -> Result<bool, StoreError> {
        let clause = if resume { "OR IGNORE" } else { "OR REPLACE" };
        let sql = format!("INSERT {clause} INTO runs (id, started_at) VALUES (1, {NOW})");
        self.write(|connection| connection.execute(&sql, []).map(|inserted| inserted == 0))
    }

    /// Notes that the run is complete.
    pub(super) fn end_run(&self) -> Result<(), StoreError> {
        self.write(|connection| connection.execute("DELETE FROM runs", []).map(|_| ()))
    }

    /// Whether the run under way has done this column.
    pub(super) fn is_done(&self, column: &IndexColumn) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (
            SELECT 1 FROM runs JOIN (
                SELECT updated_at FROM indexed_columns WHERE table_name = ?1 AND column_name = ?2
                UNION ALL
                SELECT updated_at FROM checked_keys WHERE table_name = ?1 AND key_columns = ?2
            ) AS done ON done.updated_at >= runs.started_at)";
        self.write(|connection| {
            connection.query_row(sql, params![column.table, column.column], |row| row.get(0))
        })
    }
}

fn put(connection: &Connection, column: &IndexColumn, values: &Values) -> Result<(), SqlError> {
    let name = params![column.table, column.column];
    let old_texts = texts::of_column(connection, &column.table, &column.column)?;
    connection
        .prepare_cached("DELETE FROM dimension_values WHERE table_name = ? AND column_name = ?")?
        .execute(name)?;
    let (state, distinct) = match values {
        Values::All(values) => {
            let mut insert = connection.prepare_cached(&format!(
                "INSERT INTO dimension_values (table_name, column_name, value, count, updated_at, text_id) \
                 VALUES (?, ?, ?, ?, {NOW}, ?)"
            ))?;
            for (value, count) in values {
                let text = texts::file(connection, value)?;
                insert.execute(params![column.table, column.column, value, count, text])?;
            }
            ("indexed", values.len() as u64)
        }
        Values::Wide(distinct) => ("wide", *distinct),
        Values::Pii => ("pii", 0),
    };
    texts::drop_unused(connection, &old_texts)?;
    connection
        .prepare_cached(&format!(
            "REPLACE INTO indexed_columns VALUES (?, ?, ?, ?, {NOW})"
        ))?
        .execute(params![column.table, column.column, state, distinct])?;
    Ok(())
}
