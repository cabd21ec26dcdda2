//! Carries out effects: asks the session off the drawing thread and runs queries, and answers with messages.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::beside::BesideJob;
use super::charting;
use super::clipboard::{self, Ways};
use super::files::FileJob;
use super::keymap::Keymap;
use super::look::Look;
use super::message::{
    Answer, AskNews, Earlier, Effect, Excerpt, FileNews, Lookup, Message, Notice, RunNews, Setting,
    Slot,
};
use super::question::Written;
use super::theme::Depth;
use super::widgets::chart::Glyphs;
use crate::model::{MetricQuery, Place};
use crate::registry::UserConfig;
use crate::session::files::Writing;
use crate::session::{
    AskOptions, ChangeRequest, Expense, HistoryEntry, HistoryOutcome, Meaning, RunOptions,
    SavedQuery, Session, Workspace,
};

/// Lines of a definition that are shown before and after its first one.
const AROUND: (u32, usize) = (3, 30);

/// Values of one dimension that are listed; the index holds no more for any column.
const VALUES: usize = 100_000;

/// How often it is said how far a file is.
const TOLD: Duration = Duration::from_millis(100);

/// Earlier queries that are listed.
const HISTORY: usize = 500;

/// What the explorer knows from the start.
pub fn setting(session: &Session, user: &UserConfig, depth: Depth) -> Setting {
    let project = session.project();
    let (keymap, problems) = Keymap::read(&user.keys, &project.config.keys);
    let configured = project.config.warnings.iter().chain(&user.problems);
    let themes = project
        .files()
        .themes
        .into_iter()
        .map(|file| (file.path, file.text))
        .collect();
    Setting {
        project: project.name.clone(),
        root: project.root.clone(),
        today: session.today(),
        connections: session.connections(),
        clipboard: user.clipboard.unwrap_or(project.config.clipboard),
        themes,
        folder: std::env::current_dir().unwrap_or_default(),
        depth,
        problems: configured.cloned().chain(problems).collect(),
        keymap,
        glyphs: Glyphs::default(),
    }
}

