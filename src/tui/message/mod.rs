//! What reaches the state (messages) and what it asks for (effects).

mod effect;
mod lookup;

pub use effect::Effect;
pub use lookup::{Answer, Earlier, Excerpt, Lookup, Misfits, Slot};

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::layout::Size;

use super::beside::Beside;
use super::define::DefineNews;
use super::hit::Target;
use super::keymap::Keymap;
use super::look::LookNews;
use super::theme::Theme;
use super::widgets::chart::Glyphs;
use crate::registry::{Clipboard, Diagnostic};
use crate::session::files::FileWritten;
use crate::session::{
    Asked, Catalog, Change, ConnectionInfo, Published, RunEvent, RunSummary, SessionError, Stage,
    Weighed,
};

/// Something that happened.
pub enum Message {
    /// Time since the explorer started; goes ahead of each batch of messages.
    Clock(Duration),
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// In author mode, other lines take the place of these, counted from 0.
    Lines(Range<usize>, Vec<String>),
    /// A click on something the last frame showed.
    Click(Target),
    /// The mouse was moved with the button held: to this column and row.
    Drag(u16, u16),
    /// The button was let go.
    Release,
    /// The wheel turned over something, by so many notches; down is positive.
    Wheel(Target, i32),
    /// The terminal has this size now.
    Resize(Size),
    /// The answer to a lookup.
    Answer {
        /// The generation the lookup was started for.
        generation: u64,
        /// The answer.
        answer: Answer,
    },
    /// News of a run.
    Run {
        /// The generation the run was started for.
        generation: u64,
        /// The news.
        news: RunNews,
    },
    /// What was asked beside the rows.
    Beside {
        /// The generation it was asked for.
        generation: u64,
        /// What there is, or why there is nothing.
        outcome: Result<Box<Beside>, SessionError>,
    },
    /// News of a question.
    Ask {
        /// The generation it was asked for.
        generation: u64,
        /// The news.
        news: AskNews,
    },
    /// News of a file that is written.
    File {
        /// The generation it was started for.
        generation: u64,
        /// The news.
        news: FileNews,
    },
    /// What a draft does to the numbers.
    Measured {
        /// The generation it was asked for.
        generation: u64,
        /// The numbers, or why there are none.
        outcome: Result<Box<Change>, SessionError>,
    },
    /// News of the form that defines a metric.
    Define {
        /// The generation it was asked for.
        generation: u64,
        /// The news.
        news: Box<DefineNews>,
    },
    /// The numbers and checks of what is reviewed.
    Weighed {
        /// The generation they were asked for.
        generation: u64,
        /// What there is, or why there is nothing.
        outcome: Result<Box<Weighed>, SessionError>,
    },
    /// A judgement was written, or not.
    Judged {
        /// The generation it was made for.
        generation: u64,
        /// What was written, or why nothing was.
        outcome: Result<Published, SessionError>,
    },
    /// News of a look behind a number.
    Look {
        /// The generation it was started for.
        generation: u64,
        /// The news.
        news: LookNews,
    },
    /// The demo is being made.
    Preparing(String),
    /// The warehouse is ready, or not.
    Prepared(Result<(), String>),
    /// A project file changed on disk.
    FilesChanged,
    /// The registry and the configurations were read again.
    Reloaded {
        /// The last good version of everything.
        catalog: Arc<Catalog>,
        /// Every problem.
        problems: Vec<Diagnostic>,
        /// What the configurations say of looks and keys.
        preferences: Box<Preferences>,
    },
    /// A query was saved in the project, or not.
    ViewSaved {
        /// Its name.
        name: String,
        /// The file it is in, or why it is not saved.
        outcome: Result<String, SessionError>,
    },
    /// The connection was switched, or not.
    Connected {
        /// The connection in use now.
        connection: String,
        /// Why it is not the one asked for.
        error: Option<String>,
    },
    /// The terminal has told its background.
    Background {
        /// Whether it is light.
        is_light: bool,
    },
    /// No program of the desktop took a copy; the terminal is asked next.
    NotCopied {
        /// The text.
        text: String,
        /// Why.
        reason: String,
    },
    /// Something to say in the status line.
    Notice(Notice),
}

/// A line in the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Good to know.
    Info(String),
    /// Something did not work.
    Error(String),
}

/// News of a run.
#[derive(Debug)]
pub enum RunNews {
    /// An event of the session.
    Event(RunEvent),
    /// The end.
    Ended(Result<RunSummary, SessionError>),
}

/// News of a question in plain words.
#[derive(Debug)]
pub enum AskNews {
    /// What is being done now.
    Stage(Stage),
    /// How it came out.
    Ended(Box<Asked>),
}

/// News of a file that is written.
#[derive(Debug)]
pub enum FileNews {
    /// So many rows are written.
    Rows(u64),
    /// The end.
    Ended(Result<FileWritten, SessionError>),
}

/// How the explorer looks and is operated, as the user's configuration and the project's say; read again when they change.
#[derive(Debug, Clone, PartialEq)]
pub struct Preferences {
    /// The theme; none where one is to fit the terminal, which `auto` asks for its background.
    pub theme: Option<String>,
    /// Theme files of the project: name and text.
    pub themes: Vec<(String, String)>,
    /// How a text gets into the clipboard.
    pub clipboard: Clipboard,
    /// The keys in force.
    pub keymap: Keymap,
    /// What is wrong in the configurations.
    pub problems: Vec<Diagnostic>,
}

/// What the explorer knows from the start and never asks for again.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Name of the project.
    pub project: String,
    /// The current folder, where files are written.
    pub folder: PathBuf,
    /// The current day.
    pub today: jiff::civil::Date,
    /// All connections.
    pub connections: Vec<ConnectionInfo>,
    /// How many colours the terminal shows.
    pub depth: super::Depth,
    /// Whether its background is light, as far as that is known.
    pub is_light: Option<bool>,
    /// What the configurations prefer, as they are now.
    pub preferences: Preferences,
    /// What charts are drawn with.
    pub glyphs: Glyphs,
}

impl Setting {
    /// The theme to begin with; `auto` may lead to another one once the terminal has answered.
    pub fn configured_theme(&self) -> String {
        let named = self.preferences.theme.as_deref();
        let fitting = Theme::for_background(self.is_light.unwrap_or_default());
        let name = named.filter(|name| *name != Theme::AUTO);
        name.unwrap_or(fitting).to_owned()
    }
}
