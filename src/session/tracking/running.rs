//! Queries that are under way: however one ends, also where nobody waits for its end any more, it is recorded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::ended::Ended;
use crate::compile::Compiled;
use crate::session::cache::Key;
use crate::session::{Failure, Session, SessionError};
use crate::usage::{Outcome, QueryRecord};
use crate::warehouse::{Dialect, Finished};

/// The queries of a session that are under way, by number.
#[derive(Default)]
pub(super) struct Underway {
    next: AtomicU64,
    queries: Mutex<BTreeMap<u64, Ended>>,
}

impl Underway {
    fn begin(&self, ended: Ended) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(number, ended);
        number
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Ended>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query that is under way and is to be recorded. Dropped before it has ended, it is recorded as cancelled.
pub(in crate::session) struct Running<'s> {
    session: &'s Session,
    number: u64,
}

impl Session {
    /// Notes that a query begins; nothing where queries are not recorded.
    pub(in crate::session) fn begin(
        &self,
        compiled: &Arc<Compiled>,
        key: &Key,
        at: Timestamp,
    ) -> Option<Running<'_>> {
        if !self.project().config.usage.track {
            return None;
        }
        let ended = Ended {
            compiled: compiled.clone(),
            version: self.version(),
            origin: self.tracking().take(&key.line),
            dialect: match compiled.embedded {
                true => Dialect::Sqlite,
                false => self.dialect_of(&key.connection),
            },
            has_run: false,
            began: Instant::now(),
            record: QueryRecord {
                at,
                session: self.session_id().to_owned(),
                face: self.face(),
                connection: key.connection.clone(),
                outcome: Outcome::Cancelled,
                ..QueryRecord::default()
            },
        };
        Some(Running {
            session: self,
            number: self.tracking().running.begin(ended),
        })
    }

    /// Records what is under way as cancelled.
    pub(super) fn cut_short(&self) {
        let left = std::mem::take(&mut *self.tracking().running.lock());
        for mut ended in left.into_values() {
            ended.stop();
            self.hand_over(ended);
        }
    }

    /// Hands a query over to be recorded, which takes no time. Where it cannot be recorded, the answer is as good.
    fn hand_over(&self, ended: Ended) {
        if let Ok(usage) = self.usage_store() {
            let (tracking, decided) = (self.tracking().clone(), self.decided_before().clone());
            // It is large, and whoever waits for the answer need not wait until it is dropped.
            let used = self.take_used();
            usage.record_made(move || {
                drop(used);
                ended.record(&tracking, &decided)
            });
        }
    }
}

impl Running<'_> {
    /// Records how it ended.
    pub(in crate::session) async fn end(
        self,
        elapsed: Duration,
        result: &Result<(Finished, Option<Duration>), SessionError>,
    ) {
        if let Some(ended) = self.session.tracking().running.lock().get_mut(&self.number) {
            ended.end(elapsed, result);
        }
        if !self.session.has_opened_usage() {
            // The first query opens the history.
            let session = self.session.clone();
            let open = move || session.usage_store().is_ok();
            let _ = tokio::task::spawn_blocking(open).await;
        }
    }

    /// It has not run, and is not to be recorded.
    pub(in crate::session) fn forget(self) {
        // The question it was asked by is that of the next attempt.
        if let Some(origin) = self.take().and_then(|ended| ended.origin) {
            self.session.tracking().keep(origin);
        }
    }

    fn take(&self) -> Option<Ended> {
        self.session.tracking().running.lock().remove(&self.number)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(mut ended) = self.take() {
            ended.stop();
            self.session.hand_over(ended);
        }
    }
}

impl Ended {
    fn end(
        &mut self,
        elapsed: Duration,
        result: &Result<(Finished, Option<Duration>), SessionError>,
    ) {
        self.has_run = match result {
            // What was answered from memory, or given up, says nothing of how it was read.
            Ok((_, cached)) => cached.is_none(),
            Err(error) => error.failure != Failure::Interrupted,
        };
        let record = &mut self.record;
        record.ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok((finished, _)) => {
                record.rows = finished.rows;
                record.outcome = Outcome::Ok;
            }
            Err(error) if error.failure == Failure::Interrupted => {}
            Err(error) => {
                record.outcome = Outcome::Failed(error.message.clone());
                record.error_kind = Some(error.code().to_owned());
            }
        }
    }

    /// Of what is cancelled, the time until then.
    fn stop(&mut self) {
        if self.record.outcome == Outcome::Cancelled {
            self.record.ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
    }
}
