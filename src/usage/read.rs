//! What the query log tells: how often each metric is used, what was asked last, and what models cost.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{HistoryEntry, Usage, UsageError, log};
use crate::store::{Row, SqlError};

impl Usage {
    /// Answered queries per metric in the 90 days up to a time.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn counts(&self, now: Timestamp) -> Result<HashMap<String, u64>, UsageError> {
        self.by_metric(now, "1")
    }

    /// How much and how lately each metric was used: answered queries of the 90 days up to a time, each worth less with age.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn frecency(&self, now: Timestamp) -> Result<HashMap<String, u64>, UsageError> {
        let worth =
            "CASE WHEN age <= 4 THEN 100 WHEN age <= 14 THEN 70 WHEN age <= 31 THEN 50 ELSE 30 END";
        self.by_metric(now, worth)
    }

    /// When each metric was last asked for, by itself or as a part of another one.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn last_used(&self) -> Result<HashMap<String, Timestamp>, UsageError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT key, last_seen FROM nodes WHERE kind = 'metric'")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, log::timestamp(row.get(1)?))))?;
            rows.collect()
        })
    }

    /// When the first query of the log was started; nothing where there is none.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn first_use(&self) -> Result<Option<Timestamp>, UsageError> {
        self.read(|connection| {
            let found = connection.query_row("SELECT MIN(at) FROM queries", [], |row| {
                row.get::<_, Option<i64>>(0)
            })?;
            Ok(found.map(log::timestamp))
        })
    }

    fn by_metric(&self, now: Timestamp, worth: &str) -> Result<HashMap<String, u64>, UsageError> {
        let today = now.as_millisecond().div_euclid(super::fold::DAY);
        self.read(|connection| {
            let sql = format!(
                "SELECT key, SUM(n_ok * {worth}) FROM (SELECT key, n_ok, ?1 - day AS age FROM nodes \
                 JOIN days ON days.node = nodes.id AND day BETWEEN ?1 - 90 AND ?1 WHERE kind = 'metric' AND n_ok > 0) GROUP BY key"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map([today], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// The latest distinct query lines, newest first.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, UsageError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT line.text, queries.at, connection.text, ms, rows, outcome, error.text FROM latest \
                 JOIN queries ON queries.id = latest.query JOIN texts AS line ON line.id = latest.of \
                 JOIN sittings ON sittings.id = sitting JOIN texts AS connection ON connection.id = connection \
                 LEFT JOIN texts AS error ON error.id = error WHERE what = 0 ORDER BY latest.query DESC LIMIT ?",
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
    Ok(HistoryEntry {
        line: row.get(0)?,
        at: log::timestamp(row.get(1)?),
        connection: row.get(2)?,
        ms: row.get(3)?,
        rows: row.get(4)?,
        outcome: log::outcome(row.get(5)?, row.get(6)?),
    })
}

/// Only this room writes timestamps, so that one which cannot be read can only come from a foreign hand.
pub(super) fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
