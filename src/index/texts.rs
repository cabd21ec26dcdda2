//! The folded texts of all values, each kept once: filed when a value is written, dropped with the last value that has it.

use super::ValueIndex;
use crate::model::alike::fold;
use crate::store::{Connection, OptionalExtension, SqlError, StoreError, TransactionBehavior};

impl ValueIndex {
    /// Files the texts of values that an earlier version wrote.
    pub(super) fn file_texts(&self) -> Result<(), StoreError> {
        const UNFILED: &str = "SELECT rowid, value FROM dimension_values WHERE text_id IS NULL";
        self.write(|connection| {
            if !connection.prepare(UNFILED)?.exists([])? {
                return Ok(());
            }
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let values: Vec<(i64, String)> = transaction
                .prepare(UNFILED)?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (row, value) in values {
                let text = file(&transaction, &value)?;
                transaction
                    .prepare_cached("UPDATE dimension_values SET text_id = ? WHERE rowid = ?")?
                    .execute([text, row])?;
            }
            transaction.commit()
        })
    }
}

/// The id of a value's folded text.
pub(super) fn file(connection: &Connection, value: &str) -> Result<i64, SqlError> {
    let folded = fold(value);
    let known = connection
        .prepare_cached("SELECT id FROM value_texts WHERE folded = ?")?
        .query_row([&folded], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached(
                "INSERT INTO value_texts (folded, mirrored) VALUES (?, ?) RETURNING id",
            )?
            .query_row([&folded, &mirrored(&folded)], |row| row.get(0)),
    }
}

/// A text from its end, so that texts with the same end stand side by side.
pub(super) fn mirrored(text: &str) -> String {
    text.chars().rev().collect()
}

/// The texts that a column has.
pub(super) fn of_column(
    connection: &Connection,
    table: &str,
    column: &str,
) -> Result<Vec<i64>, SqlError> {
    connection
        .prepare_cached(
            "SELECT DISTINCT text_id FROM dimension_values \
             WHERE table_name = ? AND column_name = ? AND text_id IS NOT NULL",
        )?
        .query_map([table, column], |row| row.get(0))?
        .collect()
}

/// Drops those of these texts that no column has any more.
pub(super) fn drop_unused(connection: &Connection, texts: &[i64]) -> Result<(), SqlError> {
    let mut drop = connection.prepare_cached(
        "DELETE FROM value_texts WHERE id = ?1 \
         AND NOT EXISTS (SELECT 1 FROM dimension_values WHERE text_id = ?1)",
    )?;
    for text in texts {
        drop.execute([text])?;
    }
    Ok(())
}
