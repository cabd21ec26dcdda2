//! The loop: waits for keys, answers and signals, updates the state, and draws when something changed.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{
    Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use futures_util::StreamExt as _;
use ratatui::layout::Size;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::background::{Heard, Listener};
use super::clipboard::{self, Ways};
use super::engine::{self, Engine};
use super::hit::HitMap;
use super::message::{Effect, Lookup, Message, Notice};
use super::outside;
use super::state::State;
use super::terminal::{COPY_CAP, Screen};
use super::theme::{Depth, Theme, ThemeError};
use super::update::{open_define, update};
use super::widgets::chart::Glyphs;
use crate::registry::{Clipboard, UserConfig};
use crate::session::Session;

/// Messages that may wait; senders of rows wait for room, so that a fast warehouse never floods the screen.
const WAITING: usize = 256;

/// Messages taken in before the next frame.
const BATCH: usize = 64;

/// How long a frame waits for answers that are on their way.
const ANSWERS: Duration = Duration::from_millis(5);

/// How often the elapsed time of a run is shown anew.
const TICK: Duration = Duration::from_millis(100);

/// The explorer could not be run.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// The theme of the project.
    #[error(transparent)]
    Theme(#[from] ThemeError),
}

/// Explores metrics until the user leaves.
///
/// # Errors
/// The terminal cannot be used, or the project's theme does not read.
pub fn run(session: Session) -> Result<(), TuiError> {
    start(session, None)
}

/// Explores metrics, beginning with the form that defines one.
///
/// # Errors
/// As for [`run`].
pub fn define(session: Session) -> Result<(), TuiError> {
    start(session, Some(Begin::Define))
}

/// Explores metrics, beginning with the definition of one in author mode.
///
/// # Errors
/// As for [`run`].
pub fn edit(session: Session, metric: String) -> Result<(), TuiError> {
    start(session, Some(Begin::Definition(metric)))
}

/// What stands on top at the beginning.
enum Begin {
    /// The definition of a metric.
    Definition(String),
    /// The form that defines one.
    Define,
}

fn start(session: Session, begin: Option<Begin>) -> Result<(), TuiError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(explore(session, begin));
    // A warehouse that does not answer must not keep the terminal.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn explore(session: Session, begin: Option<Begin>) -> Result<(), TuiError> {
    let variable = |name: &str| std::env::var(name).ok();
    let user = UserConfig::open();
    let mut setting = engine::setting(&session, &user, Depth::detect(variable));
    setting.glyphs = Glyphs::detect(variable);
    setting.is_light = Theme::is_light(variable);
    let is_auto = setting.preferences.theme.as_deref() == Some(Theme::AUTO);
    let themes = &setting.preferences.themes;
    let theme = Theme::load(&setting.configured_theme(), themes, setting.depth)?;
    let (width, height) = crossterm::terminal::size()?;
    let size = Size { width, height };
    let (mut state, mut effects) = State::new(
        setting,
        session.catalog(),
        session.connection(),
        theme,
        size,
    );

    match begin {
        Some(Begin::Definition(metric)) => effects.push(state.ask(Lookup::Definition(metric))),
        Some(Begin::Define) => effects.extend(open_define(&mut state)),
        None => {}
    }

    let (sender, received) = mpsc::channel(WAITING);
    let changed = sender.clone();
    let watcher = session.watch(move || {
        // A full queue already holds a change, or the explorer is gone.
        let _ = changed.try_send(Message::FilesChanged);
    });
    if let Err(error) = &watcher {
        let _ = sender.try_send(Message::Notice(Notice::Error(error.to_string())));
    }
    let has_colours = state.setting.depth != Depth::None;
    let is_unknown = state.setting.is_light.is_none();
    let engine = Engine::new(session, tokio::runtime::Handle::current(), sender);
    engine.prepare();
    let slow = ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| variable(name).is_some());
    let screen = Screen::open(state.mouse)?;
    let mut app = App {
        state,
        engine,
        screen,
        hits: HitMap::default(),
        keyboard: Keyboard::new(),
        listener: Listener::default(),
        asks_background: is_auto && is_unknown && has_colours,
        received,
        started: Instant::now(),
        frame: Duration::from_millis(if slow { 33 } else { 16 }),
        drawn: None,
        asked: None,
    };
    let outcome = app.live(effects).await;
    if let Some(workspace) = app.state.workspace() {
        app.engine.keep_at_last(&workspace);
    }
    outcome
}

