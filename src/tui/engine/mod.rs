//! Carries out effects: asks the session off the drawing thread and runs queries, and answers with messages.

mod desk;
mod lookups;
mod numbers;
mod outlets;
mod project;
mod questions;
mod runs;
mod setting;

pub use lookups::answer;
pub use setting::{preferences, setting};

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::message::{Effect, Lookup, Message};
use crate::session::Session;
use desk::Desk;

/// Sends a message to the explorer; once it has gone, nobody waits for one.
pub(super) type Sender = mpsc::Sender<Message>;

/// The session's side of the explorer.
pub(super) struct Engine {
    session: Session,
    runtime: Handle,
    sender: Sender,
    desk: Arc<Desk>,
    /// For work on rows.
    rows: Arc<Desk>,
    /// The runs that are under way, and what is asked beside them, by generation.
    runs: HashMap<u64, CancellationToken>,
    stop_asking: CancellationToken,
    stop_writing: CancellationToken,
    stop_measuring: CancellationToken,
    stop_looking: CancellationToken,
}

impl Engine {
    pub(super) fn new(session: Session, runtime: Handle, sender: Sender) -> Self {
        let [desk, rows] = [(); 2].map(|()| {
            let desk = Arc::new(Desk::default());
            let clerk = (session.clone(), sender.clone(), Arc::clone(&desk));
            std::thread::spawn(move || clerk.2.serve(&clerk.0, &clerk.1));
            desk
        });
        Self {
            session,
            runtime,
            sender,
            desk,
            rows,
            runs: HashMap::new(),
            stop_asking: CancellationToken::new(),
            stop_writing: CancellationToken::new(),
            stop_measuring: CancellationToken::new(),
            stop_looking: CancellationToken::new(),
        }
    }

    /// Carries out what needs no terminal; returns what does.
    pub(super) fn carry_out(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Lookup { generation, lookup } => self.ask(generation, lookup),
            Effect::Run {
                generation,
                query,
                written,
                fresh,
                anyway,
            } => self.run(generation, query, written, fresh, anyway),
            Effect::Beside { generation, job } => self.ask_beside(generation, job),
            Effect::Cancel(generation) => self.cancel(generation),
            Effect::Ask {
                generation,
                question,
                options,
                chosen,
            } => self.answer_question(generation, question, options, chosen),
            Effect::StopAsking => self.stop_asking(),
            Effect::Look { generation, look } => self.look(generation, look),
            Effect::StopLooking => self.stop_looking(),
            Effect::WriteFile { generation, job } => self.write(generation, *job),
            Effect::StopWriting => self.stop_writing(),
            Effect::Measure {
                generation,
                request,
            } => self.measure(generation, request),
            Effect::StopMeasuring => self.stop_measuring(),
            Effect::Forget(words) => self.forget(words),
            Effect::ForgetLine(line) => self.forget_line(line),
            Effect::SaveView { view, replace } => self.save_view(view, replace),
            Effect::DeleteView(name) => self.delete_view(name),
            Effect::Keep(workspace) => self.keep(workspace),
            Effect::Reload => self.reload(),
            Effect::Connect(name) => self.connect(name),
            other => return Some(other),
        }
        None
    }

    /// Asks the session.
    fn ask(&self, generation: u64, lookup: Lookup) {
        let slot = lookup.slot();
        let desk = if slot.is_of_rows() {
            &self.rows
        } else {
            &self.desk
        };
        desk.ask(slot, generation, lookup);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for run in self.runs.values() {
            run.cancel();
        }
        self.stop_asking();
        self.stop_writing();
        self.stop_measuring();
        self.stop_looking();
        self.desk.close();
        self.rows.close();
    }
}
