//! How it stands with what was handed over to be written: whether something is in the way, and how much was lost to it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::{ErrorCode, SqlError};

/// What is in the way of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another process is writing, which ends.
    Busy,
    /// The file cannot be written: no space, no right, damaged.
    File,
    /// This is not possible; the next may be.
    Order,
}

impl Trouble {
    pub(super) fn of(error: &SqlError) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied
                | ErrorCode::NotADatabase
                | ErrorCode::DatabaseCorrupt,
            ) => Self::File,
            _ => Self::Order,
        }
    }
}

/// Queries that could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub queries: u64,
    /// Why.
    pub why: String,
}

/// What the thread that writes and those who hand over to it both know.
#[derive(Debug, Default)]
pub(super) struct Standing {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    trouble: Option<Trouble>,
    /// Of the last trouble.
    why: String,
    lost: u64,
    /// Whether anything was lost since somebody last asked.
    has_failed: bool,
    /// Whether queries are being dropped for their age, for which nobody waits.
    is_dropping: bool,
    /// When nobody waits any more for another process to end.
    ends: Option<Instant>,
}

impl Standing {
    /// Whether the file cannot be written at the moment, whoever waits.
    pub(super) fn is_hopeless(&self) -> bool {
        self.lock().trouble == Some(Trouble::File)
    }

    /// What is in the way at the moment.
    pub(super) fn trouble(&self) -> Option<String> {
        let state = self.lock();
        state.trouble.map(|_| state.why.clone())
    }

    /// Notes what is in the way; whether that is new.
    pub(super) fn begin(&self, trouble: Trouble, why: String) -> bool {
        let mut state = self.lock();
        let is_new = state.trouble != Some(trouble);
        state.trouble = Some(trouble);
        state.why = why;
        is_new
    }

    /// Nothing is in the way.
    pub(super) fn clear(&self) {
        self.lock().trouble = None;
    }

    /// Why the file cannot be written, whoever waits.
    pub(super) fn failure(&self) -> Option<String> {
        let state = self.lock();
        (state.trouble == Some(Trouble::File)).then(|| state.why.clone())
    }

    /// What was in the way last; empty where nothing ever was.
    pub(super) fn last_trouble(&self) -> String {
        self.lock().why.clone()
    }

    /// Notes that something is lost, with so many queries.
    pub(super) fn lose(&self, queries: u64) {
        let mut state = self.lock();
        state.lost += queries;
        state.has_failed = true;
    }

    /// Whether anything was lost since this was asked before.
    pub(super) fn take_failed(&self) -> bool {
        std::mem::take(&mut self.lock().has_failed)
    }

    /// Notes whether queries are being dropped for their age.
    pub(super) fn set_dropping(&self, is_dropping: bool) {
        self.lock().is_dropping = is_dropping;
    }

    /// Whether they are.
    pub(super) fn is_dropping(&self) -> bool {
        self.lock().is_dropping
    }

    /// Whether the program ends.
    pub(super) fn is_closing(&self) -> bool {
        self.lock().ends.is_some()
    }

    /// What was lost.
    pub(super) fn lost(&self) -> Option<Lost> {
        let state = self.lock();
        (state.lost > 0).then(|| Lost {
            queries: state.lost,
            why: state.why.clone(),
        })
    }

    /// From now on, nobody waits longer than this for another process, and not at all for a file that cannot be written.
    pub(super) fn close(&self, patience: Duration) {
        self.lock()
            .ends
            .get_or_insert_with(|| Instant::now() + patience);
        self.bell.notify_all();
    }

    /// Whether it is no use to try again.
    pub(super) fn gives_up(&self, trouble: Trouble) -> bool {
        let ends = self.lock().ends;
        ends.is_some_and(|ends| trouble != Trouble::Busy || Instant::now() >= ends)
    }

    /// Waits, not beyond the end.
    pub(super) fn pause(&self, time: Duration) {
        let state = self.lock();
        if state.ends.is_none() {
            drop(self.bell.wait_timeout(state, time));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