struct App {
    state: State,
    engine: Engine,
    screen: Screen,
    hits: HitMap,
    keyboard: Keyboard,
    listener: Listener,
    /// Whether the terminal is still to be asked for its background.
    asks_background: bool,
    received: mpsc::Receiver<Message>,
    started: Instant,
    /// Least time between two frames.
    frame: Duration,
    drawn: Option<Instant>,
    /// When the session was asked last.
    asked: Option<Instant>,
}

/// The keys, read by a task of its own, so that many of them can be taken in before a frame is drawn.
struct Keyboard {
    events: mpsc::Receiver<io::Result<Event>>,
    reader: JoinHandle<()>,
}

impl Keyboard {
    fn new() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
        Self { events, reader }
    }

    /// Leaves the keys to another program.
    async fn stop(&mut self) {
        self.reader.abort();
        // Aborted is what it is meant to be.
        let _ = (&mut self.reader).await;
    }
}

/// The signals that end or suspend the explorer.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    stop: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(SIGTSTP))?,
        })
    }
}

/// The same number on Linux and macOS differs; both are fixed by their kernels.
const SIGTSTP: i32 = if cfg!(target_os = "linux") { 20 } else { 18 };

/// What the loop woke up for.
enum Woken {
    Input(Option<io::Result<Event>>),
    Message(Option<Message>),
    Stop,
    Leave,
    Time,
    /// The line to the terminal has room.
    Free,
}

impl App {
    async fn live(&mut self, effects: Vec<Effect>) -> Result<(), TuiError> {
        let mut signals = Signals::new()?;
        let mut leaving = self.carry_out(effects).await?;
        let mut dirty = true;
        while !leaving {
            let due = self.due();
            // On a slow line, what has changed meanwhile is one frame.
            let is_busy = self.screen.is_busy();
            if dirty && due.is_zero() && !is_busy {
                self.draw()?;
                dirty = false;
            }
            let ticks = self.state.shows_running() || self.state.prompt.asking.is_some();
            let timer = match (dirty, ticks) {
                (true, _) if due.is_zero() => None,
                (true, _) => Some(due),
                (false, true) => Some(TICK),
                (false, false) => None,
            };
            let woken = self.wait(&mut signals, timer, dirty && is_busy).await;
            let input = match woken {
                Woken::Free => continue,
                Woken::Leave | Woken::Input(None) | Woken::Message(None) => break,
                Woken::Time => {
                    dirty |= ticks;
                    self.tell(Message::Clock(self.started.elapsed())).await?;
                    continue;
                }
                Woken::Stop => vec![Message::Key(SUSPEND)],
                Woken::Input(Some(event)) => self.translate(event?),
                Woken::Message(Some(message)) => vec![message],
            };
            self.tell(Message::Clock(self.started.elapsed())).await?;
            dirty |= !input.is_empty();
            for message in input {
                leaving |= self.tell(message).await?;
            }
            leaving |= self.catch_up(&mut dirty).await?;
        }
        Ok(())
    }

