//! Keeps what is typed in author mode while it is typed, off the drawing thread and not more often than needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::engine::Sender;
use super::message::{Message, Notice};
use crate::session::Session;

/// A pause in the typing after which a text is kept.
const PAUSE: Duration = Duration::from_millis(300);

/// How long somebody may type without a pause until it is kept all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// What is to become of the draft of a file.
pub(super) enum Draft {
    /// It is kept.
    Kept {
        /// The text of the file when it was opened.
        saved: String,
        /// The text that was typed.
        text: String,
    },
    /// It is forgotten.
    Dropped,
}

/// The one who keeps them. When it goes, nothing is left unwritten.
pub(super) struct Drafts {
    desk: Arc<Desk>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// By the path of their file; the latest counts.
    drafts: BTreeMap<String, Draft>,
    /// When the first and the last of them came.
    times: Option<(Instant, Instant)>,
    closed: bool,
}

impl Drafts {
    pub(super) fn new(session: Session, sender: Sender) -> Self {
        let desk = Arc::new(Desk::default());
        let own = Arc::clone(&desk);
        let keeper = std::thread::spawn(move || own.serve(&session, &sender));
        Self {
            desk,
            keeper: Some(keeper),
        }
    }

    /// Keeps the draft of a file soon, or forgets it.
    pub(super) fn put(&self, path: String, draft: Draft) {
        let waiting = self.desk.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let first = waiting.times.map_or(now, |(first, _)| first);
        waiting.times = Some((first, now));
        waiting.drafts.insert(path, draft);
        self.desk.bell.notify_one();
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        let waiting = self.desk.waiting.lock();
        waiting.unwrap_or_else(PoisonError::into_inner).closed = true;
        self.desk.bell.notify_one();
        if let Some(keeper) = self.keeper.take() {
            // It ends early only where it failed, and has said so.
            let _ = keeper.join();
        }
    }
}

impl Desk {
    fn serve(&self, session: &Session, sender: &Sender) {
        while let Some(drafts) = self.next() {
            for (path, draft) in drafts {
                let kept = match draft {
                    Draft::Kept { saved, text } => session.keep_unsaved(&path, &saved, &text),
                    Draft::Dropped => {
                        session.drop_unsaved(&path);
                        Ok(())
                    }
                };
                if let Err(error) = kept {
                    let said = format!("no draft of {path} is kept: {error}; save it soon");
                    // The explorer may be gone, or have more to do.
                    let _ = sender.try_send(Message::Notice(Notice::Error(said)));
                }
            }
        }
    }

    /// What is to be written, after a pause; nothing at the end.
    fn next(&self) -> Option<BTreeMap<String, Draft>> {
        let waiting = self.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        loop {
            let due = waiting
                .times
                .map(|(first, last)| (last + PAUSE).min(first + LONGEST));
            let left = due.map(|due| due.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if waiting.closed || left.is_zero() => {
                    waiting.times = None;
                    return Some(std::mem::take(&mut waiting.drafts));
                }
                None if waiting.closed => return None,
                Some(left) => {
                    let rung = self.bell.wait_timeout(waiting, left);
                    waiting = rung.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => {
                    let rung = self.bell.wait(waiting);
                    waiting = rung.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}
