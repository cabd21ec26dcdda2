//! What leaves the explorer: files and copies.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::session::files::Writing;
use crate::tui::clipboard::{self, Ways};
use crate::tui::files::FileJob;
use crate::tui::message::{FileNews, Message, Notice};

/// How often it is said how far a file is.
const TOLD: Duration = Duration::from_millis(100);

impl Engine {
    /// Writes a file and sends its news.
    pub(super) fn write(&mut self, generation: u64, job: FileJob, anyway: bool) {
        self.stop_writing = CancellationToken::new();
        let cancel = self.stop_writing.clone();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        let rows = sender.clone();
        let mut told = Instant::now();
        let tell = move |news| {
            if let Writing::Rows(count) = news
                && told.elapsed() >= TOLD
            {
                told = Instant::now();
                let news = FileNews::Rows(count);
                // A full queue means that newer counts will follow anyway.
                let _ = rows.try_send(Message::File { generation, news });
            }
        };
        self.runtime.spawn(async move {
            let news = FileNews::Ended(job.carry_out(session, cancel, tell).await);
            let _ = sender.send(Message::File { generation, news }).await;
        });
    }

    /// Writes the file no more.
    pub(super) fn stop_writing(&self) {
        self.stop_writing.cancel();
    }

    /// Hands a copy to a program of the desktop.
    pub(in crate::tui) fn copy(&self, text: String, ways: Ways) {
        let sender = self.sender.clone();
        self.runtime.spawn(async move {
            let bytes = text.len();
            let message = match clipboard::hand_over(&ways.programs, &text).await {
                Ok(name) => {
                    Message::Notice(Notice::Info(format!("copied {bytes} bytes with {name}")))
                }
                Err(reason) if ways.terminal => Message::NotCopied { text, reason },
                Err(reason) => Message::Notice(Notice::Error(format!("not copied: {reason}"))),
            };
            let _ = sender.send(message).await;
        });
    }
}
