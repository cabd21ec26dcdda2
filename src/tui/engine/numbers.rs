//! Looks behind a number, and what a draft of a definition does to the numbers.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::session::ChangeRequest;
use crate::tui::look::{self, Look};
use crate::tui::message::Message;

impl Engine {
    /// Looks behind a number and sends the news; an earlier look ends.
    pub(super) fn look(&mut self, generation: u64, look: Look) {
        self.stop_looking();
        self.stop_looking = CancellationToken::new();
        let (cancel, session, sender) = (
            self.stop_looking.clone(),
            self.session.clone(),
            self.sender.clone(),
        );
        self.runtime.spawn(async move {
            let (told, mut news) = mpsc::channel(4);
            let forward = async {
                while let Some(news) = news.recv().await {
                    let _ = sender.send(Message::Look { generation, news }).await;
                }
            };
            tokio::join!(look::look(session, look, cancel, told), forward);
        });
    }

    /// Looks no more.
    pub(super) fn stop_looking(&self) {
        self.stop_looking.cancel();
    }

    /// Computes what a draft does to the numbers; an earlier computation is stopped.
    pub(super) fn measure(&mut self, generation: u64, request: ChangeRequest) {
        self.stop_measuring();
        self.stop_measuring = CancellationToken::new();
        let (cancel, session, sender) = (
            self.stop_measuring.clone(),
            self.session.clone(),
            self.sender.clone(),
        );
        self.runtime.spawn(async move {
            let outcome = session.change(request, cancel).await.map(Box::new);
            let message = Message::Measured {
                generation,
                outcome,
            };
            let _ = sender.send(message).await;
        });
    }

    /// Computes it no more.
    pub(super) fn stop_measuring(&self) {
        self.stop_measuring.cancel();
    }
}