/// Answers a lookup.
pub fn answer(session: &Session, lookup: Lookup) -> Answer {
    match lookup {
        Lookup::Search(words) => {
            let hits = if words.trim().is_empty() {
                session.all_metrics()
            } else {
                Arc::new(session.search(&words))
            };
            Answer::Search(hits, session.search_hint(&words))
        }
        Lookup::Definition(metric) => Answer::Definition(
            session
                .definition_file(&metric)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Draft { metric, path, text } => {
            Answer::Draft(Box::new(session.draft(&metric, &path, &text)))
        }
        Lookup::Save { path, known, text } => {
            Answer::Save(session.save_definition(&path, known.as_deref(), &text))
        }
        Lookup::Misfits(demands) => Answer::Misfits(session.misfits(&demands)),
        Lookup::Describe(metric) => Answer::Describe(
            session
                .describe(&metric)
                .map(Box::new)
                .map_err(|error| error.to_string()),
        ),
        Lookup::Compile(query) => Answer::Compile(session.compile(&query).map(Arc::new)),
        Lookup::Complete(line, cursor) => Answer::Complete(session.complete(&line, cursor)),
        Lookup::CompleteWord(text, cursor) => {
            Answer::Complete(session.complete_word(&text, cursor))
        }
        Lookup::Understand { question, previous } => {
            let understanding = session.understand(&question, previous.as_ref());
            Answer::Understand(Box::new(understanding))
        }
        Lookup::Dimensions(metrics) => Answer::Dimensions(session.dimensions(&metrics)),
        Lookup::Values { metrics, dimension } => {
            Answer::Values(session.values(&metrics, &dimension, "", VALUES))
        }
        Lookup::History => Answer::History(earlier(session)),
        Lookup::Choices => Answer::Choices(session.choices()),
        Lookup::Workspace => Answer::Workspace(session.workspace()),
        Lookup::Excerpts(places) => Answer::Excerpts(excerpts(session, &places)),
        Lookup::Sort(job) => Answer::Sort(job.run().map_err(|error| error.to_string())),
        Lookup::Find(find) => Answer::Find(find.run()),
        Lookup::Filter(job) => Answer::Filter(job.run()),
        Lookup::Group(job) => Answer::Group(job.run()),
        Lookup::Pivot(job) => Answer::Pivot(job.run().map(Box::new)),
        Lookup::Write {
            table,
            what,
            format,
            cap,
        } => Answer::Write(table.copy(what, format, cap)),
        Lookup::Chart(job) => Answer::Chart(job.run()),
        Lookup::SaveChart {
            chart,
            form,
            folder,
        } => Answer::SaveChart(charting::save(&chart, form, &folder)),
    }
}

/// What stands against running it without a question. Whatever goes wrong here goes wrong in the run too, and is said then.
async fn expense(
    session: &Session,
    query: &MetricQuery,
    written: Option<&Written>,
    options: RunOptions,
    cancel: &CancellationToken,
) -> Option<Expense> {
    let (compiled, connection) = match written {
        Some(written) => (Arc::clone(&written.compiled), written.connection.clone()),
        None => (Arc::new(session.compile(query).ok()?), session.connection()),
    };
    let expense = session.expense(&compiled, &connection, options, cancel);
    expense.await.ok().flatten()
}

/// Query lines and questions, the latest first.
fn earlier(session: &Session) -> Vec<Earlier> {
    let lines = session.history(HISTORY).into_iter().map(|entry| Earlier {
        outcome: ended(&entry),
        text: entry.line,
        at: entry.at,
        is_question: false,
    });
    let questions = session.questions(HISTORY).into_iter().map(|asked| Earlier {
        text: asked.text,
        at: asked.at,
        is_question: true,
        outcome: String::new(),
    });
    let mut all: Vec<_> = lines.chain(questions).collect();
    all.sort_by_key(|earlier| std::cmp::Reverse(earlier.at));
    all
}

/// How the last run of a line ended: `24 rows, 12 ms`.
fn ended(entry: &HistoryEntry) -> String {
    match &entry.outcome {
        HistoryOutcome::Ok => format!(
            "{} rows, {} ms on {}",
            entry.rows, entry.ms, entry.connection
        ),
        HistoryOutcome::Cancelled => "cancelled".to_owned(),
        HistoryOutcome::Failed(error) => format!("failed: {error}"),
    }
}

fn excerpts(session: &Session, places: &[Place]) -> Vec<Excerpt> {
    let files = session.project().files();
    let catalog = session.catalog();
    let all = [&files.metrics, &files.snippets, &files.templates];
    let excerpt = |place: &Place| {
        let path = catalog.registry.file(*place);
        let file = all.into_iter().flatten().find(|file| file.path == path)?;
        let first = place.line.saturating_sub(AROUND.0).max(1);
        let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
        let lines: Vec<String> = file
            .text
            .lines()
            .skip(skipped)
            .take(AROUND.1)
            .map(str::to_owned)
            .collect();
        Some(Excerpt {
            at: catalog.registry.at(*place),
            first,
            lines,
            line: place.line,
        })
    };
    places.iter().filter_map(excerpt).collect()
}

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

/// One waiting lookup of each kind: a later one takes the place of an earlier one.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    lookups: BTreeMap<Slot, (u64, Lookup)>,
    /// What is being answered, where it can be stopped.
    running: Option<(Slot, CancellationToken)>,
    closed: bool,
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

    /// Asks the session; an earlier question of the same kind is dropped if it waits, and stopped if it can be.
    pub(super) fn ask(&self, generation: u64, lookup: Lookup) {
        let slot = lookup.slot();
        let desk = if slot.is_of_rows() {
            &self.rows
        } else {
            &self.desk
        };
        let mut waiting = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, stop)) = waiting.running.take_if(|(running, _)| *running == slot) {
            stop.cancel();
        }
        waiting.lookups.insert(slot, (generation, lookup));
        desk.bell.notify_one();
    }

    /// Asks for something that belongs to the rows.
    pub(super) fn ask_beside(&mut self, generation: u64, job: BesideJob) {
        let cancel = self.cancelled_by(generation);
        let done = cancel.clone().drop_guard();
        let (session, sender) = (self.session.clone(), self.sender.clone());
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
    fn cancelled_by(&mut self, generation: u64) -> CancellationToken {
        let cancel = CancellationToken::new();
        // The end of a run cancels its token.
        self.runs.retain(|_, run| !run.is_cancelled());
        self.runs.insert(generation, cancel.clone());
        cancel
    }

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
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let _done = done;
            let (events, mut received) = mpsc::channel(4);
            let options = RunOptions {
                fresh,
                row_cap: None,
            };
            if !anyway
                && let Some(expense) =
                    expense(&session, &query, written.as_ref(), options, &cancel).await
            {
                let message = Message::Expensive {
                    generation,
                    expense,
                    fresh,
                };
                let _ = sender.send(message).await;
                return;
            }
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
            let _ = sender
                .send(Message::Run {
                    generation,
                    news: RunNews::Ended(outcome),
                })
                .await;
        });
    }

    /// Stops a run, or what is asked beside one.
    pub(super) fn cancel(&self, generation: u64) {
        if let Some(run) = self.runs.get(&generation) {
            run.cancel();
        }
    }

    /// Answers a question in plain words and sends its news; an earlier one is answered no more.
    pub(super) fn answer_question(
        &mut self,
        generation: u64,
        question: String,
        options: AskOptions,
        chosen: Option<(String, Meaning)>,
    ) {
        self.stop_asking();
        self.stop_asking = CancellationToken::new();
        let (cancel, session, sender) = (
            self.stop_asking.clone(),
            self.session.clone(),
            self.sender.clone(),
        );
        self.runtime.spawn(async move {
            let (keep, text) = (session.clone(), question.clone());
            let keep = move || {
                keep.keep_question(&text);
                if let Some((words, meaning)) = chosen {
                    keep.choose(&text, &words, &meaning);
                }
            };
            // The history is a file. Where it cannot be written, the answer is as good.
            let _ = tokio::task::spawn_blocking(keep).await;
            let stages = sender.clone();
            let stage = move |stage| {
                let news = AskNews::Stage(stage);
                // A full queue means that newer stages will follow anyway.
                let _ = stages.try_send(Message::Ask { generation, news });
            };
            let asked = session.ask(&question, &options, cancel, stage).await;
            let news = AskNews::Ended(Box::new(asked));
            let _ = sender.send(Message::Ask { generation, news }).await;
        });
    }

    /// Answers the question no more.
    pub(super) fn stop_asking(&self) {
        self.stop_asking.cancel();
    }

    /// Writes a file and sends its news.
    pub(super) fn write(&mut self, generation: u64, job: FileJob) {
        self.stop_writing = CancellationToken::new();
        let cancel = self.stop_writing.clone();
        let (session, sender) = (self.session.clone(), self.sender.clone());
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
            tokio::join!(super::look::look(session, look, cancel, told), forward);
        });
    }

    /// Looks no more.
    pub(super) fn stop_looking(&self) {
        self.stop_looking.cancel();
    }

    /// Hands a copy to a program of the desktop.
    pub(super) fn copy(&self, text: String, ways: Ways) {
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

    /// Forgets what was chosen for words.
    pub(super) fn forget(&self, words: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            session.forget_choice(&words);
            let said = Notice::Info(format!("forgotten what '{words}' was chosen to mean"));
            let _ = sender.blocking_send(Message::Notice(said));
        });
    }

    /// Keeps what is open for the next start, without anybody waiting for it.
    pub(super) fn keep(&self, workspace: Workspace) {
        let session = self.session.clone();
        self.runtime
            .spawn_blocking(move || session.keep_workspace(&workspace));
    }

    /// The same at the end, when it has to be written before the program is gone.
    pub(super) fn keep_at_last(&self, workspace: &Workspace) {
        self.session.keep_workspace(workspace);
    }

    /// Makes the demo ready, if that is what is explored.
    pub(super) fn prepare(&self) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn(async move {
            let progress = sender.clone();
            let outcome = session
                .prepare(move |step| {
                    let percent = (step.share * 100.0).round();
                    // A full queue means that newer steps will follow anyway.
                    let _ = progress.try_send(Message::Preparing(format!(
                        "Making the demo database: {} {percent}%",
                        step.step.trim_start_matches("demo data: ")
                    )));
                })
                .await;
            let _ = sender
                .send(Message::Prepared(
                    outcome.map_err(|error| error.to_string()),
                ))
                .await;
        });
    }

    /// Reads the registry again.
    pub(super) fn reload(&self) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime
            .spawn_blocking(move || reload(&session, &sender));
    }

    /// Saves a query in the project.
    pub(super) fn save_view(&self, view: SavedQuery, replace: bool) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            let outcome = session.save_view(&view, replace);
            if outcome.is_ok() {
                reload(&session, &sender);
            }
            let name = view.name;
            let _ = sender.blocking_send(Message::ViewSaved { name, outcome });
        });
    }

    /// Deletes a saved query of the project.
    pub(super) fn delete_view(&self, name: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            let said = match session.delete_view(&name) {
                Ok(file) => {
                    reload(&session, &sender);
                    Notice::Info(format!("deleted '{name}' from {file}"))
                }
                Err(error) => Notice::Error(error.message),
            };
            let _ = sender.blocking_send(Message::Notice(said));
        });
    }

    /// Forgets a line of the history.
    pub(super) fn forget_line(&self, line: String) {
        let session = self.session.clone();
        self.runtime
            .spawn_blocking(move || session.forget_line(&line));
    }

    /// Switches the connection.
    pub(super) fn connect(&self, name: String) {
        let (session, sender) = (self.session.clone(), self.sender.clone());
        self.runtime.spawn_blocking(move || {
            let error = session
                .use_connection(&name)
                .err()
                .map(|error| error.to_string());
            let _ = sender.blocking_send(Message::Connected {
                connection: session.connection(),
                error,
            });
        });
    }
}

/// Reads the registry again and says what it is now.
fn reload(session: &Session, sender: &Sender) {
    session.reload();
    let catalog = session.catalog();
    let problems = catalog.diagnostics.clone();
    let _ = sender.blocking_send(Message::Reloaded { catalog, problems });
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
        for desk in [&self.desk, &self.rows] {
            let mut waiting = desk.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.closed = true;
            if let Some((_, stop)) = &waiting.running {
                stop.cancel();
            }
            desk.bell.notify_one();
        }
    }
}

impl Desk {
    /// Answers what waits, until the explorer has gone.
    fn serve(&self, session: &Session, sender: &Sender) {
        loop {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
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
