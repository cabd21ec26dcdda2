//! The explorer as plain text, line by line: the same state and actions, for screen readers, dumb terminals and pipes.
//! Nothing that was printed changes; what can be chosen has a number.

mod read;
mod say;

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossterm::event::KeyEvent;
use ratatui::layout::Size;
use tokio::sync::mpsc;

use super::engine::{self, Engine};
use super::keys::Chord;
use super::message::{Effect, Message};
use super::popup::Popup;
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

/// Explores metrics line by line until the user, or the input, ends.
///
/// # Errors
/// The input cannot be read, or the output cannot be written.
pub fn linear(session: Session) -> Result<(), TuiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(explore(session));
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn explore(session: Session) -> Result<(), TuiError> {
    let setting = engine::setting(&session, &UserConfig::open(), Depth::None);
    let theme = Theme::load("dark", &setting.preferences.themes, Depth::None)?;
    let connection = session.connection();
    let (state, effects) = State::new(setting, session.catalog(), connection, theme, SIZE);
    let (sender, received) = mpsc::channel(WAITING);
    let engine = Engine::new(session, tokio::runtime::Handle::current(), sender);
    engine.prepare();
    let mut conversation = Conversation {
        state,
        engine,
        received,
        lines: lines(),
        echo: !io::stdin().is_terminal(),
        said: say::Said::default(),
        preparing: true,
        over: false,
        started: Instant::now(),
    };
    conversation.carry_out(effects)?;
    conversation.hold().await
}

/// Lines of the input, read by a thread of its own, since reading cannot be interrupted.
fn lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The state with both sides of the conversation.
struct Conversation {
    state: State,
    engine: Engine,
    received: mpsc::Receiver<Message>,
    lines: mpsc::Receiver<io::Result<String>>,
    /// Whether the input is not seen, and is to be printed.
    echo: bool,
    said: say::Said,
    /// Whether the demo may still have to be made.
    preparing: bool,
    over: bool,
    started: Instant,
}

impl Conversation {
    async fn hold(mut self) -> Result<(), TuiError> {
        self.print(&say::greeting(&self.state))?;
        // Keys are commands from the start, and not text for the search box.
        self.key("Esc").await?;
        while !self.over {
            self.say().await?;
            let Some(line) = self.line().await? else {
                break;
            };
            self.hear(line.trim()).await?;
        }
        Ok(())
    }

    /// The next line; none at the end of the input.
    async fn line(&mut self) -> Result<Option<String>, TuiError> {
        print!("> ");
        io::stdout().flush()?;
        loop {
            tokio::select! {
                line = self.lines.recv() => {
                    let line = line.transpose()?;
                    if let Some(line) = line.as_ref().filter(|_| self.echo) {
                        self.print(&crate::session::cell::sanitize(line))?;
                    }
                    return Ok(line);
                }
                _ = tokio::signal::ctrl_c() => {
                    println!();
                    return Ok(None);
                }
                Some(message) = self.received.recv() => self.tell(message)?,
            }
        }
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// Says what is new.
    async fn say(&mut self) -> Result<(), TuiError> {
        for line in self.said.news(&mut self.state) {
            self.print(&line)?;
        }
        // A text that was not taken is not gone back to, but typed anew.
        if self.state.prompt.typing && self.state.popups.is_empty() {
            self.key("Esc").await?;
        }
        Ok(())
    }

    /// Presses a key and waits for what it leads to.
    async fn key(&mut self, key: &str) -> Result<(), TuiError> {
        match key.parse::<Chord>() {
            Ok(chord) => self.act(Message::Key(KeyEvent::from(chord))).await,
            Err(_) => Ok(()),
        }
    }

    /// Puts a text in the place of what is typed.
    async fn type_text(&mut self, text: &str) -> Result<(), TuiError> {
        self.key("Ctrl+U").await?;
        self.act(Message::Paste(text.to_owned())).await
    }

    /// Gives the state a message and waits for what it leads to. Ctrl+C cancels it.
    async fn act(&mut self, message: Message) -> Result<(), TuiError> {
        self.tell(message)?;
        while self.is_busy() && !self.over {
            tokio::select! {
                Some(message) = self.received.recv() => self.tell(message)?,
                _ = tokio::signal::ctrl_c() => {
                    let chord: Result<Chord, _> = "Ctrl+C".parse();
                    if let Ok(chord) = chord {
                        self.tell(Message::Key(KeyEvent::from(chord)))?;
                    }
                }
                () = tokio::time::sleep(PATIENCE) => self.print(&say::waiting(&self.state))?,
            }
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        let state = &self.state;
        let is_naming = match state.popups.last() {
            Some(Popup::Naming(naming)) => naming.is_saving,
            _ => false,
        };
        self.preparing
            || is_naming
            || state.is_asking()
            || state.result.is_running()
            || state.saving.is_some()
    }

    fn tell(&mut self, message: Message) -> Result<(), TuiError> {
        if let Message::Prepared(_) = message {
            self.preparing = false;
        }
        update(&mut self.state, Message::Clock(self.started.elapsed()));
        let effects = update(&mut self.state, message);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), TuiError> {
        for effect in effects {
            match self.engine.carry_out(effect) {
                None | Some(Effect::Mouse(_) | Effect::Redraw) => {}
                Some(Effect::Copy(text)) => {
                    self.print("Copied text, between the lines:")?;
                    self.print(&format!("-----\n{}\n-----", text.trim_end()))?;
                }
                Some(Effect::Edit(file, line)) => {
                    self.print(&format!("It stands in {}, line {line}.", file.display()))?;
                }
                Some(Effect::Quit) => self.over = true,
                Some(_) => self.print("This needs the explorer with a screen.")?,
            }
        }
        Ok(())
    }
}
