//! The explorer as plain text, line by line: the same state and actions, for screen readers, dumb terminals and pipes.
//! Nothing that was printed changes; what can be chosen has a number.

mod author;
mod cursor;
mod meaning;
mod read;
mod rows;
mod say;
mod windows;

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::event::KeyEvent;
use ratatui::layout::Size;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::action::{self, Action};
use super::engine::{self, Engine};
use super::hit::Target;
use super::keymap::{Found, Keymap};
use super::keys::Chord;
use super::message::{Effect, Lookup, Message, Notice};
use super::outside;
use super::popup::{Page, Popup};
use super::reviewing::Weighing;
use super::run::TuiError;
use super::state::State;
use super::theme::{Depth, Theme};
use super::update::update;
use crate::registry::UserConfig;
use crate::session::Session;

/// A size that the state wants to know; nothing is drawn.
const SIZE: Size = Size {
    width: 80,
    height: 24,
};

/// Messages that may wait.
const WAITING: usize = 256;

/// How long an answer may take before it is said that it is awaited, and how long until that is said again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Explores metrics line by line until the user, or the input, ends; from the definition of a metric on, if one is named.
///
/// # Errors
/// The input cannot be read, or the output cannot be written.
pub fn linear(session: Session, metric: Option<String>) -> Result<(), TuiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(explore(session, metric));
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn explore(session: Session, metric: Option<String>) -> Result<(), TuiError> {
    let setting = engine::setting(&session, &UserConfig::open(), Depth::None);
    let theme = Theme::load("dark", &setting.preferences.themes, Depth::None)?;
    let connection = session.connection();
    let (state, effects) = State::new(setting, session.catalog(), connection, theme, SIZE);
    let (sender, received) = mpsc::channel(WAITING);
    let changed = sender.clone();
    let watcher = session.watch(move || {
        // A full queue already holds a change, or the explorer is gone.
        let _ = changed.try_send(Message::FilesChanged);
    });
    if let Err(error) = &watcher {
        let _ = sender.try_send(Message::Notice(Notice::Error(error.to_string())));
    }
    let engine = Engine::new(session, tokio::runtime::Handle::current(), sender);
    engine.prepare();
    let mut conversation = Conversation {
        state,
        engine,
        received,
        reader: Reader::start(),
        terminate: signal(SignalKind::terminate())?,
        hangup: signal(SignalKind::hangup())?,
        is_terminal: io::stdin().is_terminal(),
        said: say::Said::default(),
        drafts: Vec::new(),
        to_edit: None,
        preparing: true,
        reloading: false,
        owed: 0,
        over: false,
        started: Instant::now(),
    };
    conversation.carry_out(effects)?;
    let outcome = conversation.hold(metric).await;
    if let Some(workspace) = conversation.state.workspace() {
        conversation.engine.keep_at_last(&workspace);
    }
    outcome
}

/// The input, read by a thread of its own, since reading cannot be interrupted. It reads no line that nobody waits for,
/// which would be taken from a program that has the terminal meanwhile.
struct Reader {
    wanted: mpsc::Sender<()>,
    lines: mpsc::Receiver<io::Result<String>>,
}

