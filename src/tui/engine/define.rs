//! What the form that defines a metric asks for.

use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::session::Session;
use crate::session::define::Signed;
use crate::tui::define::{DefineJob, DefineNews};
use crate::tui::message::Message;

impl Engine {
    /// Does it, and sends what comes of it.
    pub(super) fn define(&mut self, generation: u64, job: DefineJob) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let anyway = matches!(&job, DefineJob::Numbers(_, true) | DefineJob::Write(..));
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let news = job.carry_out(session, cancel).await;
            let message = Message::Define {
                generation,
                news: Box::new(news),
            };
            // The explorer may be gone.
            let _ = sender.send(message).await;
        });
    }
}

impl DefineJob {
    /// Does it.
    pub async fn carry_out(self, session: Session, cancel: CancellationToken) -> DefineNews {
        match self {
            DefineJob::Open => {
                let kept = tokio::task::spawn_blocking(move || session.kept_idea()).await;
                DefineNews::Opened(kept.ok().flatten())
            }
            DefineJob::Suggest(idea, history) => {
                let defined = session.define(&idea, &history, &cancel).await;
                DefineNews::Suggested(defined.map(Box::new))
            }
            DefineJob::Numbers(defined, _) => {
                let first = session.first_numbers(&defined, &cancel).await;
                DefineNews::Numbers(first.map(Box::new))
            }
            DefineJob::Propose(idea) => DefineNews::Proposed(session.guess(&idea, &cancel).await),
            DefineJob::Write(defined, status) => {
                let who = session.clone();
                let by = tokio::task::spawn_blocking(move || who.who()).await;
                let signed = Signed {
                    status,
                    by: by.unwrap_or_default(),
                    why: String::new(),
                };
                let written = session.publish_defined(&defined, &signed, cancel).await;
                DefineNews::Written(status, written)
            }
        }
    }
}
