//! Looks behind a number, and what a draft of a definition does to the numbers.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::session::{ChangeRequest, Judging};
use crate::tui::look::{self, Look};
use crate::tui::message::Message;

impl Engine {
    /// Looks behind a number and sends the news.
    pub(super) fn look(&mut self, generation: u64, look: Look, anyway: bool) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let (told, mut news) = mpsc::channel(4);
            let forward = async {
                while let Some(news) = news.recv().await {
                    let _ = sender.send(Message::Look { generation, news }).await;
                }
            };
            tokio::join!(look::look(session, look, cancel, told), forward);
        });
    }

    /// Computes what a reviewer wants to know.
    pub(super) fn weigh(&mut self, generation: u64, request: ChangeRequest, anyway: bool) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let outcome = session.weigh(request, cancel).await.map(Box::new);
            let message = Message::Weighed {
                generation,
                outcome,
            };
            let _ = sender.send(message).await;
        });
    }

    /// Judges a definition. Whoever leaves the screen does not stop that.
    pub(super) fn judge(&mut self, generation: u64, judging: Box<Judging>) {
        let (session, sender) = (self.session(true), self.sender.clone());
        self.runtime.spawn(async move {
            let nobody = CancellationToken::new();
            let outcome = session.pass_judgement(&judging, nobody).await;
            let message = Message::Judged {
                generation,
                outcome,
            };
            let _ = sender.send(message).await;
        });
    }

    /// Computes what a draft does to the numbers.
    pub(super) fn measure(&mut self, generation: u64, request: ChangeRequest, anyway: bool) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let outcome = session.change(request, cancel).await.map(Box::new);
            let message = Message::Measured {
                generation,
                outcome,
            };
            let _ = sender.send(message).await;
        });
    }
}
