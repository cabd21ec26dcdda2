//! What the query log tells: how often each metric is used, what was asked last, and what models cost.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{HistoryEntry, Outcome, Usage, UsageError};
use crate::store::{Row, SqlError};

impl Usage {
    /// Answered queries per metric in the last 90 days.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn counts(&self) -> Result<HashMap<String, u64>, UsageError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT metric, COUNT(*) FROM query_metrics JOIN queries ON queries.id = query_id \
                 WHERE outcome = 'ok' AND at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-90 days') GROUP BY metric",
            )?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// How much and how lately each metric was used: answered queries of the last 90 days, each worth less with age.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn frecency(&self) -> Result<HashMap<String, u64>, UsageError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT metric, SUM(CASE WHEN age <= 4 THEN 100 WHEN age <= 14 THEN 70 WHEN age <= 31 THEN 50 ELSE 30 END) \
                 FROM (SELECT metric, julianday('now') - julianday(at) AS age FROM query_metrics \
                 JOIN queries ON queries.id = query_id WHERE outcome = 'ok') WHERE age <= 90 GROUP BY metric",
            )?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// The latest distinct query lines, newest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, UsageError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            // With max(), SQLite takes the other columns from the row that has it.
            let mut statement = connection.prepare_cached(
                "SELECT line, at, connection, ms, rows, outcome, error, max(id) AS latest FROM queries \
                 GROUP BY line ORDER BY latest DESC LIMIT ?",
            )?;
            statement.query_map([limit], entry)?.collect()
        })
    }

    /// What all models cost on a day: tokens sent, tokens received, US dollars.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn spent(&self, day: Date) -> Result<(u64, u64, f64), UsageError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT COALESCE(SUM(tokens_in), 0), COALESCE(SUM(tokens_out), 0), COALESCE(SUM(cost), 0.0) \
                 FROM model_calls WHERE day = ?",
            )?;
            statement.query_row([day.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        })
    }
}

fn entry(row: &Row<'_>) -> Result<HistoryEntry, SqlError> {
    let outcome: String = row.get(5)?;
    Ok(HistoryEntry {
        line: row.get(0)?,
        at: timestamp(&row.get::<_, String>(1)?),
        connection: row.get(2)?,
        ms: row.get(3)?,
        rows: row.get(4)?,
        outcome: match outcome.as_str() {
            "ok" => Outcome::Ok,
            "cancelled" => Outcome::Cancelled,
            _ => Outcome::Failed(row.get::<_, Option<String>>(6)?.unwrap_or_default()),
        },
    })
}

/// Only this room writes timestamps, so that one which cannot be read can only come from a foreign hand.
pub(super) fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
