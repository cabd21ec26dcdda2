//! The desk where lookups wait: one of each kind for each tab, answered by a thread of its own.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{Sender, answer};
use crate::session::Session;
use crate::tui::message::{Lookup, Message, Slot};

/// One waiting lookup of each kind for each tab: a later one takes the place of an earlier one.
#[derive(Default)]
pub(super) struct Desk {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    lookups: BTreeMap<(Slot, u64), (u64, Lookup)>,
    /// What is being answered, where it can be stopped.
    running: Option<((Slot, u64), CancellationToken)>,
    closed: bool,
}

impl Desk {
    /// Puts a lookup of a tab down; an earlier one of its kind is dropped if it waits, and stopped if it can be.
    pub(super) fn ask(&self, slot: (Slot, u64), generation: u64, lookup: Lookup) {
        let mut waiting = self.lock();
        if let Some((_, stop)) = waiting.running.take_if(|(running, _)| *running == slot) {
            stop.cancel();
        }
        waiting.lookups.insert(slot, (generation, lookup));
        self.bell.notify_one();
    }

    /// Answers no more.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        if let Some((_, stop)) = &waiting.running {
            stop.cancel();
        }
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what waits, until the explorer has gone.
    pub(super) fn serve(&self, session: &Session, sender: &Sender) {
        loop {
            let mut waiting = self.lock();
            let (generation, lookup) = loop {
                if waiting.closed {
                    return;
                }
                match waiting.lookups.pop_first() {
                    Some((slot, next)) => {
                        waiting.running = next.1.stop().map(|stop| (slot, stop));
                        break next;
                    }
                    None => {
                        waiting = self
                            .bell
                            .wait(waiting)
                            .unwrap_or_else(PoisonError::into_inner)
                    }
                }
            };
            drop(waiting);
            let answer = answer(session, lookup);
            if sender
                .blocking_send(Message::Answer { generation, answer })
                .is_err()
            {
                return;
            }
        }
    }
}
