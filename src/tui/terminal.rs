//! The terminal: taken and given back whatever happens, one write per frame, asked nothing that anybody would wait for.

use std::io::{self, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap,
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue, terminal};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::background;
use super::hit::HitMap;
use super::outlet::outlet;
use super::painter::Painter;
use super::state::State;
use super::view::view;

/// The most that is copied by OSC 52: many terminals cut or drop longer sequences.
pub(super) const COPY_CAP: usize = 100_000;

/// How long the terminal may take to be given back: a line that is dead must not keep the program.
const PATIENCE: Duration = Duration::from_secs(2);

/// Clicks, the wheel, and moves while a button is held, with SGR positions. Other moves are not wanted: each would cross a
/// slow line for nothing.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// Whether the terminal is ours at the moment; a panic hook must not restore what was never taken.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while the explorer has it; dropping gives it back.
pub(super) struct Screen {
    /// Draws in memory: the painter has to know the whole picture.
    terminal: Terminal<TestBackend>,
    painter: Painter,
}

impl Screen {
    /// Takes the terminal. No question is sent to it: nobody waits for an answer that may never come.
    pub(super) fn open(mouse: bool) -> io::Result<Self> {
        restore_before_panic();
        take(mouse)?;
        match terminal::size() {
            Ok((width, height)) => {
                let Ok(terminal) = Terminal::new(TestBackend::new(width, height));
                Ok(Self {
                    terminal,
                    painter: Painter::default(),
                })
            }
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws what changed since the last frame, in one write and as one update; nothing is sent for what did not.
    pub(super) fn draw(&mut self, state: &State) -> io::Result<HitMap> {
        let mut hits = HitMap::default();
        let (width, height) = terminal::size()?;
        self.terminal.backend_mut().resize(width, height);
        let Ok(frame) = self.terminal.draw(|frame| hits = view(state, frame));
        let picture = frame.buffer.clone();
        let backend = self.terminal.backend();
        let cursor = backend.cursor_visible().then(|| backend.cursor_position());
        let strokes = self.painter.paint(picture, cursor);
        if !strokes.is_empty() {
            let mut bytes = Vec::new();
            queue!(bytes, BeginSynchronizedUpdate)?;
            bytes.extend(strokes);
            queue!(bytes, EndSynchronizedUpdate)?;
            outlet().send(&bytes)?;
        }
        Ok(hits)
    }

    /// Forgets what the terminal shows, so that the next frame draws everything.
    pub(super) fn redraw(&mut self) {
        self.painter.forget();
    }

    /// Captures the mouse, or leaves it to the terminal.
    pub(super) fn capture_mouse(&mut self, on: bool) -> io::Result<()> {
        let mut bytes = Vec::new();
        if on {
            queue!(bytes, Print(MOUSE))?;
        } else {
            queue!(bytes, DisableMouseCapture)?;
        }
        outlet().send(&bytes)
    }

    /// Puts a text in the clipboard of the terminal at the user's end of the line, by OSC 52.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        outlet().send(osc52(text).as_bytes())
    }

    /// Asks for the colour of the background. The answer comes among the keys, or never.
    pub(super) fn ask_background(&mut self) -> io::Result<()> {
        outlet().send(background::QUESTION.as_bytes())
    }

    /// Whether the line has not taken the last frame yet.
    pub(super) fn is_busy(&self) -> bool {
        outlet().is_busy()
    }

    /// Waits until the line has taken something.
    pub(super) async fn freed() {
        outlet().freed().await;
    }

    /// Gives the terminal back while something else uses it.
    pub(super) fn lend<T>(&mut self, mouse: bool, other: impl FnOnce() -> T) -> io::Result<T> {
        give_back();
        let outcome = other();
        take(mouse)?;
        self.redraw();
        Ok(outcome)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// The sequence that asks the terminal to keep a text in its clipboard.
fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut bytes = Vec::new();
    queue!(
        bytes,
        EnterAlternateScreen,
        DisableLineWrap,
        EnableBracketedPaste,
        cursor::Hide
    )?;
    if mouse {
        queue!(bytes, Print(MOUSE))?;
    }
    outlet().send(&bytes)
}

/// Gives the terminal back as it was; whether it was ours. What fails here has no terminal left to be told to.
fn give_back() -> bool {
    let was_taken = TAKEN.swap(false, Ordering::SeqCst);
    if was_taken {
        let mut bytes = Vec::new();
        let _ = restore(&mut bytes).and_then(|()| outlet().send(&bytes));
        outlet().drain(PATIENCE);
        let _ = disable_raw_mode();
    }
    was_taken
}

fn restore(out: &mut impl Write) -> io::Result<()> {
    queue!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        EnableLineWrap,
        // tmux shows lines of the alternate screen on the main one after it has grown.
        Clear(ClearType::All),
        LeaveAlternateScreen,
        cursor::Show
    )
}

/// A panic first gives the terminal back, then says what happened. On another thread than the one that draws, it ends
/// the program too: nobody would wait for that thread, and the next frame would spoil what was said.
fn restore_before_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| before_panic(give_back));
}

fn before_panic(give_back: impl Fn() -> bool + Send + Sync + 'static) {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let was_taken = give_back();
        say(panic);
        if was_taken && std::thread::current().name() != Some("main") {
            std::process::exit(101);
        }
    }));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_reported() {
        static STEPS: Mutex<Vec<&str>> = Mutex::new(Vec::new());
        let step = |step| STEPS.lock().unwrap().push(step);
        std::panic::set_hook(Box::new(move |_| step("said")));
        before_panic(move || {
            step("given back");
            true
        });
        let drawing = std::thread::Builder::new().name("main".to_owned());
        let panicking = drawing.spawn(|| panic!("on purpose")).unwrap();
        assert!(panicking.join().is_err());
        drop(std::panic::take_hook());
        assert_eq!(*STEPS.lock().unwrap(), ["given back", "said"]);
    }

    #[test]
    fn giving_back_undoes_everything_that_taking_did() {
        let mut out = Vec::new();
        restore(&mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        for off in [
            "\x1b[?1049l",
            "\x1b[?2004l",
            "\x1b[?1000l",
            "\x1b[?1006l",
            "\x1b[?7h",
            "\x1b[?25h",
        ] {
            assert!(out.contains(off), "{off:?} is missing in {out:?}");
        }
    }

    #[test]
    fn a_copied_text_is_base64_in_an_osc_52() {
        assert_eq!(osc52("gmv by market"), "\x1b]52;c;Z212IGJ5IG1hcmtldA==\x07");
    }
}