impl Reader {
    fn start() -> Self {
        let (sender, lines) = mpsc::channel(1);
        let (wanted, mut wants) = mpsc::channel(1);
        std::thread::spawn(move || {
            let mut input = io::stdin().lock().lines();
            while wants.blocking_recv().is_some() {
                let Some(line) = input.next() else { break };
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Self { wanted, lines }
    }
}

/// The state with both sides of the conversation.
struct Conversation {
    state: State,
    engine: Engine,
    received: mpsc::Receiver<Message>,
    reader: Reader,
    terminate: Signal,
    hangup: Signal,
    /// Whether somebody sits at a terminal. Else the input is not seen, and is printed.
    is_terminal: bool,
    said: say::Said,
    /// The text of the file in author mode before each change, to go back to.
    drafts: Vec<Vec<String>>,
    /// File and line to be opened in an editor.
    to_edit: Option<(String, u32)>,
    /// Whether the demo may still have to be made.
    preparing: bool,
    /// Whether the definitions are being read again.
    reloading: bool,
    /// Answers that are awaited and belong to no lookup.
    owed: usize,
    over: bool,
    started: Instant,
}

impl Conversation {
    async fn hold(&mut self, metric: Option<String>) -> Result<(), TuiError> {
        self.print(&say::greeting(&self.state))?;
        // Keys are commands from the start, and not text for the search box.
        self.key("Esc").await?;
        if let Some(metric) = metric {
            let effect = self.state.ask(Lookup::Definition(metric));
            self.carry_out(vec![effect])?;
            self.wait().await?;
        }
        self.say().await?;
        while !self.over {
            let Some(line) = self.line().await? else {
                break;
            };
            self.said.has_spoken = false;
            self.hear(&line).await?;
            if let Some((file, line)) = self.to_edit.take() {
                self.edit(&file, line).await?;
            }
            let has_spoken = self.say().await?;
            let line = line.trim();
            let is_answered = has_spoken || line.is_empty() || read::BACK.contains(&line);
            if !is_answered && !self.over {
                self.print("Nothing has changed.")?;
            }
        }
        Ok(())
    }

    /// The next line; none at the end of the input, or when the program is to end.
    async fn line(&mut self) -> Result<Option<String>, TuiError> {
        print!("> ");
        io::stdout().flush()?;
        // Without a reader the input has ended.
        let _ = self.reader.wanted.send(()).await;
        loop {
            tokio::select! {
                line = self.reader.lines.recv() => {
                    let line = line.transpose()?;
                    if let Some(line) = line.as_ref().filter(|_| !self.is_terminal) {
                        self.print(&crate::session::cell::sanitize(line))?;
                    }
                    return Ok(line);
                }
                _ = tokio::signal::ctrl_c() => {
                    println!();
                    return Ok(None);
                }
                _ = self.terminate.recv() => return Ok(None),
                _ = self.hangup.recv() => return Ok(None),
                Some(message) = self.received.recv() => self.tell(message)?,
            }
        }
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        self.said.has_spoken = true;
        out.flush()
    }

    /// Says what is new; whether anything was said since the last time.
    async fn say(&mut self) -> Result<bool, TuiError> {
        for line in self.said.news(&mut self.state) {
            self.print(&line)?;
        }
        // A text that was not taken is not gone back to, but typed anew.
        let is_prompt = self.state.prompt.typing && self.state.popups.is_empty();
        let is_text = match self.state.popups.last() {
            Some(Popup::Author(author)) => author.typing,
            _ => false,
        };
        if is_prompt || is_text {
            self.key("Esc").await?;
        }
        let is_author = |popup: &Popup| matches!(popup, Popup::Author(_));
        if !self.state.popups.iter().any(is_author) {
            self.drafts.clear();
        }
        Ok(std::mem::take(&mut self.said.has_spoken))
    }

    /// Does what a key does as it is delivered, also where the configuration says otherwise, and waits for what it
    /// leads to.
    async fn key(&mut self, key: &str) -> Result<(), TuiError> {
        let message = self.delivered(key);
        match message {
            Some(message) => self.act(message).await,
            None => Ok(()),
        }
    }

    fn delivered(&self, key: &str) -> Option<Message> {
        let chord: Chord = key.parse().ok()?;
        let found = Keymap::default().find(action::contexts(&self.state), None, chord);
        Some(match found {
            Found::Entry(entry) => Message::Click(Target::Action(entry.action)),
            Found::First | Found::Nothing => Message::Key(KeyEvent::from(chord)),
        })
    }

    /// Presses a key and waits for what it leads to.
    async fn press(&mut self, chord: Chord) -> Result<(), TuiError> {
        self.act(Message::Key(KeyEvent::from(chord))).await
    }

    /// Does what an action does, or says why not, and waits for what it leads to.
    async fn perform(&mut self, action: Action) -> Result<(), TuiError> {
        self.act(Message::Click(Target::Action(action))).await
    }

    /// Puts a text in the place of what is typed.
    async fn type_text(&mut self, text: &str) -> Result<(), TuiError> {
        self.key("Ctrl+U").await?;
        self.act(Message::Paste(text.to_owned())).await
    }

    /// Gives the state a message and waits for what it leads to.
    async fn act(&mut self, message: Message) -> Result<(), TuiError> {
        self.tell(message)?;
        self.wait().await
    }

    /// Waits for what is under way. Ctrl+C cancels it.
    async fn wait(&mut self) -> Result<(), TuiError> {
        while self.is_busy() && !self.over {
            tokio::select! {
                Some(message) = self.received.recv() => self.tell(message)?,
                _ = tokio::signal::ctrl_c() => self.interrupt()?,
                _ = self.terminate.recv() => self.over = true,
                _ = self.hangup.recv() => self.over = true,
                () = tokio::time::sleep(PATIENCE) => {
                    let text = say::waiting(&self.state);
                    self.print(&text)?;
                }
            }
        }
        Ok(())
    }

    /// Ctrl+C cancels runs, questions and files; what a window waits for ends with Esc.
    fn interrupt(&mut self) -> Result<(), TuiError> {
        let (state, is_window) = (&self.state, self.waits_in_window());
        let is_beside = state.result.beside.is_some() && !state.result.is_running();
        let key = if is_window || is_beside {
            "Esc"
        } else {
            "Ctrl+C"
        };
        match self.delivered(key) {
            Some(message) => self.tell(message),
            None => Ok(()),
        }
    }

    fn is_busy(&self) -> bool {
        let state = &self.state;
        let is_at_work = |tab: &State| tab.result.is_running() || tab.result.beside.is_some();
        self.preparing
            || self.reloading
            || self.owed > 0
            || self.waits_in_window()
            || state.is_asking()
            || state.saving.is_some()
            || state.find_tab(is_at_work).is_some()
    }

    /// Whether the window on top waits for what it shows.
    fn waits_in_window(&self) -> bool {
        match self.state.popups.last() {
            Some(Popup::Naming(naming)) => naming.is_saving,
            Some(Popup::Author(author)) => author.is_measuring() || author.saving.is_some(),
            Some(Popup::Review(open)) => {
                open.judging.is_some() || matches!(open.weighed, Weighing::Running(_))
            }
            Some(Popup::Behind(behind)) => behind.phase.is_running(),
            Some(Popup::Spread(window)) => window.phase.is_running(),
            Some(Popup::Why(open)) => open.is_running,
            Some(Popup::Reader(reader)) => {
                let is_asking =
                    matches!(&reader.page, Page::Number(_, sections) if sections.is_empty());
                is_asking || matches!(reader.page, Page::Policy(None))
            }
            _ => false,
        }
    }

    fn tell(&mut self, message: Message) -> Result<(), TuiError> {
        match message {
            Message::Prepared(_) => self.preparing = false,
            Message::Reloaded { .. } => self.reloading = false,
            Message::Connected { .. } | Message::Notice(_) => {
                self.owed = self.owed.saturating_sub(1);
            }
            _ => {}
        }
        update(&mut self.state, Message::Clock(self.started.elapsed()));
        let effects = update(&mut self.state, message);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), TuiError> {
        for effect in effects {
            match effect {
                Effect::Reload => self.reloading = true,
                Effect::Connect(_)
                | Effect::Forget(_)
                | Effect::DeleteView(_)
                | Effect::Pin(_)
                | Effect::Feedback { .. } => self.owed += 1,
                _ => {}
            }
            match self.engine.carry_out(effect) {
                None
                | Some(
                    Effect::Mouse(_) | Effect::Redraw | Effect::Suspend | Effect::AskBackground,
                ) => {}
                Some(Effect::Copy(text)) => {
                    self.print("Copied text, between the lines:")?;
                    self.print(&format!("-----\n{}\n-----", text.trim_end()))?;
                }
                Some(Effect::Edit(file, line)) => self.to_edit = Some((file, line)),
                Some(Effect::Quit) => self.over = true,
                Some(_) => self.print("This needs the explorer with a screen.")?,
            }
        }
        Ok(())
    }

    /// Opens a file in the user's editor, which has the terminal meanwhile; where there is none, says where it stands.
    async fn edit(&mut self, path: &str, line: u32) -> Result<(), TuiError> {
        let file = match self.engine.file_to_edit(path) {
            Ok(file) => file,
            Err(error) => return Ok(self.print(&format!("{path}: {error}"))?),
        };
        if !self.is_terminal {
            let text = format!("It stands in {}, line {line}.", file.display());
            return Ok(self.print(&text)?);
        }
        let (program, mut command) = outside::editor(|name| std::env::var(name).ok(), &file, line);
        let text = match command.status() {
            Ok(status) if status.success() => format!("{program} has ended."),
            Ok(status) => format!("{program} ended with {status}."),
            Err(error) => {
                format!("{program} cannot be started: {error}; set VISUAL or EDITOR.")
            }
        };
        self.print(&text)?;
        self.act(Message::FilesChanged).await
    }
}
