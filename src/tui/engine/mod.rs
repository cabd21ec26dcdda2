//! Carries out effects: asks the session off the drawing thread and runs queries, and answers with messages.

mod define;
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
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::drafts::{Draft, Drafts};
use super::message::{Effect, Lookup, Message};
use crate::session::{Face, Session};
use desk::Desk;

/// Sends a message to the explorer; once it has gone, nobody waits for one.
pub(super) type Sender = mpsc::Sender<Message>;

/// The session's side of the explorer.
pub(super) struct Engine {
    /// One that asks: what looks expensive is not run unless an effect says so.
    session: Session,
    runtime: Handle,
    sender: Sender,
    desk: Arc<Desk>,
    /// For work on rows.
    rows: Arc<Desk>,
    /// For reading the log of use.
    log: Arc<Desk>,
    /// What is under way, by generation.
    runs: HashMap<u64, CancellationToken>,
    stop_writing: CancellationToken,
    drafts: Drafts,
}

impl Engine {
    pub(super) fn new(session: Session, runtime: Handle, sender: Sender) -> Self {
        let session = session.asking().with_face(Face::Explorer);
        let [desk, rows, log] = [(); 3].map(|()| {
            let desk = Arc::new(Desk::default());
            let clerk = (session.clone(), sender.clone(), Arc::clone(&desk));
            std::thread::spawn(move || clerk.2.serve(&clerk.0, &clerk.1));
            desk
        });
        Self {
            drafts: Drafts::new(session.clone(), sender.clone()),
            session,
            runtime,
            sender,
            desk,
            rows,
            log,
            runs: HashMap::new(),
            stop_writing: CancellationToken::new(),
        }
    }

    /// Carries out what needs no terminal; returns what does.
    pub(super) fn carry_out(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Lookup {
                generation,
                tab,
                lookup,
            } => self.ask(generation, tab, lookup),
            Effect::Run {
                generation,
                query,
                written,
                fresh,
                anyway,
            } => self.run(generation, query, written, fresh, anyway),
            Effect::Beside {
                generation,
                job,
                anyway,
            } => self.ask_beside(generation, job, anyway),
            Effect::Cancel(generation) => self.cancel(generation),
            Effect::Ask {
                generation,
                question,
                options,
                chosen,
            } => self.answer_question(generation, question, options, chosen),
            Effect::Look {
                generation,
                look,
                anyway,
            } => self.look(generation, look, anyway),
            Effect::WriteFile {
                generation,
                job,
                anyway,
            } => self.write(generation, *job, anyway),
            Effect::StopWriting => self.stop_writing(),
            Effect::Measure {
                generation,
                request,
                anyway,
            } => self.measure(generation, request, anyway),
            Effect::Define { generation, job } => self.define(generation, job),
            Effect::Weigh {
                generation,
                request,
                anyway,
            } => self.weigh(generation, *request, anyway),
            Effect::Judge {
                generation,
                judging,
            } => self.judge(generation, judging),
            Effect::Forget(words) => self.forget(words),
            Effect::ForgetLine(line) => self.forget_line(line),
            Effect::SaveView { view, replace } => self.save_view(view, replace),
            Effect::DeleteView(name) => self.delete_view(name),
            Effect::Feedback { line, thumb, words } => self.feedback(line, thumb, words),
            Effect::Reused(line) => self.reused(line),
            Effect::Pin(pin) => self.pin(*pin),
            Effect::Keep(workspace) => self.keep(workspace),
            Effect::KeepDraft { path, saved, text } => {
                self.drafts.put(path, Draft::Kept { saved, text });
            }
            Effect::DropDraft(path) => self.drafts.put(path, Draft::Dropped),
            Effect::Reload => self.reload(),
            Effect::Connect(name) => self.connect(name),
            other => return Some(other),
        }
        None
    }

    /// Asks the session.
    fn ask(&self, generation: u64, tab: u64, lookup: Lookup) {
        let slot = lookup.slot();
        let desk = match slot {
            slot if slot.is_of_rows() => &self.rows,
            slot if slot.is_of_log() => &self.log,
            _ => &self.desk,
        };
        desk.ask((slot, tab), generation, lookup);
    }

    /// The file behind a path of the project, for an editor.
    pub(super) fn file_to_edit(&self, path: &str) -> io::Result<PathBuf> {
        self.session.file_to_edit(path)
    }

    /// The session for what has been asked about, or for what has not.
    fn session(&self, anyway: bool) -> Session {
        match anyway {
            true => self.session.anyway(),
            false => self.session.clone(),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for run in self.runs.values() {
            run.cancel();
        }
        self.stop_writing();
        self.desk.close();
        self.rows.close();
        self.log.close();
    }
}
