//! The real program in a pseudo terminal, with a screen that shows what it sends; over a slow line, where one is asked for.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tempfile::TempDir;

/// Long enough for a busy machine; nothing waits longer than it has to.
const PATIENCE: Duration = Duration::from_secs(30);

/// What stands between the program and the one who looks at it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// How long everything takes, in each direction.
    pub delay: Duration,
    /// Bytes that it carries to the screen in a second; `None` for as many as there are.
    pub bytes_per_second: Option<u32>,
}

impl Line {
    /// 64 kbit/s, and 200 ms there and back.
    pub const SLOW: Self = Self {
        delay: Duration::from_millis(100),
        bytes_per_second: Some(8_000),
    };
}

/// A pseudo terminal with the program in it.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    keys: Sender<(Instant, Vec<u8>)>,
    child: Box<dyn Child + Send + Sync>,
    line: Line,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// Whatever the program works with.
    pub folder: TempDir,
}

/// What has come so far.
pub struct Seen {
    /// Every byte.
    pub bytes: Vec<u8>,
    /// When the last of them came.
    pub at: Instant,
    /// When the first frame was whole.
    pub frame: Option<Instant>,
    /// What they show.
    pub screen: vt100::Parser,
    /// Whether there will be no more.
    pub ended: bool,
}

/// The program with its project and nothing of this machine's terminal; `env` comes on top.
pub fn command(
    program: &Path,
    project: &Path,
    state: &Path,
    env: &[(&str, &str)],
) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(["--today", "2026-11-20", "--project"]);
    command.arg(project);
    command.arg("--state-dir");
    command.arg(state);
    for name in [
        "NO_COLOR",
        "COLORTERM",
        "COLORFGBG",
        "SSH_CONNECTION",
        "SSH_TTY",
        "TMUX",
        "VISUAL",
        "EDITOR",
        "DISPLAY",
        "WAYLAND_DISPLAY",
    ] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command.env("XDG_CONFIG_HOME", state.join("config"));
    for (name, value) in env {
        command.env(name, value);
    }
    command
}

impl Pty {
    /// Starts a program.
    pub fn run(rows: u16, cols: u16, command: CommandBuilder, folder: TempDir) -> Self {
        Self::run_over(Line::default(), rows, cols, command, folder)
    }

    /// Starts a program at the other end of a line.
    pub fn run_over(
        line: Line,
        rows: u16,
        cols: u16,
        command: CommandBuilder,
        folder: TempDir,
    ) -> Self {
        let pair = native_pty_system().openpty(size(rows, cols)).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = Seen {
            bytes: Vec::new(),
            at: Instant::now(),
            frame: None,
            screen: vt100::Parser::new(nonzero(rows), nonzero(cols), 0),
            ended: false,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (carried, arriving) = channel();
        let reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || carry(line, reader, &carried));
        let to = Arc::clone(&seen);
        std::thread::spawn(move || show(&arriving, &to));
        let mut writer = pair.master.take_writer().unwrap();
        let (keys, pressed) = channel::<(Instant, Vec<u8>)>();
        std::thread::spawn(move || {
            for (due, bytes) in pressed {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                // The program may have ended.
                let _ = writer.write_all(&bytes).and_then(|()| writer.flush());
            }
        });
        Self {
            master: pair.master,
            keys,
            child,
            line,
            seen,
            folder,
        }
    }

    /// Presses keys, as a terminal sends them; nobody waits for what they do.
    pub fn send(&self, keys: &str) {
        let due = Instant::now() + self.line.delay;
        self.keys.send((due, keys.as_bytes().to_vec())).unwrap();
    }

    /// What has come so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap()
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.seen().screen.screen().contents()
    }

    /// Every byte so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen().bytes.clone()
    }

    /// Bytes so far.
    pub fn sent(&self) -> usize {
        self.seen().bytes.len()
    }

    /// Frames so far.
    pub fn frames(&self) -> usize {
        count(&self.seen().bytes, "\x1b[?2026l")
    }

    /// Number of the process.
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, rows: u16, cols: u16) {
        let mut seen = self.seen();
        let screen = seen.screen.screen_mut();
        screen.set_size(nonzero(rows), nonzero(cols));
        self.master.resize(size(rows, cols)).unwrap();
    }

    /// Waits until something holds; fails with the screen if it never does.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(
                start.elapsed() < PATIENCE,
                "{what} does not happen:\n{}",
                self.text()
            );
            self.wait(Duration::from_millis(10));
        }
    }

    /// Waits until something comes, but no longer than this.
    pub fn wait(&self, patience: Duration) {
        let (seen, news) = &*self.seen;
        drop(news.wait_timeout(seen.lock().unwrap(), patience).unwrap());
    }

    /// Waits until nothing has come for so long.
    pub fn settles(&self, quiet: Duration) {
        self.until("silence", |pty| pty.seen().at.elapsed() >= quiet);
    }

    /// Waits for a text on the screen.
    pub fn shows(&self, text: &str) {
        self.until(&format!("'{text}'"), |pty| pty.text().contains(text));
    }

    /// How it ended, if it has; what it wrote last may still be on its way.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for the end.
    pub fn ends(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.has_ended() {
                self.until("the last output", |pty| pty.seen().ended);
                return status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal, such as `-TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Everything that was switched on is switched off again.
    pub fn assert_given_back(&self) {
        let seen = self.seen();
        let screen = seen.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "pastes are plain again");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is free"
        );
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
    }
}

/// Takes what the program writes, no faster than the line carries it, so that the program has to wait as it would there.
fn carry(line: Line, mut reader: impl Read, carried: &Sender<(Instant, Vec<u8>)>) {
    let mut buffer = [0; 4096];
    let most = if line.bytes_per_second.is_some() {
        64
    } else {
        buffer.len()
    };
    while let Ok(read @ 1..) = reader.read(&mut buffer[..most]) {
        if let Some(rate) = line.bytes_per_second {
            std::thread::sleep(Duration::from_secs_f64(read as f64 / f64::from(rate)));
        }
        let due = Instant::now() + line.delay;
        if carried.send((due, buffer[..read].to_vec())).is_err() {
            return;
        }
    }
}

fn show(arriving: &Receiver<(Instant, Vec<u8>)>, to: &(Mutex<Seen>, Condvar)) {
    for (due, bytes) in arriving {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut seen = to.0.lock().unwrap();
        seen.screen.process(&bytes);
        seen.bytes.extend(bytes);
        seen.at = Instant::now();
        if seen.frame.is_none() && count(&seen.bytes, "\x1b[?2026l") > 0 {
            seen.frame = Some(seen.at);
        }
        to.1.notify_all();
    }
    to.0.lock().unwrap().ended = true;
    to.1.notify_all();
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn nonzero(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).unwrap()
}

/// How often a sequence stands in what was sent.
pub fn count(bytes: &[u8], sequence: &str) -> usize {
    bytes
        .windows(sequence.len())
        .filter(|window| *window == sequence.as_bytes())
        .count()
}
