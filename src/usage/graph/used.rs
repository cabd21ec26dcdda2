//! How often something was used, how that went and how long it took.

use jiff::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::store::{Row, SqlError};

/// Runs of queries, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Runs.
    pub runs: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Milliseconds that the answered ones took together.
    pub ms: u64,
    /// When the last one was started.
    pub last: Option<Timestamp>,
}

impl Used {
    /// The share of the runs that were answered, from 0 to 1; `None` without a run.
    pub fn success(&self) -> Option<f64> {
        (self.runs > 0).then(|| self.answered as f64 / self.runs as f64)
    }

    /// Milliseconds that an answer took on average; `None` without one.
    pub fn mean_ms(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.ms as f64 / self.answered as f64)
    }

    /// With other runs beside these.
    pub(super) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.answered += other.answered;
        self.ms += other.ms;
        self.last = self.last.max(other.last);
    }

    /// Of two counts of runs of the same queries, the runs that are in both at most.
    pub(super) fn at_most(self, other: Self) -> Self {
        if other.runs < self.runs { other } else { self }
    }

    /// The columns `n, n_ok, ms, last_seen` from a place on.
    pub(super) fn read(row: &Row<'_>, at: usize) -> Result<Self, SqlError> {
        Ok(Self {
            runs: row.get(at)?,
            answered: row.get(at + 1)?,
            ms: row.get(at + 2)?,
            last: row
                .get::<_, Option<i64>>(at + 3)?
                .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        })
    }
}

impl Serialize for Used {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut used = serializer.serialize_struct("Used", 4)?;
        used.serialize_field("runs", &self.runs)?;
        used.serialize_field("answered", &self.answered)?;
        used.serialize_field(
            "mean_ms",
            &self.mean_ms().map(|ms| (ms * 10.0).round() / 10.0),
        )?;
        used.serialize_field("last", &self.last.map(|last| last.to_string()))?;
        used.end()
    }
}
