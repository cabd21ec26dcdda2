//! Runs of queries, and what is asked beside their rows.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::model::MetricQuery;
use crate::session::RunOptions;
use crate::tui::beside::BesideJob;
use crate::tui::message::{Message, Notice, RunNews};
use crate::tui::question::Written;

impl Engine {
    /// Runs a query and sends its news.
    pub(super) fn run(
        &mut self,
        generation: u64,
        query: MetricQuery,
        written: Option<Written>,
        fresh: bool,
        anyway: bool,
    ) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let (events, mut received) = mpsc::channel(4);
            let options = RunOptions {
                fresh,
                row_cap: None,
            };
            let run = async {
                match written {
                    None => session.run(&query, options, cancel, events).await,
                    Some(Written {
                        compiled,
                        connection,
                    }) => {
                        session
                            .run_compiled(compiled, &connection, options, cancel, events)
                            .await
                    }
                }
            };
            let forward = async {
                while let Some(event) = received.recv().await {
                    // The explorer may be gone; the run is then cancelled from its side.
                    let _ = sender
                        .send(Message::Run {
                            generation,
                            news: RunNews::Event(event),
                        })
                        .await;
                }
            };
            let (outcome, ()) = tokio::join!(run, forward);
            if let Some(problem) = session.history_news() {
                let said = format!("queries are not in the history: {problem}");
                let _ = sender.send(Message::Notice(Notice::Info(said))).await;
            }
            let _ = sender
                .send(Message::Run {
                    generation,
                    news: RunNews::Ended(outcome),
                })
                .await;
        });
    }

    /// Stops what was started for a generation.
    pub(super) fn cancel(&self, generation: u64) {
        if let Some(run) = self.runs.get(&generation) {
            run.cancel();
        }
    }

    /// Asks for something that belongs to the rows.
    pub(super) fn ask_beside(&mut self, generation: u64, job: BesideJob, anyway: bool) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session(anyway), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let outcome = job.run(&session, cancel).await.map(Box::new);
            // The explorer may be gone.
            let _ = sender
                .send(Message::Beside {
                    generation,
                    outcome,
                })
                .await;
        });
    }

    /// A token that is cancelled by the generation.
    pub(super) fn cancelled_by(&mut self, generation: u64) -> CancellationToken {
        let cancel = CancellationToken::new();
        // The end of a run cancels its token.
        self.runs.retain(|_, run| !run.is_cancelled());
        self.runs.insert(generation, cancel.clone());
        cancel
    }
}