    /// How long the next frame has to wait: for the frame before it, and a moment for answers, so that a keystroke and
    /// what it finds are one frame.
    fn due(&self) -> Duration {
        let left = |since: Option<Instant>, time: Duration| {
            since.map_or(Duration::ZERO, |since| time.saturating_sub(since.elapsed()))
        };
        let answers = if self.state.is_asking() {
            left(self.asked, ANSWERS)
        } else {
            Duration::ZERO
        };
        left(self.drawn, self.frame).max(answers)
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        self.hits = self.screen.draw(&self.state)?;
        self.drawn = Some(Instant::now());
        if std::mem::take(&mut self.asks_background) {
            self.screen.ask_background()?;
            self.listener.listen(Instant::now());
        }
        Ok(())
    }

    async fn wait(
        &mut self,
        signals: &mut Signals,
        timer: Option<Duration>,
        is_busy: bool,
    ) -> Woken {
        let (keyboard, received) = (&mut self.keyboard, &mut self.received);
        let time = async {
            match timer {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = signals.terminate.recv() => Woken::Leave,
            _ = signals.hangup.recv() => Woken::Leave,
            _ = signals.interrupt.recv() => Woken::Leave,
            _ = signals.stop.recv() => Woken::Stop,
            event = keyboard.events.recv() => Woken::Input(event),
            message = received.recv() => Woken::Message(message),
            () = time => Woken::Time,
            () = Screen::freed(), if is_busy => Woken::Free,
        }
    }

    /// Takes in what else has come, so that one frame shows it all.
    async fn catch_up(&mut self, dirty: &mut bool) -> Result<bool, TuiError> {
        let mut leaving = false;
        for _ in 0..BATCH {
            let messages = match self.keyboard.events.try_recv() {
                Ok(event) => self.translate(event?),
                Err(_) => match self.received.try_recv() {
                    Ok(message) => vec![message],
                    Err(_) => break,
                },
            };
            for message in messages {
                *dirty = true;
                leaving |= self.tell(message).await?;
            }
        }
        Ok(leaving)
    }

    /// An event of the terminal as messages; what means nothing is dropped.
    fn translate(&mut self, event: Event) -> Vec<Message> {
        if let Event::Key(key) = event
            && key.kind == KeyEventKind::Press
        {
            return match self.listener.key(key, Instant::now()) {
                Heard::Keys(keys) => keys.into_iter().map(Message::Key).collect(),
                Heard::Light(is_light) => vec![Message::Background { is_light }],
                Heard::Nothing => Vec::new(),
            };
        }
        self.translate_other(event).into_iter().collect()
    }

    fn translate_other(&self, event: Event) -> Option<Message> {
        match event {
            Event::Paste(text) => Some(Message::Paste(text)),
            Event::Resize(width, height) => Some(Message::Resize(Size { width, height })),
            Event::Mouse(mouse) => {
                let held = self.state.dragging.is_some();
                match mouse.kind {
                    MouseEventKind::Drag(_) if held => {
                        return Some(Message::Drag(mouse.column, mouse.row));
                    }
                    MouseEventKind::Up(_) if held => return Some(Message::Release),
                    _ => {}
                }
                let target = self.hits.at(mouse.column, mouse.row)?;
                match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(target)),
                    MouseEventKind::ScrollDown => Some(Message::Wheel(target, 1)),
                    MouseEventKind::ScrollUp => Some(Message::Wheel(target, -1)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Updates the state and carries out what it asks for; whether the explorer is to end.
    async fn tell(&mut self, message: Message) -> Result<bool, TuiError> {
        let effects = update(&mut self.state, message);
        self.carry_out(effects).await
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<bool, TuiError> {
        for effect in effects {
            if let Effect::Lookup { .. } | Effect::Ask { .. } | Effect::Look { .. } = effect {
                self.asked = Some(Instant::now());
            }
            let Some(effect) = self.engine.carry_out(effect) else {
                continue;
            };
            match effect {
                Effect::Copy(text) => self.copy(text)?,
                Effect::CopyByTerminal(text, reason) => self.copy_by_terminal(&text, &reason)?,
                Effect::Edit(file, line) => self.edit(&file, line).await?,
                Effect::Mouse(on) => self.screen.capture_mouse(on)?,
                Effect::AskBackground => self.asks_background = true,
                Effect::Suspend => self.suspend().await?,
                Effect::Redraw => self.screen.redraw(),
                Effect::Quit => return Ok(true),
                // The engine has carried out the others.
                _ => {}
            }
        }
        Ok(false)
    }

    fn say(&mut self, notice: Notice) {
        update(&mut self.state, Message::Notice(notice));
    }

    fn copy(&mut self, text: String) -> Result<(), TuiError> {
        let setting = self.state.setting.preferences.clipboard;
        let ways = clipboard::ways(setting, |name| std::env::var(name).ok());
        match ways {
            Ways { ref programs, .. } if !programs.is_empty() => self.engine.copy(text, ways),
            Ways { terminal: true, .. } => return self.copy_by_terminal(&text, ""),
            _ if setting == Clipboard::Off => self.say(Notice::Error(
                "not copied: metrex.yaml says `clipboard: off`".to_owned(),
            )),
            _ => self.say(Notice::Error(
                "not copied: `clipboard: tools` without WAYLAND_DISPLAY and DISPLAY".to_owned(),
            )),
        }
        Ok(())
    }

    /// Copies by OSC 52; where it is only tried next, for the reason given.
    fn copy_by_terminal(&mut self, text: &str, reason: &str) -> Result<(), TuiError> {
        let bytes = text.len();
        let before = if reason.is_empty() {
            String::new()
        } else {
            format!("{reason}; ")
        };
        if bytes > COPY_CAP {
            self.say(Notice::Error(format!(
                "not copied: {before}{bytes} bytes are more than the {COPY_CAP} that terminals take; `metrex query … --format csv` writes a file"
            )));
            return Ok(());
        }
        self.screen.copy(text)?;
        let tmux = if std::env::var_os("TMUX").is_some() {
            " (tmux needs `set -g set-clipboard on`)"
        } else {
            ""
        };
        self.say(Notice::Info(format!(
            "{before}copied {bytes} bytes via OSC 52{tmux}"
        )));
        Ok(())
    }

    /// Lends the terminal to another program, and takes notice of a size that changed meanwhile.
    async fn lend<T>(&mut self, other: impl FnOnce() -> T) -> Result<T, TuiError> {
        // Only one of two can read the keys.
        self.keyboard.stop().await;
        let outcome = self.screen.lend(self.state.mouse, other)?;
        self.keyboard = Keyboard::new();
        self.listener = Listener::default();
        let (width, height) = crossterm::terminal::size()?;
        update(&mut self.state, Message::Resize(Size { width, height }));
        Ok(outcome)
    }

    async fn edit(&mut self, path: &str, line: u32) -> Result<(), TuiError> {
        let file = match self.engine.file_to_edit(path) {
            Ok(file) => file,
            Err(error) => {
                self.say(Notice::Error(format!("{path}: {error}")));
                return Ok(());
            }
        };
        let (program, mut command) = outside::editor(|name| std::env::var(name).ok(), &file, line);
        match self.lend(|| command.status()).await? {
            Ok(status) if status.success() => {}
            Ok(status) => self.say(Notice::Error(format!("{program} ended with {status}"))),
            Err(error) => self.say(Notice::Error(format!(
                "{program} cannot be started: {error}; set VISUAL or EDITOR"
            ))),
        }
        Ok(())
    }

    async fn suspend(&mut self) -> Result<(), TuiError> {
        if outside::leads_session() {
            self.say(Notice::Error("there is no shell to go back to".to_owned()));
        } else if let Err(error) = self.lend(outside::stop).await? {
            self.say(Notice::Error(format!("cannot suspend: {error}")));
        }
        Ok(())
    }
}

/// What SIGTSTP from outside asks for: the same as the key.
const SUSPEND: KeyEvent = KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL);
