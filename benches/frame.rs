//! One frame of the explorer, and one keystroke up to its frame, on the built-in demo at the sizes people have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use crossterm::event::KeyEvent;
use jiff::civil::date;
use metrex::registry::UserConfig;
use metrex::session::{OpenOptions, Session};
use metrex::tui::{Chord, Depth, Effect, Message, State, Theme, answer, setting, update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

struct Explorer {
    session: Session,
    state: State,
    terminal: Terminal<TestBackend>,
}

impl Explorer {
    fn new(session: Session, width: u16, height: u16) -> Self {
        let theme = Theme::load("dark", &[], Depth::True).unwrap();
        let (state, effects) = State::new(
            setting(&session, &UserConfig::default(), Depth::True),
            session.catalog(),
            session.connection(),
            theme,
            Size { width, height },
        );
        let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut explorer = Self {
            session,
            state,
            terminal,
        };
        explorer.carry_out(effects);
        explorer.draw();
        explorer
    }

    /// Answers lookups at once; nothing else is asked for in these benches.
    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Lookup {
                generation, lookup, ..
            } = effect
            {
                let answer = answer(&self.session, lookup);
                let effects = update(&mut self.state, Message::Answer { generation, answer });
                self.carry_out(effects);
            }
        }
    }

    fn press(&mut self, key: &str) {
        let chord: Chord = key.parse().unwrap();
        let effects = update(&mut self.state, Message::Key(KeyEvent::from(chord)));
        self.carry_out(effects);
    }

    fn draw(&mut self) {
        self.terminal
            .draw(|frame| {
                view(&self.state, frame);
            })
            .unwrap();
    }
}

fn frames(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(OpenOptions {
        today: Some(date(2026, 11, 20)),
        state_dir: Some(folder.path().to_owned()),
        ..OpenOptions::default()
    })
    .unwrap();
    let metrics = session.catalog().registry.metrics.len();
    assert!(metrics >= 30, "the demo is there");
    for (width, height) in [(80, 24), (200, 50), (300, 100)] {
        let mut explorer = Explorer::new(session.clone(), width, height);
        for key in ["g", "m", "v", "Enter"] {
            explorer.press(key);
        }
        criterion.bench_function(&format!("frame/{width}x{height}"), |bencher| {
            bencher.iter(|| explorer.draw());
        });
        criterion.bench_function(&format!("keystroke/{width}x{height}"), |bencher| {
            bencher.iter_batched(
                || {
                    let mut explorer = Explorer::new(session.clone(), width, height);
                    explorer.press("g");
                    explorer
                },
                |mut explorer| {
                    explorer.press("m");
                    explorer.draw();
                    explorer
                },
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
