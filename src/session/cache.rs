//! Results kept in memory: the same query on the same connection is answered again without the warehouse.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;

/// Memory all kept results may take, in bytes.
const CAPACITY: usize = 128 << 20;
/// Memory one result may take, in bytes; a larger one is not kept.
const LARGEST: usize = 32 << 20;

/// What makes two runs the same. The SQL holds the definitions, the dates and the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) connection: String,
    pub(super) line: String,
    pub(super) sql: String,
    /// The SQL of the total row, where one is asked for.
    pub(super) totals: Option<String>,
    pub(super) row_cap: u64,
}

/// A complete result.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) totals: Option<RecordBatch>,
    pub(super) rows: u64,
    pub(super) truncated: bool,
}

/// Collects a result while it streams by, and gives up when it grows too large.
#[derive(Debug)]
pub(super) struct Collector {
    kept: Option<Kept>,
    bytes: usize,
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            kept: Some(Kept::default()),
            bytes: 0,
        }
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) {
        self.bytes += batch.get_array_memory_size();
        if self.bytes > LARGEST {
            self.kept = None;
        } else if let Some(kept) = &mut self.kept {
            kept.batches.push(batch.clone());
        }
    }
}

#[derive(Debug)]
struct Entry {
    key: Key,
    kept: Kept,
    bytes: usize,
    at: Instant,
}

/// Results by key, the oldest first.
#[derive(Debug, Default)]
pub(super) struct ResultCache {
    entries: Mutex<VecDeque<Entry>>,
}

impl ResultCache {
    /// A result no older than `ttl`, with its age.
    pub(super) fn get(&self, key: &Key, ttl: Duration) -> Option<(Kept, Duration)> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.at.elapsed() <= ttl);
        let entry = entries.iter().find(|entry| entry.key == *key)?;
        Some((entry.kept.clone(), entry.at.elapsed()))
    }

    /// Keeps a finished result, dropping the oldest ones where room is needed.
    pub(super) fn put(&self, key: Key, collected: Collector, finish: impl FnOnce(&mut Kept)) {
        let Some(mut kept) = collected.kept else {
            return;
        };
        finish(&mut kept);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.key != key);
        entries.push_back(Entry {
            key,
            kept,
            bytes: collected.bytes,
            at: Instant::now(),
        });
        while entries.iter().map(|entry| entry.bytes).sum::<usize>() > CAPACITY {
            entries.pop_front();
        }
    }
}
